//! The flat form: rows of events, put together to calls.

use super::columns::Numbers;
use super::events::EventColumns;
use super::{ArrowCalls, Columns, Read};
use crate::core::event::Event;
use crate::ingest::{CallRecord, Limits, Rejection};

/// A call whose rows may go on.
#[derive(Debug)]
pub(super) struct OpenCall {
    /// Its first row, from 1.
    pub(super) row: u64,
    call_id: String,
    head: Result<CallRecord, Rejection>,
    /// Its events, each with its seq: that of the column, else its place.
    events: Vec<(u32, Result<Event, String>)>,
    /// Rows that say no seq where others do, or a wrong one: their places, and why they are rejected.
    misnumbered: Vec<Rejection>,
    /// The rows say their seq.
    numbered: bool,
    /// Rows beyond what a call may have are counted and not kept.
    excess: u32,
}

impl OpenCall {
    pub(super) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The call, its events in order; of two with one seq the first counts.
    pub(super) fn close(self, limits: &Limits) -> Read {
        let mut record = self.head?;
        let mut events = self.events;
        if self.numbered {
            events.sort_by_key(|(seq, _)| *seq);
            events.dedup_by_key(|(seq, _)| *seq);
            match events.first() {
                Some((first, _)) if *first > 1 => record.notices.push(format!(
                    "the first event is {first}: those before it are missing, or the rows of the call do not stand together"
                )),
                _ => {}
            }
        }
        record.events.reserve(events.len().min(limits.call_events));
        let last = events.last().map_or(0, |(seq, _)| *seq);
        for (seq, event) in events {
            record.offer(seq, event, limits);
        }
        record.rejections.extend(self.misnumbered);
        for more in 0..self.excess {
            record.offer(last.saturating_add(more + 1), Err::<Event, _>("too many".to_owned()), limits);
        }
        Ok(record)
    }
}

impl ArrowCalls {
    /// Takes a row in: it goes on with the open call, or closes it and opens another.
    pub(super) fn flat_row(
        &mut self,
        columns: &Columns,
        events: &EventColumns,
        seqs: Option<&Numbers>,
        row: usize,
        give: &mut dyn FnMut(u64, Read),
    ) {
        let number = self.rows + row as u64 + 1;
        let call_id = columns.call_id(row).unwrap_or_default();
        // Rows without an id are nobody's, each on its own.
        if self.open.as_ref().is_none_or(|open| open.call_id != call_id || call_id.is_empty()) {
            self.finish(give);
            let open = OpenCall {
                row: number,
                call_id: call_id.to_owned(),
                head: columns.head(row),
                events: Vec::new(),
                misnumbered: Vec::new(),
                numbered: seqs.is_some(),
                excess: 0,
            };
            self.open = Some(open);
        }
        let Some(open) = &mut self.open else { return };
        // Some more than may be, such that duplicates and disorder are seen.
        if open.events.len() > self.limits.call_events.saturating_mul(2) {
            open.excess = open.excess.saturating_add(1);
            return;
        }
        let place = (open.events.len() + open.misnumbered.len()) as u32 + 1;
        let seq = match seqs.map_or(Ok(place), |seqs| seqs.get(row, "seq")) {
            Ok(0) => Err("seq counts from 1".to_owned()),
            seq => seq,
        };
        match seq {
            Ok(seq) => open.events.push((seq, events.event(row))),
            Err(reason) => open.misnumbered.push(Rejection { call_id: open.call_id.clone(), seq: place, reason }),
        }
    }
}
