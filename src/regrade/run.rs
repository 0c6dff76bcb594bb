//! A run over recorded calls: threads read, grade and encode pieces of the input; one puts what they give into files, in the order of
//! the input.
//!
//! Only so many pieces are under way at one time, so memory does not grow with the input. Files of verdicts are closed now and then, and
//! with each the state of the run is written: whatever stops it, it goes on from there, and what was written behind it is dropped.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::diff::Diff;
use super::grading::Grading;
use super::sink::{Chunk, Encoder, Part, Sink};
use super::source::{Piece, Position, Source};
use super::state::State;
use crate::ingest::Rejection;
use crate::ingest::guard::guarded;
use crate::ingest::recorded::{Given, Reading};

/// Calls of a chunk, which of Parquet is a row group.
const CHUNK: usize = 10_000;
/// Calls after which a file of verdicts is closed.
const PART: u64 = 1_000_000;

/// Where a run puts what it writes.
#[derive(Debug, Clone)]
pub struct Places {
    /// Folder of the files of verdicts.
    pub parts: PathBuf,
    /// The calls that changed, one a line.
    pub changes: PathBuf,
    /// What was rejected, one a line.
    pub rejects: PathBuf,
    /// What was done.
    pub state: PathBuf,
}

/// What a run is to do.
#[derive(Debug)]
pub struct Plan {
    /// How calls are graded.
    pub grading: Grading,
    /// How they are read.
    pub reading: Reading,
    /// What verdicts are written to.
    pub sink: Sink,
    /// The ending of their files.
    pub extension: &'static str,
    /// Threads that grade.
    pub threads: usize,
    /// Where things go.
    pub places: Places,
    /// Time after which what was done is put on disk.
    pub checkpoint: Duration,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Calls graded.
    pub graded: u64,
    /// Rows, lines and events rejected.
    pub rejected: u64,
    /// Calls whose label changed.
    pub changed: u64,
    /// Of the source's weight.
    pub weight: u64,
}

/// What threads give: the result of a piece, or of part of it.
struct Graded {
    piece: u64,
    chunk: Option<Chunk>,
    graded: u64,
    rejected: u64,
    changed: u64,
    diff: Option<Diff>,
    changes: Vec<u8>,
    rejects: Vec<u8>,
    /// Of the last result of a piece: what it weighs, and where the input goes on.
    last: Option<(u64, Position)>,
}

/// A line of the file of rejects.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reject<'a> {
    input: &'a str,
    /// From 1; absent where the format has none.
    #[serde(skip_serializing_if = "is_zero")]
    line: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    call_id: &'a str,
    /// Which of its events; absent: the call as a whole.
    #[serde(skip_serializing_if = "no_event")]
    event: u32,
    reason: &'a str,
}

fn is_zero(line: &usize) -> bool {
    *line == 0
}

fn no_event(seq: &u32) -> bool {
    *seq == 0
}

/// The pieces under way.
struct Queue<'a> {
    source: &'a mut dyn Source,
    /// The number of the next piece,
    next: u64,
    /// and of the first that is not written.
    written: u64,
    over: bool,
}

struct Shared<'a> {
    queue: Mutex<Queue<'a>>,
    room: Condvar,
    ahead: u64,
    stop: &'a AtomicBool,
}

impl<'a> Shared<'a> {
    fn lock(&self) -> MutexGuard<'_, Queue<'a>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece with its number, as soon as there is room for one more.
    fn take(&self) -> Option<(u64, Piece)> {
        let mut queue = self.lock();
        while !queue.over && queue.next >= queue.written + self.ahead {
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.over || self.stop.load(Ordering::Relaxed) {
            return None;
        }
        match queue.source.next() {
            Some(piece) => {
                queue.next += 1;
                Some((queue.next - 1, piece))
            }
            None => {
                queue.over = true;
                None
            }
        }
    }

    fn written(&self, pieces: u64) {
        self.lock().written = pieces;
        self.room.notify_all();
    }

    /// No more pieces are handed out, and nobody waits for room.
    fn end(&self) {
        self.lock().over = true;
        self.room.notify_all();
    }
}

/// Runs until the source is at its end, or `stop` is set: then what was begun is finished. The state it leaves says which.
///
/// # Errors
/// A file cannot be written.
pub fn run(plan: &Plan, source: &mut dyn Source, state: State, stop: &AtomicBool, mut told: impl FnMut(&Progress)) -> io::Result<State> {
    let ahead = plan.threads as u64 + 2;
    let shared = Shared { queue: Mutex::new(Queue { source, next: 0, written: 0, over: false }), room: Condvar::new(), ahead, stop };
    let (results, received) = sync_channel(plan.threads * 2);
    std::thread::scope(|scope| {
        for _ in 0..plan.threads {
            let (results, shared) = (results.clone(), &shared);
            scope.spawn(move || {
                while let Some((number, piece)) = shared.take() {
                    if grade(plan, number, piece, &results).is_err() {
                        break;
                    }
                }
            });
        }
        drop(results);
        let outcome = collect(plan, &shared, state, received, &mut told);
        shared.end();
        let mut state = outcome?;
        state.done = !stop.load(Ordering::Relaxed) || shared.lock().source.next().is_none();
        state.write(&plan.places.state)?;
        Ok(state)
    })
}

/// Nobody takes results any more.
struct Gone;

/// Grades the calls of a piece.
fn grade(plan: &Plan, number: u64, piece: Piece, results: &SyncSender<Graded>) -> Result<(), Gone> {
    let (weight, after) = (piece.weight, piece.after.clone());
    let extent = plan.sink.extent();
    let mut encoder = plan.sink.encoder();
    let mut result = empty(number);
    let mut gone = false;
    piece.read(&plan.reading, &mut |name, given| {
        match given {
            Given::Call(item) => {
                let line = item.line;
                for rejection in &item.record.rejections {
                    reject(&mut result, name, line, rejection);
                }
                let call_id = item.record.call_id.clone();
                // Whatever is wrong with us, it is one call that we fail.
                let graded = guarded(|| plan.grading.grade_to(extent, item.record)).unwrap_or_else(|panic| {
                    Err(Rejection { call_id, seq: 0, reason: format!("callgrade failed on this call, please report it: {panic}") })
                });
                match graded {
                    Ok(call) => {
                        result.graded += 1;
                        if let Some(change) = result.diff.get_or_insert_with(Diff::new).add(&call) {
                            result.changed += 1;
                            // Written to memory, and of types that serialise.
                            let _ = serde_json::to_writer(&mut result.changes, &change);
                            result.changes.push(b'\n');
                        }
                        encoder.push(&call);
                    }
                    Err(rejection) => reject(&mut result, name, line, &rejection),
                }
            }
            Given::Fault(fault) => reject(&mut result, name, fault.line, &fault.rejection),
        }
        if encoder.rows() >= CHUNK && !gone {
            let full = std::mem::replace(&mut result, empty(number));
            gone = send(full, &mut encoder, results).is_err();
        }
    });
    if gone {
        return Err(Gone);
    }
    result.last = Some((weight, after));
    send(result, &mut encoder, results)
}

fn empty(piece: u64) -> Graded {
    Graded { piece, chunk: None, graded: 0, rejected: 0, changed: 0, diff: None, changes: Vec::new(), rejects: Vec::new(), last: None }
}

fn send(mut result: Graded, encoder: &mut Encoder, results: &SyncSender<Graded>) -> Result<(), Gone> {
    match encoder.take() {
        Ok(chunk) => result.chunk = Some(chunk),
        // What cannot be encoded never gets here: rows and columns are of one schema.
        Err(error) => reject(&mut result, "", 0, &Rejection { call_id: String::new(), seq: 0, reason: error.to_string() }),
    }
    results.send(result).map_err(|_| Gone)
}

fn reject(result: &mut Graded, input: &str, line: usize, rejection: &Rejection) {
    result.rejected += 1;
    let told = Reject { input, line, call_id: &rejection.call_id, event: rejection.seq, reason: &rejection.reason };
    let _ = serde_json::to_writer(&mut result.rejects, &told);
    result.rejects.push(b'\n');
}

/// The files of a run.
struct Files<'a> {
    plan: &'a Plan,
    state: State,
    diff: Diff,
    changes: BufWriter<File>,
    rejects: BufWriter<File>,
    part: Option<(PathBuf, Part)>,
    in_part: u64,
    since: Instant,
}

/// Opens a file to go on behind what is known of it.
fn reopen(path: &Path, bytes: u64) -> io::Result<BufWriter<File>> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(BufWriter::new(file))
}

fn collect(
    plan: &Plan,
    shared: &Shared<'_>,
    state: State,
    received: Receiver<Graded>,
    told: &mut dyn FnMut(&Progress),
) -> io::Result<State> {
    let mut files = Files {
        plan,
        diff: Diff::from_message(&state.diff),
        changes: reopen(&plan.places.changes, state.changes_bytes)?,
        rejects: reopen(&plan.places.rejects, state.rejects_bytes)?,
        part: None,
        in_part: 0,
        since: Instant::now(),
        state,
    };
    let mut progress = Progress {
        graded: files.state.graded,
        rejected: files.state.rejected,
        changed: files.state.diff.changed,
        weight: files.state.weight,
    };
    told(&progress);
    let mut waiting: BTreeMap<u64, Vec<Graded>> = BTreeMap::new();
    let mut current = 0;
    for result in received {
        waiting.entry(result.piece).or_default().push(result);
        while let Some(results) = waiting.get_mut(&current) {
            let results = std::mem::take(results);
            if results.is_empty() {
                break;
            }
            for result in results {
                progress.graded += result.graded;
                progress.rejected += result.rejected;
                progress.changed += result.changed;
                let last = result.last.clone();
                files.write(result)?;
                if let Some((weight, after)) = last {
                    waiting.remove(&current);
                    current += 1;
                    progress.weight += weight;
                    files.state.position = after;
                    files.state.weight = progress.weight;
                    shared.written(current);
                    if files.in_part >= PART || files.since.elapsed() >= plan.checkpoint {
                        files.checkpoint()?;
                    }
                }
            }
            told(&progress);
        }
    }
    files.checkpoint()?;
    Ok(files.state)
}

impl Files<'_> {
    fn write(&mut self, result: Graded) -> io::Result<()> {
        self.state.graded += result.graded;
        self.state.rejected += result.rejected;
        self.changes.write_all(&result.changes)?;
        self.rejects.write_all(&result.rejects)?;
        self.state.changes_bytes += result.changes.len() as u64;
        self.state.rejects_bytes += result.rejects.len() as u64;
        if let Some(diff) = result.diff {
            self.diff.merge(diff);
        }
        let Some(chunk) = result.chunk.filter(|chunk| chunk.rows() > 0) else { return Ok(()) };
        self.in_part += chunk.rows() as u64;
        let part = match &mut self.part {
            Some((_, part)) => part,
            None => {
                let Places { parts, .. } = &self.plan.places;
                let path = parts.join(format!("part-{:05}.{}", self.state.parts.len() + 1, self.plan.extension));
                let part = self.plan.sink.create(&unfinished(&path))?;
                &mut self.part.insert((path, part)).1
            }
        };
        part.append(chunk)
    }

    /// Puts on disk what there is, and then says so.
    fn checkpoint(&mut self) -> io::Result<()> {
        if let Some((path, part)) = self.part.take() {
            part.close()?;
            std::fs::rename(unfinished(&path), &path)?;
            self.state.parts.push(path);
        }
        for file in [&mut self.changes, &mut self.rejects] {
            file.flush()?;
            file.get_ref().sync_all()?;
        }
        self.in_part = 0;
        self.since = Instant::now();
        self.state.diff = self.diff.message();
        self.state.write(&self.plan.places.state)
    }
}

/// Under this name a file is written; hidden, so that nobody takes it for a part.
fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.unfinished"))
}
