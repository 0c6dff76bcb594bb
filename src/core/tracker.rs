//! The state of a call as a fold over its events: turns, flow, invite, machine, progress.
//!
//! Live and batch both run this fold and nothing else, so they cannot differ. What an event changes in the past (a
//! replaced utterance, a late event) is done by folding anew, see [`super::call`].

use smallvec::SmallVec;

use super::dial;
use super::event::{Answerer, DialResult, EventKind, Outcome, Party, Speaker, Utterance};
use super::lexicon::Match;
use super::reading::{CustomerReading, RobotReading};
use super::script::{Ask, ConceptIndex, ConceptSet, CustomerList, NodeIndex, Script, Target};
use super::signal::Signals;
use super::verdict::{Category, EndedBy, Evidence, NodeProgress, Phrase};

/// Takes what the fold finds worth telling; the live fold tells nobody.
pub(crate) trait Sink {
    /// Whether anybody listens: evidence is not even made otherwise.
    const LISTENS: bool;
    fn evidence(&mut self, evidence: Evidence);
    fn notice(&mut self, notice: String);
    /// All that was told of what was said does not count after all.
    fn forget_content(&mut self);
}

/// Nobody listens.
pub(crate) struct Deaf;

impl Sink for Deaf {
    const LISTENS: bool = false;
    fn evidence(&mut self, _: Evidence) {}
    fn notice(&mut self, _: String) {}
    fn forget_content(&mut self) {}
}

/// What was read from an event's words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    None,
    Customer(Box<CustomerReading>),
    Robot(Box<RobotReading>),
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
    pub(crate) turns: SmallVec<[Turn; 4]>,
    /// Customer utterances that count: event index, turn.
    pub(crate) spoken: SmallVec<[(u32, u32); 4]>,
    pub(crate) lines: SmallVec<[LineFact; 4]>,
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
}

/// Least similarity at which a line is taken for a node's; what the branches expect needs less, what follows a question more.
const RECOGNISED: f32 = 0.34;
const RECOGNISED_EXPECTED: f32 = 0.22;
const RECOGNISED_AFTER_QUESTION: f32 = 0.5;
/// What the branches' word weighs between two nodes.
const EXPECTED_BONUS: f32 = 0.15;
/// Share of a line after which its question has been heard.
const HEARD: f64 = 0.7;

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
            turns: SmallVec::new(),
            spoken: SmallVec::new(),
            lines: SmallVec::new(),
            line: None,
            current: None,
            entered: None,
            unheard: None,
            invite_open: false,
            progress: std::iter::repeat_n(Progress::default(), script.main_flow.len()).collect(),
            reached: SmallVec::new(),
            last_node: None,
            backward: 0,
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
        self.spoken.clear();
        self.lines.clear();
        self.line = None;
        self.current = None;
        self.entered = None;
        self.unheard = None;
        self.invite_open = false;
        self.progress.iter_mut().for_each(|progress| *progress = Progress::default());
        self.reached.clear();
        self.last_node = None;
        sink.forget_content();
    }

    /// A `NotConnected`, or a `Hangup` that is one because nobody had answered; either ends the call if nothing has.
    fn not_connected<S: Sink>(
        &mut self,
        script: &Script,
        step: Step<'_>,
        report: &super::event::DialReport,
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

    fn customer<S: Sink>(&mut self, script: &Script, step: Step<'_>, reading: &CustomerReading, sink: &mut S) {
        if !reading.words {
            return;
        }
        if self.answered_ms.is_none() && self.not_connected.is_none() {
            self.answered_ms = Some(step.at_ms);
            self.answer_implied = true;
            if S::LISTENS {
                sink.evidence(whole(step, "connected", Phrase::Word("answered"), Match::Context));
            }
        }
        let conversed = self.turns.iter().any(|turn| turn.content);
        if let Some(result) = reading.carrier
            && !conversed
            && !self.answered_by.is_some_and(Answerer::is_machine)
        {
            self.forget_content(sink);
            self.carrier = Some(result);
            if S::LISTENS {
                sink.evidence(whole(step, "dial_result", Phrase::Word(result.as_str()), Match::Pattern));
            }
            return;
        }
        if let Some(machine) = reading.machine
            && !self.answerer_told
            && !self.muted()
        {
            self.forget_content(sink);
            self.answered_by = Some(machine);
            if S::LISTENS {
                let listed = reading.hits.iter().find(|hit| script.customer_list(hit.list) == Some(CustomerList::Machine(machine)));
                sink.evidence(match listed {
                    Some(hit) => {
                        let evidence = whole(step, "answered_by", Phrase::Listed(hit.entry), hit.how);
                        Evidence { start: hit.start, end: hit.end, ..evidence }
                    }
                    None => whole(step, "answered_by", Phrase::Word(machine.as_str()), Match::Pattern),
                });
            }
            return;
        }
        if self.muted() {
            return;
        }

        let turn = self.open_turn();
        self.spoken.push((step.index, turn as u32));
        let before = self.turns.get(turn).copied().unwrap_or_default();
        let meaning = self.meaning(script, step.at_ms, reading, before.concepts);
        if meaning.content {
            self.close_line(script, step.at_ms);
        }
        self.settle_unheard(script);
        if let Some(turn) = self.turns.get_mut(turn) {
            turn.concepts = turn.concepts.union(meaning.concepts);
            turn.content |= meaning.content;
            turn.time |= reading.time;
        }
        if S::LISTENS {
            self.tell(script, step, reading, &meaning, sink);
        }
    }

    /// The customer's turn at hand, a new one if there is none.
    fn open_turn(&mut self) -> usize {
        if self.side != Side::Customer || self.turn_closed || self.turns.is_empty() {
            self.turns.push(Turn { invite_open: self.invite_open, ..Turn::default() });
            self.side = Side::Customer;
            self.turn_closed = false;
        }
        self.turns.len() - 1
    }

    /// What an utterance means after the robot's line.
    fn meaning(&self, script: &Script, at_ms: u32, reading: &CustomerReading, turn: ConceptSet) -> Meaning {
        let known = &script.known;
        let mut meaning = Meaning { concepts: reading.concepts, content: !reading.filler_only, ..Meaning::default() };
        let Some(line) = &self.line else { return meaning };
        let heard = line.heard(at_ms);
        let yes_no = matches!(line.ask, Ask::Offer | Ask::Fact);
        if let (Some(deny), Some(refuse)) = (known.deny, known.refuse)
            && line.proposes
            && meaning.concepts.contains(deny)
        {
            meaning.concepts.remove(deny);
            meaning.concepts.insert(refuse);
            meaning.denied = true;
        }
        if reading.filler_only {
            if let Some(affirm) = known.affirm
                && reading.yes
                && yes_no
                && line.worded
                && heard
            {
                meaning.concepts.insert(affirm);
                meaning.context.push(affirm);
            } else if let Some(refuse) = known.refuse
                && reading.goodbye
                && !reading.yes
                && line.ask == Ask::Offer
                && turn.is_empty()
            {
                meaning.concepts.insert(refuse);
                meaning.context.push(refuse);
            }
        }
        let so_far = meaning.concepts.union(turn);
        let has = |concept: Option<ConceptIndex>| concept.is_some_and(|concept| so_far.contains(concept));
        if let Some(contact) = known.contact
            && line.contact
            && yes_no
            && heard
            && has(known.affirm)
            && !has(known.refuse)
            && !has(known.contact)
        {
            meaning.concepts.insert(contact);
            meaning.context.push(contact);
        }
        meaning.content |= !meaning.context.is_empty();
        meaning
    }

    fn tell<S: Sink>(&self, script: &Script, step: Step<'_>, reading: &CustomerReading, meaning: &Meaning, sink: &mut S) {
        let known = &script.known;
        for hit in &reading.hits {
            let Some(CustomerList::Concept(concept)) = script.customer_list(hit.list) else { continue };
            let filler = Some(concept) == known.filler;
            if filler && meaning.content {
                continue;
            }
            let (concept, how) = match known.refuse {
                Some(refuse) if meaning.denied && Some(concept) == known.deny => (refuse, Match::Context),
                _ => (concept, hit.how),
            };
            let evidence = whole(step, signal_of(script, concept), Phrase::Listed(hit.entry), how);
            sink.evidence(Evidence { start: hit.start, end: hit.end, category: Category::Concept(concept), ..evidence });
        }
        let span =
            |test: &dyn Fn(CustomerList) -> bool| reading.hits.iter().find(|hit| script.customer_list(hit.list).is_some_and(test)).copied();
        for &concept in &meaning.context {
            let goodbye = Some(concept) == known.refuse;
            let by = span(&|list| match list {
                CustomerList::Goodbye => goodbye,
                CustomerList::Yes => !goodbye,
                CustomerList::Concept(hit) => !goodbye && Some(hit) == known.affirm,
                _ => false,
            });
            let evidence = match by {
                Some(hit) => Evidence {
                    start: hit.start,
                    end: hit.end,
                    ..whole(step, signal_of(script, concept), Phrase::Listed(hit.entry), Match::Context)
                },
                None => whole(step, signal_of(script, concept), Phrase::Word("context"), Match::Context),
            };
            sink.evidence(Evidence { category: Category::Concept(concept), ..evidence });
        }
        if !self.invite_open {
            return;
        }
        let (settles, by) = match self.turns.last().and_then(|turn| invite_of(script, turn)) {
            Some(Outcome::Declined) => (declining(script), "declined"),
            Some(Outcome::Accepted) => (accepting(script), "accepted"),
            None => return,
        };
        let decisive = span(&|list| match list {
            CustomerList::Concept(concept) => {
                settles.contains(concept) || by == "declined" && meaning.denied && Some(concept) == known.deny
            }
            CustomerList::Time => by == "accepted",
            CustomerList::Yes => by == "accepted" && meaning.context.iter().any(|concept| settles.contains(*concept)),
            CustomerList::Goodbye => by == "declined" && meaning.context.iter().any(|concept| settles.contains(*concept)),
            CustomerList::Machine(_) => false,
        });
        if let Some(hit) = decisive {
            let category = match script.customer_list(hit.list) {
                Some(CustomerList::Concept(concept)) => Category::Concept(concept),
                _ => Category::None,
            };
            let evidence = whole(step, "invite", Phrase::Listed(hit.entry), hit.how);
            sink.evidence(Evidence { start: hit.start, end: hit.end, category, ..evidence });
        }
    }

    fn robot<S: Sink>(&mut self, script: &Script, ids: bool, step: Step<'_>, utterance: &Utterance, reading: &RobotReading, sink: &mut S) {
        let named = !utterance.node_id.is_empty();
        if self.muted() || !reading.words && !named {
            return;
        }
        self.close_line(script, step.at_ms);
        let told = if named { script.node_of(&utterance.node_id) } else { None };
        if named && told.is_none() && S::LISTENS {
            sink.notice(format!(
                "event {}: node {:?} is not mapped by the script; it is recognised by its words",
                step.index, utterance.node_id
            ));
        }
        let expected = self.expected(script);
        let (node, similarity, recognised) = match (told, self.entered) {
            (Some(node), _) => (Some(node), 1.0, false),
            (None, Some(node)) if !named => (Some(node), 1.0, false),
            (None, _) if !named && ids => (None, 0.0, false),
            _ => match self.recognise(script, reading, &expected) {
                Some((node, similarity)) => (Some(node), similarity, true),
                None => (None, 0.0, true),
            },
        };
        self.entered = None;
        if reading.words && self.side != Side::Robot {
            self.robot_turns += 1;
        }
        self.side = Side::Robot;
        let off_script = node.is_some_and(|node| {
            !expected.is_empty() && self.current.is_some() && self.current != Some(node) && !expected.contains(&Target::Node(node))
        });
        self.lines.push(LineFact { event: step.index, node, recognised, similarity, off_script });
        let duration_ms = if utterance.duration_ms > 0 {
            f64::from(utterance.duration_ms)
        } else {
            f64::from(reading.length) / script.speaking_rate * 1000.0
        };
        let (asks, leads_on) = script.asks_of(node);
        let ask = reading.ask.unwrap_or(asks);
        self.line = Some(Line {
            at_ms: step.at_ms,
            duration_ms,
            played: utterance.played,
            node,
            ask,
            proposes: ask == Ask::Offer || leads_on && ask != Ask::Fact && asks != Ask::Fact,
            worded: reading.ask.is_some() || !reading.words,
            contact: reading.contact,
            closed: false,
        });
        if let Some(node) = node {
            self.enter(script, node, similarity, recognised);
            // A line without words or length tells no more than that the node was entered.
            self.unheard = (duration_ms == 0.0 && utterance.played.is_none()).then_some(node);
        }
    }

    /// Where the branches lead from the last node after what the customer said last.
    fn expected(&self, script: &Script) -> SmallVec<[Target; 2]> {
        let Some(current) = self.current else { return SmallVec::new() };
        if self.side != Side::Customer {
            return SmallVec::new();
        }
        let Some(last) = self.turns.last() else { return SmallVec::new() };
        let refusing = refusing(script).union(script.known.deny.into_iter().collect());
        let count = if last.concepts.meets(refusing) { self.turns.iter().filter(|turn| turn.concepts.meets(refusing)).count() } else { 1 };
        script.targets(current, Some(last.concepts), count).into()
    }

    fn recognise(&self, script: &Script, reading: &RobotReading, expected: &[Target]) -> Option<(NodeIndex, f32)> {
        let asked = || self.turns.last().is_some_and(|turn| !script.questions_of(turn.concepts).is_empty());
        let awaits_answer = self.side == Side::Customer && (expected.contains(&Target::Answer) || asked());
        let is_expected = |node: NodeIndex| expected.contains(&Target::Node(node)) || self.next_in_flow(script) == Some(node);
        let score =
            |candidate: &super::reading::Candidate| candidate.similarity + if is_expected(candidate.node) { EXPECTED_BONUS } else { 0.0 };
        let best = reading.candidates.iter().max_by(|a, b| score(a).total_cmp(&score(b)).then(b.node.cmp(&a.node)))?;
        let needed = match (awaits_answer, is_expected(best.node)) {
            (true, false) => RECOGNISED_AFTER_QUESTION,
            (true, true) | (false, false) => RECOGNISED,
            (false, true) => RECOGNISED_EXPECTED,
        };
        (best.similarity >= needed).then_some((best.node, best.similarity))
    }

    /// The main-flow node after the furthest one reached.
    fn next_in_flow(&self, script: &Script) -> Option<NodeIndex> {
        let next = match self.last_node {
            Some(node) => script.node(node)?.main? + 1,
            None => 0,
        };
        script.main_flow.get(next).copied()
    }

    fn node_entered<S: Sink>(&mut self, script: &Script, id: &str, step: Step<'_>, sink: &mut S) {
        if self.muted() {
            return;
        }
        let Some(node) = script.node_of(id) else {
            if S::LISTENS {
                sink.notice(format!(
                    "event {}: node {id:?} is not mapped by the script; its lines are recognised by their words",
                    step.index
                ));
            }
            return;
        };
        if self.current != Some(node) {
            self.turn_closed = true;
            self.settle_unheard(script);
        }
        self.enter(script, node, 1.0, false);
        self.entered = Some(node);
        self.unheard = Some(node);
        if self.line.is_none_or(|line| line.node != Some(node)) {
            // Until its line comes, what the node asks is all that is known of what was asked.
            let asks = script.node(node).map_or(Ask::None, |node| node.asks);
            self.close_line(script, step.at_ms);
            self.line = Some(Line {
                at_ms: step.at_ms,
                duration_ms: 0.0,
                played: None,
                node: None,
                ask: asks,
                proposes: asks == Ask::Offer,
                worded: true,
                contact: false,
                closed: true,
            });
        }
    }

    fn enter(&mut self, script: &Script, node: NodeIndex, similarity: f32, recognised: bool) {
        if self.unheard.is_some_and(|unheard| unheard != node) {
            self.settle_unheard(script);
        }
        self.unheard = None;
        self.current = Some(node);
        let Some(main) = script.node(node).and_then(|node| node.main) else { return };
        if !self.reached.contains(&node) {
            self.reached.push(node);
        }
        self.last_node = Some(node);
        self.invite_open = script.node(node).is_some_and(|node| node.invite);
        if let Some(progress) = self.progress.get_mut(main) {
            let surer = !progress.entered || similarity > progress.similarity;
            if surer {
                progress.similarity = similarity;
                progress.recognised = recognised;
            }
            progress.entered = true;
        }
    }

    /// The node known from its entering alone was delivered: the customer spoke, or another node follows.
    fn settle_unheard(&mut self, script: &Script) {
        if let Some(node) = self.unheard.take() {
            self.advance(script, node, 1.0);
        }
    }

    fn close_line(&mut self, script: &Script, at_ms: u32) {
        let bound = self.end.map_or(at_ms, |end| end.at_ms);
        if let Some(line) = &mut self.line
            && !line.closed
        {
            line.closed = true;
            if let (Some(node), Some(share)) = (line.node, line.share(bound)) {
                self.advance(script, node, share);
            }
        }
    }

    fn advance(&mut self, script: &Script, node: NodeIndex, share: f64) {
        let Some(node) = script.node(node) else { return };
        if node.after.is_some_and(|after| !self.has_entered(script, after)) {
            return;
        }
        if let Some(progress) = node.main.and_then(|main| self.progress.get_mut(main)) {
            progress.share = progress.share.max(share);
        }
    }

    fn has_entered(&self, script: &Script, node: NodeIndex) -> bool {
        script.node(node).and_then(|node| node.main).and_then(|main| self.progress.get(main)).is_some_and(|progress| progress.entered)
    }

    /// What the dialer reports of the customer's words: joins the turn it names, else the one at hand, else makes one.
    fn reported<S: Sink>(&mut self, script: &Script, step: Step<'_>, concept: ConceptIndex, keyword: &str, sink: &mut S) {
        if self.muted() {
            return;
        }
        let named =
            self.spoken.iter().find(|(event, _)| *event == step.words_at && step.words_at != step.index).map(|(_, turn)| *turn as usize);
        let turn = named.unwrap_or_else(|| self.open_turn());
        self.settle_unheard(script);
        let filler = Some(concept) == script.known.filler;
        if let Some(turn) = self.turns.get_mut(turn)
            && !filler
        {
            turn.concepts.insert(concept);
            turn.content = true;
        }
        if S::LISTENS {
            sink.evidence(Evidence {
                event: step.index,
                start: 0,
                end: 0,
                speaker: Some(Speaker::Customer),
                signal: signal_of(script, concept),
                category: Category::Concept(concept),
                phrase: Phrase::Text(keyword.into()),
                how: Match::Reported,
            });
        }
    }

    /// The facts so far.
    pub(crate) fn signals(&self, script: &Script) -> Signals {
        let connected = self.answered_ms.is_some() && self.carrier.is_none();
        let until = self.end.map_or(self.last_ms, |end| end.at_ms);
        let mut signals = Signals {
            connected,
            ended: self.end.is_some(),
            dial_result: if connected { None } else { self.carrier.or(self.not_connected) },
            answered_by: if self.carrier.is_some() { None } else { self.answered_by },
            talk_s: match self.answered_ms {
                Some(answered) if connected => f64::from(until.saturating_sub(answered)) / 1000.0,
                _ => 0.0,
            },
            customer_turns: self.turns.len() as u32,
            robot_turns: self.robot_turns,
            hits: vec![0; script.category_count],
            completion: self.completion(script),
            reached: self.reached.to_vec(),
            last_node: self.last_node,
            hung_up_by: self.end.and_then(|end| end.party),
            no_input: self.no_input,
            transferred: self.transferred,
            ..Signals::default()
        };
        let refusing = refusing(script);
        let mut streak = 0;
        let mut all = ConceptSet::default();
        for turn in &self.turns {
            all = all.union(turn.concepts);
            for concept in turn.concepts.iter() {
                if let Some(hits) = signals.hits.get_mut(usize::from(concept)) {
                    *hits += 1;
                }
            }
            if let Some(outcome) = turn.invite_open.then(|| invite_of(script, turn)).flatten() {
                signals.invite = Some(outcome);
            }
            if !turn.content {
                if let Some(hits) = script.known.filler.and_then(|filler| signals.hits.get_mut(usize::from(filler))) {
                    *hits += 1;
                }
                continue;
            }
            signals.content_turns += 1;
            let refuses = turn.concepts.meets(refusing);
            signals.last_refused = refuses;
            if refuses {
                signals.refusals += 1;
                streak += 1;
                signals.refusal_streak = signals.refusal_streak.max(streak);
            } else {
                streak = 0;
            }
        }
        signals.asked = script.questions_of(all);
        if self.outcome.is_some() {
            signals.invite = self.outcome;
        }
        signals
    }

    /// Main-flow nodes, how far each got.
    pub(crate) fn nodes(&self, script: &Script) -> Vec<NodeProgress> {
        let open = self.open_share(script);
        script
            .main_flow
            .iter()
            .zip(&self.progress)
            .map(|(&node, progress)| NodeProgress {
                node,
                progress: round(match open {
                    Some((at, share)) if at == node => progress.share.max(share),
                    _ => progress.share,
                }),
                recognised: progress.recognised,
                similarity: round(f64::from(progress.similarity)),
            })
            .collect()
    }

    /// The share of the line being said, while the call is live.
    fn open_share(&self, script: &Script) -> Option<(NodeIndex, f64)> {
        let line = self.line.as_ref().filter(|line| !line.closed)?;
        let node = line.node?;
        if script.node(node)?.after.is_some_and(|after| !self.has_entered(script, after)) {
            return None;
        }
        Some((node, line.share(self.end.map_or(self.last_ms, |end| end.at_ms))?))
    }

    fn completion(&self, script: &Script) -> f64 {
        let open = self.open_share(script);
        let mut total = 0.0;
        let mut done = 0.0;
        for (&index, progress) in script.main_flow.iter().zip(&self.progress) {
            let weight = script.node(index).map_or(0.0, |node| node.weight);
            let share = match open {
                Some((at, share)) if at == index => progress.share.max(share),
                _ => progress.share,
            };
            total += weight;
            done += weight * share;
        }
        if total > 0.0 { round(done / total) } else { 0.0 }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        fn spilled<A: smallvec::Array>(list: &SmallVec<A>) -> usize {
            if list.spilled() { list.capacity() * size_of::<A::Item>() } else { 0 }
        }
        spilled(&self.turns) + spilled(&self.spoken) + spilled(&self.lines) + spilled(&self.progress) + spilled(&self.reached)
    }

    /// How often time stepped back.
    pub(crate) fn backward(&self) -> u32 {
        self.backward
    }
}

/// What an utterance means where it was said.
#[derive(Debug, Default)]
struct Meaning {
    concepts: ConceptSet,
    content: bool,
    /// What only the context made of it.
    context: SmallVec<[ConceptIndex; 2]>,
    /// A plain no to an offer: it refuses.
    denied: bool,
}

impl Line {
    /// How much of it was delivered by `until`; `None` where nothing tells.
    fn share(&self, until: u32) -> Option<f64> {
        self.played.or_else(|| {
            let elapsed = f64::from(until.saturating_sub(self.at_ms));
            (self.duration_ms > 0.0).then(|| (elapsed / self.duration_ms).min(1.0))
        })
    }

    /// Whether its question had been said when the customer spoke. Equal times are no times.
    fn heard(&self, at_ms: u32) -> bool {
        if let Some(played) = self.played {
            return played >= HEARD;
        }
        at_ms <= self.at_ms || f64::from(at_ms - self.at_ms) >= HEARD * self.duration_ms
    }
}

fn whole(step: Step<'_>, signal: &'static str, phrase: Phrase, how: Match) -> Evidence {
    let end = match step.kind {
        EventKind::Utterance(utterance) => utterance.text.chars().count() as u32,
        _ => 0,
    };
    Evidence { event: step.words_at, start: 0, end, speaker: Some(Speaker::Customer), signal, category: Category::None, phrase, how }
}

fn signal_of(script: &Script, concept: ConceptIndex) -> &'static str {
    if script.is_question(concept) {
        "asked"
    } else if refusing(script).contains(concept) {
        "refusals"
    } else {
        "hits"
    }
}

/// The categories that make a turn a refusal.
fn refusing(script: &Script) -> ConceptSet {
    script.known.refuse.into_iter().chain(script.known.do_not_call).collect()
}

/// The categories that decline an open invite.
fn declining(script: &Script) -> ConceptSet {
    refusing(script).union(script.known.deny.into_iter().collect())
}

/// The categories that accept an open invite, unless the turn declines it.
fn accepting(script: &Script) -> ConceptSet {
    script.known.affirm.into_iter().chain(script.known.contact).collect()
}

/// How a turn settles an open invite, if it does.
fn invite_of(script: &Script, turn: &Turn) -> Option<Outcome> {
    if turn.concepts.meets(declining(script)) {
        Some(Outcome::Declined)
    } else if turn.time || turn.concepts.meets(accepting(script)) {
        Some(Outcome::Accepted)
    } else {
        None
    }
}

/// To 6 decimals, as the contract has it.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
