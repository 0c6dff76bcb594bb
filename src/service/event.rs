//! An event on its way to its call, as a door hands it over.

use std::collections::BTreeMap;

use bytes::Bytes;
use pbjson_types::Timestamp;
use prost::Message;

use crate::core::callback::CallClock;
use crate::core::event::Event;
use crate::ingest;
use crate::wire::raw;

/// An event on its way to its call.
#[derive(Debug, Clone, Default)]
pub struct StreamEvent {
    /// The call.
    pub call_id: String,
    /// Its place in the call, from 1.
    pub seq: u32,
    /// What the message says of the call itself, mostly the first.
    pub head: Option<Box<Head>>,
    /// The event, or why it is none.
    pub event: Option<Result<Event, String>>,
    /// The bytes of the event's message, to be kept.
    pub body: Bytes,
}

/// What is told of a call with its first event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// The script; empty: the default.
    pub script_id: String,
    /// When dialing began.
    pub started_at: Option<Timestamp>,
    /// IANA time zone; empty: the tenant's.
    pub time_zone: String,
    /// Filterable, never interpreted.
    pub attributes: BTreeMap<String, String>,
}

impl Head {
    /// The call's clock, if anything is told of it; `zone` is that of calls that name none.
    #[must_use]
    pub fn clock(&self, zone: &str) -> Option<CallClock> {
        let zone = if self.time_zone.is_empty() { zone } else { &self.time_zone };
        (self.started_at.is_some() || !zone.is_empty()).then(|| ingest::clock(self.started_at.as_ref(), zone))
    }

    /// Makes what is told such that every database takes it; what was cut off, as notices.
    pub(super) fn make_keepable(&mut self) -> Vec<String> {
        make_keepable(&mut self.time_zone, &mut self.attributes)
    }

    fn told(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// Most bytes of a call's id, and of an attribute's name: what every database can have in an index.
const MOST_ID_BYTES: usize = 512;
/// Most bytes of an attribute's value.
const MOST_VALUE_BYTES: usize = 1_024;

/// Whether a call can be kept under an id.
///
/// # Errors
/// Why not.
pub(super) fn check_id(call_id: &str) -> Result<(), String> {
    if call_id.contains('\0') {
        return Err("the call_id holds a NUL character".to_owned());
    }
    if call_id.len() > MOST_ID_BYTES {
        return Err(format!("the call_id has {} bytes, more than {MOST_ID_BYTES}", call_id.len()));
    }
    Ok(())
}

/// Whether an event can have a place.
///
/// # Errors
/// Why not.
pub(super) fn check_seq(seq: u32) -> Result<(), String> {
    match seq {
        0 => Err("seq counts from 1".to_owned()),
        // The next one could not be counted.
        u32::MAX => Err(format!("seq {seq} is beyond the last there can be")),
        _ => Ok(()),
    }
}

/// Makes what is told of a call such that every database takes it; what was cut off, as notices.
pub(super) fn make_keepable(time_zone: &mut String, attributes: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut notices = Vec::new();
    clean(time_zone, MOST_ID_BYTES);
    let fits = |(name, value): (&String, &String)| {
        name.len() <= MOST_ID_BYTES && value.len() <= MOST_VALUE_BYTES && !name.contains('\0') && !value.contains('\0')
    };
    if attributes.iter().all(fits) {
        return notices;
    }
    for (mut name, mut value) in std::mem::take(attributes) {
        let (long_name, long_value) = (clean(&mut name, MOST_ID_BYTES), clean(&mut value, MOST_VALUE_BYTES));
        if long_name || long_value {
            let shown: String = name.chars().take(32).collect();
            notices.push(format!("attribute {shown:?} is cut: a name may have {MOST_ID_BYTES} bytes and a value {MOST_VALUE_BYTES}"));
        }
        attributes.insert(name, value);
    }
    notices
}

/// Puts a sign in place of what no text in a database may hold, and cuts a text that is too long; whether it was.
fn clean(text: &mut String, most: usize) -> bool {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{FFFD}");
    }
    let long = text.len() > most;
    if long {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(end);
    }
    long
}

impl StreamEvent {
    /// Takes a stream's message apart; each thing that is wrong with its event stays with the event. `keeps` where the bytes of its
    /// event are to be kept.
    ///
    /// # Errors
    /// The bytes are no message.
    pub fn read(message: &[u8], keeps: bool) -> Result<Self, String> {
        if let Some(plain) = ingest::proto::plain(message) {
            let head = (!plain.script_id.is_empty()).then(|| Box::new(Head { script_id: plain.script_id.to_owned(), ..Head::default() }));
            let body = if keeps { Bytes::copy_from_slice(plain.body) } else { Bytes::new() };
            return Ok(Self { call_id: plain.call_id.to_owned(), seq: plain.seq, head, event: Some(Ok(plain.event)), body });
        }
        let bytes = Bytes::copy_from_slice(message);
        let request = raw::StreamCallsRequest::decode(bytes).map_err(|error| format!("not a StreamCallsRequest: {error}"))?;
        let head = Head {
            script_id: raw::lossy(&request.script_id),
            started_at: request.started_at,
            time_zone: raw::lossy(&request.time_zone),
            attributes: raw::attributes(&request.attributes),
        };
        Ok(Self {
            call_id: raw::lossy(&request.call_id),
            seq: request.seq,
            head: head.told(),
            event: request.event.as_ref().map(|bytes| raw::decode_event(bytes).and_then(ingest::proto::event)),
            body: request.event.unwrap_or_default(),
        })
    }

    /// The script it names; empty: none.
    #[must_use]
    pub fn script_id(&self) -> &str {
        self.head.as_ref().map_or("", |head| &head.script_id)
    }
}
