//! The doors of the server, on one port: gRPC, gRPC-web and HTTP/JSON. Thin: each calls [`crate::service`].

pub mod auth;
mod deadline;
pub mod grpc;
mod health;
pub mod http;
mod incoming;
mod kept;
mod observe;
mod probes;
mod records;
mod regrading;
mod reports;
mod scripts;
mod security;
mod slow;
mod stream;
pub mod tls;

pub use security::{Complaints, Security};

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::Server;
use tonic_web::GrpcWebLayer;

use self::incoming::Incoming;
use self::kept::Kept;
use crate::service::regrading::RegradingOptions;
use crate::service::tenant::Tenant;
use crate::service::{Readiness, Service, Stage};

/// How the server talks to its connections.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// A connection without traffic is asked whether it is still there,
    pub keepalive: Duration,
    /// and dropped if it does not answer within this.
    pub keepalive_timeout: Duration,
    /// For so long after it was told to stop a server still takes calls but says that it is not ready, so that who
    /// distributes them sees it and sends no more.
    pub notice: Duration,
    /// How long a shutdown waits for what is in flight.
    pub drain: Duration,
    /// What holds for jobs that grade kept calls anew.
    pub regrading: RegradingOptions,
    /// Who is let in, and how.
    pub security: Security,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            notice: Duration::ZERO,
            drain: Duration::from_secs(10),
            regrading: RegradingOptions::default(),
            security: Security::default(),
        }
    }
}

/// Why a server has ended that nobody told to.
#[derive(Debug)]
pub enum ServeError {
    /// Its listener failed.
    Listener(tonic::transport::Error),
    /// It cannot go on, for this reason.
    Failed(String),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listener(error) => error.fmt(f),
            Self::Failed(reason) => write!(f, "the server cannot go on: {reason}"),
        }
    }
}

impl std::error::Error for ServeError {}

/// How often sessions are looked after.
const TICK: Duration = Duration::from_millis(50);
/// How often metrics are put in order.
const UPKEEP: Duration = Duration::from_secs(5);

/// How often files of certificates and keys are looked at: what is in them changes what is asked of those who come next.
const REFRESH: Duration = Duration::from_secs(1);

/// How often it is looked which calls were kept long enough.
const SWEEP: Duration = Duration::from_secs(3_600);

/// Does what may wait for a database every so often, as long as it is polled.
async fn every(period: Duration, service: Arc<Service>, work: fn(&Service)) {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        let service = Arc::clone(&service);
        // An error means that the server stops.
        let _ = tokio::task::spawn_blocking(move || work(&service)).await;
    }
}

/// Bytes a stream may have sent ahead of what is read of it: many events, and little memory if nothing is.
const STREAM_WINDOW: u32 = 256 << 10;
/// Bytes of a frame that a client may send: a stream's messages come in fewer pieces than with HTTP/2's 16 KiB.
const FRAME: u32 = 64 << 10;
/// Bytes the streams of one connection may have sent ahead together. Well above one stream's, so that a stream whose client
/// does not read leaves the others their share; and because h2 takes many small unread frames for an attack and drops the
/// connection (`ENHANCE_YOUR_CALM`) when their overhead, 256 bytes less their length each, comes to half of this.
const CONNECTION_WINDOW: u32 = 32 << 20;

/// Serves on `listener` until `shutdown` resolves, then finishes or hands back what is in flight and returns.
///
/// # Errors
/// The listener fails, or the server cannot go on: then it ends at once, and what is in flight is not acknowledged.
pub async fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    options: ServerOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let security = Arc::new(options.security);
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut services = health::Services::default();
    services.add(grpc::GradingServer::new(Arc::clone(&service), stopping.clone()));
    let kept = Kept::of(&service, options.regrading);
    if let Some(kept) = &kept {
        kept.add_to(&mut services);
    }
    for reflection in [grpc::Reflection::V1, grpc::Reflection::V1Alpha] {
        reflection.add_to(&mut services);
    }
    let (health, grpc_routes) = services.routes();
    // Recovery, where there is any, has entered its stage before and leaves it by itself.
    if service.readiness.stage() == Stage::Starting {
        service.readiness.enter(Stage::Serving);
    }
    health.tell(service.readiness.condition()).await;

    // Nothing is dispatched before it is known who asks, and nothing is refused unseen.
    let guarded = |routes: Router| {
        let state = (Arc::clone(&security), Arc::clone(&service));
        observe::observed(routes.layer(axum::middleware::from_fn_with_state(state, auth::guard)), &service)
    };
    let http_routes = http::routes(Arc::clone(&service)).merge(probes::routes(Arc::clone(&service)));
    let http_routes = http_routes.merge(kept.as_ref().map_or_else(http::without_store, Kept::http));
    let all = guarded(grpc_routes.layer(axum::middleware::from_fn(deadline::keep)))
        .layer(GrpcWebLayer::new())
        .merge(guarded(http_routes.layer(axum::middleware::from_fn(http::uncompressed))))
        .fallback_service(guarded(Router::new().fallback(http::unknown)));
    let regrading = kept.as_ref().map(|kept| Arc::clone(&kept.regrading));
    let watcher = kept.map(|kept| tokio::spawn(async move { kept.watch().await }));

    let ticking = Arc::clone(&service);
    let mut ticker = tokio::spawn(async move {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut upkeep = Instant::now() + UPKEEP;
        loop {
            interval.tick().await;
            let now = Instant::now();
            ticking.tick(now);
            if now >= upkeep {
                ticking.metrics.upkeep();
                upkeep = now + UPKEEP;
            }
        }
    });
    let bringer = tokio::spawn(every(Service::BRING_BACK, Arc::clone(&service), Service::bring_back));
    let sweeper = tokio::spawn(every(SWEEP, Arc::clone(&service), |service| match service.sweep() {
        Ok(0) => {}
        Ok(calls) => tracing::info!(calls, "calls were kept long enough and are deleted"),
        Err(error) => tracing::error!("what was kept long enough is still there: {error}"),
    }));
    let telling = tokio::spawn(health.clone().follow(service.readiness.watch()));

    let refresher = tokio::spawn(refresh(Arc::clone(&security)));

    let mut drained = stopping;
    let (readiness, jobs) = (Arc::clone(&service), regrading.clone());
    let signal = async move {
        shutdown.await;
        readiness.readiness.enter(Stage::Draining);
        jobs.iter().for_each(|regrading| regrading.stop());
        health.tell(readiness.readiness.condition()).await;
        tracing::info!("told to stop; finishing what is in flight");
        tokio::time::sleep(options.notice).await;
        let _ = stop.send(true);
    };
    let serving = Server::builder()
        .accept_http1(true)
        .http2_keepalive_interval(Some(options.keepalive))
        .http2_keepalive_timeout(Some(options.keepalive_timeout))
        .initial_stream_window_size(Some(STREAM_WINDOW))
        .initial_connection_window_size(Some(CONNECTION_WINDOW))
        .max_frame_size(Some(FRAME))
        .layer(tower::util::MapRequestLayer::new(deadline::arrived))
        .add_routes(tonic::service::Routes::from(all))
        .serve_with_incoming_shutdown(Incoming::new(listener, security.tls.clone(), security.opening), signal);
    let limit = async {
        let _ = drained.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(options.drain).await;
    };
    let result = tokio::select! {
        result = serving => result.map_err(ServeError::Listener),
        () = limit => {
            tracing::warn!("what was in flight was not finished in time and is cut off");
            Ok(())
        }
        failed = cannot_go_on(&mut ticker, &service.readiness) => Err(failed),
    };
    ticker.abort();
    bringer.abort();
    sweeper.abort();
    telling.abort();
    refresher.abort();
    watcher.inspect(JoinHandle::abort);
    if let Some(regrading) = regrading {
        regrading.stop();
        // It ends with its page, which is small.
        let _ = tokio::task::spawn_blocking(move || regrading.join()).await;
    }
    result
}

/// Resolves when the server cannot go on, of itself or because what looks after its calls has ended: by a panic only, which may have
/// left unwritten what is in memory as if it were kept.
async fn cannot_go_on(ticker: &mut JoinHandle<()>, readiness: &Readiness) -> ServeError {
    tokio::select! {
        _ = ticker => readiness.fail("what looks after its calls has ended by a fault of the program"),
        _ = readiness.failed() => {}
    }
    ServeError::Failed(readiness.failed().await)
}

/// Whose request it is.
pub(crate) fn tenant_of(extensions: &::http::Extensions, service: &Service) -> Arc<Tenant> {
    service.tenants.of(&auth::identity(extensions).tenant)
}

/// Looks every so often whether certificates and keys have changed.
async fn refresh(security: Arc<Security>) {
    let told = Arc::new(Complaints::default());
    let mut interval = tokio::time::interval(REFRESH);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        let (security, told) = (Arc::clone(&security), Arc::clone(&told));
        // An error means that it panicked, or that the server stops.
        let _ = tokio::task::spawn_blocking(move || security.refresh(&told)).await;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_without_its_ticker_does_not_go_on() {
        let readiness = Readiness::default();
        readiness.enter(Stage::Serving);
        let mut ticker = tokio::spawn(async { panic!("a fault") });
        let told = cannot_go_on(&mut ticker, &readiness).await.to_string();
        assert_eq!(told, "the server cannot go on: what looks after its calls has ended by a fault of the program");
        assert_eq!(readiness.stage(), Stage::Draining);
    }
}
