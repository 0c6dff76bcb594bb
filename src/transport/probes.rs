//! What operators' programs ask: whether the process is up, whether it takes calls, and what it counts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::service::Service;
use crate::telemetry::metrics::Queue;

/// `/healthz`, `/readyz` and `/metrics`.
pub(super) fn routes(service: Arc<Service>) -> Router {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).route("/metrics", get(metrics)).with_state(service)
}

async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, Json<Value>) {
    match service.readiness.condition().unready() {
        None => (StatusCode::OK, Json(json!({"status": "ok"}))),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable", "reason": reason}))),
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let (live, held) = service.live.count();
    service.metrics.calls(live, held);
    if let Some(journal) = &service.journal {
        service.metrics.queue(Queue::Journal, journal.depth());
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], service.metrics.render())
}
