//! A job from its being asked for to its being deleted.

use std::time::Duration;

use callgrade::wire::v1;
use tonic::Code;
use tonic_types::StatusExt;

use super::{calls, done, ended, exported, get, keep, more_questions, regrading, request, start};
use crate::records::{Program, call, run};
use crate::support::block_on;

/// A server whose jobs take long enough to be met while they run.
const SLOWLY: [&str; 2] = ["--max-regrade-rate", "100"];

/// So many calls of one script.
fn many(count: usize) -> Vec<v1::Call> {
    calls(count).into_iter().map(|call| v1::Call { script_id: "telemarketing".to_owned(), ..call }).collect()
}

async fn listed(server: &Program) -> Vec<String> {
    let answer = regrading(server).await.list_regrades(v1::ListRegradesRequest::default()).await.expect("a list").into_inner();
    answer.regrades.into_iter().map(|regrade| regrade.regrade_id).collect()
}

async fn cancel(server: &Program, id: &str) -> Result<v1::Regrade, tonic::Status> {
    let request = v1::CancelRegradeRequest { regrade_id: id.to_owned() };
    Ok(regrading(server).await.cancel_regrade(request).await?.into_inner().regrade.expect("the job"))
}

#[test]
fn a_job_is_watched_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &SLOWLY);
        keep(&server, &many(450)).await;
        let id = start(&server, request("telemarketing")).await.regrade_id;
        let watch = v1::WatchRegradeRequest { regrade_id: id.clone() };
        let mut answers = regrading(&server).await.watch_regrade(watch.clone()).await.expect("it is watched").into_inner();
        let mut seen = Vec::new();
        while let Some(answer) = answers.message().await.expect("no error") {
            seen.push(answer.regrade.expect("the job"));
        }
        let done: Vec<u64> = seen.iter().map(|regrade| regrade.progress.expect("progress").done).collect();
        assert!(done.len() > 2 && done.is_sorted() && done.last() == Some(&450), "{done:?}");
        let running: Vec<&v1::Regrade> = seen.iter().filter(|regrade| regrade.state() == v1::RegradeState::Running).collect();
        assert!(running.iter().any(|regrade| regrade.progress.expect("progress").calls_per_second > 0.0), "{running:?}");
        assert!(running.iter().all(|regrade| regrade.progress.expect("progress").calls == 450 && regrade.began_at.is_some()));
        let last = seen.last().expect("the end");
        assert_eq!((last.state(), last.progress.expect("progress").calls_per_second), (v1::RegradeState::Done, 0.0));
        let took = |regrade: &v1::Regrade| {
            let ms =
                |at: Option<pbjson_types::Timestamp>| at.map(|at| at.seconds * 1_000 + i64::from(at.nanos) / 1_000_000).expect("a time");
            ms(regrade.ended_at) - ms(regrade.began_at)
        };
        assert!(took(last) >= 3_900, "the first 400 calls take 4 seconds: {last:?}");
        // One that has ended is told once.
        let mut answers = regrading(&server).await.watch_regrade(watch).await.expect("it is watched").into_inner();
        assert_eq!(answers.message().await.expect("no error").and_then(|answer| answer.regrade).as_ref(), Some(last));
        assert_eq!(answers.message().await.expect("no error"), None);
    });
}

#[test]
fn a_job_is_cancelled_whether_it_waits_or_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &SLOWLY);
        keep(&server, &many(900)).await;
        let running = start(&server, request("telemarketing")).await.regrade_id;
        let waiting = start(&server, request("telemarketing")).await;
        assert_eq!((waiting.state(), waiting.began_at), (v1::RegradeState::Queued, None));
        let cancelled = cancel(&server, &waiting.regrade_id).await.expect("it is cancelled");
        assert_eq!((cancelled.state(), cancelled.progress), (v1::RegradeState::Cancelled, Some(v1::RegradeProgress::default())));
        while get(&server, &running).await.regrade.expect("the job").progress.expect("progress").done == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let cancelled = cancel(&server, &running).await.expect("it is cancelled");
        let done = cancelled.progress.expect("progress").done;
        assert!(cancelled.state() == v1::RegradeState::Cancelled && done > 0 && done < 900, "{cancelled:?}");
        // Another runs to its end meanwhile, and this one has not moved.
        let (other, _) = done_of(&server).await;
        assert_eq!(other.progress.expect("progress").done, 900);
        let again = cancel(&server, &running).await.expect("it has ended already");
        assert_eq!(again, cancelled, "and stays as it is");
        assert_eq!(exported(&server, &running).await.len() as u64, done, "what it has graded stays");
        let answer = get(&server, &running).await;
        assert_eq!(answer.diff.map(|diff| diff.calls), Some(done));
        let log = run(folder.path(), &["audit"]);
        assert_eq!(log.lines().filter(|line| line.contains("cancel")).count(), 2, "{log}");
    });
}

async fn done_of(server: &Program) -> (v1::Regrade, v1::RegradeDiff) {
    done(server, request("telemarketing")).await
}

#[test]
fn a_request_that_is_sent_again_asks_once() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        keep(&server, &many(5)).await;
        let asked = v1::StartRegradeRequest { request_id: "nightly-1".to_owned(), note: "夜里".to_owned(), ..request("telemarketing") };
        let first = start(&server, asked.clone()).await.regrade_id;
        assert_eq!(start(&server, asked.clone()).await.regrade_id, first);
        ended(&server, &first).await;
        assert_eq!(start(&server, asked.clone()).await.regrade_id, first, "also when it has ended");
        let other = v1::StartRegradeRequest { note: "白天".to_owned(), ..asked.clone() };
        let status = regrading(&server).await.start_regrade(other.clone()).await.expect_err("another request");
        assert_eq!(
            (status.code(), status.message()),
            (Code::AlreadyExists, "request_id \"nightly-1\" was given before, with another request")
        );
        assert_ne!(start(&server, v1::StartRegradeRequest { request_id: String::new(), ..other.clone() }).await.regrade_id, first);
        regrading(&server).await.delete_regrade(v1::DeleteRegradeRequest { regrade_id: first.clone() }).await.expect("it is deleted");
        assert_ne!(start(&server, other).await.regrade_id, first, "its request may be made anew");
    });
}

#[test]
fn a_queue_has_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &["--max-queued-regrades", "2", "--max-regrade-rate", "10"]);
        keep(&server, &many(500)).await;
        let first = start(&server, request("telemarketing")).await.regrade_id;
        while get(&server, &first).await.regrade.expect("the job").state() == v1::RegradeState::Queued {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let queued = [start(&server, request("telemarketing")).await.regrade_id, start(&server, request("telemarketing")).await.regrade_id];
        let status = regrading(&server).await.start_regrade(request("telemarketing")).await.expect_err("one too many");
        assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "over the tenant's limit of queued re-gradings: 2"));
        assert!(status.get_details_retry_info().is_some());
        cancel(&server, &queued[0]).await.expect("it is cancelled");
        start(&server, request("telemarketing")).await;
        let metrics = crate::regrading::http::ask(&server, "GET", "/metrics", "").await.1;
        for line in [
            "callgrade_regrades{state=\"queued\"} 2",
            "callgrade_regrades{state=\"running\"} 1",
            "callgrade_regrades{state=\"cancelled\"} 1",
        ] {
            assert!(metrics.lines().any(|it| it == line), "{line} is not in\n{metrics}");
        }
    });
}

#[test]
fn what_is_asked_wrongly_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        let asked = || request("telemarketing");
        let filter = |filter: v1::CallFilter| v1::StartRegradeRequest { filter: Some(filter), ..asked() };
        let all = v1::CallFilter::default;
        for (request, field, message) in [
            (request(""), "script_id", "script_id is empty: which script is to grade?".to_owned()),
            (
                filter(v1::CallFilter { r#final: Some(false), ..all() }),
                "filter.final",
                "filter.final is false: only calls that have ended are graded anew".to_owned(),
            ),
            (
                filter(v1::CallFilter { rule_id: "\0".to_owned(), ..all() }),
                "filter.rule_id",
                "filter.rule_id has a NUL character".to_owned(),
            ),
            (v1::StartRegradeRequest { against: 9, ..asked() }, "against", "against is 9, which is none of its values".to_owned()),
            (
                v1::StartRegradeRequest { against_version: "abcdef".to_owned(), ..asked() },
                "against_version",
                "against_version is given, and against is not AGAINST_VERSION".to_owned(),
            ),
            (
                v1::StartRegradeRequest { request_id: "x".repeat(129), ..asked() },
                "request_id",
                "request_id has 129 characters, more than 128".to_owned(),
            ),
            (
                v1::StartRegradeRequest { note: "x".repeat(1_001), ..asked() },
                "note",
                "the note has 1001 characters, more than 1000".to_owned(),
            ),
            (
                v1::StartRegradeRequest { script_version: "abc".to_owned(), ..asked() },
                "version",
                "version \"abc\" is too short to name one: give at least its first 6 characters".to_owned(),
            ),
        ] {
            let status = regrading(&server).await.start_regrade(request).await.expect_err("it is refused");
            assert_eq!((status.code(), status.message()), (Code::InvalidArgument, message.as_str()));
            assert_eq!(status.get_details_bad_request().expect("details").field_violations[0].field, field);
        }
        let status = regrading(&server).await.start_regrade(request("nobody")).await.expect_err("there is none");
        assert_eq!((status.code(), status.message()), (Code::NotFound, "unknown script \"nobody\"; there are broadband, telemarketing"));
        for id in ["rg_0", "\0"] {
            let status = cancel(&server, id).await.expect_err("there is none");
            assert_eq!((status.code(), status.message()), (Code::NotFound, format!("there is no re-grading {id:?}").as_str()));
        }
        let status = cancel(&server, "").await.expect_err("none is named");
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "regrade_id is empty"));
        let id = start(&server, asked()).await.regrade_id;
        let list = |request: v1::ListRegradedCallsRequest| v1::ListRegradedCallsRequest { regrade_id: id.clone(), ..request };
        for (request, message) in [
            (v1::ListRegradedCallsRequest { page_size: 1_001, ..Default::default() }, "page_size is 1001; it may be 1 to 1000"),
            (
                v1::ListRegradedCallsRequest { page_token: "x".to_owned(), ..Default::default() },
                "page_token is none that was given with this filter",
            ),
            (v1::ListRegradedCallsRequest { kinds: vec![0], ..Default::default() }, "kinds has 0, which is none that a call can be of"),
            (v1::ListRegradedCallsRequest { label: Some("\0".to_owned()), ..Default::default() }, "label has a NUL character"),
        ] {
            let status = regrading(&server).await.list_regraded_calls(list(request)).await.expect_err("it is refused");
            assert_eq!((status.code(), status.message()), (Code::InvalidArgument, message));
        }
    });
}

#[test]
fn calls_are_chosen_by_filter_and_results_are_paged() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        for number in 1..=9 {
            let more = if number % 3 == 0 { "芝麻开门" } else { "好的" };
            server.grade(call(&format!("c{number}"), more, &[("line", if number < 8 { "1" } else { "2" })])).await;
        }
        let (path, text) = more_questions();
        let draft = |filter: v1::CallFilter| v1::StartRegradeRequest {
            filter: Some(filter),
            draft: [(path.clone(), text.clone())].into(),
            ..request("telemarketing")
        };
        let of = |filter: v1::CallFilter| {
            let (server, request) = (&server, draft(filter));
            async move {
                let (regrade, _) = done(server, request).await;
                let mut ids: Vec<String> = exported(server, &regrade.regrade_id).await.into_iter().map(|call| call.call_id).collect();
                ids.sort();
                (ids.join(" "), regrade)
            }
        };
        let all = v1::CallFilter::default();
        let (ids, regrade) = of(v1::CallFilter { text: "芝麻".to_owned(), ..all.clone() }).await;
        assert_eq!((ids.as_str(), regrade.progress.expect("progress").calls), ("c3 c6 c9", 3));
        let line = v1::CallFilter { attributes: [("line".to_owned(), "1".to_owned())].into(), ..all.clone() };
        assert_eq!(of(line).await.0, "c1 c2 c3 c4 c5 c6 c7");
        assert_eq!(of(v1::CallFilter { labels: vec!["A".to_owned()], ..all.clone() }).await.0, "");
        assert_eq!(of(v1::CallFilter { script_id: "broadband".to_owned(), ..all.clone() }).await.0, "");
        // Newest first, as calls are listed.
        let (regrade, diff) = done(&server, draft(all)).await;
        let ids = |calls: &[v1::RegradedCall]| calls.iter().map(|call| call.call_id.clone()).collect::<Vec<_>>().join(" ");
        assert_eq!(ids(&exported(&server, &regrade.regrade_id).await), "c9 c8 c7 c6 c5 c4 c3 c2 c1");
        let list = async |request: v1::ListRegradedCallsRequest| {
            let request = v1::ListRegradedCallsRequest { regrade_id: regrade.regrade_id.clone(), ..request };
            regrading(&server).await.list_regraded_calls(request).await.map(tonic::Response::into_inner)
        };
        let first = list(v1::ListRegradedCallsRequest { page_size: 4, ..Default::default() }).await.expect("a page");
        assert_eq!(ids(&first.calls), "c9 c8 c7 c6");
        assert!(first.calls.iter().all(|call| call.verdict.is_none()), "whole verdicts are for exports");
        let token = first.next_page_token.clone();
        let next = v1::ListRegradedCallsRequest { page_size: 4, page_token: token.clone(), ..Default::default() };
        assert_eq!(ids(&list(next.clone()).await.expect("a page").calls), "c5 c4 c3 c2");
        let other = list(v1::ListRegradedCallsRequest { label: Some("B".to_owned()), ..next }).await.expect_err("of another filter");
        assert_eq!(other.message(), "page_token is none that was given with this filter");
        let changed = v1::ListRegradedCallsRequest { kinds: vec![v1::RegradedKind::Label.into()], ..Default::default() };
        let changed_calls = list(changed.clone()).await.expect("a page").calls;
        assert_eq!(changed_calls.len() as u64, diff.changed);
        assert!(!changed_calls.is_empty() && changed_calls.iter().all(|call| call.changed.is_some()), "{changed_calls:?}");
        let (before, now) = (changed_calls[0].before_label.clone(), changed_calls[0].label.clone());
        let moved = list(v1::ListRegradedCallsRequest { before_label: before.clone(), label: Some(now.clone()), ..changed.clone() }).await;
        assert!(moved.expect("a page").calls.iter().all(|call| call.before_label == before && call.label == now));
        assert_eq!(list(v1::ListRegradedCallsRequest { label: before, ..changed }).await.expect("a page").calls, []);
        // Jobs, the last first, page by page.
        let jobs = listed(&server).await;
        assert_eq!((jobs.len(), jobs[0].as_str()), (5, regrade.regrade_id.as_str()));
        let mut paged = Vec::new();
        let mut token = String::new();
        loop {
            let request = v1::ListRegradesRequest { page_size: 2, page_token: token };
            let answer = regrading(&server).await.list_regrades(request).await.expect("a page").into_inner();
            paged.extend(answer.regrades.into_iter().map(|regrade| regrade.regrade_id));
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, jobs);
    });
}

#[test]
fn what_is_deleted_is_gone_from_jobs_and_jobs_go_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        for number in 1..=6 {
            server.grade(call(&format!("c{number}"), "我再想想", &[])).await;
        }
        let (path, text) = more_questions();
        let asked = v1::StartRegradeRequest { draft: [(path, text)].into(), ..request("telemarketing") };
        let (regrade, diff) = done(&server, asked.clone()).await;
        let id = regrade.regrade_id;
        assert_eq!(diff.changed, 6, "a question more: {diff:?}");
        let examples = |diff: v1::RegradeDiff| -> Vec<String> {
            diff.scripts[0].examples.iter().flat_map(|examples| &examples.calls).map(|call| call.call_id.clone()).collect()
        };
        assert_eq!(examples(diff), ["c6", "c5", "c4", "c3", "c2", "c1"]);
        let delete = v1::DeleteCallRequest { call_id: "c5".to_owned() };
        server.records().await.delete_call(delete).await.expect("it is deleted");
        run(folder.path(), &["forget", "--call", "c2", "--yes"]);
        let left: Vec<String> = exported(&server, &id).await.into_iter().map(|call| call.call_id).collect();
        assert_eq!(left, ["c6", "c4", "c3", "c1"]);
        let answer = get(&server, &id).await.diff.expect("what changed");
        assert_eq!((answer.changed, examples(answer)), (6, left), "counts stay, nobody is named");

        let kept = done(&server, asked).await.0.regrade_id;
        regrading(&server).await.delete_regrade(v1::DeleteRegradeRequest { regrade_id: id.clone() }).await.expect("it is deleted");
        assert_eq!(listed(&server).await, std::slice::from_ref(&kept));
        let status = regrading(&server).await.get_regrade(v1::GetRegradeRequest { regrade_id: id.clone() }).await.expect_err("it is gone");
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(exported(&server, &kept).await.len(), 4, "another is as it was");
        let log = run(folder.path(), &["audit"]);
        for told in [format!("export  re-grading {id}"), format!("delete  re-grading {id}")] {
            let words: Vec<&str> = told.split_whitespace().collect();
            assert!(log.lines().any(|line| words.iter().all(|word| line.contains(word))), "{told}: {log}");
        }
    });
}

#[test]
fn a_running_job_stops_with_its_server_and_goes_on_with_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &SLOWLY);
        keep(&server, &many(900)).await;
        let id = start(&server, request("telemarketing")).await.regrade_id;
        let watch = v1::WatchRegradeRequest { regrade_id: id.clone() };
        let mut answers = regrading(&server).await.watch_regrade(watch).await.expect("it is watched").into_inner();
        while answers.message().await.expect("no error").and_then(|answer| answer.regrade?.progress).expect("progress").done == 0 {}
        let stopping = tokio::task::spawn_blocking(move || server.stop());
        let status = loop {
            match answers.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it had not ended"),
                Err(status) => break status,
            }
        };
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unavailable, "the server is shutting down; the re-grading goes on when it starts again")
        );
        assert!(stopping.await.expect("no panic"), "it ended well");
        let server = Program::serve(folder.path(), &[]);
        let (regrade, diff) = ended(&server, &id).await;
        assert_eq!((regrade.state(), diff.calls), (v1::RegradeState::Done, 900));
        assert_eq!(exported(&server, &id).await.len(), 900);
    });
}
