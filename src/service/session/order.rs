//! The order of a call's events: which is next, what waits for it, what was passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::Offered;
use crate::service::Patience;

/// Where a call's events stand by their numbers.
#[derive(Debug)]
pub(super) struct Order {
    /// The next event in order.
    next: u32,
    /// Events that came before an earlier one.
    waiting: BTreeMap<u32, Offered>,
    /// Sequence numbers given up on, as ranges: they may still come late.
    missing: BTreeMap<u32, u32>,
    /// Events that the server itself has refused with the word to send them again, and that have not come since.
    sent_back: BTreeSet<u32>,
    gap_since: Option<Instant>,
}

impl Default for Order {
    fn default() -> Self {
        Self { next: 1, waiting: BTreeMap::new(), missing: BTreeMap::new(), sent_back: BTreeSet::new(), gap_since: None }
    }
}

impl Order {
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// Up to where every event is kept that is still to come. One that was sent back is, whatever came behind it: an acknowledgement
    /// that went past it would have its sender believe that it is kept.
    pub(super) fn kept(&self) -> u32 {
        self.sent_back.first().map_or(self.next, |owed| self.next.min(*owed)) - 1
    }

    /// Up to where every event is kept, also those that were passed over.
    pub(super) fn whole(&self) -> u32 {
        self.missing.first_key_value().map_or(self.kept(), |(first, _)| self.kept().min(first - 1))
    }

    /// Whether an event is the next and nothing waits behind it.
    pub(super) fn is_next(&self, seq: u32) -> bool {
        seq == self.next && self.waiting.is_empty()
    }

    /// Whether something waits for an earlier event.
    pub(super) fn gapped(&self) -> bool {
        self.gap_since.is_some()
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Those that wait, by their numbers.
    pub(super) fn ahead(&self) -> Vec<u32> {
        self.waiting.keys().copied().collect()
    }

    /// An event has come, whatever becomes of it.
    pub(super) fn came(&mut self, seq: u32) {
        self.sent_back.remove(&seq);
    }

    /// Events were refused with the word to send them again.
    pub(super) fn send_back(&mut self, seqs: impl IntoIterator<Item = u32>) {
        self.sent_back.extend(seqs);
    }

    /// Those that were sent back and have not come since.
    pub(super) fn sent_back(&self) -> impl Iterator<Item = u32> + '_ {
        self.sent_back.iter().copied()
    }

    /// Goes on behind the next event.
    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    /// No gap is waited for any more.
    pub(super) fn close_gap(&mut self) {
        self.gap_since = None;
    }

    /// Waits, from `now` on if it did not before; no longer if nothing is there that waits.
    pub(super) fn wait(&mut self, now: Instant) {
        self.gap_since = if self.waiting.is_empty() { None } else { Some(self.gap_since.unwrap_or(now)) };
    }

    /// Lays an event aside until it is next.
    pub(super) fn lay_aside(&mut self, seq: u32, event: Offered) {
        self.waiting.entry(seq).or_insert(event);
    }

    /// Sends an event back that had been laid aside.
    pub(super) fn refuse(&mut self, seq: u32) {
        self.waiting.remove(&seq);
        self.sent_back.insert(seq);
    }

    /// The next event, if it is there.
    pub(super) fn take_next(&mut self) -> Option<(u32, Offered)> {
        let (seq, event) = self.waiting.remove_entry(&self.next)?;
        self.next += 1;
        Some((seq, event))
    }

    /// All that waits, which nobody waits for any more.
    pub(super) fn take_waiting(&mut self) -> impl Iterator<Item = u32> + use<> {
        self.gap_since = None;
        std::mem::take(&mut self.waiting).into_keys()
    }

    /// The first event of the gap that was sent back. It will come again: such a gap is not given up for the time it takes, nor for
    /// what comes behind it.
    pub(super) fn owed(&self) -> Option<u32> {
        let (first, _) = self.waiting.first_key_value()?;
        self.sent_back.range(self.next..*first).next().copied()
    }

    /// When the gap is given up; `None`: there is none, or not as long as the call lives.
    pub(super) fn due(&self, patience: &Patience) -> Option<Instant> {
        self.gap_since.filter(|_| self.owed().is_none()).map(|since| since + patience.gap)
    }

    /// Goes on without the events before the first that waits, if one does.
    pub(super) fn pass_over(&mut self) -> bool {
        let Some((&first, _)) = self.waiting.first_key_value() else { return false };
        // No more gaps than events that came behind them, which are limited.
        self.note_missing((self.next, first - 1));
        self.next = first;
        self.gap_since = None;
        true
    }

    /// Events that were passed over and have not come since, from the first to the last of each gap.
    pub(super) fn missing(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.missing.iter().map(|(from, to)| (*from, *to))
    }

    /// Of a call that comes from the store: its last event is kept.
    pub(super) fn resume_behind(&mut self, last: u32) {
        self.next = last + 1;
    }

    /// Events were passed over before the call was last written.
    pub(super) fn note_missing(&mut self, (from, to): (u32, u32)) {
        self.missing.insert(from, to);
    }

    /// Whether an event was passed over.
    pub(super) fn is_missing(&self, seq: u32) -> bool {
        self.missing.range(..=seq).next_back().is_some_and(|(_, to)| *to >= seq)
    }

    /// Whether an event was passed over; it is not any more.
    pub(super) fn take_missing(&mut self, seq: u32) -> bool {
        let Some((&from, &to)) = self.missing.range(..=seq).next_back().filter(|(_, to)| **to >= seq) else { return false };
        self.missing.remove(&from);
        if from < seq {
            self.missing.insert(from, seq - 1);
        }
        if seq < to {
            self.missing.insert(seq + 1, to);
        }
        true
    }

    /// Bytes of memory beside its own.
    pub(super) fn memory(&self) -> usize {
        self.missing.len() * 16
    }
}

/// That events did not come, as a notice says it.
pub(super) fn gap((from, to): (u32, u32)) -> String {
    let what = if from == to { format!("event {from} has") } else { format!("events {from} to {to} have") };
    format!("{what} not come; graded without")
}
