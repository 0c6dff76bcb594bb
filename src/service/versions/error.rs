//! What can be wrong with a script version.

use std::fmt;

use crate::script::{LoadError, ScriptError};
use crate::store::StoreError;

/// Why a script version was not published, activated or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionError {
    /// The bundle is wrong.
    Load(LoadError),
    /// There is no such script or version.
    Script(ScriptError),
    /// What was asked is wrong: the field, and why.
    Invalid(&'static str, String),
    /// There is nothing to go back to.
    NothingBefore(String),
    /// The store did not do it.
    Store(StoreError),
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => {
                f.write_str("the script cannot be used:")?;
                error.diagnostics.iter().try_for_each(|diagnostic| write!(f, "\n{diagnostic}"))
            }
            Self::Script(error) => error.fmt(f),
            Self::Invalid(_, reason) => f.write_str(reason),
            Self::NothingBefore(id) => write!(f, "script {id:?}: no version was activated that could be taken back"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for VersionError {}

impl From<StoreError> for VersionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ScriptError> for VersionError {
    fn from(error: ScriptError) -> Self {
        Self::Script(error)
    }
}
