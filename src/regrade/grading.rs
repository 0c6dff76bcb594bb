//! One call graded anew, beside what it was.

use std::sync::Arc;

use crate::core::call::CallState;
use crate::core::script::Script;
use crate::core::verdict::{Conclusion, Verdict};
use crate::ingest::{CallRecord, Rejection, StoredLabel, clock};
use crate::script::{ScriptChoice, ScriptError};
use crate::wire::columns::Extent;

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
    /// Grades a call; its verdicts are whole.
    ///
    /// # Errors
    /// It has no id, or its script is not there, now or before.
    pub fn grade(&self, record: CallRecord) -> Result<Regraded, Rejection> {
        self.grade_to(Extent::Whole, record)
    }

    /// Grades a call as far as is wanted. With [`Extent::Label`], which takes less time, the verdicts are without evidence, notices and
    /// callback where nothing changed; those of a call whose label or rule is another now are whole, for they are to say why.
    ///
    /// # Errors
    /// As of [`grade`](Self::grade).
    pub fn grade_to(&self, extent: Extent, mut record: CallRecord) -> Result<Regraded, Rejection> {
        if record.call_id.is_empty() {
            return Err(Rejection { call_id: String::new(), seq: 0, reason: "the call has no call_id".to_owned() });
        }
        let script = |scripts: &ScriptChoice| scripts.of(&record.script_id).map_err(|error| unknown(&record.call_id, &error));
        let now = script(&self.scripts)?;
        let before = match &self.against {
            Against::Version(scripts) => Some(script(scripts)?),
            _ => None,
        };
        let notices = record.told();
        let events = std::mem::take(&mut record.events);
        let stored = record.stored.take().filter(|_| matches!(self.against, Against::Stored));
        let (call_id, rejections) = (record.call_id, record.rejections);
        let told = |after, before| Regraded { call_id, notices, rejections, after, before };

        if extent == Extent::Label {
            let label = |script: &Arc<Script>, events| Graded {
                script: Arc::clone(script),
                verdict: unheard(CallState::replay_labels(script, events)),
            };
            let (after, before) = match (&before, stored.as_deref()) {
                (None, None) => return Ok(told(label(&now, events), Before::Unknown)),
                (None, Some(stored)) => (label(&now, events.clone()), Before::Stored(stored.clone())),
                (Some(script), _) => (label(&now, events.clone()), Before::Graded(Box::new(label(script, events.clone())))),
            };
            if !differs(&before, &after) {
                return Ok(told(after, before));
            }
        }

        let clock = clock(record.started_at.as_ref(), &record.time_zone);
        let whole = |script: Arc<Script>, events| {
            let verdict = CallState::replay_at(&script, clock.clone(), events);
            Graded { script, verdict }
        };
        let before = match (before, stored) {
            (Some(script), _) => Before::Graded(Box::new(whole(script, events.clone()))),
            (None, Some(stored)) => Before::Stored(*stored),
            (None, None) => Before::Unknown,
        };
        Ok(told(whole(now, events), before))
    }
}

/// What a call comes to, as a verdict for which nothing was collected that speaks for it.
fn unheard(conclusion: Conclusion) -> Verdict {
    let Conclusion { label, rule, signals, nodes, also_matched, fallback, follow_up, do_not_call, ended_by } = conclusion;
    let (evidence, notices, callback) = (Vec::new(), Vec::new(), None);
    Verdict { label, rule, signals, nodes, evidence, also_matched, fallback, follow_up, do_not_call, callback, ended_by, notices }
}

/// Whether the label or the rule that gives it is another now; a rule that is not known is taken as the same.
fn differs(before: &Before, after: &Graded) -> bool {
    let now = ids(&after.script, after.verdict.rule);
    match before {
        Before::Unknown => false,
        Before::Stored(stored) => stored.label != now.0 || !(stored.rule_id.is_empty() || stored.rule_id == now.1),
        Before::Graded(before) => ids(&before.script, before.verdict.rule) != now,
    }
}

/// The label and the id of a script's rule; both empty where there is none.
pub(super) fn ids(script: &Script, rule: Option<usize>) -> (&str, &str) {
    let Some(rule) = rule.and_then(|rule| script.rules.get(rule)) else { return ("", "") };
    (script.labels.get(rule.label).map_or("", |label| &label.id), &rule.id)
}

fn unknown(call_id: &str, error: &ScriptError) -> Rejection {
    Rejection { call_id: call_id.to_owned(), seq: 0, reason: error.to_string() }
}
