//! What is broken is told, and nothing else is lost.

use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{call, labels, lines, records, regrade};
use crate::support::tables::{flat, nested, write_parquet};
use crate::support::{callgrade, stderr};

/// Runs `regrade` over what has something wrong; the rejects as they are told.
fn rejects(inputs: &[&Path], out: &Path) -> Vec<String> {
    let mut args = vec!["regrade", "--out", out.to_str().expect("text")];
    args.extend(inputs.iter().map(|path| path.to_str().expect("text")));
    let output = callgrade(&args, b"");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let path = format!("{}.rejects.jsonl", out.display());
    let told = std::fs::read_to_string(&path).expect("the rejects");
    assert_eq!(stderr(&output), format!("callgrade: rejections: {}, in {path}\n", told.lines().count()));
    told.lines().map(str::to_owned).collect()
}

#[test]
fn lines_that_are_no_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let text = [
        call("one", "多少钱", ""),
        "{\"callId\":\"cut\",".to_owned(),
        String::new(),
        r#"{"callId":"two","scriptId":"telemarketing","events":[{"atMs":-1,"answered":{}},{"atMs":5,"hangup":{}}]}"#.to_owned(),
        r#"{"callId":"three","scriptId":"nowhere"}"#.to_owned(),
        call("four", "多少钱", ""),
    ];
    std::fs::write(at("calls.jsonl"), text.join("\n")).expect("a file");
    // Its end is missing.
    let packed = zstd::encode_all(call("five", "多少钱", "").repeat(9_000).as_bytes(), 1).expect("packed");
    std::fs::write(at("cut.jsonl.zst"), &packed[..packed.len() - 9]).expect("a file");
    let name = at("calls.jsonl").display().to_string();
    let out = at("out.parquet");
    let told = rejects(&[&at("calls.jsonl")], &out);
    assert_eq!(
        told,
        [
            format!(r#"{{"input":"{name}","line":2,"callId":"cut","reason":"not a call: EOF while parsing a value at line 1 column 16"}}"#),
            format!(
                r#"{{"input":"{name}","line":4,"callId":"two","event":1,"reason":"atMs: invalid value: floating point `-1.0`, expected a whole number from 0 to 4294967295"}}"#
            ),
            format!(
                r#"{{"input":"{name}","line":5,"callId":"three","reason":"unknown script \"nowhere\"; there are broadband, telemarketing"}}"#
            ),
        ]
    );
    let ids: Vec<String> = labels(&[&out]).into_iter().map(|[id, _, _]| id).collect();
    assert_eq!(ids, ["one", "two", "four"]);
    let told = rejects(&[&at("cut.jsonl.zst"), &at("calls.jsonl")], &at("second.parquet"));
    assert!(told[0].contains("cut.jsonl.zst"), "{told:?}");
    let found = labels(&[&at("second.parquet")]);
    assert!(found.iter().any(|[id, _, _]| id == "four"), "the next input is read all the same");
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    // Longer than a piece of the input, too.
    let long = call("long", &"长".repeat(2_000_000), "");
    std::fs::write(at("calls.jsonl"), [call("one", "好", ""), long.clone(), call("two", "好", "")].join("\n")).expect("a file");
    let input = at("calls.jsonl");
    let args = ["regrade", input.to_str().expect("text"), "--max-line-bytes", "100000", "--out"];
    let output = callgrade(&[&args[..], &[at("out.parquet").to_str().expect("text")]].concat(), b"");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = std::fs::read_to_string(at("out.parquet.rejects.jsonl")).expect("the rejects");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains(r#""line":2,"reason":"a line of over 100000 bytes"#), "{told}");
    let ids: Vec<String> = labels(&[&at("out.parquet")]).into_iter().map(|[id, _, _]| id).collect();
    assert_eq!(ids, ["one", "two"]);
}

#[test]
fn a_damaged_row_group_costs_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let records = records(&lines());
    for (name, table, group) in [("nested.parquet", nested(&records), 100), ("flat.parquet", flat(&records), 1_000)] {
        let path = at(name);
        write_parquet(&path, &[table], group);
        let mut bytes = std::fs::read(&path).expect("a file");
        // Somewhere in the middle of the data.
        let middle = bytes.len() / 2;
        bytes[middle..middle + 200].fill(0xAA);
        std::fs::write(&path, bytes).expect("a file");
        let out = at(&format!("{name}.out.parquet"));
        let told = rejects(&[&path], &out);
        let found = labels(&[&out]).len();
        assert!(!told.is_empty() && found >= records.len() / 2 && found <= records.len(), "{name}: {found} of {}: {told:?}", records.len());
    }
}

#[test]
fn damage_that_its_decoder_does_not_expect_costs_what_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.parquet");
    write_parquet(&path, &[nested(&records(&lines()))], 100);
    let whole = std::fs::read(&path).expect("a file");
    let panics = |bytes: &[u8]| {
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        let reading = || {
            ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|file| file.build()).map(|rows| rows.take_while(Result::is_ok).count())
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(reading)).is_err()
    };
    let changed = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        bytes
    };
    let damaged = (0..whole.len()).map(changed).find(|bytes| panics(bytes)).expect("the decoder trusts some byte");
    std::fs::write(&path, damaged).expect("a file");
    let out = folder.path().join("out.parquet");
    let told = rejects(&[&path], &out);
    assert!(told.iter().any(|told| told.contains("damaged: ")), "{told:?}");
    // Of no other row group than that byte's.
    let (found, calls) = (labels(&[&out]).len(), records(&lines()).len());
    assert!(found + 100 >= calls, "{found} of {calls}");
}

#[test]
fn what_is_no_table_of_calls_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let record = records(call("one", "好", "").as_bytes());
    let table = nested(&record);
    let without = |name: &str| {
        let places: Vec<usize> = (0..table.num_columns()).filter(|place| table.schema().field(*place).name() != name).collect();
        table.project(&places).expect("columns")
    };
    write_parquet(&at("no-id.parquet"), &[without("call_id")], 10);
    write_parquet(&at("no-events.parquet"), &[without("events")], 10);
    let wrong = arrow_array::RecordBatch::try_from_iter([
        ("call_id", std::sync::Arc::new(arrow_array::StringArray::from(vec!["a"])) as arrow_array::ArrayRef),
        ("events", std::sync::Arc::new(arrow_array::StringArray::from(vec!["[]"])) as arrow_array::ArrayRef),
    ]);
    write_parquet(&at("text.parquet"), &[wrong.expect("a batch")], 10);
    std::fs::create_dir_all(at("empty")).expect("a folder");
    for (input, reason) in [
        ("no-id.parquet", "there is no column \"call_id\""),
        ("no-events.parquet", "there is neither a column \"events\" (a row a call) nor a column \"kind\" (a row an event)"),
        ("text.parquet", "column \"events\" is Utf8; it should be a list of structs"),
        ("empty", "a folder without files of calls"),
        ("missing", "No such file or directory (os error 2)"),
    ] {
        let output = callgrade(&["regrade", at(input).to_str().expect("text"), "--out", at("out").to_str().expect("text")], b"");
        assert_eq!(output.status.code(), Some(2), "{input}");
        assert_eq!(stderr(&output), format!("callgrade: {}: {reason}\n", at(input).display()));
    }
}

#[test]
fn drafts_and_places_that_cannot_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    std::fs::write(at("calls.jsonl"), call("one", "好", "")).expect("a file");
    std::fs::write(at("unheard.txt"), "好").expect("a file");
    std::fs::create_dir_all(at("examples")).expect("a folder");
    std::fs::write(at("examples/refuse.txt"), "别打了\n").expect("a file");
    regrade(&[&at("calls.jsonl")], &at("there"), &[]);
    std::fs::write(at("there.csv"), "mine").expect("a file");
    std::fs::create_dir_all(at("full")).expect("a folder");
    std::fs::write(at("full/mine.txt"), "mine").expect("a file");
    let refused = |more: &[&str]| {
        let output = callgrade(&[&["regrade", &text("calls.jsonl")], more].concat(), b"");
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        stderr(&output).trim_end().to_owned()
    };
    let new = text("new");
    let unheard = format!("telemarketing@{}", text("unheard.txt"));
    assert_eq!(
        refused(&["--out", &new, "--script", &unheard]),
        format!(
            "callgrade: {unheard}: the script has no keywords/unheard.txt or examples/unheard.txt; a draft is a folder of a script, one of its files, or JSON of path and text"
        )
    );
    let untrained = format!("telemarketing@{}", text("examples/refuse.txt"));
    assert_eq!(
        refused(&["--out", &new, "--script", &untrained]),
        format!(
            "callgrade: {untrained}: examples were changed and the model was not: copy the script's folder, run `callgrade script train --scripts FOLDER`, and give the folder"
        )
    );
    assert_eq!(
        refused(&["--out", &text("there")]),
        format!("callgrade: {} holds the result of a run; --overwrite replaces it", text("there"))
    );
    assert_eq!(
        refused(&["--out", &text("there.csv")]),
        format!("callgrade: {} is there already; --overwrite replaces it", text("there.csv"))
    );
    assert_eq!(refused(&["--out", &text("full")]), format!("callgrade: {} is there already; --overwrite replaces it", text("full")));
    assert_eq!(
        refused(&["--out", &text("there"), "--resume", "--whole"]),
        format!(
            "callgrade: {}: the run that stopped had other input, scripts or options; run it as it was, or begin anew with --overwrite",
            text("there")
        )
    );
    assert_eq!(
        refused(&["--out", &text("x.csv"), "--output", "jsonl"]),
        format!("callgrade: --output jsonl does not fit the file {}", text("x.csv"))
    );
    assert_eq!(std::fs::read_to_string(at("there.csv")).expect("a file"), "mine", "nothing of others is touched");
    regrade(&[&at("calls.jsonl")], &at("there"), &["--overwrite", "--whole"]);
    regrade(&[&at("calls.jsonl")], &at("there"), &["--resume", "--whole"]);
    let output = callgrade(&["regrade", "--out", &new], b"");
    assert_eq!(stderr(&output), "callgrade: give files of calls, or --store for those that a server keeps\n");
}
