//! What the YAML reader refuses.

use super::{demo, fails};

#[test]
fn yaml_unknown_field() {
    fails(
        &demo().with("script.yaml", "title: 产品介绍", "titel: 产品介绍"),
        "
error[yaml]: there is no field `titel` here
  --> demo/script.yaml:22:7
   |
22 |       titel: 产品介绍
   |       ^^^^^
   |
   = help: did you mean `title`?",
    );
}

#[test]
fn yaml_missing_field() {
    fails(
        &demo().with("script.yaml", "    when: refusals >= 1\n", ""),
        "
error[yaml]: the field `when` is missing in the mapping around this
  --> demo/script.yaml:40:5
   |
40 |     words: 拒绝
   |     ^^^^^",
    );
}

#[test]
fn yaml_duplicate_key() {
    fails(
        &demo().with("script.yaml", "title: 示例", "title: 示例\ntitle: 例子"),
        "
error[yaml]: `title` is given twice
 --> demo/script.yaml:3:1
  |
3 | title: 例子
  | ^^^^^",
    );
}

#[test]
fn yaml_wrong_type() {
    fails(
        &demo().with("script.yaml", "main: true", "main: 是"),
        "
error[yaml]: `true` or `false` belongs here
  --> demo/script.yaml:13:13
   |
13 |       main: 是
   |             ^^",
    );
}

#[test]
fn yaml_text_for_a_list() {
    fails(
        &demo().with("script.yaml", "cues: [给您介绍一下]", "cues: 给您介绍一下"),
        "
error[yaml]: a list belongs here
  --> demo/script.yaml:15:13
   |
15 |       cues: 给您介绍一下
   |             ^^^^^^^^^^^^",
    );
}

#[test]
fn yaml_map_for_a_target() {
    fails(
        &demo().with("script.yaml", "any: product", "any: {node: product}"),
        "
error[yaml]: a branch leads to a node, or to a list of nodes
  --> demo/script.yaml:20:14
   |
20 |         any: {node: product}
   |              ^",
    );
}

#[test]
fn yaml_nothing_for_a_text() {
    fails(
        &demo().with("script.yaml", "title: 示例", "title:"),
        "
error[yaml]: a text belongs here, but there is nothing
 --> demo/script.yaml:2:6
  |
2 | title:
  |      ^",
    );
}

#[test]
fn yaml_unknown_choice() {
    fails(
        &demo().with("script.yaml", "main: true", "main: true\n      asks: offers"),
        "
error[yaml]: `offers` means nothing here
  --> demo/script.yaml:14:13
   |
14 |       asks: offers
   |             ^^^^^^
   |
   = help: did you mean `offer`?",
    );
}

#[test]
fn yaml_broken() {
    fails(
        &demo().with("script.yaml", "title: 示例", "title: 示例: 一"),
        "
error[yaml]: mapping values are not allowed in this context
 --> demo/script.yaml:2:10
  |
2 | title: 示例: 一
  |            ^",
    );
}

#[test]
fn yaml_tab() {
    fails(
        &demo().with("script.yaml", "  start: opening", "	start: opening"),
        "
error[yaml]: tabs disallowed within this context (block indentation)
 --> demo/script.yaml:9:2
  |
9 |     start: opening
  |     ^",
    );
}

#[test]
fn yaml_alias_without_anchor() {
    fails(
        &demo().with("script.yaml", "title: 示例", "title: *name"),
        "
error[yaml]: an alias (`*name`) without its anchor (`&name`)
 --> demo/script.yaml:2:8
  |
2 | title: *name
  |        ^",
    );
}

#[test]
fn yaml_second_document() {
    fails(
        &demo().with("script.yaml", "{拒绝: refuse}\n", "{拒绝: refuse}\n---\na: 1\n"),
        "
error[yaml]: a second YAML document begins here; a file holds one
  --> demo/script.yaml:53:1
   |
53 | a: 1
   | ^",
    );
}

#[test]
fn a_branch_to_a_second_node_that_does_not_exist() {
    fails(
        &demo().with("script.yaml", "{refuse: closing, any", "{refuse: [closing, close], any"),
        "
error[unknown-node]: there is no node `close`
  --> demo/script.yaml:25:36
   |
25 |       branches: {refuse: [closing, close], any: closing}
   |                                    ^^^^^
   |
   = help: there are closing, opening, product",
    );
}

#[test]
fn yaml_empty() {
    fails(
        &demo().with_file("script.yaml", ""),
        "
error[yaml]: the file is empty or breaks off
 --> demo/script.yaml:1:1
  |
1 |
  | ^",
    );
}

#[test]
fn yaml_bomb() {
    fails(
        &demo().with("script.yaml", "{instant_hangup_s: 5}", "{a: [&a [x,x,x,x,x,x,x,x,x], &b [*a,*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b,*b], &d [*c,*c,*c,*c,*c,*c,*c,*c,*c], &e [*d,*d,*d,*d,*d,*d,*d,*d,*d], &f [*e,*e,*e,*e,*e,*e,*e,*e,*e], &g [*f,*f,*f,*f,*f,*f,*f,*f,*f], &h [*g,*g,*g,*g,*g,*g,*g,*g,*g], &i [*h,*h,*h,*h,*h,*h,*h,*h,*h], &j [*i,*i,*i,*i,*i,*i,*i,*i,*i], &k [*j,*j,*j,*j,*j,*j,*j,*j,*j], &l [*k,*k,*k,*k,*k,*k,*k,*k,*k], &m [*l,*l,*l,*l,*l,*l,*l,*l,*l]]}"),
        "
error[yaml]: the file grows too large or too deep when its aliases are filled in
 --> demo/script.yaml:6:182
  |
6 | ...,*c,*c,*c,*c,*c,*c], &e [*d,*d,*d,*d,*d,*d,*d,*d,*d], &f [*e,*e,*e,*e,*e,*e,*e,*e,*e], &g [*f,*f,*f,*f,*f,*f,*f,*f,*f], &h [*g,*g,...
  |                                                                    ^^",
    );
}
