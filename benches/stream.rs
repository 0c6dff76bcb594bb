//! Streaming: the service against a bare tonic bidirectional echo of the same messages, client and server on one machine.
//!
//! `cargo bench --bench stream`; limit: 0.5 × the echo's messages a second.

mod common;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use callgrade::ingest::Limits;
use callgrade::script::Library;
use callgrade::script::ScriptChoice;
use callgrade::service::{Patience, Service};
use callgrade::transport::{self, ServerOptions};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use common::{calls, median, messages, sayings};
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

/// Calls interleaved on the stream.
const CALLS: usize = 4_000;
const ROUNDS: usize = 9;

fn main() {
    let Some(sayings) = sayings() else {
        println!("skipped: stream benchmark (no dialogues.jsonl.gz; set CALLGRADE_DATA)");
        return;
    };
    let calls = calls(&sayings, CALLS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!("machine: {}", common::machine());
    runtime.block_on(async {
        let (echo, stop_echo) = start_echo().await;
        let (grading, stop_grading) = start_grading().await;
        let (mut echoes, mut graded, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (mut busy_echoing, mut busy_grading) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let messages = messages(&calls, round);
            let count = messages.len() as f64;
            let copy = messages.clone();
            let before = common::cpu();
            let bare = count / send_echo(&echo, copy).await;
            let between = common::cpu();
            let ours = count / send_grading(&grading, messages).await;
            busy_echoing.push((between - before).as_secs_f64() * 1e6 / count);
            busy_grading.push((common::cpu() - between).as_secs_f64() * 1e6 / count);
            echoes.push(bare);
            graded.push(ours);
            ratios.push(ours / bare);
        }
        println!("{CALLS} interleaved calls of 18 events on one stream, median of {ROUNDS} interleaved rounds");
        let busy = |cpu, rate| format!("{cpu:.2} µs of a core a message, {:.2} cores at work", cpu * rate / 1e6);
        let (echoing, grading) = (median(echoes), median(graded));
        println!("bare echo        {echoing:10.0} messages/s; {}", busy(median(busy_echoing), echoing));
        println!("graded           {grading:10.0} messages/s, acknowledged, verdicts sent; {}", busy(median(busy_grading), grading));
        println!("graded ÷ echo    {:10.2} × (limit 0.5)", median(ratios));
        let _ = (stop_echo.send(()), stop_grading.send(()));
    });
}

async fn send_grading(address: &str, messages: Vec<v1::StreamCallsRequest>) -> f64 {
    let mut client = GradingClient::connect(address.to_owned()).await.expect("the server answers");
    let begun = std::time::Instant::now();
    let mut answers = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
    let mut finals = 0;
    while let Some(answer) = answers.message().await.expect("an answer") {
        if let Some(v1::stream_calls_response::Response::Verdict(verdict)) = answer.response {
            finals += usize::from(verdict.r#final);
        }
    }
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(finals, CALLS, "every call has its final verdict");
    took
}

async fn send_echo(address: &str, messages: Vec<v1::StreamCallsRequest>) -> f64 {
    let count = messages.len();
    let channel =
        tonic::transport::Endpoint::from_shared(address.to_owned()).expect("an address").connect().await.expect("the echo answers");
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("ready");
    let begun = std::time::Instant::now();
    let codec = ProstCodec::<v1::StreamCallsRequest, v1::StreamCallsRequest>::default();
    let path = http::uri::PathAndQuery::from_static("/callgrade.bench.Echo/Echo");
    let mut answers = client.streaming(Request::new(tokio_stream::iter(messages)), path, codec).await.expect("a stream").into_inner();
    let mut echoed = 0;
    while answers.message().await.expect("an echo").is_some() {
        echoed += 1;
    }
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(echoed, count);
    took
}

async fn start_grading() -> (String, oneshot::Sender<()>) {
    let scripts = ScriptChoice::new(Library::bundled().expect("the scripts compile"), None).expect("a choice");
    let service = Service::new(scripts, Limits::default(), Patience::default());
    let (listener, address) = transport::listen("127.0.0.1:0").await.expect("a port");
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(transport::serve(service, listener, ServerOptions::default(), async {
        let _ = stopped.await;
    }));
    (format!("http://{address}"), stop)
}

async fn start_echo() -> (String, oneshot::Sender<()>) {
    let (listener, address) = transport::listen("127.0.0.1:0").await.expect("a port");
    let (stop, stopped) = oneshot::channel();
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(tonic::transport::Server::builder().add_service(Echo).serve_with_incoming_shutdown(incoming, async {
        let _ = stopped.await;
    }));
    (format!("http://{address}"), stop)
}

#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "callgrade.bench.Echo";
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).streaming(Echo, request).await) })
    }
}

impl StreamingService<v1::StreamCallsRequest> for Echo {
    type Response = v1::StreamCallsRequest;
    type ResponseStream = Streaming<v1::StreamCallsRequest>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: Request<Streaming<v1::StreamCallsRequest>>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}
