//! What `script.yaml` declares and names.

use super::{demo, fails};

#[test]
fn an_undeclared_label() {
    fails(
        &demo().with("script.yaml", "label: A\n    when", "label: E\n    when"),
        "
error[unknown-label]: rule `A1` gives the label `E`, which the script does not declare
  --> demo/script.yaml:35:12
   |
35 |     label: E
   |            ^
   |
   = help: there are A, D",
    );
}

#[test]
fn a_rule_twice() {
    fails(
        &demo().with("script.yaml", "- id: D1", "- id: A1"),
        "
error[duplicate]: rule `A1` is declared twice
  --> demo/script.yaml:38:9
   |
38 |   - id: A1
   |         ^^",
    );
}

#[test]
fn an_unknown_follow_up() {
    fails(
        &demo().with("script.yaml", "action: call", "action: remind"),
        r#"
error[unknown-action]: there is no follow-up `remind`
  --> demo/script.yaml:48:36
   |
48 |   - {when: 'label == "A"', action: remind, within_hours: 24, note: 跟进}
   |                                    ^^^^^^
   |
   = help: there are call, redial, none, never"#,
    );
}

#[test]
fn a_branch_to_a_node_that_does_not_exist() {
    fails(
        &demo().with("script.yaml", "any: product", "any: produkt"),
        "
error[unknown-node]: there is no node `produkt`
  --> demo/script.yaml:20:14
   |
20 |         any: produkt
   |              ^^^^^^^
   |
   = help: did you mean `product`?",
    );
}

#[test]
fn a_branch_on_a_category_that_does_not_exist() {
    fails(
        &demo().with("script.yaml", "        refuse: closing\n", "        拒绝: closing\n"),
        "
error[unknown-category]: there is no category or question `拒绝`
  --> demo/script.yaml:17:9
   |
17 |         拒绝: closing
   |         ^^^^
   |
   = help: there are affirm, price, refuse",
    );
}

#[test]
fn a_start_that_does_not_exist() {
    fails(
        &demo().with("script.yaml", "start: opening", "start: greeting"),
        "
error[unknown-node]: there is no node `greeting`
 --> demo/script.yaml:9:10
  |
9 |   start: greeting
  |          ^^^^^^^^
  |
  = help: there are closing, opening, product",
    );
}

#[test]
fn an_alias_of_a_node_that_does_not_exist() {
    fails(
        &demo().with("script.yaml", "{开场: opening}", "{开场: 开场白}"),
        "
error[unknown-node]: there is no node `开场白`
  --> demo/script.yaml:50:15
   |
50 |   nodes: {开场: 开场白}
   |                 ^^^^^^
   |
   = help: there are closing, opening, product",
    );
}

#[test]
fn an_alias_of_a_category_that_does_not_exist() {
    fails(
        &demo().with("script.yaml", "{拒绝: refuse}", "{拒绝: reject}"),
        "
error[unknown-category]: there is no category or question `reject`
  --> demo/script.yaml:51:20
   |
51 |   categories: {拒绝: reject}
   |                      ^^^^^^
   |
   = help: there are affirm, price, refuse",
    );
}

#[test]
fn after_a_node_that_does_not_exist() {
    fails(
        &demo().with("script.yaml", "title: 结束语", "title: 结束语\n      after: invite"),
        "
error[unknown-node]: there is no node `invite`
  --> demo/script.yaml:28:14
   |
28 |       after: invite
   |              ^^^^^^
   |
   = help: there are closing, opening, product",
    );
}

#[test]
fn a_variable_without_default() {
    fails(
        &demo().with("script.yaml", "这里是{company}", "这里是{公司}"),
        "
error[unknown-variable]: the prompt names a variable `{公司}` that `variables` does not declare
  --> demo/script.yaml:14:21
   |
14 |       prompt: 您好，这里是{公司}，给您介绍一下可以吗？
   |                           ^^^^^^
   |
   = help: there are company",
    );
}

#[test]
fn a_second_invite_node() {
    fails(
        &demo().with("script.yaml", "title: 产品介绍", "invite: true\n      title: 产品介绍").with(
            "script.yaml",
            "title: 结束语",
            "invite: true\n      title: 结束语",
        ),
        "
error[duplicate]: `closing` is a second invite node; a script has one
  --> demo/script.yaml:27:11
   |
27 |     - id: closing
   |           ^^^^^^^",
    );
}

#[test]
fn no_main_flow() {
    fails(
        &demo().with("script.yaml", "      main: true\n", "").with("script.yaml", "      main: true\n", ""),
        "
error[no-main-flow]: no node is `main: true`: completion would mean nothing
  --> demo/script.yaml:11:11
   |
11 |     - id: opening
   |           ^^^^^^^",
    );
}

#[test]
fn a_negative_weight() {
    fails(
        &demo().with("script.yaml", "main: true", "main: true\n      weight: -1"),
        "
error[wrong-value]: node `opening`: a weight is 0 or more
  --> demo/script.yaml:14:15
   |
14 |       weight: -1
   |               ^^",
    );
}

#[test]
fn a_speaking_rate_of_zero() {
    fails(
        &demo().with("script.yaml", "{instant_hangup_s: 5}", "{instant_hangup_s: 5, speaking_rate: 0}"),
        "
error[wrong-value]: speaking_rate must be more than 0 characters a second
 --> demo/script.yaml:6:48
  |
6 | settings: {instant_hangup_s: 5, speaking_rate: 0}
  |                                                ^",
    );
}

#[test]
fn an_id_that_is_not_the_folders() {
    fails(
        &demo().with("script.yaml", "id: demo", "id: demos"),
        "
error[wrong-id]: the script's id is `demos`, but its folder is `demo`
 --> demo/script.yaml:1:5
  |
1 | id: demos
  |     ^^^^^
  |
  = help: name the folder after the id",
    );
}

#[test]
fn a_category_that_is_a_question_too() {
    fails(
        &demo().with("script.yaml", "questions: {price", "questions: {refuse"),
        "
error[duplicate]: `refuse` is both a category and a question
  --> demo/script.yaml:31:15
   |
31 |   questions: {refuse: 价格}
   |               ^^^^^^
warning[stray-list]: no category or question uses this list
 --> demo/keywords/price.txt:1:1
  |
1 | 多少钱
  | ^
  |
  = help: declare it under `lexicon` in script.yaml, or remove the file",
    );
}
