//! Keyword lists and patterns.

use super::{demo, fails, rule};

#[test]
fn a_regex_that_is_none() {
    fails(
        &demo().with("keywords/price.txt", "/怎么.{0,2}收费/", "/怎么(收费/"),
        "
error[bad-pattern]: this pattern cannot be used: unclosed group
 --> demo/keywords/price.txt:2:1
  |
2 | /怎么(收费/
  | ^^^^^^^^^^^",
    );
}

#[test]
fn a_regex_with_look_around() {
    fails(
        &demo().with("keywords/price.txt", "/怎么.{0,2}收费/", "/怎么(?!不)收费/"),
        "
error[bad-pattern]: this pattern cannot be used: look-around, including look-ahead and look-behind, is not supported
 --> demo/keywords/price.txt:2:1
  |
2 | /怎么(?!不)收费/
  | ^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn a_regex_too_large() {
    fails(
        &demo().with("keywords/price.txt", "/怎么.{0,2}收费/", "/(怎么[^ ]{0,900}){90}收费/"),
        "
error[bad-pattern]: this pattern cannot be used: the pattern is too large: compiled it takes over 262144 bytes
 --> demo/keywords/price.txt:2:1
  |
2 | /(怎么[^ ]{0,900}){90}收费/
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: make it shorter, or its repetitions smaller",
    );
}

#[test]
fn a_cue_that_is_no_regex() {
    fails(
        &demo().with("script.yaml", "[给您介绍一下]", "['/介绍[/']"),
        "
error[bad-pattern]: this pattern cannot be used: unclosed character class
  --> demo/script.yaml:15:14
   |
15 |       cues: ['/介绍[/']
   |              ^^^^^^^^^",
    );
}

#[test]
fn a_list_that_is_missing() {
    fails(
        &demo().without("keywords/refuse.txt"),
        "
error[missing-list]: the lexicon declares `refuse`, but there is no keywords/refuse.txt
  --> demo/script.yaml:30:28
   |
30 |   categories: {affirm: 肯定, refuse: 拒绝}
   |                              ^^^^^^
   |
   = help: write keywords/refuse.txt, one phrase a line",
    );
}

#[test]
fn a_phrase_of_punctuation() {
    fails(
        &demo().with("keywords/refuse.txt", "没兴趣", "……！"),
        "
error[bad-phrase]: a phrase needs a letter, digit or Chinese character
 --> demo/keywords/refuse.txt:2:1
  |
2 | ……！
  | ^^^^",
    );
}

#[test]
fn an_unknown_directive() {
    fails(
        &demo().with("keywords/refuse.txt", "没兴趣", "@homophones off"),
        "
error[bad-phrase]: unknown directive `@homophones off`; there is `@pinyin off`
 --> demo/keywords/refuse.txt:2:1
  |
2 | @homophones off
  | ^^^^^^^^^^^^^^^",
    );
}

#[test]
fn every_fault_is_told_at_once() {
    fails(
        &rule("question > 1").with("script.yaml", "refusals >= 1", "refusal >= 1").with("keywords/refuse.txt", "没兴趣", "？"),
        "
error[bad-phrase]: a phrase needs a letter, digit or Chinese character
 --> demo/keywords/refuse.txt:2:1
  |
2 | ？
  | ^^
error[unknown-signal]: there is no signal `question`
  --> demo/script.yaml:36:11
   |
36 |     when: question > 1
   |           ^^^^^^^^
   |
   = help: did you mean `questions`?
error[unknown-signal]: there is no signal `refusal`
  --> demo/script.yaml:40:11
   |
40 |     when: refusal >= 1
   |           ^^^^^^^
   |
   = help: did you mean `refusals`?",
    );
}
