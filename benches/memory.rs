//! Memory of live calls: what one takes, and a million of them at once.
//!
//! `cargo bench --bench memory`; `CALLS=100000` for fewer. Limit: under 4 KiB a call besides its events' text.

mod common;

use callgrade::core::call::CallState;
use common::{calls, sayings, script};

fn main() {
    let Some(sayings) = sayings() else {
        println!("skipped: memory benchmark (no dialogues.jsonl.gz; set CALLGRADE_DATA)");
        return;
    };
    let count: usize = std::env::var("CALLS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let pool = calls(&sayings, 2_000);
    let script = script();
    println!("machine: {}", common::machine());
    let before = resident();
    let begun = std::time::Instant::now();
    let mut live = Vec::with_capacity(count);
    let (mut state, mut text) = (0usize, 0usize);
    for number in 0..count {
        let mut call = CallState::new(script.clone());
        let events = &pool[number % pool.len()];
        // All but the hangup: the call is live.
        for (seq, event) in (1..).zip(&events[..events.len() - 1]) {
            call.push(seq, event.clone());
        }
        let (all, own) = call.memory();
        state += all - own;
        text += own;
        live.push(call);
    }
    let took = begun.elapsed();
    let grown = resident() - before;
    println!("{count} live calls of 16 utterances, event by event, in {:.1} s on one core", took.as_secs_f64());
    println!("state besides the events' text  {:6} bytes a call (limit 4096), as the program counts it", state / count);
    println!("the events' text                {:6} bytes a call", text / count);
    println!(
        "resident memory                 {:6} bytes a call, {:.2} GiB in all, as the kernel counts it",
        grown / count,
        grown as f64 / (1u64 << 30) as f64
    );
    println!("resident less text              {:6} bytes a call", grown.saturating_sub(text) / count);
    assert!(live.iter().all(|call| call.ended_by().is_none()));
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<usize>().ok());
    kib.unwrap_or_default() * 1024
}
