//! Calls listed by filter, a page at a time.

use std::collections::BTreeMap;

use callgrade::store::Store;
use callgrade::store::calls::Group;
use callgrade::store::records::{CallHead, Cursor, Filter};

use super::rows::{call, event, simple, standing};
use super::{Fresh, on_both};

on_both!(
    each_filter_lets_through_what_it_says,
    the_newest_come_first_and_pages_hold_each_call_once,
    calls_that_come_meanwhile_put_no_page_out_of_order,
    events_come_with_their_calls_in_the_order_of_the_heads,
    many_kinds_of_filters_are_answered,
);

fn ids(store: &Store, filter: &Filter) -> Vec<i64> {
    store.list("t", filter, None, 100).expect("they are listed").iter().map(|head| head.id).collect()
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn each_filter_lets_through_what_it_says(fresh: &Fresh) {
    let store = fresh.open();
    let mut group = Group::default();
    for (id, script, version, label, ended, line) in [
        (1, "telemarketing", "aa", "A", Some(50), "1"),
        (2, "telemarketing", "bb", "B", Some(60), "2"),
        (3, "broadband", "cc", "A", None, "1"),
        (4, "broadband", "cc", "", None, "2"),
    ] {
        let mut row = call(id, "t", &format!("c{id}"));
        row.script_id = script.into();
        row.script_version = version.into();
        row.attributes = vec![("line".to_owned(), line.to_owned()), ("all".to_owned(), "x".to_owned())];
        group.calls.push(row);
        group.standings.push(standing(id, label, ended));
        group.events.push(event(id, 1, &format!("怎么收费{id}")));
    }
    group.events.push(event(2, 2, "100% _不需要_'"));
    let rejected = callgrade::store::calls::EventKind::Rejected;
    group.events.push(callgrade::store::calls::EventRow { kind: rejected, ..event(3, 2, "不需要") });
    store.commit(&mut group).expect("it is written");
    store.commit(&mut simple(9, "u", "of another tenant", "A", None)).expect("it is written");

    let all = Filter::default();
    let text = |text: &str| Filter { text: text.to_owned(), ..Filter::default() };
    for (filter, expected) in [
        (all.clone(), vec![4, 3, 2, 1]),
        (Filter { script_id: "broadband".to_owned(), ..all.clone() }, vec![4, 3]),
        (Filter { script_version: "bb".to_owned(), ..all.clone() }, vec![2]),
        (Filter { labels: vec!["A".to_owned()], ..all.clone() }, vec![3, 1]),
        (Filter { labels: vec!["A".to_owned(), "B".to_owned()], ..all.clone() }, vec![3, 2, 1]),
        (Filter { rule: "B1".to_owned(), ..all.clone() }, vec![2]),
        (Filter { from_ms: Some(2_000), ..all.clone() }, vec![4, 3, 2]),
        (Filter { before_ms: Some(2_000), ..all.clone() }, vec![1]),
        (Filter { from_ms: Some(2_000), before_ms: Some(3_001), ..all.clone() }, vec![3, 2]),
        (Filter { attributes: attributes(&[("line", "1")]), ..all.clone() }, vec![3, 1]),
        (Filter { attributes: attributes(&[("line", "1"), ("all", "x")]), ..all.clone() }, vec![3, 1]),
        (Filter { attributes: attributes(&[("line", "1"), ("all", "y")]), ..all.clone() }, vec![]),
        (Filter { ended: Some(true), ..all.clone() }, vec![2, 1]),
        (Filter { ended: Some(false), ..all.clone() }, vec![4, 3]),
        (text("怎么收费"), vec![4, 3, 2, 1]),
        (text("费3"), vec![3]),
        (text("不需要"), vec![2]),
        (text("100% _"), vec![2]),
        (text("_'"), vec![2]),
        (text("100_ "), vec![]),
        (Filter { labels: vec!["A".to_owned()], ended: Some(false), text: "费".to_owned(), ..all }, vec![3]),
    ] {
        assert_eq!(ids(&store, &filter), expected, "{filter:?}");
    }
}

/// Reads all pages.
fn pages(store: &Store, size: usize, mut between: impl FnMut(usize)) -> Vec<CallHead> {
    let mut all: Vec<CallHead> = Vec::new();
    let mut page = 0;
    loop {
        let after = all.last().map(|head| Cursor { began_ms: head.began_ms, id: head.id });
        let next = store.list("t", &Filter::default(), after, size).expect("a page");
        if next.is_empty() {
            return all;
        }
        assert!(next.len() <= size);
        all.extend(next);
        page += 1;
        between(page);
    }
}

fn the_newest_come_first_and_pages_hold_each_call_once(fresh: &Fresh) {
    let store = fresh.open();
    let mut group = Group::default();
    for id in 1..=50 {
        let mut row = call(id, "t", &format!("c{id}"));
        // Many begin in the same millisecond, and numbers do not tell who began first.
        row.began_ms = 1_000 - id / 10;
        group.calls.push(row);
        group.standings.push(standing(id, "", None));
    }
    store.commit(&mut group).expect("it is written");
    let mut expected: Vec<i64> = (1..=50).collect();
    expected.sort_by_key(|id| (std::cmp::Reverse(1_000 - id / 10), std::cmp::Reverse(*id)));
    for size in [1, 7, 50, 100] {
        let found: Vec<i64> = pages(&store, size, |_| {}).iter().map(|head| head.id).collect();
        assert_eq!(found, expected, "in pages of {size}");
    }
}

fn calls_that_come_meanwhile_put_no_page_out_of_order(fresh: &Fresh) {
    let store = fresh.open();
    for id in 1..=30 {
        store.commit(&mut simple(id, "t", &format!("c{id}"), "", None)).expect("it is written");
    }
    let found = pages(&store, 4, |page| {
        // Each page, a call that begins now and one that is told late to have begun in the middle.
        let id = 30 + 2 * page as i64;
        store.commit(&mut simple(id - 1, "t", &format!("c{}", id - 1), "", None)).expect("it is written");
        let mut late = simple(id, "t", &format!("c{id}"), "", None);
        late.calls[0].began_ms = 15_500;
        store.commit(&mut late).expect("it is written");
    });
    let mut ids: Vec<i64> = found.iter().map(|head| head.id).collect();
    assert!(found.is_sorted_by_key(|head| (std::cmp::Reverse(head.began_ms), std::cmp::Reverse(head.id))));
    ids.sort_unstable();
    let listed = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), listed, "no call twice");
    assert!((1..=30).all(|id| ids.binary_search(&id).is_ok()), "none left out: {ids:?}");
}

fn events_come_with_their_calls_in_the_order_of_the_heads(fresh: &Fresh) {
    let store = fresh.open();
    for id in 1..=70 {
        let mut group = simple(id, "t", &format!("c{id}"), "", None);
        group.events.push(event(id, 2, &format!("of {id}")));
        store.commit(&mut group).expect("it is written");
    }
    let heads = store.list("t", &Filter::default(), None, 100).expect("they are listed");
    let calls = store.with_events(&heads).expect("they are read");
    assert_eq!(calls.iter().map(|call| call.head.id).collect::<Vec<_>>(), (1..=70).rev().collect::<Vec<_>>());
    assert!(calls.iter().all(|call| call.events.len() == 2 && *call.events[1].body == *format!("of {}", call.head.id).as_bytes()));
    assert!(store.with_events(&[]).expect("none").is_empty());
}

fn many_kinds_of_filters_are_answered(fresh: &Fresh) {
    let store = fresh.open();
    store.commit(&mut simple(1, "t", "c", "A", None)).expect("it is written");
    // More texts of statements than a connection keeps ready.
    for labels in 1..=300 {
        let filter = Filter { labels: (0..labels).map(|label| format!("L{label}")).chain(["A".to_owned()]).collect(), ..Filter::default() };
        assert_eq!(ids(&store, &filter), [1], "{labels} labels");
    }
}
