//! The ordinary message of a stream read straight from its bytes: an answer or an utterance, each field once, nothing unknown.
//!
//! It saves the generated messages, whose texts would be made only to be moved on. Whatever is in the least unusual is left to
//! them, and with it every question of what bytes that are wrong or strange mean.

use crate::core::event::{Event, EventKind, Speaker, Utterance};

/// An ordinary message.
#[derive(Debug, PartialEq)]
pub struct Plain<'a> {
    /// The call.
    pub call_id: &'a str,
    /// Its place in the call.
    pub seq: u32,
    /// The script, empty but with the first event.
    pub script_id: &'a str,
    /// The event,
    pub event: Event,
    /// and the bytes of its message.
    pub body: &'a [u8],
}

/// Reads a `StreamCallsRequest`, if it is an ordinary one.
#[must_use]
pub fn plain(message: &[u8]) -> Option<Plain<'_>> {
    let (mut call_id, mut seq, mut script_id, mut event) = (None, None, None, None);
    each(message, |tag, value| match (tag, value) {
        (1, Value::Bytes(bytes)) => once(&mut call_id, text(bytes)?),
        (2, Value::Number(number)) => once(&mut seq, number),
        (3, Value::Bytes(bytes)) => once(&mut event, (self::event(bytes)?, bytes)),
        (4, Value::Bytes(bytes)) => once(&mut script_id, text(bytes)?),
        _ => None,
    })?;
    let (event, body) = event?;
    Some(Plain { call_id: call_id?, seq: seq?, script_id: script_id.unwrap_or_default(), event, body })
}

/// The text that a message begins with, if its first field is one, with tag 1: most often the call's id.
#[must_use]
pub fn first_text(message: &[u8]) -> Option<&[u8]> {
    const KEY: u8 = 1 << 3 | 2;
    let mut rest = message.strip_prefix(&[KEY])?;
    let length = varint(&mut rest)?;
    rest.get(..length as usize)
}

/// A `CallEvent`.
fn event(bytes: &[u8]) -> Option<Event> {
    let (mut at_ms, mut kind) = (None, None);
    each(bytes, |tag, value| match (tag, value) {
        (1, Value::Number(number)) => once(&mut at_ms, number),
        (10, Value::Bytes([])) => once(&mut kind, EventKind::Answered),
        (13, Value::Bytes(bytes)) => once(&mut kind, EventKind::Utterance(utterance(bytes)?)),
        _ => None,
    })?;
    Some(Event { at_ms: at_ms.unwrap_or_default(), kind: kind? })
}

fn utterance(bytes: &[u8]) -> Option<Utterance> {
    let (mut speaker, mut words, mut duration_ms, mut node_id, mut played) = (None, None, None, None, None);
    let (mut utterance_id, mut interim) = (None, None);
    each(bytes, |tag, value| match (tag, value) {
        (1, Value::Number(number)) => once(&mut speaker, *Speaker::ALL.get((number as usize).checked_sub(1)?)?),
        (2, Value::Bytes(bytes)) => once(&mut words, text(bytes)?),
        (3, Value::Number(number)) => once(&mut duration_ms, number),
        (4, Value::Bytes(bytes)) => once(&mut node_id, text(bytes)?),
        (5, Value::Double(share)) => once(&mut played, share),
        (6, Value::Bytes(bytes)) => once(&mut utterance_id, text(bytes)?),
        (7, Value::Number(number @ 0..=1)) => once(&mut interim, number == 1),
        _ => None,
    })?;
    Some(Utterance {
        speaker: speaker?,
        text: words.unwrap_or_default().into(),
        duration_ms: duration_ms.unwrap_or_default(),
        node_id: node_id.unwrap_or_default().into(),
        played,
        utterance_id: utterance_id.unwrap_or_default().into(),
        interim: interim.unwrap_or_default(),
    })
}

fn text(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// A field's value as it lies on the wire.
enum Value<'a> {
    Number(u32),
    Double(f64),
    Bytes(&'a [u8]),
}

/// Hands over each field with its tag; `None` where one is refused or is none.
fn each<'a>(mut bytes: &'a [u8], mut field: impl FnMut(u32, Value<'a>) -> Option<()>) -> Option<()> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            1 => {
                let (double, rest) = bytes.split_first_chunk()?;
                bytes = rest;
                Value::Double(f64::from_le_bytes(*double))
            }
            2 => {
                let length = varint(&mut bytes)?;
                let (value, rest) = bytes.split_at_checked(length as usize)?;
                bytes = rest;
                Value::Bytes(value)
            }
            _ => return None,
        };
        field(key >> 3, value)?;
    }
    Some(())
}

/// A number of up to four bytes, which all but the largest have.
fn varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
