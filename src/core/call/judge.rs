//! The verdict on a call as it stands, with its evidence or without.

use std::hint::black_box;

use super::CallState;
use crate::core::rule::{Facts, Holding};
use crate::core::script::{ConceptSet, Script};
use crate::core::signal::Signals;
use crate::core::tracker::{Deaf, Sink, Tracker};
use crate::core::verdict::{Category, Conclusion, Evidence, Verdict};

impl CallState {
    /// The verdict on a call that is folded and refreshed.
    pub(super) fn conclude(&self) -> Verdict {
        let conclusion = conclude(&self.script, &self.tracker, self.signals.clone(), self.holding());
        self.verdict_of(&self.tracker, conclusion, self.told.clone())
    }

    /// Shows the verdict as of now, which is the same as [`verdict`](Self::verdict), made of what the call has, not of a copy.
    pub fn show_verdict<T>(&mut self, show: impl FnOnce(&Verdict) -> T) -> T {
        // A verdict has its evidence in order; the call, as it was found.
        let in_order = self.told.evidence.is_sorted_by_key(|evidence| evidence.event);
        let told = if in_order { std::mem::take(&mut self.told) } else { self.told.clone() };
        let (turn_from, notices) = (told.turn_from, told.notices.len());
        let holding = self.holding();
        let conclusion = conclude(&self.script, &self.tracker, std::mem::take(&mut self.signals), holding);
        let mut verdict = self.verdict_of(&self.tracker, conclusion, told);
        let shown = show(&verdict);
        self.signals = verdict.signals;
        if in_order {
            verdict.notices.truncate(notices);
            self.told = Told { evidence: verdict.evidence, notices: verdict.notices, turn_from };
        }
        shown
    }

    /// The verdict on a call that was not folded yet.
    pub(super) fn judge(&self) -> Verdict {
        let mut told = Told::for_events(self.events.len());
        let (tracker, conclusion) = self.fold_to_conclusion(&mut told);
        self.verdict_of(&tracker, conclusion, told)
    }

    /// What a call that was not folded yet comes to, without what speaks for it.
    pub(super) fn judge_unheard(&self) -> Conclusion {
        self.fold_to_conclusion(&mut Deaf).1
    }

    fn fold_to_conclusion<S: Sink>(&self, sink: &mut S) -> (Tracker, Conclusion) {
        let tracker = self.fold(sink);
        let script = &*self.script;
        let signals = tracker.signals(script);
        let holding = holding(script, &signals);
        let conclusion = conclude(script, &tracker, signals, holding);
        (tracker, conclusion)
    }

    fn verdict_of(&self, tracker: &Tracker, conclusion: Conclusion, told: Told) -> Verdict {
        let Told { mut evidence, mut notices, .. } = told;
        evidence.sort_by_key(|evidence| evidence.event);
        notices.extend(self.clock.notices());
        match tracker.backward() {
            0 => {}
            1 => notices.push("time steps back at 1 event".to_owned()),
            events => notices.push(format!("time steps back at {events} events")),
        }
        match tracker.unknown() {
            0 => {}
            1 => notices.push("1 event is of no kind that this version knows, and was passed over".to_owned()),
            events => notices.push(format!("{events} events are of no kind that this version knows, and were passed over")),
        }
        let Conclusion { label, rule, signals, nodes, also_matched, fallback, follow_up, do_not_call, ended_by } = conclusion;
        Verdict {
            label,
            rule,
            nodes,
            evidence,
            also_matched,
            fallback,
            follow_up,
            do_not_call,
            // Who is never to be called again is not called at a time named before.
            callback: if do_not_call { None } else { self.callback(tracker) },
            ended_by,
            notices,
            signals,
        }
    }
}

/// The rule of a script that decides where the signals are these: an index into its rules.
#[must_use]
pub fn rule_for(script: &Script, signals: &Signals) -> Option<usize> {
    script.rules.decide(holding(script, signals)).0
}

/// Which rules hold where the signals are these.
fn holding(script: &Script, signals: &Signals) -> Holding {
    script.rules.holding(script.rules.untried(), Facts { script, signals, label: "" })
}

/// What the rules that hold make of a folded call.
fn conclude(script: &Script, tracker: &Tracker, signals: Signals, holding: Holding) -> Conclusion {
    let (rule, fallback) = script.rules.decide(holding);
    let label = rule.and_then(|rule| script.rules.get(rule)).map(|rule| rule.label);
    let facts = Facts { script, signals: &signals, label: script.label_id(label) };
    let follow_up = rule.and_then(|_| script.follow_up.iter().position(|follow_up| follow_up.condition.holds(facts)));
    Conclusion {
        label,
        rule,
        nodes: tracker.nodes(script),
        also_matched: script.rules.beside(rule, holding).collect(),
        fallback,
        follow_up,
        do_not_call: do_not_call(script, &signals),
        ended_by: tracker.ended_by(),
        signals,
    }
}

/// Whether the customer asked never to be called again.
pub(super) fn do_not_call(script: &Script, signals: &Signals) -> bool {
    script.known.do_not_call.is_some_and(|asked| signals.hits.get(usize::from(asked)).is_some_and(|turns| *turns > 0))
}

/// What a fold found worth telling.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    evidence: Vec<Evidence>,
    notices: Vec<String>,
    /// Pieces of evidence before the customer's turn at hand.
    turn_from: usize,
}

impl Told {
    /// With room for what most calls tell; more grows as it needs. A kilobyte at once would cost the allocator more.
    fn for_events(events: usize) -> Self {
        Self { evidence: Vec::with_capacity(events.min(12)), ..Self::default() }
    }

    /// Loads where the next piece goes, for the sake of the caches alone.
    pub(super) fn fetch(&self) {
        black_box(self.evidence.last().map(|last| last.event));
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        let evidence = self.evidence.capacity() * size_of::<Evidence>();
        evidence + self.notices.iter().map(|notice| size_of::<String>() + notice.capacity()).sum::<usize>()
    }
}

impl Sink for Told {
    const LISTENS: bool = true;

    fn evidence(&mut self, evidence: Evidence) {
        if self.evidence.len() == self.evidence.capacity() {
            // A million live calls: room for some more, not for twice as many.
            self.evidence.reserve_exact((self.evidence.len() / 2).max(4));
        }
        self.evidence.push(evidence);
    }

    fn notice(&mut self, notice: String) {
        self.notices.push(notice);
    }

    fn forget_content(&mut self) {
        const KEPT: [&str; 6] = ["connected", "dial_result", "answered_by", "hung_up_by", "no_input", "transferred"];
        self.evidence.retain(|evidence| KEPT.contains(&evidence.signal));
        self.turn_from = self.evidence.len();
    }

    fn turn_begins(&mut self) {
        self.turn_from = self.evidence.len();
    }

    fn forget_concepts(&mut self, concepts: ConceptSet) {
        let forgotten = |category: &Category| matches!(category, Category::Concept(concept) if concepts.contains(*concept));
        let mut place = 0;
        self.evidence.retain(|evidence| {
            place += 1;
            place <= self.turn_from || !forgotten(&evidence.category)
        });
    }
}
