//! What the server does whichever transport asks: grade calls whole, and follow live ones. No business rules: those are the core's.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub mod live;
mod session;
mod told;

pub use live::{LiveCalls, Outbox, StreamEvent};
pub use told::{Told, rejection};

use crate::core::call::CallState;
use crate::core::script::Script;
use crate::ingest::{CallRecord, Limits, Rejection};
use crate::script::{Library, ScriptError};
use crate::wire::{self, CallHead, v1};

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

/// Why a call or an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The script is not there.
    Script(ScriptError),
    /// The event or call is wrong.
    Invalid(String),
    /// It is over a limit.
    TooMuch(String),
    /// The call has not begun, or is closed.
    NotOpen(String),
    /// There is no such call.
    NoCall(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(error) => error.fmt(f),
            Self::Invalid(reason) | Self::TooMuch(reason) | Self::NotOpen(reason) => f.write_str(reason),
            Self::NoCall(call) => write!(f, "there is no live or recently ended call {call:?}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Which script grades a call: `--script ID` for calls that name none, `ID@VERSION` for the calls of that script.
#[derive(Debug, Clone, Default)]
pub struct ScriptChoice {
    library: Library,
    fallback: Option<String>,
}

impl ScriptChoice {
    /// Chooses from a library; `fallback` is `ID` or `ID@VERSION`.
    ///
    /// # Errors
    /// The library has no such script or version.
    pub fn new(library: Library, fallback: Option<String>) -> Result<Self, ScriptError> {
        if let Some(name) = &fallback {
            library.get(name)?;
        }
        Ok(Self { library, fallback })
    }

    /// The scripts there are.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The script for a call that names `id`.
    ///
    /// # Errors
    /// It names one that is not there, or none and there is no fallback.
    pub fn of(&self, id: &str) -> Result<Arc<Script>, ScriptError> {
        match &self.fallback {
            Some(fallback) if id.is_empty() || fallback.split('@').next() == Some(id) => self.library.get(fallback),
            _ => self.library.get(id),
        }
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
    let clock = record.clock();
    let verdict = CallState::replay_at(&script, clock, record.events);
    let mut notices = record.notices;
    notices.extend(record.rejections.iter().map(|rejection| format!("event {} rejected: {}", rejection.seq, rejection.reason)));
    let head = CallHead { call_id: &record.call_id, revision: 1, notices: &notices };
    Ok((wire::verdict(&script, head, &verdict), record.rejections))
}

/// What every transport shares.
#[derive(Debug)]
pub struct Service {
    /// The scripts calls are graded with.
    pub scripts: ScriptChoice,
    /// What a call may bring.
    pub limits: Limits,
    /// The calls being followed.
    pub live: LiveCalls,
}

impl Service {
    /// A service without calls.
    #[must_use]
    pub fn new(scripts: ScriptChoice, limits: Limits, patience: Patience) -> Arc<Self> {
        Arc::new(Self { scripts, limits, live: LiveCalls::new(patience) })
    }

    /// Grades a call whole.
    ///
    /// # Errors
    /// It has no id, or its script is not there.
    pub fn grade(&self, record: CallRecord) -> Result<(v1::Verdict, Vec<Rejection>), Refusal> {
        grade(&self.scripts, record)
    }
}
