//! Masking: what always holds of it, that grading does not change by it, and that no command lets a number out.

use std::io::Read;

use callgrade::core::call::CallState;
use callgrade::core::event::{Event, EventKind, Party, Speaker};
use callgrade::ingest::mask::{self, mask, mask_event, mask_wire_event};
use callgrade::ingest::{CallRecord, Limits, jsonl};
use callgrade::script::ScriptChoice;
use callgrade::service::grade;
use callgrade::wire::event as to_wire;
use callgrade::wire::v1;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{CallBuilder, all_cases, callgrade, comparable, data, events_of, script, stderr, stdout, utterance};

fn digit(c: char) -> bool {
    c.is_ascii_digit() || "零〇○洞一幺壹二两兩贰三叁四肆五伍六陆七拐柒八捌九勾玖".contains(c) || ('\u{FF10}'..='\u{FF19}').contains(&c)
}

/// Texts of what numbers are made of and what stands around them.
fn texts() -> impl Strategy<Value = String> {
    let parts: Vec<&'static str> = vec![
        "0",
        "1",
        "3",
        "8",
        "4",
        "6",
        "2",
        "5",
        "7",
        "9",
        "00",
        "13",
        "86",
        "0571",
        "138",
        "0013",
        "8000",
        "13800138000",
        "01082345678",
        "11010519491231002",
        "4111111111111111",
        "110105491231002",
        "４",
        "８",
        "一",
        "幺",
        "三",
        "八",
        "零",
        "洞",
        "两",
        "一三八",
        "零零一三",
        "八零零零",
        "幺三八零零幺三八零零零",
        " ",
        "-",
        ".",
        "，",
        "、",
        "。",
        ",",
        "(",
        ")",
        "+",
        "+86",
        "X",
        "x",
        "叉",
        "*",
        "嗯",
        "元",
        "价",
        "第",
        "下",
        "个",
        "万",
        "a",
        "_",
        "#",
        ":",
        "😀",
        "您好",
    ];
    prop::collection::vec(prop::sample::select(parts), 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn masking_keeps_every_character_in_its_place_and_ends(text in texts()) {
        let mut found = Vec::new();
        let Some(masked) = mask(&text, &mut |number| found.push(number)) else {
            prop_assert!(found.is_empty());
            return Ok(());
        };
        prop_assert!(!found.is_empty());
        prop_assert_eq!(masked.chars().count(), text.chars().count());
        for (before, after) in text.chars().zip(masked.chars()) {
            prop_assert!(before == after || after == '*' && (digit(before) || "xX叉".contains(before)), "{} {}", text, masked);
        }
        let digits_of = |text: &str| text.chars().filter(|c| digit(*c)).count();
        prop_assert!(digits_of(&masked) + 7 * found.len() <= digits_of(&text), "{} {}", text, masked);
        let mut again = Vec::new();
        prop_assert_eq!(mask(&masked, &mut |number| again.push(number)), None, "{} {}", text, masked);
    }

    #[test]
    fn any_bytes_are_read_as_a_cdr_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), begin in prop::sample::select(vec!["", "cdr=", "cdr=%7B", "{\"variables\":"])) {
        let mut body = begin.as_bytes().to_vec();
        body.extend(bytes);
        let _ = callgrade::ingest::freeswitch::call(&body, &Limits::default());
    }

    #[test]
    fn text_without_enough_digits_is_left(text in "[^0-9０-９零〇○洞一幺壹二两兩贰三叁四肆五伍六陆七拐柒八捌九勾玖]{0,40}") {
        prop_assert_eq!(mask(&text, &mut |_| {}), None);
    }
}

/// What grading concludes, without the evidence's words.
fn concluded(record: CallRecord) -> v1::Verdict {
    let scripts = ScriptChoice::new(callgrade::script::Library::bundled().unwrap(), Some("telemarketing".to_owned())).unwrap();
    let (verdict, _) = grade(&scripts, record).unwrap();
    v1::Verdict { evidence: Vec::new(), ..comparable(&verdict) }
}

fn record(script_id: &str, events: Vec<Event>) -> CallRecord {
    CallRecord { call_id: "c".to_owned(), script_id: script_id.to_owned(), events, ..CallRecord::default() }
}

const NUMBERS: [&str; 6] = [
    "13800138000",
    "幺三八零零幺三八零零零",
    "一三八，零零一三，八零零零",
    "010-82345678",
    "11010519491231002X",
    "六二二二零二一二三四五六七八九零一二八",
];

#[test]
fn a_case_is_graded_the_same_masked() {
    for (script, case) in all_cases() {
        let plain = record(&script.id, events_of(script, case));
        let mut masked = plain.clone();
        masked.mask(&mut |_| {});
        assert_eq!(concluded(masked), concluded(plain), "{}", case.name);
    }
}

#[test]
fn a_call_in_which_numbers_are_told_is_graded_the_same_masked() {
    for number in NUMBERS {
        for words in ["", "打这个电话", "我微信是", "不需要", "你加我吧，号码是"] {
            let call = CallBuilder::new()
                .answered()
                .robot("opening", "您好，给您介绍一下可以吗")
                .customer(&format!("{words}{number}"))
                .robot("product", "好的")
                .customer(number)
                .hangup(Party::Customer)
                .build();
            let plain = record("telemarketing", call);
            let mut masked = plain.clone();
            let mut found = 0;
            assert!(masked.mask(&mut |_| found += 1), "{words}{number}");
            assert_eq!(found, 2);
            assert_eq!(concluded(masked), concluded(plain), "{words}{number}");
        }
    }
}

#[test]
fn recorded_calls_are_graded_the_same_masked() {
    let (Some(calls), Some(dialogues)) = (data("calls-dev.jsonl"), data("dialogues.jsonl.gz")) else {
        eprintln!("skipped: recorded_calls_are_graded_the_same_masked needs calls-dev.jsonl and dialogues.jsonl.gz");
        return;
    };
    let mut lines = std::fs::read_to_string(calls).unwrap();
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(dialogues).unwrap()).read_to_string(&mut unpacked).unwrap();
    lines.push_str(&unpacked);
    let scripts = ["telemarketing", "broadband"].map(script);
    let (mut calls, mut masked_calls) = (0, 0);
    for line in lines.lines() {
        let plain = jsonl::call(line.as_bytes(), &Limits::default()).unwrap();
        let mut masked = plain.clone();
        calls += 1;
        if !masked.mask(&mut |_| {}) {
            continue;
        }
        masked_calls += 1;
        for script in &scripts {
            let [plain, masked] = [&plain, &masked].map(|record| CallState::replay_at(script, record.clock(), record.events.clone()));
            assert_eq!((masked.label, masked.rule, masked.signals), (plain.label, plain.rule, plain.signals), "{}", record_id(line));
        }
    }
    assert!(calls > 500 && masked_calls > 0, "{masked_calls} of {calls}");
}

fn record_id(line: &str) -> String {
    jsonl::call(line.as_bytes(), &Limits::default()).map_or(String::new(), |record| record.call_id)
}

#[test]
fn every_event_that_holds_words_is_masked_on_either_side_of_the_wire() {
    use callgrade::core::event::{DialReport, Hangup, Keyword};
    let number = "13800138000";
    let announcing = |announcement: &str| Box::new(DialReport { announcement: announcement.into(), ..DialReport::default() });
    let keyword = Keyword { category: number.into(), keyword: number.into(), utterance_id: number.into() };
    let kinds = [
        EventKind::Utterance(utterance(Speaker::Agent, number, number, 0)),
        EventKind::KeywordTriggered(Box::new(keyword)),
        EventKind::NotConnected(announcing(number)),
        EventKind::Dtmf(number.into()),
        EventKind::Transferred(number.into()),
    ];
    for kind in kinds {
        let mut event = Event { at_ms: 1, kind };
        let mut wire = to_wire(&event);
        assert!(mask_event(&mut event, &mut |_| {}), "{event:?}");
        assert!(mask_wire_event(&mut wire, &mut |_| {}), "{wire:?}");
        assert_eq!(to_wire(&event), wire);
        assert!(!mask_event(&mut event, &mut |_| {}), "{event:?}");
    }
    let mut hangup = Event { at_ms: 1, kind: EventKind::Hangup(Box::new(Hangup { by: None, report: *announcing(number) })) };
    assert!(mask_event(&mut hangup, &mut |_| {}));
    for kind in [EventKind::Answered, EventKind::NodeEntered(number.into()), EventKind::Refused(Some(number.into()))] {
        let mut event = Event { at_ms: 1, kind };
        let mut wire = to_wire(&event);
        assert!(!mask_event(&mut event, &mut |_| {}) && !mask_wire_event(&mut wire, &mut |_| {}), "ids are not words: {event:?}");
    }
}

#[test]
fn a_record_is_masked_but_for_its_id() {
    let line = r#"{"callId":"13800138000","attributes":{"phone":"13800138000","line":"0571-88886666","campaign":"2026-11"},"events":[
        {"atMs":1,"answered":{}},{"atMs":2,"utterance":{"speaker":"13900139000"}}]}"#;
    let mut record = jsonl::call(line.as_bytes(), &Limits::default()).unwrap();
    let mut found = Vec::new();
    assert!(record.mask(&mut |number| found.push(number.digits)));
    assert_eq!(found, ["057188886666", "13800138000", "13900139000"]);
    assert_eq!(record.call_id, "13800138000");
    let attributes: Vec<&str> = record.attributes.values().map(String::as_str).collect();
    assert_eq!(attributes, ["2026-11", "0***-********", "1**********"]);
    assert_eq!(record.rejections[0].reason, r#"unknown value "1**********" of speaker"#);
}

const CALL: &str = r#"{"callId":"c1","scriptId":"telemarketing","attributes":{"phone":"13800138000"},"events":[{"atMs":1000,"answered":{}},
{"atMs":1100,"utterance":{"speaker":"ROBOT","text":"给您介绍一下可以吗","nodeId":"opening"}},
{"atMs":4000,"utterance":{"speaker":"CUSTOMER","text":"加我微信吧，一三八零零一三八零零零"}},
{"atMs":5000,"utterance":{"speaker":"13800138000"}},
{"atMs":9000,"hangup":{"by":"CUSTOMER"}}]}"#;

#[test]
fn classify_and_explain_mask_when_they_are_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.jsonl");
    std::fs::write(&file, CALL.replace('\n', "")).unwrap();
    let file = file.to_str().unwrap();
    let plain = callgrade(&["classify", file], b"");
    let masked = callgrade(&["classify", "--mask", file], b"");
    assert!(stderr(&plain).contains("13800138000"));
    assert!(stderr(&masked).contains(r#"call "c1", event 4: unknown value "1**********" of speaker"#), "{}", stderr(&masked));
    let verdict = |output| {
        let verdict: v1::Verdict = serde_json::from_str(&stdout(output)).unwrap();
        comparable(&verdict)
    };
    assert_eq!(verdict(&plain), verdict(&masked), "a number is no evidence");
    let plain = stdout(&callgrade(&["explain", file, "c1"], b""));
    let masked = callgrade(&["explain", "--mask", file, "c1"], b"");
    assert!(plain.contains("一三八零零一三八零零零"));
    assert!(stdout(&masked).contains("加我微信吧，一**********"), "{}", stdout(&masked));
    assert!(!stdout(&masked).contains("三八零零"));
}

#[test]
fn a_masked_vcon_holds_no_number_anywhere() {
    // The transcript of the second analysis, in base64url, and that of the third, escaped.
    let lines = json!([{"speaker": "customer", "text": "我电话一三八零零一三八零零零"}]);
    let ascii: String =
        lines.to_string().chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) }).collect();
    let encoded = {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(lines.to_string())
    };
    let vcon = json!({
        "vcon": "0.4.0", "uuid": "01234567-0571-4123-8123-123456789012", "created_at": "2026-03-02T10:00:00+08:00",
        "parties": [{"tel": "+865718888666", "name": "小易", "role": "agent"}, {"tel": "tel:+8613900139000", "name": "王先生", "sip": "sip:13900139000@x"}],
        "meta": {"script": "telemarketing"},
        "dialog": [{"type": "text", "start": "2026-03-02T10:00:00+08:00", "parties": [1], "mediatype": "text/plain", "encoding": "none", "body": "打我电话13800138000"}],
        "analysis": [
            {"type": "note", "dialog": 0, "vendor": "v", "encoding": "json", "body": {"phone": 13_900_139_000_u64, "at": 1_764_000_000}},
            {"type": "note", "dialog": 0, "vendor": "v", "encoding": "base64url", "body": encoded},
            {"type": "note", "dialog": 0, "vendor": "v", "encoding": "none", "body": ascii},
        ],
    });
    let output = callgrade(&["classify", "--mask", "--output", "vcon"], vcon.to_string().as_bytes());
    let written: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    assert_eq!(written["uuid"], vcon["uuid"], "an id stays");
    assert_eq!(written["parties"][1]["tel"], "tel:+8************");
    assert_eq!(written["parties"][1]["sip"], "sip:1**********@x");
    assert_eq!(written["dialog"][0]["body"], "打我电话1**********");
    assert_eq!(written["analysis"][0]["body"], json!({"phone": "1**********", "at": 1_764_000_000}));
    let decoded = {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(written["analysis"][1]["body"].as_str().unwrap()).unwrap()
    };
    let decoded: Value = serde_json::from_slice(&decoded).unwrap();
    let escaped: Value = serde_json::from_str(written["analysis"][2]["body"].as_str().unwrap()).unwrap();
    for lines in [decoded, escaped] {
        assert_eq!(lines[0]["text"], "我电话一**********");
    }
    let mut rest = written;
    assert!(!mask::mask_json(&mut rest, &mut |_| {}), "nothing is left");
}
