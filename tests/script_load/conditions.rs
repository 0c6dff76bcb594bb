//! Conditions: names and types, with the place in a scalar of any notation.

use super::{fails, rule};

#[test]
fn a_rule_names_an_unknown_signal() {
    fails(
        &rule("question >= 1"),
        "
error[unknown-signal]: there is no signal `question`
  --> demo/script.yaml:36:11
   |
36 |     when: question >= 1
   |           ^^^^^^^^
   |
   = help: did you mean `questions`?",
    );
}

#[test]
fn an_unknown_signal_like_no_other() {
    fails(
        &rule("temperature > 30"),
        "
error[unknown-signal]: there is no signal `temperature`
  --> demo/script.yaml:36:11
   |
36 |     when: temperature > 30
   |           ^^^^^^^^^^^
   |
   = help: there are connected, ended, dial_result, answered_by, machine, talk_s, customer_turns, content_turns, robot_turns, silent, questions, asked, refusals, refusal_streak, last_refused, hits, invite, completion, reached, last_node, hung_up_by, no_input, transferred",
    );
}

#[test]
fn a_number_compared_to_a_text() {
    fails(
        &rule(r#"connected && questions >= "三""#),
        r#"
error[wrong-type]: an int cannot be compared to a string
  --> demo/script.yaml:36:24
   |
36 |     when: connected && questions >= "三"
   |                        ^^^^^^^^^^^^^^^^^"#,
    );
}

#[test]
fn columns_are_right_after_wide_characters() {
    fails(
        &rule(r#"last_node == "开场白" && questions == "三" && connected"#),
        r#"
error[wrong-type]: an int cannot be compared to a string
  --> demo/script.yaml:36:33
   |
36 |     when: last_node == "开场白" && questions == "三" && connected
   |                                    ^^^^^^^^^^^^^^^^^"#,
    );
}

#[test]
fn a_condition_in_single_quotes() {
    fails(
        &rule(r#"'last_node == "结束语" && it''s'"#),
        r#"
error[syntax]: this is no CEL expression: a string that begins here does not end
  --> demo/script.yaml:36:36
   |
36 |     when: 'last_node == "结束语" && it''s'
   |                                       ^^^"#,
    );
}

#[test]
fn single_quotes_doubled_before_the_place() {
    fails(
        &rule("'last_node == ''结束语'' && (questions + connected) > 1'"),
        "
error[wrong-type]: this is a bool where a number belongs
  --> demo/script.yaml:36:49
   |
36 |     when: 'last_node == ''结束语'' && (questions + connected) > 1'
   |                                                    ^^^^^^^^^",
    );
}

#[test]
fn a_condition_in_double_quotes() {
    fails(
        &rule(r#""last_node == \"\u7ed3\u675f\" && talk_s == 'x'""#),
        r#"
error[wrong-type]: a double cannot be compared to a string
  --> demo/script.yaml:36:45
   |
36 |     when: "last_node == \"\u7ed3\u675f\" && talk_s == 'x'"
   |                                             ^^^^^^^^^^^^^"#,
    );
}

#[test]
fn a_folded_condition() {
    fails(
        &rule(">\n      last_node == \"开场白\"\n      && question >= 1"),
        "
error[unknown-signal]: there is no signal `question`
  --> demo/script.yaml:38:10
   |
38 |       && question >= 1
   |          ^^^^^^^^
   |
   = help: did you mean `questions`?",
    );
}

#[test]
fn a_literal_block() {
    fails(
        &rule("|\n      last_node == \"开场白\" &&\n        hits[\"拒绝\"] > 0"),
        r#"
error[unknown-category]: the lexicon declares no category `拒绝`
  --> demo/script.yaml:38:14
   |
38 |         hits["拒绝"] > 0
   |              ^^^^^^
   |
   = help: there are affirm, refuse"#,
    );
}

#[test]
fn a_plain_condition_over_two_lines() {
    fails(
        &rule("last_node == \"开场白\"\n      && (connected + 1 > 2)"),
        "
error[wrong-type]: this is a bool where a number belongs
  --> demo/script.yaml:37:11
   |
37 |       && (connected + 1 > 2)
   |           ^^^^^^^^^",
    );
}

#[test]
fn a_condition_that_is_no_bool() {
    fails(
        &rule("questions + 1"),
        "
error[wrong-type]: a condition must be true or false; this is an int
  --> demo/script.yaml:36:11
   |
36 |     when: questions + 1
   |           ^^^^^^^^^^^^^",
    );
}

#[test]
fn a_value_a_signal_never_has() {
    fails(
        &rule(r#"invite == "accept""#),
        r#"
error[unknown-value]: `invite` is never "accept"
  --> demo/script.yaml:36:21
   |
36 |     when: invite == "accept"
   |                     ^^^^^^^^
   |
   = help: did you mean `accepted`?"#,
    );
}

#[test]
fn a_value_in_a_list() {
    fails(
        &rule(r#"dial_result in ["busy", "noanswer"]"#),
        r#"
error[unknown-value]: `dial_result` is never "noanswer"
  --> demo/script.yaml:36:35
   |
36 |     when: dial_result in ["busy", "noanswer"]
   |                                   ^^^^^^^^^^
   |
   = help: did you mean `no_answer`?"#,
    );
}

#[test]
fn an_unknown_setting() {
    fails(
        &rule("talk_s < settings.instant_hangup"),
        "
error[unknown-setting]: there is no setting `instant_hangup`
  --> demo/script.yaml:36:20
   |
36 |     when: talk_s < settings.instant_hangup
   |                    ^^^^^^^^^^^^^^^^^^^^^^^
   |
   = help: did you mean `instant_hangup_s`?",
    );
}

#[test]
fn a_field_of_something_else() {
    fails(
        &rule("hits.busy > 0"),
        "
error[unknown-name]: `.busy`: only `settings` has fields
  --> demo/script.yaml:36:11
   |
36 |     when: hits.busy > 0
   |           ^^^^^^^^^",
    );
}

#[test]
fn an_unknown_category() {
    fails(
        &rule(r#"questions > 1 || hits["refused"] > 0"#),
        r#"
error[unknown-category]: the lexicon declares no category `refused`
  --> demo/script.yaml:36:33
   |
36 |     when: questions > 1 || hits["refused"] > 0
   |                                 ^^^^^^^^^
   |
   = help: did you mean `refuse`?"#,
    );
}

#[test]
fn hits_indexed_by_a_number() {
    fails(
        &rule("hits[1] > 0"),
        r#"
error[wrong-type]: `hits` is indexed by a category in quotes, as in hits["busy"]
  --> demo/script.yaml:36:16
   |
36 |     when: hits[1] > 0
   |                ^"#,
    );
}

#[test]
fn a_list_indexed() {
    fails(
        &rule(r#"asked["price"] > 0"#),
        r#"
error[wrong-type]: only `hits` is indexed; this is a list
  --> demo/script.yaml:36:11
   |
36 |     when: asked["price"] > 0
   |           ^^^^^"#,
    );
}
