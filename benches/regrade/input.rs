//! The calls as a Parquet file: nested, Zstandard, row groups of 10,000 calls, all columns of the documented schema.

use std::fs::File;
use std::path::Path;

use callgrade::core::event::Event;
use callgrade::ingest::CallRecord;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use pbjson_types::Timestamp;

use crate::common::{Sayings, endless};
use crate::tables::nested;

/// Calls of a row group.
const GROUP: usize = 10_000;

/// Writes so many calls; never more than a row group of them is in memory.
pub fn write(path: &Path, sayings: &Sayings, count: usize) {
    let mut calls = endless(sayings).take(count).enumerate().map(record);
    let mut group = || calls.by_ref().take(GROUP).collect::<Vec<CallRecord>>();
    let mut records = group();
    let level = ZstdLevel::try_new(1).expect("a level");
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).set_max_row_group_row_count(Some(GROUP)).build();
    let file = File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, nested(&records).schema(), Some(properties)).expect("a writer");
    while !records.is_empty() {
        writer.write(&nested(&records)).expect("rows");
        records = group();
    }
    writer.close().expect("the file is written");
}

/// A call with the head that a dialer's export has: one begins every other second, in one of seven campaigns.
fn record((number, events): (usize, Vec<Event>)) -> CallRecord {
    CallRecord {
        call_id: format!("bench-{number:08}"),
        script_id: "telemarketing".to_owned(),
        started_at: Some(Timestamp { seconds: 1_793_000_000 + 2 * number as i64, nanos: 0 }),
        time_zone: "Asia/Shanghai".to_owned(),
        attributes: [("campaign".to_owned(), format!("autumn-{}", number % 7))].into(),
        events,
        ..CallRecord::default()
    }
}
