//! `callgrade serve`: live calls over gRPC, gRPC-web and HTTP/JSON.

mod push;
mod regrading;
mod security;
mod telemetry;

use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use self::push::PushOptions;
use self::regrading::RegradingFlags;
use self::security::SecurityOptions;
use self::telemetry::TelemetryOptions;
use super::store::{NO_STORE, place};
use super::{ConfigOptions, LimitOptions, Outcome, ScriptOptions};
use crate::config::{self, Settled, without_passwords};
use crate::ingest::Limits;
use crate::service::quota::Quota;
use crate::service::tenant::{TenantSettings, Tenants};
use crate::service::{Patience, Recovered, Service};
use crate::store::calls::Group;
use crate::store::{DEFAULT_LOCATION, Location, Store, StoreError};
use crate::telemetry::Metrics;
use crate::transport::{self, Complaints, Security, ServerOptions};

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    config: ConfigOptions,
    #[command(flatten)]
    scripts: ScriptOptions,
    #[command(flatten)]
    limits: LimitOptions,
    /// Most bytes of a message
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes, help_heading = "Limits")]
    max_message_bytes: usize,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051")]
    listen: String,
    /// Where calls are kept: a data directory (SQLite), a postgres:// URL, or none
    #[arg(long, value_name = "DIR|URL|none", default_value = DEFAULT_LOCATION, value_parser = place)]
    store: String,
    /// Gather events this long before they are written together
    #[arg(long, value_name = "MICROSECONDS", default_value_t = 500)]
    commit_linger_us: u64,
    /// End a live call that has had no event for this long
    #[arg(long, value_name = "MS", default_value_t = Patience::default().idle.as_millis() as u64)]
    idle_ms: u64,
    /// Wait this long for an event that later ones have overtaken
    #[arg(long, value_name = "MS", default_value_t = Patience::default().gap.as_millis() as u64)]
    gap_ms: u64,
    /// … or until this many later ones have come
    #[arg(long, value_name = "EVENTS", default_value_t = Patience::default().gap_events)]
    gap_events: usize,
    /// Keep a final call open to late events for this long
    #[arg(long, value_name = "MS", default_value_t = Patience::default().final_open.as_millis() as u64)]
    final_open_ms: u64,
    /// When told to stop, say so for this long before no more calls are taken
    #[arg(long, value_name = "MS", default_value_t = ServerOptions::default().notice.as_millis() as u64)]
    drain_notice_ms: u64,
    /// When told to stop, give what is in flight this long
    #[arg(long, value_name = "MS", default_value_t = ServerOptions::default().drain.as_millis() as u64)]
    drain_ms: u64,
    /// Ask a quiet connection after this long whether it is still there
    #[arg(long, value_name = "MS", default_value_t = ServerOptions::default().keepalive.as_millis() as u64)]
    keepalive_ms: u64,
    #[command(flatten)]
    regrading: RegradingFlags,
    #[command(flatten)]
    telemetry: TelemetryOptions,
    #[command(flatten)]
    push: PushOptions,
    #[command(flatten)]
    security: SecurityOptions,
}

/// A store may be held so long by a server that is no more: PostgreSQL gives a lock back when it has seen that who had it is gone.
const SUCCESSION: Duration = Duration::from_secs(5);
/// What is left of a server that has stopped may take so long.
const LAST_WORD: Duration = Duration::from_secs(5);

pub(super) fn run(args: &ServeArgs, settled: &Settled) -> Outcome {
    let scripts = args.scripts.choice()?;
    let patience = Patience {
        idle: Duration::from_millis(args.idle_ms),
        gap: Duration::from_millis(args.gap_ms),
        gap_events: args.gap_events,
        final_open: Duration::from_millis(args.final_open_ms),
    };
    let limits = Limits { message_bytes: args.max_message_bytes, ..args.limits.limits() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (telemetry, mut stop) = {
        let _within = runtime.enter();
        (args.telemetry.open()?, Box::pin(told_to_stop()))
    };
    for variable in &settled.unused {
        tracing::warn!(variable, "the variable of no setting");
    }
    // Before the store is opened: a server that cannot be reached leaves no traces.
    let (listener, address) =
        runtime.block_on(transport::listen(&args.listen)).map_err(|error| anyhow::anyhow!("cannot listen on {}: {error}", args.listen))?;
    let store = if args.store == NO_STORE { None } else { Some(Store::open(&Location::parse(&args.store))?) };
    let mut stopped = || runtime.block_on(async { tokio::time::timeout(SUCCESSION / 50, &mut stop).await.is_ok() });
    if let Some(store) = &store
        && !claim(store, &mut stopped)?
    {
        return Ok(ExitCode::SUCCESS);
    }
    let security = args.security.security(store.clone())?;
    if let Some(notice) = args.security.check(&security, address)? {
        tracing::warn!("{notice}");
    }
    let options = ServerOptions {
        keepalive: Duration::from_millis(args.keepalive_ms),
        notice: Duration::from_millis(args.drain_notice_ms),
        drain: Duration::from_millis(args.drain_ms),
        regrading: args.regrading.options(),
        security: security.clone(),
        ..ServerOptions::default()
    };
    let tenants = tenants(&settled.tenants(), limits, args.security.quota())?;
    let metrics = Arc::<Metrics>::default();
    let mut pusher = None;
    let service = if let Some(store) = store {
        let linger = Duration::from_micros(args.commit_linger_us);
        let pushing = {
            let _within = runtime.enter();
            Arc::new(args.push.start(&store, &tenants, &metrics)?)
        };
        pusher = Some(Arc::clone(&pushing));
        let ring = move |rows: &Group, _, outcome: &Result<(), StoreError>| {
            if outcome.is_ok() {
                rows.pushes.iter().for_each(|push| pushing.notify(&push.tenant));
            }
        };
        Service::keeping(scripts, tenants, patience, store, linger, metrics, Box::new(ring))?
    } else {
        tracing::warn!("--store none: calls are kept nowhere, and lost when the server ends");
        Service::forgetting(scripts, tenants, patience)
    };
    for outranked in service.versions.iter().flat_map(|versions| versions.outranked()) {
        tracing::warn!("{outranked}");
    }
    warn_of_labels(&service, &service.tenants);
    let recovered = service.recover()?;
    if recovered.calls > 0 {
        let Recovered { calls, events, lost } = recovered;
        tracing::info!(calls, events, lost, store = &*without_passwords(&args.store), "open calls brought back");
    }
    let served = runtime.block_on(async {
        refresh_when_told(security);
        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening on {address}")?;
        stdout.flush()?;
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        transport::serve(Arc::clone(&service), listener, options, stop).await?;
        if let Some(pusher) = pusher {
            pusher.stop(Duration::from_millis(args.drain_ms)).await;
        }
        anyhow::Ok(())
    });
    telemetry.close();
    // What tasks still hold goes with the runtime; the journal then writes what is left.
    runtime.shutdown_timeout(LAST_WORD);
    drop(service);
    served?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Makes the store this server's, as soon as the one before it is known to be gone; false if it is told to stop before. `stopped` waits a
/// while for that.
///
/// # Errors
/// Another server has it and keeps it, or it cannot be reached.
fn claim(store: &Store, mut stopped: impl FnMut() -> bool) -> Result<bool, StoreError> {
    let mut since = None;
    loop {
        match store.claim() {
            Err(error @ StoreError::InUse(_)) => {
                let since = *since.get_or_insert_with(|| {
                    tracing::info!(wait_s = SUCCESSION.as_secs(), "{error}; waiting for it to go");
                    Instant::now()
                });
                if since.elapsed() >= SUCCESSION {
                    return Err(error);
                }
                if stopped() {
                    return Ok(false);
                }
            }
            claimed => return claimed.map(|()| true),
        }
    }
}

/// A label that no script of a tenant declares is never pushed: most likely it is misspelt.
fn warn_of_labels(service: &Service, tenants: &Tenants) {
    for (tenant, push) in tenants.pushed() {
        let known: BTreeSet<String> = match &service.versions {
            Some(versions) => {
                versions.all(tenant).iter().flat_map(|script| script.labels.iter().map(|label| label.id.to_string())).collect()
            }
            None => continue,
        };
        for label in push.labels().iter().filter(|label| !known.contains(*label)) {
            let there = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            tracing::warn!(
                "[tenants.{tenant}.push]: no script in use has the label {label:?}, so no verdict of it is pushed; there are {there}"
            );
        }
    }
}

/// What holds for tenants: as the file has it, and where it is silent as the flags have it.
fn tenants(file: &config::Tenants, limits: Limits, quota: Quota) -> Result<Tenants, push::PushError> {
    let settings = |name: &str| {
        let tenant = file.of(name);
        let limits = Limits {
            utterance_bytes: tenant.max_utterance_bytes.map_or(limits.utterance_bytes, NonZero::get),
            call_events: tenant.max_call_events.map_or(limits.call_events, NonZero::get),
            message_bytes: tenant.max_message_bytes.map_or(limits.message_bytes, NonZero::get),
            ..limits
        };
        let quota = Quota {
            live_calls: tenant.max_live_calls.map_or(quota.live_calls, |most| Some(most.get())),
            streams: tenant.max_streams.map_or(quota.streams, |most| Some(most.get())),
            requests_per_second: tenant.max_requests_per_second.or(quota.requests_per_second),
        };
        let push = tenant.push.as_ref().map(|push| push::settings(name, push)).transpose()?;
        Ok(TenantSettings {
            limits,
            quota,
            push,
            mask: tenant.mask.unwrap_or(true),
            time_zone: tenant.time_zone.unwrap_or_default(),
            retention_days: tenant.retention_days.map(NonZero::get),
        })
    };
    let named = file.iter().map(|(name, _)| name).filter(|name| *name != config::Tenants::EVERY);
    let named: Result<_, push::PushError> = named.map(|name| Ok((name.to_owned(), settings(name)?))).collect();
    Ok(Tenants::new(named?, settings(config::Tenants::EVERY)?))
}

/// Resolves at Ctrl-C or SIGTERM, also if they come before it is asked: whoever reads where we listen may stop us at once.
pub(super) fn told_to_stop() -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    async move {
        #[cfg(unix)]
        if let [Ok(mut interrupt), Ok(mut terminate)] = signals {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// From now on reads certificates and keys again at SIGHUP: they are looked at every so often anyway, but who sends it does not want to
/// wait, and must not end the server, be it the moment that it says where it listens.
fn refresh_when_told(security: Security) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                let security = security.clone();
                // An error means that the server stops.
                let _ = tokio::task::spawn_blocking(move || security.refresh(&Complaints::default())).await;
            }
        });
    }
}
