//! A row of each table that calls are kept in.

use std::sync::Arc;

use bytes::Bytes;

/// A call's head, as its first event brings it.
#[derive(Debug, Clone)]
pub struct CallRow {
    /// The call's number in the store.
    pub id: i64,
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// The dialer's id.
    pub call_id: Arc<str>,
    /// The script it is graded with, to its end,
    pub script_id: Box<str>,
    /// and the version.
    pub script_version: Box<str>,
    /// When dialing began: seconds and nanoseconds since 1970.
    pub started: Option<(i64, i32)>,
    /// IANA time zone: as told, else the tenant's; empty: the default.
    pub time_zone: Box<str>,
    /// When it began, in milliseconds since 1970: as told, else when its first event came.
    pub began_ms: i64,
    /// When its first event came.
    pub received_ms: i64,
    /// Filterable, never interpreted.
    pub attributes: Vec<(String, String)>,
}

impl CallRow {
    /// Whether its texts can be kept, whichever database the store is: none of them may hold a NUL character.
    #[must_use]
    pub fn keepable(&self) -> bool {
        let attributes = self.attributes.iter().flat_map(|(name, value)| [name.as_str(), value]);
        let texts = [&*self.tenant, &*self.call_id, &*self.script_id, &*self.script_version, &*self.time_zone];
        texts.into_iter().chain(attributes).all(|text| !text.contains('\0'))
    }
}

/// What came as one of a call's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// An event; the body is a `CallEvent`.
    Taken,
    /// Something that was rejected; the body is why.
    Rejected,
}

impl EventKind {
    pub(in crate::store) fn number(self) -> i64 {
        match self {
            Self::Taken => 0,
            Self::Rejected => 1,
        }
    }

    pub(in crate::store) fn of(number: i64) -> Self {
        if number == 0 { Self::Taken } else { Self::Rejected }
    }
}

/// One of a call's events.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// The call's number.
    pub call: i64,
    /// The event's place in the call.
    pub seq: u32,
    /// Whether it was taken.
    pub kind: EventKind,
    /// When it came, in milliseconds since 1970.
    pub received_ms: i64,
    /// The event, or why there is none.
    pub body: Bytes,
}

/// Where a call stands.
#[derive(Debug, Clone)]
pub struct StandingRow {
    /// The call's number.
    pub call: i64,
    /// The label; empty while no rule holds.
    pub label: Box<str>,
    /// The rule that gave it.
    pub rule: Box<str>,
    /// Of the last final verdict; 0 while there is none.
    pub revision: u32,
    /// How the call ended, as the verdict says; empty while live.
    pub ended_by: Box<str>,
    /// When it was found to have ended, in milliseconds since 1970.
    pub ended_ms: Option<i64>,
}

/// A final verdict.
#[derive(Debug, Clone)]
pub struct VerdictRow {
    /// The call's number.
    pub call: i64,
    /// 1, and one more for each change after.
    pub revision: u32,
    /// When, in milliseconds since 1970.
    pub made_ms: i64,
    /// The `Verdict`.
    pub body: Bytes,
}

/// A verdict to be pushed.
#[derive(Debug, Clone)]
pub struct PushRow {
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// The call's number.
    pub call: i64,
    /// The dialer's id.
    pub call_id: Arc<str>,
    /// What receivers tell repetitions by.
    pub event_id: String,
    /// When, in milliseconds since 1970.
    pub made_ms: i64,
    /// What is sent.
    pub body: Bytes,
}
