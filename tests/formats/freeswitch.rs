//! FreeSWITCH's call detail records.

use base64::Engine;
use callgrade::ingest::{CallRecord, Limits, freeswitch};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{grade, rule, told};
use crate::support::{callgrade, stderr, stdout};

/// What `switch_url_encode` encodes, beside what is not ASCII.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

/// A robot's call to a customer, as FreeSWITCH 1.10 records it; `change` its variables.
pub(crate) fn cdr(change: impl FnOnce(&mut Value)) -> Value {
    let mut cdr = json!({
        "core-uuid": "6b3a1a0e-7c1d-4a7e-9d0b-0d8f6a1f3c11",
        "switchname": "fs1",
        "channel_data": {"state": "CS_REPORTING", "direction": "outbound", "state_number": "11", "flags": "0=1;1=1;39=1", "caps": "1=1;2=1;3=1"},
        "callStats": {"audio": {"inbound": {"raw_bytes": 1_011_404, "media_bytes": 1_011_404, "mos": 4.5}}},
        "variables": {
            "direction": "outbound", "is_outbound": "true", "uuid": "0a1b2c3d-1111-4222-8333-944445555666",
            "channel_name": "sofia/gateway/carrier/013800138000", "sip_gateway_name": "carrier", "sip_to_user": "013800138000",
            "originate_early_media": "true", "sip_term_status": "200", "proto_specific_hangup_cause": "sip:200", "sip_term_cause": "16",
            "sip_hangup_disposition": "recv_bye", "endpoint_disposition": "ANSWER",
            "hangup_cause": "NORMAL_CLEARING", "hangup_cause_q850": "16", "digits_dialed": "none",
            "start_stamp": "2026-03-02 10:00:00", "answer_stamp": "2026-03-02 10:00:09", "end_stamp": "2026-03-02 10:00:31",
            "start_epoch": "1772416800", "start_uepoch": "1772416800123456", "answer_epoch": "1772416809", "answer_uepoch": "1772416809623456",
            "end_epoch": "1772416831", "end_uepoch": "1772416831123456", "bridge_epoch": "0", "bridge_uepoch": "0",
            "duration": "31", "billsec": "22", "progresssec": "2",
            "callgrade_script": "telemarketing", "callgrade_campaign": "2026 spring"
        },
        "app_log": {"applications": [{"app_name": "socket", "app_data": "127.0.0.1:8084 async full", "app_stamp": "1772416809623456"}]},
        "callflow": [{
            "dialplan": "XML", "unique-id": "f", "profile_index": "1",
            "caller_profile": {"username": "", "dialplan": "XML", "caller_id_number": "057188886666", "destination_number": "013800138000", "uuid": "0a1b2c3d-1111-4222-8333-944445555666", "source": "src/switch_ivr_originate.c"},
            "times": {"created_time": "1772416800123456", "profile_created_time": "1772416800123456", "progress_time": "1772416802000000", "progress_media_time": "0",
                "answered_time": "1772416809623456", "bridged_time": "0", "hangup_time": "1772416831123456", "transfer_time": "0"}
        }]
    });
    change(&mut cdr["variables"]);
    cdr
}

/// As it is posted by default.
pub(crate) fn form(cdr: &Value) -> String {
    format!("cdr={}", encoded(&cdr.to_string()))
}

/// One that was never answered, for this reason.
fn unanswered(cause: &str, q850: &str, sip: &str, disposition: &str) -> Value {
    let mut cdr = cdr(|variables| {
        for (name, value) in [
            ("hangup_cause", cause),
            ("hangup_cause_q850", q850),
            ("sip_hangup_disposition", disposition),
            ("answer_epoch", "0"),
            ("answer_uepoch", "0"),
            ("endpoint_disposition", "EARLY MEDIA"),
            ("billsec", "0"),
        ] {
            variables[name] = json!(value);
        }
        let variables = variables.as_object_mut().unwrap();
        variables.remove("answer_stamp");
        variables.remove("sip_term_status");
        variables.remove("proto_specific_hangup_cause");
        if !sip.is_empty() {
            variables.insert("sip_term_status".to_owned(), json!(sip));
        }
    });
    cdr["callflow"][0]["times"]["answered_time"] = json!("0");
    cdr
}

fn read(cdr: &Value) -> CallRecord {
    freeswitch::call(cdr.to_string().as_bytes(), &Limits::default()).unwrap_or_else(|rejection| panic!("{rejection}"))
}

fn events() -> String {
    json!([
        {"atMs": 9600, "utterance": {"speaker": "ROBOT", "text": "给您介绍一下可以吗", "nodeId": "opening"}},
        {"atMs": 14_000, "utterance": {"speaker": "CUSTOMER", "text": "怎么收费，100% 有效果吗？"}},
    ])
    .to_string()
}

#[test]
fn an_answered_call() {
    let record = read(&cdr(|variables| variables["callgrade_events"] = json!(events())));
    assert_eq!((record.call_id.as_str(), record.script_id.as_str()), ("0a1b2c3d-1111-4222-8333-944445555666", "telemarketing"));
    assert_eq!(record.started_at.map(|at| (at.seconds, at.nanos)), Some((1_772_416_800, 123_456_000)));
    let attributes: Vec<(&str, &str)> = record.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("campaign", "2026 spring")]);
    assert_eq!(
        told(&record.events),
        ["9500 answered", "9600 robot 给您介绍一下可以吗", "14000 customer 怎么收费，100% 有效果吗？", "31000 hangup customer"]
    );
    assert!(record.rejections.is_empty() && record.notices.is_empty(), "{record:?}");
    let verdict = grade(&record);
    assert_eq!((verdict.signals.talk_s, verdict.signals.hung_up_by_str()), (21.5, "customer"));
}

#[test]
fn calls_that_were_not_answered() {
    for (cause, q850, sip, disposition, result) in [
        ("USER_BUSY", "17", "486", "recv_refuse", "busy"),
        ("NO_ANSWER", "19", "480", "recv_refuse", "no_answer"),
        ("NO_ANSWER", "19", "", "send_cancel", "no_answer"),
        ("ORIGINATOR_CANCEL", "487", "", "send_cancel", "no_answer"),
        ("CALL_REJECTED", "21", "603", "recv_refuse", "rejected"),
        ("UNALLOCATED_NUMBER", "1", "404", "recv_refuse", "invalid_number"),
        ("NORMAL_TEMPORARY_FAILURE", "41", "503", "recv_refuse", "failed"),
        // Only the SIP status tells.
        ("NORMAL_CLEARING", "16", "486", "recv_refuse", "busy"),
    ] {
        let record = read(&unanswered(cause, q850, sip, disposition));
        assert_eq!(record.events.len(), 1, "{record:?}");
        assert_eq!(record.events[0].at_ms, 31_000);
        assert_eq!(grade(&record).signals.dial_result_str(), result, "{cause} {q850} {sip}");
    }
    let mut old = unanswered("NORMAL_CLEARING", "16", "", "recv_refuse");
    old["variables"]["proto_specific_hangup_cause"] = json!("sip:603");
    assert_eq!(grade(&read(&old)).signals.dial_result_str(), "rejected");
}

#[test]
fn who_hung_up_depends_on_the_leg() {
    for (changes, expected) in [
        (vec![("sip_hangup_disposition", "recv_bye")], "customer"),
        (vec![("sip_hangup_disposition", "send_bye")], "robot"),
        // The leg to the customer was bridged to an agent, whom FreeSWITCH called for it.
        (vec![("sip_hangup_disposition", "send_bye"), ("last_bridge_role", "originator")], "agent"),
        // The leg to the customer was called for the robot's.
        (vec![("sip_hangup_disposition", "send_bye"), ("last_bridge_role", "originatee")], "robot"),
        (vec![("sip_hangup_disposition", "recv_bye"), ("last_bridge_role", "originatee")], "customer"),
        // The robot's own leg.
        (vec![("sip_hangup_disposition", "recv_bye"), ("direction", "inbound"), ("last_bridge_role", "originator")], "robot"),
        (vec![("sip_hangup_disposition", "send_bye"), ("direction", "inbound"), ("last_bridge_role", "originator")], "customer"),
        // The customer called.
        (vec![("sip_hangup_disposition", "recv_bye"), ("direction", "inbound")], "customer"),
        // Nobody did.
        (vec![("sip_hangup_disposition", "send_bye"), ("hangup_cause", "MEDIA_TIMEOUT")], "network"),
        (vec![("sip_hangup_disposition", "")], ""),
        (vec![("sip_hangup_disposition", "send_bye"), ("callgrade_events", r#"[{"atMs":12000,"transferred":{"to":"8001"}}]"#)], "agent"),
    ] {
        let record = read(&cdr(|variables| {
            for (name, value) in &changes {
                variables[*name] = json!(value);
            }
        }));
        assert_eq!(grade(&record).signals.hung_up_by_str(), expected, "{changes:?}");
    }
}

#[test]
fn what_the_dialer_tells_outranks_the_record() {
    let tell = |events: &str, more: &[(&str, &str)]| {
        let record = read(&cdr(|variables| {
            variables["callgrade_events"] = json!(events);
            for (name, value) in more {
                variables[*name] = json!(value);
            }
        }));
        told(&record.events)
    };
    let amd = [("amd_result", "MACHINE")];
    assert_eq!(tell("[]", &amd), ["9500 answered", "9500 answered by voicemail", "31000 hangup customer"]);
    assert_eq!(tell("[]", &[("amd_result", "NOTSURE")])[1], "9500 answered by ?");
    assert_eq!(
        tell(
            r#"[{"atMs":9000,"answered":{}},{"atMs":9100,"answeredBy":{"answerer":"HUMAN"}},{"atMs":40000,"hangup":{"by":"ROBOT"}}]"#,
            &amd
        ),
        ["9000 answered", "9100 answered by human", "40000 hangup robot"]
    );
    // A carrier's voice that was taken for an answer.
    let announced = r#"[{"atMs":9000,"notConnected":{"announcement":"您拨打的电话已关机"}}]"#;
    assert_eq!(tell(announced, &[]), ["9000 not connected ?"]);
    // The end is behind everything, also when clocks differ.
    assert_eq!(tell(r#"[{"atMs":45000,"silence":{"durationMs":5}}]"#, &[]).last().unwrap(), "45000 hangup customer");
}

#[test]
fn every_way_in_which_it_is_posted_reads_the_same() {
    let plain = cdr(|variables| variables["callgrade_events"] = json!(events()));
    let expected = read(&plain);
    let mut values = plain.clone();
    for value in values["variables"].as_object_mut().unwrap().values_mut() {
        *value = json!(encoded(value.as_str().unwrap()));
    }
    let base64 = base64::engine::general_purpose::STANDARD.encode(values.to_string());
    let mut dialer = plain.clone();
    dialer["variables"]["callgrade_events"] = json!(encoded(&events()));
    for (way, body) in [
        ("values encoded", values.to_string()),
        ("pretty", serde_json::to_string_pretty(&values).unwrap()),
        ("a form", form(&values)),
        ("a form of plain values", form(&plain)),
        ("a form from a browser", format!("uuid=x&cdr={}", encoded(&plain.to_string()).replace("%20", "+"))),
        ("base64", format!("cdr={base64}")),
        ("a file of what could not be posted", encoded(&values.to_string())),
        ("events encoded by the dialer", dialer.to_string()),
    ] {
        let record = freeswitch::call(body.as_bytes(), &Limits::default()).unwrap_or_else(|rejection| panic!("{way}: {rejection}"));
        assert_eq!(record, expected, "{way}");
    }
}

#[test]
fn older_and_sparser_records() {
    // One callflow that is no list, and no uepochs.
    let mut old = cdr(|variables| {
        let variables = variables.as_object_mut().unwrap();
        variables.retain(|name, _| !name.ends_with("_uepoch"));
    });
    old["callflow"] = old["callflow"][0].clone();
    assert_eq!(told(&read(&old).events), ["9000 answered", "31000 hangup customer"]);
    // Only the callflow tells the times.
    old["variables"].as_object_mut().unwrap().retain(|name, _| !name.ends_with("_epoch"));
    assert_eq!(told(&read(&old).events), ["9500 answered", "31000 hangup customer"]);
    // No times at all.
    old["callflow"] = json!(null);
    let record = read(&old);
    assert_eq!((told(&record.events), record.started_at), (vec!["0 not connected ?".to_owned()], None));
    let named = read(&cdr(|variables| variables["callgrade_call_id"] = json!("task-7/1")));
    assert_eq!(named.call_id, "task-7/1");
}

#[test]
fn what_cannot_be_read_says_why() {
    let with_events = |events: &str| cdr(|variables| variables["callgrade_events"] = json!(events)).to_string();
    for (body, expected) in [
        ("", "not a FreeSWITCH CDR: neither a JSON object nor a form with the field cdr"),
        ("cdr=%00", "the field cdr is neither JSON nor base64"),
        ("{", "not a FreeSWITCH CDR: EOF while parsing an object at line 1 column 1"),
        ("{}", "not a FreeSWITCH CDR: it has no variables"),
        (r#"{"variables":[]}"#, "not a FreeSWITCH CDR: invalid type: sequence, expected a map at line 1 column 13"),
        (r#"{"variables":{"uuid":""}}"#, "the CDR has neither variables.uuid nor variables.callgrade_call_id"),
        (
            &with_events("{}"),
            r#"call "0a1b2c3d-1111-4222-8333-944445555666": callgrade_events: not a JSON array of events: invalid type: map, expected a sequence at line 1 column 0"#,
        ),
    ] {
        let rejection = freeswitch::call(body.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(rejection.to_string(), expected, "{body}");
    }
    let body =
        with_events(r#"[{"atMs":1,"utterance":{"speaker":"DOG"}},null,{"atMs":9600,"utterance":{"speaker":"CUSTOMER","text":"喂"}}]"#);
    let record = freeswitch::call(body.as_bytes(), &Limits::default()).unwrap();
    let rejected: Vec<String> = record.rejections.iter().map(|rejection| format!("{} {}", rejection.seq, rejection.reason)).collect();
    assert_eq!(rejected, [r#"1 unknown value "DOG" of speaker"#, "2 an event that is null"]);
    assert_eq!(told(&record.events), ["9500 answered", "9600 customer 喂", "31000 hangup customer"]);
}

#[test]
fn the_command_reads_them_told_or_not() {
    let busy = unanswered("USER_BUSY", "17", "486", "recv_refuse");
    let answered = cdr(|variables| variables["callgrade_events"] = json!(events()));
    let lines = format!("{busy}\n{answered}\n");
    let mut outputs = Vec::new();
    for args in [&["classify"][..], &["classify", "--format", "freeswitch"]] {
        let output = callgrade(args, lines.as_bytes());
        assert!(output.status.success(), "{}", stderr(&output));
        outputs.push(stdout(&output));
    }
    assert_eq!(outputs[0], outputs[1]);
    let rules: Vec<Value> = outputs[0].lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["ruleId"].clone()).collect();
    assert_eq!(rules, ["E1", "B1"], "price and effect are two questions");
    let pretty = callgrade(&["classify"], serde_json::to_string_pretty(&busy).unwrap().as_bytes());
    assert!(stdout(&pretty).contains(r#""ruleId":"E1""#), "{}", stderr(&pretty));
    let masked = callgrade(&["classify", "--format", "freeswitch"], b"{\"variables\":{}}");
    assert_eq!(stderr(&masked).lines().next(), Some("callgrade: -:1: the CDR has neither variables.uuid nor variables.callgrade_call_id"));
    assert_eq!(rule(&grade(&read(&busy))), "E3", "broadband's own rule");
}
