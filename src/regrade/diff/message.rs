//! The sums as the contract's message, and back.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::ledger::{Flow, Keyword, Ledger, Node, Passed, Side, Versions};
use super::outcome::{OTHERS, Outcome};
use crate::wire::v1;

/// The message of all scripts' sums.
pub(super) fn diff(ledgers: &BTreeMap<String, Ledger>) -> v1::RegradeDiff {
    let scripts: Vec<v1::ScriptDiff> = ledgers.iter().map(|(id, ledger)| script(id, ledger)).collect();
    let sum = |of: fn(&v1::ScriptDiff) -> u64| scripts.iter().map(of).sum();
    let mut labels: Vec<v1::LabelDiff> = Vec::new();
    for label in scripts.iter().flat_map(|script| &script.labels) {
        match labels.iter_mut().find(|known| known.label == label.label) {
            Some(known) => {
                known.before += label.before;
                known.after += label.after;
                if !known.declared {
                    (known.title, known.declared) = (label.title.clone(), label.declared);
                } else if label.declared && known.title != label.title {
                    // Each script means something else by it.
                    known.title.clear();
                }
            }
            None => labels.push(label.clone()),
        }
    }
    labels.sort_by(|a, b| undeclared(a).cmp(&undeclared(b)));
    let transitions = scripts.iter().flat_map(|script| &script.transitions);
    let transitions = transitions.map(|cell| ((cell.before.as_str(), cell.after.as_str()), cell.calls));
    v1::RegradeDiff {
        calls: sum(|script| script.calls),
        compared: sum(|script| script.compared),
        changed: sum(|script| script.changed),
        rule_changed: sum(|script| script.rule_changed),
        transitions: in_order(&labels, summed(transitions)),
        labels,
        scripts,
    }
}

/// Where a label stands among others: those that scripts declare in their order (which sorting keeps), the rest by length, none last.
fn undeclared(label: &v1::LabelDiff) -> Option<(bool, bool, usize, &str)> {
    let name = label.label.as_str();
    (!label.declared).then_some((name.is_empty(), name == OTHERS, name.len(), name))
}

fn summed<'a>(cells: impl Iterator<Item = ((&'a str, &'a str), u64)>) -> BTreeMap<(&'a str, &'a str), u64> {
    let mut sums = BTreeMap::new();
    cells.for_each(|(labels, calls)| *sums.entry(labels).or_default() += calls);
    sums
}

fn place(labels: &[v1::LabelDiff], name: &str) -> usize {
    labels.iter().position(|label| label.label == name).unwrap_or(labels.len())
}

fn in_order(labels: &[v1::LabelDiff], cells: BTreeMap<(&str, &str), u64>) -> Vec<v1::LabelTransition> {
    let mut cells: Vec<_> = cells.into_iter().collect();
    cells.sort_by_key(|((before, after), _)| (place(labels, before), place(labels, after)));
    let cell =
        |((before, after), calls): ((&str, &str), u64)| v1::LabelTransition { before: before.to_owned(), after: after.to_owned(), calls };
    cells.into_iter().map(cell).collect()
}

fn script(id: &str, ledger: &Ledger) -> v1::ScriptDiff {
    let others = Outcome::new(OTHERS, "");
    let passed: Vec<(&Outcome, &Outcome, &Passed)> = ledger
        .transitions
        .iter()
        .map(|((before, after), passed)| (before, after, passed))
        .chain(ledger.others.iter().map(|(after, passed)| (&others, after, passed)))
        .collect();
    let compared = passed.iter().map(|(.., passed)| passed.calls).sum();
    let total = |counts: &dyn Fn(&Outcome, &Outcome) -> bool| -> u64 {
        passed.iter().filter(|(before, after, _)| counts(before, after)).map(|(.., passed)| passed.calls).sum()
    };
    let labels = labels(ledger, &passed);
    let mut rules: Vec<v1::RuleDiff> = Vec::new();
    for (rule, _) in ledger.rules.after.iter().chain(&ledger.rules.before) {
        if rules.iter().all(|known| known.rule_id != *rule) {
            let text = |rules: &[(String, v1::RuleText)]| rules.iter().find(|(id, _)| id == rule).map(|(_, text)| text.clone());
            rules.push(v1::RuleDiff {
                rule_id: rule.clone(),
                before: text(&ledger.rules.before),
                after: text(&ledger.rules.after),
                calls_before: total(&|before, _| before.rule == *rule),
                calls_after: total(&|_, after| after.rule == *rule)
                    + ledger.uncompared.iter().filter(|(after, _)| after.rule == *rule).map(|(_, calls)| calls).sum::<u64>(),
            });
        }
    }
    let cells = passed.iter().map(|(before, after, passed)| ((before.label.as_str(), after.label.as_str()), passed.calls));
    let rule_transition = |(before, after, passed): &(&Outcome, &Outcome, &Passed)| v1::RuleTransition {
        label_before: before.label.clone(),
        rule_before: before.rule.clone(),
        label_after: after.label.clone(),
        rule_after: after.rule.clone(),
        calls: passed.calls,
        causes: (passed.causes != v1::Causes::default()).then_some(passed.causes),
    };
    let node = |node: &Node| v1::NodeDiff { node_id: node.id.clone(), title: node.title.clone(), before: node.before, after: node.after };
    let mut examples: Vec<v1::TransitionExamples> = ledger
        .examples
        .iter()
        .map(|((before, after), calls)| v1::TransitionExamples {
            before: before.label.clone(),
            after: after.label.clone(),
            calls: calls.clone(),
        })
        .collect();
    examples.sort_by_key(|cell| (place(&labels, &cell.before), place(&labels, &cell.after)));
    v1::ScriptDiff {
        script_id: id.to_owned(),
        title: ledger.title.clone(),
        before: versions(&ledger.versions.before),
        after: versions(&ledger.versions.after),
        calls: compared + ledger.uncompared.values().sum::<u64>(),
        compared,
        changed: total(&|before, after| before.label != after.label),
        rule_changed: total(&|before, after| before.label == after.label && before.rule != after.rule && !before.rule.is_empty()),
        transitions: in_order(&labels, summed(cells)),
        labels,
        rule_transitions: passed.iter().map(rule_transition).collect(),
        uncompared: ledger
            .uncompared
            .iter()
            .map(|(after, &calls)| v1::RuleCount { label: after.label.clone(), rule_id: after.rule.clone(), calls })
            .collect(),
        rules,
        flow_before: Some(flow(ledger.flow.before)),
        flow_after: Some(flow(ledger.flow.after)),
        nodes: ledger.nodes.iter().map(node).collect(),
        keywords: keywords(ledger),
        other_keywords: ledger.other_keywords,
        examples,
    }
}

/// The labels declared, then those that the calls brought, none last.
fn labels(ledger: &Ledger, passed: &[(&Outcome, &Outcome, &Passed)]) -> Vec<v1::LabelDiff> {
    let declared = ledger.labels.iter().map(|(id, title)| v1::LabelDiff {
        label: id.clone(),
        title: title.clone(),
        declared: true,
        ..v1::LabelDiff::default()
    });
    let mut labels: Vec<v1::LabelDiff> = declared.collect();
    let mut count = |name: &str, before: u64, after: u64| {
        let place = place(&labels, name);
        if place == labels.len() {
            labels.push(v1::LabelDiff { label: name.to_owned(), ..v1::LabelDiff::default() });
        }
        labels[place].before += before;
        labels[place].after += after;
    };
    for (before, after, passed) in passed {
        count(&before.label, passed.calls, 0);
        count(&after.label, 0, passed.calls);
    }
    ledger.uncompared.iter().for_each(|(after, calls)| count(&after.label, 0, *calls));
    labels.sort_by(|a, b| undeclared(a).cmp(&undeclared(b)));
    labels
}

fn versions(versions: &Versions) -> Vec<v1::GradedBy> {
    let kept = versions.kept.iter().map(|((_, version, script), &calls)| v1::GradedBy {
        script_id: script.clone(),
        version: version.clone(),
        calls,
    });
    let others = v1::GradedBy { script_id: String::new(), version: OTHERS.to_owned(), calls: versions.others };
    kept.chain((versions.others > 0).then_some(others)).collect()
}

fn flow(flow: Flow) -> v1::Flow {
    let Flow { calls, completion_millionths } = flow;
    let mean_completion = if calls == 0 { 0.0 } else { completion_millionths as f64 / 1e6 / calls as f64 };
    v1::Flow { calls, completion_millionths, mean_completion }
}

fn keywords(ledger: &Ledger) -> Vec<v1::KeywordDiff> {
    let message = |(keyword, transitions): (&Keyword, &BTreeMap<(String, String), u64>)| {
        let transition = |((before, after), &calls): (&(String, String), &u64)| v1::LabelTransition {
            before: before.clone(),
            after: after.clone(),
            calls,
        };
        let mut transitions: Vec<_> = transitions.iter().map(transition).collect();
        transitions.sort_by_key(|transition| Reverse(transition.calls));
        v1::KeywordDiff {
            category: keyword.category.clone(),
            phrase: keyword.phrase.clone(),
            r#match: keyword.how,
            gained: keyword.gained,
            calls: transitions.iter().map(|transition| transition.calls).sum(),
            transitions,
        }
    };
    let mut keywords: Vec<_> = ledger.keywords.iter().map(message).collect();
    keywords.sort_by_key(|keyword| Reverse(keyword.calls));
    keywords
}

/// The sums that a message tells. What it tells twice is taken from where it is most detailed.
pub(super) fn ledgers(message: &v1::RegradeDiff) -> BTreeMap<String, Ledger> {
    message.scripts.iter().map(|script| (script.script_id.clone(), ledger(script))).collect()
}

fn ledger(script: &v1::ScriptDiff) -> Ledger {
    let mut ledger = Ledger { title: script.title.clone(), ..Ledger::default() };
    script.labels.iter().filter(|label| label.declared).for_each(|label| ledger.label(&label.label, &label.title));
    for rule in &script.rules {
        for (side, text) in [(Side::After, &rule.after), (Side::Before, &rule.before)] {
            if let Some(text) = text {
                ledger.rule(side, &rule.rule_id, text.clone());
            }
        }
    }
    for (side, versions) in [(Side::Before, &script.before), (Side::After, &script.after)] {
        versions.iter().for_each(|graded| ledger.versions.of(side).add(&graded.script_id, &graded.version, graded.calls));
    }
    for transition in &script.rule_transitions {
        let before = Outcome::new(&transition.label_before, &transition.rule_before);
        let after = Outcome::new(&transition.label_after, &transition.rule_after);
        ledger.passed(before, after, Passed { calls: transition.calls, causes: transition.causes.unwrap_or_default() });
    }
    script.uncompared.iter().for_each(|count| ledger.alone(Outcome::new(&count.label, &count.rule_id), count.calls));
    for (side, flow) in [(Side::Before, script.flow_before), (Side::After, script.flow_after)] {
        let v1::Flow { calls, completion_millionths, .. } = flow.unwrap_or_default();
        ledger.flow.of(side).add(Flow { calls, completion_millionths });
    }
    for node in &script.nodes {
        let sums = ledger.node(&node.node_id, &node.title);
        sums.before += node.before;
        sums.after += node.after;
    }
    for keyword in &script.keywords {
        for transition in &keyword.transitions {
            let key = Keyword::new(&keyword.category, &keyword.phrase, keyword.r#match, keyword.gained);
            ledger.keyword(key, &transition.before, &transition.after, transition.calls);
        }
    }
    ledger.other_keywords += script.other_keywords;
    for cell in &script.examples {
        cell.calls.iter().for_each(|call| ledger.example(&cell.before, &cell.after, call));
    }
    ledger
}
