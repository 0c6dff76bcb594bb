//! Calls written in groups and read back.

use callgrade::store::calls::{EventKind, EventRow, Group};
use callgrade::store::{Store, StoreError};

use super::rows::{call, entry, event, push, simple, standing, told, verdict};
use super::{Fresh, TABLES, count, on_both, refused};

on_both!(
    a_group_of_many_calls_comes_back_as_it_was,
    calls_among_others_come_with_their_own_events,
    an_event_that_is_there_already_stays_as_it_is,
    the_last_standing_of_a_call_counts,
    a_call_is_written_once,
    find_tells_tenants_apart_and_takes_any_number_of_names,
    open_calls_are_those_that_live_and_those_that_have_just_ended,
    a_head_keeps_every_field,
    the_next_number_is_never_one_that_was_given,
    history_is_in_the_order_of_its_revisions,
    numbers_lead_to_the_calls_of_their_tenant,
    deletion_leaves_nothing_in_any_table,
    what_was_written_of_a_deleted_call_goes_when_it_is_settled,
    those_that_ended_before_come_oldest_first,
    any_characters_that_are_text_come_back,
);

fn find(store: &Store, tenant: &str, call_id: &str) -> Option<callgrade::store::records::StoredCall> {
    store.find(tenant, &[call_id]).expect("it is found").pop()
}

fn a_group_of_many_calls_comes_back_as_it_was(fresh: &Fresh) {
    let store = fresh.open();
    let calls = 300;
    let mut group = Group::default();
    // Interleaved, as streams bring them.
    for seq in (1..=5).rev() {
        for id in 1..=calls {
            group.events.push(event(id, seq, &format!("{id}/{seq}")));
        }
    }
    for id in 1..=calls {
        group.calls.push(call(id, "t", &format!("c{id}")));
        group.standings.push(standing(id, "", None));
    }
    assert_eq!(group.len(), 2_100);
    store.commit(&mut group).expect("it is written");
    let names: Vec<String> = (1..=calls).map(|id| format!("c{id}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = store.find("t", &names).expect("they are found");
    assert_eq!(found.len(), calls as usize);
    for (id, stored) in (1..).zip(&found) {
        let events: Vec<(u32, String)> = (1..=5).map(|seq| (seq, format!("{id}/{seq}"))).collect();
        assert_eq!(told(stored), (format!("c{id}"), events));
    }
    // And from a store that is opened anew.
    drop(store);
    let store = fresh.open();
    assert_eq!(told(&find(&store, "t", "c300").expect("it is kept")), told(&found[299]));
    assert_eq!(store.next_call(), Ok(301));
}

fn calls_among_others_come_with_their_own_events(fresh: &Fresh) {
    let store = fresh.open();
    for id in 1..=200 {
        store.commit(&mut simple(id, "t", &format!("c{id}"), "A", Some(id))).expect("it is written");
        store.commit(&mut Group { events: vec![event(id, 2, &format!("{id}"))], ..Group::default() }).expect("it is written");
    }
    // One alone, close together, far apart, both, and named twice.
    for ids in [vec![7], vec![3, 4, 6, 7], vec![1, 90, 200], vec![5, 6, 7, 150], vec![8, 8, 9]] {
        let names: Vec<String> = ids.iter().map(|id| format!("c{id}")).collect();
        let found = store.find("t", &names.iter().map(String::as_str).collect::<Vec<_>>()).expect("they are found");
        let mut expected: Vec<_> = ids.iter().map(|id| (format!("c{id}"), vec![(1, "one".to_owned()), (2, format!("{id}"))])).collect();
        expected.dedup();
        assert_eq!(found.iter().map(told).collect::<Vec<_>>(), expected);
    }
    let mut open = Vec::new();
    store.open_calls(100, &mut |stored| open.push(told(&stored))).expect("they are read");
    let ended = (100..=200).map(|id| (format!("c{id}"), vec![(1, "one".to_owned()), (2, format!("{id}"))]));
    assert_eq!(open, ended.collect::<Vec<_>>());
}

fn an_event_that_is_there_already_stays_as_it_is(fresh: &Fresh) {
    let store = fresh.open();
    store.commit(&mut simple(1, "t", "c", "", None)).expect("it is written");
    let mut again = Group { events: vec![event(1, 2, "two"), event(1, 1, "another"), event(1, 2, "a third")], ..Group::default() };
    store.commit(&mut again).expect("it is written");
    store.commit(&mut Group { events: vec![event(1, 2, "late")], ..Group::default() }).expect("it is written");
    let (_, events) = told(&find(&store, "t", "c").expect("it is kept"));
    assert_eq!(events.len(), 2);
    assert_eq!(events[0], (1, "one".to_owned()));
    assert_ne!(events[1].1, "late");
}

fn the_last_standing_of_a_call_counts(fresh: &Fresh) {
    let store = fresh.open();
    let mut group = simple(1, "t", "c", "C", None);
    group.standings.push(standing(1, "B", None));
    group.standings.push(standing(1, "A", None));
    store.commit(&mut group).expect("it is written");
    assert_eq!(find(&store, "t", "c").expect("it is kept").head.label, "A");
    store.commit(&mut Group { standings: vec![standing(1, "D", Some(8))], ..Group::default() }).expect("it is written");
    let head = find(&store, "t", "c").expect("it is kept").head;
    assert_eq!(
        (head.label.as_str(), head.rule.as_str(), head.revision, head.ended_by.as_str(), head.ended_ms),
        ("D", "D1", 1, "hangup", Some(8))
    );
    assert_eq!(count(&store, "standings"), 1);
}

fn a_call_is_written_once(fresh: &Fresh) {
    let store = fresh.open();
    store.commit(&mut simple(1, "t", "c", "", None)).expect("it is written");
    let mut twice = simple(2, "t", "c", "A", None);
    twice.events.push(event(1, 9, "of another call"));
    assert!(matches!(store.commit(&mut twice), Err(StoreError::Refused(_))), "the tenant has a call of that name");
    assert!(matches!(store.commit(&mut simple(1, "t", "d", "A", None)), Err(StoreError::Refused(_))), "the number is given");
    assert_eq!(told(&find(&store, "t", "c").expect("it is kept")).1.len(), 1, "nothing of a group that fails is kept");
    store.commit(&mut simple(2, "u", "c", "A", None)).expect("another tenant may have one of that name");
}

fn find_tells_tenants_apart_and_takes_any_number_of_names(fresh: &Fresh) {
    let store = fresh.open();
    for id in 1..=70 {
        store.commit(&mut simple(id, if id % 2 == 0 { "t" } else { "u" }, &format!("c{id}"), "", None)).expect("it is written");
    }
    assert_eq!(store.find("t", &[]).expect("none").len(), 0);
    assert_eq!(store.find("t", &["c1", "nobody"]).expect("none").len(), 0);
    let names: Vec<String> = (1..=70).map(|id| format!("c{id}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (tenant, odd) in [("t", 0), ("u", 1)] {
        let found = store.find(tenant, &names).expect("half of them");
        assert_eq!(found.len(), 35);
        assert!(found.iter().all(|call| &*call.head.tenant == tenant && call.head.id % 2 == odd && call.events.len() == 1));
    }
    assert_eq!(store.tenants().expect("both"), ["t", "u"]);
}

fn open_calls_are_those_that_live_and_those_that_have_just_ended(fresh: &Fresh) {
    let store = fresh.open();
    for (id, ended) in [(1, None), (2, Some(100)), (3, Some(200)), (4, None), (5, Some(300))] {
        store.commit(&mut simple(id, "t", &format!("c{id}"), "", ended)).expect("it is written");
    }
    // Enough for more than one statement.
    for id in 6..=150 {
        store.commit(&mut simple(id, "u", &format!("c{id}"), "", None)).expect("it is written");
    }
    let mut found = Vec::new();
    store.open_calls(200, &mut |call| found.push(call)).expect("they are read");
    let ids: Vec<i64> = found.iter().map(|call| call.head.id).collect();
    let expected: Vec<i64> = [1, 3, 4, 5].into_iter().chain(6..=150).collect();
    assert_eq!(ids, expected);
    assert!(found.iter().all(|call| call.events.len() == 1 && call.events[0].call == call.head.id));
}

fn a_head_keeps_every_field(fresh: &Fresh) {
    let store = fresh.open();
    let mut group = Group { calls: vec![call(7, "t", "c")], standings: vec![standing(7, "A", Some(8))], ..Group::default() };
    group.calls[0].started = Some((-5, 999_999_999));
    group.calls[0].time_zone = "Asia/Shanghai".into();
    group.calls[0].attributes = vec![("campaign".to_owned(), "春季".to_owned()), ("line".to_owned(), String::new())];
    group.calls[0].began_ms = -4_001;
    let rejected = EventRow { kind: EventKind::Rejected, ..event(7, 2, "played is 7, outside 0 to 1") };
    group.events = vec![event(7, 1, "\0\u{1}"), rejected];
    store.commit(&mut group).expect("it is written");
    let stored = find(&store, "t", "c").expect("it is kept");
    let head = &stored.head;
    assert_eq!((head.id, &*head.tenant, &*head.call_id), (7, "t", "c"));
    assert_eq!((head.script_id.as_str(), head.script_version.as_str()), ("telemarketing", "0123456789abcdef"));
    assert_eq!(
        (head.started, head.time_zone.as_str(), head.began_ms, head.received_ms),
        (Some((-5, 999_999_999)), "Asia/Shanghai", -4_001, 7_000)
    );
    assert_eq!(
        stored.events.iter().map(|row| (row.kind, row.received_ms)).collect::<Vec<_>>(),
        [(EventKind::Taken, 5), (EventKind::Rejected, 5)]
    );
    assert_eq!(&*stored.events[0].body, b"\0\x01");
    let attributes = store.attributes(&[7, 8]).expect("they are read");
    assert_eq!(attributes.len(), 1);
    let told: Vec<(&str, &str)> = attributes[&7].iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(told, [("campaign", "春季"), ("line", "")]);
}

fn the_next_number_is_never_one_that_was_given(fresh: &Fresh) {
    let store = fresh.open();
    assert_eq!(store.next_call(), Ok(1));
    for id in 1..=3 {
        store.commit(&mut simple(id, "t", &format!("c{id}"), "", None)).expect("it is written");
    }
    assert_eq!(store.next_call(), Ok(4));
    store.delete(&[3], &[]).expect("it is deleted");
    assert_eq!(store.next_call(), Ok(4), "a server may still write of call 3");
}

fn history_is_in_the_order_of_its_revisions(fresh: &Fresh) {
    let store = fresh.open();
    let mut group = simple(1, "t", "c", "A", Some(8));
    group.verdicts = vec![verdict(1, 2, "second"), verdict(1, 1, "first")];
    store.commit(&mut group).expect("it is written");
    store.commit(&mut Group { verdicts: vec![verdict(1, 3, "third")], ..Group::default() }).expect("it is written");
    assert_eq!(store.history(1), Ok(vec![b"first".to_vec(), b"second".to_vec(), b"third".to_vec()]));
    assert_eq!(store.history(2), Ok(Vec::new()));
    let again = store.commit(&mut Group { verdicts: vec![verdict(1, 3, "another third")], ..Group::default() });
    assert!(matches!(again, Err(StoreError::Refused(_))), "a revision is made once: {again:?}");
}

fn numbers_lead_to_the_calls_of_their_tenant(fresh: &Fresh) {
    let store = fresh.open();
    for (id, tenant) in [(1, "t"), (2, "t"), (3, "u")] {
        let mut group = simple(id, tenant, &format!("c{id}"), "", None);
        group.numbers = vec![(id, [9; 16]), (id, [9; 16]), (id, [id as u8; 16])];
        store.commit(&mut group).expect("it is written");
    }
    let ids = |tenant: &str, number: u8| -> Vec<i64> {
        store.with_number(tenant, &[number; 16]).expect("they are found").iter().map(|head| head.id).collect()
    };
    assert_eq!((ids("t", 9), ids("u", 9), ids("t", 2), ids("t", 3)), (vec![1, 2], vec![3], vec![2], vec![]));
}

fn deletion_leaves_nothing_in_any_table(fresh: &Fresh) {
    let store = fresh.open();
    let empty: Vec<i64> = TABLES.iter().map(|table| count(&store, table)).collect();
    let mut keep = simple(2, "t", "kept", "A", Some(8));
    keep.numbers = vec![(2, [2; 16])];
    let mut group = simple(1, "t", "c", "A", Some(8));
    group.calls[0].attributes = vec![("line".to_owned(), "7".to_owned())];
    group.verdicts = vec![verdict(1, 1, "first"), verdict(1, 2, "second")];
    group.numbers = vec![(1, [1; 16])];
    group.pushes = vec![push(1, "e1")];
    group.events.push(event(1, 2, "two"));
    store.commit(&mut group).expect("it is written");
    store.commit(&mut keep).expect("it is written");
    store.delete(&[1], &[entry("t", "delete", "c")]).expect("it is deleted");
    assert!(find(&store, "t", "c").is_none());
    assert_eq!(told(&find(&store, "t", "kept").expect("it stays")).1.len(), 1);
    assert_eq!(store.audit_log("t", 10).expect("it is told"), [entry("t", "delete", "c")]);
    assert_eq!(store.deletions(), Ok(vec![1]));
    store.delete(&[2], &[]).expect("it is deleted");
    store.settle(&[1, 2]).expect("it is settled");
    assert_eq!(store.deletions(), Ok(Vec::new()));
    let left: Vec<i64> = TABLES.iter().map(|table| count(&store, table) - i64::from(*table == "audit")).collect();
    assert_eq!(left, empty, "of {TABLES:?}");
}

fn what_was_written_of_a_deleted_call_goes_when_it_is_settled(fresh: &Fresh) {
    let (server, other) = (fresh.open(), fresh.open());
    server.commit(&mut simple(1, "t", "c", "", None)).expect("it is written");
    other.delete(&[1], &[]).expect("another process deletes it");
    let mut late = Group { events: vec![event(1, 2, "two")], standings: vec![standing(1, "A", None)], ..Group::default() };
    server.commit(&mut late).expect("the server does not know yet");
    assert!(find(&other, "t", "c").is_none(), "events without a call are none's");
    assert_eq!(server.deletions(), Ok(vec![1]));
    server.settle(&[1]).expect("it is settled");
    assert_eq!((count(&other, "events"), count(&other, "standings"), count(&other, "deletions")), (0, 0, 0));
}

fn those_that_ended_before_come_oldest_first(fresh: &Fresh) {
    let store = fresh.open();
    for (id, ended) in [(1, Some(300)), (2, None), (3, Some(100)), (4, Some(199)), (5, Some(200))] {
        store.commit(&mut simple(id, "t", &format!("c{id}"), "", ended)).expect("it is written");
    }
    store.commit(&mut simple(6, "u", "c6", "", Some(1))).expect("it is written");
    let ids = |most| -> Vec<i64> { store.ended_before("t", 200, most).expect("they are found").iter().map(|head| head.id).collect() };
    assert_eq!((ids(10), ids(1), ids(0)), (vec![3, 4], vec![3], vec![]));
}

fn any_characters_that_are_text_come_back(fresh: &Fresh) {
    let store = fresh.open();
    for (id, name) in (1..).zip(["通话", "a'b\"c\\d;--", "%_", "\u{1F4DE}", " leading and trailing ", "Ａ", "a", "A"]) {
        store.commit(&mut simple(id, "t", name, "", None)).expect(name);
        assert_eq!(find(&store, "t", name).map(|call| call.head.id), Some(id), "{name:?}");
    }
    // PostgreSQL keeps no NUL in a text. Which of the two a store is must not decide whether a call can be kept.
    let reason = refused(store.commit(&mut simple(99, "t", "a\0b", "", None)));
    assert_eq!(reason, "the store refuses (text with a NUL character)");
}
