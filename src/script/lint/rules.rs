//! Label rules and follow-ups that never decide, and labels that no rule gives.

use super::logic::Logic;
use super::{Linter, listed};
use crate::script::compile::bytes;
use crate::script::spec::RuleSpec;

impl Linter<'_> {
    /// `after-catch-all`, `always-true`, `never-true`, `no-catch-all`, `no-label-rule`, `no-words`, `shadowed`, `shadowed-follow-up`.
    pub(super) fn rules(&mut self) {
        self.declarations();
        self.decisions();
        self.follow_ups();
    }

    fn declarations(&mut self) {
        let spec = self.spec;
        for label in &spec.labels {
            if !spec.rules.iter().any(|rule| rule.label.value == label.id.value) {
                let message = format!("no rule gives label `{}`", label.id.value);
                self.warn_script("no-label-rule", bytes(&label.id), message, "write a rule for it, or remove the label");
            }
        }
        for rule in spec.rules.iter().filter(|rule| rule.words.trim().is_empty()) {
            let message = format!("rule `{}` has no words: its verdicts give no reason", rule.id.value);
            self.warn_script("no-words", bytes(&rule.id), message, "add `words:` with what the standard says");
        }
        let catch_all = spec.rules.iter().position(|rule| rule.catch_all);
        match catch_all.and_then(|first| Some((spec.rules.get(first)?, spec.rules.get(first + 1..)?))) {
            Some((first, after)) => {
                for rule in after.iter().filter(|rule| !rule.catch_all) {
                    let message =
                        format!("rule `{}` stands after the catch-all `{}`, but is tried before it", rule.id.value, first.id.value);
                    self.warn_script("after-catch-all", bytes(&rule.id), message, "move it before the catch-all, where it is tried");
                }
            }
            None => {
                let span = spec.rules.last().map(|rule| bytes(&rule.id)).unwrap_or_default();
                let message = "no rule is a catch-all: a call can end without a label".to_owned();
                self.warn_script(
                    "no-catch-all",
                    span,
                    message,
                    "add a last rule with `catch_all: true`, such as `when: connected && ended`",
                );
            }
        }
    }

    fn decisions(&mut self) {
        let script = self.script.clone();
        let spec = self.spec;
        // In the order they are tried: catch-alls last.
        let mut tried: Vec<(&RuleSpec, Logic)> =
            spec.rules.iter().zip(&script.rules).map(|(spec, rule)| (spec, Logic::new(&rule.condition.expr, &[]))).collect();
        tried.sort_by_key(|(rule, _)| rule.catch_all);
        let mut always: Option<&str> = None;
        for (place, (rule, logic)) in tried.iter().enumerate() {
            let id = rule.id.value.as_str();
            if logic.never() {
                let message = format!("rule `{id}` never holds: its condition contradicts itself");
                self.warn_script("never-true", bytes(&rule.when), message, "correct the condition, or remove the rule");
            } else if always.is_none() {
                let earlier: Vec<(&str, &Logic)> = tried.iter().take(place).map(|(rule, logic)| (rule.id.value.as_str(), logic)).collect();
                if let Some(causes) = causes(logic, &earlier) {
                    let message = format!("rule `{id}` never decides: whenever it holds, {}", holds_before(&causes));
                    let help = format!("move it before {}, or narrow what stands there", listed(causes.iter().take(1).copied()));
                    self.warn_script("shadowed", bytes(&rule.when), message, &help);
                }
            }
            let after = tried.len() - place - 1;
            if always.is_none() && logic.always() && after > 0 {
                always = Some(id);
                let rules = if after == 1 {
                    "the rule after it never decides".to_owned()
                } else {
                    format!("the {after} rules after it never decide")
                };
                let message = format!("rule `{id}` always holds: {rules}");
                self.warn_script("always-true", bytes(&rule.when), message, "narrow the condition, or make it the last catch-all");
            }
        }
    }

    fn follow_ups(&mut self) {
        let script = self.script.clone();
        let spec = self.spec;
        let labels: Vec<&str> = std::iter::once("").chain(script.labels.iter().map(|label| &*label.id)).collect();
        let logic: Vec<Logic> = script.follow_up.iter().map(|rule| Logic::new(&rule.condition.expr, &labels)).collect();
        for (place, (rule, own)) in spec.follow_up.iter().zip(&logic).enumerate() {
            if own.never() {
                let message = "this follow-up is never chosen: its condition contradicts itself".to_owned();
                self.warn_script("never-true", bytes(&rule.when), message, "correct the condition, or remove the follow-up");
            } else if own.implies_any(logic.iter().take(place)) {
                let message = "this follow-up is never chosen: whenever it holds, those before it do".to_owned();
                self.warn_script("shadowed-follow-up", bytes(&rule.when), message, "move it up, or remove it");
            }
        }
    }
}

/// The fewest of the earlier rules, as far as leaving out one by one tells, of which one holds whenever `logic` does.
fn causes<'a>(logic: &Logic, earlier: &[(&'a str, &Logic)]) -> Option<Vec<&'a str>> {
    if let Some((id, _)) = earlier.iter().find(|(_, other)| logic.implies_any([*other])) {
        return Some(vec![*id]);
    }
    let mut left = earlier.to_vec();
    if !logic.implies_any(left.iter().map(|(_, other)| *other)) {
        return None;
    }
    for (id, _) in earlier.iter().rev() {
        let without: Vec<(&str, &Logic)> = left.iter().filter(|(other, _)| other != id).copied().collect();
        if logic.implies_any(without.iter().map(|(_, other)| *other)) {
            left = without;
        }
    }
    Some(left.into_iter().map(|(id, _)| id).collect())
}

fn holds_before(causes: &[&str]) -> String {
    match causes {
        [one] => format!("`{one}` does, which is tried before it"),
        several => format!("one of {} does, which are tried before it", listed(several.iter().copied())),
    }
}
