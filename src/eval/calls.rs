//! Whole calls against what people say of them: label, signals, and turn by turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::gold::GoldCall;
use super::nearest::nearest;
use super::tally::{Kind, Sample, part};
use super::{Difference, Graded, Options, Reason, Report};
use crate::core::call::{CallState, LineView, TurnView};
use crate::core::event::{Event, EventKind, Speaker};
use crate::core::lexicon::Match;
use crate::core::script::{ConceptIndex, Script};
use crate::core::verdict::{EndedBy, Evidence, Verdict};

/// A completion this far from what people say still agrees: they judge by ear.
const COMPLETION_TOLERANCE: f64 = 0.05;

/// A call to be measured.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The script that grades it.
    pub script: Arc<Script>,
    /// Its events.
    pub events: Vec<Event>,
}

/// Measures calls; `recorded` by call id.
#[must_use]
pub fn measure(recorded: &BTreeMap<String, Recorded>, gold: &[GoldCall], options: &Options) -> Report {
    let mut samples = Vec::new();
    let mut errors = Vec::new();
    let mut notices = Vec::new();
    let mut hidden_errors = 0;
    let mut scripts: BTreeSet<(String, String)> = BTreeSet::new();
    let mut labels: BTreeSet<String> = BTreeSet::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut unknown: BTreeSet<&str> = BTreeSet::new();
    for gold in gold {
        if !told.insert(&gold.call_id) {
            notices.push(format!("{:?} is in the gold file more than once; the first counts", gold.call_id));
            continue;
        }
        let Some(call) = recorded.get(&gold.call_id) else {
            notices.push(format!("{:?} is in the gold file, but not among the calls", gold.call_id));
            continue;
        };
        scripts.insert((call.script.id.to_string(), call.script.version.to_string()));
        labels.extend(call.script.labels.iter().map(|label| label.id.to_string()));
        unknown.extend(gold.names().filter(|id| call.script.concept_of(id).is_none()));
        let mut measured = Measured::new(call, gold, options.sets_aside(&gold.call_id));
        measured.compare();
        if options.shows(&measured.sample) {
            errors.append(&mut measured.errors);
        } else {
            hidden_errors += measured.errors.len();
        }
        samples.push(measured.sample);
    }
    notices.extend(unknown.iter().map(|id| format!("the gold file names {id:?}, which is no category or question of the script")));
    let untold = recorded.keys().filter(|id| !told.contains(id.as_str())).count();
    if untold > 0 {
        notices.push(format!("calls that are not in the gold file, and so not measured: {untold}"));
    }
    let labels: Vec<String> = labels.into_iter().collect();
    let parts = options.parts(&samples).into_iter().map(|(name, samples)| part(name, &samples, &labels, None)).collect();
    let scripts = scripts.into_iter().map(|(script_id, version)| Graded { script_id, version }).collect();
    Report { of: "calls", scripts, parts, errors, hidden_errors, notices }
}

/// A call on its way to a sample.
struct Measured<'a> {
    call: CallState,
    verdict: Verdict,
    script: &'a Script,
    gold: &'a GoldCall,
    sample: Sample,
    errors: Vec<Difference>,
}

impl<'a> Measured<'a> {
    fn new(recorded: &'a Recorded, gold: &'a GoldCall, set_aside: bool) -> Self {
        let call = graded(&recorded.script, recorded.events.iter().cloned());
        let verdict = call.verdict();
        let sample = Sample { set_aside, ..Sample::default() };
        Self { call, verdict, script: &recorded.script, gold, sample, errors: Vec::new() }
    }

    fn compare(&mut self) {
        let Self { script, gold, .. } = *self;
        let label = script.label_id(self.verdict.label).to_owned();
        let rule = script.rule_id(self.verdict.rule).to_owned();
        if let Some(gold) = &gold.label {
            self.sample.gold = Some(gold.clone());
            self.sample.found.clone_from(&label);
            if *gold != label {
                self.differs("label", gold, &label);
            }
        }
        let signals = self.verdict.signals.clone();
        self.agrees("ruleId", gold.rule_id.as_ref(), &rule);
        self.agrees("machine", gold.machine.as_ref(), &signals.machine());
        self.agrees("refusals", gold.refusals.as_ref(), &signals.refusals);
        self.agrees("refusalStreak", gold.refusal_streak.as_ref(), &signals.refusal_streak);
        if let Some(expected) = gold.completion {
            let near = (expected - signals.completion).abs() <= COMPLETION_TOLERANCE;
            self.sample.agreement.push(("completion", u32::from(near), 1));
            if !near {
                self.differs("completion", &expected.to_string(), &signals.completion.to_string());
            }
        }
        if let Some(expected) = &gold.invite {
            let found = signals.invite_str();
            let settled = |outcome: &'static str, is: &str| (is == outcome).then_some(outcome);
            for outcome in ["accepted", "declined"] {
                self.sample.mark(Kind::Invite, settled(outcome, expected), settled(outcome, found));
            }
            self.agrees("invite", Some(expected), &found.to_owned());
        }
        if let Some(expected) = &gold.asked {
            let found: Vec<&str> = script.names_of(signals.asked).collect();
            self.sample.mark(Kind::Question, expected.iter().map(String::as_str), found.iter().copied());
            let same = expected.len() == found.len() && expected.iter().all(|id| found.contains(&id.as_str()));
            if !same {
                self.differs("asked", &expected.join(" "), &found.join(" "));
            }
        }
        self.turns();
        self.nodes();
    }

    fn agrees<T: PartialEq + ToString>(&mut self, signal: &'static str, gold: Option<&T>, found: &T) {
        let Some(gold) = gold else { return };
        self.sample.agreement.push((signal, u32::from(gold == found), 1));
        if gold != found {
            self.differs(signal, &gold.to_string(), &found.to_string());
        }
    }

    /// The customer's turns, one by one. Where their number differs they are held against each other in order, and that is told.
    fn turns(&mut self) {
        let Some(gold) = &self.gold.turns else { return };
        let gold: Vec<&Vec<String>> = gold.iter().filter(|tags| !tags.iter().any(|tag| tag == "machine")).collect();
        let turns = self.call.turns();
        self.sample.agreement.push(("turns", u32::from(gold.len() == turns.len()), 1));
        if gold.len() != turns.len() {
            self.differs("turns", &gold.len().to_string(), &turns.len().to_string());
        }
        for place in 0..gold.len().max(turns.len()) {
            let expected: BTreeSet<String> =
                gold.get(place).into_iter().flat_map(|tags| tags.iter()).filter(|tag| *tag != "other").cloned().collect();
            let found: BTreeSet<String> = turns.get(place).map(|turn| self.tags(turn)).unwrap_or_default();
            let counted = |tags: &BTreeSet<String>| {
                let mut tags = tags.clone();
                // Who asks never to be called again refuses too.
                if tags.contains("do_not_call") {
                    tags.insert("refuse".to_owned());
                }
                tags
            };
            let (counted_gold, counted_found) = (counted(&expected), counted(&found));
            self.sample.mark(Kind::Turn, counted_gold.iter().map(String::as_str), counted_found.iter().map(String::as_str));
            if counted_gold != counted_found {
                self.turn_differs(place, &expected, &found);
            }
        }
    }

    fn tags(&self, turn: &TurnView) -> BTreeSet<String> {
        let tag = |concept: ConceptIndex| {
            let id = self.script.concept(concept).map_or("", |concept| &concept.id);
            if self.script.is_question(concept) { format!("ask:{id}") } else { id.to_owned() }
        };
        let mut tags: BTreeSet<String> = turn.concepts.iter().map(tag).collect();
        if !turn.content {
            tags.insert("filler".to_owned());
        }
        tags
    }

    fn turn_differs(&mut self, place: usize, expected: &BTreeSet<String>, found: &BTreeSet<String>) {
        let of_turn = |event: u32| self.call.turn_of(event) == Some(place);
        let text = self
            .call
            .events()
            .enumerate()
            .filter(|(event, _)| of_turn(*event as u32))
            .filter_map(|(_, event)| match &event.kind {
                EventKind::Utterance(utterance) if utterance.speaker == Speaker::Customer => Some(&*utterance.text),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join(" / ");
        let evidence = self.verdict.evidence.iter().filter(|evidence| of_turn(evidence.event));
        let evidence = evidence.filter(|evidence| evidence.signal != "invite").map(|evidence| reason(self.script, evidence)).collect();
        let missed = expected.difference(found).filter_map(|tag| self.script.concept_of(tag.trim_start_matches("ask:")));
        let nearest = missed.filter_map(|concept| nearest(self.script, concept, &text)).collect();
        let join =
            |tags: &BTreeSet<String>| if tags.is_empty() { "other".to_owned() } else { tags.iter().cloned().collect::<Vec<_>>().join(" ") };
        self.errors.push(Difference {
            item: self.gold.call_id.clone(),
            what: "turn".to_owned(),
            turn: place + 1,
            text,
            gold: join(expected),
            found: join(found),
            evidence,
            nearest,
        });
    }

    /// The robot's lines whose nodes the dialer named, told from their words alone.
    fn nodes(&mut self) {
        let anonymous = self.call.events().cloned().map(|mut event| {
            match &mut event.kind {
                EventKind::Utterance(utterance) if utterance.speaker == Speaker::Robot => utterance.node_id = "".into(),
                EventKind::NodeEntered(_) => event.kind = EventKind::Unknown,
                _ => {}
            }
            event
        });
        let told: Vec<LineView> = self.call.lines().into_iter().filter(|line| !line.recognised).collect();
        let recognised = graded(self.call.script(), anonymous).lines();
        let name = |line: &LineView| line.node.and_then(|node| self.script.node(node)).map_or("off-flow", |node| &*node.id).to_owned();
        let mut differences = Vec::new();
        for line in &told {
            let Some(found) = recognised.iter().find(|other| other.event == line.event) else { continue };
            self.sample.agreement.push(("nodes", u32::from(found.node == line.node), 1));
            if found.node != line.node {
                let text = match self.call.events().nth(line.event as usize).map(|event| &event.kind) {
                    Some(EventKind::Utterance(utterance)) => utterance.text.to_string(),
                    _ => String::new(),
                };
                differences.push((text, name(line), name(found)));
            }
        }
        for (text, gold, found) in differences {
            self.differs("node", &gold, &found);
            if let Some(error) = self.errors.last_mut() {
                error.text = text;
                error.evidence.clear();
            }
        }
    }

    fn differs(&mut self, what: &str, gold: &str, found: &str) {
        // A label and its rule rest on all that the words gave, a streak on each refusal.
        let supports = |evidence: &&Evidence| match what {
            "label" | "ruleId" => evidence.signal != "invite" && !evidence.category.id(self.script).is_empty(),
            "refusalStreak" => evidence.signal == "refusals",
            _ => evidence.signal == what,
        };
        let evidence = self.verdict.evidence.iter().filter(supports);
        self.errors.push(Difference {
            item: self.gold.call_id.clone(),
            what: what.to_owned(),
            turn: 0,
            text: String::new(),
            gold: gold.to_owned(),
            found: found.to_owned(),
            evidence: evidence.map(|evidence| reason(self.script, evidence)).collect(),
            nearest: Vec::new(),
        });
    }
}

/// The call of these events, ended where they end.
pub(super) fn graded(script: &Arc<Script>, events: impl Iterator<Item = Event>) -> CallState {
    let mut call = CallState::new(Arc::clone(script));
    for (seq, event) in (1..).zip(events) {
        call.push(seq, event);
    }
    call.close(EndedBy::EndOfRecord);
    call
}

/// A piece of evidence in words.
pub(super) fn reason(script: &Script, evidence: &Evidence) -> Reason {
    let how = match evidence.how {
        Match::Exact => "exact",
        Match::Normalised => "normalised",
        Match::Pinyin => "pinyin",
        Match::Pattern => "pattern",
        Match::Learned => "learned",
        Match::Context => "context",
        Match::Reported => "reported",
    };
    Reason { category: evidence.category.id(script).to_owned(), phrase: evidence.phrase.text(script).to_owned(), how }
}
