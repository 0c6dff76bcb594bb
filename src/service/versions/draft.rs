//! Drafts: versions that are kept so that what they say can be said again, and that grade no call that begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kept::row;
use super::{Actor, Scripts, VersionError, check_note};
use crate::core::script::Script;
use crate::script::draft::unread;
use crate::script::{Bundle, compile};
use crate::store::scripts::BundleRow;

impl Scripts {
    /// Keeps a version with some of its files changed, once that compiles: text by path in the bundle, an empty one removes the file.
    /// What is a version already stays one.
    ///
    /// # Errors
    /// It does not compile, with every finding; it brings a file that nothing reads; or it cannot be kept.
    pub fn keep_draft(
        &self,
        actor: Actor<'_>,
        base: &Script,
        changes: BTreeMap<String, String>,
        note: &str,
    ) -> Result<Arc<Script>, VersionError> {
        check_note(note)?;
        let mut files = base.files.clone();
        for (path, text) in changes {
            if !text.is_empty() {
                files.insert(path, text);
            } else if files.remove(&path).is_none() {
                let reason =
                    format!("draft[{path:?}] is empty, which removes the file, and version {} has none of that path", base.version);
                return Err(VersionError::Invalid("draft", reason));
            }
        }
        let bundle = Bundle::from_files(&base.id, files);
        if let Some(reason) = unread(&base.files, &bundle) {
            return Err(VersionError::Invalid("draft", reason));
        }
        let script = compile(&bundle).map_err(VersionError::Load)?;
        match self.version(actor.tenant, &script.id, &script.version) {
            Err(VersionError::Script(_)) => {}
            known => return known,
        }
        let kept = row(actor.tenant, &script.id, &script.version, &script.files, (actor.who, note, actor.at_ms));
        let entry = actor.entry("draft", format!("{}@{}", script.id, script.version));
        self.store.put_bundle(&BundleRow { draft: true, ..kept }, Some(&entry))?;
        self.remember((actor.tenant.to_owned(), script.id.to_string(), script.version.to_string()), &script);
        Ok(script)
    }
}
