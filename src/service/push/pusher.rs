//! The handle of the task that empties the outbox: how it is started, told of new rows, and stopped.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::RootCertStore;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing::error;

use super::post::Post;
use super::rounds::Rounds;
use super::schedule::Schedule;
use super::settings::PushSettings;
use crate::store::Store;
use crate::store::pushes::PushState;

/// The tenant whose settings are those of every tenant without its own.
pub(super) const EVERY: &str = "*";

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It will be tried again.
    Failed,
    /// It has become a dead letter.
    GivenUp,
}

impl Outcome {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
        }
    }
}

/// Who is told how pushing goes, such as metrics. Asked from the task that pushes: answer at once.
pub trait Watch: Send + Sync + fmt::Debug {
    /// A try ended, after so long.
    fn tried(&self, tenant: &str, outcome: Outcome, took: Duration);
    /// So many of a tenant's pushes are in this state.
    fn counted(&self, tenant: &str, state: PushState, count: u64);
}

impl Watch for () {
    fn tried(&self, _: &str, _: Outcome, _: Duration) {}
    fn counted(&self, _: &str, _: PushState, _: u64) {}
}

/// How pushes are sent.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// When those that failed are sent again.
    pub schedule: Schedule,
    /// How long a receiver may take to answer.
    pub timeout: Duration,
    /// Most in flight in all. Each tenant has an equal share of it, and one at least.
    pub in_flight: usize,
    /// Most in flight to one tenant's receiver.
    pub in_flight_of_a_tenant: usize,
    /// The authorities that receivers' certificates must come from, in place of the web's.
    pub roots: Option<RootCertStore>,
    /// Who is told how it goes.
    pub watch: Arc<dyn Watch>,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            timeout: Duration::from_secs(20),
            in_flight: 256,
            in_flight_of_a_tenant: 32,
            roots: None,
            watch: Arc::new(()),
        }
    }
}

/// Told of new rows.
#[derive(Debug, Default)]
pub(super) struct Bell {
    pub(super) rung: Notify,
    tenants: Mutex<HashSet<String>>,
}

impl Bell {
    /// The tenants whose rows they are.
    pub(super) fn tenants(&self) -> MutexGuard<'_, HashSet<String>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what is in the outbox, for as long as it lives.
#[derive(Debug)]
pub struct Pusher {
    bell: Arc<Bell>,
    stop: watch::Sender<Option<Duration>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Pusher {
    /// Starts the task, in the runtime this is called from: first what an earlier process left. The settings are by tenant; those
    /// of `*` are for every tenant without its own. Rows of a tenant without settings stay in the outbox.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn start(store: Store, settings: HashMap<String, PushSettings>, options: PushOptions) -> Result<Self, rustls::Error> {
        let post = Post::new(options.timeout, options.roots.clone())?;
        let bell = Arc::new(Bell::default());
        let (stop, stopping) = watch::channel(None);
        let settings: HashMap<String, Arc<PushSettings>> =
            settings.into_iter().map(|(tenant, settings)| (tenant, Arc::new(settings))).collect();
        let rounds = Rounds::new(store, post, settings, options, Arc::clone(&bell));
        let task = tokio::spawn(rounds.run(stopping));
        Ok(Self { bell, stop, task: Mutex::new(Some(task)) })
    }

    /// Says that rows of a tenant have been committed.
    pub fn notify(&self, tenant: &str) {
        let mut tenants = self.bell.tenants();
        if !tenants.contains(tenant) {
            tenants.insert(tenant.to_owned());
        }
        drop(tenants);
        self.bell.rung.notify_one();
    }

    /// Sends nothing more, gives what is in flight this long, and writes down what became of it. What has not been confirmed
    /// by then is sent again by the next process.
    pub async fn stop(&self, drain: Duration) {
        self.stop.send_replace(Some(drain));
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            error!(%error, "the task that pushes verdicts did not end well");
        }
    }
}
