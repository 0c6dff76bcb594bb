//! What a receiver reads: the verdict as `classify` gives it, in an event that others' libraries read and whose signature they
//! verify.

use std::time::Duration;

use callgrade::service::push::{News, PushSettings};
use callgrade::wire::v1;

use super::receiver::Receiver;
use super::{SECRET, block_on, entries, open, put, quick, receivers, start, until};
use crate::support;

/// The development cases' verdicts as the real program gives them.
fn verdicts() -> Vec<v1::Verdict> {
    let calls: Vec<String> = support::all_cases()
        .iter()
        .take(20)
        .enumerate()
        .map(|(number, (script, case))| {
            // Dots, quotes and Han in an id are the dialer's right.
            let call = support::case_message(&format!("外呼.{number}\"x\""), script, case);
            serde_json::to_string(&call).expect("JSON")
        })
        .collect();
    let output = support::callgrade(&["classify"], calls.join("\n").as_bytes());
    assert!(output.status.success(), "{}", support::stderr(&output));
    support::stdout(&output).lines().map(|line| serde_json::from_str(line).expect("a verdict")).collect()
}

#[test]
fn the_event_holds_the_verdict_that_classify_gives() {
    let verdicts = verdicts();
    assert_eq!(verdicts.len(), 20);
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let key = || vec![vec![9; 32], SECRET.to_vec()];
    // Two secrets, as while a receiver changes from one to the other; it knows only one of them.
    let settings = |url: &str| PushSettings::new(url, key(), Vec::new(), false).expect("good settings");
    let tenant = "acme".into();
    let rows = verdicts.iter().zip(1..).map(|(verdict, call)| {
        let news = News { tenant: &tenant, call, turn: 9, heard: false, made_ms: 1_700_000_000_000, verdict };
        settings("http://localhost/").row(&news).expect("it is wanted")
    });
    put(&store, rows.collect());
    block_on(async {
        let receiver = Receiver::good().await;
        let pusher = start(&store, [("acme".to_owned(), settings(&receiver.url))].into(), quick());
        until("the outbox is empty", || entries(&store).is_empty()).await;
        pusher.stop(Duration::from_secs(30)).await;
        let taken = receiver.taken();
        assert_eq!(taken.len(), verdicts.len());
        for arrival in &taken {
            assert_eq!(arrival.headers["webhook-signature"].to_str().unwrap().matches("v1,").count(), 2);
            let told: v1::Verdict = serde_json::from_value(arrival.event["data"].clone()).expect("a verdict");
            let wanted = verdicts.iter().find(|verdict| verdict.call_id == arrival.call()).expect("one of them");
            assert_eq!(told, *wanted);
            assert_eq!(arrival.event["data"], serde_json::to_value(wanted).unwrap(), "canonical JSON");
            assert_eq!(arrival.event["type"], "callgrade.verdict.final.v1");
            assert_eq!(arrival.event["source"], "/callgrade/tenants/acme");
            assert_eq!(arrival.event["time"], "2023-11-14T22:13:20Z");
        }
    });
}

#[test]
fn python_libraries_read_and_verify_it() {
    let Some(python) = std::env::var_os("CALLGRADE_PYTHON") else {
        println!("skipped: python libraries for pushes (CALLGRADE_PYTHON is not set; make test sets it)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, vec![super::row("t", 1, 1), super::row("t", 1, 1_000)]);
    let arrivals = block_on(async {
        let receiver = Receiver::good().await;
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("the outbox is empty", || entries(&store).is_empty()).await;
        pusher.stop(Duration::from_secs(30)).await;
        receiver.taken()
    });
    let seen: Vec<_> = arrivals
        .iter()
        .map(|arrival| {
            let headers: serde_json::Map<_, _> =
                arrival.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().expect("text").into())).collect();
            serde_json::json!({ "headers": headers, "body": String::from_utf8(arrival.body.clone()).expect("UTF-8") })
        })
        .collect();
    let file = folder.path().join("arrivals.json");
    std::fs::write(&file, serde_json::to_vec(&seen).unwrap()).unwrap();
    let output =
        crate::support::python(&python).arg("tests/push/verify.py").arg(&file).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", support::stderr(&output));
    assert_eq!(
        support::stdout(&output),
        "callgrade.verdict.provisional.v1 /callgrade/tenants/t call-1 B\ncallgrade.verdict.final.v1 /callgrade/tenants/t call-1 B\n"
    );
}
