//! What the development data has to give.

use serde_json::{Value, json};

use crate::support::{callgrade, data, stderr, stdout};

/// A score of the whole, by group and id: F1 and how many were found wrongly or missed.
fn score(report: &Value, group: &str, id: &str) -> (f64, u64) {
    let groups = report["parts"][0]["groups"].as_array().expect("groups");
    let group = groups.iter().find(|of| of["name"] == group).expect(group);
    let score = group["scores"].as_array().expect("scores").iter().chain([&group["micro"]]).find(|score| score["id"] == id).expect(id);
    (score["f1"]["value"].as_f64().expect("F1"), score["wrong"].as_u64().expect("wrong") + score["missed"].as_u64().expect("missed"))
}

/// What `eval` says of development files, if they are there.
fn measured(what: &str, args: &[&str], files: &[&str]) -> Option<Value> {
    let mut all = vec!["eval".to_owned(), "--output".to_owned(), "json".to_owned()];
    for (arg, file) in args.iter().zip(files) {
        let Some(path) = data(file) else {
            println!("skipped: {what} (no {file}; set CALLGRADE_DATA)");
            return None;
        };
        all.extend([(*arg).to_owned(), path.display().to_string()]);
    }
    let output = callgrade(&all.iter().map(String::as_str).collect::<Vec<_>>(), b"");
    assert!(output.status.success(), "{}", stderr(&output));
    Some(serde_json::from_str(&stdout(&output)).expect("JSON"))
}

#[test]
fn development_calls_are_read_as_people_read_them() {
    let files = ["calls-dev.jsonl", "calls-dev.gold.jsonl"];
    let Some(report) = measured("development calls", &["--calls", "--gold"], &files) else { return };
    let whole = &report["parts"][0];
    assert_eq!((&whole["items"], &report["notices"]), (&json!(104), &json!([])));
    let labels = whole["accuracy"]["value"].as_f64().expect("a share");
    assert!(labels >= 0.97, "{labels} of the labels");
    for (group, id, least) in [("turns", "refuse", 0.95), ("turns", "busy", 0.95), ("questions", "micro", 0.93), ("invite", "micro", 0.95)]
    {
        let (f1, _) = score(&report, group, id);
        assert!(f1 >= least, "{group} {id}: F1 {f1}");
    }
    let (_, errors) = score(&report, "turns", "contact");
    assert!(errors <= 1, "contact: {errors} errors");
    let nodes = whole["agreement"].as_array().expect("signals").iter().find(|signal| signal["signal"] == "nodes").expect("nodes");
    assert!(nodes["share"]["value"].as_f64().expect("a share") >= 0.95, "{nodes}");
}

#[test]
fn development_utterances_are_read_as_people_read_them() {
    const MEAN: [&str; 10] = ["refuse", "do_not_call", "busy", "price", "identity", "contact", "affirm", "deny", "wrong_person", "usage"];
    let Some(report) = measured("development utterances", &["--utterances"], &["utterances.jsonl"]) else { return };
    let mean = MEAN.iter().map(|id| score(&report, "categories", id).0).sum::<f64>() / MEAN.len() as f64;
    assert!(mean >= 0.86, "mean F1 {mean}");
}
