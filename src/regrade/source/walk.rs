//! What lies in folders.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::regrade::state;

/// A way through folders.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    /// Where this run writes, by full paths: that is not read.
    pub(super) output: &'a [PathBuf],
    /// The files, in the order of their names.
    pub(super) found: Vec<PathBuf>,
    /// Results of runs, this one's or others'.
    pub(super) passed: Vec<PathBuf>,
    /// Full paths of the folders that were walked: whatever links lead to one, it is read once.
    pub(super) seen: BTreeSet<PathBuf>,
}

impl Walk<'_> {
    /// Takes all files under a folder; hidden ones, and those that other tools leave beside the data, are not, nor are results of runs.
    pub(super) fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let here = folder.canonicalize()?;
        if !self.seen.insert(here.clone()) {
            return Ok(());
        }
        let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::path);
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            let aside = [b".", b"_"].iter().any(|first| name.as_encoded_bytes().starts_with(*first));
            if aside {
                continue;
            }
            let full = if entry.file_type()?.is_symlink() { path.canonicalize().unwrap_or_default() } else { here.join(name) };
            let is_dir = path.is_dir();
            // A link to a folder that it lies in.
            if is_dir && here.starts_with(&full) {
                continue;
            }
            if self.output.iter().any(|output| full.starts_with(output)) || is_dir && state::is_result(&path) {
                self.passed.push(path);
            } else if is_dir {
                self.folder(&path)?;
            } else {
                self.found.push(path);
            }
        }
        Ok(())
    }
}
