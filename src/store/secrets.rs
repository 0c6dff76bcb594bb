//! What the store makes up for itself and keeps: it is in backups, and never shown.

use super::sql::Value;
use super::{Store, StoreError};

/// The name of the key under which masked numbers are hashed.
const MASK_KEY: &str = "mask-key";

impl Store {
    /// The key under which masked numbers are hashed: 32 random bytes, made when first asked for and never changed, since without it
    /// no call could be found by a number any more.
    ///
    /// # Errors
    /// The store cannot be read or written, or the system gives no random numbers.
    pub fn mask_key(&self) -> Result<[u8; 32], StoreError> {
        if let Some(kept) = self.secret(MASK_KEY)? {
            return Ok(kept);
        }
        let mut made = [0; 32];
        getrandom::fill(&mut made).map_err(|error| StoreError::Unavailable(format!("no random numbers: {error}")))?;
        self.write(|sql| {
            // Of two that make one at the same time, the first counts.
            let text = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
            sql.run(text, &[Value::Text(MASK_KEY), Value::Bytes(&made)]).map(drop)
        })?;
        self.secret(MASK_KEY)?.ok_or_else(|| StoreError::Damaged(format!("the secret {MASK_KEY} was not kept")))
    }

    fn secret(&self, name: &str) -> Result<Option<[u8; 32]>, StoreError> {
        self.read(|sql| {
            let mut found = None;
            sql.query("SELECT value FROM secrets WHERE name = $1", &[Value::Text(name)], &mut |row| {
                found = Some(row.value(0).bytes().to_vec());
                Ok(false)
            })?;
            let damaged = |value: Vec<u8>| StoreError::Damaged(format!("the secret {name} has {} bytes, not 32", value.len()));
            found.map(|value| value.try_into().map_err(damaged)).transpose()
        })
    }
}
