//! A call whose label is another now: what was read otherwise, and how the rules of both sides fare with it.

use rustc_hash::FxHashMap;

use super::outcome::ids;
use super::responsible::{Found, responsible};
use super::signals::{differing, in_terms_of};
use crate::core::call::rule_for;
use crate::core::explain::{self, Outcome as Came};
use crate::core::rule::{Facts, Rule};
use crate::core::script::Script;
use crate::core::verdict::Evidence;
use crate::ingest::StoredLabel;
use crate::regrade::grading::Graded;
use crate::wire::{self, v1};

/// Most pieces of evidence that a changed call shows of a kind.
const MOST_EVIDENCE: usize = 50;
/// Most failed tests that a rule shows.
const MOST_TESTS: usize = 20;

/// A changed call, and the evidence that is responsible for it.
pub(super) struct Change<'a> {
    pub(super) call: v1::ChangedCall,
    /// What was found in words on one side only, each once; none where the rules alone are the cause.
    pub(super) responsible: Vec<Found<'a>>,
}

/// A call that two versions grade differently.
pub(super) fn between<'a>(call_id: &str, before: &'a Graded, after: &'a Graded) -> Change<'a> {
    let (was, is) = ((&*before.script, &before.verdict.signals), (&*after.script, &after.verdict.signals));
    let signals = differing(was, is);
    let cause = if signals.is_empty() { v1::ChangeCause::Rules } else { cause(before, after) };
    let (lost, gained) = (without(before, after), without(after, before));
    let responsible = match cause {
        v1::ChangeCause::Rules => Vec::new(),
        _ => responsible((before, &lost), (after, &gained)),
    };
    let rule_before = rule(&before.script, before.verdict.rule).map(|rule| fate(&rule.id, after));
    let rule_after = rule(&after.script, after.verdict.rule).map(|rule| fate(&rule.id, before));
    let call = v1::ChangedCall {
        call_id: call_id.to_owned(),
        before: Some(graded_as(before)),
        after: Some(graded_as(after)),
        cause: cause.into(),
        signals,
        gained: messages(&after.script, gained),
        lost: messages(&before.script, lost),
        evidence: Vec::new(),
        rule_before,
        rule_after,
    };
    Change { call, responsible }
}

/// A call whose label came with it and is another now.
pub(super) fn from_stored<'a>(call_id: &str, before: &StoredLabel, after: &'a Graded) -> Change<'a> {
    let was = v1::GradedAs {
        script_version: before.script_version.clone(),
        label: before.label.clone(),
        rule_id: before.rule_id.clone(),
        ..v1::GradedAs::default()
    };
    let call = v1::ChangedCall {
        call_id: call_id.to_owned(),
        before: Some(was),
        after: Some(graded_as(after)),
        evidence: messages(&after.script, after.verdict.evidence.iter().collect()),
        rule_before: (!before.rule_id.is_empty()).then(|| fate(&before.rule_id, after)),
        ..v1::ChangedCall::default()
    };
    Change { call, responsible: Vec::new() }
}

/// Whether what the rules say changed, or what they are asked about: each side's rules are asked about the other's signals.
fn cause(before: &Graded, after: &Graded) -> v1::ChangeCause {
    let now = ids(&after.script, after.verdict.rule);
    let gives = |rules: &Script, read: &Graded| {
        let signals = in_terms_of(rules, (&read.script, &read.verdict.signals));
        let given = ids(rules, rule_for(rules, &signals));
        // Where the label is the same the rule is what changed.
        if ids(&before.script, before.verdict.rule).0 == now.0 { given == now } else { given.0 == now.0 }
    };
    match (gives(&before.script, after), gives(&after.script, before)) {
        (true, false) => v1::ChangeCause::Signals,
        (false, true) => v1::ChangeCause::Rules,
        _ => v1::ChangeCause::Both,
    }
}

/// The evidence of one side that the other has not: the same words for the same thing count as the same.
fn without<'a>(one: &'a Graded, other: &Graded) -> Vec<&'a Evidence> {
    let mut there: FxHashMap<_, u32> = FxHashMap::default();
    for evidence in &other.verdict.evidence {
        *there.entry(key(&other.script, evidence)).or_default() += 1;
    }
    let here = one.verdict.evidence.iter();
    here.filter(|evidence| match there.get_mut(&key(&one.script, evidence)) {
        Some(left @ 1..) => {
            *left -= 1;
            false
        }
        _ => true,
    })
    .collect()
}

fn key<'a>(script: &'a Script, evidence: &'a Evidence) -> impl Eq + std::hash::Hash + use<'a> {
    let Evidence { event, start, end, signal, category, phrase, how, .. } = evidence;
    ((*event, *start, *end), *signal, category.id(script), phrase.text(script), *how)
}

fn messages(script: &Script, evidence: Vec<&Evidence>) -> Vec<v1::Evidence> {
    evidence.into_iter().take(MOST_EVIDENCE).map(|evidence| wire::evidence(script, evidence)).collect()
}

fn rule(script: &Script, rule: Option<usize>) -> Option<&Rule> {
    script.rules.get(rule?)
}

fn graded_as(graded: &Graded) -> v1::GradedAs {
    let Graded { script, verdict } = graded;
    let (label, rule_id) = ids(script, verdict.rule);
    v1::GradedAs {
        script_id: script.id.to_string(),
        script_version: script.version.to_string(),
        label: label.to_owned(),
        rule_id: rule_id.to_owned(),
        reason: rule(script, verdict.rule).map_or(String::new(), |rule| rule.words.to_string()),
    }
}

/// How the rule of this id fares in a grading that another rule decides, or no rule.
fn fate(rule_id: &str, graded: &Graded) -> v1::RuleFate {
    use v1::rule_fate::State;
    let Graded { script, verdict } = graded;
    let decided_by = rule(script, verdict.rule).map_or(String::new(), |rule| rule.id.to_string());
    let mut fate = v1::RuleFate { rule_id: rule_id.to_owned(), decided_by, ..v1::RuleFate::default() };
    let Some((place, rule)) = script.rules.iter().enumerate().find(|(_, rule)| &*rule.id == rule_id) else {
        fate.state = State::Missing.into();
        return fate;
    };
    fate.when = rule.condition.source.to_string();
    let came = explain::explain(&rule.condition.expr, Facts { script, signals: &verdict.signals, label: "" });
    fate.state = match came.holds() {
        true if verdict.rule == Some(place) => State::Decides,
        true => State::Outranked,
        false => State::Fails,
    }
    .into();
    let failed = came.failures().into_iter().take(MOST_TESTS).filter_map(|test| match test {
        Came::Test(_, test, values) => {
            let values = values.iter().map(|(name, value)| v1::SignalValue { name: name.clone(), value: value.clone() });
            Some(v1::FailedTest { test: test.clone(), values: values.collect() })
        }
        Came::All(..) | Came::Any(..) => None,
    });
    fate.failed = failed.collect();
    fate
}
