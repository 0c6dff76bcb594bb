//! One call graded anew, beside what it was.

use std::sync::Arc;

use crate::core::call::CallState;
use crate::core::script::Script;
use crate::core::verdict::Verdict;
use crate::ingest::{CallRecord, Rejection, StoredLabel};
use crate::script::{ScriptChoice, ScriptError};

/// What a new grading is held against.
#[derive(Debug, Clone)]
pub enum Against {
    /// Nothing: labels are wanted, not changes.
    Nothing,
    /// The labels that come with the calls.
    Stored,
    /// Another version of the scripts.
    Version(ScriptChoice),
}

/// A verdict and the script it is in terms of.
#[derive(Debug, Clone)]
pub struct Graded {
    /// The script version.
    pub script: Arc<Script>,
    /// The verdict.
    pub verdict: Verdict,
}

/// What a call was before.
#[derive(Debug, Clone)]
pub enum Before {
    /// Nobody knows, or nobody asked.
    Unknown,
    /// The label that came with it.
    Stored(StoredLabel),
    /// What another version says. Boxed, for it is large and often there is none.
    Graded(Box<Graded>),
}

/// A call graded anew.
#[derive(Debug, Clone)]
pub struct Regraded {
    /// The dialer's id.
    pub call_id: String,
    /// What its verdict is to tell of what was put right or left out before it was graded.
    pub notices: Vec<String>,
    /// Events that were not taken.
    pub rejections: Vec<Rejection>,
    /// What it is now.
    pub after: Graded,
    /// What it was.
    pub before: Before,
}

/// How calls are graded anew.
#[derive(Debug, Clone)]
pub struct Grading {
    /// The scripts that say what a call is now.
    pub scripts: ScriptChoice,
    /// What that is held against.
    pub against: Against,
}

impl Grading {
    /// Grades a call.
    ///
    /// # Errors
    /// It has no id, or its script is not there, now or before.
    pub fn grade(&self, mut record: CallRecord) -> Result<Regraded, Rejection> {
        if record.call_id.is_empty() {
            return Err(Rejection { call_id: String::new(), seq: 0, reason: "the call has no call_id".to_owned() });
        }
        let script = |scripts: &ScriptChoice| scripts.of(&record.script_id).map_err(|error| unknown(&record.call_id, &error));
        let now = script(&self.scripts)?;
        let before = match &self.against {
            Against::Version(scripts) => Some(script(scripts)?),
            _ => None,
        };
        let (clock, notices) = (record.clock(), record.told());
        let events = std::mem::take(&mut record.events);
        let before = match (before, record.stored.take()) {
            (Some(script), _) => {
                let verdict = CallState::replay_at(&script, clock.clone(), events.clone());
                Before::Graded(Box::new(Graded { script, verdict }))
            }
            (None, Some(stored)) if matches!(self.against, Against::Stored) => Before::Stored(*stored),
            (None, _) => Before::Unknown,
        };
        let verdict = CallState::replay_at(&now, clock, events);
        Ok(Regraded { call_id: record.call_id, notices, rejections: record.rejections, after: Graded { script: now, verdict }, before })
    }
}

fn unknown(call_id: &str, error: &ScriptError) -> Rejection {
    Rejection { call_id: call_id.to_owned(), seq: 0, reason: error.to_string() }
}
