//! Nodes, branches and cues.

use super::finds;
use crate::script_load::demo;

#[test]
fn a_node_nobody_reaches() {
    finds(
        &demo().with("script.yaml", "any: product", "any: closing"),
        "
warning[unreachable-node]: no branch leads from `opening`, where the flow starts, to node `product`
  --> demo/script.yaml:21:11
   |
21 |     - id: product
   |           ^^^^^^^
   |
   = help: name it as the target of a branch, or remove it",
    );
}

#[test]
fn a_dead_end_in_the_main_flow() {
    finds(
        &demo()
            .with(
                "script.yaml",
                "      branches:\n        refuse: closing\n        question: answer\n        silence: self\n        any: product\n",
                "",
            )
            .with("script.yaml", "{refuse: closing, any: closing}", "{refuse: closing, any: opening}"),
        "
warning[dead-end]: dead end: node `opening` asks the customer something, but no branch leads on
  --> demo/script.yaml:11:11
   |
11 |     - id: opening
   |           ^^^^^^^
   |
   = help: add `branches:` with what each answer leads to
warning[unreachable-node]: no branch leads from `opening`, where the flow starts, to node `product`
  --> demo/script.yaml:16:11
   |
16 |     - id: product
   |           ^^^^^^^
   |
   = help: name it as the target of a branch, or remove it
warning[unreachable-node]: no branch leads from `opening`, where the flow starts, to node `closing`
  --> demo/script.yaml:21:11
   |
21 |     - id: closing
   |           ^^^^^^^
   |
   = help: name it as the target of a branch, or remove it",
    );
}

#[test]
fn a_dead_end_that_asks() {
    finds(
        &demo().with("script.yaml", "祝您生活愉快，再见。", "您再考虑一下可以吗？"),
        "
warning[dead-end]: dead end: node `closing` asks the customer something, but no branch leads on
  --> demo/script.yaml:26:11
   |
26 |     - id: closing
   |           ^^^^^^^
   |
   = help: add `branches:` with what each answer leads to",
    );
}

#[test]
fn answers_that_lead_nowhere() {
    finds(
        &demo().with("script.yaml", "{refuse: closing, any: closing}", "{refuse: closing}"),
        "
warning[no-any]: an answer that node `product` does not name leads nowhere
  --> demo/script.yaml:21:11
   |
21 |     - id: product
   |           ^^^^^^^
   |
   = help: add a branch `any:` for everything not named",
    );
}

#[test]
fn a_main_flow_in_another_order() {
    finds(
        &demo().with("script.yaml", "start: opening", "start: product").with("script.yaml", "any: closing}", "any: opening}").with(
            "script.yaml",
            "any: product",
            "any: closing",
        ),
        "
warning[main-order]: the main flow lists `product` after `opening`, but no branches lead there from it
  --> demo/script.yaml:21:11
   |
21 |     - id: product
   |           ^^^^^^^
   |
   = help: list the main flow in the order of the call, or add the branch",
    );
}

#[test]
fn after_a_node_nobody_reaches() {
    finds(
        &demo().with("script.yaml", "any: product", "any: closing").with(
            "script.yaml",
            "title: 结束语",
            "title: 结束语\n      after: product",
        ),
        "
warning[unreachable-node]: no branch leads from `opening`, where the flow starts, to node `product`
  --> demo/script.yaml:21:11
   |
21 |     - id: product
   |           ^^^^^^^
   |
   = help: name it as the target of a branch, or remove it
warning[after-unreachable]: node `closing` progresses only after `product`, which the flow never reaches
  --> demo/script.yaml:28:14
   |
28 |       after: product
   |              ^^^^^^^
   |
   = help: name a node that comes before it, or lead the flow there",
    );
}

#[test]
fn after_a_later_node() {
    finds(
        &demo().with("script.yaml", "title: 开场白", "title: 开场白\n      after: product"),
        "
warning[after-later]: node `opening` progresses only after `product`, which comes later in the main flow
  --> demo/script.yaml:13:14
   |
13 |       after: product
   |              ^^^^^^^
   |
   = help: name a node that comes before it",
    );
}

#[test]
fn a_circle_of_silence() {
    finds(
        &demo().with("script.yaml", "silence: self", "silence: product").with(
            "script.yaml",
            "{refuse: closing, any: closing}",
            "{refuse: closing, silence: [self, opening], any: closing}",
        ),
        "
warning[silent-cycle]: while the customer is silent, the robot goes round in a circle: opening → product → opening
  --> demo/script.yaml:19:18
   |
19 |         silence: product
   |                  ^^^^^^^
   |
   = help: let one of them end the call, or repeat itself: `silence: self`",
    );
}

#[test]
fn a_node_without_cues() {
    finds(
        &demo().with("script.yaml", "      prompt: 那就不打扰您了，祝您生活愉快，再见。\n", ""),
        "
warning[no-cues]: node `closing` has no cues and no prompt: only a node id can tell it
  --> demo/script.yaml:26:11
   |
26 |     - id: closing
   |           ^^^^^^^
   |
   = help: add `cues:`, words that only this node's lines hold",
    );
}

#[test]
fn a_cue_of_two_nodes() {
    finds(
        &demo().with("script.yaml", "title: 产品介绍", "title: 产品介绍\n      cues: [一千个电话, 給您介紹一下]"),
        "
warning[shared-cue]: the cue `給您介紹一下` also identifies `opening` (line 15)
  --> demo/script.yaml:23:21
   |
23 |       cues: [一千个电话, 給您介紹一下]
   |                          ^^^^^^^^^^^^
   |
   = help: make it longer, so that it fits one of the two",
    );
}

#[test]
fn a_cue_twice() {
    finds(
        &demo().with("script.yaml", "[给您介绍一下]", "[给您介绍一下, 给您介绍一下]"),
        "
warning[duplicate-cue]: node `opening` lists the cue `给您介绍一下` twice
  --> demo/script.yaml:15:22
   |
15 |       cues: [给您介绍一下, 给您介绍一下]
   |                            ^^^^^^^^^^^^
   |
   = help: remove one of them",
    );
}
