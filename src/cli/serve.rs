//! `callgrade serve`: live calls over gRPC, gRPC-web and HTTP/JSON.

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::{LimitOptions, Outcome, ScriptOptions};
use crate::ingest::Limits;
use crate::service::tenant::{TenantSettings, Tenants};
use crate::service::{Patience, Service};
use crate::store::{DEFAULT_LOCATION, Location, Store};
use crate::transport::{self, ServerOptions};

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
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
    #[arg(long, value_name = "DIR|URL|none", default_value = DEFAULT_LOCATION)]
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
    /// When told to stop, give what is in flight this long
    #[arg(long, value_name = "MS", default_value_t = ServerOptions::default().drain.as_millis() as u64)]
    drain_ms: u64,
    /// Ask a quiet connection after this long whether it is still there
    #[arg(long, value_name = "MS", default_value_t = ServerOptions::default().keepalive.as_millis() as u64)]
    keepalive_ms: u64,
}

pub(super) fn run(args: &ServeArgs) -> Outcome {
    let scripts = args.scripts.choice()?;
    let patience = Patience {
        idle: Duration::from_millis(args.idle_ms),
        gap: Duration::from_millis(args.gap_ms),
        gap_events: args.gap_events,
        final_open: Duration::from_millis(args.final_open_ms),
    };
    let options = ServerOptions {
        keepalive: Duration::from_millis(args.keepalive_ms),
        drain: Duration::from_millis(args.drain_ms),
        ..ServerOptions::default()
    };
    let limits = Limits { message_bytes: args.max_message_bytes, ..args.limits.limits() };
    let settings = TenantSettings { limits, ..TenantSettings::default() };
    let service = if args.store == "none" {
        eprintln!("callgrade: --store none: calls are kept nowhere, and lost when the server ends");
        Service::new(scripts, limits, patience)
    } else {
        let store = Store::open(&Location::parse(&args.store))?;
        store.claim()?;
        let linger = Duration::from_micros(args.commit_linger_us);
        Service::keeping(scripts, Tenants::new(HashMap::new(), settings), patience, store, linger, Box::new(|_, _, _| ()))?
    };
    for outranked in service.versions.iter().flat_map(|versions| versions.outranked()) {
        eprintln!("callgrade: {outranked}");
    }
    let recovered = service.recover()?;
    if recovered.calls > 0 {
        eprintln!("callgrade: {} open calls with {} events brought back from {}", recovered.calls, recovered.events, args.store);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (listener, address) =
            transport::listen(&args.listen).await.map_err(|error| anyhow::anyhow!("cannot listen on {}: {error}", args.listen))?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening on {address}")?;
        stdout.flush()?;
        transport::serve(Arc::clone(&service), listener, options, told_to_stop()).await?;
        anyhow::Ok(())
    })?;
    // What tasks still hold goes with the runtime; the journal then writes what is left.
    drop(runtime);
    drop(service);
    Ok(ExitCode::SUCCESS)
}

/// Resolves at Ctrl-C or SIGTERM.
pub(super) async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
