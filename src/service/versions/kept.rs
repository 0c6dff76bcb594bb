//! A script version as the store has it, to and fro.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;

use super::{Scripts, VersionError};
use crate::core::script::Script;
use crate::script::{Bundle, compile};
use crate::store::StoreError;
use crate::store::scripts::BundleRow;
use crate::wire::v1;

/// A version as it is kept; by whom, with which note, when.
pub(super) fn row(tenant: &str, id: &str, version: &str, files: &BTreeMap<String, String>, by: (&str, &str, i64)) -> BundleRow {
    let (who, note, at_ms) = by;
    BundleRow {
        tenant: tenant.to_owned(),
        script_id: id.to_owned(),
        version: version.to_owned(),
        stored_ms: at_ms,
        stored_by: who.to_owned(),
        note: note.to_owned(),
        draft: false,
        files: v1::GetScriptResponse { summary: None, files: files.clone() }.encode_to_vec(),
    }
}

/// Compiles a version that was kept.
pub(super) fn load(row: &BundleRow) -> Result<Arc<Script>, VersionError> {
    let damaged = |reason: String| StoreError::Damaged(format!("script {}@{}: {reason}", row.script_id, row.version));
    let kept = v1::GetScriptResponse::decode(row.files.as_slice()).map_err(|error| damaged(error.to_string()))?;
    let script = compile(&Bundle::from_files(&row.script_id, kept.files)).map_err(|error| {
        let findings: Vec<String> = error.diagnostics.iter().map(ToString::to_string).collect();
        damaged(format!("this program cannot use it: {}", findings.join("; ")))
    })?;
    if *script.version != *row.version {
        return Err(damaged(format!("its files are those of version {}", script.version)).into());
    }
    Ok(script)
}

impl Scripts {
    /// The newest version of each script that a tenant may use, drafts left out, and those that this program cannot use.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn newest(&self, tenant: &str) -> Result<Vec<Arc<Script>>, StoreError> {
        let mut newest: BTreeMap<String, String> = BTreeMap::new();
        for row in self.store.bundles(tenant, "")?.into_iter().filter(|row| !row.draft) {
            newest.entry(row.script_id).or_insert(row.version);
        }
        Ok(newest.into_iter().filter_map(|(id, version)| self.version(tenant, &id, &version).ok()).collect())
    }
}
