//! `callgrade regrade` over Parquet: against merely decoding the same columns, with one and two threads, against DuckDB and Polars, in
//! memory, and as the input grows.
//!
//! `cargo bench --bench regrade`; `CALLS=20000` for fewer than 200,000 (memory: ten times as many), `ONLY=decode,growth` for parts of
//! decode, speedup, peers, memory and growth, `WORDS=new` for calls in which nothing is said twice. The peers need `python3 -m venv
//! .venv && .venv/bin/pip install -r benches/peers/regrade-requirements.txt`, or another interpreter in `CALLGRADE_PYTHON`. Each run is a process of its own, from its
//! start, which compiles the scripts, to its end, with the verdicts on disk. Limits: *Re-grade recorded calls*, Speed.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../tests/support/tables.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod tables;

mod decode;
mod input;
mod peers;
mod process;

use std::path::{Path, PathBuf};

use common::{Sayings, median, sayings};
use decode::decode;
use peers::Python;
use process::{Run, Running, cores};

const CALLS: usize = 200_000;
const DECODE_ROUNDS: usize = 5;
const SPEEDUP_ROUNDS: usize = 5;
const PEER_ROUNDS: usize = 3;
const GROWTH_PAIRS: usize = 7;
/// Least share of the rate of decoding.
const DECODE_LIMIT: f64 = 0.2;
/// Least share of the speed-up of independent runs.
const SPEEDUP_LIMIT: f64 = 0.85;
/// Engine, what it is called, least ratio.
const PEERS: [(&str, &str, f64); 2] = [("duckdb", "DuckDB regexp_matches", 5.0), ("polars", "Polars contains_any", 2.0)];
const MEMORY_LIMIT_GIB: f64 = 1.0;
/// Most that a call may cost at ten times the input.
const GROWTH_LIMIT: f64 = 1.15;

fn main() {
    let Some(sayings) = sayings() else {
        println!("skipped: regrade benchmark (no dialogues.jsonl.gz; set CALLGRADE_DATA)");
        return;
    };
    let calls = std::env::var("CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(CALLS).max(10);
    let only = std::env::var("ONLY").unwrap_or_default();
    let wanted = |part: &str| only.is_empty() || only.split(',').any(|named| named.trim() == part);
    // Beside what was built: where temporary files are, there may be no disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let place = Place { folder: folder.path(), sayings: &sayings };

    println!("machine: {}", common::machine());
    if ["decode", "speedup", "peers", "growth"].into_iter().any(wanted) {
        let whole = place.input(calls);
        let bytes = whole.path.metadata().expect("the file").len();
        println!(
            "{calls} calls of 16 utterances in Parquet, {:.0} MB, {:.0} bytes a call",
            bytes as f64 / 1e6,
            bytes as f64 / calls as f64
        );
        if wanted("decode") {
            decoding(&whole);
        }
        if wanted("speedup") {
            speedup(&whole);
        }
        if wanted("growth") {
            growth(&place.input(calls / 10), &whole);
        }
        if wanted("peers")
            && let Err(reason) = compare(&whole)
        {
            println!("skipped: DuckDB and Polars ({reason})");
        }
    }
    if wanted("memory") {
        memory(&place.input(calls * 10));
    }
}

/// Where files are made.
struct Place<'a> {
    folder: &'a Path,
    sayings: &'a Sayings,
}

/// A file of calls, gone when dropped.
struct Input {
    path: PathBuf,
    calls: usize,
}

impl Place<'_> {
    fn input(&self, calls: usize) -> Input {
        let path = self.folder.join(format!("calls-{calls}.parquet"));
        input::write(&path, self.sayings, calls);
        Input { path, calls }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Input {
    /// A run over it; `out` tells runs side by side apart.
    fn run(&self, out: &str, threads: Option<usize>) -> Run<'_> {
        Run { input: &self.path, out: self.path.with_extension(out), calls: self.calls, threads, core: None }
    }

    fn rate(&self, seconds: f64) -> f64 {
        self.calls as f64 / seconds
    }
}

fn threads(count: usize) -> String {
    if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") }
}

/// Re-grading against decoding the same columns with as many threads.
fn decoding(input: &Input) {
    println!("\ndecode: median of {DECODE_ROUNDS} interleaved rounds; a run's whole wall time, its start included");
    for count in [1, 2] {
        let (mut decoded, mut graded, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..DECODE_ROUNDS {
            let bare = decode(&input.path, count);
            let run = input.run("out", Some(count)).time();
            decoded.push(input.rate(bare));
            graded.push(input.rate(run));
            ratios.push(bare / run);
        }
        println!("{:<38} {:10.0} calls/s", format!("decoding, {}", threads(count)), median(decoded));
        println!("{:<38} {:10.0} calls/s", format!("re-grading, {}", threads(count)), median(graded));
        println!("{:<38} {:10.3} × (limit {DECODE_LIMIT})", "÷ decoding", median(ratios));
    }
}

/// One run with two threads against two runs with one each, side by side.
fn speedup(input: &Input) {
    println!(
        "\nspeedup: median of {SPEEDUP_ROUNDS} interleaved rounds; t1, t2: one run with 1 and 2 threads; ta, tb: two runs of the same"
    );
    println!("work, 1 thread each, side by side; (t1 ÷ t2) ÷ (t1 ÷ ta + t1 ÷ tb)");
    let pinned = cores().filter(|cores| cores.len() >= 2);
    let [first, second] = match pinned.as_deref() {
        Some([first, second, ..]) => [Some(*first), Some(*second)],
        _ => {
            println!("(not kept to cores: there is no taskset, or there are not two)");
            [None, None]
        }
    };
    let (mut ones, mut twos, mut alone, mut aside, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SPEEDUP_ROUNDS {
        let one = Run { core: first, ..input.run("out", Some(1)) }.time();
        let two = input.run("out", Some(2)).time();
        let runs = [("left", first), ("right", second)].map(|(out, core)| Run { core, ..input.run(out, Some(1)) }.start());
        let independent: f64 = Running::seconds_of(runs).iter().map(|seconds| one / seconds).sum();
        ones.push(input.rate(one));
        twos.push(input.rate(two));
        alone.push(one / two);
        aside.push(independent);
        ratios.push(one / two / independent);
    }
    println!("{:<38} {:10.0} calls/s", "one run, 1 thread", median(ones));
    println!("{:<38} {:10.0} calls/s", "one run, 2 threads", median(twos));
    println!("{:<38} {:10.2} ×", "speed-up of one run", median(alone));
    println!("{:<38} {:10.2} ×", "speed-up of two runs side by side", median(aside));
    println!("{:<38} {:10.2} × (limit {SPEEDUP_LIMIT})", "one run ÷ side by side", median(ratios));
}

/// A call's cost at ten times the input.
fn growth(tenth: &Input, whole: &Input) {
    println!("\ngrowth: median of {GROWTH_PAIRS} interleaved pairs, as many threads as cores");
    let (mut smaller, mut larger, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..GROWTH_PAIRS {
        let cost = |input: &Input| input.run("out", None).time() / input.calls as f64 * 1e6;
        let (small, large) = (cost(tenth), cost(whole));
        smaller.push(small);
        larger.push(large);
        ratios.push(large / small);
    }
    println!("{:<38} {:10.2} µs a call", format!("{} calls", tenth.calls), median(smaller));
    println!("{:<38} {:10.2} µs a call", format!("{} calls", whole.calls), median(larger));
    println!("{:<38} {:10.2} × (limit {GROWTH_LIMIT})", "cost at ten times the input", median(ratios));
}

/// Whole grading against the keyword part alone in DuckDB and Polars.
fn compare(whole: &Input) -> Result<(), String> {
    let python = Python::found()?;
    println!("\npeers: {}, default threads; of several ways to ask the fastest", python.versions);
    for (engine, name, limit) in PEERS {
        for (lists, rounds) in [("each", PEER_ROUNDS), ("single", 1)] {
            let tried = python.run(&whole.path, &["--engine", engine, "--lists", lists])?;
            let ways = tried["seconds"].as_object().ok_or("keywords.py told no times")?;
            let seconds = |way: &serde_json::Value| way.as_f64().unwrap_or(f64::INFINITY);
            let (way, _) = ways.iter().min_by(|a, b| seconds(a.1).total_cmp(&seconds(b.1))).ok_or("keywords.py knows no way")?;
            let (mut graded, mut asked, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                let run = whole.run("out", None).time();
                let told = python.run(&whole.path, &["--engine", engine, "--lists", lists, "--way", way])?;
                let peer = told["seconds"][way].as_f64().ok_or("keywords.py told no time")?;
                assert_eq!(told["calls"], whole.calls, "every call is counted");
                graded.push(whole.rate(run));
                asked.push(whole.rate(peer));
                ratios.push(peer / run);
            }
            let count = tried["expressions"].as_u64().unwrap_or_default();
            let of = if count == 1 { "1 expression".to_owned() } else { format!("{count} expressions") };
            println!("{name}, {of} of {} phrases, from {way}", tried["phrases"]);
            println!("{:<38} {:10.0} calls/s", format!("  {of}"), median(asked));
            println!("{:<38} {:10.0} calls/s", "  whole grading", median(graded));
            let limit = if lists == "each" { format!(" (limit {limit})") } else { String::new() };
            println!("{:<38} {:10.2} ×{limit}", "  rate, whole grading ÷ keywords alone", median(ratios));
        }
    }
    Ok(())
}

/// The most memory that a run of millions takes.
fn memory(input: &Input) {
    let (seconds, bytes) = input.run("out", None).start().seconds_and_memory();
    println!("\nmemory: one run over {} calls, as many threads as cores", input.calls);
    println!("{:<38} {:10.3} GiB (limit {MEMORY_LIMIT_GIB})", "most that was resident", bytes as f64 / f64::from(1 << 30));
    println!("{:<38} {:10.0} calls/s", "re-grading", input.rate(seconds));
}
