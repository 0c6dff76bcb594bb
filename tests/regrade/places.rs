//! What a run reads and what it writes are kept apart.

use std::path::{Path, PathBuf};

use callgrade::ingest::Limits;
use callgrade::ingest::recorded::{Format, Given, Reading};
use callgrade::ingest::vcon::VconOptions;
use callgrade::regrade::source::{Files, Position, Source};

use super::{call, labels, records, regrade, verdicts};
use crate::support::tables::{nested, write_parquet};
use crate::support::{callgrade, stderr};

#[test]
fn what_is_read_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("in.jsonl"), call("one", "好", "")).expect("a file");
    std::os::unix::fs::symlink(at("in.jsonl"), at("link.jsonl")).expect("a link");
    regrade(&[&at("in.jsonl")], &at("out"), &[]);
    std::os::unix::fs::symlink(at("out"), at("linked")).expect("a link");
    std::fs::write(at("out.csv.changes.jsonl"), "mine").expect("a file");
    for (input, out) in [
        ("in.jsonl", "in.jsonl"),
        ("link.jsonl", "in.jsonl"),
        ("in.jsonl", "link.jsonl"),
        ("./in.jsonl", "in.jsonl"),
        ("out.csv.changes.jsonl", "out.csv"),
        ("out", "out"),
        ("out/verdicts", "out"),
        ("out/diff.json", "out"),
        ("linked/diff.json", "out"),
        ("out/diff.json", "linked"),
    ] {
        let before = all(folder.path());
        for more in [None, Some("--overwrite"), Some("--resume")] {
            let (input, out) = (at(input), at(out));
            let args = ["regrade", input.to_str().expect("text"), "--out", out.to_str().expect("text")];
            let output = callgrade(&[&args[..], more.as_slice()].concat(), b"");
            let (input, out) = (input.display(), out.display());
            assert_eq!(output.status.code(), Some(2), "{input} {out} {more:?}");
            let text =
                format!("callgrade: the input {input} is the output {out}, or lies in it, and would be replaced; give another --out\n");
            assert_eq!(stderr(&output), text);
        }
        assert_eq!(all(folder.path()), before, "{input} {out}");
    }
    // Beside each other, and with names that begin alike.
    regrade(&[&at("in.jsonl")], &at("in"), &[]);
    regrade(&[&at("in.jsonl")], &at("in.jsonl.csv"), &[]);
}

/// Every file under a folder with what it holds.
fn all(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(all(&path));
        } else {
            found.push((path.clone(), std::fs::read(path).expect("a file")));
        }
    }
    found.sort();
    found
}

#[test]
fn results_in_a_folder_are_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    std::fs::create_dir_all(at("in/deep")).expect("a folder");
    std::fs::write(at("in/deep/calls.jsonl"), call("one", "好", "")).expect("a file");
    regrade(&[&at("in/deep/calls.jsonl")], &at("in/deep/before"), &[]);
    let passed = |name: &str| format!("callgrade: {} is passed over: the result of a re-grading, not calls\n", text(name));
    let run = |out: &str, more: &[&str]| {
        let output = callgrade(&[&["regrade", &text("in"), "--out", &text(out)], more].concat(), b"");
        assert_eq!(output.status.code(), Some(0), "{out} {more:?}: {}", stderr(&output));
        stderr(&output)
    };
    assert_eq!(run("in/now", &[]), passed("in/deep/before"));
    assert_eq!(run("in/now", &["--resume"]), "", "it is done");
    assert_eq!(run("in/now", &["--overwrite"]), passed("in/deep/before") + &passed("in/now"));
    assert_eq!(run("in/one.jsonl", &[]), passed("in/deep/before") + &passed("in/now"));
    std::fs::remove_dir_all(at("in/now")).expect("it is there");
    // The verdicts, and what is beside them.
    let told = run("in/one.jsonl", &["--overwrite"]);
    assert!(told.contains(&passed("in/one.jsonl")) && told.contains(&passed("in/one.jsonl.diff.json")), "{told}");
    assert_eq!(verdicts(&at("in/one.jsonl")).len(), 1);
    // A state.json of somebody else's.
    std::fs::create_dir_all(at("other")).expect("a folder");
    std::fs::write(at("other/calls.jsonl"), call("two", "好", "")).expect("a file");
    std::fs::write(at("other/state.json"), call("three", "好", "")).expect("a file");
    regrade(&[&at("other")], &at("other.csv"), &[]);
    let output = callgrade(&["regrade", &text("in/deep/before"), "--out", &text("new")], b"");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), format!("callgrade: {}: the result of a re-grading, not calls\n", text("in/deep/before")));
}

#[test]
fn what_is_none_of_calls_in_a_folder_costs_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("in")).expect("a folder");
    let table = nested(&records(call("one", "好", "").as_bytes()));
    write_parquet(&at("in/1.parquet"), &[table.project(&[0]).expect("columns")], 10);
    write_parquet(&at("in/2.parquet"), &[table], 10);
    std::fs::write(at("in/3.parquet"), "PAR1").expect("a file");
    std::os::unix::fs::symlink(at("nowhere"), at("in/4.jsonl")).expect("a link");
    std::fs::write(at("in/5.jsonl"), call("two", "好", "")).expect("a file");
    // It leads round for ever, and to nothing that is not read anyway.
    std::os::unix::fs::symlink(at("in"), at("in/6")).expect("a link");
    let out = at("out.parquet");
    let output = callgrade(&["regrade", at("in").to_str().expect("text"), "--out", out.to_str().expect("text")], b"");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let rejects = std::fs::read_to_string(at("out.parquet.rejects.jsonl")).expect("the rejects");
    let rejects: Vec<&str> = rejects.lines().collect();
    let of = |name: &str, reason: &str| format!(r#"{{"input":"{}","reason":"{reason}"}}"#, at(name).display());
    assert_eq!(rejects.len(), 3, "{rejects:?}");
    let neither = r#"there is neither a column \"events\" (a row a call) nor a column \"kind\" (a row an event)"#;
    assert_eq!(rejects[0], of("in/1.parquet", neither));
    assert!(rejects[1].starts_with(&format!(r#"{{"input":"{}","reason":""#, at("in/3.parquet").display())), "{rejects:?}");
    assert_eq!(rejects[2], of("in/4.jsonl", "No such file or directory (os error 2)"));
    let ids: Vec<String> = labels(&[&out]).into_iter().map(|[id, _, _]| id).collect();
    assert_eq!(ids, ["one", "two"]);
}

#[test]
fn a_file_that_vanishes_costs_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let gone = "No such file or directory (os error 2)";
    let reading =
        Reading { format: Format::Auto, limits: Limits::default(), vcon: VconOptions::default(), keep_original: false, mask: false };
    let lines = call("gone", "好", "");
    let packed = zstd::encode_all(lines.as_bytes(), 1).expect("packed");
    let table = nested(&records([&*lines; 9].join("\n").as_bytes()));
    let vcon = serde_json::json!({"vcon": "0.0.2", "uuid": "u", "parties": [], "dialog": []});
    let vcon = serde_json::to_vec_pretty(&vcon).expect("JSON");
    for name in ["first.jsonl", "first.jsonl.zst", "first.parquet", "first.vcon"] {
        let path = at(name);
        match name.rsplit_once('.').expect("an ending").1 {
            "jsonl" => std::fs::write(&path, &lines).expect("a file"),
            "zst" => std::fs::write(&path, &packed).expect("a file"),
            "vcon" => std::fs::write(&path, &vcon).expect("a file"),
            _ => write_parquet(&path, std::slice::from_ref(&table), 2),
        }
        std::fs::write(at("second.jsonl"), call("two", "好", "")).expect("a file");
        let open = |from| Files::open(&[path.clone(), at("second.jsonl")], reading.clone(), from, &[]).expect("files");
        let mut files = open(Position::default());
        std::fs::remove_file(&path).expect("it is there");
        let mut told = Vec::new();
        let mut positions = Vec::new();
        // It would not end by itself.
        for piece in std::iter::from_fn(|| files.next()).take(20) {
            positions.push(piece.after.clone());
            piece.read(&reading, &mut |input, given| {
                told.push(match given {
                    Given::Call(item) => item.record.call_id,
                    Given::Fault(fault) => format!("{input}: {}", fault.rejection.reason),
                });
            });
        }
        assert_eq!(told, [format!("{}: {gone}", path.display()), "two".to_owned()], "{name}");
        // Resumed behind it, it is not told of again, whether it is there by now or not.
        std::fs::write(&path, if name == "first.vcon" { &vcon } else { lines.as_bytes() }).expect("a file");
        let mut files = open(positions[0].clone());
        let piece = files.next().expect("the second file");
        assert_eq!(&*piece.name, at("second.jsonl").to_str().expect("text"), "{name}");
        assert!(files.next().is_none(), "{name}");
    }
}

#[test]
fn a_file_among_the_input_is_not_replaced_by_the_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).to_str().expect("text").to_owned();
    std::fs::create_dir_all(at("in")).expect("a folder");
    let line = call("one", "好", "");
    std::fs::write(at("in/calls.jsonl"), &line).expect("a file");
    let run = |more: &[&str]| callgrade(&[&["regrade", &text("in"), "--out", &text("in/calls.jsonl")], more].concat(), b"");
    for more in [&[][..], &["--overwrite"]] {
        let output = run(more);
        assert_eq!(output.status.code(), Some(2));
        let told = format!(
            "callgrade: the output {} lies in the input {}, is no result of a re-grading, and would be replaced; give another --out\n",
            text("in/calls.jsonl"),
            text("in")
        );
        assert_eq!(stderr(&output), told);
        assert_eq!(std::fs::read_to_string(at("in/calls.jsonl")).expect("it is there"), line);
    }
}

#[test]
fn links_that_lead_round_are_followed_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("in/a")).expect("a folder");
    std::fs::create_dir_all(at("in/b")).expect("a folder");
    std::os::unix::fs::symlink(at("in/b"), at("in/a/x")).expect("a link");
    std::os::unix::fs::symlink(at("in/a"), at("in/b/y")).expect("a link");
    std::fs::write(at("in/a/calls.jsonl"), call("one", "好", "")).expect("a file");
    let out = at("out.parquet");
    let output = callgrade(&["regrade", at("in").to_str().expect("text"), "--out", out.to_str().expect("text")], b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(labels(&[&out]).len(), 1);
}
