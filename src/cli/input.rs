//! Recorded calls from files and standard input, whatever their format, one at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;

use super::FileLimitOptions;
use crate::ingest::Limits;
use crate::ingest::arrow::ArrowCalls;
use crate::ingest::guard::decoded;
use crate::ingest::lines::{Line, lines};
use crate::ingest::recorded::one_a_line;
pub(super) use crate::ingest::recorded::{Format, Given, Item, Reading};
use crate::ingest::vcon::VconOptions;

/// What subcommands that read recorded calls are told of their input.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ReadOptions {
    #[command(flatten)]
    limits: FileLimitOptions,
    /// Format of the input
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    /// vCon: which party is the robot, by index, name, telephone or mail
    #[arg(long, value_name = "PARTY")]
    robot_party: Option<String>,
    /// Mask telephone, ID-card and bank-card numbers before anything is graded or shown
    #[arg(long)]
    mask: bool,
}

impl ReadOptions {
    /// How to read; `keep_original` where the vCon itself is wanted back.
    pub(super) fn reading(&self, keep_original: bool) -> Reading {
        Reading {
            format: self.format,
            limits: self.limits.limits(),
            vcon: VconOptions { robot_party: self.robot_party.clone(), ..VconOptions::default() },
            keep_original,
            mask: self.mask,
        }
    }
}

/// Largest file of a format that is read whole.
const MOST_WHOLE: u64 = 1 << 30;
/// As much of a file as is looked at to tell its format.
const PEEK: usize = 64 << 10;

/// Opens a path; `-` is standard input.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory; name the files in it"));
    }
    Ok(Box::new(File::open(path)?))
}

/// Bytes of all files together, if they are files.
pub(super) fn total_bytes(paths: &[PathBuf]) -> Option<u64> {
    paths.iter().map(|path| path.metadata().ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len())).sum()
}

/// Reads all of a source, handing out what it gives as it comes; `give` answers whether to go on. `progress` hears of bytes.
pub(super) fn read(
    source: impl Read,
    reading: &Reading,
    mut progress: impl FnMut(u64),
    mut give: impl FnMut(Given) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut source = BufReader::with_capacity(PEEK, source);
    let format = match reading.format {
        Format::Auto => crate::ingest::recorded::detect(source.fill_buf()?),
        format => format,
    };
    match format {
        Format::Jsonl | Format::Auto => {
            call_lines(&mut source, &reading.limits, progress, give, |line, bytes| reading.line(format, line, bytes))
        }
        Format::Vcon | Format::Freeswitch => {
            objects(&mut source, &reading.limits, progress, give, |line, bytes| reading.line(format, line, bytes))
        }
        Format::Arrow => arrow_stream(source, reading, progress, give),
        Format::Aliyun => {
            let bytes = whole(&mut source)?;
            progress(bytes.len() as u64);
            for given in reading.whole(format, &bytes) {
                if !give(given)? {
                    return Ok(());
                }
            }
            Ok(())
        }
    }
}

/// Hands out the calls of an Arrow IPC stream. What is wrong with the stream itself ends it.
fn arrow_stream(
    mut source: BufReader<impl Read>,
    reading: &Reading,
    progress: impl FnMut(u64),
    mut give: impl FnMut(Given) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    if source.fill_buf()?.starts_with(b"ARROW1") {
        return Err(unreadable("an Arrow file; --format arrow reads streams"));
    }
    let mut batches = Batches { source, progress, decoder: StreamDecoder::new(), left: Buffer::from(&[][..]) };
    let mut calls: Option<ArrowCalls> = None;
    let mut going_on = Ok(true);
    let mut take = |row: u64, call| {
        if matches!(going_on, Ok(true)) {
            going_on = give(reading.given(row as usize, call));
        }
        matches!(going_on, Ok(true))
    };
    loop {
        let rows = calls.as_ref().map_or(0, ArrowCalls::rows);
        let batch = batches.next(rows)?;
        let calls = match &mut calls {
            Some(calls) => calls,
            None => {
                let schema = batches.decoder.schema().ok_or_else(|| unreadable("no Arrow stream: it has no schema"))?;
                calls.insert(ArrowCalls::new(&schema, reading.limits).map_err(unreadable)?)
            }
        };
        let mut on = true;
        match &batch {
            Some(batch) => calls.read(batch, &mut |row, call| on = take(row, call)).map_err(unreadable)?,
            None => calls.finish(&mut |row, call| on = take(row, call)),
        }
        if batch.is_none() || !on {
            return going_on.map(drop);
        }
    }
}

/// What is wrong with a source as a whole: others are read all the same.
fn unreadable(reason: impl std::fmt::Display) -> anyhow::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string()).into()
}

/// The batches of an Arrow IPC stream. Room is made as bytes come, whatever lengths the stream claims.
struct Batches<R, F> {
    source: BufReader<R>,
    /// Hears of bytes.
    progress: F,
    decoder: StreamDecoder,
    /// Bytes that were read and not decoded.
    left: Buffer,
}

impl<R: Read, F: FnMut(u64)> Batches<R, F> {
    /// The next batch, behind so many rows; `None` behind the last.
    fn next(&mut self, rows: u64) -> anyhow::Result<Option<RecordBatch>> {
        let damaged = |reason: String| unreadable(format_args!("the Arrow stream cannot be read on after {rows} rows: {reason}"));
        loop {
            if self.left.is_empty() {
                let bytes = self.source.fill_buf()?;
                if bytes.is_empty() {
                    return decoded(|| self.decoder.finish()).map(|()| None).map_err(damaged);
                }
                self.left = Buffer::from(bytes);
                let read = bytes.len();
                self.source.consume(read);
                (self.progress)(read as u64);
            }
            if let Some(batch) = decoded(|| self.decoder.decode(&mut self.left)).map_err(damaged)? {
                return Ok(Some(batch));
            }
        }
    }
}

/// Hands out what `read` makes of a format's objects: of each line, or of the whole where its first line is no object.
fn objects(
    source: &mut BufReader<impl Read>,
    limits: &Limits,
    mut progress: impl FnMut(u64),
    mut give: impl FnMut(Given) -> anyhow::Result<bool>,
    read: impl Fn(usize, &[u8]) -> Given,
) -> anyhow::Result<()> {
    if !one_a_line(source.fill_buf()?) {
        let bytes = whole(source)?;
        progress(bytes.len() as u64);
        give(read(0, &bytes))?;
        return Ok(());
    }
    call_lines(source, limits, progress, give, read)
}

/// Hands out what `read` makes of each line that is not blank.
fn call_lines(
    source: &mut impl BufRead,
    limits: &Limits,
    mut progress: impl FnMut(u64),
    mut give: impl FnMut(Given) -> anyhow::Result<bool>,
    read: impl Fn(usize, &[u8]) -> Given,
) -> anyhow::Result<()> {
    lines(source, limits.line_bytes, |line, bytes| {
        progress(bytes.len() as u64 + 1);
        match bytes {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => Ok(true),
            Line::Whole(bytes) => give(read(line, bytes)),
            Line::TooLong(length) => give(Given::fault(line, format!("a line of over {} bytes ({length})", limits.line_bytes))),
        }
    })
}

fn whole(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MOST_WHOLE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_WHOLE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 1 GiB in a format that is read whole; use JSON lines"));
    }
    Ok(bytes)
}
