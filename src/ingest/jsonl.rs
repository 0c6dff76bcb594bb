//! JSON lines: one `Call` a line, in proto3 JSON; also a `KeptCall`, as calls are exported. A `verdict` beside the call, or `label`,
//! `ruleId` and `scriptVersion` in it, are what it was given before.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CallRecord, Limits, Rejection, StoredLabel, json};

/// The fields of a call, none of them read yet, so that what is wrong with one stays with it.
#[derive(Deserialize)]
struct CallJson<'a> {
    #[serde(borrow, default, rename = "callId", alias = "call_id")]
    call_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "scriptId", alias = "script_id")]
    script_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "startedAt", alias = "started_at")]
    started_at: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "timeZone", alias = "time_zone")]
    time_zone: Option<&'a RawValue>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
    #[serde(borrow, default)]
    events: Option<&'a RawValue>,
    /// Of a call as it was exported: the call itself,
    #[serde(borrow, default)]
    call: Option<&'a RawValue>,
    /// and its verdict,
    #[serde(borrow, default)]
    verdict: Option<&'a RawValue>,
    /// of which some write only the label beside the call.
    #[serde(borrow, default)]
    label: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "ruleId", alias = "rule_id")]
    rule_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "scriptVersion", alias = "script_version")]
    script_version: Option<&'a RawValue>,
}

/// The verdict that comes with a call, as far as it is compared.
#[derive(Deserialize, Default)]
#[serde(default)]
struct VerdictJson {
    label: Option<json::Text>,
    #[serde(rename = "ruleId", alias = "rule_id")]
    rule_id: json::Text,
    #[serde(rename = "scriptVersion", alias = "script_version")]
    script_version: json::Text,
}

impl CallJson<'_> {
    /// The label that comes with the call, if one does.
    fn stored(&self) -> Result<Option<Box<StoredLabel>>, String> {
        let verdict = match (self.label, self.verdict) {
            (None, None) => return Ok(None),
            (Some(_), _) => VerdictJson {
                label: field("label", self.label)?,
                rule_id: field("ruleId", self.rule_id)?.unwrap_or_default(),
                script_version: field("scriptVersion", self.script_version)?.unwrap_or_default(),
            },
            (None, verdict) => field::<VerdictJson>("verdict", verdict)?.unwrap_or_default(),
        };
        let VerdictJson { label, rule_id, script_version } = verdict;
        let stored =
            |label: json::Text| StoredLabel { label: label.0.into(), rule_id: rule_id.0.into(), script_version: script_version.0.into() };
        Ok(label.map(stored).map(Box::new))
    }
}

/// Stands where a byte was that is not UTF-8; the events that hold one are rejected.
const DAMAGE: char = '\u{FFFD}';

/// Reads a line.
///
/// # Errors
/// It is no call: not JSON, or without a `callId`.
pub fn call(line: &[u8], limits: &Limits) -> Result<CallRecord, Rejection> {
    let (text, damaged) = text_of(line);
    let unreadable = |reason: String| Rejection { call_id: id_in(&text), seq: 0, reason };
    if !text.trim_start_matches('\u{FEFF}').trim_start().starts_with('{') {
        return Err(unreadable("not a call: a call is a JSON object".to_owned()));
    }
    let wire: CallJson<'_> =
        serde_json::from_str(text.trim_start_matches('\u{FEFF}')).map_err(|error| unreadable(format!("not a call: {error}")))?;
    if let (Some(inner), None, None) = (wire.call, wire.call_id, wire.events) {
        let mut record = call(inner.get().as_bytes(), limits)?;
        match wire.stored() {
            Ok(stored) => record.stored = stored.or(record.stored),
            Err(reason) => record.notices.push(format!("{reason}; ignored")),
        }
        return Ok(record);
    }
    let mut record = CallRecord::default();
    let call_id = field::<json::Text>("callId", wire.call_id).map_err(unreadable)?.unwrap_or_default();
    if call_id.0.is_empty() {
        return Err(unreadable("the call has no callId".to_owned()));
    }
    if damaged && call_id.0.contains(DAMAGE) {
        // What stands in its place would be the same for others.
        return Err(unreadable("the callId has text that is not UTF-8".to_owned()));
    }
    record.call_id = call_id.0.into();
    let unreadable = |reason: String| Rejection { call_id: record.call_id.clone(), seq: 0, reason };
    let events: Vec<&RawValue> = field("events", wire.events).map_err(unreadable)?.unwrap_or_default();
    // The rest of the head decides no label: what is wrong with it is told, and the call graded all the same.
    let mut notices = Vec::new();
    let mut tell = |reason: String| notices.push(format!("{reason}; ignored"));
    match field::<json::Text>("scriptId", wire.script_id) {
        Ok(id) => record.script_id = id.unwrap_or_default().0.into(),
        Err(reason) => return Err(unreadable(reason)),
    }
    match field::<json::Moment>("startedAt", wire.started_at) {
        Ok(at) => record.started_at = at.map(|json::Moment(at)| at),
        Err(reason) => tell(reason),
    }
    match field::<json::Text>("timeZone", wire.time_zone) {
        Ok(zone) => record.time_zone = zone.unwrap_or_default().0.into(),
        Err(reason) => tell(reason),
    }
    match field::<BTreeMap<String, String>>("attributes", wire.attributes) {
        Ok(attributes) => record.attributes = attributes.unwrap_or_default(),
        Err(reason) => tell(reason),
    }
    match wire.stored() {
        Ok(stored) => record.stored = stored,
        Err(reason) => tell(reason),
    }
    record.notices = notices;
    record.events.reserve(events.len().min(limits.call_events));
    for (seq, raw) in (1..).zip(events) {
        let event = if damaged && holds_damage(&text, raw, line) {
            Err("text that is not UTF-8".to_owned())
        } else if raw.get() == "null" {
            Err("an event that is null".to_owned())
        } else {
            json::event(raw.get())
        };
        record.offer(seq, event, limits);
    }
    Ok(record)
}

fn field<'a, T: Deserialize<'a>>(name: &str, raw: Option<&'a RawValue>) -> Result<Option<T>, String> {
    match raw {
        None => Ok(None),
        Some(raw) if raw.get() == "null" => Ok(None),
        Some(raw) => json::read(raw.get()).map(Some).map_err(|reason| format!("{name}: {reason}")),
    }
}

/// The line as text, bytes that are not UTF-8 replaced, and whether there were any.
fn text_of(line: &[u8]) -> (Cow<'_, str>, bool) {
    match simdutf8::basic::from_utf8(line) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (String::from_utf8_lossy(line), true),
    }
}

/// Whether an event of a damaged line holds the damage: more replacement characters than the sender wrote.
fn holds_damage(text: &str, raw: &RawValue, line: &[u8]) -> bool {
    let marks = raw.get().matches(DAMAGE).count();
    if marks == 0 {
        return false;
    }
    // A sender may write U+FFFD itself: then its bytes stand in the line as they are.
    let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
    let before = text.get(..start).unwrap_or_default();
    let mut written = 0usize;
    let mut seen = 0usize;
    let skip = before.matches(DAMAGE).count();
    for chunk in line.utf8_chunks() {
        for _ in chunk.valid().matches(DAMAGE) {
            if seen >= skip && seen < skip + marks {
                written += 1;
            }
            seen += 1;
        }
        if !chunk.invalid().is_empty() {
            seen += 1;
        }
    }
    written < marks
}

/// The call's id in a line that cannot be read, as far as it can be made out.
fn id_in(text: &str) -> String {
    let after = ["\"callId\"", "\"call_id\""].iter().find_map(|key| text.split_once(key)).map(|(_, after)| after.trim_start());
    let value = after.and_then(|after| after.strip_prefix(':')).and_then(|after| after.trim_start().strip_prefix('"'));
    value.and_then(|value| value.split_once('"')).map_or(String::new(), |(id, _)| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{EventKind, Speaker};

    fn read(line: &str) -> Result<CallRecord, Rejection> {
        call(line.as_bytes(), &Limits::default())
    }

    #[test]
    fn either_case_and_either_enum_form() {
        let camel = r#"{"callId":"c","scriptId":"s","events":[{"atMs":5,"utterance":{"speaker":"ROBOT","text":"好","nodeId":"n","durationMs":"7"}}]}"#;
        let snake = r#"{"call_id":"c","script_id":"s","events":[{"at_ms":5.0,"utterance":{"speaker":"SPEAKER_ROBOT","text":"好","node_id":"n","duration_ms":7}}]}"#;
        let number = r#"{"callId":"c","scriptId":"s","events":[{"atMs":"5","utterance":{"speaker":1,"text":"好","nodeId":"n","durationMs":7e0}}],"later":1}"#;
        let record = read(camel).unwrap();
        assert_eq!(record, read(snake).unwrap());
        assert_eq!(record, read(number).unwrap());
        let EventKind::Utterance(utterance) = &record.events[0].kind else { panic!("{record:?}") };
        assert_eq!((utterance.speaker, utterance.duration_ms), (Speaker::Robot, 7));
    }

    #[test]
    fn what_is_wrong_with_an_event_stays_with_it() {
        let line = r#"{"callId":"c","events":[{"atMs":1,"answered":{}},{"atMs":2,"utterance":{"speaker":"DOG"}},{"atMs":-3,"answered":{}},{"utterance":{"speaker":"ROBOT","played":7}},{"utterance":{"speaker":"CUSTOMER","text":5}},{"answered":{},"hangup":{}},null,{"atMs":9,"telepathy":{}},{"atMs":3,"hangup":{"by":"PARTY_ROBOT"}}]}"#;
        let record = read(line).unwrap();
        assert_eq!(record.events.len(), 3, "answered, the unknown kind, hangup");
        let told: Vec<String> = record.rejections.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                r#"call "c", event 2: unknown value "DOG" of speaker"#,
                r#"call "c", event 3: atMs: invalid value: floating point `-3.0`, expected a whole number from 0 to 4294967295"#,
                r#"call "c", event 4: played is 7, outside 0 to 1"#,
                r#"call "c", event 5: utterance.text: invalid type: integer `5`, expected a string"#,
                r#"call "c", event 6: an event of more than one kind"#,
                r#"call "c", event 7: an event that is null"#,
            ]
        );
    }

    #[test]
    fn a_damaged_event_is_rejected_alone() {
        let mut line =
            br#"{"callId":"c","events":[{"utterance":{"speaker":"CUSTOMER","text":"A"}},{"utterance":{"speaker":"CUSTOMER","text":""#
                .to_vec();
        line.extend([0xE4, 0xB8]);
        line.extend(br#""}},{"utterance":{"speaker":"CUSTOMER","text":"B"#);
        line.extend("\u{FFFD}".bytes());
        line.extend(br#""}}]}"#);
        let record = call(&line, &Limits::default()).unwrap();
        assert_eq!(record.events.len(), 2);
        assert_eq!(record.rejections[0].to_string(), r#"call "c", event 2: text that is not UTF-8"#);
    }

    #[test]
    fn a_line_that_is_no_call_says_why_and_names_it_where_it_can() {
        for (line, expected) in [
            (r#"{"callId":"w1","events":[{"atMs":1"#, r#"call "w1": not a call: EOF while parsing an object at line 1 column 34"#),
            ("[1]", "not a call: a call is a JSON object"),
            (r#"{"events":[]}"#, "the call has no callId"),
            (r#"{"callId":7}"#, "callId: invalid type: integer `7`, expected a string"),
            (r#"{"callId":"c","events":{}}"#, r#"call "c": events: invalid type: map, expected a sequence"#),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), expected, "{line}");
        }
        let record = read(r#"{"callId":"c","startedAt":"yesterday","attributes":[1]}"#).unwrap();
        assert_eq!(record.notices.len(), 2, "{record:?}");
    }
}
