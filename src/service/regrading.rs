//! Kept calls graded anew, as jobs: asked for, queued, run one at a time behind live calls, read while they run and after.
//!
//! `run` is the thread that grades; `page` what it does with a few calls; `behind` how it keeps out of the way. What a job has
//! found is in the store with how far it has come, so that a server that is killed goes on exactly where it stood.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Service;
use super::quota::OverLimit;
use super::versions::{Actor, Scripts, VersionError};
use crate::store::regrades::{RegradeRow, RegradeState};
use crate::store::{Store, StoreError};
use crate::wire::v1;

mod behind;
mod page;
mod read;
mod request;
mod run;

pub use read::RegradeExport;

/// Why something about a job was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegradingError {
    /// There is no such job.
    NoRegrade(String),
    /// What was asked is wrong: the field, and why.
    Invalid(&'static str, String),
    /// The script version cannot be had, or a draft is wrong.
    Version(VersionError),
    /// The request id stands for another request.
    OtherRequest(String),
    /// The tenant has too many jobs in the queue.
    Over(OverLimit),
    /// The store did not do it.
    Store(StoreError),
}

impl fmt::Display for RegradingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRegrade(id) => write!(f, "there is no re-grading {id:?}"),
            Self::Invalid(_, reason) => f.write_str(reason),
            Self::Version(error) => error.fmt(f),
            Self::OtherRequest(id) => write!(f, "request_id {id:?} was given before, with another request"),
            Self::Over(over) => over.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RegradingError {}

impl From<StoreError> for RegradingError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<VersionError> for RegradingError {
    fn from(error: VersionError) -> Self {
        match error {
            VersionError::Store(error) => Self::Store(error),
            error => Self::Version(error),
        }
    }
}

/// What holds for jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegradingOptions {
    /// Most jobs of a tenant in the queue; `None`: any number.
    pub queued: Option<usize>,
    /// Most calls that are graded in a second; `None`: as many as live calls leave time for.
    pub rate: Option<NonZeroU32>,
    /// Jobs are deleted with their results this many days after they ended; `None`: never.
    pub retention_days: Option<u32>,
}

impl Default for RegradingOptions {
    fn default() -> Self {
        Self { queued: Some(10), rate: None, retention_days: Some(30) }
    }
}

/// How fast the job that runs is.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The job's number.
    regrade: i64,
    /// Since when it runs in this process.
    since: Instant,
    /// Calls it has graded since.
    calls: u64,
}

/// What the thread and those who ask share.
#[derive(Debug)]
struct Shared {
    service: Arc<Service>,
    store: Store,
    scripts: Arc<Scripts>,
    options: RegradingOptions,
    /// Something may have changed that the thread waits for.
    woken: Mutex<bool>,
    wake: Condvar,
    stopping: AtomicBool,
    pace: Mutex<Option<Pace>>,
    /// Whoever counts the jobs for the metrics.
    counting: Mutex<()>,
    /// Counts what happens to any job.
    news: watch::Sender<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Something happened to a job: whoever watches one looks again.
    fn tell(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Something happened that the metrics tell of, and the thread may have to act upon.
    fn changed(&self) {
        // Together, or an older count could be the last that is told.
        let counting = lock(&self.counting);
        match self.store.regrade_states() {
            Ok(states) => states.into_iter().for_each(|(state, jobs)| self.service.metrics.regrades(state.as_str(), jobs)),
            Err(error) => tracing::debug!("re-gradings cannot be counted: {error}"),
        }
        drop(counting);
        *lock(&self.woken) = true;
        self.wake.notify_all();
        self.tell();
    }

    /// Waits until something changes, but no longer than this.
    fn rest(&self, most: Duration) {
        let waiting = |woken: &mut bool| !*woken && !self.stopping.load(Ordering::Relaxed);
        let (mut woken, _) = self.wake.wait_timeout_while(lock(&self.woken), most, waiting).unwrap_or_else(PoisonError::into_inner);
        *woken = false;
    }

    /// Calls a second of a job, while it runs here.
    fn rate(&self, regrade: i64) -> f64 {
        let pace = lock(&self.pace).filter(|pace| pace.regrade == regrade);
        pace.map_or(0.0, |pace| pace.calls as f64 / pace.since.elapsed().as_secs_f64().max(1.0))
    }
}

/// The jobs of a server. Dropping it stops the one that runs, at the end of its page.
#[derive(Debug)]
pub struct Regrading {
    shared: Arc<Shared>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Regrading {
    /// Starts to run the jobs that are in the store; `None` where nothing is kept.
    #[must_use]
    pub fn start(service: &Arc<Service>, options: RegradingOptions) -> Option<Self> {
        let (journal, scripts) = (service.journal.as_ref()?, service.versions.as_ref()?);
        let shared = Arc::new(Shared {
            service: Arc::clone(service),
            store: journal.store().clone(),
            scripts: Arc::clone(scripts),
            options,
            woken: Mutex::default(),
            wake: Condvar::new(),
            stopping: AtomicBool::new(false),
            pace: Mutex::default(),
            counting: Mutex::default(),
            news: watch::Sender::new(0),
        });
        // Without it jobs stay in the queue, and calls are graded all the same.
        let thread = run::start(Arc::clone(&shared)).inspect_err(|error| tracing::error!("{error}")).ok();
        Some(Self { shared, thread: Mutex::new(thread) })
    }

    /// Whose calls are graded, and by which settings.
    #[must_use]
    pub fn service(&self) -> &Arc<Service> {
        &self.shared.service
    }

    /// Tells the job that runs to stop at the end of its page. It goes on when a server starts on the store again.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        // Under the lock, so that nobody has looked and not yet waits.
        let _woken = lock(&self.shared.woken);
        self.shared.wake.notify_all();
    }

    /// Waits until the thread has ended; [`stop`](Self::stop) first.
    pub fn join(&self) {
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    /// Hears of whatever happens to jobs.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.shared.news.subscribe()
    }

    fn find(&self, tenant: &str, id: &str) -> Result<RegradeRow, RegradingError> {
        if id.is_empty() {
            return Err(RegradingError::Invalid("regrade_id", "regrade_id is empty".to_owned()));
        }
        // No such id is ever kept, and not every database can be asked for it.
        let found = if id.contains('\0') { None } else { self.shared.store.regrade(tenant, id)? };
        found.ok_or_else(|| RegradingError::NoRegrade(id.to_owned()))
    }

    /// Ends a job if it has not ended; as it stands then.
    ///
    /// # Errors
    /// There is none, or the store cannot be written.
    pub fn cancel(&self, actor: Actor<'_>, id: &str) -> Result<v1::Regrade, RegradingError> {
        let row = self.find(actor.tenant, id)?;
        let entry = actor.entry("cancel", format!("re-grading {id}"));
        if self.shared.store.end_regrade(row.number, RegradeState::Cancelled, "", actor.at_ms, Some(&entry))? {
            self.shared.changed();
        }
        self.get(actor.tenant, id)
    }

    /// Removes a job with all that it has found.
    ///
    /// # Errors
    /// There is none, or the store cannot be written.
    pub fn delete(&self, actor: Actor<'_>, id: &str) -> Result<(), RegradingError> {
        let row = self.find(actor.tenant, id)?;
        self.shared.store.remove_regrade(row.number, &actor.entry("delete", format!("re-grading {id}")))?;
        self.shared.changed();
        Ok(())
    }

    /// Asks for a job.
    ///
    /// # Errors
    /// The request is wrong, the tenant has too many jobs in the queue, or the store cannot be written.
    pub fn ask(&self, actor: Actor<'_>, request: v1::StartRegradeRequest) -> Result<v1::Regrade, RegradingError> {
        let row = request::ask(&self.shared, actor, request)?;
        self.shared.changed();
        self.told(&row)
    }
}

impl Drop for Regrading {
    fn drop(&mut self) {
        self.stop();
        self.join();
    }
}

/// A draft's files, by path in the bundle.
type Files = BTreeMap<String, String>;
