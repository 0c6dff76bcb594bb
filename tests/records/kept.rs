//! That what is kept is all that was told, and what was deleted is not kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use callgrade::core::event::EventKind;
use callgrade::script::{Library, ScriptChoice};
use callgrade::service::records::{LetGo, Records};
use callgrade::service::tenant::{DEFAULT, Tenants};
use callgrade::service::{Patience, Service, StreamEvent};
use callgrade::store::{Location, Store};
use callgrade::wire::v1;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use serde_json::json;

use super::{Program, asking, call};
use crate::support::{CallBuilder, block_on, comparable, stream_message};

/// What the recogniser told of each event of a call that is kept.
async fn confidence(server: &Program, call_id: &str) -> Vec<Option<f64>> {
    let request = v1::GetCallRequest { call_id: call_id.to_owned(), history: false };
    let kept = server.records().await.get_call(request).await.expect("it is kept").into_inner().call.and_then(|kept| kept.call);
    let told = |event: v1::CallEvent| match event.event {
        Some(v1::call_event::Event::Utterance(utterance)) => utterance.confidence,
        _ => None,
    };
    kept.expect("a call").events.into_iter().map(told).collect()
}

async fn post(server: &Program, path: &str, body: &serde_json::Value) -> u16 {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = http::Request::post(format!("http://{}{path}", server.address)).header("content-type", "application/json");
    let answer = client.request(request.body(Full::from(body.to_string())).expect("a request")).await.expect("an answer");
    let status = answer.status().as_u16();
    answer.into_body().collect().await.expect("its body");
    status
}

#[test]
fn the_recognisers_confidence_is_kept_from_every_door() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        let mut whole = call("grpc", "效果怎么样", &[]);
        let Some(v1::call_event::Event::Utterance(utterance)) = &mut whole.events[2].event else { panic!("an utterance") };
        utterance.confidence = Some(0.92);
        server.grade(whole).await;
        // The second event is wrong, and no event of its own.
        let events = json!([
            {"seq": 1, "answered": {}},
            {"seq": 2, "utterance": {"speaker": "CUSTOMER", "text": "喂", "confidence": 7}},
            {"seq": 3, "atMs": 2_000, "utterance": {"speaker": "CUSTOMER", "text": "怎么收费", "confidence": 0.5}},
            {"seq": 4, "atMs": 3_000, "hangup": {}},
        ]);
        assert_eq!(post(&server, "/v1/calls/events/events", &json!({"scriptId": "telemarketing", "events": events})).await, 200);
        assert_eq!(post(&server, "/v1/calls:grade", &json!({"callId": "whole", "scriptId": "telemarketing", "events": events})).await, 200);
        assert_eq!(confidence(&server, "grpc").await, [None, None, Some(0.92), None, None]);
        assert_eq!(confidence(&server, "events").await, [None, Some(0.5), None]);
        assert_eq!(confidence(&server, "whole").await, [None, Some(0.5), None]);
    });
}

#[test]
fn the_tenants_time_zone_is_that_of_calls_that_name_none_wherever_they_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("callgrade.toml");
    std::fs::write(&settings, "[tenants.default]\ntime-zone = \"America/New_York\"\n").expect("it is written");
    let mut events = CallBuilder::new().answered().customer("在开会，明天下午三点打给我").build();
    events.push(callgrade::core::event::Event { at_ms: 60_000, kind: EventKind::Silence(100) });
    let started_at = Some(pbjson_types::Timestamp { seconds: 1_795_400_000, nanos: 0 });
    block_on(async {
        let server = Program::serve(folder.path(), &["--config", &settings.display().to_string()]);
        let first = v1::StreamCallsRequest { started_at, ..stream_message("live", "telemarketing", 1, &events[0]) };
        let rest = (2..).zip(&events[1..]).map(|(seq, event)| stream_message("live", "telemarketing", seq, event));
        let messages: Vec<_> = [first].into_iter().chain(rest).collect();
        let mut answers = server.grading().await.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        while answers.message().await.expect("no error").is_some() {}
        let request = v1::GetCallRequest { call_id: "live".to_owned(), history: false };
        let live = server.records().await.get_call(request).await.expect("it is kept").into_inner().call.and_then(|call| call.verdict);
        let live = live.expect("a verdict");
        let whole = v1::Call { started_at, ..crate::support::call_message("whole", "telemarketing", &events) };
        let whole = server.grade(whole).await;
        drop(server);
        let callback = live.callback.clone().expect("a callback");
        // 15:00 in New York's winter.
        assert_eq!(callback.at.map(|at| at.seconds % 86_400), Some(20 * 3_600));
        assert_eq!(whole.callback, Some(callback));
        // Where no server runs, nobody knows the tenant's settings.
        let shown: v1::GetCallResponse =
            serde_json::from_str(&super::run(folder.path(), &["records", "show", "live"])).expect("proto3 JSON");
        assert_eq!(comparable(&shown.call.and_then(|call| call.verdict).expect("a verdict")), comparable(&live));
    });
}

#[test]
fn what_is_written_of_a_call_while_it_is_deleted_is_deleted_too_however_long_that_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let location = Location::Directory(folder.path().to_owned());
    block_on(async {
        let store = Store::open(&location).expect("a store");
        let scripts = ScriptChoice::new(Library::bundled().expect("the bundled scripts compile"), None).expect("a choice");
        // A group is open so long that all that follows happens before it is written.
        let linger = Duration::from_millis(1_500);
        let kept =
            Service::keeping(scripts, Tenants::default(), Patience::default(), store, linger, Arc::default(), Box::new(|_, _, _| ()));
        let service = kept.expect("the store answers");
        let tenant = service.tenants.of(DEFAULT);
        let events = asking("效果怎么样");
        let event = |seq: u32| {
            let message = stream_message("c", "telemarketing", seq, &events[seq as usize - 1]);
            vec![StreamEvent::read(&message.encode_to_vec(), true).expect("a message")]
        };
        assert_eq!(service.take_in(&tenant, None, event(1)).await.len(), 1);
        let other = Store::open(&location).expect("it opens");
        let number = other.find(DEFAULT, &["c"]).expect("it is read")[0].head.id;
        let under_way = service.take(Instant::now(), &tenant, None, event(2));
        other.delete(&[number], &[]).expect("it is deleted");
        let versions = service.versions.clone().expect("versions");
        let records = Records::new(other.clone(), versions, Arc::<Service>::clone(&service));
        let let_go = records.settle(&LetGo::default()).expect("it is seen");
        let let_go = records.settle(&let_go).expect("it waits");
        under_way.settled().await;
        let let_go = records.settle(&let_go).expect("it is done");
        records.settle(&let_go).expect("nothing is left");
        let left = other.read(|sql| {
            let mut left = 0;
            for table in ["events", "standings", "deletions"] {
                sql.query(&format!("SELECT COUNT(*) FROM {table}"), &[], &mut |row| {
                    left += row.value(0).int();
                    Ok(false)
                })?;
            }
            Ok(left)
        });
        assert_eq!(left, Ok(0));
    });
}
