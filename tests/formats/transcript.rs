//! Transcripts in every shape, and whose words they are.

use callgrade::core::event::{EventKind, Speaker};
use callgrade::ingest::CallRecord;
use callgrade::ingest::vcon::VconOptions;
use serde_json::{Value, json};

use super::{OPENING, START, grade, read, read_plain, recorded, rule, spoken, told};

/// Ways to write the same call down: the robot opens, the customer asks for the price and how fast it is.
#[test]
fn every_shape_of_transcript_gives_the_same_conversation() {
    let answer = "两年都是免费的。";
    let segment = |who: &str, key: &str, at: f64, text: &str| json!({key: who, "start": at, "end": at + 2.0, "text": text});
    let labelled = format!("客服：{OPENING}\n客户：收费吗\n客服：{answer}\n客户：网速多少兆");
    let words = |speaker: u64, at: f64, text: &str| -> Vec<Value> {
        let word = |(place, letter): (usize, char)| {
            let at = at + place as f64 * 0.1;
            json!({"word": letter.to_string(), "start": at, "end": at + 0.1, "speaker": speaker})
        };
        text.chars().enumerate().map(word).collect()
    };
    let all_words = [words(0, 1.0, OPENING), words(1, 9.0, "收费吗"), words(0, 12.0, answer), words(1, 16.0, "网速多少兆")].concat();
    let paragraph = |speaker: u64, at: f64, text: &str| json!({"speaker": speaker, "start": at, "end": at + 2.0, "num_words": 3, "sentences": [{"text": text, "start": at, "end": at + 2.0}]});
    let utterances = json!([
        {"speaker": "A", "start": 1000, "end": 8000, "text": OPENING}, {"speaker": "B", "start": 9000, "end": 10000, "text": "收费吗"},
        {"speaker": "A", "start": 12000, "end": 15000, "text": answer}, {"speaker": "B", "start": 16000, "end": 17000, "text": "网速多少兆"}
    ]);
    let channel = |turns: [(f64, &str); 2]| {
        let texts = turns.iter().map(|(at, text)| json!({"speaker": 0, "start": at, "end": at + 1.0, "sentences": [{"text": text}]}));
        json!({"alternatives": [{"transcript": "…", "paragraphs": {"transcript": "…", "paragraphs": texts.collect::<Vec<_>>()}}, {"transcript": "别的"}]})
    };
    let shapes: Vec<(&str, Value, bool)> = vec![
        (
            "segments by role",
            json!([
                segment("agent", "speaker", 1.0, OPENING),
                segment("customer", "speaker", 9.0, "收费吗"),
                segment("agent", "speaker", 12.0, answer),
                segment("customer", "speaker", 16.0, "网速多少兆")
            ]),
            true,
        ),
        (
            "segments by party",
            json!([
            {"party": 0, "message": OPENING, "timestamp": "2026-03-02T02:00:01Z"}, {"party": 1, "message": "收费吗", "timestamp": "2026-03-02T10:00:09+08:00"},
            {"party": 0, "message": answer, "timestamp": "2026-03-02T10:00:12+08:00"}, {"party": 1, "message": "网速多少兆", "timestamp": 1_772_416_816}]),
            true,
        ),
        (
            "segments by name, on a clock",
            json!({"turns": [
            {"participant": "小易", "transcript": OPENING, "offset": "00:01"}, {"participant": "王先生", "transcript": "收费吗", "offset": "00:09"},
            {"participant": "+8657100000001", "transcript": answer, "offset": "00:00:12.000"}, {"participant": {"name": "王先生"}, "transcript": "网速多少兆", "offset": "16s"}]}),
            true,
        ),
        (
            "WTF",
            json!({
            "transcript": {"text": "…", "language": "zh-CN", "duration": 60, "confidence": 0.9},
            "segments": [
                {"id": 0, "start": 1.0, "end": 8.0, "text": OPENING, "confidence": 0.9, "speaker": 0}, {"id": 1, "start": 9.0, "end": 10.0, "text": "收费吗", "confidence": 0.9, "speaker": 1},
                {"id": 2, "start": 12.0, "end": 15.0, "text": answer, "confidence": 0.9, "speaker": 0}, {"id": 3, "start": 16.0, "end": 17.0, "text": "网速多少兆", "confidence": 0.9, "speaker": 1}],
            "metadata": {"created_at": START, "processed_at": START, "provider": "whisper", "model": "large"}}),
            true,
        ),
        ("AssemblyAI, in milliseconds", json!({"text": "…", "utterances": utterances}), true),
        (
            "Deepgram's alternative",
            json!({
            "transcript": "…", "confidence": 0.9, "detected_language": "zh", "words": all_words,
            "paragraphs": {"transcript": "…", "paragraphs": [paragraph(0, 1.0, OPENING), paragraph(1, 9.0, "收费吗"), paragraph(0, 12.0, answer), paragraph(1, 16.0, "网速多少兆")]}}),
            true,
        ),
        ("Deepgram's words alone", json!({"transcript": "…", "words": all_words}), true),
        (
            "Deepgram, a channel each",
            json!({"metadata": {}, "results": {"channels": [channel([(1.0, OPENING), (12.0, answer)]), channel([(9.0, "收费吗"), (16.0, "网速多少兆")])]}}),
            true,
        ),
        (
            "Rev",
            json!({"monologues": [
            {"speaker": 0, "elements": [{"type": "text", "value": OPENING, "ts": 1.0, "end_ts": 8.0}]}, {"speaker": 1, "elements": [{"type": "text", "value": "收费吗", "ts": 9.0, "end_ts": 10.0}]},
            {"speaker": 0, "elements": [{"type": "text", "value": answer, "ts": 12.0, "end_ts": 15.0}]}, {"speaker": 1, "elements": [{"type": "text", "value": "网速多少兆", "ts": 16.0, "end_ts": 17.0}]}]}),
            true,
        ),
        ("named lines", json!(labelled), false),
        ("named lines in a field", json!({"transcript": labelled, "confidence": 0.9}), false),
        (
            "named lines with times",
            json!(format!("[00:01] 小易: {OPENING}\n[00:09] 王先生: 收费吗\n\n小易 (00:12): {answer}\n00:16 **王先生：** 网速多少兆")),
            true,
        ),
        ("a list of lines", json!([format!("机器人：{OPENING}"), "客户：收费吗", format!("机器人：{answer}"), "客户：网速多少兆"]), false),
        ("JSON as text", json!(json!({"segments": utterances}).to_string()), true),
        ("paragraphs", json!({"transcript": format!("{OPENING}\n\n收费吗\n\n{answer}\n\n网速多少兆")}), false),
    ];
    let asked = [OPENING, "收费吗", answer, "网速多少兆"];
    let speakers = [Speaker::Robot, Speaker::Customer, Speaker::Robot, Speaker::Customer];
    for (name, body, timed) in shapes {
        let record = read_plain(&recorded(body));
        let said: Vec<(Speaker, &str)> = record
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Utterance(said) => Some((said.speaker, &*said.text)),
                _ => None,
            })
            .collect();
        assert_eq!(said, speakers.into_iter().zip(asked).collect::<Vec<_>>(), "{name}: {:?}", record.notices);
        let told = told(&record.events);
        assert_eq!((told[0].as_str(), told[5].as_str()), ("0 answered", "60000 hangup ?"), "{name}");
        let times: Vec<u32> = record.events[1..5].iter().map(|event| event.at_ms).collect();
        let untimed = record.notices.contains(&"4 utterances have no time; spaced at 4.5 characters a second".to_owned());
        assert_eq!(untimed, !timed, "{name}: {:?}", record.notices);
        if timed {
            assert_eq!(times, [1_000, 9_000, 12_000, 16_000], "{name}");
        } else {
            // 37 letters, 3, 7 and 5 at 4.5 a second.
            assert_eq!(times, [0, 8_223, 8_890, 10_446], "{name}");
        }
        let verdict = grade(&record);
        assert_eq!((rule(&verdict).as_str(), verdict.signals.questions()), ("B1", 2), "{name}");
    }
}

#[test]
fn the_robot_is_told_from_a_transcript_without_names() {
    let mut vcon = recorded(json!([
        {"speaker": "SPEAKER_01", "start": 0.5, "text": "喂"}, {"speaker": "SPEAKER_00", "start": 1.5, "text": OPENING}, {"speaker": "SPEAKER_01", "start": 12.5, "text": "不需要"}
    ]));
    let speakers = |record: &CallRecord| (spoken(record, Speaker::Robot), spoken(record, Speaker::Customer));
    let record = read_plain(&vcon);
    assert_eq!(speakers(&record), (1, 2));
    assert_eq!(record.notices, [r#"no speaker is named as the robot; "SPEAKER_00", who says the most, is taken for it"#]);
    assert_eq!(rule(&grade(&record)), "D2");
    let other = read(&vcon, &VconOptions { robot_party: Some("speaker_01".to_owned()), ..VconOptions::default() }).unwrap();
    assert_eq!((speakers(&other), other.notices.len()), ((2, 1), 0));
    // One recording a party needs no names at all.
    vcon["dialog"] = json!([
        {"type": "recording", "start": START, "duration": 20, "parties": 0, "originator": 0}, {"type": "recording", "start": START, "duration": 20, "parties": 1, "originator": 0}
    ]);
    vcon["analysis"] = json!([
        {"type": "transcript", "dialog": 0, "vendor": "v", "body": {"text": OPENING, "segments": [{"start": 1.5, "end": 9.0, "text": OPENING}]}},
        {"type": "transcript", "dialog": 1, "vendor": "v", "body": {"text": "不需要", "segments": [{"start": 12.5, "end": 13.0, "text": "不需要"}]}},
    ]);
    let record = read_plain(&vcon);
    assert_eq!(told(&record.events), ["0 answered", &format!("1500 robot {OPENING}"), "12500 customer 不需要", "20000 hangup ?"]);
    assert!(record.notices.is_empty(), "{:?}", record.notices);
}
