//! The doors of the server, on one port: gRPC, gRPC-web and HTTP/JSON. Thin: each calls [`crate::service`].

pub mod grpc;
pub mod http;
mod kept;
mod records;
mod scripts;
mod stream;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_web::GrpcWebLayer;

use self::kept::Kept;
use crate::service::Service;
use crate::service::tenant::{self, Tenant};

/// How the server talks to its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerOptions {
    /// A connection without traffic is asked whether it is still there,
    pub keepalive: Duration,
    /// and dropped if it does not answer within this.
    pub keepalive_timeout: Duration,
    /// How long a shutdown waits for what is in flight.
    pub drain: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { keepalive: Duration::from_secs(30), keepalive_timeout: Duration::from_secs(10), drain: Duration::from_secs(10) }
    }
}

/// How often sessions are looked after.
const TICK: Duration = Duration::from_millis(50);

/// Bytes a stream may have sent ahead of what is read of it: many events, and little memory if nothing is.
const STREAM_WINDOW: u32 = 256 << 10;
/// Bytes the streams of one connection may have sent ahead together. Well above one stream's, so that a stream whose client
/// does not read leaves the others their share; and because h2 takes many small unread frames for an attack and drops the
/// connection (`ENHANCE_YOUR_CALM`) when their overhead, 256 bytes less their length each, comes to half of this.
const CONNECTION_WINDOW: u32 = 32 << 20;

/// Serves on `listener` until `shutdown` resolves, then finishes or hands back what is in flight and returns.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    options: ServerOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), tonic::transport::Error> {
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    health.set_service_status(grpc::SERVICE, tonic_health::ServingStatus::Serving).await;

    let grading = grpc::GradingServer::new(Arc::clone(&service), stopping.clone());
    let mut routes = tonic::service::Routes::builder();
    routes.add_service(grading).add_service(health_service);
    let kept = Kept::of(&service);
    if let Some(kept) = &kept {
        kept.add_to(&mut routes);
        for name in Kept::SERVICES {
            health.set_service_status(name, tonic_health::ServingStatus::Serving).await;
        }
    }
    for reflection in [grpc::Reflection::V1, grpc::Reflection::V1Alpha] {
        reflection.add_to(&mut routes);
    }
    let grpc_routes = routes.routes().prepare().into_axum_router().layer(GrpcWebLayer::new());
    let all = grpc_routes.merge(http::routes(Arc::clone(&service)));
    let all = kept.iter().fold(all, |all, kept| all.merge(kept.http())).fallback(http::unknown);
    let watcher = kept.map(|kept| tokio::spawn(async move { kept.watch().await }));

    let ticking = Arc::clone(&service);
    let ticker = tokio::spawn(async move {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            ticking.tick(Instant::now());
        }
    });
    let returning = Arc::clone(&service);
    let bringer = tokio::spawn(async move {
        let mut interval = tokio::time::interval(Service::BRING_BACK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            let returning = Arc::clone(&returning);
            let _ = tokio::task::spawn_blocking(move || returning.bring_back()).await;
        }
    });

    let mut drained = stopping;
    let signal = async move {
        shutdown.await;
        health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        health.set_service_status(grpc::SERVICE, tonic_health::ServingStatus::NotServing).await;
        let _ = stop.send(true);
    };
    let serving = Server::builder()
        .accept_http1(true)
        .http2_keepalive_interval(Some(options.keepalive))
        .http2_keepalive_timeout(Some(options.keepalive_timeout))
        .initial_stream_window_size(Some(STREAM_WINDOW))
        .initial_connection_window_size(Some(CONNECTION_WINDOW))
        .tcp_nodelay(true)
        .add_routes(tonic::service::Routes::from(all))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), signal);
    let limit = async {
        let _ = drained.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(options.drain).await;
    };
    let result = tokio::select! {
        result = serving => result,
        () = limit => Ok(()),
    };
    ticker.abort();
    bringer.abort();
    watcher.inspect(tokio::task::JoinHandle::abort);
    result
}

/// Whose request it is.
pub(crate) fn tenant_of(_extensions: &::http::Extensions, service: &Service) -> Arc<Tenant> {
    service.tenants.of(tenant::DEFAULT)
}

/// Binds a listener.
///
/// # Errors
/// The address cannot be had.
pub async fn listen(address: &str) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}
