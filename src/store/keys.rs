//! API keys: what is kept of them. Each that comes or goes leaves an entry of the audit log in the same transaction.

use super::audit::{self, AuditRow};
use super::sql::Value;
use super::{Store, StoreError};

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose key it is.
    pub tenant: String,
    /// The name of what it may do.
    pub role: String,
    /// The hash of its secret.
    pub hash: Vec<u8>,
    /// What people call it.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was revoked, in milliseconds since 1970.
    pub revoked_ms: Option<i64>,
}

/// What became of a key that was to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// It is revoked now.
    Now(KeyRow),
    /// It was before.
    Before(KeyRow),
    /// There is none of this id.
    NoKey,
}

impl Store {
    /// Keeps a new key, made by `who`.
    ///
    /// # Errors
    /// It cannot be written, or there is one of its id.
    pub fn put_key(&self, row: &KeyRow, who: &str) -> Result<(), StoreError> {
        let text = "INSERT INTO api_keys (id, tenant, role, hash, name, created_ms, revoked_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            Value::Text(&row.id),
            Value::Text(&row.tenant),
            Value::Text(&row.role),
            Value::Bytes(&row.hash),
            Value::Text(&row.name),
            Value::Int(row.created_ms),
            row.revoked_ms.into(),
        ];
        self.write(|sql| {
            sql.run(text, &values)?;
            audit::insert(sql, &entry(row, row.created_ms, who, "create key"))
        })
    }

    /// All keys, revoked ones too, the oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        let text = "SELECT id, tenant, role, hash, name, created_ms, revoked_ms FROM api_keys ORDER BY created_ms, id";
        self.read(|sql| {
            let mut found = Vec::new();
            sql.query(text, &[], &mut |row| {
                found.push(KeyRow {
                    id: row.value(0).text().to_owned(),
                    tenant: row.value(1).text().to_owned(),
                    role: row.value(2).text().to_owned(),
                    hash: row.value(3).bytes().to_vec(),
                    name: row.value(4).text().to_owned(),
                    created_ms: row.value(5).int(),
                    revoked_ms: row.value(6).optional_int(),
                });
                Ok(true)
            })?;
            Ok(found)
        })
    }

    /// Revokes a key for good, at `now_ms`, by `who`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn revoke_key(&self, id: &str, now_ms: i64, who: &str) -> Result<Revoked, StoreError> {
        let Some(row) = self.keys()?.into_iter().find(|row| row.id == id) else { return Ok(Revoked::NoKey) };
        let text = "UPDATE api_keys SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL";
        let revoked = self.write(|sql| {
            // Another process may have been faster.
            let revoked = sql.run(text, &[Value::Int(now_ms), Value::Text(id)])? > 0;
            if revoked {
                audit::insert(sql, &entry(&row, now_ms, who, "revoke key"))?;
            }
            Ok(revoked)
        })?;
        Ok(if revoked { Revoked::Now(KeyRow { revoked_ms: Some(now_ms), ..row }) } else { Revoked::Before(row) })
    }
}

fn entry(row: &KeyRow, at_ms: i64, who: &str, action: &str) -> AuditRow {
    AuditRow {
        tenant: row.tenant.clone(),
        at_ms,
        who: who.to_owned(),
        action: action.to_owned(),
        what: format!("{} ({})", row.id, row.role),
    }
}
