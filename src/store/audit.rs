//! Who did what: keys, scripts, exports, deletions.

use super::sql::{Sql, Value};
use super::{Store, StoreError};

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Whose.
    pub tenant: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The key's or token's subject, or `cli` for the command line.
    pub who: String,
    /// What was done: `delete`, `export`, `publish`, …
    pub action: String,
    /// To what.
    pub what: String,
}

/// Writes an entry, in the transaction of what it tells of.
pub(super) fn insert(sql: &mut dyn Sql, row: &AuditRow) -> Result<(), StoreError> {
    let text = "INSERT INTO audit (tenant, at_ms, who, action, what) VALUES ($1, $2, $3, $4, $5)";
    let values = [Value::Text(&row.tenant), Value::Int(row.at_ms), Value::Text(&row.who), Value::Text(&row.action), Value::Text(&row.what)];
    sql.run(text, &values).map(drop)
}

impl Store {
    /// Writes an entry of something that changes nothing in the store, such as an export.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn audit(&self, row: &AuditRow) -> Result<(), StoreError> {
        self.write(|sql| insert(sql, row))
    }

    /// A tenant's entries, or with an empty name all, the newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn audit_log(&self, tenant: &str, most: usize) -> Result<Vec<AuditRow>, StoreError> {
        let text = "SELECT tenant, at_ms, who, action, what FROM audit WHERE $1 = '' OR tenant = $1 ORDER BY number DESC LIMIT $2";
        self.read(|sql| {
            let mut found = Vec::new();
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            sql.query(text, &[Value::Text(tenant), Value::Int(most)], &mut |row| {
                found.push(AuditRow {
                    tenant: row.value(0).text().to_owned(),
                    at_ms: row.value(1).int(),
                    who: row.value(2).text().to_owned(),
                    action: row.value(3).text().to_owned(),
                    what: row.value(4).text().to_owned(),
                });
                Ok(true)
            })?;
            Ok(found)
        })
    }
}
