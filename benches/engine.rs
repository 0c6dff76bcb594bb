//! The whole engine against a bare automaton of the same phrases, and one list from 100 to 100,000 phrases.
//!
//! `cargo bench --bench engine`; limits: *Grade a call*, Speed and size.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use callgrade::core::call::CallState;
use callgrade::core::event::{Event, EventKind, Speaker};
use callgrade::core::lexicon::{EntryKind, Scratch};
use callgrade::core::recall;
use callgrade::core::script::Script;
use callgrade::script::{Bundle, compile};
use common::{Seeded, calls, endless, median, sayings, script, time};

const CALLS: usize = 2_000;
const ROUNDS: usize = 15;
/// Calls of the long run.
const LONG: usize = 200_000;

fn main() {
    let Some(sayings) = sayings() else {
        println!("skipped: engine benchmark (no dialogues.jsonl.gz; set CALLGRADE_DATA)");
        return;
    };
    let calls = calls(&sayings, CALLS);
    let script = script();
    println!("machine: {}", common::machine());
    against_automaton(&script, &sayings, &calls);
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

/// What of the words was said before.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// None of it: no reading is remembered from one call to the next.
    Nothing,
    /// All of it.
    All,
}

fn engine(script: &Arc<Script>, calls: &[Vec<Event>], before: Before) -> f64 {
    let fresh: Vec<Vec<Event>> = calls.to_vec();
    time(|| {
        for events in fresh {
            if before == Before::Nothing {
                recall::forget();
            }
            black_box(CallState::replay(script, events));
        }
    })
    .as_secs_f64()
        / calls.len() as f64
        * 1e6
}

fn against_automaton(script: &Arc<Script>, sayings: &common::Sayings, calls: &[Vec<Event>]) {
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
    let (mut remembered, mut remembered_ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let a = time(|| {
            texts.iter().flatten().for_each(|text| {
                dfa.find_iter(text).for_each(|hit| {
                    black_box(hit);
                })
            })
        });
        let a = a.as_secs_f64() / calls.len() as f64 * 1e6;
        let b = walked(&daachorse, calls);
        let new = engine(script, calls, Before::Nothing);
        (0..3).for_each(|_| {
            engine(script, calls, Before::All);
        });
        let known = engine(script, calls, Before::All);
        with_dfa.push(a);
        with_daachorse.push(b);
        whole.push(new);
        ratios.push(a.min(b) / new);
        remembered.push(known);
        remembered_ratios.push(a.min(b) / known);
    }
    println!("aho-corasick DFA, leftmost-longest     {:8.2} µs a call", median(with_dfa));
    println!("daachorse charwise, leftmost-longest   {:8.2} µs a call", median(with_daachorse));
    println!("whole engine to verdict with evidence  {:8.2} µs a call, of words never said before", median(whole));
    println!("rate, engine ÷ faster automaton        {:8.2} × (limit 0.3)", median(ratios));
    println!("whole engine to verdict with evidence  {:8.2} µs a call, of words said before", median(remembered));
    println!("rate, engine ÷ faster automaton        {:8.2} × (limit 0.3)", median(remembered_ratios));

    // As a thread that grades goes on: it begins with nothing, and no call comes twice.
    recall::forget();
    let mut drawn = endless(sayings);
    let chunks: Vec<[f64; 2]> = (0..LONG / CALLS)
        .map(|_| {
            let calls: Vec<Vec<Event>> = drawn.by_ref().take(CALLS).collect();
            [walked(&daachorse, &calls), engine(script, &calls, Before::All)]
        })
        .collect();
    let mean = |of: usize| chunks.iter().map(|chunk| chunk[of]).sum::<f64>() / chunks.len() as f64;
    println!("{LONG} calls as drawn, one after another:");
    println!("daachorse charwise, leftmost-longest   {:8.2} µs a call", mean(0));
    println!("whole engine to verdict with evidence  {:8.2} µs a call", mean(1));
    println!("rate, engine ÷ daachorse               {:8.2} × (limit 0.3)", mean(0) / mean(1));
}

/// What the automaton takes of each call, in microseconds.
fn walked(daachorse: &daachorse::CharwiseDoubleArrayAhoCorasick<u32>, calls: &[Vec<Event>]) -> f64 {
    let texts = customer_texts(calls);
    let took = time(|| {
        texts.iter().flatten().for_each(|text| {
            daachorse.leftmost_find_iter(text).for_each(|hit| {
                black_box(hit);
            })
        })
    });
    took.as_secs_f64() / calls.len() as f64 * 1e6
}

/// One list of growing size, in two kinds. Names, such as a list of companies or products has: put together like Chinese, and
/// seldom said. And fragments: cut at random from what callers say in dialogues that the calls are not made of, so that a large
/// list finds dozens of them in every utterance, as no list of keywords does.
fn list_growth(sayings: &common::Sayings) {
    let half = |texts: &[String], odd: usize| texts.iter().skip(odd).step_by(2).cloned().collect::<Vec<String>>();
    let calls = &calls(&common::Sayings { robot: sayings.robot.clone(), customer: half(&sayings.customer, 0) }, CALLS);
    let spoken: Vec<Vec<char>> =
        half(&sayings.customer, 1).iter().map(|text| text.chars().filter(|c| c.is_alphanumeric()).collect()).collect();
    grow("names", names(&spoken), calls);
    grow("fragments", fragments(&spoken), calls);
}

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Phrases of 4 to 8 characters, each following the one before it somewhere in what is spoken.
fn names(spoken: &[Vec<char>]) -> Vec<String> {
    let mut follows: BTreeMap<char, Vec<char>> = BTreeMap::new();
    for pair in spoken.iter().flat_map(|line| line.windows(2)) {
        follows.entry(pair[0]).or_default().push(pair[1]);
    }
    let firsts: Vec<char> = follows.keys().copied().collect();
    distinct(|seeded| {
        let mut name = vec![firsts[seeded.below(firsts.len())]];
        for _ in 0..3 + seeded.below(5) {
            let next = follows.get(&name[name.len() - 1])?;
            name.push(next[seeded.below(next.len())]);
        }
        Some(name.into_iter().collect())
    })
}

/// Phrases of 4 to 8 characters as they were said.
fn fragments(spoken: &[Vec<char>]) -> Vec<String> {
    distinct(|seeded| {
        let line = &spoken[seeded.below(spoken.len())];
        let length = 4 + seeded.below(5);
        let from = seeded.below(line.len().checked_sub(length)?.max(1));
        Some(line[from..from + length].iter().collect())
    })
}

/// As many distinct phrases as the longest list has, in no order.
fn distinct(mut make: impl FnMut(&mut Seeded) -> Option<String>) -> Vec<String> {
    let mut seeded = Seeded::new(7);
    let mut phrases: BTreeSet<String> = BTreeSet::new();
    while phrases.len() < SIZES[SIZES.len() - 1] {
        phrases.extend(make(&mut seeded));
    }
    let mut phrases: Vec<String> = phrases.into_iter().collect();
    for i in (1..phrases.len()).rev() {
        phrases.swap(i, seeded.below(i + 1));
    }
    phrases
}

fn grow(kind: &str, phrases: Vec<String>, calls: &[Vec<Event>]) {
    let scripts: Vec<Arc<Script>> = SIZES.iter().map(|size| with_list(&phrases[..*size])).collect();
    let mut times = vec![Vec::new(); SIZES.len()];
    for _ in 0..ROUNDS {
        for (script, times) in scripts.iter().zip(&mut times) {
            times.push(engine(script, calls, Before::Nothing));
        }
    }
    let ratios: Vec<f64> = times.iter().map(|t| median(t.iter().zip(&times[0]).map(|(t, first)| t / first).collect())).collect();
    for (((size, script), times), ratio) in SIZES.iter().zip(&scripts).zip(times).zip(ratios) {
        let hits = calls.iter().flatten().map(|event| hits(script, event)).sum::<usize>() as f64 / calls.len() as f64;
        println!(
            "one list of {size:>7} {kind:<10} {:8.2} µs a call, {ratio:.2} × that of 100 (limit 2); {hits:.1} hits a call",
            median(times)
        );
    }
}

/// What a customer's utterance holds of all lists.
fn hits(script: &Script, event: &Event) -> usize {
    match &event.kind {
        EventKind::Utterance(utterance) if utterance.speaker == Speaker::Customer => {
            script.customer.read(&utterance.text, &mut Scratch::default()).len()
        }
        _ => 0,
    }
}

/// The bundled script with its `neutral` list replaced.
fn with_list(phrases: &[String]) -> Arc<Script> {
    let mut bundle = Bundle::bundled().into_iter().find(|bundle| bundle.name == "telemarketing").expect("the script is bundled");
    bundle.files.insert("keywords/neutral.txt".to_owned(), phrases.join("\n"));
    compile(&bundle).expect("the bundle compiles")
}
