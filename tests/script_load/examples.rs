//! Examples and the model learned from them.

use super::{Demo, demo, fails};
use crate::learned::trained;

/// The demo, its model's line of a number replaced.
fn with_line(number: usize, line: &str) -> Demo {
    let demo = trained();
    let model: Vec<&str> = demo.0.files["model.txt"].lines().collect();
    let model: Vec<&str> = model.iter().zip(1..).map(|(old, at)| if at == number { line } else { old }).collect();
    let model = model.join("\n") + "\n";
    demo.with_file("model.txt", &model)
}

/// What is told of a line of the model that is none.
fn fails_at(number: usize, line: &str) {
    let carets = "^".repeat(line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum());
    let told = "error[bad-model]: this is no line of a model\n --> demo/model.txt:";
    let expected = format!("{told}{number}:1\n  |\n{number} | {line}\n  | {carets}\n  |\n  = help: run `callgrade script train`");
    fails(&with_line(number, line), &expected);
}

#[test]
fn examples_that_are_none() {
    fails(
        &demo().with_file("examples/price.txt", "# 问价\n@precison 0.9\n@precision 1.5\n一共几块\n！……\n@learned\n"),
        "
error[bad-example]: unknown directive `@precison 0.9`; there are `@learned off` and `@precision 0.95`
 --> demo/examples/price.txt:2:1
  |
2 | @precison 0.9
  | ^^^^^^^^^^^^^
error[bad-example]: `@precision` is a share from 0.5 to below 1, such as `@precision 0.95`
 --> demo/examples/price.txt:3:1
  |
3 | @precision 1.5
  | ^^^^^^^^^^^^^^
error[bad-example]: an example needs a letter, digit or Chinese character
 --> demo/examples/price.txt:5:1
  |
5 | ！……
  | ^^^^
error[bad-example]: unknown directive `@learned`; there are `@learned off` and `@precision 0.95`
 --> demo/examples/price.txt:6:1
  |
6 | @learned
  | ^^^^^^^^
warning[no-model]: there are examples, but no model learned from them
 --> demo/examples/price.txt:1:1
  |
1 | # 问价
  | ^
  |
  = help: run `callgrade script train`",
    );
}

#[test]
fn a_model_with_a_line_that_is_none() {
    fails_at(1, "callgrade model 2");
    fails_at(2, "example 00112233");
    fails_at(3, "unseen few");
    fails_at(4, "class refuse bias=-0.2 scale=NaN shift=1 least=1");
    fails_at(5, "class price bias=-0.2 shift=1 scale=1 least=1");
    fails_at(9, "几块 3.1 0:1.5");
}

#[test]
fn a_weight_of_a_class_that_the_model_does_not_have() {
    let demo = with_line(9, "几块\t3.1\t2:1.5");
    let told = callgrade::script::compile(&demo.0).expect_err("there are two classes").diagnostics.remove(0);
    assert_eq!((told.code, told.position()), ("bad-model", (9, 1)));
}

#[test]
fn a_model_that_is_empty() {
    fails(
        &trained().with_file("model.txt", ""),
        "
error[bad-model]: this is no line of a model
 --> demo/model.txt:1:1
  |
1 |
  | ^
  |
  = help: run `callgrade script train`",
    );
}

#[test]
fn a_model_of_a_category_that_is_gone() {
    let model = trained().0.files["model.txt"].replace("class price ", "class prise ");
    let line = model.lines().nth(4).unwrap_or_default().to_owned();
    let told = "error[unknown-category]: there is no category or question `prise`\n --> demo/model.txt:5:7\n  |\n5 | ";
    let expected = format!("{told}{line}\n  |       ^^^^^\n  |\n  = help: run `callgrade script train`");
    fails(&trained().with_file("model.txt", &model), &expected);
}
