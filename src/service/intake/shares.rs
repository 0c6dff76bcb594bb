//! Messages of a stream laid out for the cores that take them in.

use std::sync::{Mutex, PoisonError};

use crate::ingest;
use crate::service::live::{lock, place, shard_count};

/// Messages as they came, one after the other in one place: each is taken apart where it is taken in, by the core that does that.
#[derive(Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Messages {
    /// A message more.
    pub fn add(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }

    /// Each, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().filter_map(move |&to| self.bytes.get(std::mem::replace(&mut from, to)..to))
    }

    /// Room for about as many as a share has.
    fn with_room() -> Self {
        const MESSAGES: usize = 40;
        const BYTES: usize = 8 << 10;
        Self { bytes: Vec::with_capacity(BYTES), ends: Vec::with_capacity(MESSAGES) }
    }
}

/// Many messages, shared among the cores that take them in: each takes those of one shard after the other, so that each call's stay in
/// order and none waits long for another.
#[derive(Debug)]
pub struct Shares(Mutex<Vec<Share>>);

/// Messages of one shard's calls, in the order in which they came.
#[derive(Debug)]
pub struct Share {
    pub(super) place: usize,
    pub(super) messages: Messages,
}

impl Default for Shares {
    fn default() -> Self {
        Self(Mutex::new((0..shard_count()).map(|place| Share { place, messages: Messages::default() }).collect()))
    }
}

impl Shares {
    /// A message more. It may turn out to be of another call than it seems, or of none: who takes it in sees.
    pub fn add(&mut self, message: &[u8]) {
        let shares = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get_mut(place(ingest::proto::first_text(message).unwrap_or_default())) {
            if share.messages.ends.is_empty() {
                share.messages = Messages::with_room();
            }
            share.messages.add(message);
        }
    }

    /// A share that nobody has taken yet.
    pub fn next(&self) -> Option<Share> {
        let mut shares = lock(&self.0);
        std::iter::from_fn(|| shares.pop()).find(|share| !share.messages.ends.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::ingest::Limits;
    use crate::script::{Library, ScriptChoice};
    use crate::service::tenant::DEFAULT;
    use crate::service::{Patience, Service};
    use crate::wire::v1;
    use crate::wire::v1::stream_calls_response::Response;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut messages = Messages::default();
        let said: [&[u8]; 4] = [b"one", b"", b"three", b"4"];
        said.iter().for_each(|message| messages.add(message));
        assert_eq!(messages.iter().collect::<Vec<_>>(), said);
    }

    #[test]
    fn each_message_is_in_one_share_and_those_of_a_call_in_order() {
        let message = |call: &str, said: u8| [&[0x0a, call.len() as u8], call.as_bytes(), &[said]].concat();
        let mut shares = Shares::default();
        for said in 0..3 {
            (0..100).for_each(|call| shares.add(&message(&format!("call {call}"), said)));
        }
        let mut seen = std::collections::BTreeMap::<Vec<u8>, Vec<u8>>::new();
        while let Some(share) = shares.next() {
            for message in share.messages.iter() {
                let (said, call) = message.split_last().expect("a message");
                seen.entry(call.to_vec()).or_default().push(*said);
            }
        }
        assert_eq!(seen.len(), 100);
        assert!(seen.values().all(|said| said == &[0, 1, 2]), "{seen:?}");
    }

    #[test]
    fn an_event_is_its_calls_whatever_its_message_begins_with() {
        let scripts = ScriptChoice::new(Library::bundled().expect("the bundled scripts compile"), None).expect("a choice");
        let service = Service::new(scripts, Limits::default(), Patience::default());
        let tenant = service.tenants.of(DEFAULT);
        let message = |call_id: String, seq: u32| {
            let event = Some(v1::CallEvent { at_ms: seq, event: Some(v1::call_event::Event::Answered(v1::Answered {})) });
            v1::StreamCallsRequest { call_id, seq, event, script_id: "telemarketing".to_owned(), ..Default::default() }.encode_to_vec()
        };
        let mut shares = Shares::default();
        for call in 0..40 {
            let call = format!("call {call}");
            // Of a field that comes twice the last one counts.
            let other = v1::StreamCallsRequest { call_id: "another".to_owned(), ..Default::default() }.encode_to_vec();
            shares.add(&message(call.clone(), 1));
            shares.add(&[other, message(call, 2)].concat());
        }
        shares.add(b"no message");
        let mut intake = service.intake(std::time::Instant::now(), &tenant, None);
        while let Some(share) = shares.next() {
            intake.take_share(&share, false);
        }
        let told = intake.taken().told;
        let answers: Vec<_> = told.into_iter().filter_map(|told| v1::StreamCallsResponse::from(told).response).collect();
        let acks = answers.iter().filter(|answer| matches!(answer, Response::Ack(ack) if ack.call_id.starts_with("call ")));
        let refused = answers.iter().filter(|answer| matches!(answer, Response::Rejection(_)));
        assert_eq!((acks.count(), refused.count()), (80, 1), "{answers:?}");
        for call in 0..40 {
            let state = service.verdict(&tenant, &format!("call {call}")).expect("a call");
            assert!(state.signals.is_some_and(|signals| signals.connected), "call {call}");
        }
        assert!(service.verdict(&tenant, "another").is_err());
    }
}
