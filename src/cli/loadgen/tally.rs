//! What came of the calls, added up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tonic::Code;

use crate::wire::code_name;

/// The longest time that is told from longer ones, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// Times, to three digits, from a microsecond up.
#[derive(Debug)]
pub(super) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_US, 3).unwrap_or_else(|_| unreachable!("bounds and digits are as they may be")))
    }
}

impl Times {
    pub(super) fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    fn add(&mut self, other: &Self) {
        // An error would mean that they differ in their bounds.
        let _ = self.0.add(&other.0);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time in milliseconds within which this share of them lay.
    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1_000.0
    }

    pub(super) fn longest_ms(&self) -> f64 {
        self.0.max() as f64 / 1_000.0
    }
}

/// What came of the calls of a stream, or of all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Calls of which an event was sent,
    pub(super) begun: u64,
    /// of them those that were hung up because the time was over,
    pub(super) cut: u64,
    /// those that began late, because as many as may be were live or the stream took no more,
    pub(super) late: u64,
    /// those that ended, with all their events acknowledged and a final verdict,
    pub(super) ended: u64,
    /// those that were given up because an event of theirs was rejected,
    pub(super) refused: u64,
    /// and those of which something is still unanswered.
    pub(super) lost: u64,
    /// Events sent,
    pub(super) sent: u64,
    /// acknowledged,
    pub(super) acknowledged: u64,
    /// never answered.
    pub(super) lost_events: u64,
    /// Rejections, by code.
    pub(super) rejections: BTreeMap<&'static str, u64>,
    /// Final verdicts, by label.
    pub(super) labels: BTreeMap<String, u64>,
    /// Verdicts that were not final.
    pub(super) provisional: u64,
    /// From an event's time to its acknowledgement.
    pub(super) acknowledgement: Times,
    /// From the time of a call's end to its final verdict.
    pub(super) verdict: Times,
    /// Streams that broke.
    pub(super) broken: u64,
    /// When the last answer came.
    pub(super) heard: Option<Instant>,
}

impl Tally {
    /// Calls that are neither over nor given up.
    pub(super) fn live(&self) -> u64 {
        self.begun - self.ended - self.refused - self.lost
    }

    /// Whether everything was taken and answered.
    pub(super) fn is_clean(&self) -> bool {
        self.refused == 0 && self.lost == 0 && self.broken == 0 && self.rejections.is_empty()
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejections.values().sum()
    }

    pub(super) fn reject(&mut self, code: i32) {
        *self.rejections.entry(code_name(Code::from_i32(code))).or_default() += 1;
    }

    /// Adds another's.
    pub(super) fn add(&mut self, other: &Self) {
        self.begun += other.begun;
        self.cut += other.cut;
        self.late += other.late;
        self.ended += other.ended;
        self.refused += other.refused;
        self.lost += other.lost;
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.lost_events += other.lost_events;
        self.provisional += other.provisional;
        self.broken += other.broken;
        self.heard = self.heard.max(other.heard);
        for (code, count) in &other.rejections {
            *self.rejections.entry(code).or_default() += count;
        }
        for (label, count) in &other.labels {
            *self.labels.entry(label.clone()).or_default() += count;
        }
        self.acknowledgement.add(&other.acknowledgement);
        self.verdict.add(&other.verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_three_digits_and_add_up() {
        let (mut one, mut other) = (Times::default(), Times::default());
        (1..=990).for_each(|_| one.record(Duration::from_micros(1_500)));
        (1..=10).for_each(|_| other.record(Duration::from_secs(2)));
        one.add(&other);
        assert_eq!(one.count(), 1_000);
        let near = |ms: f64, expected: f64| (ms - expected).abs() <= expected / 1_000.0;
        assert!(near(one.quantile_ms(0.5), 1.5) && near(one.quantile_ms(0.99), 1.5), "{one:?}");
        assert!(near(one.quantile_ms(0.999), 2_000.0) && near(one.longest_ms(), 2_000.0), "{one:?}");
        one.record(Duration::from_secs(1 << 40));
        assert!(near(one.longest_ms(), 3_600_000.0), "an hour is as long as any");
    }

    #[test]
    fn a_tally_is_clean_only_if_everything_was_taken_and_answered() {
        assert!(Tally::default().is_clean());
        let mut rejected = Tally::default();
        rejected.reject(Code::ResourceExhausted as i32);
        assert_eq!(rejected.rejections, BTreeMap::from([("RESOURCE_EXHAUSTED", 1)]));
        for unclean in [Tally { lost: 1, ..Tally::default() }, Tally { broken: 1, ..Tally::default() }, rejected] {
            let mut total = Tally::default();
            total.add(&unclean);
            assert!(!total.is_clean(), "{unclean:?}");
        }
    }
}
