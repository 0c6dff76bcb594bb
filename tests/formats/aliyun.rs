//! Aliyun's call reports.

use callgrade::ingest::{CallRecord, Limits, aliyun};
use serde_json::{Value, json};

use super::{grade, rule, told};

/// As in Aliyun's documentation.
const REPORT: &str = r#"[{"callId":"1264306***^113219835***", "data":{"output":{"slots":[{"nodeName":"开场白节点","action":"recognized","source":"test001","value":"other"}],"intentions":["intention1","intention2"],"tags":"tag1,tag2"},
"info":{"duration":9,"ringTime":1640759017000,"calledNo":"1500000****","code":200000,"answerTime":1640759026000,"callingNo":"05710000****","startTime":1640759017000,"endTime":1640759034000,"direction":0}},
"partnerId":10000000,"robotId":"1000003****","type":"finish"}]"#;

fn report(change: impl FnOnce(&mut Value)) -> (Vec<CallRecord>, Vec<String>) {
    let mut report: Value = serde_json::from_str(REPORT).unwrap();
    change(&mut report[0]);
    calls(&report.to_string())
}

fn calls(text: &str) -> (Vec<CallRecord>, Vec<String>) {
    let (records, rejections) = aliyun::calls(text.as_bytes(), &Limits::default());
    (records, rejections.iter().map(ToString::to_string).collect())
}

const SPREAD: &str = "the report gives its nodes no times; they are spread evenly over the call";
const LOOSE: &str = "intentions and tags belong to no node; they are put at the end of the call, as the customer's last turn";

#[test]
fn aliyuns_own_example() {
    let (records, rejections) = calls(REPORT);
    assert!(rejections.is_empty(), "{rejections:?}");
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(
        told(&record.events),
        [
            "9000 answered",
            "9000 node 开场白节点",
            "13000 keyword other",
            "17000 keyword intention1",
            "17000 keyword intention2",
            "17000 keyword tag1",
            "17000 keyword tag2",
            "17000 hangup robot",
        ]
    );
    assert_eq!((record.call_id.as_str(), record.script_id.as_str()), ("1264306***^113219835***", ""));
    assert_eq!(record.started_at.map(|at| (at.seconds, at.nanos)), Some((1_640_759_017, 0)));
    let attributes: Vec<String> = record.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        attributes,
        ["calledNo=1500000****", "callingNo=05710000****", "partnerId=10000000", "robotId=1000003****", "tags=tag1,tag2"]
    );
    assert_eq!(record.notices, [SPREAD, LOOSE]);
    let verdict = grade(record);
    assert_eq!((verdict.signals.connected, verdict.signals.talk_s, verdict.signals.hung_up_by_str()), (true, 8.0, "robot"));
    assert!(
        verdict.notices.contains(&r#"event 3: category "intention1" is not mapped by the script; it triggers nothing"#.to_owned()),
        "{:?}",
        verdict.notices
    );
}

#[test]
fn aliyuns_nodes_and_intentions_mean_what_the_aliases_say() {
    let slot = |node: &str, value: &str| json!({"nodeName": node, "action": "recognized", "source": "x", "value": value});
    for (slots, intentions, tags, expected, completion) in [
        (json!([slot("开场白节点", "同意"), slot("活动介绍", "同意"), slot("询问地址", "中性")]), json!([]), "", "A1", 0.75),
        (json!([slot("开场白节点", "拒绝"), slot("挽回语境", "不需要")]), json!([]), "", "D1", 0.25),
        (json!([slot("开场白节点", "价格")]), json!(["网速", "价格"]), "网速", "B1", 0.25),
        (json!([slot("开场白节点", "")]), json!([]), "在忙", "E1", 0.25),
        // A node that nothing follows may have been cut short.
        (json!([slot("开场白节点", "")]), json!(null), "", "E2", 0.0),
        (json!(null), json!(["加微信"]), "", "E1", 0.0),
    ] {
        let (records, rejections) =
            report(|report| report["data"]["output"] = json!({"slots": slots, "intentions": intentions, "tags": tags}));
        assert!(rejections.is_empty(), "{rejections:?}");
        let verdict = grade(&records[0]);
        assert_eq!((rule(&verdict).as_str(), verdict.signals.completion), (expected, completion), "{slots} {intentions} {tags}");
    }
}

#[test]
fn aliyuns_codes_and_times() {
    for (info, expected, rule_id, notice) in [
        (json!({"startTime": 1000, "endTime": 31000, "code": 200003}), vec!["30000 not connected no_answer"], "E3", ""),
        (json!({"startTime": "1000", "answerTime": 0, "endTime": "4000", "code": "200002"}), vec!["3000 not connected busy"], "E3", ""),
        (json!({"startTime": 1000, "endTime": 1000, "code": 200004}), vec!["0 not connected invalid_number"], "F1", ""),
        (json!({"startTime": 1000, "endTime": 1000, "code": 200005}), vec!["0 not connected unreachable"], "E3", ""),
        (json!({"startTime": 1000, "endTime": 1000, "code": 200010}), vec!["0 not connected powered_off"], "E3", ""),
        (json!({"startTime": 1000, "endTime": 1000, "code": 200011}), vec!["0 not connected suspended"], "D3", ""),
        (json!({"startTime": 1000, "endTime": 1000, "code": 200111}), vec!["0 not connected rejected"], "E3", ""),
        (json!({"startTime": 1000, "endTime": 1000, "code": 200121}), vec!["0 not connected failed"], "E3", ""),
        (json!({"startTime": 1000, "endTime": 1000, "code": 299999}), vec!["0 not connected ?"], "E3", r#"code "299999" is not known"#),
        (json!({}), vec!["0 not connected ?"], "E3", r#"code "" is not known"#),
        // Answered, though not everything says when.
        (
            json!({"startTime": 1000, "endTime": 21000, "duration": 12, "code": 200001, "direction": "1"}),
            vec!["8000 answered", "20000 hangup customer"],
            "E2",
            "",
        ),
        (
            json!({"startTime": 1000, "answerTime": 4000, "duration": 12, "code": 200000, "direction": 1}),
            vec!["3000 answered", "15000 hangup customer"],
            "E2",
            "",
        ),
        (json!({"startTime": 1000, "answerTime": 4000, "code": 200000}), vec!["3000 answered"], "E2", ""),
        (
            json!({"startTime": 9000, "answerTime": 4000, "endTime": 10000, "direction": 7, "code": 200000}),
            vec!["0 answered", "1000 hangup ?"],
            "E2",
            "answerTime is before startTime; put at its time|unknown direction \"7\"; who hung up is not known",
        ),
    ] {
        let (records, rejections) = report(|report| report["data"] = json!({"info": info}));
        assert!(rejections.is_empty(), "{rejections:?}");
        assert_eq!(told(&records[0].events), expected, "{info}");
        assert_eq!((rule(&grade(&records[0])).as_str(), records[0].notices.join("|").as_str()), (rule_id, notice), "{info}");
    }
}

#[test]
fn a_wrong_report_is_rejected_alone() {
    let good = |id: &str| json!({"callId": id, "data": {"info": {"startTime": 1000, "code": 200003}}, "type": "finish"}).to_string();
    let not = "not a call report";
    for (text, ids, expected) in [
        (String::new(), vec![], vec!["no call reports".to_owned()]),
        ("[]".to_owned(), vec![], vec!["no call reports".to_owned()]),
        (good("a"), vec!["a"], vec![]),
        (format!("{}\n\n{}\n", good("a"), good("b")), vec!["a", "b"], vec![]),
        (format!("[{},{}]\n[{}]", good("a"), good("b"), good("c")), vec!["a", "b", "c"], vec![]),
        (format!("{}\n{{\"callId\"\n{}", good("a"), good("c")), vec!["a", "c"], vec![format!("element 2: {not}: expected `:`")]),
        (
            format!("[{},{{\"callId\":\"b\"", good("a")),
            vec!["a"],
            vec![format!("element 2: {not}: EOF while parsing an object at line 1 column 94")],
        ),
        ("hello".to_owned(), vec![], vec![format!("element 1: {not}: expected value")]),
        (
            format!(
                r#"[5,{},{{"data":{{}}}},{{"callId":"d","data":{{"info":{{"startTime":[1]}}}}}},{{"callId":"e","type":"ring"}},{{"callId":"f","data":7}},{{"callId":{{}}}}]"#,
                good("a")
            ),
            vec!["a"],
            vec![
                "element 1: not an object".to_owned(),
                "element 3: the report has no callId".to_owned(),
                r#"call "d": element 4: data.info.startTime: invalid type: sequence, expected a number"#.to_owned(),
                r#"call "e": element 5: type "ring": not the report of an ended call"#.to_owned(),
                r#"call "f": element 6: data: invalid type: integer `7`, expected struct Data"#.to_owned(),
                "element 7: callId: invalid type: map, expected text or a number".to_owned(),
            ],
        ),
    ] {
        let (records, rejections) = calls(&text);
        assert_eq!(records.iter().map(|record| record.call_id.as_str()).collect::<Vec<_>>(), ids, "{text}");
        assert_eq!(rejections, expected, "{text}");
    }
    let mut damaged = format!("[{},{}]", good("x@"), good("b")).into_bytes();
    let at = damaged.iter().position(|byte| *byte == b'@').unwrap();
    damaged[at] = 0xFF;
    let (records, rejections) = aliyun::calls(&damaged, &Limits::default());
    assert_eq!((records.len(), rejections[0].to_string()), (1, "call \"x\u{FFFD}\": element 1: text that is not UTF-8".to_owned()));
    // In a report it is the event that is rejected.
    let (records, rejections) = report(|report| {
        report["data"]["output"] =
            json!({"slots": [5, {"nodeName": "开场白节点", "value": []}, {"nodeName": "开场白节点"}], "intentions": [{}, "价格"]})
    });
    assert!(rejections.is_empty());
    assert_eq!(told(&records[0].events), ["9000 answered", "14333 node 开场白节点", "17000 keyword 价格", "17000 hangup robot"]);
    assert_eq!(
        records[0].rejections.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            r#"call "1264306***^113219835***", event 2: slot 1: invalid type: integer `5`, expected struct Slot"#,
            r#"call "1264306***^113219835***", event 3: slot 2: value: invalid type: sequence, expected text or a number"#,
            r#"call "1264306***^113219835***", event 5: intention 1: invalid type: map, expected text or a number"#,
        ]
    );
}
