//! Where verdicts go: Parquet, JSON lines or CSV. Threads encode chunks on their own; whoever holds the file only appends them.

mod csv;
mod parquet;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;

use self::parquet::{Groups, ParquetEncoder};
use super::grading::{Before, Regraded};
use crate::wire::columns::Extent;
use crate::wire::{self, CallHead};

/// Formats of verdicts in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Apache Parquet, Zstandard, row groups of at most 10,000 calls
    Parquet,
    /// One verdict a line, in proto3 JSON
    Jsonl,
    /// Comma-separated values with a head, in UTF-8
    Csv,
}

impl Output {
    /// The ending of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// What rows are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// In which format.
    pub output: Output,
    /// How much of a verdict.
    pub extent: Extent,
    /// With what the call was before.
    pub compared: bool,
}

/// What of `before` stands in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Was<'a> {
    label: &'a str,
    rule_id: &'a str,
    script_version: &'a str,
}

impl<'a> Was<'a> {
    /// `None` where it is not known.
    fn of(before: &'a Before) -> Option<Self> {
        match before {
            Before::Unknown => None,
            Before::Stored(stored) => Some(Self { label: &stored.label, rule_id: &stored.rule_id, script_version: &stored.script_version }),
            Before::Graded(graded) => {
                let (script, verdict) = (&graded.script, &graded.verdict);
                Some(Self { label: script.label_id(verdict.label), rule_id: script.rule_id(verdict.rule), script_version: &script.version })
            }
        }
    }
}

/// The label that a call has now.
fn label_now(call: &Regraded) -> &str {
    call.after.script.label_id(call.after.verdict.label)
}

fn io_error(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// What makes encoders and files of one shape.
#[derive(Debug, Clone)]
pub struct Sink {
    shape: Shape,
    groups: Option<Arc<Groups>>,
}

/// Rows that were encoded.
#[derive(Debug)]
pub struct Chunk {
    rows: usize,
    encoded: Encoded,
}

#[derive(Debug)]
enum Encoded {
    Columns(parquet::Columns),
    Bytes(Vec<u8>),
}

impl Chunk {
    /// How many.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl Sink {
    /// Of a shape.
    ///
    /// # Errors
    /// Never, as long as the columns can be written to Parquet.
    pub fn new(shape: Shape) -> io::Result<Self> {
        let groups = if shape.output == Output::Parquet { Some(Arc::new(Groups::new(shape)?)) } else { None };
        Ok(Self { shape, groups })
    }

    /// How much of each verdict rows are made of.
    #[must_use]
    pub fn extent(&self) -> Extent {
        match self.shape.output {
            Output::Jsonl => Extent::Whole,
            Output::Parquet | Output::Csv => self.shape.extent,
        }
    }

    /// Something that rows are put into.
    #[must_use]
    pub fn encoder(&self) -> Encoder {
        match &self.groups {
            Some(groups) => Encoder::Parquet(Box::new(ParquetEncoder::new(Arc::clone(groups)))),
            None => Encoder::Text { shape: self.shape, bytes: Vec::new(), rows: 0 },
        }
    }

    /// Begins a file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(&self, path: &Path) -> io::Result<Part> {
        let file = File::create(path)?;
        match &self.groups {
            Some(groups) => Ok(Part::Parquet(groups.create(file)?)),
            None => {
                let mut out = BufWriter::new(file);
                if self.shape.output == Output::Csv {
                    out.write_all(&csv::head(self.shape.compared))?;
                }
                Ok(Part::Text(out))
            }
        }
    }

    /// Puts files together to one, in order.
    ///
    /// # Errors
    /// One cannot be read or written.
    pub fn join(&self, parts: &[std::path::PathBuf], to: &Path) -> io::Result<()> {
        match &self.groups {
            Some(groups) => groups.join(parts, to),
            None => {
                let mut out = BufWriter::new(File::create(to)?);
                let head = if self.shape.output == Output::Csv { csv::head(self.shape.compared) } else { Vec::new() };
                out.write_all(&head)?;
                for part in parts {
                    let mut part = File::open(part)?;
                    io::Seek::seek(&mut part, io::SeekFrom::Start(head.len() as u64))?;
                    io::copy(&mut part, &mut out)?;
                }
                out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
            }
        }
    }
}

/// Rows being encoded.
#[derive(Debug)]
pub enum Encoder {
    /// To columns.
    Parquet(Box<ParquetEncoder>),
    /// To lines.
    Text {
        /// Of this shape.
        shape: Shape,
        /// The lines.
        bytes: Vec<u8>,
        /// How many.
        rows: usize,
    },
}

impl Encoder {
    /// Adds a call.
    pub fn push(&mut self, call: &Regraded) {
        match self {
            Self::Parquet(encoder) => encoder.push(call),
            Self::Text { shape, bytes, rows } => {
                match shape.output {
                    Output::Csv => csv::row(call, shape.compared, bytes),
                    _ => json_row(call, shape.compared, bytes),
                }
                *rows += 1;
            }
        }
    }

    /// Rows since the last chunk.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Parquet(encoder) => encoder.rows(),
            Self::Text { rows, .. } => *rows,
        }
    }

    /// The rows so far, encoded; none are left.
    ///
    /// # Errors
    /// Never, as long as the columns can be written to Parquet.
    pub fn take(&mut self) -> io::Result<Chunk> {
        let rows = self.rows();
        let encoded = match self {
            Self::Parquet(encoder) => Encoded::Columns(encoder.take()?),
            Self::Text { bytes, rows, .. } => {
                *rows = 0;
                Encoded::Bytes(std::mem::take(bytes))
            }
        };
        Ok(Chunk { rows, encoded })
    }
}

/// A file being written.
pub enum Part {
    /// Of columns.
    Parquet(parquet::PartFile),
    /// Of lines.
    Text(BufWriter<File>),
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").finish_non_exhaustive()
    }
}

impl Part {
    /// Appends rows.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, chunk: Chunk) -> io::Result<()> {
        match (self, chunk.encoded) {
            (_, _) if chunk.rows == 0 => Ok(()),
            (Self::Parquet(part), Encoded::Columns(columns)) => part.append(columns),
            (Self::Text(out), Encoded::Bytes(bytes)) => out.write_all(&bytes),
            _ => Err(io_error("rows of another format")),
        }
    }

    /// Ends the file; what was written is on disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn close(self) -> io::Result<()> {
        match self {
            Self::Parquet(part) => part.close(),
            Self::Text(out) => out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all(),
        }
    }
}

/// A whole verdict in proto3 JSON, and, where it is compared, what the call was.
fn json_row(call: &Regraded, compared: bool, out: &mut Vec<u8>) {
    let head = CallHead { call_id: &call.call_id, revision: 1, notices: &call.notices };
    let verdict = wire::verdict(&call.after.script, head, &call.after.verdict);
    // Written to memory, and of types that serialise.
    let _ = serde_json::to_writer(&mut *out, &verdict);
    if compared {
        out.pop();
        let was = Was::of(&call.before);
        let before = was.map(|was| serde_json::json!({"label": was.label, "ruleId": was.rule_id, "scriptVersion": was.script_version}));
        let changed = was.map(|was| was.label != label_now(call));
        let _ = write!(out, ",\"before\":{},\"changed\":{}}}", serde_json::json!(before), serde_json::json!(changed));
    }
    out.push(b'\n');
}
