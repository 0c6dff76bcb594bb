//! Requests taken apart field by field, wire-compatible with the generated messages.
//!
//! Protobuf decoding fails as a whole: one byte that is not UTF-8 in one event would lose the call, and end a stream of
//! thousands. Here texts are bytes and events are undecoded, so that what is wrong with an event stays with it.

use std::collections::BTreeMap;

use bytes::Bytes;
use pbjson_types::Timestamp;
use prost::Message;

use super::v1;

/// [`v1::StreamCallsRequest`], event undecoded.
#[derive(Clone, PartialEq, Message)]
pub struct StreamCallsRequest {
    /// The call.
    #[prost(bytes = "bytes", tag = "1")]
    pub call_id: Bytes,
    /// Its place in the call.
    #[prost(uint32, tag = "2")]
    pub seq: u32,
    /// A [`v1::CallEvent`].
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub event: Option<Bytes>,
    /// With seq 1.
    #[prost(bytes = "bytes", tag = "4")]
    pub script_id: Bytes,
    /// With seq 1.
    #[prost(message, optional, tag = "5")]
    pub started_at: Option<Timestamp>,
    /// With seq 1.
    #[prost(bytes = "bytes", tag = "6")]
    pub time_zone: Bytes,
    /// With seq 1.
    #[prost(message, repeated, tag = "7")]
    pub attributes: Vec<Attribute>,
}

/// [`v1::GradeCallRequest`], events undecoded.
#[derive(Clone, PartialEq, Message)]
pub struct GradeCallRequest {
    /// The call.
    #[prost(message, optional, tag = "1")]
    pub call: Option<Call>,
}

/// [`v1::Call`], events undecoded.
#[derive(Clone, PartialEq, Message)]
pub struct Call {
    /// The dialer's id.
    #[prost(bytes = "bytes", tag = "1")]
    pub call_id: Bytes,
    /// The script.
    #[prost(bytes = "bytes", tag = "2")]
    pub script_id: Bytes,
    /// When dialing began.
    #[prost(message, optional, tag = "3")]
    pub started_at: Option<Timestamp>,
    /// IANA time zone.
    #[prost(bytes = "bytes", tag = "4")]
    pub time_zone: Bytes,
    /// Filterable, never interpreted.
    #[prost(message, repeated, tag = "5")]
    pub attributes: Vec<Attribute>,
    /// [`v1::CallEvent`]s.
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub events: Vec<Bytes>,
}

/// An entry of a map of strings.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Its key.
    #[prost(bytes = "bytes", tag = "1")]
    pub key: Bytes,
    /// Its value.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// Why an event's bytes are no event.
///
/// # Errors
/// What prost says, in words that name the cause a sender can see.
pub fn decode_event(bytes: &Bytes) -> Result<v1::CallEvent, String> {
    v1::CallEvent::decode(bytes.clone()).map_err(|error| {
        let reason = error.to_string();
        if reason.contains("UTF-8") { "text that is not UTF-8".to_owned() } else { format!("not a CallEvent: {reason}") }
    })
}

/// Text, invalid bytes replaced.
#[must_use]
pub fn lossy(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Attributes as a map, invalid bytes replaced.
#[must_use]
pub fn attributes(list: &[Attribute]) -> BTreeMap<String, String> {
    list.iter().map(|attribute| (lossy(&attribute.key), lossy(&attribute.value))).collect()
}
