//! Group commit: what events led to is gathered while the group before is being written, and becomes durable together.
//!
//! Rows are appended under the lock of their call's shard, so they are in the journal in the order in which the calls took them
//! in, and a group that is durable means that all before it are. What a client is told of an event waits for its group.
//!
//! A group that cannot be written takes its calls out of memory, and with them whatever was appended behind it: the next event of
//! such a call finds it as the store has it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::live::LiveCalls;
use super::{Readiness, Refusal};
use crate::store::calls::Group;
use crate::store::{Store, StoreError};

/// Rows of a group that is written without waiting for more.
const ENOUGH: usize = 1_000;
/// How often a store that took nothing is tried while there is nothing to write: load balancers send nothing until it is known to take
/// events again.
const TRY: Duration = Duration::from_secs(1);

/// What the journal does next.
enum Work {
    /// It writes a group, which becomes durable with this generation.
    Write(Arc<Generation>),
    /// It tries whether the store can be written again.
    Try,
}

/// Rows that become durable together.
#[derive(Debug, Default)]
pub struct Generation {
    outcome: OnceLock<Result<(), StoreError>>,
    settled: Notify,
}

impl Generation {
    /// Resolves when it is durable.
    ///
    /// # Errors
    /// It could not be written, and nothing of it has happened.
    pub async fn durable(&self) -> Result<(), StoreError> {
        loop {
            let settled = self.settled.notified();
            if let Some(outcome) = self.outcome.get() {
                return outcome.clone();
            }
            settled.await;
        }
    }

    /// Whether it is settled, one way or the other.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.outcome.get().is_some()
    }

    fn settle(&self, outcome: Result<(), StoreError>) {
        let _ = self.outcome.set(outcome);
        self.settled.notify_waiters();
    }
}

/// What is told of each commit: its rows, how long it took, and how it ended.
pub type OnCommit = Box<dyn Fn(&Group, Duration, &Result<(), StoreError>) + Send + Sync>;

#[derive(Default)]
struct Open {
    group: Group,
    generation: Arc<Generation>,
    /// The one being written.
    writing: Option<Arc<Generation>>,
    first_at: Option<Instant>,
    stopping: bool,
}

struct Shared {
    open: Mutex<Open>,
    wake: Condvar,
    store: Store,
    live: Arc<LiveCalls>,
    readiness: Arc<Readiness>,
    linger: Duration,
    on_commit: OnCommit,
    /// Groups written so far, and how many microseconds the last took.
    commits: AtomicU64,
    last_us: AtomicU64,
}

/// How busy the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Rows that wait to be written.
    pub waiting: usize,
    /// Groups written so far.
    pub commits: u64,
    /// How long the last took.
    pub last: Duration,
}

/// Sees that a server whose journal has ended by a panic does not go on taking what nobody writes.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.0.readiness.fail("its journal has ended by a fault of the program");
        // Whoever waits is told, and whoever comes yet: the generation stays, and is settled.
        let ended = StoreError::Unavailable("the journal has ended".to_owned());
        let open = self.0.lock();
        open.writing.iter().chain([&open.generation]).for_each(|generation| generation.settle(Err(ended.clone())));
    }
}

/// The journal of a server. Dropping it writes what is left and ends its thread.
pub struct Journal {
    shared: Arc<Shared>,
    next_call: AtomicI64,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("store", &self.shared.store).finish_non_exhaustive()
    }
}

impl Journal {
    /// Starts writing to a store; a group is open for at least `linger` unless it fills up. Should its thread end before it is told to,
    /// the server fails.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn start(
        store: Store,
        live: Arc<LiveCalls>,
        readiness: Arc<Readiness>,
        linger: Duration,
        on_commit: OnCommit,
    ) -> Result<Self, StoreError> {
        let next_call = AtomicI64::new(store.next_call()?);
        let shared = Arc::new(Shared {
            open: Mutex::default(),
            wake: Condvar::new(),
            store,
            live,
            readiness,
            linger,
            on_commit,
            commits: AtomicU64::new(0),
            last_us: AtomicU64::new(0),
        });
        let writing = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writing.run())
            .map_err(|error| StoreError::Unavailable(format!("no thread for the journal: {error}")))?;
        Ok(Self { shared, next_call, thread: Mutex::new(Some(thread)) })
    }

    /// The store it writes to.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// A number for a call that begins.
    #[must_use]
    pub fn call_number(&self) -> i64 {
        self.next_call.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes rows over, which leaves `rows` empty; the generation that they become durable with.
    #[must_use]
    pub fn append(&self, rows: &mut Group) -> Arc<Generation> {
        let mut open = self.shared.lock();
        let before = open.group.len();
        open.group.append(rows);
        let after = open.group.len();
        if before == 0 {
            open.first_at = Some(Instant::now());
        }
        let generation = Arc::clone(&open.generation);
        drop(open);
        if before == 0 || before < ENOUGH && after >= ENOUGH {
            self.shared.wake.notify_one();
        }
        generation
    }

    /// The youngest generation with anything in it that is not durable yet.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Generation>> {
        let open = self.shared.lock();
        if open.group.is_empty() { open.writing.clone() } else { Some(Arc::clone(&open.generation)) }
    }

    /// Rows that wait to be written.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.shared.lock().group.len()
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let last = Duration::from_micros(self.shared.last_us.load(Ordering::Relaxed));
        Load { waiting: self.depth(), commits: self.shared.commits.load(Ordering::Relaxed), last }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes group after group.
    fn run(&self) {
        let _running = Running(self);
        let mut rows = Group::default();
        let mut faltering = false;
        while let Some(work) = self.next(&mut rows, faltering) {
            let generation = match work {
                Work::Write(generation) => generation,
                Work::Try => {
                    faltering = self.note(&self.store.try_writing());
                    continue;
                }
            };
            let begun = Instant::now();
            let outcome = self.store.commit(&mut rows);
            let took = begun.elapsed();
            self.last_us.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
            self.commits.fetch_add(1, Ordering::Relaxed);
            (self.on_commit)(&rows, took, &outcome);
            faltering = self.note(&outcome);
            match outcome {
                Ok(()) => {
                    self.lock().writing = None;
                    generation.settle(Ok(()));
                }
                Err(error) => self.fail(&generation, &rows, &error),
            }
            rows.clear();
        }
    }

    /// Tells how writing went; whether it failed.
    fn note(&self, outcome: &Result<(), StoreError>) -> bool {
        match outcome {
            Ok(()) => self.readiness.recover(),
            Err(error) => self.readiness.falter(error),
        }
        outcome.is_err()
    }

    /// The next group, as soon as it is due, or a try where the store was `faltering`; `None` when all is written and there will be no
    /// more.
    fn next(&self, rows: &mut Group, faltering: bool) -> Option<Work> {
        let try_at = faltering.then(|| Instant::now() + TRY);
        let mut open = self.lock();
        loop {
            let waits = match open.first_at.filter(|_| !open.group.is_empty()) {
                None if open.stopping => return None,
                None => match try_at.map(|at| at.saturating_duration_since(Instant::now())) {
                    Some(Duration::ZERO) => return Some(Work::Try),
                    left => left,
                },
                Some(_) if open.stopping || open.group.len() >= ENOUGH => break,
                Some(first) => match self.linger.checked_sub(first.elapsed()) {
                    None | Some(Duration::ZERO) => break,
                    some => some,
                },
            };
            open = match waits {
                None => self.wake.wait(open).unwrap_or_else(PoisonError::into_inner),
                Some(left) => self.wake.wait_timeout(open, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        std::mem::swap(&mut open.group, rows);
        let generation = std::mem::take(&mut open.generation);
        open.writing = Some(Arc::clone(&generation));
        Some(Work::Write(generation))
    }

    /// A group could not be written. Nobody takes events in while its calls, and those of what was appended behind it, leave
    /// memory, so nothing of them can follow.
    fn fail(&self, generation: &Generation, rows: &Group, error: &StoreError) {
        let closed = self.live.close_gate();
        let mut open = self.lock();
        let behind = std::mem::take(&mut open.group);
        let behind_generation = std::mem::take(&mut open.generation);
        open.writing = None;
        drop(open);
        let mut unwritten = rows.events_by_call();
        for (call, events) in behind.events_by_call() {
            unwritten.entry(call).or_default().extend(events);
        }
        self.live.evict(&unwritten, &Refusal::Store(error.clone()));
        drop(closed);
        generation.settle(Err(error.clone()));
        behind_generation.settle(Err(error.clone()));
    }
}
