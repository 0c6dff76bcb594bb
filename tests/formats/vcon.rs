//! vCons: the samples, dialogs, outcomes, what is wrong with them, and the verdict written back.

use std::path::PathBuf;

use callgrade::core::event::{Event, EventKind, Speaker};
use callgrade::ingest::vcon::{self, VconOptions};
use callgrade::ingest::{CallRecord, Limits};
use callgrade::script::bundled;
use callgrade::wire::{self, CallHead, v1};
use serde_json::{Value, json};

use super::{OPENING, START, grade, parties, read, read_plain, recorded, rule, spoken, told};

#[test]
fn the_vcon_samples_are_read_whole() {
    let data =
        std::env::var_os("CALLGRADE_DATA").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let Ok(folder) = std::fs::read_dir(data.join("vcon")) else {
        eprintln!("skipped: {} has no vcon samples", data.display());
        return;
    };
    let expected = [
        // Dialogs of text: who wrote how many. Transcripts: the paragraphs alternate.
        ("03cb0827", 6, 5),
        ("3f45fda1", 7, 5),
        ("4052e315", 6, 4),
        ("46d8d80b", 6, 5),
        ("4de980d1", 6, 5),
        ("4f6f4eee", 6, 4),
        ("4fb6cc5d", 6, 5),
        ("7ef02d66", 6, 4),
        ("9b83cf2b", 6, 5),
        ("a0c80856", 6, 6),
        ("b23353b9", 6, 4),
        ("d740755f", 6, 5),
    ];
    let mut read = 0;
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy()[..8].to_owned();
        let record = vcon::call(&std::fs::read(&path).unwrap(), &VconOptions::default(), &Limits::default()).unwrap();
        let (_, robot, customer) = expected.iter().find(|(sample, ..)| *sample == name).unwrap();
        assert_eq!((spoken(&record, Speaker::Robot), spoken(&record, Speaker::Customer)), (*robot, *customer), "{name}");
        assert!(record.rejections.is_empty() && record.started_at.is_some(), "{name}: {record:?}");
        let inferred = record.notices.iter().any(|notice| notice == ALTERNATE);
        let untimed = record.notices.iter().any(|notice| notice.ends_with(" utterances have no time; spaced at 4.5 characters a second"));
        let transcript = ["03cb0827", "4de980d1", "4fb6cc5d", "9b83cf2b", "a0c80856", "d740755f"].contains(&name.as_str());
        assert_eq!((inferred, untimed), (transcript, transcript), "{name}: {:?}", record.notices);
        assert!(matches!(record.events[0], Event { at_ms: 0, kind: EventKind::Answered }), "{name}");
        read += 1;
    }
    assert_eq!(read, 12);
}

const ALTERNATE: &str = "the transcript names no speakers; they are taken to alternate, the robot first";

#[test]
fn text_dialogs_are_utterances_at_their_own_time() {
    let text = |second: u32, party: u32, body: &str| json!({"type": "text", "start": format!("2026-03-02T10:00:{second:02}+08:00"), "parties": [party], "mediatype": "text/plain", "encoding": "none", "body": body});
    let mut vcon = json!({
        "vcon": "0.3.0", "uuid": "u", "created_at": START, "subject": "三月宽带", "parties": parties(),
        "meta": {"script_id": "broadband"},
        // Not in order of time, as the draft allows.
        "dialog": [text(9, 1, "收费吗"), text(0, 0, OPENING), text(12, 0, "两年都是免费的。"), text(20, 1, "不需要"), text(22, 1, "不要了")],
        "analysis": [{"type": "transcript", "dialog": [0, 1, 2, 3, 4], "vendor": "v", "body": "客户：我要投诉", "encoding": "none"}],
        "attachments": [{"type": "tags", "encoding": "json", "body": "[\"campaign:spring\", \"loose\"]"}],
    });
    let record = read_plain(&vcon);
    let expected = [
        "0 answered",
        &format!("0 robot {OPENING}"),
        "9000 customer 收费吗",
        "12000 robot 两年都是免费的。",
        "20000 customer 不需要",
        "22000 customer 不要了",
    ];
    assert_eq!(told(&record.events), expected);
    assert_eq!((record.call_id.as_str(), record.script_id.as_str(), record.time_zone.as_str()), ("u", "broadband", ""));
    assert_eq!(record.started_at.map(|at| (at.seconds, at.nanos)), Some((1_772_416_800, 0)));
    let attributes: Vec<_> = record.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(attributes, ["campaign=spring", "subject=三月宽带"]);
    assert!(record.notices.is_empty(), "{:?}", record.notices);
    let verdict = grade(&record);
    assert_eq!(
        (rule(&verdict).as_str(), verdict.signals.refusals, verdict.ended_by.map(|by| by.as_str())),
        ("C1", 1, Some("end_of_record"))
    );

    // The same words in HTML and in base64url, in the older drafts' field names.
    vcon["dialog"][0]["mediatype"] = "text/html; charset=utf-8".into();
    vcon["dialog"][0]["body"] = "<p>收费<b>吗</b></p>".into();
    vcon["dialog"][3]["encoding"] = "base64url".into();
    vcon["dialog"][3]["body"] = "5LiN6ZyA6KaB".into();
    for dialog in vcon["dialog"].as_array_mut().unwrap() {
        let media_type = dialog.as_object_mut().unwrap().remove("mediatype").unwrap();
        dialog["mimetype"] = media_type;
    }
    vcon["vcon"] = "0.0.1".into();
    assert_eq!(told(&read_plain(&vcon).events), expected);
}

#[test]
fn a_human_agent_is_not_the_robot() {
    let text = |second: u32, party: u32, body: &str| json!({"type": "text", "start": format!("2026-03-02T10:00:{second:02}+08:00"), "originator": party, "parties": [0, 1, 2], "body": body});
    let mut vcon = json!({
        "vcon": "0.4.0", "uuid": "u", "created_at": START,
        "parties": [{"name": "王先生", "role": "customer"}, {"name": "李经理", "mailto": "mailto:Li@example.com", "role": "agent"}, {"name": "小易", "tel": "tel:+86-571-0001", "meta": {"role": "agent"}}],
        "dialog": [text(0, 2, OPENING), text(9, 0, "转人工"), {"type": "transfer", "start": "2026-03-02T10:00:11+08:00", "transferee": 0, "transferor": 2, "transfer_target": 1, "original": 0, "target_dialog": 3}, text(12, 1, "您好，不需要您付费。")],
    });
    let robots = |vcon: &Value, robot: Option<&str>| {
        let record = read(vcon, &VconOptions { robot_party: robot.map(str::to_owned), ..VconOptions::default() }).unwrap();
        let speakers: Vec<&str> = record
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Utterance(said) => Some(said.speaker.as_str()),
                EventKind::Transferred(_) => Some("→"),
                _ => None,
            })
            .collect();
        (speakers.join(" "), record.notices)
    };
    // Of two agents the first, unless one is said to be the robot.
    assert_eq!(
        robots(&vcon, None),
        ("agent customer → robot".to_owned(), vec!["several agents; party 1 (李经理) is taken for the robot".to_owned()])
    );
    for wanted in ["2", "小易", "+865710001", "tel:+86 571 0001"] {
        assert_eq!(robots(&vcon, Some(wanted)), ("robot customer → agent".to_owned(), Vec::new()), "{wanted}");
    }
    assert_eq!(robots(&vcon, Some("li@EXAMPLE.com")).0, "agent customer → robot");
    assert_eq!(
        read(&vcon, &VconOptions { robot_party: Some("3".to_owned()), ..VconOptions::default() }).unwrap_err().to_string(),
        r#"call "u": robot party "3" is none of the vCon's parties: 0 (王先生), 1 (李经理), 2 (小易)"#
    );
    vcon["parties"][2]["type"] = "bot".into();
    assert_eq!(robots(&vcon, None), ("robot customer → agent".to_owned(), Vec::new()));
    let verdict = grade(&read_plain(&vcon));
    assert_eq!((verdict.signals.transferred, verdict.signals.refusals), (true, 0));
    // Nobody has a role.
    for party in vcon["parties"].as_array_mut().unwrap() {
        let party = party.as_object_mut().unwrap();
        ["role", "meta", "type"].iter().for_each(|key| drop(party.remove(*key)));
    }
    let first = "no party has the role agent; party 2 (小易), who speaks first, is taken for the robot".to_owned();
    assert_eq!(robots(&vcon, None), ("robot customer → customer".to_owned(), vec![first]));
}

#[test]
fn what_became_of_the_call() {
    for (disposition, seconds, expected, rule_id, notice) in [
        (json!("no-answer"), 30, vec!["30000 not connected no_answer"], "E3", ""),
        (json!("NO_ANSWER"), 0, vec!["0 not connected no_answer"], "E3", ""),
        (json!("busy"), 0, vec!["0 not connected busy"], "E3", ""),
        (json!("congestion"), 0, vec!["0 not connected failed"], "E3", ""),
        (json!("failed"), 0, vec!["0 not connected failed"], "E3", ""),
        (json!("hung-up"), 2, vec!["0 answered", "2000 hangup customer"], "E2", ""),
        (json!("voicemail-no-message"), 9, vec!["0 answered", "0 answered by voicemail", "9000 hangup robot"], "E3", ""),
        (json!("eaten"), 0, vec!["0 not connected ?"], "E3", r#"dialog 0: unknown disposition "eaten""#),
        (json!(null), 0, vec!["0 not connected ?"], "E3", "dialog 0: incomplete without a disposition"),
    ] {
        let vcon = json!({"vcon": "0.4.0", "uuid": "u", "created_at": START, "parties": parties(),
            "dialog": [{"type": "incomplete", "start": START, "duration": seconds, "parties": [0, 1], "disposition": disposition}]});
        let record = read_plain(&vcon);
        assert_eq!(told(&record.events), expected, "{disposition}");
        assert_eq!(rule(&grade(&record)), rule_id, "{disposition}");
        assert_eq!(record.notices.join("|"), notice, "{disposition}");
    }
    // A second attempt got through; the parties' leaving tells who hung up, a key was pressed on the way.
    let mut vcon =
        recorded(json!([{"speaker": "agent", "start": 1, "text": OPENING}, {"speaker": "customer", "start": 10, "text": "好的"}]));
    let time = |second: u32| format!("2026-03-02T10:00:{second:02}+08:00");
    vcon["dialog"][0]["duration"] = json!(20.5);
    vcon["dialog"][0]["party_history"] = json!([
        {"party": 0, "time": time(0), "event": "join"}, {"party": 1, "time": time(15), "event": "drop"},
        {"party": 1, "time": time(12), "event": "keydown", "button": "1"}, {"party": 0, "time": time(20), "event": "drop"}]);
    vcon["dialog"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "incomplete", "start": "2026-03-02T09:00:00+08:00", "parties": [0, 1], "disposition": "busy"}));
    let record = read_plain(&vcon);
    let expected = ["0 answered", &format!("1000 robot {OPENING}"), "10000 customer 好的", "12000 keys 1", "20500 hangup customer"];
    assert_eq!(told(&record.events), expected);
    assert_eq!(record.notices, ["dialog 1: an attempt that was not connected, beside the one that is graded; ignored"]);
}

#[test]
fn what_cannot_be_used_is_told() {
    let vcon = json!({
        "vcon": "9.9", "uuid": "u", "created_at": "yesterday", "parties": parties(),
        "dialog": [
            {"type": "recording", "start": "2026-03-02T10:00:00", "duration": 60, "parties": [0, 1]}, 7,
            {"type": "hologram"}, {"type": "text", "parties": [1], "mediatype": "multipart/mixed", "body": "--x"},
            {"type": "text", "parties": [1], "encoding": "rot13", "body": "喂"}, {"type": "text", "parties": [1], "encoding": "base64url", "body": "好"},
        ],
        "analysis": [{"type": "transcript", "dialog": 0, "vendor": "v", "url": "https://x"}, {"type": "transcript", "dialog": 0, "vendor": "v", "body": 5}, {"type": "summary", "body": 5}],
    });
    let record = read_plain(&vcon);
    assert_eq!(
        record.notices,
        [
            r#"vCon version "9.9" is not known; read as 0.4.0"#,
            r#"created_at is no date: "yesterday"; ignored"#,
            "dialog 0: start has no offset from UTC; read as UTC",
            "dialog 1: not an object; ignored",
            r#"dialog 2: unknown type "hologram"; ignored"#,
            r#"dialog 3: text of type "multipart/mixed", which is not read; ignored"#,
            r#"dialog 4: unknown encoding "rot13"; ignored"#,
            "dialog 5: a body that is not base64url; ignored",
            "analysis 0: a transcript without a body; it is not fetched from elsewhere",
            "analysis 1: a transcript of no known shape; ignored",
            "dialog 0: neither text nor a transcript; nothing is known of what was said",
            "dialog 3: neither text nor a transcript; nothing is known of what was said",
            "dialog 4: neither text nor a transcript; nothing is known of what was said",
            "dialog 5: neither text nor a transcript; nothing is known of what was said",
        ]
    );
    // Nothing is known, so nothing is concluded: it is not a silent call.
    assert!(record.events.is_empty());
    assert_eq!(rule(&grade(&record)), "");
    // A transcript that is empty is known to hold nothing.
    let silent = read_plain(&recorded(json!({"transcript": "", "words": []})));
    assert_eq!((told(&silent.events), silent.notices.len()), (vec!["0 answered".to_owned(), "60000 hangup ?".to_owned()], 0));
    assert_eq!(rule(&grade(&silent)), "E2");
}

#[test]
fn a_vcon_that_cannot_be_read_says_why_and_names_it_where_it_can() {
    for (text, expected) in [
        ("", "not a vCon: EOF while parsing a value at line 1 column 0"),
        ("[]", "not a vCon: not a JSON object"),
        (r#"{"vcon":"0.0.1","uuid":"u1","dialog":[{"#, r#"call "u1": not a vCon: EOF while parsing an object at line 1 column 39"#),
        (r#"{"vcon":"0.0.1"}"#, "the vCon has no uuid"),
        (r#"{"vcon":"0.0.1","uuid":7}"#, "uuid: not text: 7"),
        (
            r#"{"payload":"e30","signatures":[{"header":{"alg":"RS256","uuid":"u2"}}]}"#,
            r#"call "u2": a signed vCon (JWS): verify it and give its payload"#,
        ),
        (
            r#"{"unprotected":{"cty":"application/vcon","uuid":"u3"},"recipients":[],"iv":"x","ciphertext":"x","tag":"x"}"#,
            r#"call "u3": an encrypted vCon (JWE): decrypt it first"#,
        ),
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "a signed vCon (JWS): verify it and give its payload"),
        ("eyJhbGciOiJSU0EifQ.a.b.c.d", "an encrypted vCon (JWE): decrypt it first"),
        (
            r#"{"uuid":"u4","critical":["lawful_basis","CC"]}"#,
            r#"call "u4": the vCon requires an extension that is not supported: lawful_basis"#,
        ),
    ] {
        let rejection = vcon::call(text.as_bytes(), &VconOptions::default(), &Limits::default()).unwrap_err();
        assert_eq!(rejection.to_string(), expected, "{text}");
    }
    let wanted = VconOptions { robot_party: Some("小易".to_owned()), ..VconOptions::default() };
    assert_eq!(
        read(&json!({"uuid": "u5"}), &wanted).unwrap_err().to_string(),
        r#"call "u5": robot party "小易": the vCon names no parties"#
    );
    assert!(read_plain(&json!({"uuid": "u6", "dialog": {}, "parties": 5})).events.is_empty());
}

#[test]
fn an_utterance_that_is_wrong_is_rejected_alone() {
    let long = "多".repeat(30);
    let vcon = recorded(
        json!([{"speaker": "agent", "text": OPENING}, {"speaker": "customer", "text": long}, {"speaker": "customer", "text": "@@"}, {"speaker": "customer", "text": "不需要"}]),
    );
    let mut bytes = vcon.to_string().into_bytes();
    let at = bytes.windows(2).position(|two| two == b"@@").unwrap();
    bytes[at] = 0xE4;
    let limits = Limits { utterance_bytes: OPENING.len(), call_events: 1000, ..Limits::default() };
    let long = vcon::call(&bytes, &VconOptions::default(), &Limits { utterance_bytes: 80, ..limits }).unwrap();
    let rejections: Vec<String> = long.rejections.iter().map(ToString::to_string).collect();
    assert_eq!(
        rejections,
        [
            format!(r#"call "u", event 2: utterance of {} bytes, more than 80"#, OPENING.len()),
            r#"call "u", event 3: utterance of 90 bytes, more than 80"#.to_owned(),
            r#"call "u", event 4: text that is not UTF-8"#.to_owned(),
        ]
    );
    assert_eq!(rule(&grade(&long)), "D2");
    let few = vcon::call(&bytes, &VconOptions::default(), &Limits { call_events: 3, ..Limits::default() }).unwrap();
    assert_eq!(
        few.rejections.last().unwrap().to_string(),
        r#"call "u", event 4: the call has more than 3 events; this and 2 later ones are left out"#
    );
}

fn verdict_of(record: &CallRecord) -> v1::Verdict {
    let head = CallHead { call_id: &record.call_id, revision: 1, notices: &record.notices };
    wire::verdict(&bundled("broadband").unwrap(), head, &grade(record))
}

#[test]
fn the_verdict_is_written_back_once() {
    let original =
        recorded(json!([{"speaker": "agent", "start": 1, "text": OPENING}, {"speaker": "customer", "start": 10, "text": "不需要"}]));
    let record = read_plain(&original);
    let verdict = verdict_of(&record);
    let written = vcon::with_verdict(&original, &verdict);
    let analysis = written["analysis"].as_array().unwrap();
    assert_eq!((analysis.len(), &analysis[0]), (2, &original["analysis"][0]));
    let ours = &analysis[1];
    let version = &bundled("broadband").unwrap().version;
    assert_eq!(
        (&ours["type"], &ours["vendor"], &ours["dialog"], &ours["encoding"], &ours["mediatype"]),
        (&json!("report"), &json!("callgrade"), &json!([0]), &json!("json"), &json!("application/json"))
    );
    assert_eq!(ours["schema"], format!("callgrade.v1.Verdict broadband@{version}"));
    assert_eq!((&ours["body"]["label"], &ours["body"]["ruleId"], &ours["body"]["callId"]), (&json!("D"), &json!("D2"), &json!("u")));
    let back: v1::Verdict = serde_json::from_value(ours["body"].clone()).unwrap();
    assert_eq!(back, verdict);
    // Nothing else changes, and reading it again sees the same call.
    let mut rest = written.clone();
    rest["analysis"].as_array_mut().unwrap().pop();
    assert_eq!(rest, original);
    assert_eq!(read_plain(&written), record);
    assert_eq!(vcon::with_verdict(&written, &verdict), written);
    // A later verdict takes the place of the earlier one, whatever came behind it.
    let mut later = written.clone();
    later["analysis"].as_array_mut().unwrap().push(json!({"type": "summary", "vendor": "callgrade-of-others"}));
    let again = vcon::with_verdict(&later, &v1::Verdict { revision: 2, ..verdict.clone() });
    let kinds: Vec<&str> = again["analysis"].as_array().unwrap().iter().map(|analysis| analysis["type"].as_str().unwrap()).collect();
    assert_eq!((kinds, &again["analysis"][1]["body"]["revision"]), (vec!["transcript", "report", "summary"], &json!(2)));
    // Without analyses and dialogs there is one, of nothing.
    let bare = vcon::with_verdict(&json!({"uuid": "u", "analysis": null}), &verdict);
    assert_eq!((bare["analysis"].as_array().unwrap().len(), bare["analysis"][0].get("dialog")), (1, None));
}
