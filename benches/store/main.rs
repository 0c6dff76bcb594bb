//! The durable server against bare loops over the same kind of store: calls streamed to a real process, what it takes to write
//! the same rows, how long an acknowledgement waits, alone and while kept calls are graded anew, what live calls cost in memory, and how
//! fast they come back after a crash.
//!
//! `cargo bench --bench store`; limits: ingest 0.5 × a loop that commits the same rows in groups of the size the server was seen
//! to use, recovery 0.3 × the rate at which the same event rows are scanned, p99 of acknowledgements with a job at most 2 × without.
//! `CALLS=20000` for fewer live calls, `STORE=sqlite` or
//! `STORE=postgresql` for one of the two.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod postgresql;

mod bare;
mod client;
mod server;

use std::time::{Duration, Instant};

use bare::{Bare, Rows};
use callgrade::core::event::Event;
use client::Dialler;
use common::{calls, median, messages, sayings};
use server::Server;

/// Calls interleaved on the stream of a round.
const CALLS: usize = 4_000;
const ROUNDS: usize = 7;
/// For how many seconds events come at half the rate.
const HALF_S: f64 = 10.0;
/// How often acknowledgements are waited for, with a job and without.
const REGRADES: usize = 3;
/// Jobs that are asked for at one time, so that one runs all the while.
const JOBS: usize = 8;
/// How often the live calls come back.
const RECOVERIES: usize = 3;

fn main() {
    let Some(sayings) = sayings() else {
        println!("skipped: store benchmark (no dialogues.jsonl.gz; set CALLGRADE_DATA)");
        return;
    };
    println!("machine: {}", common::machine());
    let calls = calls(&sayings, CALLS);
    let only = std::env::var("STORE").unwrap_or_default();
    if only.is_empty() || only == "sqlite" {
        // Beside what was built: where temporary files are, there may be no disk.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let place = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        measure("SQLite", &place, &calls);
    }
    if only.is_empty() || only == "postgresql" {
        match postgresql::PostgresServer::start() {
            None => println!("skipped: PostgreSQL (not installed)"),
            Some(server) => measure("PostgreSQL", &|name| server.database(name), &calls),
        }
    }
}

/// All figures of one kind of store; `place` makes a new one.
fn measure(kind: &str, place: &dyn Fn(&str) -> String, calls: &[Vec<Event>]) {
    println!("\n{kind}");
    let half = ingest(&place("served"), &place("bare"), calls) / 2.0;
    latency(&place("half"), calls, half);
    regrading(&place("regraded"), calls, half);
    live(&place("live"), &place("empty"), calls);
}

/// Streaming into the store against a bare loop; the median of events a second.
fn ingest(served: &str, bare: &str, calls: &[Vec<Event>]) -> f64 {
    let server = Server::start(served);
    let mut dialler = Dialler::connect(&server.address);
    let mut loop_ = Bare::open(bare);
    let (mut ours, mut theirs, mut ratios, mut sizes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (groups, rows) = server.commits();
        let sent = messages(calls, round);
        let count = sent.len() as f64;
        let graded = count / dialler.stream(sent, calls.len());
        let (groups, rows) = server.commits_since(groups, rows);
        let size = (rows as f64 / groups as f64).round() as usize;
        let kept = Rows::read(served, &format!("{round}-%"));
        assert_eq!(kept.events(), count as usize, "every event is kept");
        let written = count / loop_.write(&kept, size);
        // The first round makes room: pages, caches, statements.
        if round > 0 {
            ours.push(graded);
            theirs.push(written);
            ratios.push(graded / written);
            sizes.push(size as f64);
        }
    }
    println!(
        "{} interleaved calls of 18 events on one stream, groups of {:.0} rows, median of {ROUNDS} interleaved rounds",
        calls.len(),
        median(sizes)
    );
    println!("bare loop                  {:10.0} events/s", median(theirs));
    println!("acknowledged and graded    {:10.0} events/s", median(ours.clone()));
    println!("÷ bare loop                {:10.2} × (limit 0.5)", median(ratios));
    median(ours)
}

/// How long acknowledgements wait while events come at a rate.
fn latency(place: &str, calls: &[Vec<Event>], rate: f64) {
    let server = Server::start(place);
    let mut dialler = Dialler::connect(&server.address);
    // The first calls are not measured.
    dialler.stream(messages(calls, 0), calls.len());
    let waits = Waits::new(dialler.paced(messages(calls, 1), rate, HALF_S));
    println!("acknowledgement at half that load, {rate:.0} events/s, {} events", waits.0.len());
    println!("p50, p99, longest          {}", waits.told());
}

/// How long acknowledgements waited, in milliseconds, the shortest first.
struct Waits(Vec<f64>);

impl Waits {
    fn new(mut waits: Vec<f64>) -> Self {
        waits.sort_by(f64::total_cmp);
        Self(waits)
    }

    fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() as f64 * share) as usize).min(self.0.len() - 1)]
    }

    fn told(&self) -> String {
        format!("{:10.2} ms, {:.2} ms, {:.1} ms", self.at(0.5), self.at(0.99), self.0[self.0.len() - 1])
    }
}

/// How long acknowledgements wait while a job re-grades, against how long they wait without one, in turn.
fn regrading(place: &str, calls: &[Vec<Event>], rate: f64) {
    let server = Server::start(place);
    let mut dialler = Dialler::connect(&server.address);
    // What the jobs grade, and the first calls, which are not measured.
    let mut round = 0;
    for _ in 0..4 {
        dialler.stream(messages(calls, round), calls.len());
        round += 1;
    }
    let (mut without, mut with, mut ratios, mut regraded) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REGRADES {
        let alone = Waits::new(dialler.paced(messages(calls, round), rate, HALF_S));
        let jobs = dialler.start_regrades(JOBS);
        let before = server.metric("callgrade_regraded_calls_total");
        let begun = Instant::now();
        let beside = Waits::new(dialler.paced(messages(calls, round + 1), rate, HALF_S));
        regraded.push((server.metric("callgrade_regraded_calls_total") - before) / begun.elapsed().as_secs_f64());
        assert!(dialler.stop_regrades(&jobs), "a job was to run all the while: raise JOBS");
        round += 2;
        without.push(alone.at(0.99));
        with.push(beside.at(0.99));
        ratios.push(beside.at(0.99) / alone.at(0.99));
        println!("p50, p99, longest, alone   {}", alone.told());
        println!("  while a job re-grades    {}", beside.told());
    }
    println!("acknowledgement latency while a job re-grades {:.0} calls/s", median(regraded));
    println!("p99 without, with          {:10.2} ms, {:.2} ms", median(without), median(with));
    println!("with ÷ without             {:10.2} × (limit 2)", median(ratios));
}

/// What live calls take in memory, and how fast they come back after a crash.
fn live(place: &str, empty: &str, calls: &[Vec<Event>]) {
    let count: usize = std::env::var("CALLS").ok().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let server = Server::start(place);
    let before = server.resident();
    let mut dialler = Dialler::connect(&server.address);
    let events = dialler.begin(calls, count);
    let grown = server.resident() - before;
    println!("{count} live calls of 16 utterances, {events} events");
    println!(
        "resident memory            {:10} bytes a call, {:.2} GiB in all with the program's {:.2}",
        grown / count,
        (before + grown) as f64 / f64::from(1 << 30),
        before as f64 / f64::from(1 << 30)
    );
    server.kill();
    let started = |place: &str| {
        let begun = Instant::now();
        let server = Server::start(place);
        (begun.elapsed(), server)
    };
    let (mut recoveries, mut scans, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RECOVERIES {
        let (nothing, server) = started(empty);
        server.kill();
        let (whole, server) = started(place);
        assert_eq!(server.metric("callgrade_recovered_calls") as usize, count, "every live call is back");
        server.kill();
        let (scanned, took) = Bare::open(place).scan();
        assert_eq!(scanned, events);
        let recovery = whole.saturating_sub(nothing).max(Duration::from_millis(1)).as_secs_f64();
        recoveries.push(events as f64 / recovery);
        scans.push(events as f64 / took);
        ratios.push(took / recovery);
    }
    println!("scan of the event rows     {:10.0} events/s", median(scans));
    println!("recovery after kill -9     {:10.0} events/s, {:.2} s", median(recoveries.clone()), events as f64 / median(recoveries));
    println!("÷ scan                     {:10.2} × (limit 0.3)", median(ratios));
}
