//! How long a client of gRPC waits for an answer: the `grpc-timeout` of its request.

use std::time::Duration;

use axum::body::Body;
use axum::middleware::Next;
use http::{Request, Response};
use tokio::time::Instant;
use tonic::Status;

/// When a request came.
#[derive(Debug, Clone, Copy)]
struct Arrived(Instant);

/// Notes when a request came. The transport, too, keeps the client's deadline, and says `CANCELLED` where gRPC has
/// `DEADLINE_EXCEEDED`: counted from here, ahead of it, ours is over first.
pub(super) fn arrived<B>(mut request: Request<B>) -> Request<B> {
    request.extensions_mut().insert(Arrived(Instant::now()));
    request
}

/// Answers a call of any service with `DEADLINE_EXCEEDED` when its client waits no longer. A stream that has begun to answer is the
/// transport's to end.
pub(super) async fn keep(request: Request<Body>, next: Next) -> Response<Body> {
    let Some(deadline) = deadline(&request) else { return next.run(request).await };
    match tokio::time::timeout_at(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Status::deadline_exceeded("the client's deadline has passed").into_http(),
    }
}

/// When the client waits no longer.
fn deadline(request: &Request<Body>) -> Option<Instant> {
    let arrived = request.extensions().get().map_or_else(Instant::now, |Arrived(at)| *at);
    arrived.checked_add(timeout(request)?)
}

/// The `grpc-timeout` header: a number and its unit.
fn timeout(request: &Request<Body>) -> Option<Duration> {
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
