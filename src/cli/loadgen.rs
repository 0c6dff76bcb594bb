//! `callgrade loadgen`: synthetic calls streamed to a server, and how it bore them: with this one sizes machines.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::{Outcome, REJECTED, serve};
use crate::config::Lang;
use crate::script::Library;

mod connect;
mod dialer;
mod mix;
mod report;
mod tally;

use connect::Server;
use dialer::{Dialer, Pace};
use mix::Mix;
use tally::Tally;

#[derive(Debug, Args)]
pub(super) struct LoadgenArgs {
    /// The server: http:// or https://, host and port
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    server: String,
    /// API key or token to show; @FILE reads it from a file, where no list of processes shows it
    #[arg(long, value_name = "KEY|@FILE")]
    key: Option<String>,
    /// Authorities (PEM) to trust in place of the web's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Calls that begin in a second, whether or not the server keeps up; 0: the next begins when one has ended
    #[arg(long, value_name = "CALLS", default_value_t = 10.0)]
    calls_per_second: f64,
    /// Most calls live at one time
    #[arg(long, value_name = "CALLS", default_value_t = 1_000)]
    concurrency: usize,
    /// Streams, each over a connection of its own, that share the calls
    #[arg(long, value_name = "STREAMS", default_value_t = 4)]
    streams: usize,
    /// How long calls begin, such as 90s or 5m; those that are live then are hung up
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    duration: Duration,
    /// How much faster than life the events of a call follow each other; 0: without a pause
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    speed: f64,
    /// Whose cases the calls are made of; can be given more than once, all scripts if not given
    #[arg(long = "script", value_name = "ID")]
    mix: Vec<String>,
    /// Folder of scripts to use in place of the bundled ones
    #[arg(long, value_name = "DIR")]
    scripts: Option<PathBuf>,
    /// What call ids begin with, and the value of their attribute `loadgen`; one of its own for each run if not given
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Format of the result
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Table,
    /// One JSON object
    Json,
}

/// How often it is told how far things have come.
const EVERY: Duration = Duration::from_secs(5);

/// A length of time as people write it.
fn duration(text: &str) -> Result<Duration, String> {
    let read: Option<Duration> = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => text.parse::<jiff::SignedDuration>().ok().and_then(|time| time.try_into().ok()),
    };
    read.filter(|time| !time.is_zero()).ok_or_else(|| "no length of time, such as 90s, 5m or 1h30m".to_owned())
}

impl LoadgenArgs {
    fn check(&self) -> anyhow::Result<()> {
        let sensible = |value: f64| value.is_finite() && (0.0..=1e9).contains(&value);
        ensure!(sensible(self.calls_per_second), "--calls-per-second is 0 or more");
        ensure!(sensible(self.speed), "--speed is 0 or more");
        ensure!((1..=1_000).contains(&self.streams), "--streams is 1 to 1000");
        ensure!(self.concurrency >= self.streams, "--concurrency is at least --streams: each stream has a call of its own");
        Ok(())
    }

    fn mix(&self) -> anyhow::Result<Mix> {
        let library = match &self.scripts {
            None => Library::bundled()?,
            Some(folder) => Library::read(folder)?,
        };
        Mix::new(&library, &self.mix)
    }

    fn key(&self) -> anyhow::Result<Option<String>> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(file) = key.strip_prefix('@') else { return Ok(Some(key.clone())) };
        let text = std::fs::read_to_string(file).with_context(|| file.to_owned())?;
        Ok(Some(text.trim().to_owned()))
    }

    fn prefix(&self) -> anyhow::Result<Arc<str>> {
        if let Some(prefix) = &self.prefix {
            return Ok(prefix.as_str().into());
        }
        let mut chance = [0; 6];
        getrandom::fill(&mut chance).map_err(|error| anyhow::anyhow!("the system gives no random number: {error}"))?;
        Ok(chance.iter().fold("load-".to_owned(), |prefix, byte| format!("{prefix}{byte:02x}")).into())
    }

    /// What one of the streams does.
    fn pace(&self, stream: usize, begun: Instant) -> Pace {
        Pace {
            begun,
            stream: stream as u64,
            streams: self.streams as u64,
            calls_per_second: self.calls_per_second,
            speed: self.speed,
            // Shared evenly: the first streams have what is left over.
            concurrency: self.concurrency / self.streams + usize::from(stream < self.concurrency % self.streams),
        }
    }
}

pub(super) fn run(args: &LoadgenArgs, lang: Lang) -> Outcome {
    args.check()?;
    let (mix, prefix) = (Arc::new(args.mix()?), args.prefix()?);
    let server = Server::new(&args.server, args.key()?, args.ca.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (total, seconds) = runtime.block_on(load(args, &server, &mix, &prefix, lang))?;
    match args.output {
        Output::Json => report::json(&total, &prefix, seconds)?,
        Output::Table => report::table(&total, &prefix, seconds, lang)?,
    }
    Ok(if total.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(REJECTED) })
}

/// Streams calls for as long as asked; what came of them, and how many seconds passed to the last answer.
async fn load(args: &LoadgenArgs, server: &Server, mix: &Arc<Mix>, prefix: &Arc<str>, lang: Lang) -> anyhow::Result<(Tally, f64)> {
    let mut streams = Vec::new();
    for number in 1..=args.streams {
        streams.push(server.open().await.with_context(|| format!("{}, stream {number} of {}", args.server, args.streams))?);
    }
    let (stop, stopping) = watch::channel(false);
    let begun = Instant::now();
    let tallies: Vec<Arc<Mutex<Tally>>> = streams.iter().map(|_| Arc::default()).collect();
    let dialers: Vec<_> = streams
        .into_iter()
        .enumerate()
        .map(|(number, stream)| {
            let tally = Arc::clone(&tallies[number]);
            let dialer = Dialer::new(args.pace(number, begun), Arc::clone(mix), Arc::clone(prefix), tally);
            tokio::spawn(dialer.run(stream, stopping.clone()))
        })
        .collect();
    let so_far = || {
        let mut total = Tally::default();
        for tally in &tallies {
            total.add(&tally.lock().unwrap_or_else(PoisonError::into_inner));
        }
        total
    };
    let finished = async move {
        let mut failures = Vec::new();
        for dialer in dialers {
            match dialer.await {
                Ok(Ok(())) => {}
                Ok(Err(status)) => failures.push(status),
                Err(error) => failures.push(tonic::Status::internal(error.to_string())),
            }
        }
        failures
    };
    tokio::pin!(finished);
    let progress = report::Progress::new(args.duration, lang);
    let over = tokio::time::sleep(args.duration);
    let told = serve::told_to_stop();
    tokio::pin!(over, told);
    let mut stopped = false;
    let failures = loop {
        tokio::select! {
            failures = &mut finished => break failures,
            () = &mut over, if !stopped => stopped = true,
            () = &mut told, if !stopped => stopped = true,
            () = tokio::time::sleep(progress.every(EVERY)) => progress.show(&so_far(), begun.elapsed()),
        }
        if stopped {
            // An error means that every stream is done.
            let _ = stop.send(true);
        }
    };
    progress.done();
    let total = so_far();
    for status in &failures {
        anstream::eprintln!("callgrade: a stream broke: {}: {}", crate::wire::code_name(status.code()), status.message());
    }
    let Some(heard) = total.heard else { bail!("{} answered nothing", args.server) };
    Ok((total, (heard - begun).as_secs_f64()))
}
