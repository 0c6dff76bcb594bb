//! The calls that a server keeps.

use std::sync::Arc;

use pbjson_types::Timestamp;
use prost::Message;

use super::{Piece, Position, Source, Work};
use crate::ingest::recorded::{Given, Reading};
use crate::ingest::{CallRecord, Rejection, StoredLabel, proto};
use crate::store::calls::{EventKind, EventRow};
use crate::store::records::{CallHead, Cursor, Filter, StoredCall};
use crate::store::{Store, StoreError};
use crate::wire::v1;

/// Calls of a piece.
const CALLS: usize = 256;

/// Calls of a tenant by filter, newest first.
#[derive(Debug)]
pub struct Kept {
    store: Store,
    tenant: String,
    filter: Filter,
    position: Position,
    over: bool,
    weight: u64,
}

impl Kept {
    /// From a position on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(store: Store, tenant: &str, filter: Filter, from: Position) -> Result<Self, StoreError> {
        let weight = store.count(tenant, &filter)?;
        Ok(Self { store, tenant: tenant.to_owned(), filter, position: from, over: false, weight })
    }
}

impl Source for Kept {
    fn next(&mut self) -> Option<Piece> {
        if self.over {
            return None;
        }
        let name: Arc<str> = "store".into();
        let after = self.position.kept.map(|(began_ms, id)| Cursor { began_ms, id });
        match self.store.list(&self.tenant, &self.filter, after, CALLS) {
            Ok(heads) => {
                let last = heads.last()?;
                self.position.kept = Some((last.began_ms, last.id));
                self.over = heads.len() < CALLS;
                let weight = heads.len() as u64;
                let work = Work::Kept(Box::new(KeptCalls { store: self.store.clone(), heads, text: self.filter.text.clone() }));
                Some(Piece { name, work, weight, after: self.position.clone() })
            }
            Err(error) => {
                self.over = true;
                Some(Piece { name, work: Work::Broken(error.to_string()), weight: 0, after: self.position.clone() })
            }
        }
    }

    fn weight(&self) -> u64 {
        self.weight
    }

    fn fingerprint(&self) -> String {
        format!("{} {:?}", self.tenant, self.filter)
    }
}

/// Some of them, their events not read yet.
#[derive(Debug)]
pub(super) struct KeptCalls {
    store: Store,
    heads: Vec<CallHead>,
    text: String,
}

impl KeptCalls {
    pub(super) fn read(&self, reading: &Reading, give: &mut dyn FnMut(Given)) {
        match self.store.with_events(&self.heads) {
            Ok(calls) => {
                // The store looks for the characters in whole events.
                for call in calls.iter().filter(|call| self.text.is_empty() || says(call, &self.text)) {
                    give(reading.given(0, Ok(record(call, &call.head.script_id, &call.head.time_zone))));
                }
            }
            Err(error) => give(Given::fault(0, format!("{} calls cannot be read: {error}", self.heads.len()))),
        }
    }
}

/// Whether some utterance of a call holds these characters.
#[must_use]
pub fn says(call: &StoredCall, text: &str) -> bool {
    call.events.iter().filter(|row| row.kind == EventKind::Taken).any(|row| {
        let event = v1::CallEvent::decode(&*row.body).ok().and_then(|event| event.event);
        matches!(event, Some(v1::call_event::Event::Utterance(utterance)) if utterance.text.contains(text))
    })
}

/// A call as it is kept, to be graded with a script, its times told in a zone.
#[must_use]
pub fn record(stored: &StoredCall, script_id: &str, time_zone: &str) -> CallRecord {
    let CallHead { call_id, started, label, rule, script_version, .. } = &stored.head;
    let label = StoredLabel { label: label.clone(), rule_id: rule.clone(), script_version: script_version.clone() };
    let mut record = CallRecord {
        call_id: call_id.to_string(),
        script_id: script_id.to_owned(),
        started_at: started.map(|(seconds, nanos)| Timestamp { seconds, nanos }),
        time_zone: time_zone.to_owned(),
        stored: Some(Box::new(label)),
        ..CallRecord::default()
    };
    for row in &stored.events {
        match event(row) {
            Ok(event) => record.events.push(event),
            Err(reason) => record.rejections.push(Rejection { call_id: call_id.to_string(), seq: row.seq, reason }),
        }
    }
    record
}

fn event(row: &EventRow) -> Result<crate::core::event::Event, String> {
    match row.kind {
        EventKind::Taken => v1::CallEvent::decode(&*row.body).map_err(|error| error.to_string()).and_then(proto::event),
        EventKind::Rejected => Err(String::from_utf8_lossy(&row.body).into_owned()),
    }
}
