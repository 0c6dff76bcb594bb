//! What lint says of bundles that load: the exact text of every finding.

use std::collections::BTreeSet;

use callgrade::core::event::{Answerer, Outcome};
use callgrade::core::rule::Facts;
use callgrade::core::signal::Signals;
use callgrade::script::compile;
use callgrade::script::lint::{CODES, lint};

use crate::script_load::{Demo, demo};

mod examples;
mod files;
mod flow;
mod keywords;
mod rules;

/// Compares what is found in a bundle.
fn finds(demo: &Demo, expected: &str) {
    let found: Vec<String> = lint(&demo.0).iter().map(|diagnostic| diagnostic.render(false)).collect();
    assert_eq!(found.join("\n"), expected.trim_start_matches('\n'));
}

fn rule(condition: &str) -> Demo {
    demo().with("script.yaml", "when: questions >= 1", &format!("when: {condition}"))
}

#[test]
fn nothing_is_found_in_the_demo() {
    finds(&demo(), "");
}

#[test]
fn a_script_that_leaves_its_flow_to_the_dialer() {
    let branches = "      branches:\n        refuse: closing\n        question: answer\n        silence: self\n        any: product\n";
    let demo = demo().with("script.yaml", branches, "").with("script.yaml", "      branches: {refuse: closing, any: closing}\n", "");
    finds(&demo, "");
}

/// Rules that look alike, but of which each can decide.
#[test]
fn rules_that_can_decide_are_left_alone() {
    for (first, second) in [
        ("questions >= 2", "questions >= 1"),
        ("questions >= 1 && invite == 'accepted'", "questions >= 2"),
        ("hits['affirm'] + hits['refuse'] > 1", "hits['refuse'] == 1"),
        ("completion > 0.7", "completion >= 0.7"),
        ("invite != 'accepted'", "questions >= 3 || invite == 'declined'"),
        ("machine", "answered_by == 'unknown' || answered_by == 'fax'"),
        ("refusals >= 2", "refusal_streak >= 1"),
        ("asked.exists(q, q == 'price')", "questions >= 1"),
        ("last_node == 'opening'", "last_node != 'product'"),
        ("talk_s * 2.0 > 4.0", "talk_s > 2.0"),
    ] {
        let demo = rule(&format!("{first:?}")).with("script.yaml", "when: refusals >= 1", &format!("when: {second:?}"));
        finds(&demo, "");
    }
}

/// Signals of every kind that a call can have, as far as the conditions below tell them apart.
fn every_call() -> Vec<Signals> {
    let mut calls = Vec::new();
    let machines = [None, Some(Answerer::Human), Some(Answerer::Fax), Some(Answerer::Voicemail)];
    let invites = [None, Some(Outcome::Accepted), Some(Outcome::Declined)];
    let refusals = [(0, 0, 0), (1, 0, 0), (1, 1, 1), (3, 2, 1), (3, 2, 2)];
    for (connected, answered_by) in [false, true].into_iter().flat_map(|c| machines.map(|m| (c, m))) {
        for (invite, questions) in invites.into_iter().flat_map(|i| [0u8, 1, 2, 3].map(|q| (i, q))) {
            for ((customer_turns, refusals, refusal_streak), completion) in
                refusals.into_iter().flat_map(|r| [0.0, 0.5, 1.0].map(|c| (r, c)))
            {
                for hits in [[0, 0], [0, 1], [2, 0]] {
                    let asked = (0..questions).collect();
                    let hits = hits.to_vec();
                    let call = Signals {
                        connected,
                        answered_by,
                        invite,
                        asked,
                        customer_turns,
                        refusals,
                        refusal_streak,
                        completion,
                        hits,
                        ..Signals::default()
                    };
                    calls.push(call);
                }
            }
        }
    }
    calls
}

/// What lint says never decides, never does, whatever the call: tried on conditions put together at random.
#[test]
fn rules_that_lint_calls_dead_are() {
    let atoms = [
        "questions >= 2",
        "questions < 1",
        "1 == questions",
        "questions != 2",
        "refusals >= 1",
        "refusal_streak < 2",
        "silent",
        "machine",
        "connected == false",
        "invite == 'accepted'",
        "invite != 'declined'",
        "invite in ['none', 'declined']",
        "answered_by in ['fax', 'voicemail']",
        "completion > 0.5",
        "completion <= 0.5",
        "hits['refuse'] + hits['affirm'] > 0",
        "hits['refuse'] == 0",
        "customer_turns > 0",
    ];
    let mut seed = 7u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let calls = every_call();
    let mut dead = 0;
    for _ in 0..300 {
        let mut condition = || {
            let [a, b, c] = [0; 3].map(|_| atoms[random(atoms.len())]);
            match random(5) {
                0 => format!("{a} && {b}"),
                1 => format!("{a} || {b} && {c}"),
                2 => format!("!({a} && {b}) && {c}"),
                3 => format!("({a} ? {b} : {c})"),
                _ => format!("!({a} || {b})"),
            }
        };
        let (first, second) = (condition(), condition());
        let demo = rule(&format!("{first:?}")).with("script.yaml", "when: refusals >= 1", &format!("when: {second:?}"));
        let found = lint(&demo.0);
        let script = compile(&demo.0).unwrap();
        let holds = |rule: usize, signals: &Signals| script.rules[rule].condition.holds(Facts { script: &script, signals, label: "" });
        for finding in found.iter().filter(|finding| ["never-true", "shadowed", "always-true"].contains(&finding.code)) {
            dead += 1;
            for call in &calls {
                let wrong = match (finding.code, finding.message.contains("`A1` ")) {
                    ("never-true", true) => holds(0, call),
                    ("never-true", false) => holds(1, call) && finding.message.contains("`D1`"),
                    ("always-true", true) => !holds(0, call),
                    ("always-true", false) => !holds(1, call),
                    (_, _) if finding.message.starts_with("rule `D1`") => holds(1, call) && !holds(0, call),
                    (_, _) => holds(2, call) && !holds(1, call) && !holds(0, call),
                };
                assert!(!wrong, "{first} / {second}: {finding} {call:?}");
            }
        }
    }
    assert!(dead > 25, "{dead}");
}

/// Every code is shown by a test, and every code of the tests is explained.
#[test]
fn every_code_is_explained_and_tested() {
    let explained: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(explained.len(), CODES.len());
    let tests = [
        include_str!("lint/examples.rs"),
        include_str!("lint/files.rs"),
        include_str!("lint/flow.rs"),
        include_str!("lint/keywords.rs"),
        include_str!("lint/rules.rs"),
    ];
    let tests = tests.concat();
    let tested: BTreeSet<&str> =
        tests.split("\nwarning[").skip(1).filter_map(|part| part.split_once("]: ")).map(|(code, _)| code).collect();
    assert_eq!(tested, explained);
}
