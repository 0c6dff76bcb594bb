//! The outbox itself: what is due, in which order, and what becomes of it.

use callgrade::store::Store;
use callgrade::store::calls::{CallRow, Group};
use callgrade::store::pushes::{Due, DuePush, PushCount, PushState, Settlement};

use super::{entries, open, put, row};

fn due(store: &Store, tenant: &str, now_ms: i64) -> Vec<DuePush> {
    store.due_pushes(tenant, now_ms, 100).expect("the outbox is read").pushes
}

/// What is due, as call and turn.
fn names(due: &[DuePush]) -> Vec<String> {
    due.iter().map(|push| push.event_id.rsplit_once('-').expect("an id").0.replace("-live-", ".").replace("-final-", ".f")).collect()
}

fn settle(store: &Store, push: &DuePush, settlement: Settlement) {
    store.settle_pushes(&[(push.clone(), settlement)]).expect("it is settled");
}

/// Runs it on a store.
fn on_a_store(test: fn(&Store)) {
    let folder = tempfile::tempdir().expect("a directory");
    test(&open(folder.path()));
}

#[test]
fn of_a_call_only_the_first_is_due() {
    on_a_store(|store| {
        put(store, vec![row("t", 1, 1), row("t", 2, 1), row("t", 1, 2), row("u", 3, 1)]);
        put(store, vec![row("t", 2, 1_000), row("t", 1, 1_000)]);
        let first = due(store, "t", 5_000);
        assert_eq!(names(&first), ["1.1", "2.1"]);
        assert_eq!(names(&due(store, "u", 5_000)), ["3.1"]);
        assert_eq!(names(&due(store, "v", 5_000)), [""; 0]);
        let limited = store.due_pushes("t", 5_000, 1).unwrap();
        assert_eq!(names(&limited.pushes), ["1.1"]);
        assert_eq!((first[0].call, &*first[0].call_id, first[0].tries), (1, "call-1", 0));
        assert_eq!(first[0].body, row("t", 1, 1).body);
        settle(store, &first[0], Settlement::Delivered);
        assert_eq!(names(&due(store, "t", 5_000)), ["2.1", "1.2"]);
        settle(store, &due(store, "t", 5_000)[1], Settlement::Delivered);
        assert_eq!(names(&due(store, "t", 5_000)), ["2.1", "1.f1"]);
    });
}

#[test]
fn nothing_is_due_before_its_time_and_what_failed_takes_those_behind_it_along() {
    on_a_store(|store| {
        put(store, vec![row("t", 1, 1), row("t", 1, 2), row("t", 2, 5)]);
        assert_eq!(store.due_pushes("t", 1_000, 100).unwrap(), Due { pushes: Vec::new(), next_ms: Some(1_001) });
        let first = due(store, "t", 5_000);
        settle(store, &first[0], Settlement::Again(9_000, "HTTP 500".to_owned()));
        let now = store.due_pushes("t", 5_000, 100).unwrap();
        assert_eq!((names(&now.pushes), now.next_ms), (vec!["2.5".to_owned()], Some(9_000)));
        let entries = entries(store);
        assert_eq!((entries[0].due_ms, entries[0].tries, &*entries[0].error), (9_000, 1, "HTTP 500"));
        assert_eq!((entries[1].due_ms, entries[1].tries, &*entries[1].error), (9_000, 0, ""));
        assert_eq!(entries[2].due_ms, 1_005);
        let later = due(store, "t", 9_000);
        assert_eq!(names(&later), ["2.5", "1.1"]);
        assert_eq!(later[1].tries, 1);
    });
}

#[test]
fn what_is_given_up_is_kept_and_lets_the_next_pass_until_it_is_resent() {
    on_a_store(|store| {
        put(store, vec![row("t", 1, 1), row("t", 1, 2), row("u", 2, 1)]);
        let first = due(store, "t", 5_000);
        settle(store, &first[0], Settlement::GivenUp("HTTP 404".to_owned()));
        assert_eq!(names(&due(store, "t", 5_000)), ["1.2"]);
        let dead = store.pushes("t", Some(PushState::Dead), 0, 10).unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!((&*dead[0].event_id, dead[0].tries, &*dead[0].error), (&*first[0].event_id, 1, "HTTP 404"));
        let count = |tenant: &str, state, count| PushCount { tenant: tenant.to_owned(), state, count };
        let counts = [count("t", PushState::Pending, 1), count("t", PushState::Dead, 1), count("u", PushState::Pending, 1)];
        assert_eq!(store.push_counts().unwrap(), counts);
        // Not another tenant's, and no other's.
        assert!(!store.resend_push("u", &first[0].event_id, 6_000).unwrap());
        assert!(!store.resend_push("", "1-final-9-0", 6_000).unwrap());
        assert_eq!(store.resend_dead_pushes("u", 6_000).unwrap(), 0);
        assert!(store.resend_push("t", &first[0].event_id, 6_000).unwrap());
        let again = due(store, "t", 6_000);
        assert_eq!((names(&again), again[0].tries), (vec!["1.1".to_owned()], 0));
        settle(store, &again[0], Settlement::GivenUp("HTTP 404".to_owned()));
        assert_eq!(store.resend_dead_pushes("", 7_000).unwrap(), 1);
        assert_eq!(names(&due(store, "t", 7_000)), ["1.1"]);
    });
}

#[test]
fn what_was_put_off_is_due_when_it_is_resent() {
    on_a_store(|store| {
        put(store, vec![row("t", 1, 1)]);
        let first = due(store, "t", 5_000);
        settle(store, &first[0], Settlement::Again(i64::MAX, "HTTP 503".to_owned()));
        assert_eq!(names(&due(store, "t", 9_000)), [""; 0]);
        assert!(store.resend_push("", &first[0].event_id, 8_000).unwrap());
        assert_eq!(names(&due(store, "t", 9_000)), ["1.1"]);
    });
}

#[test]
fn a_deleted_call_takes_its_pushes_along_and_settling_them_brings_nothing_back() {
    on_a_store(|store| {
        let call = CallRow {
            id: 1,
            tenant: "t".into(),
            call_id: "call-1".into(),
            script_id: "telemarketing".into(),
            script_version: "0".into(),
            started: None,
            time_zone: "".into(),
            began_ms: 0,
            received_ms: 0,
            attributes: Vec::new(),
        };
        let mut group = Group { calls: vec![call], pushes: vec![row("t", 1, 1), row("t", 1, 2)], ..Group::default() };
        store.commit(&mut group).unwrap();
        let flying = due(store, "t", 5_000);
        store.delete(&[1], &[]).unwrap();
        settle(store, &flying[0], Settlement::Again(9_000, "HTTP 500".to_owned()));
        settle(store, &flying[0], Settlement::GivenUp("HTTP 500".to_owned()));
        settle(store, &flying[0], Settlement::Delivered);
        assert!(entries(store).is_empty());
    });
}

#[test]
fn a_long_list_comes_in_pages() {
    on_a_store(|store| {
        put(store, (1..=25).map(|call| row("t", call, 1)).collect());
        let (mut after, mut calls) = (0, Vec::new());
        loop {
            let page = store.pushes("", None, after, 10).unwrap();
            let Some(last) = page.last() else { break };
            after = last.number;
            calls.extend(page.into_iter().map(|entry| entry.call_id));
        }
        assert_eq!(calls, (1..=25).map(|call| format!("call-{call}")).collect::<Vec<_>>());
    });
}
