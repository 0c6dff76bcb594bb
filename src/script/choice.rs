//! Which script grades a call.

use std::sync::Arc;

use super::{Library, ScriptError};
use crate::core::script::Script;

/// Which script grades a call: `--script ID` for calls that name none, `ID@VERSION` for the calls of that script.
#[derive(Debug, Clone, Default)]
pub struct ScriptChoice {
    library: Library,
    fallback: Option<String>,
}

impl ScriptChoice {
    /// Chooses from a library; `fallback` is `ID` or `ID@VERSION`.
    ///
    /// # Errors
    /// The library has no such script or version.
    pub fn new(library: Library, fallback: Option<String>) -> Result<Self, ScriptError> {
        if let Some(name) = &fallback {
            library.get(name)?;
        }
        Ok(Self { library, fallback })
    }

    /// What was chosen for calls that name no script: `ID` or `ID@VERSION`.
    #[must_use]
    pub fn fallback(&self) -> Option<&str> {
        self.fallback.as_deref()
    }

    /// The scripts there are.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The script for a call that names `id`.
    ///
    /// # Errors
    /// It names one that is not there, or none and there is no fallback.
    pub fn of(&self, id: &str) -> Result<Arc<Script>, ScriptError> {
        match &self.fallback {
            Some(fallback) if id.is_empty() || fallback.split('@').next() == Some(id) => self.library.get(fallback),
            _ => self.library.get(id),
        }
    }
}
