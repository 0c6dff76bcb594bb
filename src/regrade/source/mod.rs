//! Where recorded calls come from, cut into pieces that threads read and grade on their own.
//!
//! A source hands out pieces in the order of its input, each with the position behind it: a run that knows which pieces are done goes on
//! from there. What is costly, decoding and parsing, happens in the piece, off the source's lock.

mod files;
pub mod kept;
mod parquet;
mod walk;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::files::Files;
use self::kept::KeptCalls;
use self::parquet::Group;
use crate::ingest::lines::{Line, lines};
use crate::ingest::recorded::{Format, Given, Reading};

/// How far an input has been read: everything before is in pieces that were handed out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which input.
    pub input: usize,
    /// Where in it: bytes once decompressed, row groups, or files.
    pub at: u64,
    /// Lines before.
    pub lines: u64,
    /// Of calls in a store, the last one's beginning and number.
    #[serde(default)]
    pub kept: Option<(i64, i64)>,
}

/// Why a source gives no more.
#[derive(Debug)]
pub enum SourceError {
    /// A path cannot be read.
    Path(PathBuf, std::io::Error),
    /// A Parquet file is none, or holds no calls.
    Parquet(PathBuf, String),
    /// There is nothing in what was named.
    Empty(PathBuf),
    /// Neither a file nor a folder.
    NoFile(PathBuf),
    /// The result of a run, which holds no calls.
    Result(PathBuf),
}

impl SourceError {
    /// What is wrong with the path.
    fn reason(&self) -> String {
        match self {
            Self::Path(_, error) => error.to_string(),
            Self::Parquet(_, reason) => reason.clone(),
            Self::Empty(_) => "a folder without files of calls".to_owned(),
            Self::NoFile(_) => {
                "neither a file nor a folder; a run reads files, not standard input or pipes, for it may be stopped and go on: save the calls first"
                    .to_owned()
            }
            Self::Result(_) => "the result of a re-grading, not calls".to_owned(),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Path(path, _) | Self::Parquet(path, _) | Self::Empty(path) | Self::NoFile(path) | Self::Result(path)) = self;
        write!(f, "{}: {}", path.display(), self.reason())
    }
}

impl std::error::Error for SourceError {}

/// A part of the input.
#[derive(Debug)]
pub struct Piece {
    /// The input's name, for what is said of a row of it.
    pub name: Arc<str>,
    work: Work,
    /// Its share of [`Source::weight`].
    pub weight: u64,
    /// Where the input goes on.
    pub after: Position,
}

#[derive(Debug)]
enum Work {
    /// Whole lines, and how many there are before them.
    Lines { format: Format, bytes: Vec<u8>, before: u64 },
    /// Files that hold a call each, or are read whole.
    Whole(Vec<(Arc<str>, PathBuf, Format)>),
    /// A row group.
    Rows(Group),
    /// Calls of a store.
    Kept(Box<KeptCalls>),
    /// An input that ended before its time.
    Broken(String),
}

/// What hands out pieces.
pub trait Source: Send {
    /// The next piece; `None`: there are no more.
    fn next(&mut self) -> Option<Piece>;

    /// All there is to do, in a measure of the source's own.
    fn weight(&self) -> u64;

    /// What lay among the input and is not read: results of runs.
    fn passed(&self) -> &[PathBuf] {
        &[]
    }

    /// What tells this input from any other, so that a run is not resumed with another.
    fn fingerprint(&self) -> String;
}

impl Piece {
    /// Reads its calls; each is given with the name of the input it is from.
    pub fn read(self, reading: &Reading, give: &mut dyn FnMut(&str, Given)) {
        match self.work {
            Work::Lines { format, bytes, before } => {
                let outcome: Result<(), std::io::Error> = lines(&mut bytes.as_slice(), reading.limits.line_bytes, |number, line| {
                    let number = usize::try_from(before).unwrap_or(usize::MAX).saturating_add(number);
                    match line {
                        Line::Whole(bytes) if bytes.trim_ascii().is_empty() => {}
                        Line::Whole(bytes) => give(&self.name, reading.line(format, number, bytes)),
                        Line::TooLong(length) => give(&self.name, files::too_long(number, length, reading)),
                    }
                    Ok(true)
                });
                if let Err(error) = outcome {
                    give(&self.name, Given::fault(0, error.to_string()));
                }
            }
            Work::Whole(files) => {
                for (name, path, format) in files {
                    match files::whole(&path) {
                        Ok(bytes) => reading.whole(format, &bytes).into_iter().for_each(|given| give(&name, given)),
                        Err(error) => give(&name, Given::fault(0, error.to_string())),
                    }
                }
            }
            Work::Rows(group) => group.read(reading, &mut |given| give(&self.name, given)),
            Work::Kept(calls) => calls.read(reading, &mut |given| give(&self.name, given)),
            Work::Broken(reason) => give(&self.name, Given::fault(0, reason)),
        }
    }
}
