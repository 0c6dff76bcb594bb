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

    /// Puts a sign in place of what no text in a database may hold.
    pub(super) fn make_keepable(&mut self) {
        make_keepable(&mut self.time_zone);
        make_all_keepable(&mut self.attributes);
    }

    fn told(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// Whether a call can be kept under an id.
pub(super) fn is_keepable(call_id: &str) -> bool {
    !call_id.contains('\0')
}

/// As [`Head::make_keepable`], of one text.
pub(super) fn make_keepable(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{FFFD}");
    }
}

/// As [`Head::make_keepable`], of attributes.
pub(super) fn make_all_keepable(attributes: &mut BTreeMap<String, String>) {
    if attributes.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        let clean = |(mut name, mut value): (String, String)| {
            make_keepable(&mut name);
            make_keepable(&mut value);
            (name, value)
        };
        *attributes = std::mem::take(attributes).into_iter().map(clean).collect();
    }
}

/// Why a call of such an id is refused.
pub(super) const UNKEEPABLE: &str = "the call_id holds a NUL character";

impl StreamEvent {
    /// Takes a stream's message apart; each thing that is wrong with its event stays with the event.
    ///
    /// # Errors
    /// The bytes are no message.
    pub fn from_bytes(bytes: &Bytes) -> Result<Self, String> {
        if let Some(plain) = ingest::proto::plain(bytes) {
            let head = (!plain.script_id.is_empty()).then(|| Box::new(Head { script_id: plain.script_id.to_owned(), ..Head::default() }));
            return Ok(Self {
                call_id: plain.call_id.to_owned(),
                seq: plain.seq,
                head,
                event: Some(Ok(plain.event)),
                body: bytes.slice_ref(plain.body),
            });
        }
        let request = raw::StreamCallsRequest::decode(bytes.clone()).map_err(|error| format!("not a StreamCallsRequest: {error}"))?;
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
