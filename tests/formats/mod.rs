//! vCons, Aliyun's call reports and FreeSWITCH's CDRs, read and graded.

mod aliyun;
pub(crate) mod freeswitch;
mod transcript;
mod vcon;

use callgrade::core::call::CallState;
use callgrade::core::event::{Event, EventKind, Party, Speaker};
use callgrade::core::verdict::Verdict;
use callgrade::ingest::vcon::VconOptions;
use callgrade::ingest::{CallRecord, Limits, Rejection};
use callgrade::script::bundled;
use serde_json::{Value, json};

const OPENING: &str = "您好，移动宽带部，现在回馈老用户，赠送五十兆家用宽带免费使用两年，您要不要办理一个？";
const START: &str = "2026-03-02T10:00:00+08:00";

fn read(vcon: &Value, options: &VconOptions) -> Result<CallRecord, Rejection> {
    callgrade::ingest::vcon::call(vcon.to_string().as_bytes(), options, &Limits::default())
}

fn read_plain(vcon: &Value) -> CallRecord {
    read(vcon, &VconOptions::default()).unwrap()
}

fn grade(record: &CallRecord) -> Verdict {
    CallState::replay(&bundled("broadband").unwrap(), record.events.clone())
}

fn rule(verdict: &Verdict) -> String {
    verdict.rule.map_or(String::new(), |rule| bundled("broadband").unwrap().rules[rule].id.to_string())
}

/// Events as short lines: `0 answered`, `1500 customer 多少钱`.
fn told(events: &[Event]) -> Vec<String> {
    let tell = |event: &Event| {
        let kind = match &event.kind {
            EventKind::Answered => "answered".to_owned(),
            EventKind::NotConnected(report) => format!("not connected {}", report.result.map_or("?", |result| result.as_str())),
            EventKind::AnsweredBy(by) => format!("answered by {}", by.map_or("?", |by| by.as_str())),
            EventKind::Utterance(said) => format!("{} {}", said.speaker.as_str(), said.text),
            EventKind::NodeEntered(node) => format!("node {node}"),
            EventKind::KeywordTriggered(keyword) => format!("keyword {}", keyword.category),
            EventKind::Hangup(hangup) => format!("hangup {}", hangup.by.map_or("?", Party::as_str)),
            EventKind::Dtmf(digits) => format!("keys {digits}"),
            EventKind::Transferred(to) => format!("transferred {to}"),
            other => format!("{other:?}"),
        };
        format!("{} {kind}", event.at_ms)
    };
    events.iter().map(tell).collect()
}

fn spoken(record: &CallRecord, speaker: Speaker) -> usize {
    record.events.iter().filter(|event| matches!(&event.kind, EventKind::Utterance(said) if said.speaker == speaker)).count()
}

fn parties() -> Value {
    json!([{"tel": "+86 571 0000 0001", "name": "小易", "role": "agent"}, {"tel": "tel:+8613900000000", "name": "王先生", "role": "customer"}])
}

/// A vCon of a recording of a minute with a transcript.
fn recorded(body: Value) -> Value {
    json!({
        "vcon": "0.4.0", "uuid": "u", "created_at": START, "parties": parties(),
        "dialog": [{"type": "recording", "start": START, "duration": 60, "parties": [0, 1], "url": "https://x/a.wav", "content_hash": "sha512-x"}],
        "analysis": [{"type": "transcript", "dialog": 0, "vendor": "v", "encoding": "json", "body": body}],
    })
}
