//! HTTP/JSON: kept calls graded anew as jobs.

use std::sync::Arc;

use axum::body::Body as Lines;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{Extensions, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use super::records::Failed;
use super::{Body, error, http_status, read, wrong_method};
use crate::service::Refusal;
use crate::service::regrading::Regrading;
use crate::transport::records::{asker_of, blocking, invalid};
use crate::transport::regrading::{export, refused, watch};
use crate::transport::tenant_of;
use crate::wire::{rpc, v1};

/// The routes under `/v1/regrades`, which take bodies of up to `most` bytes.
pub(in crate::transport) fn routes(regrading: Arc<Regrading>, most: usize) -> Router {
    Router::new()
        .route("/v1/regrades", get(list).post(start))
        .route("/v1/regrades/{regrade_id}", get(one).delete(delete))
        .route("/v1/regrades/{regrade_id}/cancel", post(cancel))
        .route("/v1/regrades/{regrade_id}/watch", get(watch_lines))
        .route("/v1/regrades/{regrade_id}/calls", get(calls))
        .route("/v1/regrades/{regrade_id}/export", get(export_lines))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(most))
        .with_state(regrading)
}

fn unknown(name: &str) -> Status {
    invalid(name, format!("there is no parameter {name:?} here; see /v1/openapi.json"))
}

/// The parameters of a query.
fn parameters(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned();
    pairs.collect::<Vec<_>>().into_iter()
}

/// A route that takes none.
fn none(query: Option<&str>) -> Result<(), Status> {
    parameters(query).next().map_or(Ok(()), |(name, _)| Err(unknown(&name)))
}

fn number(name: &str, value: &str) -> Result<u32, Status> {
    value.parse().map_err(|_| invalid(name, format!("{name} is {value:?}, not a whole number")))
}

/// The answer to a body that could not be read, and which field of it.
fn unreadable(field: &str, refusal: &Refusal) -> Response {
    let details = ErrorDetails::with_bad_request_violation(field, refusal.to_string());
    let status = Status::with_error_details(refusal.code(), refusal.to_string(), details);
    error(http_status(refusal), &rpc::Status::decode(status.details()).unwrap_or_default())
}

/// The field of a request that cannot be read, if there is one that cannot be by itself.
fn wrong_field(body: &[u8]) -> Option<String> {
    type Fields = serde_json::Map<String, Value>;
    fn alone<T: DeserializeOwned>(fields: &Fields) -> Option<String> {
        let unread = |(name, value): (&String, &Value)| serde_json::from_value::<T>(json!({ name: value })).is_err().then(|| name.clone());
        fields.iter().find_map(unread)
    }
    let fields: Fields = serde_json::from_slice(body).ok()?;
    let field = alone::<v1::StartRegradeRequest>(&fields)?;
    let inner = fields.get("filter").and_then(Value::as_object).filter(|_| field == "filter").and_then(alone::<v1::CallFilter>);
    Some(inner.map_or(field, |inner| format!("filter.{inner}")))
}

async fn start(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    body: Body,
) -> Result<Json<v1::StartRegradeResponse>, Response> {
    let tenant = tenant_of(&extensions, regrading.service());
    let body = read(body, &tenant).map_err(|refusal| unreadable("body", &refusal))?;
    let request: v1::StartRegradeRequest = serde_json::from_slice(&body).map_err(|error| {
        let field = wrong_field(&body).unwrap_or_else(|| "body".to_owned());
        unreadable(&field, &Refusal::Invalid(format!("not a StartRegradeRequest: {error}")))
    })?;
    let asker = asker_of(&extensions);
    let regrade = blocking(move || regrading.ask(asker.actor(), request).map_err(refused)).await;
    regrade.map(|regrade| Json(v1::StartRegradeResponse { regrade: Some(regrade) })).map_err(|status| Failed(status).into_response())
}

async fn list(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    RawQuery(query): RawQuery,
) -> Result<Json<v1::ListRegradesResponse>, Failed> {
    let mut request = v1::ListRegradesRequest::default();
    for (name, value) in parameters(query.as_deref()) {
        match name.as_str() {
            "pageSize" | "page_size" => request.page_size = number(&name, &value)?,
            "pageToken" | "page_token" => request.page_token = value,
            _ => return Err(unknown(&name).into()),
        }
    }
    let asker = asker_of(&extensions);
    Ok(Json(blocking(move || regrading.list(&asker.tenant, &request).map_err(refused)).await?))
}

async fn one(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<v1::GetRegradeResponse>, Failed> {
    none(query.as_deref())?;
    let asker = asker_of(&extensions);
    Ok(Json(blocking(move || regrading.get_with_diff(&asker.tenant, &id).map_err(refused)).await?))
}

async fn delete(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    Path(id): Path<String>,
) -> Result<Json<v1::DeleteRegradeResponse>, Failed> {
    let asker = asker_of(&extensions);
    blocking(move || regrading.delete(asker.actor(), &id).map_err(refused)).await?;
    Ok(Json(v1::DeleteRegradeResponse {}))
}

async fn cancel(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    Path(id): Path<String>,
) -> Result<Json<v1::CancelRegradeResponse>, Failed> {
    let asker = asker_of(&extensions);
    let regrade = blocking(move || regrading.cancel(asker.actor(), &id).map_err(refused)).await?;
    Ok(Json(v1::CancelRegradeResponse { regrade: Some(regrade) }))
}

/// What a query asks of a job's results.
fn asked(id: String, query: Option<&str>) -> Result<v1::ListRegradedCallsRequest, Status> {
    let mut request = v1::ListRegradedCallsRequest { regrade_id: id, ..v1::ListRegradedCallsRequest::default() };
    for (name, value) in parameters(query) {
        match name.as_str() {
            "kind" => {
                let full = format!("REGRADED_KIND_{}", value.to_uppercase());
                let kind = v1::RegradedKind::from_str_name(&full).filter(|kind| *kind != v1::RegradedKind::Unspecified);
                let wrong = || invalid(&name, format!("kind is {value:?}, not same, rule, label or rejected"));
                request.kinds.push(kind.ok_or_else(wrong)?.into());
            }
            "beforeLabel" | "before_label" => request.before_label = Some(value),
            "label" => request.label = Some(value),
            "pageSize" | "page_size" => request.page_size = number(&name, &value)?,
            "pageToken" | "page_token" => request.page_token = value,
            _ => return Err(unknown(&name)),
        }
    }
    Ok(request)
}

async fn calls(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<v1::ListRegradedCallsResponse>, Failed> {
    let request = asked(id, query.as_deref())?;
    let asker = asker_of(&extensions);
    Ok(Json(blocking(move || regrading.calls(&asker.tenant, request).map_err(refused)).await?))
}

/// A message a line.
fn line<T: Serialize>(message: Result<T, Status>) -> Result<Vec<u8>, Status> {
    let unwritable = |error| Status::data_loss(format!("it cannot be written as JSON: {error}"));
    let mut line = serde_json::to_vec(&message?).map_err(unwritable)?;
    line.push(b'\n');
    Ok(line)
}

/// One call a line. An error once the lines have begun can only cut them off, which a reader sees by the transfer's missing end.
async fn export_lines(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failed> {
    none(query.as_deref())?;
    let calls = export(regrading, asker_of(&extensions), id).await?;
    let lines = tokio_stream::StreamExt::map(calls, line);
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], Lines::from_stream(lines)).into_response())
}

/// The job a line, each time that it has come further; cut off, likewise, where the server stops.
async fn watch_lines(
    State(regrading): State<Arc<Regrading>>,
    extensions: Extensions,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failed> {
    none(query.as_deref())?;
    let regrades = watch(regrading, asker_of(&extensions), id).await?;
    let lines = tokio_stream::StreamExt::map(regrades, line);
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], Lines::from_stream(lines)).into_response())
}
