//! A call being graded: its events in order, what was read from each, and the fold over them.
//!
//! ```
//! # use std::sync::Arc;
//! use callgrade::core::call::CallState;
//! use callgrade::core::event::{Event, EventKind, Hangup, Party};
//!
//! let script = callgrade::script::bundled("telemarketing").unwrap();
//! let mut call = CallState::new(script);
//! call.push(1, Event { at_ms: 8_000, kind: EventKind::Answered });
//! let by = Some(Party::Customer);
//! call.push(2, Event { at_ms: 10_000, kind: EventKind::Hangup(Box::new(Hangup { by, ..Hangup::default() })) });
//! assert_eq!(call.standing().label, Some(3)); // D: hung up at once
//! ```

use std::sync::Arc;

use super::callback::CallClock;
use super::event::{Event, EventKind, Speaker};
use super::recall;
use super::rule::{Facts, Holding, Tried};
use super::script::Script;
use super::signal::Signals;
use super::tracker::{Reading, Sink, Step, Tracker};
use super::verdict::{Conclusion, EndedBy, Verdict};

mod ahead;
mod callback;
mod judge;
mod replaced;
mod stored;
mod view;

pub use judge::rule_for;
use judge::{Told, do_not_call};
use stored::{Stored, carries_id, key, reading_bytes, text_bytes};
pub use view::{LineView, TurnView};

/// Where a call stands: what a live verdict is sent again for when it changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The label, an index into the script's labels; `None` while no rule holds.
    pub label: Option<usize>,
    /// The rule that gave it.
    pub rule: Option<usize>,
    /// The customer asked never to be called again.
    pub do_not_call: bool,
}

/// A call being graded.
#[derive(Debug, Clone)]
pub struct CallState {
    script: Arc<Script>,
    /// When it began and in which time zone: what callback times are relative to.
    clock: CallClock,
    events: Vec<Stored>,
    tracker: Tracker,
    /// What the fold found worth telling, for the next verdict.
    told: Told,
    /// Some robot lines carry node ids: one without is off the flow.
    ids: bool,
    /// How it ended without an event that ends it.
    closed: Option<EndedBy>,
    signals: Signals,
    /// What is known of which rules hold.
    tried: Tried,
    standing: Standing,
}

impl CallState {
    /// A call without events.
    #[must_use]
    pub fn new(script: Arc<Script>) -> Self {
        let Start { tracker, signals, tried, standing } = script.start.get_or_init(|| Start::of(&script)).clone();
        Self {
            script,
            clock: CallClock::default(),
            events: Vec::new(),
            tracker,
            told: Told::default(),
            ids: false,
            closed: None,
            signals,
            tried,
            standing,
        }
    }

    /// Grades a whole call at once: the same as pushing each event and then ending it as
    /// [`EndedBy::EndOfRecord`], but folding once. Of a call without a head; see [`replay_at`](Self::replay_at).
    #[must_use]
    pub fn replay(script: &Arc<Script>, events: Vec<Event>) -> Verdict {
        Self::replay_at(script, CallClock::default(), events)
    }

    /// Grades a whole call that began as its clock says.
    #[must_use]
    pub fn replay_at(script: &Arc<Script>, clock: CallClock, events: Vec<Event>) -> Verdict {
        let mut call = Self::load(script, (1..).zip(events));
        call.clock = clock;
        call.closed = Some(EndedBy::EndOfRecord);
        call.judge()
    }

    /// Grades a whole call as [`replay_at`](Self::replay_at) does, without what speaks for it: for grading millions of calls again, where only
    /// what they come to is compared. No clock: nothing here depends on it.
    #[must_use]
    pub fn replay_labels(script: &Arc<Script>, events: Vec<Event>) -> Conclusion {
        let mut call = Self::load(script, (1..).zip(events));
        call.closed = Some(EndedBy::EndOfRecord);
        call.judge_unheard()
    }

    /// A call with these events, each with its seq, in order: the same as pushing each, but folding once.
    #[must_use]
    pub fn resume(script: &Arc<Script>, clock: CallClock, events: Vec<(u32, Event)>) -> Self {
        let mut call = Self::load(script, events);
        call.clock = clock;
        call.fold_anew();
        call.tried = script.rules.untried();
        call.refresh();
        call
    }

    /// A call with these events, in order of their seq, not yet folded.
    fn load(script: &Arc<Script>, events: impl IntoIterator<Item = (u32, Event)>) -> Self {
        let events = events.into_iter();
        let mut call = Self {
            script: Arc::clone(script),
            clock: CallClock::default(),
            events: Vec::with_capacity(events.size_hint().0),
            tracker: Tracker::new(script),
            told: Told::default(),
            ids: false,
            closed: None,
            signals: Signals::default(),
            tried: Tried::default(),
            standing: Standing::default(),
        };
        for (seq, event) in events {
            call.events.push(Stored { seq, event, reading: Reading::None, replaced_by: None, replaces: false });
        }
        call.link();
        call.read_all();
        call
    }

    /// The script it is graded with.
    #[must_use]
    pub fn script(&self) -> &Arc<Script> {
        &self.script
    }

    /// Sets when the call began and in which time zone: no label depends on it, only the callback's moment.
    pub fn set_clock(&mut self, clock: CallClock) {
        self.clock = clock;
    }

    /// Accepted events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether no event was accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The events, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|stored| &stored.event)
    }

    /// Where the call stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// The facts so far.
    #[must_use]
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// How the call ended; `None` while live.
    #[must_use]
    pub fn ended_by(&self) -> Option<EndedBy> {
        self.tracker.ended_by()
    }

    /// Takes an event in. Its place is by `seq`; one that was seen before changes nothing and is answered `false`.
    pub fn push(&mut self, seq: u32, event: Event) -> bool {
        self.push_read(seq, event, Reading::None)
    }

    /// As [`push`](Self::push), of an event whose [`words`](Self::words) may have been read.
    pub(crate) fn push_read(&mut self, seq: u32, event: Event, reading: Reading) -> bool {
        let place = match self.events.last() {
            Some(last) if last.seq >= seq => match self.events.binary_search_by_key(&seq, |stored| stored.seq) {
                Ok(_) => return false,
                Err(place) => place,
            },
            _ => self.events.len(),
        };
        let late = place < self.events.len();
        if self.events.len() == self.events.capacity() {
            self.events.reserve_exact(more_events(self.events.len()));
        }
        let stored = Stored { seq, event, reading, replaced_by: None, replaces: false };
        if late {
            self.events.insert(place, stored)
        } else {
            self.events.push(stored)
        }
        let named = self.events.get(place).is_some_and(|stored| carries_id(&stored.event));
        let replaces = !late && self.replace(place);
        if late {
            self.link();
        }
        if late || replaces || named && !self.ids || self.closed.is_some() {
            self.rebuild();
        } else {
            self.read(place);
            let Self { script, events, ids, tracker, told, .. } = self;
            Past { script, events, ids: *ids }.apply(tracker, place, told);
        }
        self.refresh();
        true
    }

    /// Ends a call that no event ended, at its last event.
    pub fn close(&mut self, by: EndedBy) {
        if self.ended_by().is_none() {
            self.closed = Some(by);
            self.tracker.finish(&self.script, by);
            self.refresh();
        }
    }

    /// The verdict as of now, with its evidence.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.conclude()
    }

    /// Bytes of memory beyond the script's: the state itself and what it holds by itself, and of these the events' own text. Readings
    /// that calls share ([`recall`]) are not counted.
    #[must_use]
    pub fn memory(&self) -> (usize, usize) {
        let text = self.events.iter().map(|stored| text_bytes(&stored.event)).sum::<usize>();
        let readings: usize = self.events.iter().map(|stored| reading_bytes(&stored.reading)).sum();
        let utterances: usize = self.events.capacity() * size_of::<Stored>();
        (
            size_of::<Self>()
                + utterances
                + readings
                + text
                + self.signals.hits.len() * 4
                + self.tracker.heap()
                + self.told.heap()
                + self.clock.heap(),
            text,
        )
    }

    /// Reads the words of all events, unless they were read as they must be.
    fn read_all(&mut self) {
        let Self { script, events, ids, .. } = self;
        recall::read_each(events.iter_mut().filter_map(|stored| stored.unread(script, *ids)));
    }

    /// As [`read_all`](Self::read_all), of one event.
    fn read(&mut self, place: usize) {
        let Self { script, events, ids, .. } = self;
        if let Some((words, reading)) = events.get_mut(place).and_then(|stored| stored.unread(script, *ids)) {
            *reading = recall::read(words);
        }
    }

    /// Folds anew: the past has changed.
    fn rebuild(&mut self) {
        self.ids = self.any_ids();
        self.read_all();
        self.fold_anew();
    }

    fn fold_anew(&mut self) {
        let mut told = Told::default();
        self.tracker = self.fold(&mut told);
        self.told = told;
    }

    fn fold<S: Sink>(&self, sink: &mut S) -> Tracker {
        let mut tracker = Tracker::new(&self.script);
        let past = Past { script: &self.script, events: &self.events, ids: self.ids };
        for place in 0..self.events.len() {
            past.apply(&mut tracker, place, sink);
        }
        if let Some(by) = self.closed {
            tracker.finish(&self.script, by);
        }
        tracker
    }

    /// Brings signals and standing up to date, trying again only rules that read what changed.
    fn refresh(&mut self) {
        let Self { script, tracker, signals, tried, .. } = self;
        self.standing = stand(script, tracker, signals, tried);
    }

    /// Which rules hold.
    fn holding(&self) -> Holding {
        self.script.rules.holding(self.tried, Facts { script: &self.script, signals: &self.signals, label: "" })
    }
}

/// What every call of a script begins with.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    tracker: Tracker,
    signals: Signals,
    tried: Tried,
    standing: Standing,
}

impl Start {
    fn of(script: &Script) -> Self {
        let (mut tracker, mut signals, mut tried) = (Tracker::new(script), Signals::default(), script.rules.untried());
        let standing = stand(script, &mut tracker, &mut signals, &mut tried);
        Self { tracker, signals, tried, standing }
    }
}

/// Where a call stands, once its signals are brought up to date.
fn stand(script: &Script, tracker: &mut Tracker, signals: &mut Signals, tried: &mut Tried) -> Standing {
    script.rules.note(tracker.update(script, signals), tried);
    let rule = script.rules.first(tried, Facts { script, signals, label: "" });
    let label = rule.and_then(|rule| script.rules.get(rule)).map(|rule| rule.label);
    Standing { label, rule, do_not_call: do_not_call(script, signals) }
}

/// For how many events more there is to be room. Many calls have two, for nobody picks up, and most others about this many; a million live
/// calls are not to have room for twice as many as they need.
fn more_events(events: usize) -> usize {
    match events {
        0 => 2,
        1..18 => 18 - events,
        _ => (events / 2).min(64),
    }
}

/// The events as a fold sees them.
#[derive(Clone, Copy)]
struct Past<'a> {
    script: &'a Script,
    events: &'a [Stored],
    ids: bool,
}

impl Past<'_> {
    fn apply<S: Sink>(self, tracker: &mut Tracker, place: usize, sink: &mut S) {
        let Some(stored) = self.events.get(place).filter(|stored| !stored.replaces) else { return };
        let index = place as u32;
        let (words_at, words) = match stored.replaced_by.and_then(|by| Some((by, self.events.get(by as usize)?))) {
            // Empty text takes an utterance back.
            Some((_, words)) if matches!(&words.event.kind, EventKind::Utterance(utterance) if utterance.text.is_empty()) => return,
            Some(replacement) => replacement,
            None => (self.named_utterance(&stored.event).unwrap_or(index), stored),
        };
        let step = Step { index, words_at, at_ms: stored.event.at_ms, kind: &words.event.kind, reading: &words.reading };
        tracker.step(self.script, self.ids, step, sink);
    }

    /// The place of the customer's utterance that a report names.
    fn named_utterance(self, event: &Event) -> Option<u32> {
        let id = match &event.kind {
            EventKind::KeywordTriggered(keyword) => &*keyword.utterance_id,
            EventKind::Refused(Some(id)) => id,
            _ => return None,
        };
        if id.is_empty() {
            return None;
        }
        let at = self.events.iter().position(|stored| !stored.replaces && key(&stored.event) == Some((Speaker::Customer, id)))?;
        Some(at as u32)
    }
}
