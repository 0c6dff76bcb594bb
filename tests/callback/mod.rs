//! Callback times: what customers say, when they said it, and when they want to be called.

mod calls;
mod table;

use callgrade::core::call::CallState;
use callgrade::core::callback::{CallClock, Callback};
use callgrade::core::event::{Event, EventKind, Speaker};
use callgrade::core::verdict::Verdict;

use crate::support::{script, utterance};

/// A line that asks nothing.
const TELLS: &str = "我们的系统是自主研发的";
/// A line that asks when.
const ASKS: &str = "那您看什么时候方便呢";

/// A call of these lines, `robot: …` or `customer: …`, of which the last begins just as the clock shows `now` in `zone`.
fn call(script_id: &str, lines: &[&str], now: &str, zone: &str) -> Verdict {
    const STEP_MS: u32 = 5_000;
    let mut events = vec![Event { at_ms: 0, kind: EventKind::Answered }];
    for (place, line) in (1..).zip(lines) {
        let (speaker, text) = match line.split_once(": ").expect("who says what") {
            ("robot", text) => (Speaker::Robot, text),
            (_, text) => (Speaker::Customer, text),
        };
        events.push(Event { at_ms: place * STEP_MS, kind: EventKind::Utterance(utterance(speaker, "", text, 2_000)) });
    }
    let clock = clock(now, zone, events.last().map_or(0, |event| event.at_ms));
    CallState::replay_at(&script(script_id), clock, events)
}

/// The clock of a call that shows `now` (empty: unknown) so many milliseconds after its start.
fn clock(now: &str, zone: &str, at_ms: u32) -> CallClock {
    if now.is_empty() {
        return CallClock::new(None, zone);
    }
    let known = jiff::tz::TimeZone::get(if zone.is_empty() { "Asia/Shanghai" } else { zone }).unwrap_or(jiff::tz::TimeZone::UTC);
    let now: jiff::civil::DateTime = now.parse().expect("a civil time");
    let began = now.to_zoned(known).expect("a moment").timestamp() - jiff::SignedDuration::from_millis(at_ms.into());
    CallClock::new(Some((began.as_second(), began.subsec_nanosecond())), zone)
}

/// What is told of a callback: its moment in the call's zone, or `-`, and its words; empty: there is none.
fn told(callback: Option<&Callback>) -> String {
    let Some(callback) = callback else { return String::new() };
    let at = callback.at.as_ref().map_or("-".to_owned(), |at| {
        let short = if at.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
        at.strftime(short).to_string()
    });
    format!("{at} {}", callback.words)
}
