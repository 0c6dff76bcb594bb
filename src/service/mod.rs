//! What the server does whichever transport asks: grade calls whole, and follow live ones. No business rules: those are the core's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub mod access;
pub mod event;
pub mod intake;
pub mod journal;
pub mod live;
mod masking;
pub mod push;
pub mod quota;
mod readiness;
pub mod records;
mod recover;
mod refusal;
pub mod regrading;
pub mod retention;
mod sent_back;
mod session;
mod state;
pub mod tenant;
mod told;
pub mod versions;
mod whole;

pub use event::{Head, StreamEvent};
pub use intake::{Intake, Messages, Shares, Taken};
pub use live::{LiveCalls, Outbox};
pub use readiness::{Condition, Readiness, Stage};
pub use recover::Recovered;
pub use refusal::{Refusal, status};
pub use told::{Told, rejection};
pub(crate) use whole::TAKEN;

use crate::core::call::CallState;
use crate::core::script::Script;
use crate::ingest::mask::MaskKey;
use crate::ingest::{CallRecord, Limits, Rejection};
use crate::script::{ScriptChoice, ScriptError};
use crate::store::calls::Group;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;
use crate::wire::{self, CallHead, v1};
use journal::{Journal, OnCommit};
use tenant::{Tenant, TenantSettings, Tenants};
use versions::{Scripts, VersionError};

/// How long things are waited for. The contract's Limits, all configurable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A live call without events ends after this long.
    pub idle: Duration,
    /// A gap in a call's events is waited for this long,
    pub gap: Duration,
    /// or until this many later events have come.
    pub gap_events: usize,
    /// A final call is open to late events this long.
    pub final_open: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { idle: Duration::from_secs(600), gap: Duration::from_secs(5), gap_events: 256, final_open: Duration::from_secs(600) }
    }
}

/// Grades a call whole.
///
/// # Errors
/// It has no id, or its script is not there.
pub fn grade(scripts: &ScriptChoice, record: CallRecord) -> Result<(v1::Verdict, Vec<Rejection>), Refusal> {
    if record.call_id.is_empty() {
        return Err(Refusal::Invalid("the call has no call_id".to_owned()));
    }
    let script = scripts.of(&record.script_id).map_err(Refusal::Script)?;
    Ok(grade_with(&script, record))
}

/// Grades a call whole, with a script.
fn grade_with(script: &Arc<Script>, record: CallRecord) -> (v1::Verdict, Vec<Rejection>) {
    let (clock, notices) = (record.clock(), record.told());
    let verdict = CallState::replay_at(script, clock, record.events);
    let head = CallHead { call_id: &record.call_id, revision: 1, notices: &notices };
    (wire::verdict(script, head, &verdict), record.rejections)
}

/// Look-ups in the store at one time.
fn lookups() -> tokio::sync::Semaphore {
    tokio::sync::Semaphore::new(64)
}

/// What every transport shares.
#[derive(Debug)]
pub struct Service {
    /// The scripts calls are graded with.
    pub scripts: ScriptChoice,
    /// Whose calls there are.
    pub tenants: Tenants,
    /// The calls being followed.
    pub live: Arc<LiveCalls>,
    /// Where calls are kept; `None`: nowhere.
    pub journal: Option<Journal>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether calls are taken.
    pub readiness: Arc<Readiness>,
    /// Whoever has the store asked for calls takes a turn, so that a store that does not answer is not asked by everybody.
    lookups: tokio::sync::Semaphore,
    /// What masked numbers are hashed with; `None` where nothing is kept.
    pub mask_key: Option<MaskKey>,
    /// The script versions that are kept; `None`: there are only those of the files.
    pub versions: Option<Arc<Scripts>>,
}

impl Service {
    /// A service without calls, that keeps none.
    #[must_use]
    pub fn new(scripts: ScriptChoice, limits: Limits, patience: Patience) -> Arc<Self> {
        let tenants = Tenants::new(HashMap::new(), TenantSettings { limits, mask: false, ..TenantSettings::default() });
        Self::forgetting(scripts, tenants, patience)
    }

    /// A service without calls, that keeps none of these tenants' either.
    #[must_use]
    pub fn forgetting(scripts: ScriptChoice, tenants: Tenants, patience: Patience) -> Arc<Self> {
        let (live, metrics) = (Arc::new(LiveCalls::new(patience)), Arc::default());
        Arc::new(Self {
            scripts,
            tenants,
            live,
            journal: None,
            metrics,
            readiness: Arc::default(),
            lookups: lookups(),
            mask_key: None,
            versions: None,
        })
    }

    /// A service that keeps its calls. It brings back none; see [`recover`](Self::recover).
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn keeping(
        scripts: ScriptChoice,
        tenants: Tenants,
        patience: Patience,
        store: Store,
        linger: Duration,
        metrics: Arc<Metrics>,
        on_commit: OnCommit,
    ) -> Result<Arc<Self>, StoreError> {
        let mask_key = Some(MaskKey::new(&store.mask_key()?));
        let versions = Scripts::open(scripts.clone(), store.clone(), intake::wall_ms()).map_err(|error| match error {
            VersionError::Store(error) => error,
            error => StoreError::Damaged(error.to_string()),
        })?;
        let live = Arc::new(LiveCalls::new(patience));
        let counted = Arc::clone(&metrics);
        let counting = move |rows: &Group, took, outcome: &Result<(), StoreError>| {
            match outcome {
                Ok(()) => counted.commit(took, rows.len()),
                Err(error) => counted.commit_failed(rows.len(), error),
            }
            on_commit(rows, took, outcome);
        };
        let readiness = Arc::<Readiness>::default();
        let journal = Journal::start(store, Arc::clone(&live), Arc::clone(&readiness), linger, Box::new(counting))?;
        let (journal, versions) = (Some(journal), Some(Arc::new(versions)));
        Ok(Arc::new(Self { scripts, tenants, live, journal, metrics, readiness, lookups: lookups(), mask_key, versions }))
    }

    /// The script that grades a tenant's call that begins now and names `id`.
    ///
    /// # Errors
    /// There is none of that id, or the call names none and there is no fallback.
    pub fn script(&self, tenant: &Tenant, id: &str) -> Result<Arc<Script>, ScriptError> {
        match &self.versions {
            Some(versions) => versions.of(&tenant.name, id),
            None => self.scripts.of(id),
        }
    }

    /// A version of a script that a tenant may use. May read the store.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn script_version(&self, tenant: &Tenant, id: &str, version: &str) -> Result<Arc<Script>, VersionError> {
        match &self.versions {
            Some(versions) => versions.version(&tenant.name, id, version),
            None => self.scripts.library().get(&format!("{id}@{version}")).map_err(VersionError::Script),
        }
    }

    /// The scripts that grade a tenant's calls, by id.
    #[must_use]
    pub fn scripts_of(&self, tenant: &Tenant) -> Vec<Arc<Script>> {
        match &self.versions {
            Some(versions) => versions.all(&tenant.name),
            None => self.scripts.library().iter().cloned().collect(),
        }
    }
}
