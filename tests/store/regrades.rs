//! Jobs that grade kept calls anew, and what they find.

use std::collections::HashSet;

use callgrade::store::Store;
use callgrade::store::records::{Cursor, Filter};
use callgrade::store::regraded::{PageKept, RegradedFilter, RegradedKind, RegradedPage, RegradedRow};
use callgrade::store::regrades::{Asked, NewRegrade, RegradeCounts, RegradeRow, RegradeState};

use super::rows::{entry, simple, standing};
use super::{Fresh, count, on_both};

on_both!(
    a_job_is_asked_for_once_and_the_queue_is_bounded,
    tenants_take_turns_and_a_running_job_goes_on,
    a_page_and_how_far_the_job_has_come_are_one_transaction,
    results_are_listed_by_what_became_of_them,
    a_deleted_calls_result_goes_and_none_comes_after,
    removed_jobs_are_hidden_at_once_and_go_batch_by_batch,
    calls_that_ended_are_counted_as_of_a_moment,
);

fn new(tenant: &str, id: &str) -> NewRegrade {
    NewRegrade {
        id: id.to_owned(),
        tenant: tenant.to_owned(),
        request_id: String::new(),
        fingerprint: vec![1, 2],
        head: vec![0, 255],
        asked_ms: 1_000,
    }
}

/// Queues a job.
fn ask(store: &Store, tenant: &str, id: &str) -> RegradeRow {
    match store.ask_regrade(&new(tenant, id), None, &entry(tenant, "regrade", id)) {
        Ok(Asked::New(row)) => row,
        other => panic!("{other:?}"),
    }
}

/// Queues a job and has it run.
fn run(store: &Store, tenant: &str, id: &str) -> RegradeRow {
    let row = ask(store, tenant, id);
    let counts = RegradeCounts { calls: 3, live: 1, ..RegradeCounts::default() };
    assert_eq!(store.begin_regrade(row.number, 2_000, counts), Ok(true));
    store.regrade(tenant, id).expect("the store is read").expect("the job")
}

fn result(place: i64, call: i64, kind: RegradedKind, before: Option<&str>, label: &str) -> RegradedRow {
    let body = format!("result {place}").into_bytes();
    RegradedRow { place, call, kind, before_label: before.map(str::to_owned), label: label.to_owned(), body }
}

fn page(rows: Vec<RegradedRow>, done: u64) -> RegradedPage {
    let counts = RegradeCounts { calls: 3, live: 1, done, changed: 1, rejected: 0 };
    let cursor = rows.last().map(|row| Cursor { began_ms: 1_000 * row.call, id: row.call });
    RegradedPage { rows, counts, cursor, diff: format!("diff of {done}").into_bytes(), done_ms: None }
}

fn calls(store: &Store, tenant: &str, numbers: impl IntoIterator<Item = i64>) {
    for number in numbers {
        store.commit(&mut simple(number, tenant, &format!("c{number}"), "A", Some(500))).expect("it is written");
    }
}

fn places(store: &Store, regrade: i64, filter: &RegradedFilter) -> Vec<i64> {
    store.regraded(regrade, filter, None, 100).expect("they are listed").iter().map(|row| row.place).collect()
}

fn a_job_is_asked_for_once_and_the_queue_is_bounded(fresh: &Fresh) {
    let store = fresh.open();
    let named = NewRegrade { request_id: "r1".to_owned(), ..new("t", "rg_1") };
    let audited = entry("t", "regrade", "rg_1");
    let Ok(Asked::New(first)) = store.ask_regrade(&named, Some(2), &audited) else { panic!("it is queued") };
    assert_eq!((first.state, &first.asked, first.began_ms, first.cursor), (RegradeState::Queued, &named, None, None));
    let again = store.ask_regrade(&NewRegrade { id: "rg_2".to_owned(), ..named.clone() }, Some(2), &audited);
    assert_eq!(again, Ok(Asked::Known(first.clone())));
    assert_eq!(store.regrade_of_request("t", "r1"), Ok(Some(first)));
    assert_eq!(store.regrade_of_request("u", "r1"), Ok(None));
    assert_eq!(store.regrade_of_request("t", ""), Ok(None));
    // Of no request id each is another; another tenant's ids and queue are its own.
    ask(&store, "t", "rg_3");
    assert_eq!(store.ask_regrade(&new("t", "rg_4"), Some(2), &audited), Ok(Asked::TooMany));
    let others = NewRegrade { tenant: "u".to_owned(), id: "rg_5".to_owned(), ..named };
    assert!(matches!(store.ask_regrade(&others, Some(2), &entry("u", "regrade", "rg_5")), Ok(Asked::New(_))));
    assert_eq!(store.audit_log("t", 10).expect("it is read").len(), 2, "only what was queued is told");
    let listed =
        |after| -> Vec<String> { store.regrades("t", after, 10).expect("they are listed").into_iter().map(|row| row.asked.id).collect() };
    assert_eq!(listed(None), ["rg_3", "rg_1"]);
    let last = store.regrade("t", "rg_3").expect("the store is read").expect("the job");
    assert_eq!(listed(Some(last.number)), ["rg_1"]);
    assert_eq!(store.regrade("u", "rg_3"), Ok(None));
}

fn tenants_take_turns_and_a_running_job_goes_on(fresh: &Fresh) {
    let store = fresh.open();
    assert_eq!(store.next_regrade(), Ok(None));
    for (tenant, id) in [("t", "t1"), ("t", "t2"), ("t", "t3"), ("u", "u1"), ("u", "u2")] {
        ask(&store, tenant, id);
    }
    let mut order = Vec::new();
    for at_ms in 1.. {
        let Some(next) = store.next_regrade().expect("the store is read") else { break };
        assert_eq!(store.begin_regrade(next.number, at_ms, RegradeCounts::default()), Ok(true));
        assert_eq!(store.begin_regrade(next.number, at_ms, RegradeCounts::default()), Ok(false), "once");
        let running = store.next_regrade().expect("the store is read").expect("the job");
        assert_eq!((running.asked.id.as_str(), running.state), (next.asked.id.as_str(), RegradeState::Running));
        let (state, error) = if order.len() == 1 { (RegradeState::Failed, "why") } else { (RegradeState::Cancelled, "") };
        assert_eq!(store.end_regrade(next.number, state, error, at_ms, None), Ok(true));
        assert_eq!(store.end_regrade(next.number, RegradeState::Cancelled, "", at_ms, Some(&entry("t", "cancel", "x"))), Ok(false));
        order.push(next.asked.id);
    }
    assert_eq!(order, ["t1", "u1", "t2", "u2", "t3"]);
    assert_eq!(store.audit_log("", 100).expect("it is read").len(), 5, "what had ended was not cancelled");
    let states: Vec<(RegradeState, u64)> =
        store.regrade_states().expect("they are counted").into_iter().filter(|(_, jobs)| *jobs > 0).collect();
    assert_eq!(states, [(RegradeState::Cancelled, 4), (RegradeState::Failed, 1)]);
    let failed = store.regrade("u", "u1").expect("the store is read").expect("the job");
    assert_eq!((failed.error.as_str(), failed.ended_ms), ("why", Some(2)));
}

fn a_page_and_how_far_the_job_has_come_are_one_transaction(fresh: &Fresh) {
    let store = fresh.open();
    calls(&store, "t", 1..=3);
    let job = run(&store, "t", "rg_1");
    assert_eq!((job.state, job.counts.calls, job.counts.live, job.began_ms), (RegradeState::Running, 3, 1, Some(2_000)));
    let first = page(vec![result(0, 3, RegradedKind::Same, None, "A"), result(1, 2, RegradedKind::Label, Some("A"), "B")], 2);
    assert_eq!(store.keep_regraded(job.number, &first), Ok(PageKept::Kept));
    let now = store.regrade("t", "rg_1").expect("the store is read").expect("the job");
    assert_eq!((now.counts, now.cursor), (first.counts, Some(Cursor { began_ms: 2_000, id: 2 })));
    assert_eq!(store.regrade_diff(job.number), Ok(b"diff of 2".to_vec()));
    // A place that is taken: nothing of the page is there.
    let twice = page(vec![result(1, 1, RegradedKind::Same, None, "A")], 3);
    assert!(store.keep_regraded(job.number, &twice).is_err());
    let now = store.regrade("t", "rg_1").expect("the store is read").expect("the job");
    assert_eq!((now.counts.done, store.regrade_diff(job.number)), (2, Ok(b"diff of 2".to_vec())));
    let last = RegradedPage { done_ms: Some(9), ..page(vec![result(2, 1, RegradedKind::Rule, Some(""), "")], 3) };
    assert_eq!(store.keep_regraded(job.number, &last), Ok(PageKept::Kept));
    let now = store.regrade("t", "rg_1").expect("the store is read").expect("the job");
    assert_eq!((now.state, now.ended_ms, now.counts.done), (RegradeState::Done, Some(9), 3));
    // Who has not heard of its end writes nothing more.
    assert_eq!(store.keep_regraded(job.number, &page(vec![result(3, 1, RegradedKind::Same, None, "")], 4)), Ok(PageKept::Stopped));
    assert_eq!(store.keep_regraded(job.number, &page(Vec::new(), 3)), Ok(PageKept::Stopped));
    assert_eq!(count(&store, "regraded"), 3);
    // A page without results moves the job all the same.
    let other = run(&store, "t", "rg_2");
    let empty = RegradedPage { cursor: Some(Cursor { began_ms: 5, id: 1 }), ..page(Vec::new(), 0) };
    assert_eq!(store.keep_regraded(other.number, &empty), Ok(PageKept::Kept));
    assert_eq!(store.keep_regraded(other.number, &RegradedPage { cursor: None, ..empty }), Ok(PageKept::Kept));
    let now = store.regrade("t", "rg_2").expect("the store is read").expect("the job");
    assert_eq!(now.cursor, Some(Cursor { began_ms: 5, id: 1 }));
}

fn results_are_listed_by_what_became_of_them(fresh: &Fresh) {
    let store = fresh.open();
    calls(&store, "t", 1..=6);
    let job = run(&store, "t", "rg_1").number;
    let rows = vec![
        result(0, 6, RegradedKind::Same, Some("A"), "A"),
        result(1, 5, RegradedKind::Label, Some("A"), "B"),
        result(2, 4, RegradedKind::Label, Some(""), "B"),
        result(3, 3, RegradedKind::Rule, Some("B"), "B"),
        result(4, 2, RegradedKind::Same, None, "A"),
        result(5, 1, RegradedKind::Rejected, None, ""),
    ];
    assert_eq!(store.keep_regraded(job, &page(rows.clone(), 6)), Ok(PageKept::Kept));
    let all = RegradedFilter::default();
    let kinds = |kinds: &[RegradedKind]| RegradedFilter { kinds: kinds.to_vec(), ..RegradedFilter::default() };
    assert_eq!(store.regraded(job, &all, None, 10), Ok(rows.clone()));
    assert_eq!(store.regraded(job, &all, Some(1), 2), Ok(rows[2..4].to_vec()));
    assert_eq!(places(&store, job, &kinds(&[RegradedKind::Label])), [1, 2]);
    assert_eq!(places(&store, job, &kinds(&[RegradedKind::Label, RegradedKind::Rule])), [1, 2, 3]);
    assert_eq!(places(&store, job, &kinds(&[RegradedKind::Same])), [0, 4]);
    assert_eq!(places(&store, job, &kinds(&[RegradedKind::Same, RegradedKind::Rejected])), [0, 4, 5]);
    let labels = |before: Option<&str>, label: Option<&str>| RegradedFilter {
        before_label: before.map(str::to_owned),
        label: label.map(str::to_owned),
        ..RegradedFilter::default()
    };
    assert_eq!(places(&store, job, &labels(Some("A"), None)), [0, 1]);
    assert_eq!(places(&store, job, &labels(Some(""), None)), [2], "without a label is not the same as not known");
    assert_eq!(places(&store, job, &labels(None, Some("B"))), [1, 2, 3]);
    assert_eq!(places(&store, job, &labels(None, Some(""))), Vec::<i64>::new(), "what was rejected has none");
    assert_eq!(places(&store, job, &labels(Some("A"), Some("B"))), [1]);
    assert_eq!(places(&store, job + 1, &all), Vec::<i64>::new());
}

fn a_deleted_calls_result_goes_and_none_comes_after(fresh: &Fresh) {
    let (store, other) = (fresh.open(), fresh.open());
    calls(&store, "t", 1..=4);
    let job = run(&store, "t", "rg_1").number;
    let first = page(vec![result(0, 4, RegradedKind::Same, None, "A"), result(1, 3, RegradedKind::Label, Some("A"), "B")], 2);
    assert_eq!(store.keep_regraded(job, &first), Ok(PageKept::Kept));
    other.delete(&[3, 2], &[]).expect("another process deletes them");
    assert_eq!(places(&store, job, &RegradedFilter::default()), [0]);
    let next = page(vec![result(2, 2, RegradedKind::Same, None, "A"), result(3, 1, RegradedKind::Same, None, "A")], 4);
    assert_eq!(store.keep_regraded(job, &next), Ok(PageKept::Gone(HashSet::from([2]))));
    assert_eq!(store.regrade("t", "rg_1").expect("the store is read").expect("the job").counts.done, 2, "nothing was written");
    let without = page(vec![result(2, 1, RegradedKind::Same, None, "A")], 3);
    assert_eq!(store.keep_regraded(job, &without), Ok(PageKept::Kept));
    assert_eq!(places(&store, job, &RegradedFilter::default()), [0, 2]);
}

fn removed_jobs_are_hidden_at_once_and_go_batch_by_batch(fresh: &Fresh) {
    let store = fresh.open();
    calls(&store, "t", 1..=5);
    assert_eq!(store.purge_regrades(2), Ok(false));
    let named = NewRegrade { request_id: "r1".to_owned(), ..new("t", "rg_1") };
    let Ok(Asked::New(job)) = store.ask_regrade(&named, None, &entry("t", "regrade", "rg_1")) else { panic!("it is queued") };
    store.begin_regrade(job.number, 1, RegradeCounts::default()).expect("it runs");
    let rows = (0..5).map(|place| result(place, place + 1, RegradedKind::Same, None, "A")).collect();
    assert_eq!(store.keep_regraded(job.number, &page(rows, 5)), Ok(PageKept::Kept));
    store.remove_regrade(job.number, &entry("t", "delete", "rg_1")).expect("it is removed");
    assert_eq!((store.regrade("t", "rg_1"), store.regrades("t", None, 10), store.next_regrade()), (Ok(None), Ok(vec![]), Ok(None)));
    assert_eq!(store.keep_regraded(job.number, &page(Vec::new(), 5)), Ok(PageKept::Stopped));
    assert_eq!(store.end_regrade(job.number, RegradeState::Failed, "", 1, None), Ok(false), "it stays removed");
    assert!(matches!(
        store.ask_regrade(&NewRegrade { id: "rg_2".to_owned(), ..named }, None, &entry("t", "regrade", "rg_2")),
        Ok(Asked::New(_))
    ));
    let mut left = Vec::new();
    while store.purge_regrades(2) == Ok(true) {
        left.push(count(&store, "regraded"));
    }
    assert_eq!(left, [3, 1, 0, 0]);
    assert_eq!((count(&store, "regrades"), count(&store, "regrade_diffs")), (1, 0));
    // Those that ended long ago, and no others.
    for (id, ended) in [("rg_3", Some(10)), ("rg_4", Some(20)), ("rg_5", None)] {
        let job = run(&store, "t", id).number;
        if let Some(at_ms) = ended {
            store.end_regrade(job, RegradeState::Cancelled, "", at_ms, None).expect("it ends");
        }
    }
    let told = |row: &RegradeRow| entry(&row.asked.tenant, "delete", &row.asked.id);
    assert_eq!((store.expire_regrades(20, &told), store.expire_regrades(20, &told)), (Ok(1), Ok(0)));
    assert_eq!(store.audit_log("t", 1), Ok(vec![entry("t", "delete", "rg_3")]));
    let left: Vec<String> = store.regrades("t", None, 10).expect("they are listed").into_iter().map(|row| row.asked.id).collect();
    assert_eq!(left, ["rg_5", "rg_4", "rg_2"]);
}

fn calls_that_ended_are_counted_as_of_a_moment(fresh: &Fresh) {
    let store = fresh.open();
    for (id, ended) in [(1, Some(100)), (2, Some(200)), (3, None), (4, Some(300)), (5, None)] {
        let mut group = simple(id, "t", &format!("c{id}"), "", None);
        group.calls[0].received_ms = 50 * id;
        group.standings = vec![standing(id, "A", ended)];
        store.commit(&mut group).expect("it is written");
    }
    let counted = |ended, at_ms| {
        let filter = Filter { ended, at_ms, ..Filter::default() };
        let listed = store.list("t", &filter, None, 10).expect("they are listed").len();
        assert_eq!(store.count("t", &filter), Ok(listed as u64));
        listed
    };
    assert_eq!((counted(None, None), counted(Some(true), None), counted(Some(false), None)), (5, 3, 2));
    assert_eq!((counted(Some(true), Some(200)), counted(Some(true), Some(99))), (2, 0));
    // Live at that moment: those that had begun and ended later or not at all.
    assert_eq!((counted(Some(false), Some(200)), counted(Some(false), Some(150)), counted(Some(false), Some(40))), (2, 2, 0));
    assert_eq!(store.count("u", &Filter::default()), Ok(0));
}
