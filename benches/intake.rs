//! What of a stream is the service's own: its messages laid out, taken in, and answered, by one core and without a network.
//!
//! `cargo bench --bench intake`; no limit.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use callgrade::ingest::Limits;
use callgrade::script::{Library, ScriptChoice};
use callgrade::service::{Outbox, Patience, Service, Shares};
use common::{calls, median, messages, sayings};
use prost::Message;

/// Messages read at one time, as many as a stream's are.
const BATCH: usize = 1_024;
const ROUNDS: usize = 15;

fn main() {
    let Some(sayings) = sayings() else {
        println!("skipped: intake benchmark (no dialogues.jsonl.gz; set CALLGRADE_DATA)");
        return;
    };
    let many = std::env::var("CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(4_000);
    let calls = calls(&sayings, many);
    let scripts = ScriptChoice::new(Library::bundled().expect("the scripts compile"), None).expect("a choice");
    let service = Service::new(scripts, Limits::default(), Patience::default());
    let tenant = service.tenants.of("default");
    let outbox = Arc::new(Outbox::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    println!("machine: {}", common::machine());
    let mut figures = [const { Vec::new() }; 3];
    let mut written = 0;
    for round in 0..ROUNDS {
        let messages: Vec<Vec<u8>> = messages(&calls, round).iter().map(Message::encode_to_vec).collect();
        let mut took = [Duration::ZERO; 3];
        let mut answers = Vec::new();
        for batch in messages.chunks(BATCH) {
            let begun = Instant::now();
            let mut shares = Shares::default();
            batch.iter().for_each(|message| shares.add(message));
            let laid_out = Instant::now();
            let mut intake = service.intake(laid_out, &tenant, Some(&outbox));
            while let Some(share) = shares.next() {
                intake.take_share(&share, false);
            }
            let taken = intake.taken();
            let taken_in = Instant::now();
            answers.clear();
            runtime.block_on(taken.settled()).iter().for_each(|told| told.encode(&mut answers));
            written += answers.len();
            let steps = [laid_out - begun, taken_in - laid_out, taken_in.elapsed()];
            took.iter_mut().zip(steps).for_each(|(took, step)| *took += step);
        }
        let ns = |took: Duration| took.as_secs_f64() * 1e9 / messages.len() as f64;
        figures.iter_mut().zip(took).for_each(|(figures, took)| figures.push(ns(took)));
    }
    println!("{many} interleaved calls of 18 events, median of {ROUNDS} rounds; {written} bytes of answers in all");
    for (step, figures) in ["laid out", "taken in", "answered"].into_iter().zip(figures) {
        println!("{step}  {:6.0} ns a message", median(figures));
    }
}
