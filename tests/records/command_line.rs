//! `callgrade records`, `forget`, `backup`, `audit` beside a server that runs.

use std::time::{Duration, Instant};

use callgrade::ingest::mask::{MaskKey, Number};
use callgrade::service::retention::sweep;
use callgrade::store::records::Filter;
use callgrade::store::{Location, Store};
use callgrade::wire::v1;

use super::{Program, asking, call, fails, run};
use crate::support::{NEVER, block_on};

#[test]
fn calls_are_listed_and_exported_while_the_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        server.grade(call("c1", "效果怎么样", &[("line", "7")])).await;
        server.grade(call("c2", "我考虑一下", &[])).await;
        let listed = run(folder.path(), &["records", "list", "--label", "B", "--attribute", "line=7"]);
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["call", "script", "label", "rule", "final", "received"]);
        assert!(lines.len() == 2 && lines[1].starts_with("c1    telemarketing  B      B1    yes    20"), "{listed}");
        let exported = run(folder.path(), &["records", "export", "--text", "考虑"]);
        let kept: v1::KeptCall = serde_json::from_str(exported.trim_end()).expect("one call");
        assert_eq!(kept.call.map(|call| call.call_id).as_deref(), Some("c2"));
        assert_eq!(fails(folder.path(), &["records", "show", "c3"]), (Some(1), "callgrade: there is no call \"c3\"\n".to_owned()));
        let audit = run(folder.path(), &["audit", "--limit", "1"]);
        assert!(audit.lines().count() == 2 && audit.trim_end().ends_with("default  cli  export  calls: with certain words"), "{audit}");
        assert!(!audit.contains("考虑"), "what was searched for is not told");
    });
    let nowhere = folder.path().join("nowhere");
    let said = format!(
        "callgrade: there is no store in {}: --store names the data directory of a server, or the URL of a PostgreSQL\n",
        nowhere.display()
    );
    for command in [&["records", "list"][..], &["forget", "--call", "x"], &["backup", "file"], &["audit"], &["script", "list"]] {
        assert_eq!(fails(&nowhere, command), (Some(2), said.clone()), "{command:?}");
    }
    assert!(!nowhere.exists(), "a name misspelt makes nothing");
}

#[test]
fn what_no_call_can_have_is_refused_and_not_found_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    // A server's files are in its store.
    drop(Program::serve(data, &[]));
    let store = Store::open(&Location::Directory(data.to_owned())).expect("it opens");
    // Of a standard that no script in use has any more.
    store.commit(&mut crate::store::rows::simple(1, "default", "c1", "旧", Some(5))).expect("it is written");
    assert_eq!(run(data, &["records", "list", "--label", "A,旧"]).lines().count(), 2);
    assert_eq!(run(data, &["records", "list", "--label", "B,C"]).lines().count(), 1);
    let none = "no script and no kept call has it; there are";
    for (arguments, reason) in [
        (&["list", "--label", "b"][..], format!("there is no label \"b\": {none} A, B, C, D, E, F")),
        (&["export", "--label", "A,Z"], format!("there is no label \"Z\": {none} A, B, C, D, E, F")),
        (&["list", "--script", "telemarketting"], format!("there is no script \"telemarketting\": {none} broadband, telemarketing")),
    ] {
        assert_eq!(fails(data, &[&["records"], arguments].concat()), (Some(2), format!("callgrade: {reason}\n")), "{arguments:?}");
    }
    let told = "callgrade: there is no version \"24a638\": no kept script and no kept call has it; give it whole\n";
    assert_eq!(fails(data, &["records", "list", "--version", "24a638"]), (Some(2), told.to_owned()));
    let (code, told) = fails(data, &["records", "list", "--tenant", "North"]);
    assert!(code == Some(2) && told.contains("\"North\" is no tenant's name"), "{told}");
    let (code, told) = fails(data, &["records", "list", "--rule", "Z9"]);
    assert!(code == Some(2) && told.starts_with(&format!("callgrade: there is no rule \"Z9\": {none} A1, ")), "{told}");
    let (code, told) = fails(data, &["records", "list", "--from", "2026-03-01"]);
    assert!(code == Some(2) && told.contains("not a moment with its time zone, such as 2026-03-01T09:00:00+08:00"), "{told}");
}

#[test]
fn what_is_forgotten_is_shown_first_and_a_running_server_lets_go_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        for (id, customer) in [("c1", "王"), ("c2", "李"), ("c3", "王")] {
            server.grade(call(id, "效果怎么样", &[("customer", customer)])).await;
        }
        let mut live = asking("效果怎么样");
        live.pop();
        server.stream("live", 1, &live).await;
        let shown = run(folder.path(), &["forget", "--attribute", "customer=王"]);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[1].starts_with("c3") && lines[2].starts_with("c1"), "{shown}");
        assert_eq!(lines[3], "calls: 2; nothing is deleted without --yes");
        assert_eq!(run(folder.path(), &["records", "list"]).lines().count(), 5);
        let done = run(folder.path(), &["forget", "--attribute", "customer=王", "--yes"]);
        assert_eq!(done.lines().last(), Some("calls deleted: 2"));
        assert_eq!(
            fails(folder.path(), &["forget", "--attribute", "customer=王"]),
            (Some(1), "callgrade: there is no such call\n".to_owned())
        );
        assert_eq!(run(folder.path(), &["forget", "--call", "live", "--yes"]).lines().last(), Some("calls deleted: 1"));

        // The server had it in memory.
        let begun = Instant::now();
        let state = v1::GetCallStateRequest { call_id: "live".to_owned() };
        while server.grading().await.get_call_state(state.clone()).await.is_ok() {
            assert!(begun.elapsed() < NEVER / 10, "the server does not let go");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("it opens");
        while store.deletions() != Ok(Vec::new()) {
            assert!(begun.elapsed() < NEVER / 10, "the deletion is not settled");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(run(folder.path(), &["records", "list"]).lines().count(), 2);
        let audit = run(folder.path(), &["audit", "--tenant", "default"]);
        let told: Vec<String> =
            audit.lines().skip(1).filter_map(|line| line.split_once("cli  ")).map(|(_, rest)| rest.to_owned()).collect();
        let expected = ["live, forgotten by its id", "c1, forgotten by attribute customer", "c3, forgotten by attribute customer"];
        assert_eq!(told, expected.map(|what| format!("delete  call {what}")), "{audit}");
        assert!(!audit.contains('王'), "whose attribute it was is not told");
    });
    let both = fails(folder.path(), &["forget", "--call", "x", "--attribute", "a=b"]);
    assert!(both.0 == Some(2) && both.1.contains("cannot be used with"), "{both:?}");
    assert_eq!(fails(folder.path(), &["forget"]).0, Some(2));
}

#[test]
fn a_telephone_number_leads_to_the_calls_it_was_masked_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("it opens");
    let key = MaskKey::new(&store.mask_key().expect("a key"));
    for (id, number) in [(1, "13800138000"), (2, "13800138001"), (3, "13800138000")] {
        let mut group = crate::store::rows::simple(id, "default", &format!("c{id}"), "A", Some(5));
        group.numbers = vec![(id, key.fingerprint(&Number::phone(number).expect("a number")))];
        store.commit(&mut group).expect("it is written");
    }
    let done = run(folder.path(), &["forget", "--phone", "+86 138 0013 8000", "--yes"]);
    assert_eq!(done.lines().last(), Some("calls deleted: 2"));
    let left = store.list("default", &Filter::default(), None, 9).expect("they are listed");
    assert_eq!(left.iter().map(|head| head.id).collect::<Vec<_>>(), [2]);
    let audit = run(folder.path(), &["audit"]);
    assert!(audit.contains("call c1, forgotten by telephone number") && !audit.contains("138"), "{audit}");
    let (code, said) = fails(folder.path(), &["forget", "--phone", "8000"]);
    assert!(code == Some(2) && said.contains("it is no telephone number that is masked"), "{said}");
    let (code, _) = fails(folder.path(), &["forget", "--phone", "13800138000", "--tenant", "other"]);
    assert_eq!(code, Some(1), "of another tenant nothing is found");
}

#[test]
fn a_backup_of_a_running_server_is_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    std::fs::create_dir(&copy).expect("a folder");
    let file = copy.join("callgrade.db").display().to_string();
    block_on(async {
        let server = Program::serve(&data, &[]);
        server.grade(call("c1", "效果怎么样", &[])).await;
        let said = run(&data, &["backup", &file]);
        let bytes = std::fs::metadata(&file).expect("the file").len();
        assert_eq!(
            said,
            format!("{}: backed up to {file}, {bytes} bytes; as callgrade.db in a directory of its own it is a store\n", data.display())
        );
        server.grade(call("c2", "效果怎么样", &[])).await;
        assert_eq!(
            fails(&data, &["backup", &file]),
            (Some(2), format!("callgrade: the copy cannot be written ({file} is there already)\n"))
        );
        let nowhere = format!("{file}.d/today.db");
        let told = format!("callgrade: the copy cannot be written ({nowhere}: No such file or directory (os error 2))\n");
        assert_eq!(fails(&data, &["backup", &nowhere]), (Some(2), told));
        // Restored, it serves.
        let restored = Program::serve(&copy, &[]);
        let answer = restored.records().await.list_calls(v1::ListCallsRequest::default()).await.expect("they are listed").into_inner();
        assert_eq!(answer.calls.into_iter().map(|call| call.call_id).collect::<Vec<_>>(), ["c1"]);
    });
}

#[test]
fn retention_takes_what_ended_long_ago() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("it opens");
    let day = 86_400_000;
    for id in 1..=450 {
        let ended = if id % 3 == 0 { None } else { Some(day * (id % 3)) };
        store.commit(&mut crate::store::rows::simple(id, "t", &format!("c{id}"), "A", ended)).expect("it is written");
    }
    store.commit(&mut crate::store::rows::simple(999, "u", "c", "A", Some(1))).expect("it is written");
    assert_eq!(sweep(&store, "t", 30, 31 * day), Ok(0), "not yet");
    assert_eq!(sweep(&store, "t", 30, 31 * day + 1), Ok(150));
    assert_eq!(sweep(&store, "t", 30, 31 * day + 1), Ok(0));
    assert_eq!(sweep(&store, "t", 1, 10 * day), Ok(150));
    let left = store.list("t", &Filter::default(), None, 1_000).expect("they are listed");
    assert!(left.len() == 150 && left.iter().all(|head| head.ended_ms.is_none()), "live calls stay");
    assert_eq!(store.list("u", &Filter::default(), None, 9).expect("they are listed").len(), 1, "another tenant's stay");
    let told = &store.audit_log("t", 1).expect("it is told")[0];
    assert_eq!((told.who.as_str(), told.what.as_str()), ("retention", "calls that ended over 1 days ago: 150"));
}
