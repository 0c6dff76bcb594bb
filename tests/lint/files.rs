//! Cases, aliases, stray files, and findings of several kinds.

use super::{finds, rule};
use crate::script_load::demo;

#[test]
fn a_file_that_nothing_reads() {
    finds(
        &demo().with_file("case/more.yaml", "- name: 一\n"),
        "
warning[stray-file]: nothing reads this file
 --> demo/case/more.yaml:1:1
  |
1 | - name: 一
  | ^
  |
  = help: a script is script.yaml, keywords/*.txt, examples/*.txt, model.txt and cases/*.yaml",
    );
}

#[test]
fn a_useless_alias() {
    finds(
        &demo().with("script.yaml", "{开场: opening}", "{开场: opening, closing: opening}"),
        "
warning[useless-alias]: `closing` is a node of the script itself: the alias is never used
  --> demo/script.yaml:50:24
   |
50 |   nodes: {开场: opening, closing: opening}
   |                          ^^^^^^^",
    );
}

#[test]
fn a_case_file_that_is_no_yaml() {
    finds(
        &demo().with_file("cases/more.yaml", "- name: 一\n  event: []\n  expect: {}\n"),
        "
warning[bad-case]: there is no field `event` here
 --> demo/cases/more.yaml:2:3
  |
2 |   event: []
  |   ^^^^^
  |
  = help: did you mean `events`?",
    );
}

#[test]
fn a_case_with_an_event_that_means_nothing() {
    finds(
        &demo().with_file("cases/more.yaml", "- name: 一\n  events:\n    - answered\n    - costumer: 你好\n  expect: {}\n"),
        "
warning[bad-case]: unknown event `costumer`
 --> demo/cases/more.yaml:4:7
  |
4 |     - costumer: 你好
  |       ^",
    );
}

#[test]
fn a_case_twice() {
    finds(
        &demo().with_file("cases/more.yaml", "- name: 其余\n  events: [answered]\n  expect: {label: ''}\n"),
        "
warning[duplicate-case]: a case of this name is already in cases/more.yaml
 --> demo/cases/rules.yaml:7:9
  |
7 | - name: 其余
  |         ^^^^
  |
  = help: give each its own name",
    );
}

#[test]
fn a_case_of_an_unknown_rule() {
    finds(
        &demo().with_file("cases/more.yaml", "- name: 一\n  events: [answered]\n  expect: {label: X, rule: A11, also_matched: [D1, D2]}\n"),
        "
warning[unknown-label]: the script declares no label `X`
 --> demo/cases/more.yaml:3:19
  |
3 |   expect: {label: X, rule: A11, also_matched: [D1, D2]}
  |                   ^
  |
  = help: there are A, D
warning[unknown-rule]: the script has no rule `A11`
 --> demo/cases/more.yaml:3:28
  |
3 |   expect: {label: X, rule: A11, also_matched: [D1, D2]}
  |                            ^^^
  |
  = help: did you mean `A1`?
warning[unknown-rule]: the script has no rule `D2`
 --> demo/cases/more.yaml:3:52
  |
3 |   expect: {label: X, rule: A11, also_matched: [D1, D2]}
  |                                                    ^^
  |
  = help: there are A1, D1, D9",
    );
}

#[test]
fn a_rule_without_a_case() {
    finds(
        &demo().with("cases/rules.yaml", "{label: D, rule: D9}", "{label: D}"),
        "
warning[no-case]: no case expects rule `D9`
  --> demo/script.yaml:42:9
   |
42 |   - id: D9
   |         ^^
   |
   = help: write cases/D9.yaml, the smallest call that it decides",
    );
}

#[test]
fn findings_come_by_file_and_place() {
    finds(
        &demo()
            .with("script.yaml", "    words: 拒绝\n", "")
            .with("keywords/refuse.txt", "没兴趣", "没兴趣\n别")
            .with("cases/rules.yaml", "rule: A1", "rule: A0")
            .with("script.yaml", "{id: D,", "{id: C, title: 待沟通}\n  - {id: D,"),
        "
warning[unknown-rule]: the script has no rule `A0`
 --> demo/cases/rules.yaml:3:28
  |
3 |   expect: {label: A, rule: A0}
  |                            ^^
  |
  = help: there are A1, D1, D9
warning[short-phrase]: `别` is one character: it is found inside many other words
 --> demo/keywords/refuse.txt:3:1
  |
3 | 别
  | ^^
  |
  = help: write `^别$` if it stands alone, or the words it is part of
warning[no-label-rule]: no rule gives label `C`
 --> demo/script.yaml:5:10
  |
5 |   - {id: C, title: 待沟通}
  |          ^
  |
  = help: write a rule for it, or remove the label
warning[no-case]: no case expects rule `A1`
  --> demo/script.yaml:35:9
   |
35 |   - id: A1
   |         ^^
   |
   = help: write cases/A1.yaml, the smallest call that it decides
warning[no-words]: rule `D1` has no words: its verdicts give no reason
  --> demo/script.yaml:39:9
   |
39 |   - id: D1
   |         ^^
   |
   = help: add `words:` with what the standard says",
    );
}

#[test]
fn of_a_bundle_that_does_not_load_only_the_errors() {
    finds(
        &rule("question > 1").with("script.yaml", "    words: 拒绝\n", ""),
        "
error[unknown-signal]: there is no signal `question`
  --> demo/script.yaml:36:11
   |
36 |     when: question > 1
   |           ^^^^^^^^
   |
   = help: did you mean `questions`?",
    );
}
