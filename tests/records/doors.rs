//! `Records` over gRPC.

use callgrade::core::event::Party;
use callgrade::wire::v1;
use tonic::Code;
use tonic_types::StatusExt;

use super::{Program, asking, call};
use crate::support::{CallBuilder, block_on, comparable};

fn list(filter: v1::CallFilter) -> v1::ListCallsRequest {
    v1::ListCallsRequest { filter: Some(filter), ..v1::ListCallsRequest::default() }
}

async fn ids(server: &Program, filter: v1::CallFilter) -> Vec<String> {
    let answer = server.records().await.list_calls(list(filter)).await.expect("they are listed").into_inner();
    let mut ids: Vec<String> = answer.calls.into_iter().map(|call| call.call_id).collect();
    ids.sort();
    ids
}

#[test]
fn a_call_comes_back_with_its_events_its_verdict_and_what_was_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        let mut sent = call("c1", "效果怎么样", &[("campaign", "春季")]);
        sent.started_at = Some(pbjson_types::Timestamp { seconds: 1_772_000_000, nanos: 5 });
        sent.time_zone = "Asia/Shanghai".to_owned();
        let verdict = server.grade(sent.clone()).await;
        let request = v1::GetCallRequest { call_id: "c1".to_owned(), history: true };
        let answer = server.records().await.get_call(request.clone()).await.expect("it is kept").into_inner();
        let kept = answer.call.expect("a call");
        assert_eq!(kept.call, Some(sent));
        assert_eq!((kept.verdict.as_ref(), answer.history.as_slice()), (Some(&verdict), &[verdict.clone()][..]));
        assert!(kept.rejections.is_empty());
        let summary = kept.summary.expect("a summary");
        assert_eq!((summary.label.as_str(), summary.rule_id.as_str(), summary.r#final, summary.revision), ("B", "B1", true, 1));
        assert_eq!(
            (summary.script_version, summary.attributes),
            (verdict.script_version, [("campaign".to_owned(), "春季".to_owned())].into())
        );

        // A live call, one of its events wrong.
        let mut events = asking("效果怎么样");
        events.pop();
        server.stream("c2", 1, &events).await;
        let mut wrong = crate::support::stream_message("c2", "", 5, &events[0]);
        wrong.event = Some(v1::CallEvent {
            event: Some(v1::call_event::Event::Hangup(v1::Hangup { by: 99, ..v1::Hangup::default() })),
            ..v1::CallEvent::default()
        });
        let mut answers = server.grading().await.stream_calls(tokio_stream::iter([wrong])).await.expect("a stream").into_inner();
        while answers.message().await.expect("no error").is_some() {}
        let live = |id: &str| v1::GetCallRequest { call_id: id.to_owned(), history: true };
        let before = server.records().await.get_call(live("c2")).await.expect("it is kept").into_inner();
        let kept = before.call.clone().expect("a call");
        assert_eq!(kept.call.as_ref().map(|call| call.events.len()), Some(4));
        let status = kept.rejections[0].status.as_ref().expect("why");
        assert_eq!((kept.rejections.len(), kept.rejections[0].seq, status.message.as_str()), (1, 5, "unknown value 99 of by"));
        let verdict = kept.verdict.expect("a provisional verdict");
        assert_eq!((verdict.label.as_str(), verdict.r#final, verdict.revision, before.history.len()), ("B", false, 0, 0));
        assert!(!kept.summary.expect("a summary").r#final);

        // What memory says of a live call is what its kept events give.
        drop(server);
        let shown = super::run(folder.path(), &["records", "show", "c2"]);
        let shown: v1::GetCallResponse = serde_json::from_str(&shown).expect("proto3 JSON");
        let again = shown.call.and_then(|call| call.verdict).expect("a verdict");
        assert_eq!(comparable(&again), comparable(&verdict));
        assert_eq!((again.revision, &again.notices), (0, &verdict.notices));
    });
}

#[test]
fn lists_are_filtered_and_paged_and_tokens_belong_to_their_filter() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        for number in 1..=7 {
            let line = if number % 2 == 0 { "even" } else { "odd" };
            let more = if number == 3 { "不需要，别再打了" } else { "效果怎么样" };
            server.grade(call(&format!("c{number}"), more, &[("line", line)])).await;
        }
        let mut live = asking("我考虑一下");
        live.pop();
        server.stream("c8", 1, &live).await;
        let all = v1::CallFilter::default();
        let odd = v1::CallFilter { attributes: [("line".to_owned(), "odd".to_owned())].into(), ..all.clone() };
        let text = |text: &str| v1::CallFilter { text: text.to_owned(), ..v1::CallFilter::default() };
        assert_eq!(ids(&server, odd.clone()).await, ["c1", "c3", "c5", "c7"]);
        assert_eq!(ids(&server, v1::CallFilter { labels: vec!["C".to_owned()], ..all.clone() }).await, ["c3", "c8"]);
        assert_eq!(ids(&server, v1::CallFilter { rule_id: "B1".to_owned(), r#final: Some(true), ..all.clone() }).await.len(), 6);
        assert_eq!(ids(&server, v1::CallFilter { r#final: Some(false), ..all.clone() }).await, ["c8"]);
        assert_eq!(ids(&server, v1::CallFilter { script_id: "broadband".to_owned(), ..all.clone() }).await, Vec::<String>::new());
        assert_eq!(ids(&server, text("别再打")).await, ["c3"]);
        assert_eq!(ids(&server, text("考虑一下")).await, ["c8"]);
        assert_eq!(ids(&server, text("opening")).await, Vec::<String>::new(), "a node's id is nobody's words");
        let future = pbjson_types::Timestamp { seconds: 4_000_000_000, nanos: 0 };
        assert_eq!(ids(&server, v1::CallFilter { from: Some(future), ..all.clone() }).await, Vec::<String>::new());
        assert_eq!(ids(&server, v1::CallFilter { before: Some(future), ..all.clone() }).await.len(), 8);

        for filter in [all.clone(), text("收费"), odd.clone()] {
            let whole = ids(&server, filter.clone()).await;
            let mut request = v1::ListCallsRequest { page_size: 2, ..list(filter.clone()) };
            let mut found = Vec::new();
            loop {
                let page = server.records().await.list_calls(request.clone()).await.expect("a page").into_inner();
                assert!(!page.calls.is_empty() && page.calls.len() <= 2, "no page is empty");
                found.extend(page.calls.into_iter().map(|call| call.call_id));
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            found.sort();
            assert_eq!(found, whole, "{filter:?}");
        }

        let first =
            server.records().await.list_calls(v1::ListCallsRequest { page_size: 2, ..list(odd) }).await.expect("a page").into_inner();
        let wrong = "page_token is none that was given with this filter";
        for (request, field, expected) in [
            (v1::ListCallsRequest { page_token: first.next_page_token, ..list(all.clone()) }, "page_token", wrong),
            (v1::ListCallsRequest { page_token: "c3".to_owned(), ..list(all.clone()) }, "page_token", wrong),
            (v1::ListCallsRequest { page_size: 1_001, ..list(all.clone()) }, "page_size", "page_size is 1001; it may be 1 to 1000"),
            (
                list(v1::CallFilter { from: Some(pbjson_types::Timestamp { seconds: 1, nanos: -1 }), ..all.clone() }),
                "filter.from",
                "filter.from is no moment: its nanos are -1",
            ),
            (list(v1::CallFilter { rule_id: "A\0".to_owned(), ..all }), "filter.rule_id", "filter.rule_id has a NUL character"),
        ] {
            let status = server.records().await.list_calls(request).await.expect_err("it is refused");
            assert_eq!((status.code(), status.message()), (Code::InvalidArgument, expected));
            let violations = status.get_details_bad_request().expect("details").field_violations;
            assert_eq!(violations[0].field, field);
        }
    });
}

#[test]
fn exports_are_whole_and_deletions_leave_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        for number in 0..40 {
            server.grade(call(&format!("c{number:02}"), "效果怎么样", &[])).await;
        }
        let mut exported = server.records().await.export_calls(v1::ExportCallsRequest::default()).await.expect("an export").into_inner();
        let mut calls = Vec::new();
        while let Some(answer) = exported.message().await.expect("no error") {
            calls.push(answer.call.expect("a call"));
        }
        assert_eq!(calls.len(), 40);
        for call in &calls {
            let (message, verdict) = (call.call.as_ref().expect("its events"), call.verdict.as_ref().expect("its verdict"));
            assert_eq!((message.events.len(), &message.call_id, verdict.label.as_str()), (5, &verdict.call_id, "B"));
        }

        // A live call, too, in whatever state.
        let events = CallBuilder::new().answered().customer("怎么收费").hangup(Party::Customer).build();
        server.stream("live", 1, &events[..2]).await;
        for id in ["c07", "live"] {
            server.records().await.delete_call(v1::DeleteCallRequest { call_id: id.to_owned() }).await.expect("it is deleted");
            for status in [
                server.records().await.get_call(v1::GetCallRequest { call_id: id.to_owned(), history: false }).await.map(drop),
                server.records().await.delete_call(v1::DeleteCallRequest { call_id: id.to_owned() }).await.map(drop),
                server.grading().await.get_call_state(v1::GetCallStateRequest { call_id: id.to_owned() }).await.map(drop),
            ] {
                let status = status.expect_err("it is gone");
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
            }
            let status = server.records().await.get_call(v1::GetCallRequest { call_id: id.to_owned(), history: false }).await;
            assert_eq!(status.expect_err("it is gone").message(), format!("there is no call {id:?}"));
        }
        assert_eq!(ids(&server, v1::CallFilter::default()).await.len(), 39);
        // Its id is free again.
        server.stream("live", 1, &events).await;
        assert_eq!(ids(&server, v1::CallFilter::default()).await.len(), 40);
        let empty = server.records().await.get_call(v1::GetCallRequest::default()).await.expect_err("no id");
        assert_eq!((empty.code(), empty.message()), (Code::InvalidArgument, "call_id is empty"));
        let audit = super::run(folder.path(), &["audit"]);
        let told: Vec<&str> =
            audit.lines().skip(1).filter_map(|line| line.split_once("  default  anyone  ").map(|(_, rest)| rest)).collect();
        assert_eq!(
            told.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>(),
            ["delete call live", "delete call c07", "export all calls"]
        );
    });
}
