//! What a new grading changes: counts, causes, keywords, and that parts of a run add up to the whole.

use std::sync::Arc;

use callgrade::core::call::CallState;
use callgrade::core::event::{DialReport, DialResult, EventKind, Party};
use callgrade::core::script::Script;
use callgrade::ingest::{CallRecord, StoredLabel};
use callgrade::regrade::diff::Diff;
use callgrade::regrade::grading::{Against, Before, Graded, Grading, Regraded};
use callgrade::script::{Library, ScriptChoice, compile};
use callgrade::wire::v1;
use serde_json::{Value, json};

use crate::script_load::{Demo, demo};
use crate::support::CallBuilder;

mod merging;

fn choice(demo: &Demo) -> ScriptChoice {
    let script = compile(&demo.0).unwrap_or_else(|error| panic!("{error}"));
    ScriptChoice::new(Library::default().with(script), Some("demo".to_owned())).expect("a choice")
}

/// What the customer says, call by call; nothing: nobody answers.
fn calls(words: &[&str]) -> Vec<CallRecord> {
    let call = |(number, words): (usize, &&str)| {
        let call = CallBuilder::new();
        let busy = DialReport { result: Some(DialResult::Busy), ..DialReport::default() };
        let call = match *words {
            "" => call.event(EventKind::NotConnected(Box::new(busy))),
            words => call.answered().robot("opening", "给您介绍一下可以吗").customer(words).hangup(Party::Customer),
        };
        CallRecord { call_id: format!("c{}", number + 1), events: call.build(), ..CallRecord::default() }
    };
    words.iter().enumerate().map(call).collect()
}

fn between(before: &Demo, after: &Demo, words: &[&str]) -> (Diff, Vec<v1::ChangedCall>) {
    let grading = Grading { scripts: choice(after), against: Against::Version(choice(before)) };
    let mut diff = Diff::new();
    let mut changed = Vec::new();
    for record in calls(words) {
        changed.extend(diff.add(&grading.grade(record).expect("a grading")));
    }
    (diff, changed)
}

fn against_stored(words: &[&str], stored: &[Option<StoredLabel>]) -> (Diff, Vec<v1::ChangedCall>) {
    let grading = Grading { scripts: choice(&demo()), against: Against::Stored };
    let mut diff = Diff::new();
    let mut changed = Vec::new();
    for (mut record, stored) in calls(words).into_iter().zip(stored) {
        record.stored = stored.clone().map(Box::new);
        changed.extend(diff.add(&grading.grade(record).expect("a grading")));
    }
    (diff, changed)
}

fn stored(label: &str, rule_id: &str) -> StoredLabel {
    StoredLabel { label: label.to_owned(), rule_id: rule_id.to_owned(), script_version: "v1".to_owned() }
}

/// As JSON, without what is at its default.
fn told(call: &v1::ChangedCall) -> Value {
    fn brief(value: Value) -> Option<Value> {
        match value {
            Value::Array(items) if !items.is_empty() => Some(items.into_iter().map(|item| brief(item).unwrap_or_default()).collect()),
            Value::Object(fields) => Some(fields.into_iter().filter_map(|(name, value)| Some((name, brief(value)?))).collect()),
            Value::String(text) if text.ends_with("UNSPECIFIED") => None,
            value => Some(value).filter(|value| *value != json!("") && *value != json!(0) && *value != json!([])),
        }
    }
    brief(serde_json::to_value(call).expect("JSON")).expect("a call")
}

fn cells(transitions: &[v1::LabelTransition]) -> Vec<(&str, &str, u64)> {
    transitions.iter().map(|of| (of.before.as_str(), of.after.as_str(), of.calls)).collect()
}

fn labels(labels: &[v1::LabelDiff]) -> Vec<(&str, bool, u64, u64)> {
    labels.iter().map(|of| (of.label.as_str(), of.declared, of.before, of.after)).collect()
}

#[test]
fn keywords_that_come_and_go() {
    let after = demo().with("keywords/price.txt", "多少钱\n", "").with("keywords/refuse.txt", "没兴趣\n", "没兴趣\n算了\n");
    let (diff, changed) = between(&demo(), &after, &["多少钱", "算了", "不需要", "", "多少钱啊", "怎么收费", "算了 多少钱"]);
    let message = diff.message();
    assert_eq!((message.calls, message.compared, message.changed, message.rule_changed), (7, 7, 3, 1));
    assert_eq!(labels(&message.labels), [("A", true, 4, 1), ("D", true, 2, 5), ("", false, 1, 1)]);
    assert_eq!(cells(&message.transitions), [("A", "A", 1), ("A", "D", 3), ("D", "D", 2), ("", "", 1)]);

    let [script] = &message.scripts[..] else { panic!("{:?}", message.scripts) };
    assert_eq!((script.script_id.as_str(), script.title.as_str(), script.calls), ("demo", "示例", 7));
    let version = |demo: &Demo| v1::GradedBy { script_id: "demo".to_owned(), version: demo.0.version(), calls: 7 };
    assert_eq!((&script.before[..], &script.after[..]), (&[version(&demo())][..], &[version(&after)][..]));
    let rules: Vec<_> = script
        .rule_transitions
        .iter()
        .map(|of| (of.rule_before.as_str(), of.rule_after.as_str(), of.calls, of.causes.map(|causes| causes.signals)))
        .collect();
    assert_eq!(
        rules,
        [
            ("", "", 1, None),
            ("A1", "A1", 1, None),
            ("A1", "D1", 1, Some(1)),
            ("A1", "D9", 2, Some(2)),
            ("D1", "D1", 1, None),
            ("D9", "D1", 1, Some(1))
        ]
    );
    let keywords: Vec<_> = script
        .keywords
        .iter()
        .map(|of| (of.gained, of.category.as_str(), of.phrase.as_str(), of.r#match(), of.calls, cells(&of.transitions)))
        .collect();
    assert_eq!(
        keywords,
        [
            (false, "price", "多少钱", v1::Match::Exact, 3, vec![("A", "D", 3)]),
            // c2 keeps its label: there it changed the rule alone.
            (true, "refuse", "算了", v1::Match::Exact, 1, vec![("A", "D", 1)]),
        ]
    );
    assert_eq!(script.other_keywords, 0);
    let decided: Vec<_> = script.rules.iter().map(|of| (of.rule_id.as_str(), of.calls_before, of.calls_after)).collect();
    assert_eq!(decided, [("A1", 4, 1), ("D1", 1, 3), ("D9", 1, 2)]);
    assert_eq!(script.rules[0].before, script.rules[0].after);
    let text =
        v1::RuleText { label: "A".to_owned(), when: "questions >= 1".to_owned(), words: "问了问题".to_owned(), catch_all: false };
    assert_eq!(script.rules[0].after, Some(text));
    let flow = script.flow_after.expect("a flow");
    assert_eq!((flow.calls, script.flow_before.expect("a flow")), (6, flow));
    assert!(flow.mean_completion > 0.0 && flow.mean_completion < 1.0, "{flow:?}");
    let nodes: Vec<_> = script.nodes.iter().map(|of| (of.node_id.as_str(), of.title.as_str(), of.before, of.after)).collect();
    assert_eq!(nodes, [("opening", "开场白", 6, 6), ("product", "产品介绍", 0, 0)]);

    let shown: Vec<_> = script.examples.iter().map(|of| (of.before.as_str(), of.after.as_str(), of.calls.len())).collect();
    assert_eq!(shown, [("A", "D", 3), ("D", "D", 1)]);
    assert_eq!(changed.iter().map(|call| call.call_id.as_str()).collect::<Vec<_>>(), ["c1", "c2", "c5", "c7"]);
    assert_eq!(script.examples[0].calls, [changed[0].clone(), changed[2].clone(), changed[3].clone()]);
}

#[test]
fn a_changed_call() {
    let after = demo().with("keywords/price.txt", "多少钱\n", "");
    let (_, changed) = between(&demo(), &after, &["多少钱"]);
    let [call] = &changed[..] else { panic!("{changed:?}") };
    let failed = json!([{"test": "questions >= 1", "values": [{"name": "questions", "value": "0"}]}]);
    assert_eq!(
        told(call),
        json!({
            "callId": "c1",
            "before": {"scriptId": "demo", "scriptVersion": demo().0.version(), "label": "A", "ruleId": "A1", "reason": "问了问题"},
            "after": {"scriptId": "demo", "scriptVersion": after.0.version(), "label": "D", "ruleId": "D9", "reason": "其余"},
            "cause": "CHANGE_CAUSE_SIGNALS",
            "signals": [{"name": "questions", "before": "1", "after": "0"}, {"name": "asked", "before": "[price]", "after": "[]"}],
            "lost": [{"event": 2, "end": 3, "speaker": "SPEAKER_CUSTOMER", "signal": "asked", "category": "price", "phrase": "多少钱",
                "match": "MATCH_EXACT", "score": 1.0}],
            "ruleBefore": {"ruleId": "A1", "state": "STATE_FAILS", "when": "questions >= 1", "failed": failed, "decidedBy": "D9"},
            "ruleAfter": {"ruleId": "D9", "state": "STATE_OUTRANKED", "when": "connected && ended", "decidedBy": "A1"},
        })
    );
}

#[test]
fn what_a_change_is_due_to() {
    use v1::ChangeCause::{Both, Rules, Signals};
    use v1::rule_fate::State::{Decides, Fails, Missing, Outranked};
    let more = demo().with("script.yaml", "when: questions >= 1", "when: questions >= 2");
    let unheard = demo().with("keywords/price.txt", "多少钱\n", "");
    let relabelled = demo().with("script.yaml", "label: A\n", "label: D\n");
    let renamed = demo().with("script.yaml", "id: A1", "id: A2");
    // Refusals decide from two on, which would do, and 没兴趣 is none any more, which would not.
    let strict = demo().with("script.yaml", "when: refusals >= 1", "when: refusals >= 2").with(
        "script.yaml",
        "id: D9\n    label: D",
        "id: D9\n    label: A",
    );
    let strict_and_deaf = Demo(strict.0.clone()).with("keywords/refuse.txt", "没兴趣\n", "");
    let table: &[(&str, &Demo, &Demo, &str, v1::ChangeCause, _, _)] = &[
        ("more questions are asked for", &demo(), &more, "多少钱", Rules, Fails, Outranked),
        ("fewer are", &more, &demo(), "多少钱", Rules, Outranked, Fails),
        ("a word is not heard", &demo(), &unheard, "多少钱", Signals, Fails, Outranked),
        ("a word is", &unheard, &demo(), "多少钱", Signals, Outranked, Fails),
        ("the rule gives another label", &demo(), &relabelled, "多少钱", Rules, Decides, Decides),
        ("the rule has another name", &demo(), &renamed, "多少钱", Rules, Missing, Missing),
        ("the rule would do without the word", &demo(), &strict_and_deaf, "没兴趣", Rules, Fails, Outranked),
    ];
    for (name, before, after, words, cause, was, is) in table {
        let (diff, changed) = between(before, after, &[words]);
        let [call] = &changed[..] else { panic!("{name}: {changed:?}") };
        let fate = |fate: &Option<v1::RuleFate>| fate.as_ref().map(v1::RuleFate::state);
        assert_eq!((call.cause(), fate(&call.rule_before), fate(&call.rule_after)), (*cause, Some(*was), Some(*is)), "{name}: {call:?}");
        let keywords = &diff.message().scripts[0].keywords;
        assert_eq!(keywords.is_empty(), *cause == Rules, "{name}: {keywords:?}");
    }
    // A word that is heard now, and a rule that gives another label for it: neither does without the other.
    let before = demo().with("keywords/refuse.txt", "没兴趣\n", "");
    let after = demo().with("script.yaml", "when: refusals >= 1", "when: refusals >= 1 && customer_turns < 9").with(
        "script.yaml",
        "id: D1\n    label: D",
        "id: D1\n    label: A",
    );
    let (_, changed) = between(&before, &after, &["没兴趣"]);
    assert_eq!(changed.iter().map(v1::ChangedCall::cause).collect::<Vec<_>>(), [Both]);
}

#[test]
fn labels_that_came_with_the_calls() {
    let words = ["多少钱", "多少钱", "不需要", "不需要", "不需要", "你好", "", "没兴趣"];
    let labels_before = [
        Some(stored("A", "")),
        Some(stored("B", "B2")),
        Some(stored("D", "D1")),
        Some(stored("D", "D9")),
        Some(stored("D", "")),
        None,
        Some(stored("", "")),
        Some(stored("", "")),
    ];
    let (diff, changed) = against_stored(&words, &labels_before);
    let message = diff.message();
    assert_eq!((message.calls, message.compared, message.changed, message.rule_changed), (8, 7, 2, 1));
    assert_eq!(labels(&message.labels), [("A", true, 1, 2), ("D", true, 3, 5), ("B", false, 1, 0), ("", false, 2, 1)]);
    assert_eq!(cells(&message.transitions), [("A", "A", 1), ("D", "D", 3), ("B", "A", 1), ("", "D", 1), ("", "", 1)]);
    let script = &message.scripts[0];
    assert_eq!(script.uncompared, [v1::RuleCount { label: "D".to_owned(), rule_id: "D9".to_owned(), calls: 1 }]);
    assert_eq!(script.before, [v1::GradedBy { script_id: String::new(), version: "v1".to_owned(), calls: 7 }]);
    assert_eq!((script.after[0].calls, script.flow_before.map(|flow| flow.calls), script.keywords.len()), (8, Some(0), 0));
    assert_eq!(changed.iter().map(|call| call.call_id.as_str()).collect::<Vec<_>>(), ["c2", "c4", "c8"]);
    assert_eq!(
        told(&changed[0]),
        json!({
            "callId": "c2",
            "before": {"scriptVersion": "v1", "label": "B", "ruleId": "B2"},
            "after": {"scriptId": "demo", "scriptVersion": demo().0.version(), "label": "A", "ruleId": "A1", "reason": "问了问题"},
            "evidence": [
                {"signal": "connected", "phrase": "answered", "match": "MATCH_REPORTED", "score": 1.0},
                {"event": 2, "end": 3, "speaker": "SPEAKER_CUSTOMER", "signal": "asked", "category": "price", "phrase": "多少钱",
                    "match": "MATCH_EXACT", "score": 1.0},
                {"event": 3, "signal": "hung_up_by", "phrase": "customer", "match": "MATCH_REPORTED", "score": 1.0}
            ],
            "ruleBefore": {"ruleId": "B2", "state": "STATE_MISSING", "decidedBy": "A1"},
        })
    );
    assert_eq!(changed[2].rule_before, None, "no rule is known");
}

#[test]
fn nothing_to_compare_with() {
    let grading = Grading { scripts: choice(&demo()), against: Against::Nothing };
    let mut diff = Diff::new();
    for mut record in calls(&["多少钱", "不需要"]) {
        record.stored = Some(Box::new(stored("F", "")));
        assert_eq!(diff.add(&grading.grade(record).expect("a grading")), None);
    }
    let message = diff.message();
    assert_eq!((message.calls, message.compared, message.changed), (2, 0, 0));
    assert_eq!(labels(&message.labels), [("A", true, 0, 1), ("D", true, 0, 1)]);
    assert_eq!((message.transitions.len(), message.scripts[0].nodes[0].after, message.scripts[0].before.len()), (0, 2, 0));
}

#[test]
fn another_script_than_before() {
    // The same calls by another script, whose labels, categories and nodes are its own.
    let other = Demo(callgrade::script::Bundle { name: "other".to_owned(), ..demo().0 })
        .with("script.yaml", "id: demo", "id: other")
        .with("script.yaml", "{id: A, title: 有意向}", "{id: X, title: 想要}")
        .with("script.yaml", "label: A\n", "label: X\n")
        .with("script.yaml", "label == \"A\"", "label == \"X\"")
        .with("script.yaml", "{affirm: 肯定, refuse: 拒绝}", "{busy: 在忙, affirm: 肯定, refuse: 拒绝}")
        .with_file("keywords/busy.txt", "在忙\n");
    let script = compile(&other.0).unwrap_or_else(|error| panic!("{error}"));
    let before = ScriptChoice::new(Library::default().with(script), Some("other".to_owned())).expect("a choice");
    let grading = Grading { scripts: choice(&demo()), against: Against::Version(before) };
    let mut diff = Diff::new();
    let mut records = calls(&["多少钱", "在忙"]);
    let mut add = |record| diff.add(&grading.grade(record).expect("a grading"));
    let (Some(first), None) = (add(records.remove(0)), add(records.remove(0))) else { panic!("one changed") };
    assert_eq!((first.cause(), first.signals.len()), (v1::ChangeCause::Rules, 0), "{first:?}");
    let message = diff.message();
    assert_eq!(labels(&message.labels), [("A", true, 0, 1), ("D", true, 1, 1), ("X", true, 1, 0)]);
    assert_eq!(message.scripts[0].before[0].script_id, "other");
}

#[test]
fn only_so_much_is_kept() {
    let script = compile(&demo().0).expect("the demo");
    let verdict = CallState::replay(&script, calls(&["多少钱"]).remove(0).events);
    let call = |number: usize| Regraded {
        call_id: format!("c{number}"),
        notices: Vec::new(),
        rejections: Vec::new(),
        after: Graded { script: Arc::clone(&script), verdict: verdict.clone() },
        before: Before::Stored(StoredLabel { script_version: format!("v{number}"), ..stored(&format!("label {number:05}"), "") }),
    };
    let mut diff = Diff::new();
    (0..12_000).for_each(|number| assert!(diff.add(&call(number)).is_some()));
    let message = diff.message();
    let script = &message.scripts[0];
    assert_eq!((message.changed, script.rule_transitions.len(), script.before.len()), (12_000, 10_001, 101));
    let others = script.rule_transitions.last().expect("the others");
    assert_eq!((others.label_before.as_str(), others.calls), ("…", 2_000));
    assert_eq!(script.before.last().map(|graded| (graded.version.as_str(), graded.calls)), Some(("…", 11_900)));
    assert_eq!((script.examples.len(), script.examples[0].before.as_str()), (100, "label 00000"));
    assert_eq!(Diff::from_message(&message).message(), message);

    let before = Before::Stored(stored("B", ""));
    let mut diff = Diff::new();
    (0..30).for_each(|number| {
        diff.add(&Regraded { before: before.clone(), ..call(number) });
    });
    let message = diff.message();
    let examples = &message.scripts[0].examples;
    let ids: Vec<&str> = examples[0].calls.iter().map(|call| call.call_id.as_str()).collect();
    assert_eq!((examples.len(), ids.len(), ids[0], ids[19]), (1, 20, "c0", "c19"));
}

/// A script of the program with some files changed.
fn bundled_with(id: &str, path: &str, from: &str, to: &str) -> Arc<Script> {
    let bundle = callgrade::script::Bundle::bundled().into_iter().find(|bundle| bundle.name == id).expect("a bundled script");
    compile(&Demo(bundle).with(path, from, to).0).unwrap_or_else(|error| panic!("{error}"))
}
