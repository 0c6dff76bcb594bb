//! Each request in a span, and counted by method and outcome.
//!
//! To stand inside of what translates gRPC-web, which hides a status in a body, and outside of what may refuse a request,
//! so that refusals are seen too.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::Code;
use tracing::{Instrument, Span, field};

use crate::service::Service;
use crate::telemetry::traces::continue_trace;
use crate::wire::{DESCRIPTORS, code_name};

/// Observes the requests of all routes.
pub(super) fn observed(routes: Router, service: &Arc<Service>) -> Router {
    let service = Arc::clone(service);
    routes.layer(middleware::from_fn(move |request, next| observe(Arc::clone(&service), request, next)))
}

/// What a request asks that is none of ours. One name for all of it: names are kept for good.
const OTHER: &str = "other";
/// The methods of HTTP that have a name of their own.
const KNOWN: [Method; 7] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// The paths of all methods that there are.
fn methods() -> &'static HashSet<String> {
    static METHODS: OnceLock<HashSet<String>> = OnceLock::new();
    METHODS.get_or_init(|| {
        let sets = [
            DESCRIPTORS,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let files = sets.into_iter().filter_map(|set| FileDescriptorSet::decode(set).ok()).flat_map(|set| set.file);
        let services = files.flat_map(|file| {
            let package = file.package().to_owned();
            file.service.into_iter().map(move |service| (format!("{package}.{}", service.name()), service))
        });
        services.flat_map(|(name, service)| service.method.into_iter().map(move |method| format!("/{name}/{}", method.name()))).collect()
    })
}

/// The method's name: of gRPC `package.Service/Method`, of HTTP the verb and the route.
fn method(request: &Request, grpc: bool) -> String {
    if grpc {
        let path = request.uri().path();
        return if methods().contains(path) { path.trim_start_matches('/').to_owned() } else { OTHER.to_owned() };
    }
    // A route of gRPC that is asked without it is none.
    let route = request.extensions().get::<MatchedPath>().filter(|route| !route.as_str().contains("{*"));
    // A method may be any word of the asker's.
    let route = route.filter(|_| KNOWN.contains(request.method()));
    route.map_or_else(|| OTHER.to_owned(), |route| format!("{} {}", request.method(), route.as_str()))
}

async fn observe(service: Arc<Service>, request: Request, next: Next) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let grpc = kind.starts_with("application/grpc");
    let method = method(&request, grpc);
    let span = tracing::info_span!(
        "request",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = field::Empty,
        method,
        tenant = field::Empty,
        call_id = field::Empty,
        code = field::Empty,
        trace_id = field::Empty,
    );
    continue_trace(&span, request.headers());
    let mut outcome = Outcome { service, span: span.clone(), method, told: false };
    // Whoever waits for the answer may go away before there is one.
    let response = next.run(request).instrument(span).await;
    let (head, body) = response.into_parts();
    if grpc {
        if let Some(code) = code_of(&head.headers) {
            outcome.tell(code_name(code), severity(code));
        }
        return Response::from_parts(head, Body::new(Observed { body, outcome }));
    }
    let status = head.status;
    // That something is not there, for now or at all, is what was asked, and no fault of its own: its cause is told where it is.
    let expected = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::NOT_IMPLEMENTED);
    outcome.tell(status.as_str(), if status.is_server_error() && !expected { Severity::Fault } else { Severity::None });
    Response::from_parts(head, body)
}

/// The status that headers or trailers tell.
fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()))
}

/// How much an outcome is worth to be told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// All went well, or the asker made a mistake.
    None,
    /// Somebody was refused.
    Refusal,
    /// We made a mistake.
    Fault,
}

fn severity(code: Code) -> Severity {
    match code {
        Code::Unauthenticated | Code::PermissionDenied | Code::ResourceExhausted => Severity::Refusal,
        Code::Internal | Code::Unknown | Code::DataLoss => Severity::Fault,
        _ => Severity::None,
    }
}

/// A request whose outcome is told once.
struct Outcome {
    service: Arc<Service>,
    span: Span,
    method: String,
    told: bool,
}

impl Outcome {
    fn tell(&mut self, code: &str, severity: Severity) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        self.service.metrics.request(&self.method, code);
        self.span.record("code", code);
        let _in_span = self.span.enter();
        match severity {
            Severity::None => tracing::debug!("answered"),
            Severity::Refusal => tracing::info!("refused"),
            Severity::Fault => {
                self.span.record("otel.status_code", "ERROR");
                tracing::error!("failed");
            }
        }
    }
}

impl Drop for Outcome {
    /// Nobody is left to whom an answer could be given.
    fn drop(&mut self) {
        self.tell(code_name(Code::Cancelled), Severity::None);
    }
}

/// The body of a gRPC answer, at whose end its status stands.
struct Observed {
    body: Body,
    outcome: Outcome,
}

impl HttpBody for Observed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, outcome } = self.get_mut();
        let frame = {
            let _in_span = outcome.span.enter();
            ready!(Pin::new(body).poll_frame(cx))
        };
        if let Some(Ok(frame)) = &frame
            && let Some(code) = frame.trailers_ref().and_then(code_of)
        {
            outcome.tell(code_name(code), severity(code));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
