//! API keys: `cg_<id>_<secret>`. The id is no secret and names the key in lists and logs; of the secret only a hash is kept.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Denied, Identity, Role};

/// What every key begins with, so that people and secret scanners know one when they see it.
pub(super) const PREFIX: &str = "cg_";
/// Random bytes of an id.
const ID_BYTES: usize = 5;
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id: lower-case hexadecimal.
    pub id: String,
    /// Whose key it is.
    pub tenant: Arc<str>,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of its secret. Slow hashes slow down whoever guesses a password; nobody guesses 32 random bytes, and each request
    /// is checked.
    pub hash: [u8; 32],
    /// What people call it: "dialer, line 3".
    pub name: String,
    /// When it was made, in Unix milliseconds.
    pub created_ms: i64,
    /// When it was revoked, in Unix milliseconds.
    pub revoked_ms: Option<i64>,
}

/// A key just made: the only time that it is whole.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What is to be kept.
    pub record: KeyRecord,
    /// What its owner is to be given.
    pub key: String,
}

/// Without the key: what is shown once must not turn up in a log.
impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("record", &self.record).finish_non_exhaustive()
    }
}

impl NewKey {
    /// Makes a key at `created_ms`, in Unix milliseconds.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate(tenant: Arc<str>, role: Role, name: &str, created_ms: i64) -> Result<Self, getrandom::Error> {
        let (id, secret) = (random_hex::<ID_BYTES>()?, random_hex::<SECRET_BYTES>()?);
        let key = format!("{PREFIX}{id}_{secret}");
        let hash = Sha256::digest(&secret).into();
        Ok(Self { record: KeyRecord { id, tenant, role, hash, name: name.to_owned(), created_ms, revoked_ms: None }, key })
    }
}

/// Random bytes in hexadecimal.
fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    let mut text = String::with_capacity(2 * BYTES);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Whether something presented is meant as a key, good or not.
#[must_use]
pub fn is_key(presented: &str) -> bool {
    presented.starts_with(PREFIX)
}

/// The keys in force. They can be replaced while the server runs.
#[derive(Debug, Default)]
pub struct KeyRing(RwLock<Arc<HashMap<String, KeyRecord>>>);

impl KeyRing {
    /// Has these keys and no others.
    pub fn replace(&self, records: impl IntoIterator<Item = KeyRecord>) {
        let records = records.into_iter().map(|record| (record.id.clone(), record)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(records);
    }

    fn records(&self) -> Arc<HashMap<String, KeyRecord>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there are none, not even revoked ones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records().is_empty()
    }

    /// Whose key this is.
    ///
    /// # Errors
    /// It is no key, unknown or revoked. Only who has the secret is told that a key was revoked.
    pub fn authenticate(&self, presented: &str) -> Result<Identity, Denied> {
        let (id, secret) = presented.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(Denied::Unknown)?;
        let records = self.records();
        let record = records.get(id).ok_or(Denied::Unknown)?;
        // In constant time, although of a hash little could be learnt from how long it takes.
        if !bool::from(Sha256::digest(secret).as_slice().ct_eq(&record.hash)) {
            return Err(Denied::Unknown);
        }
        if record.revoked_ms.is_some() {
            return Err(Denied::Revoked);
        }
        Ok(Identity { tenant: Arc::clone(&record.tenant), role: record.role, subject: format!("key:{id}").into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> NewKey {
        NewKey::generate(Arc::from("north"), Role::Ingest, "line 3", 1_700_000_000_000).unwrap()
    }

    #[test]
    fn a_key_is_let_in_with_its_tenant_and_role() {
        let (ring, NewKey { record, key }) = (KeyRing::default(), made());
        ring.replace([record.clone(), made().record]);
        let identity = ring.authenticate(&key).unwrap();
        assert_eq!((&*identity.tenant, identity.role), ("north", Role::Ingest));
        assert_eq!(*identity.subject, format!("key:{}", record.id));
    }

    #[test]
    fn what_is_kept_does_not_hold_the_secret() {
        let new = made();
        let secret = new.key.rsplit('_').next().unwrap();
        assert_eq!((new.key.len(), secret.len(), new.record.id.len()), (3 + 10 + 1 + 64, 64, 10));
        assert!(!format!("{new:?}").contains(secret));
        assert_ne!(new.key, made().key);
    }

    #[test]
    fn every_wrong_key_is_refused_in_the_same_words() {
        let (ring, NewKey { record, key }) = (KeyRing::default(), made());
        let other = made();
        ring.replace([record.clone()]);
        let flipped = format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { '1' } else { '0' });
        let crossed = format!("cg_{}_{}", record.id, other.key.rsplit('_').next().unwrap());
        for wrong in ["", "cg_", "cg_x", "cg__", "cg___", &flipped, &crossed, &other.key, &key[..key.len() - 1], &format!("{key}0")] {
            assert_eq!(ring.authenticate(wrong), Err(Denied::Unknown), "{wrong}");
        }
    }

    #[test]
    fn a_revoked_key_is_refused_and_only_its_owner_learns_why() {
        let (ring, NewKey { record, key }) = (KeyRing::default(), made());
        ring.replace([KeyRecord { revoked_ms: Some(2), ..record.clone() }]);
        assert_eq!(ring.authenticate(&key), Err(Denied::Revoked));
        assert_eq!(ring.authenticate(&format!("cg_{}_guess", record.id)), Err(Denied::Unknown));
    }
}
