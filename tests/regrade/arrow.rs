//! Arrow IPC streams: what any engine sends to `classify`, and what it gets.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_buffer::Buffer;
use arrow_ipc::reader::{StreamDecoder, StreamReader};
use arrow_ipc::writer::StreamWriter;
use callgrade::wire::v1;

use super::{classified, lines, records};
use crate::support::tables::{flat, nested};
use crate::support::{callgrade, stderr, stdout};

/// A stream of a table, in batches of so many rows.
fn stream(table: &RecordBatch, rows: usize) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).expect("a stream");
    for from in (0..table.num_rows()).step_by(rows) {
        writer.write(&table.slice(from, rows.min(table.num_rows() - from))).expect("a batch");
    }
    writer.into_inner().expect("the stream")
}

/// What `classify` answers, and how it ends.
fn answer(input: &[u8]) -> (Vec<RecordBatch>, Option<i32>) {
    let output = callgrade(&["classify", "--format", "arrow", "--output", "arrow"], input);
    assert_eq!(stderr(&output), "");
    let reader = StreamReader::try_new(output.stdout.as_slice(), None).expect("a stream");
    (reader.map(|batch| batch.expect("a batch")).collect(), output.status.code())
}

fn text<'a>(row: &'a RecordBatch, column: &str) -> &'a StringArray {
    row.column_by_name(column).unwrap_or_else(|| panic!("no column {column}")).as_string::<i32>()
}

/// A row's verdict, as far as its columns say.
fn verdict(batch: &RecordBatch, row: usize) -> v1::Verdict {
    let texts = |column: &str| text(batch, column).value(row).to_owned();
    let list = |array: &dyn Array, row: usize| -> Vec<String> {
        array.as_list::<i32>().value(row).as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
    };
    let column = |name: &str| batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    let signals = column("signals").as_struct();
    let signal = |name: &str| signals.column_by_name(name).unwrap_or_else(|| panic!("no signal {name}"));
    let count = |name: &str| signal(name).as_primitive::<Int32Type>().value(row).cast_unsigned();
    let flag = |name: &str| signal(name).as_boolean().value(row);
    let word = |name: &str| signal(name).as_string::<i32>().value(row).to_owned();
    let hits = signal("hits").as_map().value(row);
    let hits = hits.column(0).as_string::<i32>().iter().zip(hits.column(1).as_primitive::<Int32Type>().iter());
    let evidence = column("evidence").as_list::<i32>().value(row);
    let evidence = evidence.as_struct();
    let nodes = column("nodes").as_list::<i32>().value(row);
    let nodes = nodes.as_struct();
    let follow_up = column("follow_up").as_struct();
    let callback = column("callback").as_struct();
    v1::Verdict {
        call_id: texts("call_id"),
        script_id: texts("script_id"),
        script_version: texts("script_version"),
        label: texts("label"),
        rule_id: texts("rule_id"),
        reason: texts("reason"),
        signals: Some(v1::Signals {
            connected: flag("connected"),
            ended: flag("ended"),
            dial_result: word("dial_result"),
            answered_by: word("answered_by"),
            machine: flag("machine"),
            talk_s: signal("talk_s").as_primitive::<Float64Type>().value(row),
            customer_turns: count("customer_turns"),
            content_turns: count("content_turns"),
            robot_turns: count("robot_turns"),
            silent: flag("silent"),
            questions: count("questions"),
            asked: list(signal("asked"), row),
            refusals: count("refusals"),
            refusal_streak: count("refusal_streak"),
            last_refused: flag("last_refused"),
            hits: hits.map(|(name, hits)| (name.unwrap_or_default().to_owned(), hits.unwrap_or_default().cast_unsigned())).collect(),
            invite: word("invite"),
            completion: signal("completion").as_primitive::<Float64Type>().value(row),
            reached: list(signal("reached"), row),
            last_node: word("last_node"),
            hung_up_by: word("hung_up_by"),
            no_input: count("no_input"),
            transferred: flag("transferred"),
        }),
        evidence: (0..evidence.len())
            .map(|at| {
                let number =
                    |name: &str| evidence.column_by_name(name).expect("a field").as_primitive::<Int32Type>().value(at).cast_unsigned();
                let word = |name: &str| evidence.column_by_name(name).expect("a field").as_string::<i32>().value(at);
                v1::Evidence {
                    event: number("event"),
                    start: number("start"),
                    end: number("end"),
                    speaker: v1::Speaker::from_str_name(word("speaker")).expect("a speaker").into(),
                    signal: word("signal").to_owned(),
                    category: word("category").to_owned(),
                    phrase: word("phrase").to_owned(),
                    r#match: v1::Match::from_str_name(word("match")).expect("a match").into(),
                    score: evidence.column_by_name("score").expect("a field").as_primitive::<Float64Type>().value(at),
                    grams: list(evidence.column_by_name("grams").expect("a field"), at),
                }
            })
            .collect(),
        nodes: (0..nodes.len())
            .map(|at| v1::NodeProgress {
                node_id: nodes.column_by_name("node_id").expect("a field").as_string::<i32>().value(at).to_owned(),
                progress: nodes.column_by_name("progress").expect("a field").as_primitive::<Float64Type>().value(at),
                recognised: nodes.column_by_name("recognised").expect("a field").as_boolean().value(at),
                similarity: nodes.column_by_name("similarity").expect("a field").as_primitive::<Float64Type>().value(at),
            })
            .collect(),
        also_matched: list(column("also_matched"), row),
        fallback: column("fallback").as_boolean().value(row),
        r#final: column("final").as_boolean().value(row),
        revision: 0,
        follow_up: follow_up.is_valid(row).then(|| v1::FollowUp {
            action: follow_up.column_by_name("action").expect("a field").as_string::<i32>().value(row).to_owned(),
            within_hours: follow_up.column_by_name("within_hours").expect("a field").as_primitive::<Int32Type>().value(row).cast_unsigned(),
            note: follow_up.column_by_name("note").expect("a field").as_string::<i32>().value(row).to_owned(),
        }),
        do_not_call: column("do_not_call").as_boolean().value(row),
        callback: callback.is_valid(row).then(|| {
            let at = callback.column_by_name("at").expect("a field").as_primitive::<arrow_array::types::TimestampMicrosecondType>();
            v1::Callback {
                at: at.is_valid(row).then(|| pbjson_types::Timestamp {
                    seconds: at.value(row).div_euclid(1_000_000),
                    nanos: (at.value(row).rem_euclid(1_000_000) * 1_000) as i32,
                }),
                words: callback.column_by_name("words").expect("a field").as_string::<i32>().value(row).to_owned(),
                event: callback.column_by_name("event").expect("a field").as_primitive::<Int32Type>().value(row).cast_unsigned(),
            }
        }),
        ended_by: String::new(),
        notices: Vec::new(),
        model_hash: texts("model_hash"),
    }
}

#[test]
fn every_case_through_a_stream_in_both_forms() {
    let lines = lines();
    let records = records(&lines);
    let expected = classified(&lines, &[]);
    // Batches so small that calls cross them.
    for (form, input, there) in [
        ("nested", stream(&nested(&records), 64), records.len()),
        ("flat", stream(&flat(&records), 3), records.iter().filter(|record| !record.events.is_empty()).count()),
    ] {
        let (batches, code) = answer(&input);
        assert_eq!(code, Some(0));
        let mut seen = Vec::new();
        for batch in &batches {
            assert_eq!(text(batch, "error").null_count(), batch.num_rows());
            for row in 0..batch.num_rows() {
                let verdict = verdict(batch, row);
                assert_eq!(verdict, expected[&verdict.call_id], "{form}");
                seen.push(verdict.call_id);
            }
        }
        assert_eq!(seen.len(), there, "{form}");
        seen.dedup();
        assert_eq!(seen.len(), there, "{form}: each call once");
    }
}

#[test]
fn a_bad_row_is_a_row_without_a_verdict() {
    let elsewhere = super::call("two", "好", "").replace("telemarketing", "nowhere");
    let calls = records([super::call("one", "多少钱", ""), elsewhere, super::call("three", "好", "")].join("\n").as_bytes());
    let table = nested(&calls);
    let mut columns = table.columns().to_vec();
    columns[0] = std::sync::Arc::new(StringArray::from(vec![Some("one"), Some("two"), None]));
    let table = RecordBatch::try_new(table.schema(), columns).expect("a batch");
    let (batches, code) = answer(&stream(&table, 10));
    assert_eq!(code, Some(1));
    let batch = &batches[0];
    let row = |row: usize| {
        [text(batch, "call_id"), text(batch, "label"), text(batch, "error")]
            .map(|column| column.is_valid(row).then(|| column.value(row).to_owned()))
    };
    assert_eq!(row(0), [Some("one"), Some("C"), None].map(|text| text.map(str::to_owned)));
    assert_eq!(row(2), [None, None, Some("the call has no call_id")].map(|text| text.map(str::to_owned)));
    assert_eq!(
        row(1),
        [Some("two"), None, Some("unknown script \"nowhere\"; there are broadband, telemarketing")].map(|text| text.map(str::to_owned))
    );
    assert!(batch.column_by_name("signals").expect("a column").is_null(1));
}

#[test]
fn what_cannot_be_read_to_its_end_fails() {
    let calls = [super::call("one", "多少钱", ""), super::call("two", "不需要", "")].join("\n");
    let table = nested(&records(calls.as_bytes()));
    let whole = stream(&table, 1);
    // Without the mark of its end.
    let first = stream(&table.slice(0, 1), 1).len() - 8;
    let cut = whole[..first + 100].to_vec();
    let mut long = whole.clone();
    // The length that the second batch claims for its body, which is the fourth field of its message: more than there is memory.
    let body = (whole.len() - 8 - first) as u64;
    let at = (first..whole.len() - 8)
        .find(|at| (body - 4_096..body).contains(&u64::from_le_bytes(whole[*at..at + 8].try_into().expect("eight"))));
    long[at.expect("its length") + 5] = 0x7f;
    for (input, told) in [
        (b"ARROW1\0\0rest".to_vec(), "an Arrow file; --format arrow reads streams\n"),
        (Vec::new(), "no Arrow stream: it has no schema\n"),
        (cut, "the Arrow stream cannot be read on after 1 rows: Ipc error: Unexpected End of Stream\n"),
        (long, "the Arrow stream cannot be read on after 1 rows: Ipc error: Unexpected End of Stream\n"),
        (damaged(&whole, first), "the Arrow stream cannot be read on after 1 rows: damaged: "),
    ] {
        let output = callgrade(&["classify", "--format", "arrow", "--output", "arrow"], &input);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let told = format!("callgrade: -: {told}");
        assert!(stderr(&output).starts_with(&told) && stderr(&output).lines().count() == 1, "{}", stderr(&output));
        // What came before is graded, and not taken for the whole.
        let output = callgrade(&["classify", "--format", "arrow"], &input);
        let graded = usize::from(told.contains("after 1 rows"));
        assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(1), graded), "{}", stderr(&output));
        assert!(stderr(&output).starts_with(&told), "{}", stderr(&output));
    }
}

/// The stream with one byte behind a place changed such that its decoder panics.
fn damaged(whole: &[u8], from: usize) -> Vec<u8> {
    let panics = |bytes: Vec<u8>| {
        let decoding = || {
            let (mut decoder, mut left) = (StreamDecoder::new(), Buffer::from(bytes));
            while decoder.decode(&mut left).is_ok_and(|batch| batch.is_some()) {}
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(decoding)).is_err()
    };
    let changed = |place: usize| {
        let mut bytes = whole.to_vec();
        bytes[place] ^= 0xff;
        bytes
    };
    (from..whole.len()).map(changed).find(|bytes| panics(bytes.clone())).expect("the decoder trusts some byte")
}
