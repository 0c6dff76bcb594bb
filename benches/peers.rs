//! The engine against what one would otherwise write in Python, `benches/peers/grade.py`: the same calls, in the same run.
//!
//! `cargo bench --bench peers`; `ROUNDS=3` for fewer. Needs `python3 -m venv .venv && .venv/bin/pip install -r
//! benches/peers/requirements.txt`, or another interpreter in `CALLGRADE_PYTHON`. Limits: *Grade a call*, Speed and size.

mod common;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use callgrade::core::call::CallState;
use callgrade::core::event::{Event, EventKind, Party, Speaker};
use callgrade::core::recall;
use callgrade::core::script::Script;
use common::{calls, median, sayings, script, time};
use serde_json::{Value, json};

const CALLS: usize = 2_000;
const ROUNDS: usize = 5;
/// Matcher, what it is called, least ratio.
const PEERS: [(&str, &str, f64); 2] = [("re", "re alternations", 15.0), ("ac", "pyahocorasick", 6.0)];
/// Least share of the labels of `calls-dev` that a peer must agree with.
const AGREEMENT: f64 = 0.9;

fn main() {
    if let Err(reason) = compare() {
        println!("skipped: peers benchmark ({reason})");
    }
}

fn compare() -> Result<(), String> {
    let sayings = sayings().ok_or("no dialogues.jsonl.gz; set CALLGRADE_DATA")?;
    let python = Python::found()?;
    let calls = calls(&sayings, CALLS);
    let script = script();
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let file = folder.path().join("calls.jsonl");
    write(&file, &calls).map_err(|error| format!("{}: {error}", file.display()))?;
    let file = file.display().to_string();

    println!("machine: {}", common::machine());
    println!("{}, {} calls", python.version, calls.len());
    for (matcher, name, _) in PEERS {
        python.agreement(matcher, name)?;
    }
    let graded = labels(&script, &calls);
    for (matcher, name, _) in PEERS {
        let told = python.run(&["--bench", &file, "--matcher", matcher, "--rounds", "0", "--labels"])?;
        let told = told["labels"].as_array().ok_or("grade.py told no labels")?.clone();
        let same = graded.iter().zip(&told).filter(|(label, told)| told.as_str() == Some(label)).count();
        println!("{name:<16} gives the engine's label to {same} of these {} calls", graded.len());
    }

    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS).max(1);
    let mut engines = Vec::new();
    let mut peers = [const { Vec::new() }; PEERS.len()];
    let mut ratios = [const { Vec::new() }; PEERS.len()];
    for _ in 0..rounds {
        for (number, (matcher, ..)) in PEERS.into_iter().enumerate() {
            let told = python.run(&["--bench", &file, "--matcher", matcher, "--rounds", "1"])?;
            let peer = told["us_per_call"].as_f64().ok_or("grade.py told no time")?;
            let engine = median((0..5).map(|_| engine(&script, &calls)).collect());
            engines.push(engine);
            peers[number].push(peer);
            ratios[number].push(peer / engine);
        }
    }
    println!("{:<38} {:10.2} µs a call", "whole engine to verdict with evidence", median(engines));
    for ((_, name, limit), (peer, ratio)) in PEERS.into_iter().zip(peers.into_iter().zip(ratios)) {
        println!("{:<38} {:10.2} µs a call", format!("Python, {name}"), median(peer));
        println!("{:<38} {:10.2} × (limit {limit})", format!("rate, engine ÷ {name}"), median(ratio));
    }
    Ok(())
}

/// A Python with what the peer needs.
struct Python {
    program: PathBuf,
    version: String,
}

impl Python {
    fn found() -> Result<Self, String> {
        let program = std::env::var_os("CALLGRADE_PYTHON").map_or_else(|| root().join(".venv/bin/python"), PathBuf::from);
        let needed = "import platform, ahocorasick, yaml; print('Python', platform.python_version())";
        let output = Command::new(&program)
            .args(["-c", needed])
            .output()
            .map_err(|error| format!("{}: {error}; make it with `python3 -m venv .venv`", program.display()))?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            let error = error.lines().last().unwrap_or("it failed");
            return Err(format!("{error}; `{} -m pip install -r benches/peers/requirements.txt`", program.display()));
        }
        Ok(Self { program, version: String::from_utf8_lossy(&output.stdout).trim().to_owned() })
    }

    /// Runs `grade.py`; what it prints is JSON.
    fn run(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = Command::new(&self.program)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(root().join("benches/peers/grade.py"))
            .args(arguments)
            .output()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        if !output.status.success() {
            return Err(format!("grade.py failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("grade.py printed no JSON: {error}"))
    }

    fn agreement(&self, matcher: &str, name: &str) -> Result<(), String> {
        let data = common::dialogues().ok_or("no data")?;
        let of = |file: &str| data.with_file_name(file).display().to_string();
        let told = self.run(&["--calls", &of("calls-dev.jsonl"), "--gold", &of("calls-dev.gold.jsonl"), "--matcher", matcher])?;
        let share = told["share"].as_f64().ok_or("grade.py told no share")?;
        let by_script = told["scripts"].as_object().into_iter().flatten();
        let by_script: Vec<String> =
            by_script.map(|(script, counts)| format!("{script} {} of {}", counts["agree"], counts["calls"])).collect();
        println!(
            "{name:<16} agrees with {:.1} % of the calls-dev labels (limit {:.0} %): {}",
            share * 100.0,
            AGREEMENT * 100.0,
            by_script.join(", ")
        );
        Ok(())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn engine(script: &Arc<Script>, calls: &[Vec<Event>]) -> f64 {
    let fresh: Vec<Vec<Event>> = calls.to_vec();
    let took = time(|| {
        for events in fresh {
            // What a peer cannot remember the engine is not to remember either.
            recall::forget();
            black_box(CallState::replay(script, events));
        }
    });
    took.as_secs_f64() / calls.len() as f64 * 1e6
}

fn labels(script: &Arc<Script>, calls: &[Vec<Event>]) -> Vec<String> {
    let label = |events: &Vec<Event>| CallState::replay(script, events.clone()).label.and_then(|label| script.labels.get(label));
    calls.iter().map(|events| label(events).map_or_else(String::new, |label| label.id.to_string())).collect()
}

/// The calls as the contract's JSON lines.
fn write(path: &Path, calls: &[Vec<Event>]) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for (number, events) in calls.iter().enumerate() {
        let events: Vec<Value> = events.iter().map(wire).collect();
        writeln!(file, "{}", json!({ "callId": format!("bench-{number}"), "scriptId": "telemarketing", "events": events }))?;
    }
    file.flush()
}

fn wire(event: &Event) -> Value {
    let at_ms = event.at_ms;
    match &event.kind {
        EventKind::Answered => json!({ "atMs": at_ms, "answered": {} }),
        EventKind::Utterance(utterance) => {
            let speaker = if utterance.speaker == Speaker::Robot { "ROBOT" } else { "CUSTOMER" };
            let (text, node_id) = (&*utterance.text, &*utterance.node_id);
            json!({ "atMs": at_ms, "utterance": { "speaker": speaker, "text": text, "durationMs": utterance.duration_ms, "nodeId": node_id } })
        }
        EventKind::Hangup(hangup) => {
            assert_eq!(hangup.by, Some(Party::Customer), "benchmark calls are hung up by the customer");
            json!({ "atMs": at_ms, "hangup": { "by": "CUSTOMER" } })
        }
        other => unreachable!("benchmark calls hold no {other:?}"),
    }
}
