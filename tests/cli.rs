//! The real program: what it prints, what it says of bad input, how it exits.

use std::fmt::Write as _;

use callgrade::wire::v1;

use crate::support::{callgrade, stderr, stdout};

const CALL: &str = r#"{"callId":"ok-1","scriptId":"telemarketing","events":[{"atMs":1000,"answered":{}},{"atMs":2000,"utterance":{"speaker":"CUSTOMER","text":"多少钱"}},{"atMs":9000,"hangup":{"by":"CUSTOMER"}}]}"#;

fn verdicts(text: &str) -> Vec<v1::Verdict> {
    text.lines().map(|line| serde_json::from_str(line).expect("a verdict a line")).collect()
}

fn ids(text: &str) -> Vec<String> {
    verdicts(text).into_iter().map(|verdict| verdict.call_id).collect()
}

#[test]
fn a_verdict_is_canonical_json_with_defaults_written() {
    let output = callgrade(&["classify"], CALL.as_bytes());
    assert!(output.status.success());
    let value: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(value["label"], "C");
    assert_eq!(value["ruleId"], "C1");
    assert_eq!(value["final"], true);
    assert_eq!(value["revision"], 1);
    assert_eq!(value["fallback"], false);
    let model = crate::support::script("telemarketing").learned.as_ref().map(|model| model.hash.to_string());
    assert_eq!(value["modelHash"].as_str(), model.as_deref());
    assert_eq!(value["endedBy"], "hangup");
    assert_eq!(value["signals"]["asked"], serde_json::json!(["price"]));
    assert_eq!(value["signals"]["hits"]["busy"], 0);
    let asked = value["evidence"].as_array().unwrap().iter().find(|evidence| evidence["signal"] == "asked").unwrap();
    assert_eq!(
        *asked,
        serde_json::json!({"event":1,"start":0,"end":3,"speaker":"SPEAKER_CUSTOMER","signal":"asked","category":"price","phrase":"多少钱","match":"MATCH_EXACT","score":1.0,"grams":[]})
    );
}

#[test]
fn events_of_no_known_kind_keep_their_place_and_are_told() {
    let known = "{\"atMs\":2000,\"utterance\":";
    let later = format!("{{\"atMs\":1500,\"hologram\":{{}}}},{known}");
    let output = callgrade(&["classify"], CALL.replace(known, &later).as_bytes());
    let verdict = verdicts(&stdout(&output)).remove(0);
    assert_eq!(verdict.notices, ["1 event is of no kind that this version knows, and was passed over"]);
    assert_eq!((&*verdict.rule_id, verdict.evidence.iter().map(|evidence| evidence.event).max()), ("C1", Some(3)));
    let output = callgrade(&["classify"], CALL.replace(known, &format!("{{}},{later}")).as_bytes());
    assert_eq!(verdicts(&stdout(&output))[0].notices, ["2 events are of no kind that this version knows, and were passed over"]);
}

#[test]
fn what_is_wrong_is_told_by_call_line_and_reason_and_the_rest_is_graded() {
    let mut input = format!("{CALL}\n");
    input.push_str("{\"callId\":\"cut-1\",\"scriptId\":\"telemarketing\",\"events\":[{\"atMs\":10\n");
    input.push_str("{\"callId\":\"no-script\",\"events\":[]}\n");
    input.push_str("{\"callId\":\"other\",\"scriptId\":\"insurance\",\"events\":[]}\n");
    input.push_str("{\"callId\":\"bad-events\",\"scriptId\":\"telemarketing\",\"events\":[{\"atMs\":1,\"answered\":{}},{\"utterance\":{\"speaker\":\"CUSTOMER\",\"text\":\"好\",\"played\":7}},{\"hangup\":{\"by\":\"ALIEN\"}},{\"atMs\":\"soon\",\"silence\":{}},{\"utterance\":{\"text\":\"谁\"}}]}\n");
    input.push_str("\n[1,2]\n{}\n{\"callId\":5}\n");
    let mut input = input.into_bytes();
    input.extend(b"{\"callId\":\"bytes\",\"scriptId\":\"telemarketing\",\"events\":[{\"utterance\":{\"speaker\":\"CUSTOMER\",\"text\":\"\xff\xfe\"}},{\"atMs\":5,\"answered\":{}}]}\n");
    input.extend(CALL.replace("ok-1", "ok-2").as_bytes());
    let output = callgrade(&["classify", "-"], &input);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(ids(&stdout(&output)), ["ok-1", "bad-events", "bytes", "ok-2"]);
    assert_eq!(
        stderr(&output),
        "\
callgrade: -:2: call \"cut-1\": not a call: EOF while parsing an object at line 1 column 65
callgrade: -:3: call \"no-script\": the call names no script; there are broadband, telemarketing
callgrade: -:4: call \"other\": unknown script \"insurance\"; there are broadband, telemarketing
callgrade: -:5: call \"bad-events\", event 2: played is 7, outside 0 to 1
callgrade: -:5: call \"bad-events\", event 3: unknown value \"ALIEN\" of by
callgrade: -:5: call \"bad-events\", event 4: atMs: invalid value: string \"soon\", expected a whole number from 0 to 4294967295
callgrade: -:5: call \"bad-events\", event 5: the utterance names no speaker
callgrade: -:7: not a call: a call is a JSON object
callgrade: -:8: the call has no callId
callgrade: -:9: callId: invalid type: integer `5`, expected a string
callgrade: -:10: call \"bytes\", event 1: text that is not UTF-8
callgrade: calls graded: 4; rejections: 11
"
    );
}

#[test]
fn limits_reject_what_is_over_them_alone() {
    let long = "不".repeat(3_500_000);
    let mut million = String::from(r#"{"callId":"million","scriptId":"telemarketing","events":[{"answered":{}}"#);
    (0..1_000_000).for_each(|_| million.push_str(r#",{"silence":{}}"#));
    million.push_str("]}");
    let big = format!(
        r#"{{"callId":"big","scriptId":"telemarketing","events":[{{"answered":{{}}}},{{"utterance":{{"speaker":"CUSTOMER","text":"{long}"}}}},{{"utterance":{{"speaker":"CUSTOMER","text":"不需要"}}}}]}}"#
    );
    let output = callgrade(&["classify"], format!("{big}\n{million}\n{CALL}\n").as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "\
callgrade: -:1: call \"big\", event 2: utterance of 10500000 bytes, more than 65536
callgrade: -:2: call \"million\", event 10001: the call has more than 10000 events; this and 990000 later ones are left out
callgrade: calls graded: 3; rejections: 2
"
    );
    let verdicts = verdicts(&stdout(&output));
    assert_eq!(verdicts[0].signals.as_ref().unwrap().refusals, 1, "what came after the long utterance counts");
    assert_eq!(verdicts[1].signals.as_ref().unwrap().no_input, 9_999);

    let output = callgrade(&["classify", "--max-line-bytes", "300"], format!("{big}\n{CALL}\n").as_bytes());
    assert_eq!(
        stderr(&output),
        format!("callgrade: -:1: a line of over 300 bytes ({})\ncallgrade: calls graded: 1; rejections: 1\n", big.len())
    );
}

#[test]
fn files_that_give_nothing_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("empty.jsonl"), "").unwrap();
    std::fs::write(path("call.jsonl"), CALL).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    let output = callgrade(&["classify", &path("empty.jsonl"), &path("folder"), &path("nowhere.jsonl"), &path("call.jsonl")], b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(ids(&stdout(&output)), ["ok-1"]);
    let told = stderr(&output).replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(
        told,
        "\
callgrade: empty.jsonl: no calls in it
callgrade: folder: is a directory; name the files in it
callgrade: nowhere.jsonl: No such file or directory (os error 2)
callgrade: calls graded: 1; rejections: 3
"
    );
}

#[test]
fn commands_that_cannot_run_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    for (args, expected) in [
        (vec!["classify", "--script", "nope"], "callgrade: unknown script \"nope\"; there are broadband, telemarketing\n".to_owned()),
        (vec!["classify", "--scripts", &name], format!("callgrade: {name}: no script here; a script is a folder with a script.yaml\n")),
        (
            vec!["explain", "/nowhere/calls.jsonl", "x"],
            "callgrade: /nowhere/calls.jsonl: No such file or directory (os error 2)\n".to_owned(),
        ),
        (vec!["script", "lint", "nope"], "callgrade: no script and no folder \"nope\"; there are broadband, telemarketing\n".to_owned()),
        (
            vec!["serve", "--store", "none", "--log", "error", "--listen", "nowhere"],
            "callgrade: cannot listen on nowhere: invalid socket address\n".to_owned(),
        ),
    ] {
        let output = callgrade(&args, CALL.as_bytes());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(stderr(&output), expected);
    }
}

#[test]
fn a_version_can_be_fixed() {
    let version = crate::support::script("telemarketing").version.to_string();
    let nameless = CALL.replace(r#""scriptId":"telemarketing","#, "");
    for script in ["telemarketing", &format!("telemarketing@{version}"), &format!("telemarketing@{}", &version[..8])] {
        let output = callgrade(&["classify", "--script", script], nameless.as_bytes());
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(verdicts(&stdout(&output))[0].script_version, version);
    }
    let output = callgrade(&["classify", "--script", "telemarketing@0000000000"], CALL.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), format!("callgrade: script \"telemarketing\" has no version \"0000000000\"; there is {version}\n"));
}

#[test]
fn an_edited_keyword_changes_label_and_version() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("telemarketing");
    for bundle in callgrade::script::Bundle::bundled().iter().filter(|bundle| bundle.name == "telemarketing") {
        crate::support::write_bundle(bundle, folder.path());
    }
    let call = CALL.replace("多少钱", "芝麻开门吧朋友");
    let scripts = folder.path().display().to_string();
    let before = verdicts(&stdout(&callgrade(&["classify", "--scripts", &scripts], call.as_bytes()))).remove(0);
    assert_eq!(before.signals.as_ref().unwrap().questions, 0);
    let list = root.join("keywords/price.txt");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, format!("{text}\n芝麻开门  # 试一下\n")).unwrap();
    let after = verdicts(&stdout(&callgrade(&["classify", "--scripts", &scripts], call.as_bytes()))).remove(0);
    assert_eq!((after.rule_id.as_str(), after.signals.unwrap().asked), ("C1", vec!["price".to_owned()]));
    assert_ne!(before.script_version, after.script_version);
}

#[test]
fn explain_shows_why_and_why_not() {
    let mut call = String::from(
        r#"{"callId":"w","scriptId":"telemarketing","startedAt":"2026-11-02T02:00:00Z","events":[{"atMs":8000,"answered":{}}"#,
    );
    for (at, speaker, node, text) in [
        (8200, "ROBOT", "opening", "您好，我们是做电话机器人的，给您介绍一下可以吗"),
        (14000, "CUSTOMER", "", "可以 怎么收费"),
        (16000, "ROBOT", "closing", "好的，再见"),
        (18000, "CUSTOMER", "", "不须要"),
    ] {
        let _ =
            write!(call, r#",{{"atMs":{at},"utterance":{{"speaker":"{speaker}","text":"{text}","nodeId":"{node}","durationMs":1500}}}}"#);
    }
    call.push_str(r#",{"atMs":19000,"hangup":{"by":"CUSTOMER"}}]}"#);
    let output = callgrade(&["explain", "-", "w", "--lang", "zh"], call.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let page = stdout(&output);
    for expected in [
        "等级 C",
        "  14.0s 客户      可以 怎么收费",
        "[closing] 好的，再见 ← 偏离话术分支",
        "不须要(音同 不需要)",
        "为什么不是 A\n  A1  ≥2 意向问题，邀约成功\n    ✗ questions >= 2   questions = 1\n    ✗ invite == \"accepted\"   invite = \"none\"",
        "为什么不是 B",
        "完成度 20.0%",
    ] {
        assert!(page.contains(expected), "{expected}\n--- is not in ---\n{page}");
    }
    assert!(!page.contains('\u{1b}'), "no colour into a pipe");
    let output = callgrade(&["explain", "-", "nobody"], call.as_bytes());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), "callgrade: -: no call \"nobody\" among its 1 calls\n"));
}

#[test]
fn help_and_tables_speak_both_languages() {
    assert!(stdout(&callgrade(&["--help", "--lang", "zh"], b"")).contains("批量评级"));
    assert!(stdout(&callgrade(&["classify", "--help", "--lang", "en"], b"")).contains("Format of the input"));
    let table = stdout(&callgrade(&["classify", "--output", "table", "--lang", "zh"], CALL.as_bytes()));
    assert!(table.starts_with("通话") && table.contains("1 个问题后挂机"), "{table}");
    let table = stdout(&callgrade(&["classify", "--output", "table", "--lang", "en"], CALL.as_bytes()));
    assert!(table.starts_with("call "), "{table}");
}

#[test]
fn the_demo_streams_and_exits() {
    let output = callgrade(&["demo", "--exit", "--lang", "en"], b"");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("listening on 127.0.0.1:"), "{text}");
    for label in ["  A  ", "  B  ", "  C  ", "  D  ", "  E  ", "  F  "] {
        assert!(text.contains(label), "{label} is not among\n{text}");
    }
}

#[test]
fn script_commands_run() {
    let output = callgrade(&["script", "test"], b"");
    assert!(output.status.success(), "{}", stdout(&output));
    let shown = stdout(&callgrade(&["script", "show", "broadband", "--lang", "zh"], b""));
    assert!(shown.contains("questions >= 3 ||") && shown.contains("主流程 1"), "{shown}");
    let output = callgrade(&["script", "lint"], b"");
    assert!(output.status.success(), "{}", stdout(&output));
}
