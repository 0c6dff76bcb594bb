//! The calls being followed, spread over shards so that streams rarely wait for each other.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::session::{Answer, Context, Session};
use super::{Patience, Refusal, Service};
use crate::ingest;
use crate::script::ScriptError;
use crate::wire::{raw, rpc, v1};

/// An event on its way to its call.
#[derive(Debug, Clone, Default)]
pub struct StreamEvent {
    /// The call.
    pub call_id: String,
    /// Its place in the call, from 1.
    pub seq: u32,
    /// With the first event: the script; empty elsewhere.
    pub script_id: String,
    /// The event, or why it is none.
    pub event: Option<Result<crate::core::event::Event, String>>,
}

impl StreamEvent {
    /// Takes a stream's message apart.
    #[must_use]
    pub fn from_wire(request: &raw::StreamCallsRequest) -> Self {
        Self {
            call_id: raw::lossy(&request.call_id),
            seq: request.seq,
            script_id: raw::lossy(&request.script_id),
            event: request.event.as_ref().map(|bytes| raw::decode_event(bytes).and_then(ingest::proto::event)),
        }
    }
}

/// Where a stream hears of calls that something happened to without an event: only their ids, each once, so that a client
/// that does not read costs no more than its calls do.
#[derive(Debug, Default)]
pub struct Outbox {
    calls: Mutex<HashSet<Arc<str>>>,
    notify: Notify,
}

impl Outbox {
    fn push(&self, call: &Arc<str>) {
        lock(&self.calls).insert(Arc::clone(call));
        self.notify.notify_one();
    }

    /// The calls to be asked about, as soon as there are any.
    pub async fn calls(&self) -> HashSet<Arc<str>> {
        loop {
            let notified = self.notify.notified();
            let calls = std::mem::take(&mut *lock(&self.calls));
            if !calls.is_empty() {
                return calls;
            }
            notified.await;
        }
    }
}

#[derive(Debug, Default)]
struct Shard {
    calls: HashMap<Arc<str>, Session, rustc_hash::FxBuildHasher>,
    schedule: BinaryHeap<Reverse<(Instant, Arc<str>)>>,
}

/// The calls being followed.
#[derive(Debug)]
pub struct LiveCalls {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    patience: Patience,
}

/// A power of two well above the number of cores.
const SHARDS: usize = 64;

impl LiveCalls {
    /// None yet.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new(), patience }
    }

    fn shard(&self, call_id: &str) -> MutexGuard<'_, Shard> {
        lock(&self.shards[self.hasher.hash_one(call_id) as usize % SHARDS])
    }

    /// How many calls are held, live and recently ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).calls.len()).sum()
    }

    /// Whether none are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the calls take: all, and of these the events' own text.
    #[must_use]
    pub fn memory(&self) -> (usize, usize) {
        let mut total = (0, 0);
        for shard in &self.shards {
            for session in lock(shard).calls.values() {
                let (all, text) = session.memory();
                total = (total.0 + all, total.1 + text);
            }
        }
        total
    }
}

/// A thread that panicked while holding a shard left it whole: sessions are replaced, never half written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// Takes an event in; what it led to goes into `responses`. Whether the call now waits for an earlier event.
    pub fn event(&self, event: StreamEvent, owner: Option<&Arc<Outbox>>, responses: &mut Vec<v1::StreamCallsResponse>) -> bool {
        let StreamEvent { call_id, seq, script_id, event } = event;
        if call_id.is_empty() {
            responses.push(rejection("", seq, &Refusal::Invalid("the event has no call_id".to_owned())));
            return false;
        }
        let event = event.unwrap_or_else(|| Err("the message has no event".to_owned()));
        let now = Instant::now();
        let cx = Context { now, patience: &self.live.patience, limits: &self.limits };
        let mut shard = self.live.shard(&call_id);
        let Shard { calls, schedule } = &mut *shard;
        let key = match calls.get_key_value(call_id.as_str()) {
            Some((key, _)) => Arc::clone(key),
            None => Arc::from(call_id.as_str()),
        };
        let session = calls.entry(Arc::clone(&key)).or_insert_with(|| Session::new(now));
        if !session.begun() && (seq == 1 || !script_id.is_empty()) {
            match self.scripts.of(&script_id) {
                Ok(script) => session.begin(script),
                Err(error) => session.bar(Refusal::Script(error)),
            }
        }
        // Another stream may hear of the call so far, and wait for its gap.
        let mut other = None;
        match owner {
            Some(owner) if !session.owned_by(owner) => {
                other = session.owner.upgrade();
                session.owner = Arc::downgrade(owner);
            }
            Some(_) => {}
            None => other = session.owner.upgrade(),
        }
        let mut answers = if owner.is_none() && other.is_some() { Vec::new() } else { std::mem::take(&mut session.owed) };
        session.take(&call_id, seq, event, cx, &mut answers);
        let gapped = session.gapped();
        if let Some(other) = other {
            other.push(&key);
        }
        let due = session.due(cx.patience);
        if session.scheduled.is_none_or(|scheduled| due < scheduled) {
            session.scheduled = Some(due);
            schedule.push(Reverse((due, key)));
        }
        drop(shard);
        responses.extend(answers.into_iter().map(|answer| response(&call_id, answer)));
        gapped
    }

    /// What a call's owner has not been told yet, and whether the call still waits for an earlier event. A stream that no
    /// longer hears of the call is told nothing and has nothing to wait for.
    pub fn owed(&self, call_id: &str, owner: &Arc<Outbox>, responses: &mut Vec<v1::StreamCallsResponse>) -> bool {
        let mut shard = self.live.shard(call_id);
        let Some(session) = shard.calls.get_mut(call_id).filter(|session| session.owned_by(owner)) else { return false };
        responses.extend(std::mem::take(&mut session.owed).into_iter().map(|answer| response(call_id, answer)));
        let gapped = session.gapped();
        if !session.begun() && !gapped {
            shard.calls.remove(call_id);
        }
        gapped
    }

    /// The verdict of a live or recently ended call as of now.
    ///
    /// # Errors
    /// There is no such call.
    pub fn verdict(&self, call_id: &str) -> Result<v1::Verdict, Refusal> {
        let shard = self.live.shard(call_id);
        shard.calls.get(call_id).and_then(|session| session.verdict(call_id)).ok_or_else(|| Refusal::NoCall(call_id.to_owned()))
    }

    /// Does what is due now: gaps given up, idle calls ended, ended ones forgotten. To be called every so often.
    pub fn tick(&self, now: Instant) {
        let cx = Context { now, patience: &self.live.patience, limits: &self.limits };
        for shard in &self.live.shards {
            let mut shard = lock(shard);
            let Shard { calls, schedule } = &mut *shard;
            while schedule.peek().is_some_and(|Reverse((due, _))| *due <= now) {
                let Some(Reverse((_, key))) = schedule.pop() else { break };
                let Some(session) = calls.get_mut(&key) else { continue };
                session.scheduled = None;
                let due = session.due(cx.patience);
                if due <= now {
                    if session.expire(&key, cx) {
                        calls.remove(&key);
                        continue;
                    }
                    if !session.owed.is_empty()
                        && let Some(owner) = session.owner.upgrade()
                    {
                        owner.push(&key);
                    }
                }
                let due = session.due(cx.patience);
                session.scheduled = Some(due);
                schedule.push(Reverse((due, key)));
            }
        }
    }

    /// Hands back a stream's live calls before the server goes: each one's verdict as of now, with a word that it is not kept.
    pub fn hand_back(&self, owner: &Arc<Outbox>, responses: &mut Vec<v1::StreamCallsResponse>) {
        for shard in &self.live.shards {
            let mut shard = lock(shard);
            for (key, session) in &mut shard.calls {
                if session.owned_by(owner) && session.is_live() {
                    session.notice("the server is shutting down and keeps no live state: send this call again from event 1");
                    responses.extend(session.verdict(key).map(|verdict| response(key, Answer::Verdict(Box::new(verdict)))));
                }
            }
        }
    }
}

fn response(call_id: &str, answer: Answer) -> v1::StreamCallsResponse {
    use v1::stream_calls_response::Response;
    let response = match answer {
        Answer::Ack(seq) => Response::Ack(v1::Ack { call_id: call_id.to_owned(), seq }),
        Answer::Verdict(verdict) => Response::Verdict(*verdict),
        Answer::Refused(seq, refusal) => return rejection(call_id, seq, &refusal),
    };
    v1::StreamCallsResponse { response: Some(response) }
}

/// A refusal as a stream answers it.
#[must_use]
pub fn rejection(call_id: &str, seq: u32, refusal: &Refusal) -> v1::StreamCallsResponse {
    let rejection = v1::Rejection { call_id: call_id.to_owned(), seq, status: Some(status(call_id, seq, refusal)) };
    v1::StreamCallsResponse { response: Some(v1::stream_calls_response::Response::Rejection(rejection)) }
}

/// A refusal as `google.rpc.Status`, with typed details.
#[must_use]
pub fn status(call_id: &str, seq: u32, refusal: &Refusal) -> rpc::Status {
    use prost::Message;
    use tonic_types::StatusExt;
    let details = match refusal {
        Refusal::Invalid(reason) | Refusal::TooMuch(reason) => {
            tonic_types::ErrorDetails::with_bad_request_violation(field(seq), reason.as_str())
        }
        Refusal::Script(error @ (ScriptError::Unknown(id, _) | ScriptError::Version(id, _, _))) => {
            tonic_types::ErrorDetails::with_resource_info("script", id.as_str(), "", error.to_string())
        }
        Refusal::NotOpen(reason) => tonic_types::ErrorDetails::with_precondition_failure_violation("CALL", call_id, reason.as_str()),
        Refusal::NoCall(_) => tonic_types::ErrorDetails::with_resource_info("call", call_id, "", ""),
    };
    let code = match refusal {
        Refusal::Invalid(_) => tonic::Code::InvalidArgument,
        Refusal::TooMuch(_) => tonic::Code::ResourceExhausted,
        Refusal::Script(_) | Refusal::NoCall(_) => tonic::Code::NotFound,
        Refusal::NotOpen(_) => tonic::Code::FailedPrecondition,
    };
    let rich = tonic::Status::with_error_details(code, refusal.to_string(), details);
    rpc::Status::decode(rich.details()).unwrap_or(rpc::Status { code: code as i32, message: refusal.to_string(), details: Vec::new() })
}

fn field(seq: u32) -> String {
    if seq == 0 { "call".to_owned() } else { format!("events[{}]", seq - 1) }
}
