//! Recorded calls graded anew: every form of input and output, drafts, what is broken, and runs that are stopped.

mod arrow;
mod broken;
mod places;
mod refused;
mod stopped;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use arrow_array::cast::AsArray;
use callgrade::ingest::{CallRecord, Limits, jsonl};
use callgrade::wire::v1;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::tables::{flat, nested, write_parquet};
use crate::support::{all_cases, callgrade, case_message, comparable, stderr, stdout};

/// The table of cases as lines.
fn lines() -> Vec<u8> {
    let mut lines = Vec::new();
    for (number, (script, case)) in all_cases().iter().enumerate() {
        serde_json::to_writer(&mut lines, &case_message(&format!("case-{number:04}"), script, case)).expect("a call");
        lines.push(b'\n');
    }
    lines
}

/// The calls of lines.
fn records(lines: &[u8]) -> Vec<CallRecord> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| jsonl::call(line, &Limits::default()).expect("a call")).collect()
}

/// What `classify` says of lines, by call.
fn classified(lines: &[u8], more: &[&str]) -> BTreeMap<String, v1::Verdict> {
    let output = callgrade(&[&["classify"], more, &["-"]].concat(), lines);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).lines().map(verdict).collect()
}

fn verdict(line: &str) -> (String, v1::Verdict) {
    let verdict: v1::Verdict = serde_json::from_str(line).expect("a verdict");
    (verdict.call_id.clone(), comparable(&verdict))
}

/// Runs `regrade`, which is to succeed; what it prints.
fn regrade(inputs: &[&Path], out: &Path, more: &[&str]) -> String {
    let inputs: Vec<&str> = inputs.iter().map(|path| path.to_str().expect("text")).collect();
    let output = callgrade(&[&["regrade"], inputs.as_slice(), &["--out", out.to_str().expect("text")], more].concat(), b"");
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// The verdicts of a file of lines, in order.
fn verdicts(path: &Path) -> Vec<(String, v1::Verdict)> {
    std::fs::read_to_string(path).expect("the verdicts").lines().map(verdict).collect()
}

/// Call, label and rule of Parquet files, in order.
fn labels(paths: &[&Path]) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    for path in paths {
        let file = std::fs::File::open(path).expect("a file");
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("rows") {
            let batch = batch.expect("rows");
            let column = |name: &str| batch.column_by_name(name).expect("a column").as_string::<i32>().clone();
            let columns = ["call_id", "label", "rule_id"].map(column);
            rows.extend((0..batch.num_rows()).map(|row| columns.each_ref().map(|column| column.value(row).to_owned())));
        }
    }
    rows
}

#[test]
fn every_case_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let lines = lines();
    let records = records(&lines);
    std::fs::write(at("calls.jsonl"), &lines).expect("a file");
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(at("calls.jsonl.gz")).expect("a file"), flate2::Compression::fast());
    gzip.write_all(&lines).and_then(|()| gzip.finish()).expect("a file");
    std::fs::write(at("calls.jsonl.zst"), zstd::encode_all(lines.as_slice(), 1).expect("packed")).expect("a file");
    write_parquet(&at("nested.parquet"), &[nested(&records)], 100);
    // Row groups so small that calls cross them, some more than one.
    write_parquet(&at("flat.parquet"), &[flat(&records)], 5);
    // As Spark leaves them.
    std::fs::create_dir_all(at("folder/part=1")).expect("a folder");
    let (first, second) = records.split_at(records.len() / 3);
    write_parquet(&at("folder/part-0.parquet"), &[flat(first)], 1_000);
    write_parquet(&at("folder/part=1/part-1.parquet"), &[nested(second)], 1_000);
    std::fs::write(at("folder/_SUCCESS"), "").expect("a file");
    std::fs::write(at("folder/.part-0.parquet.crc"), "crc").expect("a file");

    let expected = classified(&lines, &[]);
    let order: Vec<&str> = records.iter().map(|record| record.call_id.as_str()).collect();
    // A call without events has no row in a table of events.
    let eventless: Vec<&str> = records.iter().filter(|record| record.events.is_empty()).map(|record| record.call_id.as_str()).collect();
    for input in ["calls.jsonl", "calls.jsonl.gz", "calls.jsonl.zst", "nested.parquet", "flat.parquet", "folder"] {
        let out = at(&format!("{input}.out.jsonl"));
        regrade(&[&at(input)], &out, &["--threads", "3"]);
        let found = verdicts(&out);
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        let there: Vec<&str> = order.iter().copied().filter(|id| !input.starts_with('f') || !eventless.contains(id)).collect();
        assert_eq!(ids, there, "{input}: each call once, in order");
        for (id, verdict) in found {
            assert_eq!(verdict, expected[&id], "{input}");
        }
        assert!(!at(&format!("{input}.out.jsonl.unfinished")).exists());
    }
}

#[test]
fn every_form_of_output_says_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("calls.jsonl"), lines()).expect("a file");
    let input = at("calls.jsonl");
    // Each piece a file of its own, which are then put together.
    let often = ["--checkpoint", "0"];
    regrade(&[&input], &at("out.jsonl"), &often);
    regrade(&[&input], &at("out.csv"), &often);
    regrade(&[&input, &input], &at("out.parquet"), &often);
    regrade(&[&input], &at("out"), &[&often[..], &["--output", "parquet", "--whole"]].concat());
    let expected: Vec<[String; 3]> =
        verdicts(&at("out.jsonl")).into_iter().map(|(id, verdict)| [id, verdict.label, verdict.rule_id]).collect();
    assert_eq!(labels(&[&at("out.parquet")]), [expected.clone(), expected.clone()].concat());
    assert_eq!(labels(&[&at("out/verdicts/part-00001.parquet")]), expected);
    let mut reader = csv::Reader::from_path(at("out.csv")).expect("CSV");
    let head: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
    let place = |name: &str| head.iter().position(|column| column == name).expect("a column");
    let columns = ["call_id", "label", "rule_id"].map(place);
    let rows: Vec<[String; 3]> =
        reader.records().map(|row| row.expect("a row")).map(|row| columns.map(|column| row[column].to_owned())).collect();
    assert_eq!(rows, expected);
}

#[test]
fn vcons_of_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let vcons = folder.path().join("vcons");
    std::fs::create_dir_all(&vcons).expect("a folder");
    for (number, words) in [(1, "多少钱"), (2, "不需要"), (3, "加我微信吧")] {
        let vcon = serde_json::json!({
            "vcon": "0.0.2", "uuid": format!("vcon-{number}"), "created_at": "2026-01-01T00:00:00Z",
            "parties": [{"role": "agent"}, {"role": "customer"}],
            "dialog": [{"type": "text", "start": "2026-01-01T00:00:01Z", "parties": 1, "body": words, "encoding": "none"}],
        });
        std::fs::write(vcons.join(format!("{number}.vcon.json")), serde_json::to_vec_pretty(&vcon).expect("JSON")).expect("a file");
    }
    let out = folder.path().join("out.jsonl");
    regrade(&[&vcons], &out, &["--script", "telemarketing"]);
    let found: Vec<(String, String)> = verdicts(&out).into_iter().map(|(id, verdict)| (id, verdict.label)).collect();
    assert_eq!(found, [("vcon-1", "C"), ("vcon-2", "D"), ("vcon-3", "B")].map(|(id, label)| (id.to_owned(), label.to_owned())));
}

/// A call in which the customer says something.
fn call(id: &str, words: &str, more: &str) -> String {
    format!(
        r#"{{"callId":"{id}","scriptId":"telemarketing"{more},"events":[{{"answered":{{}}}},{{"atMs":9000,"utterance":{{"speaker":"CUSTOMER","text":"{words}"}}}},{{"atMs":20000,"hangup":{{"by":"ROBOT"}}}}]}}"#
    )
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn drafts_show_what_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let input = at("calls.jsonl");
    std::fs::write(&input, [call("wants", "好嘀嘀", ""), call("asks", "多少钱", "")].join("\n")).expect("a file");
    std::fs::create_dir_all(at("draft/keywords")).expect("a folder");
    let list = callgrade::script::Bundle::bundled().into_iter().find(|bundle| bundle.name == "telemarketing").expect("the script").files;
    let contact = format!("{}\n好嘀嘀\n", list["keywords/contact.txt"]);
    std::fs::write(at("draft/keywords/contact.txt"), &contact).expect("a file");
    std::fs::write(at("draft.json"), serde_json::json!({"files": {"keywords/contact.txt": contact}}).to_string()).expect("a file");
    for draft in ["draft", "draft/keywords/contact.txt", "draft.json"] {
        let out = at(&format!("{}.out", draft.replace('/', "-")));
        let script = format!("telemarketing@{}", at(draft).display());
        regrade(&[&input], &out, &["--script", &script, "--against", "telemarketing"]);
        let changes = std::fs::read_to_string(out.join("changes.jsonl")).expect("the changes");
        let changed: Vec<Value> = changes.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(changed.len(), 1, "{draft}: {changes}");
        assert_eq!((&changed[0]["callId"], &changed[0]["after"]["ruleId"]), (&"wants".into(), &"B2".into()), "{draft}");
        assert_eq!(changed[0]["gained"][0]["phrase"], "好嘀嘀");
        let diff = json(&out.join("diff.json"));
        assert_eq!((&diff["calls"], &diff["compared"], &diff["changed"]), (&"2".into(), &"2".into(), &"1".into()), "{draft}");
        let page = std::fs::read_to_string(out.join("report.html")).expect("a page");
        assert!(page.contains("好嘀嘀") && page.contains("<svg"), "{draft}");
    }
}

#[test]
fn labels_alone_tell_the_same_changes_as_whole_verdicts() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("calls.jsonl"), lines()).expect("a file");
    let list = callgrade::script::Bundle::bundled().into_iter().find(|bundle| bundle.name == "telemarketing").expect("the script").files;
    // Nobody refuses any more, and the word of thanks asks for a price.
    let files =
        serde_json::json!({"keywords/refuse.txt": "全都不要\n", "keywords/price.txt": format!("{}\n谢谢\n", list["keywords/price.txt"])});
    std::fs::write(at("draft.json"), serde_json::json!({ "files": files }).to_string()).expect("a file");
    let script = format!("telemarketing@{}", at("draft.json").display());
    let told = |name: &str, against: &str| {
        let out = at(&format!("{against}-{name}"));
        regrade(&[&at("calls.jsonl")], &out, &["--script", &script, "--against", against]);
        let beside = |ending: &str| std::fs::read_to_string(at(&format!("{against}-{name}.{ending}"))).expect("a file");
        (json(&at(&format!("{against}-{name}.diff.json"))), beside("changes.jsonl"))
    };
    let (diff, changes) = told("labels.parquet", "telemarketing");
    assert!(changes.lines().count() > 20, "{changes}");
    assert!(changes.contains("\"lost\":[{"), "{changes}");
    assert_eq!((diff, changes), told("whole.jsonl", "telemarketing"));
}

#[test]
fn labels_that_come_with_the_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let lines =
        [call("same", "多少钱", r#","label":"C""#), call("other", "多少钱", r#","label":"A","ruleId":"A1""#), call("none", "多少钱", "")];
    std::fs::write(at("calls.jsonl"), lines.join("\n")).expect("a file");
    let exported =
        |line: &str, label: &str| format!(r#"{{"call":{line},"verdict":{{"label":"{label}","ruleId":"X","scriptVersion":"v"}}}}"#);
    std::fs::write(at("kept.jsonl"), [exported(&lines[0], "B"), exported(&call("five", "多少钱", ""), "C")].join("\n")).expect("a file");
    let out = at("out.jsonl");
    regrade(&[&at("calls.jsonl"), &at("kept.jsonl")], &out, &["--against", "stored"]);
    let rows: Vec<Value> =
        std::fs::read_to_string(&out).expect("a file").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<String> =
        rows.iter().map(|row| format!("{} {} {} {}", row["callId"], row["label"], row["before"], row["changed"])).collect();
    assert_eq!(
        told,
        [
            r#""same" "C" {"label":"C","ruleId":"","scriptVersion":""} false"#,
            r#""other" "C" {"label":"A","ruleId":"A1","scriptVersion":""} true"#,
            r#""none" "C" null null"#,
            r#""same" "C" {"label":"B","ruleId":"X","scriptVersion":"v"} true"#,
            r#""five" "C" {"label":"C","ruleId":"X","scriptVersion":"v"} false"#,
        ]
    );
    let diff = json(&at("out.jsonl.diff.json"));
    assert_eq!((&diff["calls"], &diff["compared"], &diff["changed"]), (&"5".into(), &"4".into(), &"2".into()));
}
