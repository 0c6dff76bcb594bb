//! Recorded calls, whatever their format: a line, an object or a whole file at a time. Where the bytes come from is others' affair.

use clap::ValueEnum;

use super::mask::mask;
use super::vcon::{self, VconOptions};
use super::{CallRecord, Fault, Limits, Rejection, aliyun, freeswitch, jsonl};

/// Formats of recorded calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Told from the file's beginning
    Auto,
    /// One `Call` of the contract a line, in proto3 JSON
    Jsonl,
    /// IETF vCon, one a file or one a line
    Vcon,
    /// Aliyun's robot call report
    Aliyun,
    /// FreeSWITCH's call detail records (mod_json_cdr), one a file or one a line
    Freeswitch,
    /// An Arrow IPC stream, a row a call or a row an event
    Arrow,
}

/// A call and where it stood.
#[derive(Debug)]
pub struct Item {
    /// Line of the file, from 1; 0 where the format has no lines.
    pub line: usize,
    /// The call.
    pub record: CallRecord,
    /// The vCon it was read from, for writing the verdict back.
    pub original: Option<serde_json::Value>,
}

/// What a source gives: calls, and what was no call.
#[derive(Debug)]
pub enum Given {
    /// A call.
    Call(Box<Item>),
    /// What is none.
    Fault(Fault),
}

impl Given {
    /// A line that is no call, and why.
    #[must_use]
    pub fn fault(line: usize, reason: String) -> Self {
        Self::Fault(Fault { line, rejection: Rejection { call_id: String::new(), seq: 0, reason } })
    }

    /// Masks personal numbers in all that it holds.
    fn mask(&mut self) {
        let mut forget = |_| {};
        match self {
            Self::Call(item) => {
                item.record.mask(&mut forget);
                if let Some(original) = &mut item.original {
                    vcon::mask(original, &mut forget);
                }
            }
            Self::Fault(fault) => {
                if let Some(masked) = mask(&fault.rejection.reason, &mut forget) {
                    fault.rejection.reason = masked;
                }
            }
        }
    }
}

/// How to read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The format.
    pub format: Format,
    /// What a call may bring.
    pub limits: Limits,
    /// How vCons are read.
    pub vcon: VconOptions,
    /// The vCon itself is wanted back.
    pub keep_original: bool,
    /// Personal numbers are masked.
    pub mask: bool,
}

impl Reading {
    /// What a call, or what is none, gives; here, where every format comes by, numbers are masked.
    #[must_use]
    pub fn given(&self, line: usize, call: Result<CallRecord, Rejection>) -> Given {
        self.given_of(line, call, None)
    }

    fn given_of(&self, line: usize, call: Result<CallRecord, Rejection>, original: Option<serde_json::Value>) -> Given {
        let mut given = match call {
            Ok(record) => Given::Call(Box::new(Item { line, record, original })),
            Err(rejection) => Given::Fault(Fault { line, rejection }),
        };
        if self.mask {
            given.mask();
        }
        given
    }

    /// What a line, or an object, of a format that has these gives.
    #[must_use]
    pub fn line(&self, format: Format, line: usize, bytes: &[u8]) -> Given {
        match format {
            Format::Vcon => {
                let original = if self.keep_original { serde_json::from_slice(bytes).ok() } else { None };
                self.given_of(line, vcon::call(bytes, &self.vcon, &self.limits), original)
            }
            Format::Freeswitch => self.given(line, freeswitch::call(bytes, &self.limits)),
            _ => self.given(line, jsonl::call(bytes, &self.limits)),
        }
    }

    /// What a whole file gives, of a format that is read whole.
    #[must_use]
    pub fn whole(&self, format: Format, bytes: &[u8]) -> Vec<Given> {
        if format != Format::Aliyun {
            return vec![self.line(format, 0, bytes)];
        }
        let (records, rejections) = aliyun::calls(bytes, &self.limits);
        let rejected = rejections.into_iter().map(Err);
        rejected.chain(records.into_iter().map(Ok)).map(|call| self.given(0, call)).collect()
    }
}

/// Whether a file of objects has one a line: its first line is one.
#[must_use]
pub fn one_a_line(beginning: &[u8]) -> bool {
    let first = beginning.split(|byte| *byte == b'\n').next();
    first.is_some_and(|first| serde_json::from_slice::<serde::de::IgnoredAny>(first).is_ok())
}

/// What a FreeSWITCH CDR has beside its variables, one or the other by version.
const CDR: [&str; 3] = ["core-uuid", "channel_data", "callflow"];

/// What each message of an Arrow IPC stream begins with (Arrow Columnar Format, "Encapsulated message format").
const ARROW_MESSAGE: [u8; 4] = [0xFF; 4];

/// The format of a file by its beginning.
#[must_use]
pub fn detect(beginning: &[u8]) -> Format {
    if beginning.starts_with(&ARROW_MESSAGE) || beginning.starts_with(b"ARROW1") {
        return Format::Arrow;
    }
    let beginning = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning).trim_ascii_start();
    if beginning.first() == Some(&b'[') {
        return Format::Aliyun;
    }
    if freeswitch::is_body(beginning) {
        return Format::Freeswitch;
    }
    let text = String::from_utf8_lossy(beginning);
    let holds = |key: &str| text.contains(&format!("\"{key}\""));
    let first_line = text.lines().next().unwrap_or_default();
    let keys = serde_json::from_str::<std::collections::BTreeMap<String, serde::de::IgnoredAny>>(first_line).unwrap_or_default();
    let is_call = ["events", "callId", "call_id", "call"].iter().any(|key| keys.contains_key(*key));
    match () {
        () if keys.contains_key("vcon") => Format::Vcon,
        () if keys.contains_key("variables") && CDR.iter().any(|key| keys.contains_key(*key)) => Format::Freeswitch,
        () if keys.contains_key("data") && !keys.contains_key("events") => Format::Aliyun,
        () if is_call => Format::Jsonl,
        () if keys.is_empty() && holds("vcon") && holds("parties") => Format::Vcon,
        () if keys.is_empty() && CDR.iter().any(|key| holds(key)) => Format::Freeswitch,
        () if keys.is_empty() && holds("robotId") && holds("data") => Format::Aliyun,
        () => Format::Jsonl,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_from_the_beginning() {
        for (beginning, expected) in [
            (r#"{"callId":"c","events":[]}"#, Format::Jsonl),
            ("\u{FEFF}{\"call_id\":\"c\"}\n{", Format::Jsonl),
            (r#" [{"callId":"x","data":{}}]"#, Format::Aliyun),
            (r#"{"callId":"x","data":{"info":{}},"robotId":"r"}"#, Format::Aliyun),
            (r#"{"uuid":"u","vcon":"0.0.1","parties":[]}"#, Format::Vcon),
            ("{\n  \"uuid\": \"u\",\n  \"vcon\": \"0.0.2\",\n  \"parties\": []\n}", Format::Vcon),
            (r#"{"core-uuid":"u","switchname":"s","channel_data":{},"variables":{"uuid":"c"}}"#, Format::Freeswitch),
            ("{\n\t\"core-uuid\":\t\"u\",\n\t\"channel_data\":\t{", Format::Freeswitch),
            ("cdr=%7B%22core-uuid%22%3A%22u%22%7D", Format::Freeswitch),
            ("%7B%22core-uuid%22%3A%22u%22%7D", Format::Freeswitch),
            (r#"{"callId":"c","variables":{},"events":[]}"#, Format::Jsonl),
            ("{\"callId\":\"cut", Format::Jsonl),
            ("", Format::Jsonl),
        ] {
            assert_eq!(detect(beginning.as_bytes()), expected, "{beginning}");
        }
    }
}
