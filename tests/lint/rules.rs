//! Label rules and follow-ups.

use super::{finds, rule};
use crate::script_load::demo;

#[test]
fn a_rule_shadowed_by_one_before_it() {
    finds(
        &demo()
            .with(
                "script.yaml",
                "  - id: D9",
                "  - id: A2\n    label: A\n    when: questions >= 2 && invite == 'accepted'\n    words: 新\n  - id: D9",
            )
            .with("cases/rules.yaml", "- name: 其余", "- name: 新\n  events: [answered]\n  expect: {rule: A2}\n- name: 其余"),
        "
warning[shadowed]: rule `A2` never decides: whenever it holds, `A1` does, which is tried before it
  --> demo/script.yaml:44:11
   |
44 |     when: questions >= 2 && invite == 'accepted'
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: move it before `A1`, or narrow what stands there",
    );
}

#[test]
fn a_rule_shadowed_by_a_wider_interval() {
    finds(
        &rule("completion > 0.5")
            .with(
                "script.yaml",
                "  - id: D9",
                "  - id: A2\n    label: A\n    when: completion >= 0.7 && connected\n    words: 新\n  - id: D9",
            )
            .with("cases/rules.yaml", "- name: 其余", "- name: 新\n  events: [answered]\n  expect: {rule: A2}\n- name: 其余"),
        "
warning[shadowed]: rule `A2` never decides: whenever it holds, `A1` does, which is tried before it
  --> demo/script.yaml:44:11
   |
44 |     when: completion >= 0.7 && connected
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: move it before `A1`, or narrow what stands there",
    );
}

#[test]
fn a_rule_shadowed_by_several_together() {
    finds(
        &rule("invite == 'accepted' && questions > 0")
            .with("script.yaml", "when: refusals >= 1", "when: invite != 'accepted'")
            .with("script.yaml", "  - id: D9", "  - id: A2\n    label: A\n    when: questions == 3\n    words: 新\n  - id: D9")
            .with("cases/rules.yaml", "- name: 其余", "- name: 新\n  events: [answered]\n  expect: {rule: A2}\n- name: 其余"),
        "
warning[shadowed]: rule `A2` never decides: whenever it holds, one of `A1` and `D1` does, which are tried before it
  --> demo/script.yaml:44:11
   |
44 |     when: questions == 3
   |           ^^^^^^^^^^^^^^
   |
   = help: move it before `A1`, or narrow what stands there",
    );
}

#[test]
fn a_rule_shadowed_value_by_value() {
    finds(
        &rule("dial_result in ['busy', 'failed', 'no_answer']")
            .with(
                "script.yaml",
                "  - id: D9",
                "  - id: A2\n    label: A\n    when: dial_result == 'busy' || dial_result == 'failed' && ended\n    words: 新\n  - id: D9",
            )
            .with("cases/rules.yaml", "- name: 其余", "- name: 新\n  events: [answered]\n  expect: {rule: A2}\n- name: 其余"),
        "
warning[shadowed]: rule `A2` never decides: whenever it holds, `A1` does, which is tried before it
  --> demo/script.yaml:44:11
   |
44 |     when: dial_result == 'busy' || dial_result == 'failed' && ended
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: move it before `A1`, or narrow what stands there",
    );
}

#[test]
fn a_rule_shadowed_by_what_signals_mean() {
    finds(
        &demo()
            .with("script.yaml", "when: refusals >= 1", "when: connected && refusals >= 1")
            .with(
                "script.yaml",
                "  - id: D9",
                "  - id: D2\n    label: D\n    when: connected && refusal_streak >= 2\n    words: 新\n  - id: D9",
            )
            .with("cases/rules.yaml", "- name: 其余", "- name: 新\n  events: [answered]\n  expect: {rule: D2}\n- name: 其余"),
        "
warning[shadowed]: rule `D2` never decides: whenever it holds, `D1` does, which is tried before it
  --> demo/script.yaml:44:11
   |
44 |     when: connected && refusal_streak >= 2
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: move it before `D1`, or narrow what stands there",
    );
}

#[test]
fn sums_of_hits_are_understood() {
    finds(
        &rule("hits['affirm'] + hits['refuse'] > 0")
            .with("script.yaml", "  - id: D9", "  - id: A2\n    label: A\n    when: hits['refuse'] >= 2\n    words: 新\n  - id: D9")
            .with("cases/rules.yaml", "- name: 其余", "- name: 新\n  events: [answered]\n  expect: {rule: A2}\n- name: 其余"),
        "
warning[shadowed]: rule `A2` never decides: whenever it holds, `A1` does, which is tried before it
  --> demo/script.yaml:44:11
   |
44 |     when: hits['refuse'] >= 2
   |           ^^^^^^^^^^^^^^^^^^^
   |
   = help: move it before `A1`, or narrow what stands there",
    );
}

#[test]
fn a_catch_all_shadowed() {
    finds(
        &demo().with("script.yaml", "connected && ended", "questions > 0 && ended"),
        "
warning[shadowed]: rule `D9` never decides: whenever it holds, `A1` does, which is tried before it
  --> demo/script.yaml:45:11
   |
45 |     when: questions > 0 && ended
   |           ^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: move it before `A1`, or narrow what stands there",
    );
}

#[test]
fn a_rule_that_contradicts_itself() {
    finds(
        &rule("questions >= 3 && questions < 2"),
        "
warning[never-true]: rule `A1` never holds: its condition contradicts itself
  --> demo/script.yaml:36:11
   |
36 |     when: questions >= 3 && questions < 2
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: correct the condition, or remove the rule",
    );
}

#[test]
fn a_rule_that_wants_two_values() {
    finds(
        &rule("invite == 'accepted' && invite == 'declined'"),
        "
warning[never-true]: rule `A1` never holds: its condition contradicts itself
  --> demo/script.yaml:36:11
   |
36 |     when: invite == 'accepted' && invite == 'declined'
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: correct the condition, or remove the rule",
    );
}

#[test]
fn a_rule_that_contradicts_what_signals_mean() {
    finds(
        &rule("silent && (machine || customer_turns > 1)"),
        "
warning[never-true]: rule `A1` never holds: its condition contradicts itself
  --> demo/script.yaml:36:11
   |
36 |     when: silent && (machine || customer_turns > 1)
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: correct the condition, or remove the rule",
    );
}

#[test]
fn a_rule_that_always_holds() {
    finds(
        &demo().with("script.yaml", "when: refusals >= 1", "when: questions >= 0"),
        "
warning[always-true]: rule `D1` always holds: the rule after it never decides
  --> demo/script.yaml:40:11
   |
40 |     when: questions >= 0
   |           ^^^^^^^^^^^^^^
   |
   = help: narrow the condition, or make it the last catch-all",
    );
}

#[test]
fn a_rule_after_a_catch_all() {
    finds(
        &demo().with("script.yaml", "catch_all: true\n    when: connected && ended", "when: connected && ended").with(
            "script.yaml",
            "label: A\n    when",
            "label: A\n    catch_all: true\n    when",
        ),
        "
warning[after-catch-all]: rule `D1` stands after the catch-all `A1`, but is tried before it
  --> demo/script.yaml:39:9
   |
39 |   - id: D1
   |         ^^
   |
   = help: move it before the catch-all, where it is tried
warning[after-catch-all]: rule `D9` stands after the catch-all `A1`, but is tried before it
  --> demo/script.yaml:43:9
   |
43 |   - id: D9
   |         ^^
   |
   = help: move it before the catch-all, where it is tried",
    );
}

#[test]
fn no_catch_all() {
    finds(
        &demo().with("script.yaml", "    catch_all: true\n", ""),
        "
warning[no-catch-all]: no rule is a catch-all: a call can end without a label
  --> demo/script.yaml:42:9
   |
42 |   - id: D9
   |         ^^
   |
   = help: add a last rule with `catch_all: true`, such as `when: connected && ended`",
    );
}

#[test]
fn a_label_without_rule() {
    finds(
        &demo().with("script.yaml", "{id: D,", "{id: C, title: 待沟通}\n  - {id: D,"),
        "
warning[no-label-rule]: no rule gives label `C`
 --> demo/script.yaml:5:10
  |
5 |   - {id: C, title: 待沟通}
  |          ^
  |
  = help: write a rule for it, or remove the label",
    );
}

#[test]
fn a_rule_without_words() {
    finds(
        &demo().with("script.yaml", "    words: 拒绝\n", ""),
        "
warning[no-words]: rule `D1` has no words: its verdicts give no reason
  --> demo/script.yaml:38:9
   |
38 |   - id: D1
   |         ^^
   |
   = help: add `words:` with what the standard says",
    );
}

#[test]
fn a_follow_up_never_chosen() {
    finds(
        &demo().with("script.yaml", "note: 跟进}", "note: 跟进}\n  - {when: 'label == \"A\" && questions > 1', action: none}"),
        r#"
warning[shadowed-follow-up]: this follow-up is never chosen: whenever it holds, those before it do
  --> demo/script.yaml:49:12
   |
49 |   - {when: 'label == "A" && questions > 1', action: none}
   |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: move it up, or remove it"#,
    );
}

#[test]
fn a_follow_up_on_a_label_that_is_not_declared() {
    finds(
        &demo().with("script.yaml", r#"label == "A""#, r#"label == "B""#),
        r#"
warning[never-true]: this follow-up is never chosen: its condition contradicts itself
  --> demo/script.yaml:48:12
   |
48 |   - {when: 'label == "B"', action: call, within_hours: 24, note: 跟进}
   |            ^^^^^^^^^^^^^^
   |
   = help: correct the condition, or remove the follow-up"#,
    );
}
