//! What the real program tells while it serves: its log, its traces.

use callgrade::core::event::{Event, EventKind, Party};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use tokio::sync::mpsc;
use tonic::transport::server::TcpIncoming;

use crate::support::{CallBuilder, RunningServer, block_on, call_message, get, stderr, stream_message};

/// Numbers and words of a person, which stand nowhere but in calls.
const PERSONAL: [&str; 3] = ["13800138000", "110101199003077758", "我叫欧阳娜娜"];

fn personal_call() -> Vec<Event> {
    let said = PERSONAL.join("，");
    let digits = EventKind::Dtmf(PERSONAL[0].into());
    CallBuilder::new().answered().robot("opening", &said).customer(&said).event(digits).hangup(Party::Customer).build()
}

/// Streams a call, grades it whole over both doors, and offers what has to be refused with words of it.
async fn use_all_doors(address: &str) {
    let mut client = GradingClient::connect(format!("http://{address}")).await.expect("the server answers");
    let events = personal_call();
    let mut messages: Vec<_> = (1..).zip(&events).map(|(seq, event)| stream_message("said-1", "telemarketing", seq, event)).collect();
    let mut bad = stream_message("said-1", "telemarketing", 6, &events[2]);
    if let Some(v1::call_event::Event::Utterance(utterance)) = bad.event.as_mut().and_then(|event| event.event.as_mut()) {
        utterance.speaker = 77;
    }
    messages.push(bad);
    messages.push(stream_message("said-2", PERSONAL[2], 1, &events[0]));
    let mut answers = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
    while answers.message().await.expect("no error").is_some() {}
    client.grade_call(v1::GradeCallRequest { call: Some(call_message("said-3", "telemarketing", &events)) }).await.expect("graded");
    client.grade_call(v1::GradeCallRequest { call: Some(call_message("said-4", PERSONAL[0], &events)) }).await.expect_err("no such script");
    get(address, &format!("/v1/nowhere/{}", PERSONAL[0])).await;
}

#[test]
fn the_log_tells_of_calls_but_not_what_was_said_in_them() {
    let mut server = RunningServer::start(&["--log", "trace", "--log-format", "json"]);
    block_on(use_all_doors(&server.address));
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log();
    for personal in PERSONAL {
        assert!(!log.contains(personal), "{personal} is in the log:\n{log}");
    }
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let told = |message: &str| -> Vec<&Value> { lines.iter().filter(|line| line["message"] == message).collect() };
    assert_eq!(told("listening")[0]["address"], server.address.as_str());
    let verdict = told("final verdict")[0];
    assert_eq!((&verdict["call_id"], &verdict["label"]), (&"said-1".into(), &"C".into()), "{verdict}");
    assert_eq!(verdict["span"]["method"], "callgrade.v1.Grading/StreamCalls");
    let rejected: Vec<_> = told("event rejected").into_iter().map(|line| (&line["call_id"], &line["seq"], &line["reason"])).collect();
    assert_eq!(rejected.len(), 2, "{rejected:?}");
    assert!(rejected.contains(&(&"said-1".into(), &6.into(), &"INVALID_ARGUMENT".into())), "{rejected:?}");
    assert!(rejected.contains(&(&"said-2".into(), &1.into(), &"NOT_FOUND".into())), "{rejected:?}");
    let graded = told("answered").into_iter().find(|line| line["span"]["call_id"] == "said-3");
    assert_eq!(graded.map(|line| &line["span"]["code"]), Some(&"OK".into()));
    assert_eq!(lines.last().map(|line| &line["message"]), Some(&"stopped".into()));
}

#[test]
fn people_get_lines_and_quiet_ones_none() {
    let mut server = RunningServer::start(&["--log-format", "text"]);
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log();
    assert!(log.contains(" INFO callgrade::cli::serve: listening address=127.0.0.1:"), "{log}");
    let mut quiet = RunningServer::start(&["--log", "off"]);
    quiet.signal("TERM");
    assert_eq!((quiet.exit_code(), quiet.log()), (Some(0), String::new()));
}

#[test]
fn what_cannot_be_told_is_refused() {
    let output = crate::support::callgrade(&["serve", "--log", "loud"], b"");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("not a level (error, warn, info, debug, trace, off) and not a filter: \"loud\""), "{said}");
    let output = crate::support::callgrade(&["serve", "--otlp-endpoint", "collector:4317"], b"");
    let said = stderr(&output);
    assert!(said.contains("traces cannot be sent: a URL that begins with http:// is wanted"), "{said}");
}

/// A collector of traces that hands on what it is sent.
struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.0.send(request.into_inner()).map_err(|_| tonic::Status::unavailable("the test is over"))?;
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let value = span.attributes.iter().find(|attribute| attribute.key == key).and_then(|attribute| attribute.value.as_ref());
    value.and_then(|value| match value.value.as_ref() {
        Some(AnyValue::StringValue(text)) => Some(text.as_str()),
        _ => None,
    })
}

#[test]
fn a_request_is_part_of_its_callers_trace() {
    block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        let (sender, mut received) = mpsc::unbounded_channel();
        let collector = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector(sender)));
        tokio::spawn(collector.serve_with_incoming(TcpIncoming::from(listener)));
        // Traces do not depend on what is logged.
        let start = move || RunningServer::start(&["--otlp-endpoint", &endpoint, "--log", "error"]);
        let mut server = tokio::task::spawn_blocking(start).await.expect("it starts");
        let mut client = GradingClient::connect(format!("http://{}", server.address)).await.expect("the server answers");
        let mut request =
            tonic::Request::new(v1::GradeCallRequest { call: Some(call_message("traced", "telemarketing", &personal_call())) });
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        request.metadata_mut().insert("traceparent", traceparent.parse().expect("a header"));
        client.grade_call(request).await.expect("graded");
        drop(client);
        server.signal("TERM");
        let ended = tokio::task::spawn_blocking(move || (server.exit_code(), server.log())).await.expect("it ends");
        assert_eq!(ended, (Some(0), String::new()));

        // What was sent last was sent before it ended.
        let mut spans = Vec::new();
        while let Ok(request) = received.try_recv() {
            let resources = request.resource_spans.into_iter();
            spans.extend(resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans));
        }
        let span = spans.iter().find(|span| span.name == "callgrade.v1.Grading/GradeCall").unwrap_or_else(|| panic!("{spans:?}"));
        assert_eq!(span.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes());
        assert_eq!(span.parent_span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
        assert_eq!((attribute(span, "code"), attribute(span, "call_id")), (Some("OK"), Some("traced")));
        let everything = format!("{spans:?}");
        assert!(PERSONAL.iter().all(|personal| !everything.contains(personal)), "{everything}");
    });
}
