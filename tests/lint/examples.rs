//! Examples and the model learned from them.

use super::finds;
use crate::learned::trained;
use crate::script_load::{Demo, demo};

#[test]
fn nothing_is_found_in_examples_that_were_learned() {
    finds(&trained(), "");
}

#[test]
fn examples_without_a_model() {
    finds(
        &trained().without("model.txt"),
        "
warning[no-model]: there are examples, but no model learned from them
 --> demo/examples/other.txt:1:1
  |
1 | 那你说什么
  | ^
  |
  = help: run `callgrade script train`",
    );
}

#[test]
fn a_model_of_other_examples() {
    finds(
        &trained().with("examples/price.txt", "", "一共几块\n"),
        "
warning[stale-model]: the model was learned from other examples than these
 --> demo/model.txt:1:1
  |
1 | callgrade model 1
  | ^
  |
  = help: run `callgrade script train`",
    );
}

/// What is found beside that the model was learned from other examples.
fn finds_in(demo: Demo, expected: &str) {
    let examples = callgrade::script::train::examples_hash(&demo.0);
    let model = &demo.0.files["model.txt"];
    let hash = model.lines().nth(1).expect("a hash").to_owned();
    finds(&demo.with("model.txt", &hash, &format!("examples {examples}")), expected);
}

#[test]
fn examples_of_no_category() {
    finds_in(
        trained().with_file("examples/prise.txt", "一共几块\n"),
        "
warning[stray-examples]: no category or question `prise` is declared: nothing is learned from its examples
 --> demo/examples/prise.txt:1:1
  |
1 | 一共几块
  | ^
  |
  = help: declare it in `lexicon`, rename the file, or remove it; utterances of no category go into examples/other.txt",
    );
}

#[test]
fn an_example_twice() {
    finds_in(
        trained().with("examples/refuse.txt", "", "用不上\n!那先不考虑\n"),
        "
warning[duplicate-example]: `那先不考虑` already stands on line 2, as a counterexample
 --> demo/examples/refuse.txt:5:1
  |
5 | 那先不考虑
  | ^^^^^^^^^^
  |
  = help: decide which it is
warning[duplicate-example]: `用不上` already stands on line 1: it teaches nothing more
  --> demo/examples/refuse.txt:59:1
   |
59 | 用不上
   | ^^^^^^
   |
   = help: remove one of them",
    );
}

#[test]
fn too_few_examples() {
    finds_in(
        trained().with_file("examples/affirm.txt", "听听看\n你讲\n!讲什么讲\n"),
        "
warning[few-examples]: `affirm` has 2 examples: from fewer than 20 nothing is learned
 --> demo/examples/affirm.txt:1:1
  |
1 | 听听看
  | ^
  |
  = help: write more, in customers' own words, or put the words into the list",
    );
}

#[test]
fn too_few_examples_of_what_is_switched_off() {
    finds_in(trained().with_file("examples/affirm.txt", "@learned off\n听听看\n"), "");
}

#[test]
fn notes_beside_examples() {
    finds(&trained().with_file("examples/README.md", "@precision 谁写的\n"), "");
    finds(&demo().with_file("examples/README.md", "谁写的\n"), "");
}
