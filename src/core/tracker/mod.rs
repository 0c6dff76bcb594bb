//! The state of a call as a fold over its events: turns, flow, invite, machine, progress.
//!
//! Live and batch both run this fold and nothing else, so they cannot differ. What an event changes in the past (a
//! replaced utterance, a late event) is done by folding anew, see [`super::call`].

use smallvec::SmallVec;

mod customer;
mod facts;
mod fetch;
mod flow;
mod sink;

use facts::{Counted, Touched};
pub(crate) use sink::{Deaf, Sink};
use sink::{part, signal_of, whole};

use crate::core::dial;
use crate::core::event::{Answerer, DialReport, DialResult, EventKind, Outcome, Party, Speaker};
use crate::core::lexicon::Match;
use crate::core::reading::{CustomerReading, RobotReading};
use crate::core::recall::Kept;
use crate::core::script::{Ask, ConceptSet, NodeIndex, Script};
use crate::core::verdict::{Category, EndedBy, Evidence, Phrase};

/// What was read from an event's words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    None,
    Customer(Kept<CustomerReading>),
    Robot(Kept<RobotReading>),
}

/// An event on its way through the fold.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    /// Its index among the accepted events.
    pub(crate) index: u32,
    /// The event that carries the words: another one if the utterance was replaced, of a report the utterance it names.
    pub(crate) words_at: u32,
    pub(crate) at_ms: u32,
    pub(crate) kind: &'a EventKind,
    pub(crate) reading: &'a Reading,
}

/// A turn of the customer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn {
    /// What it hits, context included.
    pub(crate) concepts: ConceptSet,
    /// It holds more than filler.
    pub(crate) content: bool,
    /// It names a time.
    pub(crate) time: bool,
    /// The invite was open.
    pub(crate) invite_open: bool,
}

/// An utterance of the customer that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spoken {
    pub(crate) event: u32,
    pub(crate) turn: u32,
    /// A time may be in it.
    pub(crate) may_name_time: bool,
}

/// A line of the robot that is part of the flow's story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineFact {
    pub(crate) event: u32,
    pub(crate) node: Option<NodeIndex>,
    pub(crate) recognised: bool,
    pub(crate) similarity: f32,
    /// The branches lead elsewhere.
    pub(crate) off_script: bool,
}

/// The robot's latest line, while what answers it is still to come.
#[derive(Debug, Clone, Copy)]
struct Line {
    at_ms: u32,
    duration_ms: f64,
    played: Option<f64>,
    node: Option<NodeIndex>,
    ask: Ask,
    /// A no to it declines what the script wants: it offers, or is a prompt of the flow that asks for no fact.
    proposes: bool,
    /// Its own words ask, or it has none and its node speaks for it.
    worded: bool,
    contact: bool,
    farewell: bool,
    /// Its progress is settled.
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Nobody,
    Customer,
    Robot,
}

#[derive(Debug, Clone, Copy)]
struct End {
    at_ms: u32,
    by: EndedBy,
    party: Option<Party>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    share: f64,
    recognised: bool,
    similarity: f32,
    entered: bool,
}

/// The fold's state.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    answered_ms: Option<u32>,
    answer_implied: bool,
    not_connected: Option<DialResult>,
    carrier: Option<DialResult>,
    answered_by: Option<Answerer>,
    /// An `AnsweredBy` event said so: words are not asked any more.
    answerer_told: bool,
    end: Option<End>,
    last_ms: u32,
    no_input: u32,
    transferred: bool,
    outcome: Option<Outcome>,
    robot_turns: u32,
    side: Side,
    /// A node change ended the customer's turn.
    turn_closed: bool,
    pub(crate) turns: Vec<Turn>,
    touched: Touched,
    counted: Counted,
    /// The nodes reached are not as they were when the facts were last brought up to date.
    reached_touched: bool,
    /// Customer utterances that count.
    pub(crate) spoken: Vec<Spoken>,
    pub(crate) lines: Vec<LineFact>,
    line: Option<Line>,
    current: Option<NodeIndex>,
    /// The node just entered by event, no line of it yet.
    entered: Option<NodeIndex>,
    /// The node known from its entering alone.
    unheard: Option<NodeIndex>,
    invite_open: bool,
    progress: SmallVec<[Progress; 5]>,
    reached: SmallVec<[NodeIndex; 8]>,
    last_node: Option<NodeIndex>,
    backward: u32,
    unknown: u32,
}

impl Tracker {
    pub(crate) fn new(script: &Script) -> Self {
        Self {
            answered_ms: None,
            answer_implied: false,
            not_connected: None,
            carrier: None,
            answered_by: None,
            answerer_told: false,
            end: None,
            last_ms: 0,
            no_input: 0,
            transferred: false,
            outcome: None,
            robot_turns: 0,
            side: Side::Nobody,
            turn_closed: false,
            turns: Vec::new(),
            touched: Touched::Any,
            counted: Counted::default(),
            reached_touched: true,
            spoken: Vec::new(),
            lines: Vec::new(),
            line: None,
            current: None,
            entered: None,
            unheard: None,
            invite_open: false,
            progress: std::iter::repeat_n(Progress::default(), script.main_flow.len()).collect(),
            reached: SmallVec::new(),
            last_node: None,
            backward: 0,
            unknown: 0,
        }
    }

    /// Ends a call that nothing ended, at its last event.
    pub(crate) fn finish(&mut self, script: &Script, by: EndedBy) {
        if self.end.is_none() {
            self.end = Some(End { at_ms: self.last_ms, by, party: None });
            self.close_line(script, self.last_ms);
        }
    }

    pub(crate) fn ended_by(&self) -> Option<EndedBy> {
        self.end.map(|end| end.by)
    }

    pub(crate) fn step<S: Sink>(&mut self, script: &Script, ids: bool, step: Step<'_>, sink: &mut S) {
        if matches!(step.kind, EventKind::Unknown) {
            self.unknown += 1;
            return;
        }
        if step.at_ms < self.last_ms {
            self.backward += 1;
        }
        self.last_ms = step.at_ms;
        let told = |signal: &'static str, phrase: Phrase| Evidence {
            event: step.index,
            start: 0,
            end: 0,
            speaker: None,
            signal,
            category: Category::None,
            phrase,
            how: Match::Reported,
        };
        match step.kind {
            EventKind::Answered => {
                if self.answered_ms.is_none() || self.answer_implied {
                    self.answered_ms = Some(step.at_ms);
                    self.answer_implied = false;
                    if S::LISTENS {
                        sink.evidence(told("connected", Phrase::Word("answered")));
                    }
                }
            }
            EventKind::NotConnected(report) => self.not_connected(script, step, report, EndedBy::NotConnected, None, sink),
            EventKind::Hangup(hangup) => {
                if self.end.is_none() && S::LISTENS {
                    sink.evidence(told("hung_up_by", Phrase::Word(hangup.by.map_or("", Party::as_str))));
                }
                self.not_connected(script, step, &hangup.report, EndedBy::Hangup, hangup.by, sink);
            }
            EventKind::AnsweredBy(answerer) => {
                let Some(answerer) = *answerer else { return };
                let was_muted = self.muted();
                self.answerer_told = true;
                self.answered_by = Some(answerer);
                if S::LISTENS {
                    sink.evidence(told("answered_by", Phrase::Word(answerer.as_str())));
                }
                if answerer.is_machine() || was_muted {
                    self.carrier = None;
                    self.forget_content(sink);
                }
            }
            EventKind::Utterance(utterance) => match (utterance.speaker, step.reading) {
                (Speaker::Customer, Reading::Customer(reading)) => self.customer(script, step, reading, sink),
                (Speaker::Robot, Reading::Robot(reading)) => self.robot(script, ids, step, utterance, reading, sink),
                (Speaker::Agent, _) => {
                    self.side = Side::Robot;
                    self.line = self.line.filter(|line| !line.closed);
                    self.close_line(script, step.at_ms);
                    self.line = None;
                }
                _ => {}
            },
            EventKind::NodeEntered(id) => self.node_entered(script, id, step, sink),
            EventKind::Silence(_) => {
                self.no_input += 1;
                if S::LISTENS {
                    sink.evidence(told("no_input", Phrase::Word("silence")));
                }
            }
            EventKind::KeywordTriggered(keyword) => match script.concept_of(&keyword.category) {
                Some(concept) => self.reported(script, step, concept, &keyword.keyword, sink),
                None if !self.muted() && S::LISTENS => {
                    sink.notice(format!(
                        "event {}: category {:?} is not mapped by the script; it triggers nothing",
                        step.index, keyword.category
                    ));
                    sink.evidence(Evidence {
                        category: Category::Foreign(keyword.category.clone()),
                        ..told("", Phrase::Text(keyword.keyword.clone()))
                    });
                }
                None => {}
            },
            EventKind::Refused(_) => {
                if let Some(refuse) = script.known.refuse {
                    self.reported(script, step, refuse, "", sink);
                }
            }
            EventKind::InviteOutcome(outcome) => {
                if !self.muted() {
                    self.outcome = Some(*outcome);
                    if S::LISTENS {
                        sink.evidence(told("invite", Phrase::Word(outcome.as_str())));
                    }
                }
            }
            EventKind::Transferred(to) => {
                self.transferred = true;
                if S::LISTENS {
                    sink.evidence(told("transferred", Phrase::Text(to.clone())));
                }
            }
            EventKind::Dtmf(_) | EventKind::Unknown => {}
        }
    }

    /// Whether what is said does not count: a machine or a carrier's recording speaks, or nobody was reached.
    fn muted(&self) -> bool {
        self.answered_by.is_some_and(Answerer::is_machine) || self.carrier.is_some() || self.unreached()
    }

    fn unreached(&self) -> bool {
        self.answered_ms.is_none() && self.not_connected.is_some()
    }

    fn forget_content<S: Sink>(&mut self, sink: &mut S) {
        self.outcome = None;
        self.robot_turns = 0;
        self.side = Side::Nobody;
        self.turn_closed = false;
        self.turns.clear();
        self.touched = Touched::Any;
        self.spoken.clear();
        self.lines.clear();
        self.line = None;
        self.current = None;
        self.entered = None;
        self.unheard = None;
        self.invite_open = false;
        self.progress.iter_mut().for_each(|progress| *progress = Progress::default());
        self.reached.clear();
        self.reached_touched = true;
        self.last_node = None;
        sink.forget_content();
    }

    /// A `NotConnected`, or a `Hangup` that is one because nobody had answered; either ends the call if nothing has.
    fn not_connected<S: Sink>(
        &mut self,
        script: &Script,
        step: Step<'_>,
        report: &DialReport,
        by: EndedBy,
        party: Option<Party>,
        sink: &mut S,
    ) {
        if self.answered_ms.is_none() && self.not_connected.is_none() {
            let decision = dial::dial_result(report);
            self.not_connected = Some(decision.result);
            if S::LISTENS {
                sink.evidence(Evidence {
                    event: step.index,
                    start: 0,
                    end: if decision.by == dial::Field::Announcement { report.announcement.chars().count() as u32 } else { 0 },
                    speaker: None,
                    signal: "dial_result",
                    category: Category::None,
                    phrase: Phrase::Word(decision.by.as_str()),
                    how: Match::Reported,
                });
            }
        }
        if self.end.is_none() {
            self.end = Some(End { at_ms: step.at_ms, by, party });
            self.close_line(script, step.at_ms);
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        fn spilled<A: smallvec::Array>(list: &SmallVec<A>) -> usize {
            if list.spilled() { list.capacity() * size_of::<A::Item>() } else { 0 }
        }
        fn listed<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        listed(&self.turns) + listed(&self.spoken) + listed(&self.lines) + spilled(&self.progress) + spilled(&self.reached)
    }

    /// How often time stepped back.
    pub(crate) fn backward(&self) -> u32 {
        self.backward
    }

    /// Events of no kind that this version knows.
    pub(crate) fn unknown(&self) -> u32 {
        self.unknown
    }
}

/// The categories that make a turn a refusal.
pub(crate) fn refusing(script: &Script) -> ConceptSet {
    script.known.refuse.into_iter().chain(script.known.do_not_call).collect()
}

/// The categories that decline an open invite.
pub(crate) fn declining(script: &Script) -> ConceptSet {
    refusing(script).union(script.known.deny.into_iter().collect())
}

/// The categories that accept an open invite, unless the turn declines it.
fn accepting(script: &Script) -> ConceptSet {
    script.known.affirm.into_iter().chain(script.known.contact).collect()
}

/// How a turn settles an open invite, if it does.
pub(crate) fn invite_of(script: &Script, turn: &Turn) -> Option<Outcome> {
    if turn.concepts.meets(declining(script)) {
        Some(Outcome::Declined)
    } else if turn.time || turn.concepts.meets(accepting(script)) {
        Some(Outcome::Accepted)
    } else {
        None
    }
}
