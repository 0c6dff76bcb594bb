//! `callgrade push`, the real program, beside a process that pushes.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use callgrade::service::push::{PushOptions, Schedule};
use callgrade::store::pushes::Settlement;
use serde_json::{Value, json};

use super::receiver::{Receiver, Reply};
use super::{block_on, dead, entries, open, put, quick, receivers, row, start, until};
use crate::support::{callgrade, stderr, stdout};

fn push(store: &std::path::Path, args: &[&str]) -> Output {
    let (command, rest) = args.split_first().expect("a command");
    let all = [&["push", command, "--store", store.to_str().expect("a path")], rest].concat();
    callgrade(&all, b"")
}

fn listed(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output).lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

#[test]
fn dead_letters_are_listed_and_sent_again_while_a_process_pushes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let path = folder.path();
    block_on(async {
        let well = Arc::new(AtomicBool::new(false));
        let is_well = Arc::clone(&well);
        let receiver = Receiver::start(move |_, _| Reply::Status(if is_well.load(Ordering::SeqCst) { 200 } else { 500 })).await;
        put(&store, vec![row("t", 1, 1_000), row("t", 2, 1_000), row("t", 3, 1_000)]);
        let schedule = Schedule::new(vec![Duration::from_millis(5)]);
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), PushOptions { schedule, ..quick() });
        until("all are given up", || dead(&store).len() == 3).await;
        let found = listed(&push(path, &["list", "--dead", "--output", "json"]));
        assert_eq!(found.len(), 3);
        let id = found[1]["id"].as_str().unwrap();
        assert_eq!(
            found[1],
            json!({
                "id": id, "tenant": "t", "callId": "call-2", "state": "dead", "tries": 2, "madeAt": "1970-01-01T00:00:02Z",
                "dueAt": null, "error": "HTTP 500 Internal Server Error",
            })
        );
        well.store(true, Ordering::SeqCst);

        let output = push(path, &["resend", id, "7-final-1-0", "--tenant", "t"]);
        assert_eq!(stdout(&output), "to be sent again: 1\n");
        assert_eq!(stderr(&output), "callgrade: there is no push \"7-final-1-0\" in the outbox\n");
        assert_eq!(output.status.code(), Some(1));
        until("it has come", || entries(&store).len() == 2).await;
        assert_eq!(receiver.taken().iter().map(|arrival| arrival.id.as_str()).collect::<Vec<_>>(), [id]);

        let output = push(path, &["resend", "--all", "--tenant", "u"]);
        assert_eq!((stdout(&output).as_str(), output.status.code()), ("to be sent again: 0\n", Some(0)));
        let output = push(path, &["resend", "--all"]);
        assert_eq!((stdout(&output).as_str(), output.status.code()), ("to be sent again: 2\n", Some(0)));
        until("the outbox is empty", || entries(&store).is_empty()).await;
        assert_eq!(receiver.taken().len(), 3);
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn the_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(stdout(&push(folder.path(), &["list"])), "id  tenant  call  state  tries  made  next try  error\n");
    put(&store, vec![row("acme", 1, 1_000), row("acme", 2, 1), row("zeta", 3, 1)]);
    let due = store.due_pushes("acme", 5_000, 10).unwrap().pushes;
    let first = due.iter().find(|push| push.call == 1).unwrap();
    store.settle_pushes(&[(first.clone(), Settlement::GivenUp("HTTP 404 Not Found".to_owned()))]).unwrap();
    let ids: Vec<String> = entries(&store).into_iter().map(|entry| entry.event_id).collect();
    let wanted = format!(
        "\
{:<width$}  tenant  call    state    tries  made                      next try                  error
{:<width$}  acme    call-1  dead     1      1970-01-01T00:00:02Z                                HTTP 404 Not Found
{:<width$}  acme    call-2  pending  0      1970-01-01T00:00:01.001Z  1970-01-01T00:00:01.001Z
",
        "id",
        ids[0],
        ids[1],
        width = ids[0].len()
    );
    assert_eq!(stdout(&push(folder.path(), &["list", "--tenant", "acme"])), wanted);
    assert_eq!(stdout(&push(folder.path(), &["list"])).lines().count(), 4);
}

#[test]
fn what_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nothing-here");
    let output = push(&missing, &["list"]);
    assert_eq!(
        stderr(&output),
        format!(
            "callgrade: there is no store in {}: --store names the data directory of a server, or the URL of a PostgreSQL\n",
            missing.display()
        )
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(!missing.exists(), "a misspelt directory is not made");
    assert_eq!(push(folder.path(), &["resend"]).status.code(), Some(2), "of what?");
    assert_eq!(push(folder.path(), &["resend", "--all", "1-final-1-0"]).status.code(), Some(2), "all, or this one?");
    let help = callgrade(&["push", "resend", "--help", "--lang", "zh"], b"");
    assert!(stdout(&help).contains("所有放弃了的"), "{}", stdout(&help));
}
