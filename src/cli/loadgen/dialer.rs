//! One stream: calls begun when they are due, their events sent at their time, what is answered to them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pbjson_types::Timestamp;
use rustc_hash::FxBuildHasher;
use tokio::sync::{mpsc, watch};
use tonic::Status;

use super::connect::Stream;
use super::mix::Mix;
use super::tally::Tally;
use crate::wire::v1;
use crate::wire::v1::call_event::Event as Wire;
use crate::wire::v1::stream_calls_response::Response;

/// Timers are no finer: what was sent within it is measured from when it was sent, or the timer would be what is measured. What was
/// sent later than that, because the stream did not take it, is measured from when it was due.
const TICK: Duration = Duration::from_millis(2);
/// How long answers are waited for after the last one, once all is sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Events sent before answers are looked at again.
const BATCH: usize = 64;

/// When a stream's calls begin, and how fast they go on.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// When all streams began.
    pub(super) begun: Instant,
    /// Which of the streams this is: it takes every so many-th call.
    pub(super) stream: u64,
    pub(super) streams: u64,
    /// Of all streams; 0: the next begins when one has ended.
    pub(super) calls_per_second: f64,
    /// How much faster than life; 0: without a pause.
    pub(super) speed: f64,
    /// Most live calls of this stream.
    pub(super) concurrency: usize,
}

impl Pace {
    /// When a call is to begin; `None`: as soon as there is room.
    fn begins(&self, call: u64) -> Option<Instant> {
        (self.calls_per_second > 0.0).then(|| self.begun + Duration::from_secs_f64(call as f64 / self.calls_per_second))
    }
}

/// A call that is live.
struct Live {
    /// When its first event is due.
    begins: Instant,
    /// How many events it has, its end included.
    events: u32,
    sent: u32,
    /// From when each event is measured that is not acknowledged.
    unanswered: VecDeque<Instant>,
    /// From when its final verdict is measured.
    end_sent: Option<Instant>,
    /// Its label, once the final verdict is there.
    label: Option<String>,
    /// It was hung up before its time.
    cut: bool,
}

impl Live {
    fn acknowledged(&self) -> u32 {
        self.sent - self.unanswered.len() as u32
    }

    fn is_over(&self) -> bool {
        self.sent == self.events && self.unanswered.is_empty() && self.label.is_some()
    }
}

/// One stream's dialer.
pub(super) struct Dialer {
    pace: Pace,
    mix: Arc<Mix>,
    prefix: Arc<str>,
    tally: Arc<Mutex<Tally>>,
    calls: HashMap<u64, Live, FxBuildHasher>,
    /// The next event of each call that has any left. Those of one moment take turns, so that calls are interleaved.
    due: BinaryHeap<Reverse<(Instant, u64, u64)>>,
    turn: u64,
    /// The next call to begin.
    next: u64,
    stopping: bool,
}

impl Dialer {
    pub(super) fn new(pace: Pace, mix: Arc<Mix>, prefix: Arc<str>, tally: Arc<Mutex<Tally>>) -> Self {
        let next = pace.stream;
        Self { pace, mix, prefix, tally, calls: HashMap::default(), due: BinaryHeap::new(), turn: 0, next, stopping: false }
    }

    /// Dials until it is told to stop, then hangs up and waits for what is still to be answered.
    ///
    /// # Errors
    /// The stream broke; its calls are lost.
    pub(super) async fn run(mut self, stream: Stream, mut stopping: watch::Receiver<bool>) -> Result<(), Status> {
        let ended = self.talk(stream, &mut stopping).await;
        let mut tally = self.tally();
        tally.lost += self.calls.values().filter(|call| call.sent > 0).count() as u64;
        tally.lost_events += self.calls.values().map(|call| call.unanswered.len() as u64).sum::<u64>();
        tally.broken += u64::from(ended.is_err());
        drop(tally);
        ended
    }

    async fn talk(&mut self, stream: Stream, stopping: &mut watch::Receiver<bool>) -> Result<(), Status> {
        let Stream { requests, mut answers } = stream;
        // When something was sent or answered last.
        let mut moved = Instant::now();
        loop {
            self.begin(Instant::now());
            if self.stopping && self.calls.is_empty() {
                return Ok(());
            }
            let waits = self.due.is_empty() && self.stopping;
            let next = if waits { Some(moved + PATIENCE) } else { self.wakes() };
            let is_due = self.due.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now());
            tokio::select! {
                answer = answers.message() => {
                    moved = Instant::now();
                    match answer? {
                        Some(answer) => self.hear(answer, moved),
                        None => return Err(ended()),
                    }
                }
                permit = requests.reserve(), if is_due => {
                    let Ok(permit) = permit else {
                        // Why it takes no more is the last that it answers.
                        while let Some(answer) = answers.message().await? {
                            self.hear(answer, Instant::now());
                        }
                        return Err(ended());
                    };
                    self.send(permit);
                    for _ in 1..BATCH {
                        let Ok(permit) = requests.try_reserve() else { break };
                        self.send(permit);
                    }
                    moved = Instant::now();
                }
                () = sleep_until(next), if !is_due => if waits && moved.elapsed() >= PATIENCE {
                    return Ok(());
                },
                () = stopped(stopping), if !self.stopping => {
                    self.stop();
                    moved = Instant::now();
                }
            }
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When there is something to do next; `None`: when something is answered.
    fn wakes(&self) -> Option<Instant> {
        let call = self.pace.begins(self.next).filter(|_| self.has_room());
        let event = self.due.peek().map(|Reverse((due, ..))| *due);
        call.into_iter().chain(event).min()
    }

    fn has_room(&self) -> bool {
        !self.stopping && self.calls.len() < self.pace.concurrency
    }

    /// Begins the calls that are due.
    fn begin(&mut self, now: Instant) {
        while self.has_room() {
            let due = self.pace.begins(self.next);
            if due.is_some_and(|due| due > now) {
                return;
            }
            let late = due.is_some_and(|due| now - due > TICK.max(self.interval()));
            self.tally().late += u64::from(late);
            let number = self.next;
            self.next += self.pace.streams;
            let begins = due.filter(|_| !late).unwrap_or(now);
            let events = self.mix.template(number).events.len() as u32;
            let live = Live { begins, events, sent: 0, unanswered: VecDeque::new(), end_sent: None, label: None, cut: false };
            self.calls.insert(number, live);
            self.schedule(number, begins);
        }
    }

    /// Between two calls of this stream.
    fn interval(&self) -> Duration {
        Duration::try_from_secs_f64(self.pace.streams as f64 / self.pace.calls_per_second).unwrap_or_default()
    }

    fn schedule(&mut self, number: u64, due: Instant) {
        self.turn += 1;
        self.due.push(Reverse((due, self.turn, number)));
    }

    /// Sends the event that is due, if there is one.
    fn send(&mut self, permit: mpsc::Permit<'_, v1::StreamCallsRequest>) {
        let now = Instant::now();
        let Some(Reverse((due, _, number))) = self.due.peek().copied().filter(|Reverse((due, ..))| *due <= now) else { return };
        self.due.pop();
        let Some(call) = self.calls.get_mut(&number) else { return };
        let template = self.mix.template(number);
        let place = call.sent as usize;
        call.sent += 1;
        let first = call.sent == 1;
        let mut event = template.events[place].clone();
        if call.cut && call.sent == call.events {
            event.event = Some(Wire::Hangup(v1::Hangup::default()));
        }
        let unpaced = self.pace.speed == 0.0 && self.pace.calls_per_second == 0.0;
        let from = if unpaced || now - due <= TICK { now } else { due };
        call.unanswered.push_back(from);
        if call.sent == call.events {
            call.end_sent = Some(from);
        }
        let next = template.events.get(place + 1).filter(|_| call.sent < call.events).map(|next| {
            let passed_ms = next.at_ms.saturating_sub(template.events[0].at_ms);
            let passed = Duration::try_from_secs_f64(f64::from(passed_ms) / 1_000.0 / self.pace.speed).unwrap_or_default();
            // Recognisers report late: what happened before is not sent before.
            (call.begins + passed).max(due)
        });
        let mut message = v1::StreamCallsRequest {
            call_id: format!("{}-{number}", self.prefix),
            seq: call.sent,
            event: Some(event),
            ..Default::default()
        };
        if first {
            message.script_id.clone_from(&template.script_id);
            message.time_zone.clone_from(&template.time_zone);
            let wall = jiff::Timestamp::now();
            message.started_at = Some(Timestamp { seconds: wall.as_second(), nanos: wall.subsec_nanosecond() });
            message.attributes.insert("loadgen".to_owned(), self.prefix.to_string());
        }
        permit.send(message);
        if let Some(next) = next {
            self.schedule(number, next);
        }
        let mut tally = self.tally();
        tally.begun += u64::from(first);
        tally.sent += 1;
    }

    /// Takes an answer.
    fn hear(&mut self, answer: v1::StreamCallsResponse, now: Instant) {
        let tally = Arc::clone(&self.tally);
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.heard = Some(now);
        match answer.response {
            Some(Response::Ack(ack)) => {
                let Some((number, call)) = self.call(&ack.call_id) else { return };
                while call.acknowledged() < ack.seq
                    && let Some(from) = call.unanswered.pop_front()
                {
                    tally.acknowledged += 1;
                    tally.acknowledgement.record(now - from);
                }
                self.finish(number, &mut tally);
            }
            Some(Response::Verdict(verdict)) if verdict.r#final => {
                let Some((number, call)) = self.call(&verdict.call_id) else { return };
                if let Some(end) = call.end_sent.filter(|_| call.label.is_none()) {
                    tally.verdict.record(now - end);
                    call.label = Some(verdict.label);
                }
                self.finish(number, &mut tally);
            }
            Some(Response::Verdict(_)) => tally.provisional += 1,
            Some(Response::Rejection(rejection)) => {
                tally.reject(rejection.status.map_or(0, |status| status.code));
                // What is left of the call is not sent, and what is answered to it counts no more.
                if let Some((number, _)) = self.call(&rejection.call_id) {
                    self.calls.remove(&number);
                    tally.refused += 1;
                }
            }
            None => {}
        }
    }

    /// A live call by its id.
    fn call(&mut self, id: &str) -> Option<(u64, &mut Live)> {
        let number = id.strip_prefix(&*self.prefix)?.strip_prefix('-')?.parse().ok()?;
        Some((number, self.calls.get_mut(&number)?))
    }

    /// Lets go of a call if it is over.
    fn finish(&mut self, number: u64, tally: &mut Tally) {
        if self.calls.get(&number).is_some_and(Live::is_over)
            && let Some(call) = self.calls.remove(&number)
        {
            tally.ended += 1;
            *tally.labels.entry(call.label.unwrap_or_default()).or_default() += 1;
        }
    }

    /// Begins no more calls and hangs up those that are live.
    fn stop(&mut self) {
        self.stopping = true;
        let now = Instant::now();
        self.due.clear();
        self.calls.retain(|_, call| call.sent > 0);
        let unfinished: Vec<u64> = self.calls.iter().filter(|(_, call)| call.sent < call.events).map(|(number, _)| *number).collect();
        for number in unfinished {
            let Some(call) = self.calls.get_mut(&number) else { continue };
            if call.sent + 1 < call.events {
                call.events = call.sent + 1;
                call.cut = true;
                self.tally().cut += 1;
            }
            self.schedule(number, now);
        }
    }
}

fn ended() -> Status {
    Status::unavailable("the server ended the stream")
}

/// Resolves when no more calls are to begin.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that whoever would say so is gone.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}
