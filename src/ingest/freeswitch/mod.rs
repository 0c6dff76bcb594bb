//! FreeSWITCH's call detail records as `mod_json_cdr` writes and posts them: one JSON object a leg, with the channel's variables,
//! its times and how it ended.
//!
//! A record knows of a call that it was answered, for how long, and who hung up; what was said the dialer tells in the channel
//! variable `callgrade_events`, a JSON array of the contract's `CallEvent`s, which outrank what the record concludes itself.
//!
//! | variable | becomes |
//! | --- | --- |
//! | `callgrade_call_id`, else `uuid` | the call's id |
//! | `callgrade_script` | its script |
//! | `callgrade_time_zone` | its time zone |
//! | `callgrade_events` | its events |
//! | other `callgrade_…` | attributes, the name without `callgrade_` |
//! | `start_uepoch` or `start_epoch`, likewise `answer_` and `end_` | when it began, was answered, ended; else the times of `callflow` |
//! | `hangup_cause`, `hangup_cause_q850`, `sip_term_status` (else `sip_invite_failure_status`, `proto_specific_hangup_cause`) | the codes of its end |
//! | `sip_hangup_disposition`, with `direction` and `last_bridge_role` | who hung up: the far side, or this one, which are robot or customer by leg |
//! | `amd_result` of `mod_amd` | what answered |
//!
//! Sources: `mod_json_cdr.c`, `switch_ivr.c` (`switch_ivr_generate_json_cdr`), `switch_channel.c`, `mod_sofia.c`, `mod_amd.c`.

mod body;
mod end;

use std::borrow::Cow;
use std::collections::BTreeMap;

use pbjson_types::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{CallRecord, Limits, Rejection, json};
use crate::core::event::{Answerer, Event, EventKind};

pub use body::{is_body, json_of};

/// The variables that are ours.
const OURS: &str = "callgrade_";

#[derive(Deserialize)]
struct Cdr<'a> {
    #[serde(borrow, default)]
    variables: Option<BTreeMap<Cow<'a, str>, Value>>,
    /// A list, of older versions one object.
    #[serde(default)]
    callflow: Value,
}

/// A channel's variables, decoded.
struct Variables(BTreeMap<String, String>);

impl Variables {
    /// FreeSWITCH encodes the values like those of an address unless it is told otherwise (`encode-values`). A record of which any
    /// value holds a character that would have been encoded is a plain one: every record has times such as `2026-03-02 10:00:00`.
    fn new(raw: BTreeMap<Cow<'_, str>, Value>) -> Self {
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            // Read as the text it might as well have been.
            list @ (Value::Array(_) | Value::Object(_)) => Some(list.to_string()),
            Value::Null => None,
        };
        let mut values: BTreeMap<String, String> =
            raw.into_iter().filter_map(|(name, value)| Some((name.into_owned(), text(value)?))).collect();
        let unsafe_in_address = |c: char| !('!'..='~').contains(&c) || "\"#&+:;<=>?@[\\]^`{|}".contains(c);
        if !values.values().any(|value| value.contains(unsafe_in_address)) {
            for value in values.values_mut().filter(|value| value.contains('%')) {
                *value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            }
        }
        Self(values)
    }

    /// A variable that is set.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// A moment in microseconds since 1970; 0 is never, and `other` tells it where no variable does.
    fn moment(&self, name: &str, other: impl FnOnce() -> Option<u64>) -> Option<u64> {
        let micros = self.number(&format!("{name}_uepoch"));
        let micros = micros.or_else(|| self.number::<u64>(&format!("{name}_epoch"))?.checked_mul(1_000_000));
        micros.or_else(other).filter(|at| is_moment(*at))
    }
}

/// Whether microseconds since 1970 are one before the year 10000 and not "never".
fn is_moment(micros: u64) -> bool {
    (1..253_402_300_800_000_000).contains(&micros)
}

/// Reads a record: a JSON object, or the body in which FreeSWITCH posts one.
///
/// # Errors
/// It is none, it names no call, or the events that the dialer put into it cannot be read.
pub fn call(bytes: &[u8], limits: &Limits) -> Result<CallRecord, Rejection> {
    let unreadable = |reason: String| Rejection { call_id: String::new(), seq: 0, reason };
    let text = body::json_of(bytes).map_err(unreadable)?;
    if !text.starts_with('{') {
        return Err(unreadable("not a FreeSWITCH CDR: not a JSON object".to_owned()));
    }
    let cdr: Cdr<'_> = serde_json::from_str(&text).map_err(|error| unreadable(format!("not a FreeSWITCH CDR: {error}")))?;
    let Some(variables) = cdr.variables else {
        return Err(unreadable("not a FreeSWITCH CDR: it has no variables".to_owned()));
    };
    let variables = Variables::new(variables);
    let Some(call_id) = ["callgrade_call_id", "uuid"].iter().find_map(|name| variables.get(name)) else {
        return Err(unreadable("the CDR has neither variables.uuid nor variables.callgrade_call_id".to_owned()));
    };
    let mut record = CallRecord {
        call_id: call_id.to_owned(),
        script_id: variables.get("callgrade_script").unwrap_or_default().to_owned(),
        time_zone: variables.get("callgrade_time_zone").unwrap_or_default().to_owned(),
        ..CallRecord::default()
    };
    let ours = |name: &str| matches!(name, "call_id" | "script" | "time_zone" | "events");
    let named = variables.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(OURS)?, value)));
    record.attributes = named.filter(|(name, _)| !ours(name)).map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let times = Times::of(&variables, &cdr.callflow);
    record.started_at = times.start.map(|at| Timestamp { seconds: (at / 1_000_000) as i64, nanos: (at % 1_000_000) as i32 * 1000 });
    // JSON is hard to quote in a dial string: a dialer may have encoded it itself.
    let events = variables.get("callgrade_events").map(|events| match events {
        encoded if encoded.starts_with('%') => percent_decode_str(encoded).decode_utf8_lossy(),
        plain => Cow::Borrowed(plain),
    });
    let told: Vec<&RawValue> = match events.as_deref() {
        None => Vec::new(),
        Some(events) => serde_json::from_str(events).map_err(|error| Rejection {
            call_id: record.call_id.clone(),
            seq: 0,
            reason: format!("callgrade_events: not a JSON array of events: {error}"),
        })?,
    };
    for (seq, raw) in (1..).zip(told) {
        let event = match raw.get() {
            "null" => Err("an event that is null".to_owned()),
            damaged if damaged.contains(char::REPLACEMENT_CHARACTER) => Err("text that is not UTF-8".to_owned()),
            event => json::event(event),
        };
        record.offer(seq, event, limits);
    }
    conclude(&mut record, &variables, &times, limits);
    Ok(record)
}

/// When a call began, was answered and ended, in microseconds since 1970.
struct Times {
    start: Option<u64>,
    answer: Option<u64>,
    end: Option<u64>,
}

impl Times {
    fn of(variables: &Variables, callflow: &Value) -> Self {
        // Of a call that was transferred there are several flows; each tells the times of the channel.
        let flows = match callflow {
            Value::Array(flows) => flows.as_slice(),
            only => std::slice::from_ref(only),
        };
        let flow_times = |name: &str| -> Vec<u64> {
            let times = flows.iter().filter_map(|flow| flow.get("times")?.get(name));
            times.filter_map(|at| at.as_u64().or_else(|| at.as_str()?.parse().ok())).filter(|at| is_moment(*at)).collect()
        };
        Self {
            start: variables.moment("start", || flow_times("created_time").into_iter().min()),
            answer: variables.moment("answer", || flow_times("answered_time").into_iter().min()),
            end: variables.moment("end", || flow_times("hangup_time").into_iter().max()),
        }
    }

    /// Milliseconds from the beginning of dialing to a moment.
    fn since_start(&self, at: Option<u64>) -> u32 {
        let start = self.start.or(self.answer).or(self.end).unwrap_or_default();
        at.and_then(|at| u32::try_from(at.saturating_sub(start) / 1000).ok()).unwrap_or_default()
    }
}

/// Adds what the record itself knows where the dialer's events do not tell it: that the call was answered and by what, and its end.
fn conclude(record: &mut CallRecord, variables: &Variables, times: &Times, limits: &Limits) {
    let told = |of: fn(&EventKind) -> bool| record.events.iter().any(|event| of(&event.kind));
    let ended = told(|kind| matches!(kind, EventKind::Hangup(_) | EventKind::NotConnected(_)));
    let told_answer = told(|kind| matches!(kind, EventKind::Answered | EventKind::NotConnected(_)));
    let told_answerer = told(|kind| matches!(kind, EventKind::AnsweredBy(_)));
    let transferred = told(|kind| matches!(kind, EventKind::Transferred(_)));
    let last = record.events.iter().map(|event| event.at_ms).max().unwrap_or_default();
    let mut first = Vec::new();
    if let Some(answer) = times.answer.filter(|_| !told_answer) {
        first.push(Event { at_ms: times.since_start(Some(answer)), kind: EventKind::Answered });
    }
    if let Some(result) = variables.get("amd_result").filter(|_| times.answer.is_some() && !told_answerer) {
        let by = match result.to_ascii_uppercase().as_str() {
            "HUMAN" => Some(Answerer::Human),
            // mod_amd tells a person from a recorded greeting, and nothing finer.
            "MACHINE" => Some(Answerer::Voicemail),
            _ => None,
        };
        first.push(Event { at_ms: times.since_start(times.answer), kind: EventKind::AnsweredBy(by) });
    }
    let room = limits.call_events.saturating_sub(record.events.len());
    let before = record.events.len();
    record.events.splice(0..0, first.into_iter().take(room));
    let moved = record.events.len() - before;
    record.confidence = std::mem::take(&mut record.confidence).into_iter().map(|(place, confidence)| (place + moved, confidence)).collect();
    if !ended && (times.end.is_some() || variables.get("hangup_cause").is_some()) {
        let answered = times.answer.is_some() || told_answer;
        let kind = end::of(variables, answered, transferred);
        // The clocks of dialer and switch may differ: the end is behind all that happened.
        let at_ms = times.since_start(times.end).max(last);
        let seq = u32::try_from(record.events.len() + 1).unwrap_or(u32::MAX);
        record.offer(seq, Ok(Event { at_ms, kind }), limits);
    }
}
