//! The calls being followed, spread over shards so that streams rarely wait for each other.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use pbjson_types::Timestamp;
use prost::Message;
use smallvec::SmallVec;
use tokio::sync::Notify;

use super::session::{Answers, Context, Session};
use super::told::{Answer, Told};
use super::{Patience, Refusal, Service};
use crate::core::callback::CallClock;
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
    /// With the first event: when the call began and in which time zone; `None` where the message tells neither.
    pub clock: Option<CallClock>,
    /// The event, or why it is none.
    pub event: Option<Result<crate::core::event::Event, String>>,
}

impl StreamEvent {
    /// Takes a stream's message apart; each thing that is wrong with its event stays with the event.
    ///
    /// # Errors
    /// The bytes are no message.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        if let Some(plain) = ingest::proto::plain(bytes) {
            return Ok(Self {
                call_id: plain.call_id.to_owned(),
                seq: plain.seq,
                script_id: plain.script_id.to_owned(),
                clock: None,
                event: Some(Ok(plain.event)),
            });
        }
        let request =
            raw::StreamCallsRequest::decode(Bytes::copy_from_slice(bytes)).map_err(|error| format!("not a StreamCallsRequest: {error}"))?;
        Ok(Self {
            call_id: raw::lossy(&request.call_id),
            seq: request.seq,
            script_id: raw::lossy(&request.script_id),
            clock: clock(request.started_at.as_ref(), &raw::lossy(&request.time_zone)),
            event: request.event.as_ref().map(|bytes| raw::decode_event(bytes).and_then(ingest::proto::event)),
        })
    }
}

/// The clock of a head that tells anything.
#[must_use]
pub fn clock(started_at: Option<&Timestamp>, time_zone: &str) -> Option<CallClock> {
    (started_at.is_some() || !time_zone.is_empty()).then(|| ingest::clock(started_at, time_zone))
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
    /// By the bytes of their ids, which most often lie in the map itself: a million calls are not in any cache.
    calls: HashMap<SmallVec<[u8; 24]>, Box<Session>, rustc_hash::FxBuildHasher>,
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
    /// Takes an event in; what it led to goes into `responses`. The call's id, if it now waits for an earlier event.
    pub fn event<R: From<Told>>(&self, event: StreamEvent, owner: Option<&Arc<Outbox>>, responses: &mut Vec<R>) -> Option<Arc<str>> {
        self.event_at(Instant::now(), event, owner, responses)
    }

    /// Takes in an event that came at `now`, as [`event`](Self::event) does.
    pub fn event_at<R: From<Told>>(
        &self,
        now: Instant,
        event: StreamEvent,
        owner: Option<&Arc<Outbox>>,
        responses: &mut Vec<R>,
    ) -> Option<Arc<str>> {
        let StreamEvent { call_id, seq, script_id, clock, event } = event;
        if call_id.is_empty() {
            responses.push(Told::refused(seq, Refusal::Invalid("the event has no call_id".to_owned())).into());
            return None;
        }
        let event = event.unwrap_or_else(|| Err("the message has no event".to_owned()));
        let cx = Context { now, patience: &self.live.patience, limits: &self.limits };
        let mut shard = self.live.shard(&call_id);
        let Shard { calls, schedule } = &mut *shard;
        if !calls.contains_key(call_id.as_bytes()) {
            calls.insert(call_id.as_bytes().into(), Box::new(Session::new(Arc::from(call_id.as_str()), now)));
        }
        let session = calls.get_mut(call_id.as_bytes())?;
        if !session.begun() && (seq == 1 || !script_id.is_empty()) {
            match self.scripts.of(&script_id) {
                Ok(script) => session.begin(script),
                Err(error) => session.bar(Refusal::Script(error)),
            }
        }
        session.head(seq, clock);
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
        let mut answers =
            if owner.is_none() && other.is_some() { Answers::new() } else { Answers::from_vec(std::mem::take(&mut session.owed)) };
        session.take(seq, event, cx, &mut answers);
        let gapped = session.gapped().then(|| Arc::clone(&session.call_id));
        if let Some(other) = other {
            other.push(&session.call_id);
        }
        let due = session.due(cx.patience);
        if session.scheduled.is_none_or(|scheduled| due < scheduled) {
            session.scheduled = Some(due);
            schedule.push(Reverse((due, Arc::clone(&session.call_id))));
        }
        drop(shard);
        told(call_id, answers, responses);
        gapped
    }

    /// What a call's owner has not been told yet, and whether the call still waits for an earlier event. A stream that no
    /// longer hears of the call is told nothing and has nothing to wait for.
    pub fn owed<R: From<Told>>(&self, call_id: &str, owner: &Arc<Outbox>, responses: &mut Vec<R>) -> bool {
        let mut shard = self.live.shard(call_id);
        let Some(session) = shard.calls.get_mut(call_id.as_bytes()).filter(|session| session.owned_by(owner)) else { return false };
        told(call_id.to_owned(), Answers::from_vec(std::mem::take(&mut session.owed)), responses);
        let gapped = session.gapped();
        if !session.begun() && !gapped {
            shard.calls.remove(call_id.as_bytes());
        }
        gapped
    }

    /// The verdict of a live or recently ended call as of now.
    ///
    /// # Errors
    /// There is no such call.
    pub fn verdict(&self, call_id: &str) -> Result<v1::Verdict, Refusal> {
        let shard = self.live.shard(call_id);
        let graded = shard.calls.get(call_id.as_bytes()).and_then(|session| session.verdict());
        drop(shard);
        graded.map(|graded| graded.message(call_id)).ok_or_else(|| Refusal::NoCall(call_id.to_owned()))
    }

    /// Does what is due now: gaps given up, idle calls ended, ended ones forgotten. To be called every so often.
    pub fn tick(&self, now: Instant) {
        let cx = Context { now, patience: &self.live.patience, limits: &self.limits };
        for shard in &self.live.shards {
            let mut shard = lock(shard);
            let Shard { calls, schedule } = &mut *shard;
            while schedule.peek().is_some_and(|Reverse((due, _))| *due <= now) {
                let Some(Reverse((_, key))) = schedule.pop() else { break };
                let Some(session) = calls.get_mut(key.as_bytes()) else { continue };
                session.scheduled = None;
                let due = session.due(cx.patience);
                if due <= now {
                    if session.expire(cx) {
                        calls.remove(key.as_bytes());
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
    pub fn hand_back<R: From<Told>>(&self, owner: &Arc<Outbox>, responses: &mut Vec<R>) {
        for shard in &self.live.shards {
            let mut shard = lock(shard);
            for session in shard.calls.values_mut() {
                if session.owned_by(owner) && session.is_live() {
                    session.notice("the server is shutting down and keeps no live state: send this call again from event 1");
                    responses
                        .extend(session.verdict().map(|graded| Told::new(session.call_id.to_string(), Answer::Verdict(graded)).into()));
                }
            }
        }
    }
}

/// Tells what an event led to; the last answer, most often the only one, takes the call's id along.
fn told<R: From<Told>>(call_id: String, mut answers: Answers, responses: &mut Vec<R>) {
    let last = answers.pop();
    responses.extend(answers.into_iter().map(|answer| Told::new(call_id.clone(), answer).into()));
    responses.extend(last.map(|answer| Told::new(call_id, answer).into()));
}

/// A refusal as `google.rpc.Status`, with typed details.
#[must_use]
pub fn status(call_id: &str, seq: u32, refusal: &Refusal) -> rpc::Status {
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
