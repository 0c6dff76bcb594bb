//! From a door's format to core events. One file per format; all give the same [`CallRecord`].

use std::collections::BTreeMap;
use std::fmt;

use pbjson_types::Timestamp;

pub mod aliyun;
pub mod arrow;
pub mod freeswitch;
pub(crate) mod guard;
pub(crate) mod json;

pub use json::event;
pub mod jsonl;
pub mod lines;
pub mod mask;
pub mod proto;
pub mod recorded;
pub mod vcon;

use crate::core::callback::CallClock;
use crate::core::event::{Event, EventKind};

/// Bounds on what a call may bring, see the contract's Limits. All configurable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an utterance's text.
    pub utterance_bytes: usize,
    /// Events of a call.
    pub call_events: usize,
    /// Bytes of a message that comes over the network.
    pub message_bytes: usize,
    /// Bytes of a line of a file.
    pub line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { utterance_bytes: 64 << 10, call_events: 10_000, message_bytes: 16 << 20, line_bytes: 256 << 20 }
    }
}

/// A call as a door gives it: its head, the events accepted, and what was wrong with the others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallRecord {
    /// The dialer's id.
    pub call_id: String,
    /// The script it names; empty: none.
    pub script_id: String,
    /// When dialing began.
    pub started_at: Option<Timestamp>,
    /// IANA time zone; empty: the default.
    pub time_zone: String,
    /// Filterable, never interpreted.
    pub attributes: BTreeMap<String, String>,
    /// The events that were accepted, in order.
    pub events: Vec<Event>,
    /// The recogniser's confidence in utterances, by their places among the events: recorded, and no part of grading.
    pub confidence: BTreeMap<usize, f64>,
    /// Those that were not.
    pub rejections: Vec<Rejection>,
    /// What was put right on the way.
    pub notices: Vec<String>,
    /// The label that came with it, if one did.
    pub stored: Option<Box<StoredLabel>>,
}

/// The label that a recorded call brings along: what somebody has said of it before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredLabel {
    /// The label; empty: no rule held.
    pub label: String,
    /// The rule that gave it; empty where that is not known.
    pub rule_id: String,
    /// The script version; empty where that is not known.
    pub script_version: String,
}

/// An event as a door hears it: with what is recorded of it and not interpreted, which the core therefore does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The event.
    pub event: Event,
    /// The recogniser's confidence in an utterance, 0 to 1.
    pub confidence: Option<f64>,
}

impl From<Event> for Heard {
    fn from(event: Event) -> Self {
        Self { event, confidence: None }
    }
}

/// What was rejected, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The call; empty if it could not be told.
    pub call_id: String,
    /// Which of its events, from 1; 0: the call as a whole.
    pub seq: u32,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.call_id.as_str(), self.seq) {
            ("", 0) => f.write_str(&self.reason),
            (call, 0) => write!(f, "call {call:?}: {}", self.reason),
            ("", seq) => write!(f, "event {seq}: {}", self.reason),
            (call, seq) => write!(f, "call {call:?}, event {seq}: {}", self.reason),
        }
    }
}

/// Something in an input that gave no call, or only part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line of the input, from 1; 0 where the format has no lines.
    pub line: usize,
    /// What.
    pub rejection: Rejection,
}

impl CallRecord {
    /// When it began and in which time zone, as grading takes it.
    #[must_use]
    pub fn clock(&self) -> CallClock {
        clock(self.started_at.as_ref(), &self.time_zone)
    }

    /// What its verdict is to tell: what was put right, and what was rejected.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let rejected = self.rejections.iter().map(|rejection| format!("event {} rejected: {}", rejection.seq, rejection.reason));
        self.notices.iter().cloned().chain(rejected).collect()
    }

    /// Takes an event in, or rejects it.
    pub fn offer(&mut self, seq: u32, event: Result<impl Into<Heard>, String>, limits: &Limits) {
        if self.events.len() >= limits.call_events {
            self.excess(seq, limits);
            return;
        }
        let checked = event.map(Into::into).and_then(|heard: Heard| check(&heard.event, limits).map(|()| heard));
        match checked {
            Ok(Heard { event, confidence }) => {
                self.confidence.extend(confidence.map(|confidence| (self.events.len(), confidence)));
                self.events.push(event);
            }
            Err(reason) => self.rejections.push(Rejection { call_id: self.call_id.clone(), seq, reason }),
        }
    }
}

/// A call's clock by the head that a door gives.
#[must_use]
pub fn clock(started_at: Option<&Timestamp>, time_zone: &str) -> CallClock {
    CallClock::new(started_at.map(|at| (at.seconds, at.nanos)), time_zone)
}

impl CallRecord {
    /// Counts an event over the limit; a million of them are told in one line.
    fn excess(&mut self, seq: u32, limits: &Limits) {
        let reason = format!("the call has more than {} events", limits.call_events);
        match self.rejections.last_mut() {
            Some(last) if last.reason.starts_with(&reason) => {
                last.reason = format!("{reason}; this and {} later ones are left out", seq - last.seq);
            }
            _ => self.rejections.push(Rejection { call_id: self.call_id.clone(), seq, reason }),
        }
    }
}

/// What holds of every event whichever door it came through.
///
/// # Errors
/// Why it is rejected.
pub fn check(event: &Event, limits: &Limits) -> Result<(), String> {
    let EventKind::Utterance(utterance) = &event.kind else { return Ok(()) };
    if utterance.text.len() > limits.utterance_bytes {
        return Err(format!("utterance of {} bytes, more than {}", utterance.text.len(), limits.utterance_bytes));
    }
    share("played", utterance.played)
}

/// Whether a share lies in 0 to 1.
///
/// # Errors
/// It does not.
pub fn share(name: &str, value: Option<f64>) -> Result<(), String> {
    match value {
        Some(value) if !(0.0..=1.0).contains(&value) => Err(format!("{name} is {value}, outside 0 to 1")),
        _ => Ok(()),
    }
}
