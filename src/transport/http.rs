//! HTTP/JSON for engineers without gRPC. The messages are those of the contract, in proto3 JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{Extensions, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{BadRequest, ErrorDetail, PreconditionFailure, PreconditionViolation, ResourceInfo, RetryInfo, StatusExt};

use super::{auth, reports, tenant_of};
use crate::ingest::{self, CallRecord, json, jsonl};
use crate::service::tenant::Tenant;
use crate::service::{Head, Refusal, Service, StreamEvent, Told, rejection, status};
use crate::telemetry::Tally;
use crate::wire::v1::stream_calls_response::Response as Answer;
use crate::wire::{self, code_name, rpc, v1};

pub(super) mod records;
pub(super) mod regrading;

/// The document that describes these routes.
const OPENAPI: &str = include_str!("openapi.json");

/// The routes under `/v1`.
pub fn routes(service: Arc<Service>) -> Router {
    let most = service.tenants.most_message_bytes();
    Router::new()
        .route("/v1/calls:grade", post(grade))
        .route("/v1/calls/{call_id}/events", post(events))
        .route("/v1/aliyun/report", post(reports::aliyun))
        .route("/v1/freeswitch/cdr", post(reports::freeswitch))
        .route("/v1/calls/{call_id}/verdict", get(verdict))
        .route("/v1/calls/{call_id}/state", get(state))
        .route("/v1/scripts", get(scripts))
        .route("/v1/openapi.json", get(openapi))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(most))
        .with_state(service)
}

/// The routes to what is kept, of a server that keeps nothing.
pub(super) fn without_store() -> Router {
    let of_store = |name: &str| ["callgrade.v1.Records/", "callgrade.v1.Regrading/"].iter().any(|service| name.starts_with(service));
    let kept = auth::ROUTES.iter().filter(|(.., asks)| matches!(asks, auth::Asks::Like(name) if of_store(name)));
    let paths: BTreeSet<&str> = kept.map(|(_, path, _)| *path).collect();
    paths.into_iter().fold(Router::new(), |routes, path| routes.route(path, any(keeps_nothing)))
}

async fn keeps_nothing() -> Response {
    let message = "this server keeps no calls: it was started with --store none".to_owned();
    error(StatusCode::NOT_IMPLEMENTED, &rpc::Status { code: Code::Unimplemented.into(), message, details: Vec::new() })
}

/// A body as it comes, or why it could not be read.
pub(super) type Body = Result<Bytes, BytesRejection>;
/// The call of a path, or why it names none.
type CallPath = Result<Path<String>, PathRejection>;

/// An error as the other doors tell it: code, name, message and details of `google.rpc.Status`.
pub(super) struct Failure(pub(super) Refusal, pub(super) String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(refusal, call_id) = self;
        error(http_status(&refusal), &status(&call_id, 0, &refusal))
    }
}

/// What HTTP says of a refusal.
pub(super) fn http_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Invalid(_) | Refusal::NotOpen(_) => StatusCode::BAD_REQUEST,
        Refusal::TooMuch(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Script(_) | Refusal::NoCall(_) => StatusCode::NOT_FOUND,
        Refusal::Over(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Store(_) | Refusal::Unread(_) | Refusal::Behind(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The body of every answer that is no success.
pub(super) fn error(http: StatusCode, status: &rpc::Status) -> Response {
    let code = Code::from(status.code);
    let error = json!({"code": status.code, "status": code_name(code), "message": status.message, "details": details(status)});
    (http, Json(json!({"error": error}))).into_response()
}

/// A status's details in canonical proto3 JSON, of the types that this server uses; others are left out.
fn details(status: &rpc::Status) -> Vec<Value> {
    let details = Status::with_details(Code::from(status.code), "", status.encode_to_vec().into()).get_error_details_vec();
    let value = |detail| match detail {
        ErrorDetail::BadRequest(bad) => {
            let violations: Vec<Value> =
                bad.field_violations.iter().map(|it| json!({"field": it.field, "description": it.description})).collect();
            Some(json!({"@type": BadRequest::TYPE_URL, "fieldViolations": violations}))
        }
        ErrorDetail::PreconditionFailure(failure) => {
            let violation = |it: &PreconditionViolation| json!({"type": it.r#type, "subject": it.subject, "description": it.description});
            let violations: Vec<Value> = failure.violations.iter().map(violation).collect();
            Some(json!({"@type": PreconditionFailure::TYPE_URL, "violations": violations}))
        }
        ErrorDetail::ResourceInfo(resource) => Some(json!({
            "@type": ResourceInfo::TYPE_URL,
            "resourceType": resource.resource_type,
            "resourceName": resource.resource_name,
            "owner": resource.owner,
            "description": resource.description,
        })),
        ErrorDetail::RetryInfo(retry) => {
            let delay = pbjson_types::Duration::from(retry.retry_delay?);
            Some(json!({"@type": RetryInfo::TYPE_URL, "retryDelay": delay}))
        }
        _ => None,
    };
    details.into_iter().filter_map(value).collect()
}

/// A rejection in canonical proto3 JSON, which spells out an `Any`.
fn rejected(rejection: &v1::Rejection) -> Value {
    let status = rejection.status.as_ref();
    let status = status.map(|status| json!({"code": status.code, "message": status.message, "details": details(status)}));
    json!({"callId": rejection.call_id, "seq": rejection.seq, "status": status})
}

/// The bytes of a body.
pub(super) fn read(body: Body, tenant: &Tenant) -> Result<Bytes, Refusal> {
    let most = tenant.settings.limits.message_bytes;
    let too_much = || Refusal::TooMuch(format!("the body has more than {most} bytes"));
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_much(),
        _ => Refusal::Invalid(rejection.body_text()),
    })?;
    if body.len() > most { Err(too_much()) } else { Ok(body) }
}

/// The call id of a path.
fn named(path: CallPath) -> Result<String, Failure> {
    path.map(|Path(call_id)| call_id)
        .inspect(|call_id| {
            tracing::Span::current().record("call_id", call_id);
        })
        .map_err(|_| Failure(Refusal::Invalid("the call id in the path is not UTF-8".to_owned()), String::new()))
}

/// Refuses a body that is compressed: what is in it would be read as if it were not.
pub(super) async fn uncompressed(request: Request, next: Next) -> Response {
    match request.headers().get(header::CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        None => next.run(request).await,
        Some(encoding) => {
            let message =
                format!("a body of content-encoding {} is not taken: send it as it is", String::from_utf8_lossy(encoding.as_bytes()));
            let status = rpc::Status { code: Code::InvalidArgument.into(), message, details: Vec::new() };
            error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &status)
        }
    }
}

/// The answer to a path that is none of ours, in the asker's own protocol.
pub(super) async fn unknown(request: Request) -> Response {
    let path = request.uri().path();
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/grpc") {
        return Status::unimplemented(format!("there is no service at {path}")).into_http();
    }
    let status = rpc::Status {
        code: Code::NotFound.into(),
        message: format!("there is nothing at {path}; see /v1/openapi.json"),
        details: Vec::new(),
    };
    error(StatusCode::NOT_FOUND, &status)
}

/// The answer to a path of ours that does not answer the asker's method.
pub(super) async fn wrong_method(request: Request) -> Response {
    let message = format!("{} does not answer {}; see /v1/openapi.json", request.uri().path(), request.method());
    error(StatusCode::METHOD_NOT_ALLOWED, &rpc::Status { code: Code::Unimplemented.into(), message, details: Vec::new() })
}

/// [`v1::GradeCallResponse`], details spelt out.
#[derive(Serialize)]
pub(super) struct Graded {
    verdict: v1::Verdict,
    rejections: Vec<Value>,
}

async fn grade(State(service): State<Arc<Service>>, extensions: Extensions, body: Body) -> Result<Json<Graded>, Failure> {
    let tenant = tenant_of(&extensions, &service);
    let body = read(body, &tenant).map_err(|refusal| Failure(refusal, String::new()))?;
    let unreadable = |rejection: ingest::Rejection| Failure(Refusal::Invalid(rejection.to_string()), rejection.call_id);
    let record = jsonl::call(&body, &tenant.settings.limits).map_err(unreadable)?;
    graded(&service, &tenant, record).await
}

/// The answer to a call that is graded whole.
pub(super) async fn graded(service: &Arc<Service>, tenant: &Arc<Tenant>, record: CallRecord) -> Result<Json<Graded>, Failure> {
    let call_id = record.call_id.clone();
    tracing::Span::current().record("call_id", &call_id);
    let (verdict, rejections) = service.grade(tenant, record).await.map_err(|refusal| Failure(refusal, call_id))?;
    let rejections = rejections.iter().map(|it| rejected(&super::grpc::rejection(it))).collect();
    Ok(Json(Graded { verdict, rejections }))
}

/// Events of one call, each with its `seq`, as a stream would carry them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct EventsBody<'a> {
    #[serde(rename = "scriptId", alias = "script_id")]
    script_id: Option<String>,
    #[serde(rename = "startedAt", alias = "started_at")]
    started_at: Option<json::Moment>,
    #[serde(rename = "timeZone", alias = "time_zone")]
    time_zone: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
    #[serde(borrow)]
    events: Option<Vec<&'a RawValue>>,
}

impl<'a> EventsBody<'a> {
    fn read(text: &'a str) -> Result<Self, Refusal> {
        let unreadable = |reason: &str| Refusal::Invalid(format!("not a list of events: {reason}"));
        // A struct could be read from an array, too.
        if !text.trim_start().starts_with('{') {
            return Err(unreadable("the body is to be a JSON object with the events in \"events\""));
        }
        json::read(text).map_err(|reason| unreadable(&reason))
    }

    /// What the first event of the body brings along of its call, and those behind it.
    fn head(&mut self) -> Box<Head> {
        Box::new(Head {
            script_id: self.script_id.clone().unwrap_or_default(),
            started_at: self.started_at.map(|json::Moment(at)| at),
            time_zone: self.time_zone.clone().unwrap_or_default(),
            attributes: self.attributes.take().unwrap_or_default(),
        })
    }
}

/// An event's place, a number or, as proto3 JSON allows, a number in a string.
#[derive(Deserialize)]
struct Sequence {
    #[serde(default)]
    seq: Value,
}

/// An event's `seq`.
///
/// # Errors
/// It gives none, or not one that an event can have.
fn seq_of(place: usize, event: &str) -> Result<u32, String> {
    let seq = serde_json::from_str::<Sequence>(event).map(|sequence| sequence.seq).unwrap_or_default();
    let number = seq.as_u64().or_else(|| seq.as_str().and_then(|seq| seq.parse().ok()));
    match number.and_then(|seq| u32::try_from(seq).ok()) {
        Some(seq) if seq > 0 => Ok(seq),
        _ if seq.is_null() => Err(format!("events[{place}] has no seq; events count from 1 in each call")),
        _ => Err(format!("the seq of events[{place}] is {seq}, not a whole number from 1 to 4294967295")),
    }
}

/// What the events of a body led to.
#[derive(Serialize)]
struct EventsAnswer {
    ack: Option<v1::Ack>,
    rejections: Vec<Value>,
    verdict: Option<v1::Verdict>,
}

async fn events(
    State(service): State<Arc<Service>>,
    extensions: Extensions,
    call_id: CallPath,
    body: Body,
) -> Result<Json<EventsAnswer>, Failure> {
    let call_id = named(call_id)?;
    let failed = |refusal: Refusal| Failure(refusal, call_id.clone());
    let tenant = tenant_of(&extensions, &service);
    let body = read(body, &tenant).map_err(failed)?;
    let text = String::from_utf8_lossy(&body);
    let damaged = matches!(text, Cow::Owned(_));
    let mut body = EventsBody::read(&text).map_err(failed)?;
    let offered = body.events.take().unwrap_or_default();
    let mut placeless: Vec<v1::StreamCallsResponse> = Vec::new();
    let mut events = Vec::with_capacity(offered.len());
    for (place, raw) in offered.iter().enumerate() {
        let seq = match seq_of(place, raw.get()) {
            Ok(seq) => seq,
            Err(reason) => {
                placeless.push(rejection(&call_id, 0, &Refusal::Invalid(reason)));
                continue;
            }
        };
        // Only an event of a body with bytes that are not UTF-8 is looked at for what stands in their place.
        let event = if damaged && raw.get().contains(char::REPLACEMENT_CHARACTER) {
            Err("text that is not UTF-8".to_owned())
        } else {
            ingest::event(raw.get())
        };
        let kept = event.as_ref().map(|heard| wire::heard_event(&heard.event, heard.confidence).encode_to_vec().into());
        let (kept, event) = (kept.unwrap_or_default(), event.map(|heard| heard.event));
        events.push(StreamEvent { call_id: call_id.clone(), seq, head: Some(body.head()), event: Some(event), body: kept });
    }
    let responses = service.take_in(&tenant, None, events).await.into_iter().map(Told::into).chain(placeless);
    let mut acknowledged = None;
    let mut rejections = Vec::new();
    let mut tally = Tally::of(offered.len());
    for response in responses {
        match response.response {
            Some(Answer::Ack(ack)) => {
                acknowledged = acknowledged.max(Some(ack.seq));
                tally.ack();
            }
            Some(Answer::Rejection(rejection)) => {
                tally.rejection(Code::from(rejection.status.as_ref().map_or(Code::Unknown as i32, |status| status.code)));
                rejections.push(rejected(&rejection));
            }
            Some(Answer::Verdict(_)) | None => {}
        }
    }
    service.metrics.count(&tally);
    // Also where these events moved nothing: who sends over HTTP has heard of no earlier acknowledgement.
    let kept = match acknowledged {
        None => service.call_state(&tenant, &call_id).await.ok().map(|state| state.last_seq).filter(|seq| *seq > 0),
        some => some,
    };
    let ack = kept.map(|seq| v1::Ack { call_id: call_id.clone(), seq });
    Ok(Json(EventsAnswer { ack, rejections, verdict: service.verdict_of(&tenant, &call_id).await.ok() }))
}

async fn verdict(State(service): State<Arc<Service>>, extensions: Extensions, call_id: CallPath) -> Result<Json<v1::Verdict>, Failure> {
    let call_id = named(call_id)?;
    let tenant = tenant_of(&extensions, &service);
    service.verdict_of(&tenant, &call_id).await.map(Json).map_err(|refusal| Failure(refusal, call_id))
}

async fn state(
    State(service): State<Arc<Service>>,
    extensions: Extensions,
    call_id: CallPath,
) -> Result<Json<v1::GetCallStateResponse>, Failure> {
    let call_id = named(call_id)?;
    let tenant = tenant_of(&extensions, &service);
    service.call_state(&tenant, &call_id).await.map(Json).map_err(|refusal| Failure(refusal, call_id))
}

async fn scripts(State(service): State<Arc<Service>>, extensions: Extensions) -> Json<v1::ListScriptsResponse> {
    let tenant = tenant_of(&extensions, &service);
    let scripts = service.scripts_of(&tenant).iter().map(|script| super::grpc::summary(script)).collect();
    Json(v1::ListScriptsResponse { scripts })
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}
