//! Talk scripts as data: bundles of files, read, checked and compiled into [`core::script::Script`](crate::core::script::Script).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, LazyLock};

pub mod bundle;
pub mod case;
mod cel;
mod choice;
mod compile;
pub mod diagnostic;
pub mod draft;
pub mod lint;
pub mod list;
mod spec;
pub mod train;

pub use bundle::{Bundle, BundleError};
pub use choice::ScriptChoice;
pub use compile::compile;
pub use diagnostic::{Diagnostic, LoadError, Severity};

use crate::core::script::Script;

/// Scripts ready to grade, by id; of each the active version and any other that was asked for.
#[derive(Debug, Clone, Default)]
pub struct Library {
    active: BTreeMap<String, Arc<Script>>,
}

/// A script that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptError {
    /// No script of this id: the id, and those there are.
    Unknown(String, Vec<String>),
    /// The script has no such version: id, version asked for, version there is.
    Version(String, String, String),
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(id, known) if id.is_empty() => write!(f, "the call names no script; there are {}", known.join(", ")),
            Self::Unknown(id, known) => write!(f, "unknown script {id:?}; there are {}", known.join(", ")),
            Self::Version(id, asked, there) => write!(f, "script {id:?} has no version {asked:?}; there is {there}"),
        }
    }
}

impl std::error::Error for ScriptError {}

/// Why a folder of scripts cannot be used.
#[derive(Debug)]
pub enum LibraryError {
    /// A bundle cannot be read.
    Bundle(BundleError),
    /// A bundle is wrong.
    Load(LoadError),
}

impl std::fmt::Display for LibraryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bundle(error) => error.fmt(f),
            Self::Load(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LibraryError {}

impl Library {
    /// The scripts that ship in the binary.
    ///
    /// # Errors
    /// What is wrong with them; the tests see to it that nothing is.
    pub fn bundled() -> Result<Self, LoadError> {
        static BUNDLED: LazyLock<Result<Library, LoadError>> = LazyLock::new(|| Library::compile(&Bundle::bundled()));
        BUNDLED.clone()
    }

    /// The scripts of a folder.
    ///
    /// # Errors
    /// A folder that cannot be read, or a bundle that is wrong.
    pub fn read(folder: &Path) -> Result<Self, LibraryError> {
        Self::compile(&Bundle::read_all(folder).map_err(LibraryError::Bundle)?).map_err(LibraryError::Load)
    }

    /// Compiles bundles.
    ///
    /// # Errors
    /// What is wrong with any of them.
    pub fn compile(bundles: &[Bundle]) -> Result<Self, LoadError> {
        let mut library = Self::default();
        let mut diagnostics = Vec::new();
        for bundle in bundles {
            match compile(bundle) {
                Ok(script) => {
                    library.active.insert(script.id.to_string(), script);
                }
                Err(error) => diagnostics.extend(error.diagnostics),
            }
        }
        if diagnostics.is_empty() { Ok(library) } else { Err(LoadError { diagnostics }) }
    }

    /// A script by id, or by `id@version`; a version may be cut short to its first six characters.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<Arc<Script>, ScriptError> {
        let (id, version) = name.split_once('@').map_or((name, ""), |(id, version)| (id, version));
        let Some(script) = self.active.get(id) else {
            return Err(ScriptError::Unknown(id.to_owned(), self.active.keys().cloned().collect()));
        };
        if version.is_empty() || version == &*script.version || version.len() >= 6 && script.version.starts_with(version) {
            return Ok(Arc::clone(script));
        }
        Err(ScriptError::Version(id.to_owned(), version.to_owned(), script.version.to_string()))
    }

    /// With a script in place of the one of its id, if there is one.
    #[must_use]
    pub fn with(mut self, script: Arc<Script>) -> Self {
        self.active.insert(script.id.to_string(), script);
        self
    }

    /// All scripts, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Script>> {
        self.active.values()
    }
}

/// A script that ships in the binary.
#[must_use]
pub fn bundled(id: &str) -> Option<Arc<Script>> {
    Library::bundled().ok()?.get(id).ok()
}

/// What the YAML reader says, and the bytes it says it of.
fn yaml_error(error: &serde_saphyr::Error, text: &str) -> (String, Range<usize>) {
    let span = error.location().map(|location| location_bytes(&location)).unwrap_or_default();
    let start = span.start.min(text.len());
    let message = error.without_snippet().to_string();
    // The reader appends the place, which the diagnostic shows anyway.
    let message = message.lines().next().unwrap_or_default();
    let message = message.rfind(" at line ").and_then(|at| message.get(..at)).unwrap_or(message);
    (message.to_owned(), start..span.end.clamp(start, text.len()))
}

fn location_bytes(location: &serde_saphyr::Location) -> Range<usize> {
    let span = location.span();
    let start = span.byte_offset().unwrap_or_default() as usize;
    start..start + span.byte_len().unwrap_or_default() as usize
}
