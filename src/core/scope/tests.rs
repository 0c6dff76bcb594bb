//! Scopes by themselves: a small script whose lists hold a few plain words.

use std::sync::{Arc, LazyLock};

use super::*;
use crate::core::call::CallState;
use crate::core::event::{Event, EventKind, Speaker, Utterance};
use crate::core::reading::read_customer;
use crate::core::verdict::Category;
use crate::script::{Bundle, compile};

const SCRIPT: &str = "id: demo
title: 示例
labels: [{id: A, title: 有意向}]
flow:
  start: opening
  nodes: [{id: opening, title: 开场白, main: true, prompt: 给您介绍一下可以吗, branches: {any: opening}}]
lexicon:
  categories: {affirm: 肯定, refuse: 拒绝, deny: 否定, busy: 在忙, contact: 联系, do_not_call: 别打, identity: 身份, filler: 寒暄}
  questions: {price: 价格}
  opposite: [[affirm, refuse, deny]]
rules: [{id: A1, label: A, when: connected, words: 接通}]
";

const LISTS: &[(&str, &str)] = &[
    ("affirm", "想要\n可以\n没说没兴趣\n"),
    ("refuse", "不要\n没兴趣啊\n不用\n没兴趣\n要是有需要会联系\n"),
    ("deny", "^不对$\n^没有$\n"),
    ("busy", "在忙\n没空\n"),
    ("contact", "加微信\n"),
    ("do_not_call", "投诉\n"),
    ("identity", "你是谁\n"),
    ("filler", "你好\n"),
    ("price", "多少钱\n"),
    ("scope/negation", "没说\n不是不\n/不是我不[^ ]{1,4} ?是/\n!没说完\n"),
    ("scope/quotation", "你们说\n"),
    ("scope/hypothesis", "要是\n/[^ ]{1,5}的话/\n!主要是\n"),
    ("scope/relay", "/(老婆|老板)(也)?说/\n"),
    ("scope/correction", "等等\n不对\n"),
    ("scope/terminator", "就\n我\n可以\n"),
    ("scope/contrast", "但是\n不过\n"),
];

static DEMO: LazyLock<Arc<Script>> = LazyLock::new(|| {
    let lists = LISTS.iter().map(|(name, text)| (format!("keywords/{name}.txt"), format!("@pinyin off\n{text}")));
    let files = lists.chain([("script.yaml".to_owned(), SCRIPT.to_owned())]).collect();
    compile(&Bundle { name: "demo".to_owned(), files }).unwrap()
});

/// What a text says, by the ids of categories and questions.
fn said(text: &str) -> String {
    let reading = read_customer(&DEMO, text, &mut Scratch::default());
    DEMO.names_of(reading.concepts).collect::<Vec<_>>().join(" ")
}

fn all(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, said(text), expected))
        .filter(|(_, found, expected)| found != **expected)
        .map(|(text, found, expected)| format!("{text}: {found:?}, not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_negation_takes_back_the_nearest_statement_of_its_clause() {
    all(&[
        ("我没说不要", ""),
        ("我没说我们公司不要", ""),
        ("我没说我们这个小公司现在不要", "refuse"),
        ("我没说不要我在忙", "busy"),
        ("我没说 不要", "refuse"),
        ("我没说，不要", "refuse"),
        ("我没说但是不要", "refuse"),
        ("不要我没说", "refuse"),
        ("我没说完不要", "refuse"),
        ("我没说多少钱", "price"),
        ("我没说要投诉", ""),
        ("我没说加微信", ""),
    ]);
}

#[test]
fn a_cue_may_reach_into_its_statement_but_not_be_part_of_it() {
    all(&[
        ("不是不要", ""),
        ("不是，不要", "refuse"),
        ("不是不想要", ""),
        ("我要是有需要会联系你", "refuse"),
        ("没说没兴趣啊", "affirm"),
        ("没说没兴趣在忙", "affirm busy"),
    ]);
}

#[test]
fn a_pattern_is_its_own_scope() {
    all(&[
        ("不是我不要是没钱", ""),
        ("不是我不要 是没钱", ""),
        ("不是我不要", "refuse"),
        ("不要的话多少钱", "price"),
        ("不要我们再三考虑清楚的话", "refuse"),
        ("在忙 没兴趣的话", "busy"),
    ]);
}

#[test]
fn a_hypothesis_takes_back_all_up_to_its_end() {
    all(&[
        ("要是不要在忙", ""),
        ("要是不要 在忙", "busy"),
        ("要是 不要 在忙", "busy"),
        ("要是免费就想要", "affirm"),
        ("要是免费我不要", "refuse"),
        ("要是我不要", ""),
        ("要是可以 加微信", "contact"),
        ("要是免费可以", "affirm"),
        ("要是不要但是在忙", "busy"),
        ("主要是不要", "refuse"),
        ("要是加微信", "contact"),
        ("要是投诉", "do_not_call"),
        ("要是不要多少钱你是谁", "identity price"),
    ]);
}

#[test]
fn a_quotation_is_nobodys_decision() {
    all(&[("你们说不要", ""), ("你们说可以 不要", "refuse"), ("你们说 可以", "affirm"), ("你们说投诉", "")]);
}

#[test]
fn words_relayed_count_unless_the_speaker_sets_his_own_against_them() {
    all(&[
        ("我老婆说不要", "refuse"),
        ("我老婆说不要但是我想要", "affirm"),
        ("我老婆说不要 在忙 但是我想要", "affirm"),
        ("我老婆说不要。在忙。但是我想要", "affirm busy"),
        ("我老婆说不要。但是多少钱", "price"),
        ("我老婆说不要 但是谢谢", "refuse"),
        ("我老婆说不要 但是你好", "refuse"),
        ("我老婆说不要 不过也不要", "refuse"),
        ("不要 我老婆说可以 但是多少钱", "refuse price"),
        ("我老婆说投诉 但是我想要", "affirm do_not_call"),
    ]);
}

#[test]
fn a_correction_takes_back_what_the_rest_replaces() {
    all(&[
        ("不要 等等 多少钱", "price"),
        ("不要 等等 加微信", "contact"),
        ("不要 等等 可以", "affirm"),
        ("可以 不对 不要", "refuse"),
        ("可以 等等 多少钱", "affirm price"),
        ("不要 等等", "refuse"),
        ("不要 等等 在忙", "refuse busy"),
        ("不要 等等 你是谁", "refuse identity"),
        ("不要 等等 没有", "refuse deny"),
        ("加微信 等等 不要", "refuse"),
        ("投诉 等等 多少钱", "do_not_call price"),
        ("可以 不对 不要 不对 可以", "affirm"),
        ("不对 可以", "affirm deny"),
    ]);
}

#[test]
fn cues_themselves_are_no_hits() {
    let reading = read_customer(&DEMO, "我没说不要，要是可以就加微信", &mut Scratch::default());
    assert_eq!(reading.hits.len(), 1);
    assert!(!reading.corrects);
    assert!(read_customer(&DEMO, "等等多少钱", &mut Scratch::default()).corrects);
    assert!(!read_customer(&DEMO, "等等", &mut Scratch::default()).corrects);
}

#[test]
fn what_is_taken_back_is_told_with_its_cue() {
    let text = "我没说不要，要是可以就加微信";
    let slice = |hit: &Hit| text.chars().skip(hit.start as usize).take((hit.end - hit.start) as usize).collect::<String>();
    let told: Vec<(String, String, Cue)> =
        taken_back(&DEMO, text, &mut Scratch::default()).iter().map(|back| (slice(&back.hit), slice(&back.cue), back.by)).collect();
    let expected = [("不要", "没说", Cue::Negation), ("可以", "要是", Cue::Hypothesis)];
    assert_eq!(told, expected.map(|(hit, cue, by)| (hit.to_owned(), cue.to_owned(), by)));
}

#[test]
fn a_correction_takes_back_what_was_said_earlier_in_the_turn_and_its_evidence() {
    let says = |speaker, text: &str| Event {
        at_ms: 1_000,
        kind: EventKind::Utterance(Utterance {
            speaker,
            text: text.into(),
            duration_ms: 0,
            node_id: "".into(),
            played: None,
            utterance_id: "".into(),
            interim: false,
        }),
    };
    let refuse = DEMO.known.refuse.unwrap();
    let refusals = |events: Vec<Event>| {
        let verdict = CallState::replay(&DEMO, events);
        let told = verdict.evidence.iter().filter(|evidence| evidence.category == Category::Concept(refuse)).count();
        (verdict.signals.refusals as usize, told)
    };
    let (no, wait) = (says(Speaker::Customer, "不要"), says(Speaker::Customer, "等等多少钱"));
    assert_eq!(refusals(vec![no.clone()]), (1, 1));
    assert_eq!(refusals(vec![no.clone(), wait.clone()]), (0, 0));
    assert_eq!(refusals(vec![no, says(Speaker::Robot, "您先听我说"), wait]), (1, 1));
}

#[test]
fn a_script_without_scope_lists_takes_nothing_back() {
    let bundle =
        Bundle { name: "demo".to_owned(), files: DEMO.files.clone().into_iter().filter(|(path, _)| !path.contains("scope")).collect() };
    let script = compile(&bundle).unwrap();
    assert!(!read_customer(&script, "我没说不要", &mut Scratch::default()).concepts.is_empty());
}
