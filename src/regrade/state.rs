//! What a run has done, so that one that was stopped goes on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::source::Position;
use crate::wire::v1;

/// What a run has done as of a moment when all its files were on disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What tells this run from others: its input, scripts and options.
    pub fingerprint: String,
    /// The input up to here is graded.
    pub position: Position,
    /// Of the source's weight.
    pub weight: u64,
    /// Calls graded.
    pub graded: u64,
    /// Rows, lines and events rejected.
    pub rejected: u64,
    /// Files of verdicts that are whole.
    pub parts: Vec<PathBuf>,
    /// Bytes of the file of changed calls.
    pub changes_bytes: u64,
    /// Bytes of the file of rejects.
    pub rejects_bytes: u64,
    /// What changed so far.
    pub diff: v1::RegradeDiff,
    /// The run is over.
    pub done: bool,
}

impl State {
    /// Reads what a run left; `None`: nothing.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes it in place of what was there, all or nothing.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        match path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// Whether a folder holds what a run has left.
#[must_use]
pub fn is_result(folder: &Path) -> bool {
    /// What is in the state of every run.
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "that they are there is all")]
    struct Told {
        fingerprint: String,
        position: Position,
        parts: Vec<PathBuf>,
    }
    fs::read(folder.join("state.json")).is_ok_and(|bytes| serde_json::from_slice::<Told>(&bytes).is_ok())
}
