//! Keys as the store keeps them.

use super::{KeyRecord, KeyRing, tenant};
use crate::store::keys::KeyRow;
use crate::store::{Store, StoreError};

impl From<&KeyRecord> for KeyRow {
    fn from(record: &KeyRecord) -> Self {
        Self {
            id: record.id.clone(),
            tenant: record.tenant.to_string(),
            role: record.role.to_string(),
            hash: record.hash.to_vec(),
            name: record.name.clone(),
            created_ms: record.created_ms,
            revoked_ms: record.revoked_ms,
        }
    }
}

impl TryFrom<KeyRow> for KeyRecord {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let KeyRow { id, tenant: name_of_tenant, role, hash, name, created_ms, revoked_ms } = row;
        let damaged = |reason: String| StoreError::Damaged(format!("key {id}: {reason}"));
        let tenant = tenant(&name_of_tenant).map_err(damaged)?;
        let role = role.parse().map_err(damaged)?;
        let hash = hash.try_into().map_err(|_| damaged("its hash is not of 32 bytes".to_owned()))?;
        Ok(Self { tenant, role, hash, name, created_ms, revoked_ms, id })
    }
}

impl KeyRing {
    /// Has the keys of a store, and no others. A key that cannot be read is an error, and nothing changes: were it left out, a store
    /// of such keys would look like one without keys.
    ///
    /// # Errors
    /// The store, or one of its keys, cannot be read.
    pub fn read(&self, store: &Store) -> Result<(), StoreError> {
        let records: Vec<KeyRecord> = store.keys()?.into_iter().map(KeyRecord::try_from).collect::<Result<_, _>>()?;
        self.replace(records);
        Ok(())
    }
}
