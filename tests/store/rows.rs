//! Rows to be written, and calls as they come back.

use std::sync::Arc;

use bytes::Bytes;
use callgrade::store::audit::AuditRow;
use callgrade::store::calls::{CallRow, EventKind, EventRow, Group, PushRow, StandingRow, VerdictRow};
use callgrade::store::records::StoredCall;

pub fn call(id: i64, tenant: &str, call_id: &str) -> CallRow {
    CallRow {
        id,
        tenant: Arc::from(tenant),
        call_id: Arc::from(call_id),
        script_id: "telemarketing".into(),
        script_version: "0123456789abcdef".into(),
        started: None,
        time_zone: "".into(),
        began_ms: 1_000 * id,
        received_ms: 1_000 * id,
        attributes: Vec::new(),
    }
}

pub fn event(call: i64, seq: u32, body: &str) -> EventRow {
    EventRow { call, seq, kind: EventKind::Taken, received_ms: 5, body: Bytes::copy_from_slice(body.as_bytes()) }
}

pub fn standing(call: i64, label: &str, ended_ms: Option<i64>) -> StandingRow {
    let rule = if label.is_empty() { String::new() } else { format!("{label}1") };
    StandingRow {
        call,
        label: label.into(),
        rule: rule.into(),
        revision: u32::from(ended_ms.is_some()),
        ended_by: if ended_ms.is_some() { "hangup" } else { "" }.into(),
        ended_ms,
    }
}

pub fn verdict(call: i64, revision: u32, body: &str) -> VerdictRow {
    VerdictRow { call, revision, made_ms: 9, body: Bytes::copy_from_slice(body.as_bytes()) }
}

pub fn push(call: i64, event_id: &str) -> PushRow {
    PushRow {
        tenant: Arc::from("t"),
        call,
        call_id: Arc::from("c"),
        event_id: event_id.to_owned(),
        made_ms: 3,
        body: Bytes::from_static(b"{}"),
    }
}

/// A call with one event, that stands somewhere.
pub fn simple(id: i64, tenant: &str, call_id: &str, label: &str, ended_ms: Option<i64>) -> Group {
    Group {
        calls: vec![call(id, tenant, call_id)],
        events: vec![event(id, 1, "one")],
        standings: vec![standing(id, label, ended_ms)],
        ..Group::default()
    }
}

pub fn entry(tenant: &str, action: &str, what: &str) -> AuditRow {
    AuditRow { tenant: tenant.to_owned(), at_ms: 77, who: "cli".to_owned(), action: action.to_owned(), what: what.to_owned() }
}

/// What can be compared of a call: its id, and its events as place and text.
pub fn told(call: &StoredCall) -> (String, Vec<(u32, String)>) {
    let events = call.events.iter().map(|row| (row.seq, String::from_utf8_lossy(&row.body).into_owned()));
    (call.head.call_id.to_string(), events.collect())
}
