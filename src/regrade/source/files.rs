//! Files and folders of them: lines plain or compressed, Parquet, and files that hold a call each.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::parquet::Table;
use super::walk::Walk;
use super::{Piece, Position, Source, SourceError, Work};
use crate::ingest::recorded::{Format, Given, Reading, detect, one_a_line};
use crate::regrade::state::is_result;

/// Bytes of a piece of lines.
const CHUNK: usize = 2 << 20;
/// As much of a file as is looked at to tell its format.
const PEEK: usize = 64 << 10;
/// Files of a piece, where a file holds a call.
const FILES: usize = 64;
/// Largest file that is read whole.
const MOST_WHOLE: u64 = 1 << 30;

/// The inputs of a run, in order.
#[derive(Debug)]
pub struct Files {
    inputs: Vec<Input>,
    reading: Reading,
    position: Position,
    open: Option<OpenLines>,
    weight: u64,
    passed: Vec<PathBuf>,
}

#[derive(Debug)]
struct Input {
    name: Arc<str>,
    path: PathBuf,
    bytes: u64,
    modified: u128,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Lines(Format, Packing),
    /// Read whole.
    Whole(Format),
    Table(Arc<Table>),
    /// Not read, and why.
    Broken(String),
}

/// Where a position stands behind an input that cannot be read any further.
const LOST: u64 = u64::MAX;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes (RFC 1952, RFC 8878).
    fn of(beginning: &[u8]) -> Self {
        match beginning {
            [0x1F, 0x8B, ..] => Self::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }

    fn unpack(self, source: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(match self {
            Self::Plain => Box::new(BufReader::with_capacity(PEEK, source)),
            Self::Gzip => Box::new(BufReader::with_capacity(PEEK, flate2::read::MultiGzDecoder::new(BufReader::new(source)))),
            Self::Zstd => Box::new(BufReader::with_capacity(PEEK, zstd::stream::read::Decoder::new(source)?)),
        })
    }
}

/// A file of lines being read.
struct OpenLines {
    source: Box<dyn BufRead + Send>,
    /// Bytes of the file that were read so far, packed as they are.
    read: Arc<AtomicU64>,
    told: u64,
}

impl std::fmt::Debug for OpenLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenLines").finish_non_exhaustive()
    }
}

struct Counted(File, Arc<AtomicU64>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Files {
    /// Looks at what was named, files and folders with all that is in them, and tells what each is. Reading begins at a position. What
    /// of folders lies in `output`, full paths of what the run writes, and what is the result of another run, is passed over; a file of
    /// a folder that is none of calls is rejected when its turn comes.
    ///
    /// # Errors
    /// Something that was named cannot be read, or is a table without calls.
    pub fn open(paths: &[PathBuf], reading: Reading, from: Position, output: &[PathBuf]) -> Result<Self, SourceError> {
        let mut inputs = Vec::new();
        let mut passed = Vec::new();
        for path in paths {
            if path == Path::new("-") {
                return Err(SourceError::NoFile(path.clone()));
            }
            let failed = |error| SourceError::Path(path.clone(), error);
            if !path.metadata().map_err(failed)?.is_dir() {
                inputs.push(Input::of(path.clone(), &reading)?);
                continue;
            }
            if is_result(path) {
                return Err(SourceError::Result(path.clone()));
            }
            let mut walk = Walk { output, found: Vec::new(), passed: Vec::new(), seen: BTreeSet::new() };
            walk.folder(path).map_err(failed)?;
            passed.append(&mut walk.passed);
            if walk.found.is_empty() {
                return Err(SourceError::Empty(path.clone()));
            }
            let readable = |path: PathBuf| Input::of(path.clone(), &reading).unwrap_or_else(|error| Input::broken(path, &error));
            inputs.extend(walk.found.into_iter().map(readable));
        }
        let weight = inputs.iter().map(|input| input.bytes).sum();
        Ok(Self { inputs, reading, position: from, open: None, weight, passed })
    }

    /// The pieces of the input that the position is in; `None` where that is read to its end.
    fn piece(&mut self) -> Option<Piece> {
        let input = self.inputs.get(self.position.input)?;
        if self.position.at == LOST {
            return None;
        }
        match &input.kind {
            Kind::Lines(format, packing) => {
                let (format, packing) = (*format, *packing);
                self.lines(format, packing)
            }
            Kind::Table(table) => {
                let (name, table) = (Arc::clone(&input.name), Arc::clone(table));
                let group = table.group(usize::try_from(self.position.at).ok()?)?;
                if let Err(error) = File::open(&input.path) {
                    return Some(self.lost(error.to_string()));
                }
                self.position.at += 1;
                Some(Piece { name, weight: group.weight(), work: Work::Rows(group), after: self.position.clone() })
            }
            Kind::Whole(_) => self.whole(),
            Kind::Broken(reason) => {
                let reason = reason.clone();
                Some(self.lost(reason))
            }
        }
    }

    /// Of the input that the position is in the rest cannot be read, which costs nothing else.
    fn lost(&mut self, reason: String) -> Piece {
        self.position.at = LOST;
        let name = self.inputs.get(self.position.input).map_or_else(|| "".into(), |input| Arc::clone(&input.name));
        Piece { name, work: Work::Broken(reason), weight: 0, after: self.position.clone() }
    }

    /// Files that are read whole, as many as stand together.
    fn whole(&mut self) -> Option<Piece> {
        if self.position.at > 0 {
            return None;
        }
        let mut files = Vec::new();
        let mut weight = 0;
        for input in self.inputs.iter().skip(self.position.input).take(FILES) {
            let Kind::Whole(format) = input.kind else { break };
            files.push((Arc::clone(&input.name), input.path.clone(), format));
            weight += input.bytes;
        }
        let name = files.first().map(|(name, _, _)| Arc::clone(name))?;
        self.position = Position { input: self.position.input + files.len() - 1, at: 1, ..Position::default() };
        Some(Piece { name, work: Work::Whole(files), weight, after: self.position.clone() })
    }

    /// As many whole lines as make a piece.
    fn lines(&mut self, format: Format, packing: Packing) -> Option<Piece> {
        let input = self.inputs.get(self.position.input)?;
        let name = Arc::clone(&input.name);
        let open = match &mut self.open {
            Some(open) => open,
            None => match open_lines(&input.path, packing, self.position.at) {
                Ok(open) => self.open.insert(open),
                Err(error) => return Some(self.lost(error.to_string())),
            },
        };
        let mut bytes = Vec::with_capacity(CHUNK + (CHUNK >> 3));
        let outcome = fill(&mut open.source, &mut bytes, self.reading.limits.line_bytes);
        let read = open.read.load(Ordering::Relaxed);
        let weight = read - open.told;
        open.told = read;
        if bytes.is_empty() {
            let Err(error) = outcome else { return None };
            return Some(self.lost(error.to_string()));
        }
        let before = self.position.lines;
        self.position.at += bytes.len() as u64 + *outcome.as_ref().unwrap_or(&0);
        self.position.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Some(Piece { name, work: Work::Lines { format, bytes, before }, weight, after: self.position.clone() })
    }
}

impl Source for Files {
    fn next(&mut self) -> Option<Piece> {
        while self.position.input < self.inputs.len() {
            if let Some(piece) = self.piece() {
                return Some(piece);
            }
            self.open = None;
            self.position = Position { input: self.position.input + 1, ..Position::default() };
        }
        None
    }

    fn weight(&self) -> u64 {
        self.weight
    }

    fn passed(&self) -> &[PathBuf] {
        &self.passed
    }

    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for input in &self.inputs {
            hash.update(input.path.as_os_str().as_encoded_bytes());
            hash.update([0]);
            hash.update(input.bytes.to_le_bytes());
            hash.update(input.modified.to_le_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Input {
    fn of(path: PathBuf, reading: &Reading) -> Result<Self, SourceError> {
        let failed = |error| SourceError::Path(path.clone(), error);
        let meta = path.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Err(SourceError::NoFile(path));
        }
        let mut file = File::open(&path).map_err(failed)?;
        let modified =
            meta.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
        let mut magic = Vec::new();
        file.by_ref().take(4).read_to_end(&mut magic).map_err(failed)?;
        let kind = if magic == *b"PAR1" {
            Kind::Table(Arc::new(Table::open(&path)?))
        } else {
            let packing = Packing::of(&magic);
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
            let mut source = packing.unpack(file).map_err(failed)?;
            // A file that cannot be unpacked says so when it is read.
            let beginning = source.fill_buf().unwrap_or_default();
            let format = match reading.format {
                Format::Auto => detect(beginning),
                format => format,
            };
            match format {
                Format::Aliyun => Kind::Whole(format),
                Format::Vcon | Format::Freeswitch if !one_a_line(beginning) => Kind::Whole(format),
                Format::Arrow => {
                    return Err(SourceError::Parquet(
                        path,
                        "an Arrow stream; give Parquet, or use callgrade classify --format arrow".to_owned(),
                    ));
                }
                format => Kind::Lines(format, packing),
            }
        };
        Ok(Self { name: path.display().to_string().into(), path, bytes: meta.len(), modified, kind })
    }

    /// One that is not read.
    fn broken(path: PathBuf, error: &SourceError) -> Self {
        Self { name: path.display().to_string().into(), path, bytes: 0, modified: 0, kind: Kind::Broken(error.reason()) }
    }
}

fn open_lines(path: &Path, packing: Packing, at: u64) -> io::Result<OpenLines> {
    let mut file = File::open(path)?;
    let read = Arc::new(AtomicU64::new(0));
    let skip = match packing {
        Packing::Plain => {
            file.seek(SeekFrom::Start(at))?;
            0
        }
        _ => at,
    };
    let mut source = packing.unpack(Counted(file, Arc::clone(&read)))?;
    io::copy(&mut source.by_ref().take(skip), &mut io::sink())?;
    Ok(OpenLines { source, read, told: 0 })
}

/// Reads about [`CHUNK`] bytes and on to the end of a line. Of a line that is longer than it may be, no more is kept than shows it: how
/// many bytes were passed over.
fn fill(source: &mut dyn BufRead, bytes: &mut Vec<u8>, line_bytes: usize) -> io::Result<u64> {
    source.take(CHUNK as u64).read_to_end(bytes)?;
    if bytes.len() < CHUNK || bytes.last() == Some(&b'\n') {
        return Ok(0);
    }
    let goes_on = source.take(line_bytes as u64 + 1).read_until(b'\n', bytes)? as u64 > line_bytes as u64;
    if !goes_on || bytes.last() == Some(&b'\n') {
        return Ok(0);
    }
    let skipped = source.skip_until(b'\n')? as u64;
    bytes.push(b'\n');
    Ok(skipped.saturating_sub(1))
}

pub(super) fn too_long(number: usize, length: usize, reading: &Reading) -> Given {
    Given::fault(number, format!("a line of over {} bytes ({length})", reading.limits.line_bytes))
}

pub(super) fn whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let seen = file.read(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    Packing::of(magic.get(..seen).unwrap_or_default()).unpack(file)?.take(MOST_WHOLE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_WHOLE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 1 GiB in a format that is read whole; use JSON lines"));
    }
    Ok(bytes)
}
