//! One live call: its events put in order, gaps waited for, verdicts sent when they change.

use std::hint::black_box;
use std::sync::{Arc, Weak};
use std::time::Instant;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::core::call::{CallState, Standing};
use crate::core::event::Event;
use crate::core::recall::{Reading, Words};
use crate::core::script::Script;
use crate::ingest;
use crate::store::calls::EventKind;
use crate::telemetry::Metrics;

use super::event::Head;
use super::live::Outbox;
use super::quota::Permit;
use super::tenant::Tenant;
use super::told::Answer;
use super::{Patience, Refusal};

mod expire;
mod keep;
mod order;
mod restore;
mod tell;

pub(super) use keep::Keeping;
pub(super) use restore::Asleep;

use order::Order;

/// What an event led to: an acknowledgement, and sometimes a verdict.
pub(super) type Answers = SmallVec<[Answer; 2]>;

/// An event as it came.
#[derive(Debug)]
pub(super) struct Offered {
    /// Taken apart, or why it could not be.
    pub(super) event: Result<Event, String>,
    /// The bytes of its message, where they are kept.
    pub(super) body: Bytes,
    /// What was read from its words, if that has been done.
    pub(super) reading: Reading,
    /// Keyed hashes of the personal numbers that were masked in it.
    pub(super) numbers: Vec<[u8; 16]>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) call_id: Arc<str>,
    pub(super) tenant: Arc<Tenant>,
    /// Its place among the tenant's live calls, as long as it is one.
    pub(super) room: Option<Permit>,
    /// The call's number in the store; 0 until something of it is kept.
    pub(super) number: i64,
    /// `None` until the script is known.
    call: Option<CallState>,
    /// A call that came from the store and has not been looked at since.
    asleep: Option<Box<Asleep>>,
    /// What is known of its head until that is kept.
    told_head: Option<Box<Head>>,
    /// Event 1 has come, and with it all that will be known of when the call began.
    dated: bool,
    /// Why the call cannot be graded at all.
    barred: Option<Refusal>,
    order: Order,
    pub(super) touched: Instant,
    ended_at: Option<Instant>,
    sent: Standing,
    /// A verdict of it was pushed.
    heard: bool,
    /// Of the final verdict that was sent last; 0 before there is one.
    revision: u32,
    notices: Vec<String>,
    /// The stream that hears of what happens without an event.
    pub(super) owner: Weak<Outbox>,
    /// What the owner has not been told yet.
    pub(super) owed: Vec<Answer>,
    /// When the session is due to be looked at next, as far as the schedule knows.
    pub(super) scheduled: Option<Instant>,
}

impl Session {
    pub(super) fn new(tenant: Arc<Tenant>, call_id: Arc<str>, now: Instant) -> Self {
        Self {
            call_id,
            tenant,
            room: None,
            number: 0,
            call: None,
            asleep: None,
            told_head: None,
            dated: false,
            barred: None,
            order: Order::default(),
            touched: now,
            ended_at: None,
            sent: Standing::default(),
            heard: false,
            revision: 0,
            notices: Vec::new(),
            owner: Weak::new(),
            owed: Vec::new(),
            scheduled: None,
        }
    }

    /// Loads what taking an event in looks at of the session itself, for the sake of the caches alone.
    pub(super) fn fetch(&self) {
        black_box((self.order.next(), self.touched, self.ended_at, self.scheduled, self.revision, self.number));
        if let Some(call) = &self.call {
            call.fetch();
        }
    }

    /// As [`fetch`](Self::fetch), of what the session points to.
    pub(super) fn fetch_behind(&self) {
        if let Some(call) = &self.call {
            call.fetch_behind();
        }
    }

    /// The words of an event that will be taken in as it is, as far as is known.
    pub(super) fn words<'a>(&'a self, event: &'a Event) -> Option<Words<'a>> {
        let settings = &self.tenant.settings;
        let call = self.call.as_ref().filter(|call| !settings.mask && call.len() < settings.limits.call_events)?;
        ingest::check(event, &settings.limits).ok()?;
        call.words(event)
    }

    /// Whether the script is known.
    pub(super) fn begun(&self) -> bool {
        self.call.is_some() || self.asleep.is_some()
    }

    pub(super) fn begin(&mut self, script: Arc<Script>) {
        let zone = &self.tenant.settings.time_zone;
        let call = self.call.get_or_insert_with(|| CallState::new(script));
        if !zone.is_empty() {
            call.set_clock(ingest::clock(None, zone));
        }
    }

    /// Takes the call's head as the message with event `seq` carries it. The head is event 1's, a repetition of which changes
    /// nothing; another's counts until that has come.
    fn head(&mut self, seq: u32, head: Option<Box<Head>>) {
        // What is kept of it stays.
        let Some(call) = self.call.as_mut().filter(|_| !self.dated && self.number == 0) else { return };
        if let Some(head) = head {
            if let Some(clock) = head.clock(&self.tenant.settings.time_zone) {
                call.set_clock(clock);
            }
            if self.number == 0 {
                self.told_head = Some(head);
            }
        }
        self.dated = seq == 1;
    }

    /// Refuses the call: every event of it is answered with the reason.
    pub(super) fn bar(&mut self, refusal: Refusal) {
        self.barred = Some(refusal);
    }

    /// Whether this stream hears of what happens without an event.
    pub(super) fn owned_by(&self, stream: &Arc<Outbox>) -> bool {
        std::ptr::eq(self.owner.as_ptr(), Arc::as_ptr(stream))
    }

    /// Whether it waits for an event that later ones have overtaken.
    pub(super) fn gapped(&self) -> bool {
        self.order.gapped()
    }

    /// Events of the call were refused with the word to send them again: they are waited for.
    pub(super) fn send_back(&mut self, seqs: impl IntoIterator<Item = u32>) {
        self.order.send_back(seqs);
    }

    /// Takes an event in, and what its message says of the call.
    pub(super) fn take(&mut self, seq: u32, head: Option<Box<Head>>, event: Offered, cx: &mut Context<'_>, answers: &mut Answers) {
        self.touched = cx.now;
        self.wake(cx.now);
        let told = self.told();
        self.head(seq, head);
        self.order.came(seq);
        if let (Some(refusal), None) = (&self.barred, &self.call) {
            let waiting = self.order.take_waiting().chain([seq]);
            answers.extend(waiting.map(|seq| Answer::refused(seq, refusal.clone())));
            return;
        }
        let late = seq >= self.order.next() || self.order.is_missing(seq);
        if late && self.is_closed(cx) {
            answers.push(Answer::refused(seq, closed()));
            return;
        }
        if seq < self.order.next() {
            // A duplicate changes nothing; one that was given up on takes its place after all.
            if self.order.take_missing(seq) {
                self.apply(seq, event, cx, answers);
                self.tell(told, answers, cx);
            } else if cx.returned {
                // Whoever sends again may not have heard how it ended.
                answers.extend(told.map(Answer::Verdict));
            }
            answers.push(Answer::Ack { kept: self.order.kept(), came: (seq, seq) });
            return;
        }
        let before = self.order.next();
        if self.order.is_next(seq) && self.call.is_some() {
            // In order, as nearly always: nothing waits for it.
            self.order.advance();
            self.apply(seq, event, cx, answers);
            self.order.close_gap();
        } else {
            self.order.lay_aside(seq, event);
            self.drain(cx, answers);
            if self.order.waiting() > cx.patience.gap_events {
                match self.order.owed() {
                    // No more wait than may, and what was sent back will come.
                    Some(owed) => {
                        self.order.refuse(seq);
                        answers.push(Answer::refused(seq, Refusal::Behind(owed)));
                    }
                    None => self.skip_gap(cx, answers),
                }
            }
        }
        self.acknowledge(before, answers);
        self.tell(told, answers, cx);
    }

    /// Acknowledges the events from `from` to the last that was taken in, if there are any.
    fn acknowledge(&self, from: u32, answers: &mut Answers) {
        if self.order.next() > from {
            answers.push(Answer::Ack { kept: self.order.kept(), came: (from, self.order.next() - 1) });
        }
    }

    /// Applies what waits and is next in order.
    fn drain(&mut self, cx: &mut Context<'_>, answers: &mut Answers) {
        if self.call.is_some() {
            while let Some((seq, event)) = self.order.take_next() {
                self.apply(seq, event, cx, answers);
            }
        }
        self.order.wait(cx.now);
    }

    fn apply(&mut self, seq: u32, offered: Offered, cx: &mut Context<'_>, answers: &mut Answers) {
        let Some(call) = &mut self.call else { return };
        let Offered { event, body, reading, numbers } = offered;
        let limits = &self.tenant.settings.limits;
        let event = match event {
            Ok(event) => event,
            Err(reason) => return self.reject(seq, Refusal::Invalid(reason), &numbers, cx, answers),
        };
        if call.len() >= limits.call_events {
            let refusal = Refusal::TooMuch(format!("the call has more than {} events", limits.call_events));
            return self.reject(seq, refusal, &numbers, cx, answers);
        }
        if let Err(reason) = ingest::check(&event, limits) {
            return self.reject(seq, Refusal::Invalid(reason), &numbers, cx, answers);
        }
        call.push_read(seq, event, reading);
        self.keep(seq, EventKind::Taken, body, &numbers, cx);
    }

    /// Has it kept and told that an event is not taken.
    fn reject(&mut self, seq: u32, refusal: Refusal, numbers: &[[u8; 16]], cx: &mut Context<'_>, answers: &mut Answers) {
        let reason = refusal.to_string();
        self.notice(format!("event {seq} rejected: {reason}"));
        answers.push(Answer::refused(seq, refusal));
        self.keep(seq, EventKind::Rejected, Bytes::from(reason), numbers, cx);
    }

    /// Goes on without the events that did not come.
    fn skip_gap(&mut self, cx: &mut Context<'_>, answers: &mut Answers) {
        if self.call.is_none() {
            let reason = "event 1 never came, so the call's script is unknown";
            let refuse = |seq| Answer::refused(seq, Refusal::NotOpen(reason.to_owned()));
            answers.extend(self.order.take_waiting().map(refuse));
            return;
        }
        if self.order.pass_over() {
            self.drain(cx, answers);
        }
    }

    /// Whether it has ended and takes late events no more.
    fn is_closed(&self, cx: &Context<'_>) -> bool {
        self.ended_at.is_some_and(|ended| ended + cx.patience.final_open <= cx.now)
    }

    /// Whether the call is still live.
    pub(super) fn is_live(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Adds a notice that the next verdict carries.
    pub(super) fn notice(&mut self, notice: String) {
        if self.notices.len() < MOST_NOTICES {
            self.notices.push(notice);
        }
    }

    /// Bytes of memory: all, and of these the events' own text.
    pub(super) fn memory(&self) -> (usize, usize) {
        let (call, text) = self.call.as_ref().map_or((0, 0), CallState::memory);
        (size_of::<Self>() - size_of::<CallState>() + call + self.order.memory(), text)
    }
}

/// Most notices kept of a call.
const MOST_NOTICES: usize = 100;

/// Why an event that comes too late is not taken.
pub(super) fn closed() -> Refusal {
    Refusal::NotOpen("the call has ended and is closed to late events".to_owned())
}

/// What a session needs from outside.
pub(super) struct Context<'a> {
    pub(super) now: Instant,
    pub(super) patience: &'a Patience,
    pub(super) metrics: &'a Metrics,
    /// The event came over another stream than those before.
    pub(super) returned: bool,
    /// `None` where nothing is kept.
    pub(super) keeping: Option<Keeping<'a>>,
}
