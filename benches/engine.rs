//! The whole engine against a bare automaton of the same phrases, and one list from 100 to 100,000 phrases.
//!
//! `cargo bench --bench engine`; limits: *Grade a call*, Speed and size.

mod common;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use callgrade::core::call::CallState;
use callgrade::core::event::{Event, EventKind, Speaker};
use callgrade::core::lexicon::EntryKind;
use callgrade::core::script::Script;
use callgrade::script::{Bundle, compile};
use common::{Seeded, calls, median, sayings, script, time};

const CALLS: usize = 2_000;
const ROUNDS: usize = 15;

fn main() {
    let Some(sayings) = sayings() else {
        println!("skipped: engine benchmark (no dialogues.jsonl.gz; set CALLGRADE_DATA)");
        return;
    };
    let calls = calls(&sayings, CALLS);
    let script = script();
    println!("machine: {}", common::machine());
    against_automaton(&script, &calls);
    // `ENGINE_ONLY=1` leaves this out, for profiling.
    if std::env::var_os("ENGINE_ONLY").is_none() {
        list_growth(&sayings);
    }
}

fn customer_texts(calls: &[Vec<Event>]) -> Vec<Vec<&str>> {
    calls
        .iter()
        .map(|call| {
            call.iter()
                .filter_map(|event| match &event.kind {
                    EventKind::Utterance(utterance) if utterance.speaker == Speaker::Customer => Some(&*utterance.text),
                    _ => None,
                })
                .collect()
        })
        .collect()
}

fn engine(script: &Arc<Script>, calls: &[Vec<Event>]) -> f64 {
    let fresh: Vec<Vec<Event>> = calls.to_vec();
    time(|| {
        for events in fresh {
            black_box(CallState::replay(script, events));
        }
    })
    .as_secs_f64()
        / calls.len() as f64
        * 1e6
}

fn against_automaton(script: &Arc<Script>, calls: &[Vec<Event>]) {
    let phrases: BTreeSet<&str> =
        script.customer.entries().iter().filter(|entry| entry.kind == EntryKind::Phrase).map(|entry| &*entry.text).collect();
    let texts = customer_texts(calls);
    let dfa = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(&phrases)
        .expect("the phrases build");
    let daachorse = daachorse::CharwiseDoubleArrayAhoCorasickBuilder::new()
        .match_kind(daachorse::MatchKind::LeftmostLongest)
        .build::<_, _, u32>(&phrases)
        .expect("the phrases build");
    let bytes: usize = texts.iter().flatten().map(|text| text.len()).sum();
    println!("{} phrases, {} calls, {} bytes of customer text a call", phrases.len(), calls.len(), bytes / calls.len());
    let (mut with_dfa, mut with_daachorse, mut whole, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let a = time(|| {
            texts.iter().flatten().for_each(|text| {
                dfa.find_iter(text).for_each(|hit| {
                    black_box(hit);
                })
            })
        });
        let b = time(|| {
            texts.iter().flatten().for_each(|text| {
                daachorse.leftmost_find_iter(text).for_each(|hit| {
                    black_box(hit);
                })
            })
        });
        let a = a.as_secs_f64() / calls.len() as f64 * 1e6;
        let b = b.as_secs_f64() / calls.len() as f64 * 1e6;
        let engine = engine(script, calls);
        with_dfa.push(a);
        with_daachorse.push(b);
        whole.push(engine);
        ratios.push(a.min(b) / engine);
    }
    println!("aho-corasick DFA, leftmost-longest     {:8.2} µs a call", median(with_dfa));
    println!("daachorse charwise, leftmost-longest   {:8.2} µs a call", median(with_daachorse));
    println!("whole engine to verdict with evidence  {:8.2} µs a call", median(whole));
    println!("rate, engine ÷ faster automaton        {:8.2} × (limit 0.3)", median(ratios));
}

/// One list of growing size, its phrases cut from what callers say in dialogues that the calls are not made of.
fn list_growth(sayings: &common::Sayings) {
    let half = |texts: &[String], odd: usize| texts.iter().skip(odd).step_by(2).cloned().collect::<Vec<String>>();
    let calls = &calls(&common::Sayings { robot: sayings.robot.clone(), customer: half(&sayings.customer, 0) }, CALLS);
    let elsewhere = half(&sayings.customer, 1);
    let mut seeded = Seeded::new(7);
    let mut phrases: BTreeSet<String> = BTreeSet::new();
    let spoken: Vec<Vec<char>> = elsewhere.iter().map(|text| text.chars().filter(|c| c.is_alphanumeric()).collect()).collect();
    while phrases.len() < 100_000 {
        let line = &spoken[seeded.below(spoken.len())];
        let length = 4 + seeded.below(5);
        if line.len() > length {
            let from = seeded.below(line.len() - length);
            phrases.insert(line[from..from + length].iter().collect());
        }
    }
    let mut phrases: Vec<String> = phrases.into_iter().collect();
    for i in (1..phrases.len()).rev() {
        phrases.swap(i, seeded.below(i + 1));
    }
    let sizes = [100, 1_000, 10_000, 100_000];
    let scripts: Vec<Arc<Script>> = sizes.iter().map(|size| with_list(&phrases[..*size])).collect();
    let mut times = vec![Vec::new(); sizes.len()];
    for _ in 0..ROUNDS {
        for (script, times) in scripts.iter().zip(&mut times) {
            times.push(engine(script, calls));
        }
    }
    let ratios: Vec<f64> = times.iter().map(|t| median(t.iter().zip(&times[0]).map(|(t, first)| t / first).collect())).collect();
    for ((size, times), ratio) in sizes.iter().zip(times).zip(ratios) {
        println!("one list of {size:>7} phrases               {:8.2} µs a call, {ratio:.2} × that of 100 (limit 2)", median(times));
    }
}

/// The bundled script with its `neutral` list replaced.
fn with_list(phrases: &[String]) -> Arc<Script> {
    let mut bundle = Bundle::bundled().into_iter().find(|bundle| bundle.name == "telemarketing").expect("the script is bundled");
    bundle.files.insert("keywords/neutral.txt".to_owned(), phrases.join("\n"));
    compile(&bundle).expect("the bundle compiles")
}
