//! Calls counted as they come, by number: of a call that nothing changed no text is touched and nothing allocated.

use std::sync::Arc;

use super::ledger::{Flow, Ledger, Passed, Side};
use super::outcome::{OTHERS, Outcome, ids};
use crate::core::script::Script;
use crate::core::verdict::Verdict;
use crate::ingest::StoredLabel;
use crate::regrade::grading::{Before, Graded};

/// Most labels that came with calls which are counted by number; a script has a handful.
const MOST_STORED: usize = 64;

/// What is known of the calls before.
#[derive(Debug, Clone)]
enum Was {
    /// Their labels, if that.
    Stored(Vec<StoredLabel>),
    /// What this version says.
    Graded(Arc<Script>),
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    /// The same, or nothing is known of before.
    Same,
    /// The same label, by another rule.
    OtherRule,
    /// Another label.
    OtherLabel,
}

/// The counts of calls that the same two versions graded.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    was: Was,
    after: Arc<Script>,
    /// By what they are now: the place of the rule and 1, 0 where none holds.
    alone: Vec<u64>,
    /// A row of the same for each rule before and none, or for each stored label.
    rows: Vec<Vec<u64>>,
    flow_before: Flow,
    flow_after: Flow,
    /// Calls that entered each node, by its number.
    reached_before: Vec<u64>,
    reached_after: Vec<u64>,
}

impl Tally {
    pub(super) fn new(before: &Before, after: &Graded) -> Self {
        let was = match before {
            Before::Graded(graded) => Was::Graded(Arc::clone(&graded.script)),
            Before::Unknown | Before::Stored(_) => Was::Stored(Vec::new()),
        };
        let width = after.script.rules.len() + 1;
        let (rows, nodes) = match &was {
            Was::Graded(script) => (script.rules.len() + 1, script.nodes.len()),
            Was::Stored(_) => (0, 0),
        };
        Self {
            was,
            alone: vec![0; width],
            rows: vec![vec![0; width]; rows],
            flow_before: Flow::default(),
            flow_after: Flow::default(),
            reached_before: vec![0; nodes],
            reached_after: vec![0; after.script.nodes.len()],
            after: Arc::clone(&after.script),
        }
    }

    /// Whether these versions graded a call.
    pub(super) fn is_of(&self, before: &Before, after: &Graded) -> bool {
        Arc::ptr_eq(&self.after, &after.script)
            && match (&self.was, before) {
                (Was::Graded(script), Before::Graded(graded)) => Arc::ptr_eq(script, &graded.script),
                (Was::Stored(_), Before::Unknown | Before::Stored(_)) => true,
                _ => false,
            }
    }

    /// The names that are counted here.
    pub(super) fn declare(&self, ledger: &mut Ledger) {
        ledger.declare(Side::After, &self.after);
        if let Was::Graded(script) = &self.was {
            ledger.declare(Side::Before, script);
        }
    }

    /// Counts a call; a stored label that is one of too many goes to the ledger.
    pub(super) fn count(&mut self, before: &Before, after: &Graded, ledger: &mut Ledger) -> Became {
        enter(&after.verdict, &mut self.flow_after, &mut self.reached_after);
        let now = place(after.verdict.rule);
        match (before, &mut self.was) {
            (Before::Graded(graded), Was::Graded(script)) => {
                enter(&graded.verdict, &mut self.flow_before, &mut self.reached_before);
                let was = place(graded.verdict.rule);
                self.rows[was][now] += 1;
                if same_rule(script, was, &self.after, now) {
                    Became::Same
                } else if label(script, was) == label(&self.after, now) {
                    Became::OtherRule
                } else {
                    Became::OtherLabel
                }
            }
            (Before::Stored(stored), Was::Stored(known)) => {
                match known.iter().position(|known| known == stored) {
                    Some(row) => self.rows[row][now] += 1,
                    None if known.len() < MOST_STORED => {
                        known.push(stored.clone());
                        let mut row = vec![0; self.alone.len()];
                        row[now] = 1;
                        self.rows.push(row);
                    }
                    None => {
                        ledger.passed(stored_outcome(stored), outcome(&self.after, now), passed(1));
                        ledger.versions.before.add("", &stored.script_version, 1);
                        ledger.versions.after.add(&self.after.id, &self.after.version, 1);
                    }
                }
                if stored.label != label(&self.after, now) {
                    Became::OtherLabel
                } else if stored.rule_id.is_empty() || stored.rule_id == rule(&self.after, now) {
                    Became::Same
                } else {
                    Became::OtherRule
                }
            }
            _ => {
                self.alone[now] += 1;
                Became::Same
            }
        }
    }

    /// The script that grades now.
    pub(super) fn script(&self) -> &Script {
        &self.after
    }

    /// Adds the counts to the sums by name.
    pub(super) fn settle(&self, ledger: &mut Ledger) {
        let mut add = |before: Option<Outcome>, row: &[u64]| {
            let mut total = 0;
            for (now, &calls) in row.iter().enumerate().filter(|(_, calls)| **calls > 0) {
                total += calls;
                let after = outcome(&self.after, now);
                match &before {
                    Some(before) => ledger.passed(before.clone(), after, passed(calls)),
                    None => ledger.alone(after, calls),
                }
            }
            if total > 0 {
                ledger.versions.after.add(&self.after.id, &self.after.version, total);
            }
            total
        };
        add(None, &self.alone);
        let totals: Vec<u64> = match &self.was {
            Was::Graded(script) => self.rows.iter().enumerate().map(|(was, row)| add(Some(outcome(script, was)), row)).collect(),
            Was::Stored(known) => known.iter().zip(&self.rows).map(|(stored, row)| add(Some(stored_outcome(stored)), row)).collect(),
        };
        match &self.was {
            Was::Graded(script) => {
                let calls = totals.iter().sum();
                if calls > 0 {
                    ledger.versions.before.add(&script.id, &script.version, calls);
                }
                nodes(script, &self.reached_before).for_each(|(id, title, calls)| ledger.node(id, title).before += calls);
            }
            Was::Stored(known) => {
                known.iter().zip(totals).for_each(|(stored, calls)| ledger.versions.before.add("", &stored.script_version, calls));
            }
        }
        nodes(&self.after, &self.reached_after).for_each(|(id, title, calls)| ledger.node(id, title).after += calls);
        ledger.flow.before.add(self.flow_before);
        ledger.flow.after.add(self.flow_after);
    }
}

/// Counts how far a call came, if a person was on the line.
fn enter(verdict: &Verdict, flow: &mut Flow, reached: &mut [u64]) {
    let signals = &verdict.signals;
    if !signals.connected || signals.machine() {
        return;
    }
    flow.calls += 1;
    flow.completion_millionths += (signals.completion * 1e6).round() as u64;
    for node in &signals.reached {
        if let Some(calls) = reached.get_mut(usize::from(*node)) {
            *calls += 1;
        }
    }
}

fn nodes<'a>(script: &'a Script, reached: &'a [u64]) -> impl Iterator<Item = (&'a str, &'a str, u64)> {
    let main = script.main_flow.iter();
    main.filter_map(|&index| Some((script.node(index)?, reached.get(usize::from(index)).copied()?)))
        .map(|(node, calls)| (&*node.id, &*node.title, calls))
}

fn passed(calls: u64) -> Passed {
    Passed { calls, ..Passed::default() }
}

/// The row or column of a rule.
fn place(rule: Option<usize>) -> usize {
    rule.map_or(0, |rule| rule + 1)
}

fn outcome(script: &Script, place: usize) -> Outcome {
    Outcome::of_rule(script, place.checked_sub(1))
}

pub(super) fn stored_outcome(stored: &StoredLabel) -> Outcome {
    let rule = if stored.label == OTHERS { "" } else { &stored.rule_id };
    Outcome::new(&stored.label, rule)
}

fn label(script: &Script, place: usize) -> &str {
    ids(script, place.checked_sub(1)).0
}

fn rule(script: &Script, place: usize) -> &str {
    ids(script, place.checked_sub(1)).1
}

/// Whether two rules have one id and give one label.
fn same_rule(before: &Script, was: usize, after: &Script, now: usize) -> bool {
    ids(before, was.checked_sub(1)) == ids(after, now.checked_sub(1))
}
