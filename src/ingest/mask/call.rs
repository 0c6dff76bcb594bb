//! What of a call holds words, and so may hold personal numbers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Number, mask};
use crate::core::event::{Event, EventKind};
use crate::ingest::CallRecord;
use crate::wire::v1;

/// Masks a text in its place; whether anything was.
fn mask_in<T: AsRef<str> + From<String>>(text: &mut T, found: &mut dyn FnMut(Number)) -> bool {
    let masked = mask(text.as_ref(), found);
    let any = masked.is_some();
    if let Some(masked) = masked {
        *text = T::from(masked);
    }
    any
}

/// Masks what an event says: an utterance, a keyword, an announcement, keys pressed together, where a call was transferred. Ids
/// and names of the script and the dialer stay. Whether anything was masked.
pub fn mask_event(event: &mut Event, found: &mut dyn FnMut(Number)) -> bool {
    let Some(masked) = said(event).and_then(|said| mask(said, found)) else { return false };
    let masked = masked.into();
    match &mut event.kind {
        EventKind::Utterance(utterance) => utterance.text = masked,
        EventKind::KeywordTriggered(keyword) => keyword.keyword = masked,
        EventKind::NotConnected(report) => report.announcement = masked,
        EventKind::Hangup(hangup) => hangup.report.announcement = masked,
        EventKind::Dtmf(said) | EventKind::Transferred(said) => *said = masked,
        // Says nothing.
        _ => return false,
    }
    true
}

/// The personal numbers in what an event says, each told to `found`; it stays as it is.
pub fn find_in_event(event: &Event, found: &mut dyn FnMut(Number)) {
    said(event).and_then(|said| mask(said, found));
}

/// What of an event is words.
fn said(event: &Event) -> Option<&str> {
    match &event.kind {
        EventKind::Utterance(utterance) => Some(&utterance.text),
        EventKind::KeywordTriggered(keyword) => Some(&keyword.keyword),
        EventKind::NotConnected(report) => Some(&report.announcement),
        EventKind::Hangup(hangup) => Some(&hangup.report.announcement),
        EventKind::Dtmf(said) | EventKind::Transferred(said) => Some(said),
        EventKind::Answered
        | EventKind::AnsweredBy(_)
        | EventKind::NodeEntered(_)
        | EventKind::Silence(_)
        | EventKind::Refused(_)
        | EventKind::InviteOutcome(_)
        | EventKind::Unknown => None,
    }
}

/// [`mask_event`] for an event as it came over the wire.
pub fn mask_wire_event(event: &mut v1::CallEvent, found: &mut dyn FnMut(Number)) -> bool {
    use v1::call_event::Event as Wire;
    match &mut event.event {
        Some(Wire::Utterance(utterance)) => mask_in(&mut utterance.text, found),
        Some(Wire::KeywordTriggered(keyword)) => mask_in(&mut keyword.keyword, found),
        Some(Wire::NotConnected(report)) => mask_in(&mut report.announcement, found),
        Some(Wire::Dtmf(dtmf)) => mask_in(&mut dtmf.digits, found),
        Some(Wire::Transferred(transferred)) => mask_in(&mut transferred.to, found),
        Some(
            Wire::Answered(_)
            | Wire::AnsweredBy(_)
            | Wire::NodeEntered(_)
            | Wire::Silence(_)
            | Wire::Refused(_)
            | Wire::InviteOutcome(_)
            | Wire::Hangup(_),
        )
        | None => false,
    }
}

/// Masks the values of attributes; whether anything was masked.
pub fn mask_attributes(attributes: &mut BTreeMap<String, String>, found: &mut dyn FnMut(Number)) -> bool {
    attributes.values_mut().fold(false, |any, value| mask_in(value, found) | any)
}

/// Masks every text of a JSON value, also JSON that is written as text, and numbers that are personal; whether anything was
/// masked. Keys stay, and so does whatever is called `uuid`, as call ids do.
pub fn mask_json(value: &mut Value, found: &mut dyn FnMut(Number)) -> bool {
    match value {
        Value::String(text) => match masked_document(text, found) {
            Some(masked) => {
                *text = masked;
                true
            }
            None => false,
        },
        Value::Number(number) => match mask(&number.to_string(), found) {
            Some(masked) => {
                *value = Value::String(masked);
                true
            }
            None => false,
        },
        Value::Array(list) => list.iter_mut().fold(false, |any, value| mask_json(value, found) | any),
        Value::Object(fields) => {
            fields.iter_mut().filter(|(key, _)| *key != "uuid").fold(false, |any, (_, value)| mask_json(value, found) | any)
        }
        Value::Null | Value::Bool(_) => false,
    }
}

/// A text masked; one that is JSON value by value, for its characters may be written as escapes.
pub(in crate::ingest) fn masked_document(text: &str, found: &mut dyn FnMut(Number)) -> Option<String> {
    if text.trim_start().starts_with(['{', '['])
        && let Ok(mut document) = serde_json::from_str::<Value>(text)
    {
        return mask_json(&mut document, found).then(|| document.to_string());
    }
    mask(text, found)
}

impl CallRecord {
    /// Masks the personal numbers of a call: in its events, its attributes, and the reasons and notices that quote it. Its id is
    /// not masked. Whether anything was.
    pub fn mask(&mut self, found: &mut dyn FnMut(Number)) -> bool {
        let mut any = mask_attributes(&mut self.attributes, found);
        for event in &mut self.events {
            any |= mask_event(event, found);
        }
        for rejection in &mut self.rejections {
            any |= mask_in(&mut rejection.reason, found);
        }
        for notice in &mut self.notices {
            any |= mask_in(notice, found);
        }
        any
    }
}
