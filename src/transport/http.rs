//! HTTP/JSON for engineers without gRPC. The messages are those of the contract, in proto3 JSON.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::ingest::{self, jsonl};
use crate::service::live::status;
use crate::service::{Refusal, Service, StreamEvent};
use crate::wire::v1;
use crate::wire::v1::stream_calls_response::Response as Answer;

/// The document that describes these routes.
const OPENAPI: &str = include_str!("openapi.json");

/// The routes under `/v1`.
pub fn routes(service: Arc<Service>) -> Router {
    let most = service.limits.message_bytes;
    Router::new()
        .route("/v1/calls:grade", post(grade))
        .route("/v1/calls/{call_id}/events", post(events))
        .route("/v1/calls/{call_id}/verdict", get(verdict))
        .route("/v1/scripts", get(scripts))
        .route("/v1/openapi.json", get(openapi))
        .layer(DefaultBodyLimit::max(most))
        .with_state(service)
}

/// An error as the other doors tell it: code, name and message of `google.rpc.Status`.
struct Failure(Refusal, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(refusal, call_id) = self;
        let http = match refusal {
            Refusal::Invalid(_) | Refusal::NotOpen(_) => StatusCode::BAD_REQUEST,
            Refusal::TooMuch(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Script(_) | Refusal::NoCall(_) => StatusCode::NOT_FOUND,
        };
        let status = status(&call_id, 0, &refusal);
        let name = format!("{:?}", tonic::Code::from(status.code));
        (http, Json(json!({"error": {"code": status.code, "status": name, "message": status.message}}))).into_response()
    }
}

async fn grade(State(service): State<Arc<Service>>, body: Bytes) -> Result<Json<v1::GradeCallResponse>, Failure> {
    let unreadable = |rejection: ingest::Rejection| Failure(Refusal::Invalid(rejection.to_string()), rejection.call_id);
    let record = jsonl::call(&body, &service.limits).map_err(unreadable)?;
    let call_id = record.call_id.clone();
    let (verdict, rejections) = service.grade(record).map_err(|refusal| Failure(refusal, call_id))?;
    let rejections = rejections.iter().map(super::grpc::rejection).collect();
    Ok(Json(v1::GradeCallResponse { verdict: Some(verdict), rejections }))
}

/// Events of one call, each with its `seq`, as a stream would carry them.
#[derive(Deserialize)]
struct EventsBody<'a> {
    #[serde(default, rename = "scriptId", alias = "script_id")]
    script_id: String,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Sequence {
    #[serde(default)]
    seq: Option<u32>,
}

async fn events(State(service): State<Arc<Service>>, Path(call_id): Path<String>, body: Bytes) -> Result<Json<Value>, Failure> {
    let failed = |reason: String| Failure(Refusal::Invalid(reason), call_id.clone());
    let text = std::str::from_utf8(&body).map_err(|_| failed("the body is not UTF-8".to_owned()))?;
    let body: EventsBody<'_> = serde_json::from_str(text).map_err(|error| failed(format!("not a list of events: {error}")))?;
    let mut responses = Vec::new();
    for (place, raw) in body.events.iter().enumerate() {
        let seq = serde_json::from_str::<Sequence>(raw.get()).ok().and_then(|sequence| sequence.seq);
        let Some(seq) = seq else {
            return Err(failed(format!("events[{place}] has no seq; events count from 1 in each call")));
        };
        let event = StreamEvent {
            call_id: call_id.clone(),
            seq,
            script_id: body.script_id.clone(),
            event: Some(ingest::event(raw.get())),
        };
        service.event(event, None, &mut responses);
    }
    let mut acknowledged = None;
    let mut rejections = Vec::new();
    for response in responses {
        match response.response {
            Some(Answer::Ack(ack)) => acknowledged = acknowledged.max(Some(ack.seq)),
            Some(Answer::Rejection(rejection)) => rejections.push(rejection),
            Some(Answer::Verdict(_)) | None => {}
        }
    }
    let ack = acknowledged.map(|seq| v1::Ack { call_id: call_id.clone(), seq });
    Ok(Json(json!({"ack": ack, "rejections": rejections, "verdict": service.verdict(&call_id).ok()})))
}

async fn verdict(State(service): State<Arc<Service>>, Path(call_id): Path<String>) -> Result<Json<v1::Verdict>, Failure> {
    service.verdict(&call_id).map(Json).map_err(|refusal| Failure(refusal, call_id))
}

async fn scripts(State(service): State<Arc<Service>>) -> Json<v1::ListScriptsResponse> {
    let scripts = service.scripts.library().iter().map(|script| super::grpc::summary(script)).collect();
    Json(v1::ListScriptsResponse { scripts })
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}
