//! Calls as Arrow tables, and these as files.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};
use callgrade::core::event::{DialReport, Event, EventKind};
use callgrade::ingest::CallRecord;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// One event, its fields under their columns' names.
#[derive(Default)]
struct Row<'a> {
    kind: Option<&'static str>,
    at_ms: i64,
    speaker: Option<&'static str>,
    text: Option<&'a str>,
    duration_ms: Option<i32>,
    node_id: Option<&'a str>,
    played: Option<f64>,
    utterance_id: Option<&'a str>,
    interim: Option<bool>,
    category: Option<&'a str>,
    keyword: Option<&'a str>,
    result: Option<String>,
    sip_code: Option<i32>,
    q850_cause: Option<i32>,
    hangup_cause: Option<&'a str>,
    announcement: Option<&'a str>,
    number_state: Option<i32>,
    answerer: Option<&'static str>,
    outcome: Option<&'static str>,
    by: Option<&'static str>,
    digits: Option<&'a str>,
    to: Option<&'a str>,
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

impl<'a> Row<'a> {
    fn of(event: &'a Event) -> Self {
        let mut row = Self { at_ms: event.at_ms.into(), ..Self::default() };
        row.kind = Some(match &event.kind {
            EventKind::Answered => "answered",
            EventKind::NotConnected(report) => {
                row.report(report);
                "not_connected"
            }
            EventKind::AnsweredBy(by) => {
                row.answerer = by.map(|by| by.as_str());
                "answered_by"
            }
            EventKind::Utterance(utterance) => {
                row.speaker = Some(utterance.speaker.as_str());
                row.text = Some(&utterance.text);
                row.duration_ms = Some(utterance.duration_ms.cast_signed()).filter(|length| *length > 0);
                row.node_id = said(&utterance.node_id);
                row.played = utterance.played;
                row.utterance_id = said(&utterance.utterance_id);
                row.interim = Some(true).filter(|_| utterance.interim);
                "utterance"
            }
            EventKind::NodeEntered(node) => {
                row.node_id = said(node);
                "node_entered"
            }
            EventKind::Silence(length) => {
                row.duration_ms = Some(length.cast_signed());
                "silence"
            }
            EventKind::KeywordTriggered(keyword) => {
                (row.category, row.keyword, row.utterance_id) =
                    (said(&keyword.category), said(&keyword.keyword), said(&keyword.utterance_id));
                "keyword_triggered"
            }
            EventKind::Refused(id) => {
                row.utterance_id = id.as_deref();
                "refused"
            }
            EventKind::InviteOutcome(outcome) => {
                row.outcome = Some(outcome.as_str());
                "invite_outcome"
            }
            EventKind::Hangup(hangup) => {
                row.by = hangup.by.map(|by| by.as_str());
                row.report(&hangup.report);
                "hangup"
            }
            EventKind::Dtmf(digits) => {
                row.digits = said(digits);
                "dtmf"
            }
            EventKind::Transferred(to) => {
                row.to = said(to);
                "transferred"
            }
            EventKind::Unknown => "telepathy",
        });
        row
    }

    fn report(&mut self, report: &'a DialReport) {
        let code = |code: u32| Some(code.cast_signed()).filter(|code| *code > 0);
        self.result = report.result.map(|result| format!("DIAL_RESULT_{}", result.as_str().to_uppercase()));
        (self.sip_code, self.q850_cause, self.number_state) = (code(report.sip_code), code(report.q850_cause), code(report.number_state));
        (self.hangup_cause, self.announcement) = (said(&report.hangup_cause), said(&report.announcement));
    }
}

/// The columns of events.
fn columns(rows: &[Row<'_>]) -> Vec<(Field, ArrayRef)> {
    let texts = |name: &str, of: &dyn Fn(&Row<'_>) -> Option<String>| {
        let column: StringArray = rows.iter().map(of).collect();
        (Field::new(name, DataType::Utf8, true), Arc::new(column) as ArrayRef)
    };
    let numbers = |name: &str, of: &dyn Fn(&Row<'_>) -> Option<i32>| {
        let column: Int32Array = rows.iter().map(of).collect();
        (Field::new(name, DataType::Int32, true), Arc::new(column) as ArrayRef)
    };
    let own = |text: Option<&str>| text.map(str::to_owned);
    let at_ms: Int64Array = rows.iter().map(|row| Some(row.at_ms)).collect();
    let played: Float64Array = rows.iter().map(|row| row.played).collect();
    let interim: BooleanArray = rows.iter().map(|row| row.interim).collect();
    vec![
        (Field::new("at_ms", DataType::Int64, true), Arc::new(at_ms)),
        texts("kind", &|row| own(row.kind)),
        texts("speaker", &|row| own(row.speaker)),
        texts("text", &|row| own(row.text)),
        numbers("duration_ms", &|row| row.duration_ms),
        texts("node_id", &|row| own(row.node_id)),
        (Field::new("played", DataType::Float64, true), Arc::new(played)),
        texts("utterance_id", &|row| own(row.utterance_id)),
        (Field::new("interim", DataType::Boolean, true), Arc::new(interim)),
        texts("category", &|row| own(row.category)),
        texts("keyword", &|row| own(row.keyword)),
        texts("result", &|row| row.result.clone()),
        numbers("sip_code", &|row| row.sip_code),
        numbers("q850_cause", &|row| row.q850_cause),
        texts("hangup_cause", &|row| own(row.hangup_cause)),
        texts("announcement", &|row| own(row.announcement)),
        numbers("number_state", &|row| row.number_state),
        texts("answerer", &|row| own(row.answerer)),
        texts("outcome", &|row| own(row.outcome)),
        texts("by", &|row| own(row.by)),
        texts("digits", &|row| own(row.digits)),
        texts("to", &|row| own(row.to)),
    ]
}

/// The columns of heads, one row for each of `calls`.
fn heads<'a>(calls: impl Iterator<Item = &'a CallRecord> + Clone) -> Vec<(Field, ArrayRef)> {
    let texts = |name: &str, of: fn(&CallRecord) -> &str| {
        let column: StringArray = calls.clone().map(|call| said(of(call))).collect();
        (Field::new(name, DataType::Utf8, true), Arc::new(column) as ArrayRef)
    };
    let started: TimestampMicrosecondArray =
        calls.clone().map(|call| call.started_at.map(|at| at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000)).collect();
    let started = started.with_timezone("UTC");
    let names = MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut attributes = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for call in calls.clone() {
        for (name, value) in &call.attributes {
            attributes.keys().append_value(name);
            attributes.values().append_value(value);
        }
        attributes.append(true).expect("as many keys as values");
    }
    let attributes = attributes.finish();
    let mut columns = vec![
        texts("call_id", |call| &call.call_id),
        texts("script_id", |call| &call.script_id),
        (Field::new("started_at", arrow_array::Array::data_type(&started).clone(), true), Arc::new(started) as ArrayRef),
        texts("time_zone", |call| &call.time_zone),
        (Field::new("attributes", arrow_array::Array::data_type(&attributes).clone(), true), Arc::new(attributes) as ArrayRef),
    ];
    if calls.clone().any(|call| call.stored.is_some()) {
        columns.push(texts("label", |call| call.stored.as_ref().map_or("", |stored| &stored.label)));
    }
    columns
}

fn batch(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of one length")
}

/// A row a call.
pub fn nested(calls: &[CallRecord]) -> RecordBatch {
    let rows: Vec<Row<'_>> = calls.iter().flat_map(|call| &call.events).map(Row::of).collect();
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns(&rows).into_iter().unzip();
    let items = StructArray::new(Fields::from(fields), arrays, None);
    let item = Arc::new(Field::new("item", arrow_array::Array::data_type(&items).clone(), true));
    let offsets = OffsetBuffer::from_lengths(calls.iter().map(|call| call.events.len()));
    let events = ListArray::new(item, offsets, Arc::new(items), None);
    let mut columns = heads(calls.iter());
    columns.push((Field::new("events", arrow_array::Array::data_type(&events).clone(), true), Arc::new(events)));
    batch(columns)
}

/// A row an event.
pub fn flat(calls: &[CallRecord]) -> RecordBatch {
    let rows: Vec<Row<'_>> = calls.iter().flat_map(|call| &call.events).map(Row::of).collect();
    let mut all = heads(calls.iter().flat_map(|call| call.events.iter().map(move |_| call)));
    let seq: Int32Array = calls.iter().flat_map(|call| 1..=call.events.len() as i32).map(Some).collect();
    all.push((Field::new("seq", DataType::Int32, true), Arc::new(seq)));
    all.extend(columns(&rows));
    batch(all)
}

/// Writes batches to a Parquet file, Zstandard, row groups of so many rows.
pub fn write_parquet(path: &Path, batches: &[RecordBatch], rows: usize) {
    let level = ZstdLevel::try_new(1).expect("a level");
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).set_max_row_group_row_count(Some(rows)).build();
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batches[0].schema(), Some(properties)).expect("a writer");
    for batch in batches {
        writer.write(batch).expect("rows");
    }
    writer.close().expect("the file is written");
}
