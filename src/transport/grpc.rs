//! gRPC: `callgrade.v1.Grading`, with health and reflection.
//!
//! The service is dispatched by hand, over the messages of [`crate::wire::raw`], so that nothing wrong with one event ends
//! a stream.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Buf;
use futures_core::Stream;
use http::{Request, Response};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EnabledCompressionEncodings};
use tonic::server::{Grpc, NamedService, StreamingService, UnaryService};
use tonic::{Status, Streaming};
use tonic_prost::{ProstCodec, ProstEncoder};
use tonic_types::{ErrorDetails, StatusExt};

use crate::ingest;
use crate::script::ScriptError;
use crate::service::live::{self, status};
use crate::service::{Outbox, Refusal, Service, StreamEvent};
use crate::wire::{DESCRIPTORS, raw, v1};

/// The service's full name.
pub const SERVICE: &str = "callgrade.v1.Grading";

/// The server of `callgrade.v1.Grading`.
#[derive(Debug, Clone)]
pub struct GradingServer {
    service: Arc<Service>,
    stopping: watch::Receiver<bool>,
}

impl GradingServer {
    /// Serves `service`; `stopping` turns true when the server is to shut down.
    #[must_use]
    pub fn new(service: Arc<Service>, stopping: watch::Receiver<bool>) -> Self {
        Self { service, stopping }
    }

    /// Answers are compressed for clients that compress: every grpcio accepts it, but small messages only get slower by it.
    fn grpc<C: Codec>(&self, codec: C, compresses: bool) -> Grpc<C> {
        let mut encodings = EnabledCompressionEncodings::default();
        encodings.enable(CompressionEncoding::Gzip);
        encodings.enable(CompressionEncoding::Zstd);
        let answers = if compresses { encodings } else { EnabledCompressionEncodings::default() };
        Grpc::new(codec)
            .apply_compression_config(encodings, answers)
            .apply_max_message_size_config(Some(self.service.limits.message_bytes), None)
    }
}

impl NamedService for GradingServer {
    const NAME: &'static str = SERVICE;
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Infallible>> + Send>>;
type Reply<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

impl tower::Service<Request<Body>> for GradingServer {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Response<Body>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            // A client's deadline ends a unary call; a stream's is the transport's to end.
            let deadline = if method == "StreamCalls" { None } else { deadline(&request) };
            let compresses = request.headers().get("grpc-encoding").is_some_and(|encoding| encoding != "identity");
            let answering = async {
                match method.as_str() {
                    "StreamCalls" => this.grpc(StreamCodec, compresses).streaming(StreamCalls(this.clone()), request).await,
                    "GradeCall" => this.grpc(ProstCodec::default(), compresses).unary(GradeCall(Arc::clone(&this.service)), request).await,
                    "ListScripts" => {
                        this.grpc(ProstCodec::default(), compresses).unary(ListScripts(Arc::clone(&this.service)), request).await
                    }
                    "GetScript" => this.grpc(ProstCodec::default(), compresses).unary(GetScript(Arc::clone(&this.service)), request).await,
                    _ => Status::unimplemented(format!("{SERVICE} has no method {method:?}")).into_http(),
                }
            };
            Ok(match deadline {
                None => answering.await,
                Some(limit) => match tokio::time::timeout(limit, answering).await {
                    Ok(response) => response,
                    Err(_) => Status::deadline_exceeded("the client's deadline has passed").into_http(),
                },
            })
        })
    }
}

/// The `grpc-timeout` header: a number and its unit.
fn deadline(request: &Request<Body>) -> Option<std::time::Duration> {
    use std::time::Duration;
    let header = request.headers().get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = header.split_at_checked(header.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount.saturating_mul(3600)),
        "M" => Duration::from_secs(amount.saturating_mul(60)),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

struct GradeCall(Arc<Service>);

impl UnaryService<raw::GradeCallRequest> for GradeCall {
    type Response = v1::GradeCallResponse;
    type Future = Reply<Self::Response>;

    fn call(&mut self, request: tonic::Request<raw::GradeCallRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move {
            let call = request.into_inner().call.unwrap_or_default();
            let record = ingest::proto::call(&call, &service.limits);
            let call_id = record.call_id.clone();
            let (verdict, rejections) = service.grade(record).map_err(|refusal| refused(&call_id, &refusal))?;
            Ok(tonic::Response::new(v1::GradeCallResponse {
                verdict: Some(verdict),
                rejections: rejections.iter().map(rejection).collect(),
            }))
        })
    }
}

/// An event's rejection as a message.
pub(super) fn rejection(rejection: &ingest::Rejection) -> v1::Rejection {
    let refusal = Refusal::Invalid(rejection.reason.clone());
    v1::Rejection {
        call_id: rejection.call_id.clone(),
        seq: rejection.seq,
        status: Some(status(&rejection.call_id, rejection.seq, &refusal)),
    }
}

/// A refusal as the status that ends a unary call.
fn refused(call_id: &str, refusal: &Refusal) -> Status {
    use prost::Message;
    let status = status(call_id, 0, refusal);
    Status::with_details(tonic::Code::from(status.code), status.message.clone(), status.encode_to_vec().into())
}

struct ListScripts(Arc<Service>);

impl UnaryService<v1::ListScriptsRequest> for ListScripts {
    type Response = v1::ListScriptsResponse;
    type Future = Reply<Self::Response>;

    fn call(&mut self, _: tonic::Request<v1::ListScriptsRequest>) -> Self::Future {
        let scripts = self.0.scripts.library().iter().map(|script| summary(script)).collect();
        Box::pin(async move { Ok(tonic::Response::new(v1::ListScriptsResponse { scripts })) })
    }
}

struct GetScript(Arc<Service>);

impl UnaryService<v1::GetScriptRequest> for GetScript {
    type Response = v1::GetScriptResponse;
    type Future = Reply<Self::Response>;

    fn call(&mut self, request: tonic::Request<v1::GetScriptRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move {
            let v1::GetScriptRequest { script_id, version } = request.into_inner();
            let name = if version.is_empty() { script_id } else { format!("{script_id}@{version}") };
            let script = service.scripts.library().get(&name).map_err(|error: ScriptError| {
                Status::with_error_details(
                    tonic::Code::NotFound,
                    error.to_string(),
                    ErrorDetails::with_resource_info("script", name, "", ""),
                )
            })?;
            let files = script.files.clone();
            Ok(tonic::Response::new(v1::GetScriptResponse { summary: Some(summary(&script)), files }))
        })
    }
}

pub(super) fn summary(script: &crate::core::script::Script) -> v1::ScriptSummary {
    v1::ScriptSummary {
        script_id: script.id.to_string(),
        version: script.version.to_string(),
        title: script.title.to_string(),
        labels: script.labels.iter().map(|label| label.id.to_string()).collect(),
    }
}

/// A stream's message, or why its bytes are none.
type Received = Result<raw::StreamCallsRequest, String>;

/// Reads a stream's messages such that one that cannot be read does not end it.
#[derive(Debug, Clone, Copy)]
struct StreamCodec;

impl Codec for StreamCodec {
    type Encode = v1::StreamCallsResponse;
    type Decode = Received;
    type Encoder = ProstEncoder<v1::StreamCallsResponse>;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Decoder for StreamCodec {
    type Item = Received;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Received>, Status> {
        use prost::Message;
        // Whole first: decoding from the buffer itself could leave part of a bad message in it.
        let message = bytes.copy_to_bytes(bytes.remaining());
        Ok(Some(raw::StreamCallsRequest::decode(message).map_err(|error| format!("not a StreamCallsRequest: {error}"))))
    }
}

struct StreamCalls(GradingServer);

impl StreamingService<Received> for StreamCalls {
    type Response = v1::StreamCallsResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<v1::StreamCallsResponse, Status>> + Send>>;
    type Future = Reply<Self::ResponseStream>;

    fn call(&mut self, request: tonic::Request<Streaming<Received>>) -> Self::Future {
        let GradingServer { service, stopping } = self.0.clone();
        Box::pin(async move {
            let stream: Self::ResponseStream = Box::pin(follow(service, stopping, request.into_inner()));
            Ok(tonic::Response::new(stream))
        })
    }
}

/// What a stream still waits for once its client has stopped sending.
#[derive(Default)]
struct Waiting {
    gapped: std::collections::HashSet<String>,
    closed: bool,
}

impl Waiting {
    fn note(&mut self, call_id: &str, gapped: bool) {
        if gapped {
            if !self.gapped.contains(call_id) {
                self.gapped.insert(call_id.to_owned());
            }
        } else if !self.gapped.is_empty() {
            self.gapped.remove(call_id);
        }
    }

    fn over(&self) -> bool {
        self.closed && self.gapped.is_empty()
    }
}

/// One stream. It reads only when all it has to say was taken, so a client that does not read stops being read.
fn follow(
    service: Arc<Service>,
    mut stopping: watch::Receiver<bool>,
    mut inbound: Streaming<Received>,
) -> impl Stream<Item = Result<v1::StreamCallsResponse, Status>> {
    async_stream::stream! {
        let outbox = Arc::new(Outbox::default());
        let mut waiting = Waiting::default();
        let mut responses = Vec::new();
        while !waiting.over() {
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => {
                    service.hand_back(&outbox, &mut responses);
                    for response in responses.drain(..) {
                        yield Ok(response);
                    }
                    yield Err(Status::unavailable("the server is shutting down"));
                    return;
                }
                calls = outbox.calls() => {
                    for call in calls {
                        let gapped = service.owed(&call, &outbox, &mut responses);
                        waiting.note(&call, gapped);
                    }
                }
                message = inbound.message(), if !waiting.closed => match message {
                    Ok(Some(Err(reason))) => responses.push(live::rejection("", 0, &Refusal::Invalid(reason))),
                    Ok(Some(Ok(request))) => {
                        let event = StreamEvent::from_wire(&request);
                        let call_id = event.call_id.clone();
                        let gapped = service.event(event, Some(&outbox), &mut responses);
                        waiting.note(&call_id, gapped);
                    }
                    Ok(None) => waiting.closed = true,
                    Err(status) => {
                        yield Err(status);
                        return;
                    }
                }
            }
            for response in responses.drain(..) {
                yield Ok(response);
            }
        }
    }
}

/// Resolves when the server is to shut down.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and the server with it.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// The two versions of server reflection that clients ask for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reflection {
    V1,
    V1Alpha,
}

impl Reflection {
    pub(super) fn add_to(self, routes: &mut tonic::service::RoutesBuilder) {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        // The descriptors were checked when they were compiled.
        match self {
            Self::V1 => {
                if let Ok(service) = builder.build_v1() {
                    routes.add_service(service);
                }
            }
            Self::V1Alpha => {
                if let Ok(service) = builder.build_v1alpha() {
                    routes.add_service(service);
                }
            }
        }
    }
}
