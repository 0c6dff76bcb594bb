//! What a stream is told, and how it goes onto the wire.

use std::cell::RefCell;
use std::sync::Arc;

use prost::Message;

use super::Refusal;
use super::refusal::status;
use crate::core::call::CallState;
use crate::telemetry::Tally;
use crate::wire::{self, CallHead, v1};

/// A verdict as it goes out: the bytes of its message.
#[derive(Debug, Clone)]
pub(super) struct Graded(Arc<[u8]>);

/// Bytes kept for writing the next verdict of a thread: a few calls' verdicts are far larger than most.
const MOST_WRITING: usize = 16 << 10;

impl Graded {
    /// The verdict on a call as it stands.
    pub(super) fn new(call: &mut CallState, head: CallHead<'_>) -> Self {
        thread_local! {
            /// Where they are written, before it is known how many they are.
            static WRITING: RefCell<Vec<u8>> = RefCell::default();
        }
        let script = Arc::clone(call.script());
        WRITING.with_borrow_mut(|bytes| {
            bytes.clear();
            call.show_verdict(|verdict| wire::encode::verdict(&script, head, verdict, bytes));
            let graded = Self(Arc::from(bytes.as_slice()));
            bytes.shrink_to(MOST_WRITING);
            graded
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn message(&self) -> v1::Verdict {
        // They were written here: property tests hold that they are such a message.
        v1::Verdict::decode(self.bytes()).unwrap_or_default()
    }
}

/// What an event led to, for whoever sent it.
#[derive(Debug)]
pub(super) enum Answer {
    /// Events are kept.
    Ack {
        /// The last one that is with all before it.
        kept: u32,
        /// Those that this is the answer to, from the first to the last.
        came: (u32, u32),
    },
    /// A verdict that differs from the one sent before.
    Verdict(Graded),
    /// This event was not taken.
    Refused(u32, Box<Refusal>),
}

impl Answer {
    pub(super) fn refused(seq: u32, refusal: Refusal) -> Self {
        Self::Refused(seq, Box::new(refusal))
    }

    /// What is told in its place when what led to it could not be kept: of each event that it was not, of a verdict nothing.
    pub(super) fn refuse(self, refusal: &Refusal) -> Vec<Self> {
        match self {
            Self::Ack { came: (from, to), .. } => (from..=to).map(|seq| Self::refused(seq, refusal.clone())).collect(),
            Self::Verdict(_) => Vec::new(),
            Self::Refused(..) => vec![self],
        }
    }
}

/// What a stream is told of a call, a message of its own. It becomes [`v1::StreamCallsResponse`], or its bytes without that
/// message being built.
#[derive(Debug)]
pub struct Told {
    call: String,
    answer: Answer,
}

impl Told {
    pub(super) fn new(call: String, answer: Answer) -> Self {
        Self { call, answer }
    }

    /// That an event, or what came in its place, was not taken, and of which call it is cannot be told.
    #[must_use]
    pub fn refused(seq: u32, refusal: Refusal) -> Self {
        Self { call: String::new(), answer: Answer::refused(seq, refusal) }
    }

    /// What is told in its place when what led to it could not be kept.
    pub(super) fn refuse(self, refusal: &Refusal) -> impl Iterator<Item = Self> {
        let Self { call, answer } = self;
        answer.refuse(refusal).into_iter().map(move |answer| Self::new(call.clone(), answer))
    }

    /// Adds it to what events led to. A rejection is logged by its code: its words may be the call's.
    pub fn tally(&self, tally: &mut Tally) {
        match &self.answer {
            Answer::Ack { .. } => tally.ack(),
            Answer::Refused(seq, refusal) => {
                let code = refusal.code();
                tracing::debug!(call_id = self.call, seq, reason = wire::code_name(code), "event rejected");
                tally.rejection(code);
            }
            Answer::Verdict(_) => {}
        }
    }

    /// Appends the bytes of its message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match &self.answer {
            Answer::Ack { kept, .. } => wire::encode::ack(&self.call, *kept, out),
            Answer::Verdict(graded) => wire::encode::verdict_response(graded.bytes(), out),
            Answer::Refused(seq, refusal) => {
                let message = rejection(&self.call, *seq, refusal);
                out.reserve(message.encoded_len());
                message.encode_raw(out);
            }
        }
    }
}

impl From<Told> for v1::StreamCallsResponse {
    fn from(told: Told) -> Self {
        use v1::stream_calls_response::Response;
        let Told { call: call_id, answer } = told;
        let response = match answer {
            Answer::Ack { kept, .. } => Response::Ack(v1::Ack { call_id, seq: kept }),
            Answer::Verdict(graded) => Response::Verdict(Box::new(graded.message())),
            Answer::Refused(seq, refusal) => return rejection(&call_id, seq, &refusal),
        };
        Self { response: Some(response) }
    }
}

/// A refusal as a stream answers it.
#[must_use]
pub fn rejection(call_id: &str, seq: u32, refusal: &Refusal) -> v1::StreamCallsResponse {
    let rejection = v1::Rejection { call_id: call_id.to_owned(), seq, status: Some(status(call_id, seq, refusal)) };
    v1::StreamCallsResponse { response: Some(v1::stream_calls_response::Response::Rejection(rejection)) }
}
