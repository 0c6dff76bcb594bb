//! Aliyun's robot call report (`RobotCallReportAiccs` of the intelligent contact centre, 智能联络中心): which nodes a call came
//! through and which intentions it met, without any text.
//!
//! An array of reports as it is pushed, one report, or reports a line. Nodes and intentions are in Aliyun's words and become
//! ours through the script's `aliases`. Source: help.aliyun.com, document 383430.

use std::collections::BTreeSet;
use std::fmt;

use pbjson_types::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{CallRecord, Limits, Rejection, json};
use crate::core::event::{DialReport, DialResult, Event, EventKind, Hangup, Keyword, Party};
use DialResult::{Busy, Failed, InvalidNumber, NoAnswer, PoweredOff, Rejected, Suspended, Unreachable};

/// The codes of a call that was answered: heard to its end, hung up before.
const ANSWERED: [u64; 2] = [200_000, 200_001];

/// Call status codes of Aliyun's voice service (help.aliyun.com, documents 55085 and 112804) of calls that were not answered.
#[rustfmt::skip]
const CODES: &[(u64, DialResult)] = &[
    (200_002, Busy),          // 用户占线
    (200_003, NoAnswer),      // 用户收到呼叫但未接听
    (200_004, InvalidNumber), // 空号、不存在、号码尚未启用、号码有误
    (200_005, Unreachable),   // 因运营商问题或者被叫拒接等导致的被叫无法接通
    (200_006, Failed),        // 语音播放失败
    (200_007, Unreachable),   // 不在服务区
    (200_010, PoweredOff),    // 关机
    (200_011, Suspended),     // 停机、欠费、暂停服务
    (200_012, Failed),        // 呼损
    (200_104, Failed),        // 主叫号码受限
    (200_105, Failed),        // 被叫号码受限
    (200_111, Rejected),      // 被叫无法接通（拒绝）
    (200_112, Busy),          // 被叫占线
    (200_113, NoAnswer),      // 被叫收到呼叫但未接听
    (200_116, InvalidNumber), // 被叫号码不合法
    (200_117, Failed),        // 来电显示号码不合法
    (200_118, Failed),        // 供应商时间段限呼
    (200_119, Failed),        // 供应商超频限呼
    (200_120, Unreachable),   // 被叫无法接通（不在服务区）
    (200_121, Failed),        // 呼叫超并发
    (200_130, Failed),        // 其他（无法识别）
    (400, Failed),            // 网元繁忙
    (476, Failed),            // 号码强制回收
    (482, Failed),            // 被叫号码不可用
    (500, Failed),            // 运营商错误
    (9_996, Failed),          // 呼叫未建立
    (999_999, Failed),        // 系统错误
];

/// A text or a number, as text.
#[derive(Debug, Clone, Default, PartialEq)]
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a number")
            }

            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar(value.trim().to_owned()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::default())
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Report<'a> {
    call_id: Scalar,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    partner_id: Scalar,
    robot_id: Scalar,
    r#type: Scalar,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data<'a> {
    #[serde(borrow)]
    output: Option<Output<'a>>,
    info: Option<Info>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Output<'a> {
    #[serde(borrow)]
    slots: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    intentions: Option<Vec<&'a RawValue>>,
    tags: Scalar,
}

/// Moments are milliseconds since 1970, 0 or absent where a thing did not happen.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Info {
    /// Seconds.
    duration: Option<json::Float>,
    ring_time: Option<json::Float>,
    answer_time: Option<json::Float>,
    start_time: Option<json::Float>,
    end_time: Option<json::Float>,
    called_no: Scalar,
    calling_no: Scalar,
    code: Scalar,
    direction: Scalar,
}

/// A node the call came through: its id or name (`source`), its name, and the intention that led on from it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Slot {
    node_name: Scalar,
    source: Scalar,
    action: Scalar,
    value: Scalar,
}

/// Reads reports: the calls, and what was rejected. A wrong one is rejected alone.
#[must_use]
pub fn calls(json: &[u8], limits: &Limits) -> (Vec<CallRecord>, Vec<Rejection>) {
    let text = String::from_utf8_lossy(json);
    let damaged = std::str::from_utf8(json).is_err();
    let (mut records, mut rejections) = (Vec::new(), Vec::new());
    let elements = elements(text.trim_start_matches('\u{FEFF}'));
    if elements.is_empty() {
        rejections.push(Rejection { call_id: String::new(), seq: 0, reason: "no call reports".to_owned() });
    }
    for (number, element) in (1..).zip(elements) {
        let read = element.map_err(|reason| (String::new(), format!("not a call report: {reason}"))).and_then(|element| {
            if damaged && element.get().contains(char::REPLACEMENT_CHARACTER) {
                return Err((id_in(&element), "text that is not UTF-8".to_owned()));
            }
            call(&element, limits).map_err(|reason| (id_in(&element), reason))
        });
        match read {
            Ok(record) => records.push(record),
            Err((call_id, reason)) => rejections.push(Rejection { call_id, seq: 0, reason: format!("element {number}: {reason}") }),
        }
    }
    (records, rejections)
}

/// The reports of a text, up to where it breaks off; of lines those that are whole.
fn elements(text: &str) -> Vec<Result<Box<RawValue>, String>> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.trim_start().is_empty() {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Box<RawValue>>();
        let next = stream.next();
        let behind = rest.get(stream.byte_offset()..).unwrap_or_default();
        match next {
            Some(Ok(value)) if value.get().starts_with('[') => elements.extend(of_array(value.get())),
            Some(Ok(value)) => elements.push(Ok(value)),
            Some(Err(_)) if rest.trim_start().starts_with('[') => {
                // What breaks off ends the input; what comes before is whole.
                elements.extend(of_array(rest));
                return elements;
            }
            Some(Err(error)) => {
                // The place is one in what is left, which nobody sees.
                let reason = error.to_string();
                elements.push(Err(reason.rfind(" at line ").and_then(|at| reason.get(..at)).unwrap_or(&reason).to_owned()));
                rest = rest.trim_start().split_once('\n').map_or("", |(_, lines)| lines);
                continue;
            }
            None => return elements,
        }
        rest = behind;
    }
    elements
}

/// The elements of an array, each by itself, the last of them what is wrong with the array.
fn of_array(array: &str) -> Vec<Result<Box<RawValue>, String>> {
    struct Elements<'a>(&'a mut Vec<Result<Box<RawValue>, String>>);

    impl<'de> Visitor<'de> for Elements<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of call reports")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
            while let Some(element) = array.next_element::<Box<RawValue>>()? {
                self.0.push(Ok(element));
            }
            Ok(())
        }
    }

    impl<'de> DeserializeSeed<'de> for Elements<'_> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_seq(self)
        }
    }

    let mut elements = Vec::new();
    if let Err(error) = Elements(&mut elements).deserialize(&mut serde_json::Deserializer::from_str(array)) {
        elements.push(Err(error.to_string()));
    }
    elements
}

/// The call's id, also where the rest is wrong.
fn id_in(element: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Id {
        #[serde(rename = "callId")]
        call_id: Scalar,
    }
    serde_json::from_str::<Id>(element.get()).map_or(String::new(), |id| id.call_id.0)
}

fn call(element: &RawValue, limits: &Limits) -> Result<CallRecord, String> {
    if !element.get().starts_with('{') {
        return Err("not an object".to_owned());
    }
    let report: Report<'_> = json::read(element.get())?;
    if report.call_id.0.is_empty() {
        return Err("the report has no callId".to_owned());
    }
    let Data { output, info } = report.data.unwrap_or_default();
    let info = info.unwrap_or_default();
    // Only the report of an ended call tells what became of it; those of a call under way announce one.
    let ended = matches!(report.r#type.0.as_str(), "" | "finish" | "hangup");
    if !ended && moment(info.end_time).is_none() {
        return Err(format!("type {:?}: not the report of an ended call", report.r#type.0));
    }
    let mut record = CallRecord { call_id: report.call_id.0, ..CallRecord::default() };
    let output = output.unwrap_or_default();
    for (name, value) in [
        ("robotId", &report.robot_id),
        ("partnerId", &report.partner_id),
        ("calledNo", &info.called_no),
        ("callingNo", &info.calling_no),
        ("tags", &output.tags),
    ] {
        if !value.0.is_empty() {
            record.attributes.insert(name.to_owned(), value.0.clone());
        }
    }
    let events = events(&info, &output, &mut record);
    for (seq, event) in (1..).zip(events) {
        record.offer(seq, event, limits);
    }
    Ok(record)
}

/// A moment, if there is one, before the year 10000.
fn moment(value: Option<json::Float>) -> Option<f64> {
    value.map(|value| value.0).filter(|ms| *ms > 0.0 && *ms < 253_402_300_800_000.0)
}

fn events(info: &Info, output: &Output<'_>, record: &mut CallRecord) -> Vec<Result<Event, String>> {
    let [start, ring, answer, end] = [info.start_time, info.ring_time, info.answer_time, info.end_time].map(moment);
    let begun = start.or(ring).or(answer).or(end);
    record.started_at = begun.map(|ms| Timestamp { seconds: (ms / 1000.0).floor() as i64, nanos: (ms % 1000.0) as i32 * 1_000_000 });
    let begun = begun.unwrap_or_default();
    let since = |ms: f64| (ms - begun).clamp(0.0, f64::from(u32::MAX)) as u32;
    let lasted = moment(info.duration).map_or(0.0, |seconds| seconds * 1000.0);
    let code: Option<u64> = info.code.0.parse().ok();

    let answered = answer.or_else(|| {
        // The code says so, if nothing says when: then the length of the call.
        let by_code = code.is_some_and(|code| ANSWERED.contains(&code));
        by_code.then(|| end.map_or(begun, |end| (end - lasted).max(begun)))
    });
    let Some(answered) = answered else {
        let result = code.and_then(|code| CODES.iter().find(|(known, _)| *known == code)).map(|(_, result)| *result);
        if result.is_none() {
            record.notices.push(format!("code {:?} is not known", info.code.0));
        }
        let report = Box::new(DialReport { result, ..DialReport::default() });
        return vec![Ok(Event { at_ms: since(end.unwrap_or(begun + lasted)), kind: EventKind::NotConnected(report) })];
    };
    if answer.is_some_and(|answer| answer < begun) {
        record.notices.push("answerTime is before startTime; put at its time".to_owned());
    }
    let end = end.or(Some(answered + lasted).filter(|_| lasted > 0.0)).map(|end| end.max(answered));
    let at = |share: f64| since(answered + (end.unwrap_or(answered) - answered) * share);
    let mut events = vec![Ok(Event { at_ms: since(answered), kind: EventKind::Answered })];
    said(output, &at, &mut events, &mut record.notices);
    if let Some(end) = end {
        let by = match info.direction.0.as_str() {
            "0" => Some(Party::Robot),
            "1" => Some(Party::Customer),
            "" => None,
            other => {
                record.notices.push(format!("unknown direction {other:?}; who hung up is not known"));
                None
            }
        };
        events.push(Ok(Event { at_ms: since(end), kind: EventKind::Hangup(Box::new(Hangup { by, ..Hangup::default() })) }));
    }
    events
}

/// Nodes with the intentions met there, then the intentions and tags of the call as a whole. `at` is the moment after a share
/// of the talk.
fn said(output: &Output<'_>, at: &dyn Fn(f64) -> u32, events: &mut Vec<Result<Event, String>>, notices: &mut Vec<String>) {
    let slots = output.slots.as_deref().unwrap_or_default();
    let mut met: BTreeSet<String> = BTreeSet::new();
    let keyword = |share: f64, word: &str| {
        let keyword = Keyword { category: word.into(), keyword: word.into(), utterance_id: "".into() };
        Ok(Event { at_ms: at(share), kind: EventKind::KeywordTriggered(Box::new(keyword)) })
    };
    let count = slots.len().max(1) as f64;
    for (place, raw) in slots.iter().enumerate() {
        let begins = place as f64 / count;
        let slot: Slot = match json::read(raw.get()) {
            Ok(slot) => slot,
            Err(reason) => {
                events.push(Err(format!("slot {}: {reason}", place + 1)));
                continue;
            }
        };
        let node = if slot.node_name.0.is_empty() { slot.source.0 } else { slot.node_name.0 };
        if !node.is_empty() {
            events.push(Ok(Event { at_ms: at(begins), kind: EventKind::NodeEntered(node.into()) }));
        }
        if matches!(slot.action.0.as_str(), "recognized" | "") && !slot.value.0.is_empty() {
            events.push(keyword(begins + 0.5 / count, &slot.value.0));
            met.insert(slot.value.0);
        }
    }
    if !slots.is_empty() {
        notices.push("the report gives its nodes no times; they are spread evenly over the call".to_owned());
    }
    let mut loose = 0;
    let intentions = output.intentions.as_deref().unwrap_or_default();
    for (place, raw) in intentions.iter().enumerate() {
        match json::read::<Scalar>(raw.get()) {
            // A word that a node met already is the same one.
            Ok(word) if word.0.is_empty() || met.contains(&word.0) => {}
            Ok(word) => {
                loose += 1;
                events.push(keyword(1.0, &word.0));
                met.insert(word.0);
            }
            Err(reason) => events.push(Err(format!("intention {}: {reason}", place + 1))),
        }
    }
    for tag in output.tags.0.split([',', '，']).map(str::trim).filter(|tag| !tag.is_empty()) {
        if met.insert(tag.to_owned()) {
            loose += 1;
            events.push(keyword(1.0, tag));
        }
    }
    if loose > 0 {
        notices.push("intentions and tags belong to no node; they are put at the end of the call, as the customer's last turn".to_owned());
    }
}
