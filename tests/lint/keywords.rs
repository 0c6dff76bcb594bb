//! Keyword lists.

use super::finds;
use crate::script_load::demo;

#[test]
fn a_phrase_twice() {
    finds(
        &demo().with("keywords/refuse.txt", "没兴趣", "没兴趣\n不需要"),
        "
warning[duplicate-phrase]: `不需要` is already listed on line 1
 --> demo/keywords/refuse.txt:3:1
  |
3 | 不需要
  | ^^^^^^
  |
  = help: remove one of them",
    );
}

#[test]
fn a_phrase_twice_in_other_characters() {
    finds(
        &demo().with("keywords/refuse.txt", "没兴趣", "没兴趣\n沒 興趣"),
        "
warning[duplicate-phrase]: `沒 興趣` is already listed as `没兴趣` on line 2
 --> demo/keywords/refuse.txt:3:1
  |
3 | 沒 興趣
  | ^^^^^^^
  |
  = help: remove one of them: both are matched alike",
    );
}

#[test]
fn a_phrase_that_another_finds() {
    finds(
        &demo().with("keywords/refuse.txt", "没兴趣", "没兴趣\n^不需要$"),
        "
warning[redundant]: `^不需要$` is found by `不需要` anyway (line 1)
 --> demo/keywords/refuse.txt:3:1
  |
3 | ^不需要$
  | ^^^^^^^^
  |
  = help: remove it, or give the other its `^` or `$` too",
    );
}

#[test]
fn an_empty_list() {
    finds(
        &demo().with_file("keywords/price.txt", "# 以后再写\n!多少钱\n"),
        "
warning[empty-list]: the list `price` holds no phrase: nothing is ever found by it
 --> demo/keywords/price.txt:1:1
  |
1 | # 以后再写
  | ^
  |
  = help: add phrases, one a line
warning[useless-exception]: nothing of this list is found in the exception `多少钱`
 --> demo/keywords/price.txt:2:1
  |
2 | !多少钱
  | ^^^^^^^
  |
  = help: remove it, or list the phrase it is an exception to; an exception concerns its own list only",
    );
}

#[test]
fn a_useless_exception() {
    finds(
        &demo().with("keywords/refuse.txt", "!不需要吗", "!不需要吗\n!没时间吗"),
        "
warning[useless-exception]: nothing of this list is found in the exception `没时间吗`
 --> demo/keywords/refuse.txt:4:1
  |
4 | !没时间吗
  | ^^^^^^^^^
  |
  = help: remove it, or list the phrase it is an exception to; an exception concerns its own list only",
    );
}

#[test]
fn an_exception_that_a_pattern_needs() {
    finds(&demo().with("keywords/price.txt", "/怎么.{0,2}收费/", "/怎么.{0,2}收费/\n!怎么还收费"), "");
}

#[test]
fn a_phrase_of_one_character() {
    finds(
        &demo().with("keywords/refuse.txt", "没兴趣", "没兴趣\n别"),
        "
warning[short-phrase]: `别` is one character: it is found inside many other words
 --> demo/keywords/refuse.txt:3:1
  |
3 | 别
  | ^^
  |
  = help: write `^别$` if it stands alone, or the words it is part of",
    );
}

#[test]
fn a_pattern_without_literals() {
    finds(
        &demo().with("keywords/price.txt", "/怎么.{0,2}收费/", "/(多少)?[元块]?.{2}/"),
        "
warning[slow-pattern]: `/(多少)?[元块]?.{2}/` has nothing that each of its matches holds: it runs on every text
 --> demo/keywords/price.txt:2:1
  |
2 | /(多少)?[元块]?.{2}/
  | ^^^^^^^^^^^^^^^^^^^^
  |
  = help: give it two characters that every match holds",
    );
}

#[test]
fn a_phrase_in_two_opposite_lists() {
    finds(
        &demo().with("keywords/affirm.txt", "可以介绍", "可以介绍\n沒興趣"),
        "
warning[two-meanings]: `没兴趣` also stands in `affirm` (line 2), which excludes `refuse`
 --> demo/keywords/refuse.txt:2:1
  |
2 | 没兴趣
  | ^^^^^^
  |
  = help: keep it in the one it means",
    );
}

#[test]
fn a_phrase_inside_an_opposite_one() {
    finds(
        &demo().with("keywords/affirm.txt", "可以介绍", "可以介绍\n需要\n要"),
        "
warning[inside-opposite]: a phrase of `affirm` lies inside one of its opposite `refuse`, 2 times: 需要 (line 2) in 不需要, 要 (line 3) in 不需要
 --> demo/keywords/affirm.txt:2:1
  |
2 | 需要
  | ^^^^
  |
  = help: there the longer phrase counts; remove a phrase where it should not
warning[short-phrase]: `要` is one character: it is found inside many other words
 --> demo/keywords/affirm.txt:3:1
  |
3 | 要
  | ^^
  |
  = help: write `^要$` if it stands alone, or the words it is part of",
    );
}

#[test]
fn many_phrases_inside_opposite_ones() {
    finds(
        &demo().with("keywords/affirm.txt", "可以介绍", "需要\n兴趣\n^需要$").with("keywords/refuse.txt", "不需要", "不需要\n不是很需要\n我不需要\n真不需要\n也不需要"),
        "
warning[inside-opposite]: a phrase of `affirm` lies inside one of its opposite `refuse`, 6 times: 需要 (line 1) in 不需要, 需要 (line 1) in 不是很需要, 需要 (line 1) in 我不需要, 需要 (line 1) in 真不需要, 需要 (line 1) in 也不需要, …
 --> demo/keywords/affirm.txt:1:1
  |
1 | 需要
  | ^^^^
  |
  = help: there the longer phrase counts; remove a phrase where it should not
warning[redundant]: `^需要$` is found by `需要` anyway (line 1)
 --> demo/keywords/affirm.txt:3:1
  |
3 | ^需要$
  | ^^^^^^
  |
  = help: remove it, or give the other its `^` or `$` too",
    );
}

#[test]
fn a_list_that_nothing_declares() {
    finds(
        &demo().with_file("keywords/refusal.txt", "不要\n"),
        "
warning[stray-list]: no category or question uses this list
 --> demo/keywords/refusal.txt:1:1
  |
1 | 不要
  | ^
  |
  = help: declare it under `lexicon` in script.yaml, or remove the file",
    );
}
