//! A script's files, before anything is made of them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::train::{MODEL, is_examples};

/// The scripts that ship in the binary.
static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scripts");

/// Characters of a content hash that make a version.
const VERSION_LENGTH: usize = 16;
/// Largest file of a bundle.
const MOST_BYTES: u64 = 16 << 20;

/// The files of one script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The folder's name, which the script's id must equal.
    pub name: String,
    /// Path in the bundle → text.
    pub files: BTreeMap<String, String>,
}

/// A bundle that cannot be read.
#[derive(Debug)]
pub enum BundleError {
    /// The folder or a file of it cannot be read.
    Read(PathBuf, std::io::Error),
    /// A file is not UTF-8: the byte at which it stops being so.
    NotUtf8(PathBuf, usize),
    /// A file is larger than a list ever is.
    TooLarge(PathBuf, u64),
    /// The folder holds no script.
    Empty(PathBuf),
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NotUtf8(path, at) => write!(f, "{}: not UTF-8 text (at byte {at}); save the file as UTF-8", path.display()),
            Self::TooLarge(path, bytes) => {
                write!(f, "{}: {bytes} bytes, more than the {MOST_BYTES} a bundle's file may have", path.display())
            }
            Self::Empty(path) => write!(f, "{}: no script here; a script is a folder with a script.yaml", path.display()),
        }
    }
}

impl std::error::Error for BundleError {}

impl Bundle {
    /// The scripts that ship in the binary.
    #[must_use]
    pub fn bundled() -> Vec<Self> {
        BUNDLED
            .dirs()
            .map(|dir| {
                let mut files = BTreeMap::new();
                collect(dir, dir.path(), &mut files);
                Self { name: dir.path().to_string_lossy().into_owned(), files }
            })
            .filter(|bundle| bundle.files.contains_key("script.yaml"))
            .collect()
    }

    /// Reads a folder of scripts, or the folder of one.
    ///
    /// # Errors
    /// A folder or file that cannot be read, or holds no script.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>, BundleError> {
        if folder.join("script.yaml").is_file() {
            return Ok(vec![Self::read(folder)?]);
        }
        let entries = std::fs::read_dir(folder).map_err(|error| BundleError::Read(folder.to_owned(), error))?;
        let mut folders: Vec<PathBuf> =
            entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.join("script.yaml").is_file()).collect();
        folders.sort();
        if folders.is_empty() {
            return Err(BundleError::Empty(folder.to_owned()));
        }
        folders.iter().map(|folder| Self::read(folder)).collect()
    }

    /// Reads one script's folder.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, BundleError> {
        let mut files = BTreeMap::new();
        read_into(folder, folder, &mut files)?;
        let full = folder.canonicalize().map_err(|error| BundleError::Read(folder.to_owned(), error))?;
        let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, files })
    }

    /// A script's files as they came over the network.
    #[must_use]
    pub fn from_files(name: &str, files: BTreeMap<String, String>) -> Self {
        let files = files.into_iter().map(|(path, text)| (path, normal(&text))).collect();
        Self { name: name.to_owned(), files }
    }

    /// The content hash that names this version: of every file that can change a verdict, so cases and notes do not count.
    #[must_use]
    pub fn version(&self) -> String {
        self.hash_of(decides)
    }

    /// The content hash of the files of some paths, short enough to read.
    pub(super) fn hash_of(&self, counts: impl Fn(&str) -> bool) -> String {
        let mut hash = Sha256::new();
        for (path, text) in self.files.iter().filter(|(path, _)| counts(path)) {
            for part in [path.as_str(), text.as_str()] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        short(&hash.finalize())
    }
}

/// The first [`VERSION_LENGTH`] hexadecimal digits of a hash.
pub(super) fn short(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(VERSION_LENGTH).collect()
}

/// Whether a file of this path can change a verdict.
fn decides(path: &str) -> bool {
    path == "script.yaml" || path == MODEL || path.starts_with("keywords/") || is_examples(path)
}

fn collect(dir: &Dir<'_>, root: &Path, files: &mut BTreeMap<String, String>) {
    for file in dir.files() {
        if let (Ok(path), Some(text)) = (file.path().strip_prefix(root), file.contents_utf8()) {
            files.insert(path.to_string_lossy().replace('\\', "/"), normal(text));
        }
    }
    dir.dirs().for_each(|dir| collect(dir, root, files));
}

fn read_into(folder: &Path, root: &Path, files: &mut BTreeMap<String, String>) -> Result<(), BundleError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| BundleError::Read(path, error)
    };
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            read_into(&path, root, files)?;
            continue;
        }
        let is_text = path.extension().is_some_and(|extension| extension == "txt" || extension == "yaml" || extension == "md");
        if !is_text {
            continue;
        }
        let bytes = path.metadata().map_err(failed(&path))?.len();
        if bytes > MOST_BYTES {
            return Err(BundleError::TooLarge(path, bytes));
        }
        let bytes = std::fs::read(&path).map_err(failed(&path))?;
        let text = String::from_utf8(bytes).map_err(|error| BundleError::NotUtf8(path.clone(), error.utf8_error().valid_up_to()))?;
        if let Ok(inner) = path.strip_prefix(root) {
            files.insert(inner.to_string_lossy().replace('\\', "/"), normal(&text));
        }
    }
    Ok(())
}

/// Editors on other systems add a byte-order mark and carriage returns: neither makes another version.
fn normal(text: &str) -> String {
    text.strip_prefix('\u{FEFF}').unwrap_or(text).replace("\r\n", "\n")
}
