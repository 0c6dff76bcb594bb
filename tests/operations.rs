//! What operators see: probes, health, metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callgrade::core::event::{Event, Party};
use callgrade::ingest::Limits;
use callgrade::script::Library;
use callgrade::script::ScriptChoice;
use callgrade::service::{Patience, Service, Stage};
use callgrade::transport::ServerOptions;
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{CallBuilder, RunningServer, TestServer, block_on, call_message, get, program, stream_message};

fn service() -> Arc<Service> {
    let scripts = ScriptChoice::new(Library::bundled().expect("the bundled scripts compile"), None).expect("a choice");
    Service::new(scripts, Limits::default(), Patience::default())
}

fn asking() -> Vec<Event> {
    CallBuilder::new().answered().robot("opening", "给您介绍一下可以吗").customer("怎么收费").hangup(Party::Customer).build()
}

/// The samples of a server's metrics.
async fn metrics(address: &str) -> BTreeMap<String, f64> {
    let (status, body) = get(address, "/metrics").await;
    assert_eq!(status, 200);
    let samples = body.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|line| line.rsplit_once(' ').expect("a name and a value"))
        .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
        .collect()
}

#[test]
fn what_streams_do_is_counted() {
    block_on(async {
        let server = TestServer::start(Patience::default(), Limits::default()).await;
        let mut client = server.client().await;
        let mut messages: Vec<_> = (1..).zip(&asking()).map(|(seq, event)| stream_message("over", "telemarketing", seq, event)).collect();
        messages.extend((1..).zip(&asking()[..2]).map(|(seq, event)| stream_message("live", "telemarketing", seq, event)));
        messages.push(stream_message("lost", "insurance", 1, &asking()[0]));
        messages.push(v1::StreamCallsRequest { call_id: "live".to_owned(), seq: 3, ..v1::StreamCallsRequest::default() });
        let mut answers = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        while answers.message().await.expect("no error").is_some() {}
        client.grade_call(v1::GradeCallRequest { call: Some(call_message("whole", "telemarketing", &asking())) }).await.expect("graded");
        let refused = client.grade_call(v1::GradeCallRequest { call: Some(call_message("none", "insurance", &[])) }).await;
        assert_eq!(refused.map(drop).unwrap_err().code(), tonic::Code::NotFound);
        get(&server.address, "/v1/calls/live/verdict").await;
        get(&server.address, "/v1/calls/nobody/verdict").await;
        get(&server.address, "/nowhere/13800138000").await;

        let metrics = metrics(&server.address).await;
        let grading =
            |method: &str, code: &str| format!("callgrade_requests_total{{method=\"callgrade.v1.Grading/{method}\",code=\"{code}\"}}");
        let http = |route: &str, code: &str| format!("callgrade_requests_total{{method=\"{route}\",code=\"{code}\"}}");
        let rejected = |reason: &str| format!("callgrade_rejections_total{{reason=\"{reason}\"}}");
        for (name, value) in [
            ("callgrade_events_total".to_owned(), 12.0),
            ("callgrade_acks_total".to_owned(), 7.0),
            (rejected("NOT_FOUND"), 1.0),
            (rejected("INVALID_ARGUMENT"), 1.0),
            (rejected("RESOURCE_EXHAUSTED"), 0.0),
            ("callgrade_final_verdicts_total{script=\"telemarketing\",label=\"C\",rule=\"C1\"}".to_owned(), 2.0),
            ("callgrade_live_calls".to_owned(), 1.0),
            ("callgrade_held_calls".to_owned(), 3.0),
            ("callgrade_streams_open".to_owned(), 0.0),
            (grading("StreamCalls", "OK"), 1.0),
            (grading("GradeCall", "OK"), 1.0),
            (grading("GradeCall", "NOT_FOUND"), 1.0),
            (http("GET /v1/calls/{call_id}/verdict", "200"), 1.0),
            (http("GET /v1/calls/{call_id}/verdict", "404"), 1.0),
            (http("other", "404"), 1.0),
        ] {
            assert_eq!(metrics.get(&name), Some(&value), "{name} in {metrics:#?}");
        }
    });
}

#[test]
fn an_open_stream_and_a_verdict_that_a_late_event_changes_are_counted() {
    block_on(async {
        // No event is waited for.
        let server = TestServer::start(Patience { gap_events: 0, ..Patience::default() }, Limits::default()).await;
        let (sender, receiver) = tokio::sync::mpsc::channel(16);
        let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut answers = server.client().await.stream_calls(stream).await.expect("a stream").into_inner();
        let events = asking();
        for seq in [1, 2, 4, 3] {
            sender.send(stream_message("c", "telemarketing", seq, &events[seq as usize - 1])).await.expect("the stream is open");
        }
        loop {
            let answer = answers.message().await.expect("no error").and_then(|answer| answer.response);
            if let Some(v1::stream_calls_response::Response::Verdict(verdict)) = answer
                && verdict.revision == 2
            {
                break;
            }
        }
        let metrics = metrics(&server.address).await;
        assert_eq!((metrics["callgrade_streams_open"], metrics["callgrade_live_calls"]), (1.0, 0.0));
        assert_eq!(metrics["callgrade_revised_verdicts_total{script=\"telemarketing\"}"], 1.0);
        let ended: f64 =
            metrics.iter().filter(|(name, _)| name.starts_with("callgrade_final_verdicts_total")).map(|(_, value)| value).sum();
        assert_eq!(ended, 1.0);
    });
}

async fn channel(server: &TestServer) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", server.address)).expect("an address");
    endpoint.connect().await.expect("the server answers")
}

async fn health(server: &TestServer) -> BTreeMap<String, ServingStatus> {
    let mut client = HealthClient::new(channel(server).await);
    let mut told = BTreeMap::new();
    // A server that keeps nothing describes these and does not serve them.
    let served = |service: &String| !["callgrade.v1.Records", "callgrade.v1.Regrading", "callgrade.v1.Scripts"].contains(&service.as_str());
    for service in registered(server).await.into_iter().filter(served).chain([String::new()]) {
        let asked = client.check(HealthCheckRequest { service: service.clone() }).await;
        told.insert(service.clone(), asked.unwrap_or_else(|status| panic!("{service:?}: {status}")).into_inner().status());
    }
    told
}

/// The services that reflection lists.
async fn registered(server: &TestServer) -> Vec<String> {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let mut client = ServerReflectionClient::new(channel(server).await);
    let ask = ServerReflectionRequest { host: String::new(), message_request: Some(MessageRequest::ListServices(String::new())) };
    let mut answers = client.server_reflection_info(tokio_stream::iter([ask])).await.expect("an answer").into_inner();
    let answer = answers.message().await.expect("no error").and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    list.service.into_iter().map(|service| service.name).collect()
}

#[test]
fn health_is_that_of_every_service_and_follows_the_stage() {
    block_on(async {
        let service = service();
        service.readiness.enter(Stage::Recovering);
        let server = TestServer::start_service(Arc::clone(&service), ServerOptions::default()).await;
        let unready = |reason: &str| (503, format!("{{\"reason\":\"{reason}\",\"status\":\"unavailable\"}}"));
        assert_eq!(get(&server.address, "/readyz").await, unready("live calls are being recovered"));
        assert_eq!(get(&server.address, "/healthz").await, (200, "{\"status\":\"ok\"}".to_owned()));
        let recovering = health(&server).await;
        assert!(recovering.keys().any(|name| name == "callgrade.v1.Grading"), "{recovering:?}");
        assert!(recovering.values().all(|status| *status == ServingStatus::NotServing), "{recovering:?}");

        service.readiness.enter(Stage::Serving);
        assert_eq!(get(&server.address, "/readyz").await, (200, "{\"status\":\"ok\"}".to_owned()));
        // Health hears of it in a task of its own.
        while !health(&server).await.values().all(|status| *status == ServingStatus::Serving) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn a_server_told_to_stop_says_so_before_it_closes_its_doors() {
    block_on(async {
        let options = ServerOptions { notice: Duration::from_secs(60), ..ServerOptions::default() };
        let mut server = TestServer::start_service(service(), options).await;
        assert_eq!(get(&server.address, "/readyz").await.0, 200);
        server.tell_to_stop();
        loop {
            let (status, body) = get(&server.address, "/readyz").await;
            if status == 503 {
                assert_eq!(body, "{\"reason\":\"the server is shutting down\",\"status\":\"unavailable\"}");
                break;
            }
        }
        assert!(health(&server).await.values().all(|status| *status == ServingStatus::NotServing));
        // It still takes what comes.
        let graded =
            server.client().await.grade_call(v1::GradeCallRequest { call: Some(call_message("c", "telemarketing", &asking())) }).await;
        assert_eq!(graded.expect("graded").into_inner().verdict.map(|verdict| verdict.label), Some("C".to_owned()));
    });
}

#[test]
fn commits_and_recovery_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        let store = folder.path().join("calls");
        RunningServer::start_with(program().args(["serve", "--listen", "127.0.0.1:0", "--log-format", "text", "--store"]).arg(store))
    };
    let mut server = start();
    block_on(async {
        let mut client = GradingClient::connect(format!("http://{}", server.address)).await.expect("the server answers");
        let messages: Vec<_> = (1..).zip(&asking()[..3]).map(|(seq, event)| stream_message("kept", "telemarketing", seq, event)).collect();
        let mut answers = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        while answers.message().await.expect("no error").is_some() {}
        let metrics = metrics(&server.address).await;
        let commits = metrics["callgrade_commit_seconds_count"];
        assert!(commits >= 1.0 && metrics["callgrade_commit_rows_count"] == commits, "{metrics:#?}");
        // The call, its events, where it stands.
        assert!(metrics["callgrade_commit_rows_sum"] >= 4.0, "{metrics:#?}");
        assert_eq!((metrics["callgrade_queue_depth{queue=\"journal\"}"], metrics["callgrade_commit_failures_total"]), (0.0, 0.0));
        assert_eq!((metrics["callgrade_acks_total"], metrics["callgrade_recovered_calls"]), (3.0, 0.0));
    });
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());

    let mut server = start();
    let metrics = block_on(metrics(&server.address));
    assert_eq!((metrics["callgrade_recovered_calls"], metrics["callgrade_live_calls"]), (1.0, 1.0));
    assert!(metrics["callgrade_recovery_seconds"] > 0.0);
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log();
    assert!(log.contains("open calls brought back calls=1 events=3 lost=0"), "{log}");
}
