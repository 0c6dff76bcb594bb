//! Benchmark calls, and how figures are made of runs.

#![allow(dead_code, reason = "each benchmark uses its part")]

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callgrade::core::event::{Event, EventKind, Hangup, Party, Speaker, Utterance};
use callgrade::core::script::Script;
use callgrade::ingest::{Limits, jsonl};
use callgrade::wire::{self, v1};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the dialogues lie; `None` where they do not.
pub fn dialogues() -> Option<PathBuf> {
    let folder =
        std::env::var_os("CALLGRADE_DATA").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    Some(folder.join("dialogues.jsonl.gz")).filter(|path| path.exists())
}

/// A small generator with a fixed seed (SplitMix64), so that every run and machine has the same calls.
pub struct Seeded(u64);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// What each side says in the dialogues.
pub struct Sayings {
    pub robot: Vec<String>,
    pub customer: Vec<String>,
}

pub fn sayings() -> Option<Sayings> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(dialogues()?).ok()?).read_to_string(&mut text).ok()?;
    let mut sayings = Sayings { robot: Vec::new(), customer: Vec::new() };
    for line in text.lines() {
        for event in jsonl::call(line.as_bytes(), &Limits::default()).ok()?.events {
            let EventKind::Utterance(utterance) = event.kind else { continue };
            match utterance.speaker {
                Speaker::Robot => sayings.robot.push(utterance.text.into()),
                _ => sayings.customer.push(utterance.text.into()),
            }
        }
    }
    Some(sayings)
}

/// Calls of exactly 16 utterances, 8 a side; every other call with node ids. With `WORDS=new` each utterance ends in characters of its
/// own, so that none is said twice and nothing that was read before can be remembered.
pub fn calls(sayings: &Sayings, count: usize) -> Vec<Vec<Event>> {
    endless(sayings).take(count).collect()
}

/// The same without end, made as they are asked for.
pub fn endless(sayings: &Sayings) -> impl Iterator<Item = Vec<Event>> {
    let mut seeded = Seeded::new(20_261_121);
    (0..).map(move |number| call(sayings, &mut seeded, number))
}

/// Two characters that nobody says, others for each utterance, up to 21 million.
fn never_said(number: usize) -> [char; 2] {
    const RARE: u32 = 4_608;
    let rare = |place: usize| char::from_u32(0x3400 + place as u32 % RARE).expect("a Han character of extension A");
    [rare(number / RARE as usize), rare(number)]
}

fn call(sayings: &Sayings, seeded: &mut Seeded, number: usize) -> Vec<Event> {
    const NODES: [&str; 8] = ["greeting", "opening", "product", "rescue", "needs", "invite", "invite", "closing"];
    let new = std::env::var_os("WORDS").is_some_and(|words| words == "new");
    let mut at_ms = 5_000;
    let mut events = vec![Event { at_ms, kind: EventKind::Answered }];
    for turn in 0..16 {
        let robot = turn % 2 == 0;
        let pool = if robot { &sayings.robot } else { &sayings.customer };
        let mut text = pool[seeded.below(pool.len())].clone();
        if new {
            text.extend(never_said(number * 16 + turn));
        }
        let duration_ms = (text.chars().count() as f64 / 4.5 * 1000.0) as u32;
        let node_id = if robot && number.is_multiple_of(2) { NODES[turn / 2] } else { "" };
        events.push(Event {
            at_ms,
            kind: EventKind::Utterance(Utterance {
                speaker: if robot { Speaker::Robot } else { Speaker::Customer },
                text: text.into(),
                duration_ms,
                node_id: node_id.into(),
                played: None,
                utterance_id: "".into(),
                interim: false,
            }),
        });
        at_ms += duration_ms + 300;
    }
    events.push(Event { at_ms, kind: EventKind::Hangup(Box::new(Hangup { by: Some(Party::Customer), ..Hangup::default() })) });
    events
}

/// The script the benchmarks use.
pub fn script() -> Arc<Script> {
    callgrade::script::bundled("telemarketing").expect("the bundled script compiles")
}

/// Time of one go.
pub fn time(go: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    go();
    begun.elapsed()
}

/// The time that this process has spent on all cores.
pub fn cpu() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec as u32)
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The machine, in a line.
pub fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).map_or("", |rest| rest.trim_start_matches([' ', '\t', ':']));
    format!("{model}, {} cores", std::thread::available_parallelism().map_or(0, usize::from))
}

/// An event of a call as a stream has it.
pub fn message(call_id: String, place: usize, event: &Event) -> v1::StreamCallsRequest {
    v1::StreamCallsRequest {
        call_id,
        seq: place as u32 + 1,
        event: Some(wire::event(event)),
        script_id: if place == 0 { "telemarketing".to_owned() } else { String::new() },
        ..v1::StreamCallsRequest::default()
    }
}

/// The calls' events, interleaved as concurrent calls are.
pub fn messages(calls: &[Vec<Event>], round: usize) -> Vec<v1::StreamCallsRequest> {
    let longest = calls.iter().map(Vec::len).max().unwrap_or_default();
    let places = (0..longest).flat_map(|place| calls.iter().enumerate().map(move |(number, call)| (place, number, call)));
    places.filter_map(|(place, number, call)| Some(message(format!("{round}-{number}"), place, call.get(place)?))).collect()
}
