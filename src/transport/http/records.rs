//! HTTP/JSON: the calls that are kept.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{Extensions, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use pbjson_types::Timestamp;
use prost::Message;
use tonic::{Code, Status};

use super::{CallPath, error, named, rejected, wrong_method};
use crate::service::records::Records;
use crate::transport::records::{asker_of, blocking, export, invalid, refused};
use crate::wire::{rpc, v1};

/// The routes under `/v1/calls` that read and delete what is kept.
pub(in crate::transport) fn routes(records: Arc<Records>) -> Router {
    Router::new()
        .route("/v1/calls", get(list))
        .route("/v1/calls:export", get(export_lines))
        .route("/v1/calls/{call_id}", get(one).delete(delete))
        .method_not_allowed_fallback(wrong_method)
        .with_state(records)
}

/// A status as this door tells it.
pub(super) struct Failed(pub(super) Status);

impl From<Status> for Failed {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let http = match self.0.code() {
            Code::InvalidArgument => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::AlreadyExists => StatusCode::CONFLICT,
            Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let plain = rpc::Status { code: self.0.code().into(), message: self.0.message().to_owned(), details: Vec::new() };
        error(http, &rpc::Status::decode(self.0.details()).ok().filter(|rich| rich.code != 0).unwrap_or(plain))
    }
}

/// What a query asks for.
#[derive(Default)]
struct Asked {
    filter: v1::CallFilter,
    page_size: u32,
    page_token: String,
    history: bool,
}

/// Which parameters a route takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    History,
    Filter,
    FilterAndPage,
}

fn read(query: Option<&str>, takes: Takes) -> Result<Asked, Status> {
    let mut asked = Asked::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let value = value.into_owned();
        let wrong = |what: &str| invalid(&name, format!("{name} is {value:?}, not {what}"));
        let flag = || value.parse::<bool>().map_err(|_| wrong("true or false"));
        let moment = || {
            let at: jiff::Timestamp = value.parse().map_err(|_| wrong("a moment such as 2026-03-01T09:00:00+08:00"))?;
            let (seconds, nanos) = (at.as_second(), at.subsec_nanosecond());
            let early = i32::from(nanos < 0);
            Ok::<_, Status>(Some(Timestamp { seconds: seconds - i64::from(early), nanos: nanos + early * 1_000_000_000 }))
        };
        let filter = &mut asked.filter;
        match (&*name, takes) {
            ("history", Takes::History) => asked.history = flag()?,
            ("pageSize" | "page_size", Takes::FilterAndPage) => asked.page_size = value.parse().map_err(|_| wrong("a whole number"))?,
            ("pageToken" | "page_token", Takes::FilterAndPage) => asked.page_token = value,
            (_, Takes::History) => return Err(unknown(&name)),
            ("scriptId" | "script_id", _) => filter.script_id = value,
            ("scriptVersion" | "script_version", _) => filter.script_version = value,
            ("label", _) => filter.labels.push(value),
            ("ruleId" | "rule_id", _) => filter.rule_id = value,
            ("from", _) => filter.from = moment()?,
            ("before", _) => filter.before = moment()?,
            ("text", _) => filter.text = value,
            ("final", _) => filter.r#final = Some(flag()?),
            ("attribute", _) => {
                let (key, of_key) = value.split_once('=').ok_or_else(|| wrong("NAME=VALUE"))?;
                filter.attributes.insert(key.to_owned(), of_key.to_owned());
            }
            _ => return Err(unknown(&name)),
        }
    }
    Ok(asked)
}

fn unknown(name: &str) -> Status {
    invalid(name, format!("there is no parameter {name:?} here; see /v1/openapi.json"))
}

async fn list(
    State(records): State<Arc<Records>>,
    extensions: Extensions,
    RawQuery(query): RawQuery,
) -> Result<Json<v1::ListCallsResponse>, Failed> {
    let Asked { filter, page_size, page_token, .. } = read(query.as_deref(), Takes::FilterAndPage)?;
    let request = v1::ListCallsRequest { filter: Some(filter), page_size, page_token };
    let asker = asker_of(&extensions);
    Ok(Json(blocking(move || records.list(&asker.tenant, &request).map_err(refused)).await?))
}

/// [`v1::KeptCall`], rejections spelt out.
fn spelt_out(call: &v1::KeptCall) -> serde_json::Result<serde_json::Value> {
    let mut value = serde_json::to_value(v1::KeptCall { rejections: Vec::new(), ..call.clone() })?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("rejections".to_owned(), call.rejections.iter().map(rejected).collect());
    }
    Ok(value)
}

fn unwritable(error: serde_json::Error) -> Status {
    Status::data_loss(format!("a call cannot be written as JSON: {error}"))
}

async fn one(
    State(records): State<Arc<Records>>,
    extensions: Extensions,
    call_id: CallPath,
    RawQuery(query): RawQuery,
) -> Result<Json<serde_json::Value>, Response> {
    let call_id = named(call_id).map_err(IntoResponse::into_response)?;
    let answer = async {
        let history = read(query.as_deref(), Takes::History)?.history;
        let asker = asker_of(&extensions);
        let answer = blocking(move || records.get(&asker.tenant, &call_id, history).map_err(refused)).await?;
        let call = answer.call.as_ref().map(spelt_out).transpose().map_err(unwritable)?;
        Ok::<_, Status>(Json(serde_json::json!({"call": call, "history": answer.history})))
    };
    answer.await.map_err(|status| Failed(status).into_response())
}

async fn delete(
    State(records): State<Arc<Records>>,
    call_id: CallPath,
    request: Request,
) -> Result<Json<v1::DeleteCallResponse>, Response> {
    let call_id = named(call_id).map_err(IntoResponse::into_response)?;
    let asker = asker_of(request.extensions());
    let deleted = blocking(move || records.delete(asker.actor(), &call_id).map_err(refused)).await;
    deleted.map(|()| Json(v1::DeleteCallResponse {})).map_err(|status| Failed(status).into_response())
}

/// One call a line. An error once the lines have begun can only cut them off, which a reader sees by the transfer's missing end.
async fn export_lines(State(records): State<Arc<Records>>, extensions: Extensions, RawQuery(query): RawQuery) -> Result<Response, Failed> {
    let filter = read(query.as_deref(), Takes::Filter)?.filter;
    let calls = export(records, asker_of(&extensions), filter).await?;
    let lines = tokio_stream::StreamExt::map(calls, |call| {
        let mut line = serde_json::to_vec(&spelt_out(&call?).map_err(unwritable)?).map_err(unwritable)?;
        line.push(b'\n');
        Ok::<_, Status>(line)
    });
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], Body::from_stream(lines)).into_response())
}
