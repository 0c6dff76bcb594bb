//! Conditions that CEL or callgrade cannot read.

use super::{fails, rule};

#[test]
fn a_condition_that_breaks_off() {
    fails(
        &rule("questions >= 1 &&"),
        "
error[syntax]: this is no CEL expression: it breaks off
  --> demo/script.yaml:36:28
   |
36 |     when: questions >= 1 &&
   |                            ^",
    );
}

#[test]
fn a_token_too_many() {
    fails(
        &rule("questions >= 1 )"),
        "
error[syntax]: this is no CEL expression: `)` does not belong here
  --> demo/script.yaml:36:26
   |
36 |     when: questions >= 1 )
   |                          ^",
    );
}

#[test]
fn one_equals_sign() {
    fails(
        &rule("questions = 1"),
        "
error[syntax]: this is no CEL expression: `=` has no meaning here
  --> demo/script.yaml:36:21
   |
36 |     when: questions = 1
   |                     ^
   |
   = help: to compare, write `==`",
    );
}

#[test]
fn a_missing_parenthesis() {
    fails(
        &rule("(questions >= 1"),
        "
error[syntax]: this is no CEL expression: `)` is missing
  --> demo/script.yaml:36:26
   |
36 |     when: (questions >= 1
   |                          ^",
    );
}

#[test]
fn a_string_without_end() {
    fails(
        &rule("last_node == 'opening"),
        "
error[syntax]: this is no CEL expression: a string that begins here does not end
  --> demo/script.yaml:36:24
   |
36 |     when: last_node == 'opening
   |                        ^^^^^^^^",
    );
}

#[test]
fn chinese_outside_quotes() {
    fails(
        &rule("开场 == 1"),
        "
error[syntax]: this is no CEL expression: `开` has no meaning here
  --> demo/script.yaml:36:11
   |
36 |     when: 开场 == 1
   |           ^^",
    );
}

#[test]
fn an_unknown_function() {
    fails(
        &rule("connected && matches(last_node, 'a.*')"),
        "
error[unknown-function]: there is no function `matches` in label rules
  --> demo/script.yaml:36:24
   |
36 |     when: connected && matches(last_node, 'a.*')
   |                        ^^^^^^^^^^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn an_unknown_method() {
    fails(
        &rule("last_node.matches('开.*')"),
        "
error[unknown-function]: there is no function `matches` in label rules
  --> demo/script.yaml:36:11
   |
36 |     when: last_node.matches('开.*')
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn the_macro_map() {
    fails(
        &rule("size(asked.map(q, q)) > 0"),
        "
error[unsupported]: of CEL's list macros there are exists, all and exists_one
  --> demo/script.yaml:36:16
   |
36 |     when: size(asked.map(q, q)) > 0
   |                ^^^^^^^^^^^^^^^",
    );
}

#[test]
fn the_macro_filter() {
    fails(
        &rule("size(asked.filter(q, q == 'price')) > 0"),
        "
error[unsupported]: of CEL's list macros there are exists, all and exists_one
  --> demo/script.yaml:36:16
   |
36 |     when: size(asked.filter(q, q == 'price')) > 0
   |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn a_macro_whose_variable_is_no_name() {
    fails(
        &rule("asked.exists(1, true)"),
        "
error[syntax]: this is no CEL expression: argument must be a simple name
  --> demo/script.yaml:36:24
   |
36 |     when: asked.exists(1, true)
   |                        ^",
    );
}

#[test]
fn division_by_zero() {
    fails(
        &rule("questions / 0 > 1"),
        "
error[division]: only a number other than zero may divide
  --> demo/script.yaml:36:23
   |
36 |     when: questions / 0 > 1
   |                       ^",
    );
}

#[test]
fn division_by_a_signal() {
    fails(
        &rule("talk_s / talk_s > 1.0"),
        "
error[division]: only a number other than zero may divide
  --> demo/script.yaml:36:20
   |
36 |     when: talk_s / talk_s > 1.0
   |                    ^^^^^^",
    );
}

#[test]
fn a_bool_is_no_number() {
    fails(
        &rule("-connected > 0"),
        "
error[wrong-type]: this is a bool where a number belongs
  --> demo/script.yaml:36:12
   |
36 |     when: -connected > 0
   |            ^^^^^^^^^",
    );
}

#[test]
fn null() {
    fails(
        &rule("last_node == null"),
        "
error[unsupported]: null and bytes mean nothing in label rules
  --> demo/script.yaml:36:24
   |
36 |     when: last_node == null
   |                        ^^^^",
    );
}

#[test]
fn label_in_a_rule() {
    fails(
        &rule("label == 'A'"),
        "
error[unknown-signal]: there is no signal `label`
  --> demo/script.yaml:36:11
   |
36 |     when: label == 'A'
   |           ^^^^^
   |
   = help: there are connected, ended, dial_result, answered_by, machine, talk_s, customer_turns, content_turns, robot_turns, silent, questions, asked, refusals, refusal_streak, last_refused, hits, invite, completion, reached, last_node, hung_up_by, no_input, transferred",
    );
}
