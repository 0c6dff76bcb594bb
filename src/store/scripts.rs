//! Script versions, and which of them is active.

use super::audit::{self, AuditRow};
use super::sql::{Row, Value};
use super::{Store, StoreError};

/// A version made active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationRow {
    /// Whose.
    pub tenant: String,
    /// The script.
    pub script_id: String,
    /// Its content hash; empty: the server's files again.
    pub version: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who did it.
    pub made_by: String,
}

/// A version of a script as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRow {
    /// Whose it is; empty: everyone's, it came with the server's files.
    pub tenant: String,
    /// The script.
    pub script_id: String,
    /// Its content hash.
    pub version: String,
    /// When it was stored, in milliseconds since 1970.
    pub stored_ms: i64,
    /// Who published it; empty: it came with the server's files.
    pub stored_by: String,
    /// What was changed.
    pub note: String,
    /// Kept for a re-grading, not published.
    pub draft: bool,
    /// The files, as `GetScriptResponse` has them.
    pub files: Vec<u8>,
}

const BUNDLE: &str = "SELECT tenant, script_id, version, stored_ms, stored_by, note, draft, files FROM bundles";

fn bundle(row: &dyn Row) -> BundleRow {
    BundleRow {
        tenant: row.value(0).text().to_owned(),
        script_id: row.value(1).text().to_owned(),
        version: row.value(2).text().to_owned(),
        stored_ms: row.value(3).int(),
        stored_by: row.value(4).text().to_owned(),
        note: row.value(5).text().to_owned(),
        draft: row.value(6).int() != 0,
        files: row.value(7).bytes().to_vec(),
    }
}

impl Store {
    /// Keeps a version, with the audit log's entry of it; one that is there already stays as it is, but that a draft is published.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_bundle(&self, row: &BundleRow, entry: Option<&AuditRow>) -> Result<(), StoreError> {
        let text = "INSERT INTO bundles (tenant, script_id, version, stored_ms, stored_by, note, draft, files) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, script_id, version) DO UPDATE \
                    SET stored_ms = excluded.stored_ms, stored_by = excluded.stored_by, note = excluded.note, draft = 0 \
                    WHERE bundles.draft = 1 AND excluded.draft = 0";
        let values = [
            Value::Text(&row.tenant),
            Value::Text(&row.script_id),
            Value::Text(&row.version),
            Value::Int(row.stored_ms),
            Value::Text(&row.stored_by),
            Value::Text(&row.note),
            Value::Int(row.draft.into()),
            Value::Bytes(&row.files),
        ];
        self.write(|sql| {
            sql.run(text, &values)?;
            entry.into_iter().try_for_each(|entry| audit::insert(sql, entry))
        })
    }

    /// The versions that a tenant may use, everyone's among them, newest first; of one script, or of all.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn bundles(&self, tenant: &str, script_id: &str) -> Result<Vec<BundleRow>, StoreError> {
        let text = format!(
            "{BUNDLE} WHERE (tenant = $1 OR tenant = '') AND ($2 = '' OR script_id = $2) ORDER BY stored_ms DESC, script_id, version"
        );
        self.read(|sql| {
            let mut found = Vec::new();
            sql.query(&text, &[Value::Text(tenant), Value::Text(script_id)], &mut |row| {
                found.push(bundle(row));
                Ok(true)
            })?;
            Ok(found)
        })
    }

    /// The versions of a script that a tenant may use whose hash begins so; the tenant's own first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn bundle(&self, tenant: &str, script_id: &str, version: &str) -> Result<Vec<BundleRow>, StoreError> {
        let text =
            format!("{BUNDLE} WHERE (tenant = $1 OR tenant = '') AND script_id = $2 AND version LIKE $3 ORDER BY tenant DESC, version");
        // Hexadecimal digits: nothing in them means anything to LIKE.
        if !version.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let pattern = format!("{}%", version.to_ascii_lowercase());
        self.read(|sql| {
            let mut found = Vec::new();
            sql.query(&text, &[Value::Text(tenant), Value::Text(script_id), Value::Text(&pattern)], &mut |row| {
                found.push(bundle(row));
                Ok(true)
            })?;
            Ok(found)
        })
    }

    /// Makes a version a tenant's active one, with the audit log's entry of it. A draft is none any more.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn activate(&self, row: &ActivationRow, entry: &AuditRow) -> Result<(), StoreError> {
        let text = "INSERT INTO activations (tenant, script_id, version, at_ms, made_by) VALUES ($1, $2, $3, $4, $5)";
        let values = [
            Value::Text(&row.tenant),
            Value::Text(&row.script_id),
            Value::Text(&row.version),
            Value::Int(row.at_ms),
            Value::Text(&row.made_by),
        ];
        let published = "UPDATE bundles SET draft = 0 WHERE tenant = $1 AND script_id = $2 AND version = $3 AND draft = 1";
        self.write(|sql| {
            sql.run(text, &values)?;
            sql.run(published, &[Value::Text(&row.tenant), Value::Text(&row.script_id), Value::Text(&row.version)])?;
            audit::insert(sql, entry)
        })
    }

    /// What was made active, of all tenants, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn activations(&self) -> Result<Vec<ActivationRow>, StoreError> {
        self.read(|sql| {
            let mut found = Vec::new();
            sql.query("SELECT tenant, script_id, version, at_ms, made_by FROM activations ORDER BY turn", &[], &mut |row| {
                found.push(ActivationRow {
                    tenant: row.value(0).text().to_owned(),
                    script_id: row.value(1).text().to_owned(),
                    version: row.value(2).text().to_owned(),
                    at_ms: row.value(3).int(),
                    made_by: row.value(4).text().to_owned(),
                });
                Ok(true)
            })?;
            Ok(found)
        })
    }

    /// How often anything was made active: tells cheaply whether something was since.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn activation_count(&self) -> Result<i64, StoreError> {
        self.read(|sql| {
            let mut count = 0;
            sql.query("SELECT COUNT(*) FROM activations", &[], &mut |row| {
                count = row.value(0).int();
                Ok(false)
            })?;
            Ok(count)
        })
    }
}
