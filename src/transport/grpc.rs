//! gRPC: `callgrade.v1.Grading`, with health and reflection.
//!
//! The service is dispatched by hand, over the messages of [`crate::wire::raw`], so that nothing wrong with one event ends
//! a stream.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, EnabledCompressionEncodings};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::health::Services;
use super::stream::{StreamCalls, StreamCodec};
use super::tenant_of;
use crate::ingest;
use crate::service::versions::VersionError;
use crate::service::{Refusal, Service, status};
use crate::wire::{DESCRIPTORS, raw, v1};

/// The service's full name.
pub const SERVICE: &str = "callgrade.v1.Grading";

/// The server of `callgrade.v1.Grading`.
#[derive(Debug, Clone)]
pub struct GradingServer {
    pub(super) service: Arc<Service>,
    pub(super) stopping: watch::Receiver<bool>,
}

impl GradingServer {
    /// Serves `service`; `stopping` turns true when the server is to shut down.
    #[must_use]
    pub fn new(service: Arc<Service>, stopping: watch::Receiver<bool>) -> Self {
        Self { service, stopping }
    }

    /// Answers are compressed for clients that compress: every grpcio accepts it, but small messages only get slower by it.
    fn grpc<C: Codec>(&self, codec: C, compresses: bool, most: usize) -> Grpc<C> {
        let mut encodings = EnabledCompressionEncodings::default();
        encodings.enable(CompressionEncoding::Gzip);
        encodings.enable(CompressionEncoding::Zstd);
        let answers = if compresses { encodings } else { EnabledCompressionEncodings::default() };
        Grpc::new(codec).apply_compression_config(encodings, answers).apply_max_message_size_config(Some(most), None)
    }
}

impl NamedService for GradingServer {
    const NAME: &'static str = SERVICE;
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Infallible>> + Send>>;
pub(super) type Reply<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

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
            let compresses = request.headers().get("grpc-encoding").is_some_and(|encoding| encoding != "identity");
            let most = tenant_of(request.extensions(), &this.service).settings.limits.message_bytes;
            let response = match method.as_str() {
                "StreamCalls" => this.grpc(StreamCodec::default(), compresses, most).streaming(StreamCalls(this.clone()), request).await,
                "GradeCall" => {
                    this.grpc(ProstCodec::default(), compresses, most).unary(GradeCall(Arc::clone(&this.service)), request).await
                }
                "ListScripts" => {
                    this.grpc(ProstCodec::default(), compresses, most).unary(ListScripts(Arc::clone(&this.service)), request).await
                }
                "GetCallState" => {
                    this.grpc(ProstCodec::default(), compresses, most).unary(GetCallState(Arc::clone(&this.service)), request).await
                }
                "GetScript" => {
                    this.grpc(ProstCodec::default(), compresses, most).unary(GetScript(Arc::clone(&this.service)), request).await
                }
                _ => Status::unimplemented(format!("{SERVICE} has no method {method:?}")).into_http(),
            };
            Ok(match Status::from_header_map(response.headers()) {
                Some(status) if status.code() == Code::OutOfRange => too_long(&status).into_http(),
                _ => response,
            })
        })
    }
}

/// A message over the limit is `OUT_OF_RANGE` to tonic, and to nothing else here; to gRPC's other libraries, and to the contract,
/// it is `RESOURCE_EXHAUSTED`.
pub(super) fn too_long(status: &Status) -> Status {
    Status::resource_exhausted(status.message())
}

struct GradeCall(Arc<Service>);

impl UnaryService<raw::GradeCallRequest> for GradeCall {
    type Response = v1::GradeCallResponse;
    type Future = Reply<Self::Response>;

    fn call(&mut self, request: tonic::Request<raw::GradeCallRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move {
            let tenant = tenant_of(request.extensions(), &service);
            let call = request.into_inner().call.unwrap_or_default();
            let record = ingest::proto::call(&call, &tenant.settings.limits);
            let call_id = record.call_id.clone();
            tracing::Span::current().record("call_id", &call_id);
            let (verdict, rejections) = service.grade(&tenant, record).await.map_err(|refusal| refused(&call_id, &refusal))?;
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

struct GetCallState(Arc<Service>);

impl UnaryService<v1::GetCallStateRequest> for GetCallState {
    type Response = v1::GetCallStateResponse;
    type Future = Reply<Self::Response>;

    fn call(&mut self, request: tonic::Request<v1::GetCallStateRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move {
            let tenant = tenant_of(request.extensions(), &service);
            let call_id = request.into_inner().call_id;
            let state = service.call_state(&tenant, &call_id).await.map_err(|refusal| refused(&call_id, &refusal))?;
            Ok(tonic::Response::new(state))
        })
    }
}

struct ListScripts(Arc<Service>);

impl UnaryService<v1::ListScriptsRequest> for ListScripts {
    type Response = v1::ListScriptsResponse;
    type Future = Reply<Self::Response>;

    fn call(&mut self, request: tonic::Request<v1::ListScriptsRequest>) -> Self::Future {
        let tenant = tenant_of(request.extensions(), &self.0);
        let scripts = self.0.scripts_of(&tenant).iter().map(|script| summary(script)).collect();
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
            let tenant = tenant_of(request.extensions(), &service);
            let v1::GetScriptRequest { script_id, version } = request.into_inner();
            let found = tokio::task::spawn_blocking(move || match version.as_str() {
                "" => service.script(&tenant, &script_id).map_err(VersionError::Script),
                version => service.script_version(&tenant, &script_id, version),
            });
            let found = found.await.map_err(|error| Status::internal(format!("the script was not read: {error}")))?;
            let script = found.map_err(super::scripts::refused)?;
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

/// The two versions of server reflection that clients ask for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reflection {
    V1,
    V1Alpha,
}

impl Reflection {
    pub(super) fn add_to(self, services: &mut Services) {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // The details of errors, which no message of ours names.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET);
        // The descriptors were checked when they were compiled.
        match self {
            Self::V1 => {
                if let Ok(service) = builder.build_v1() {
                    services.add(service);
                }
            }
            Self::V1Alpha => {
                if let Ok(service) = builder.build_v1alpha() {
                    services.add(service);
                }
            }
        }
    }
}
