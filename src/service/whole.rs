//! Calls that come whole: graded, kept, answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message;

use super::event::{check_id, make_keepable};
use super::intake::wall_ms;
use super::journal::{Generation, Journal};
use super::live::key;
use super::push::News;
use super::session::Session;
use super::tenant::Tenant;
use super::{Refusal, Service, grade_with};
use crate::core::script::Script;
use crate::ingest::{CallRecord, Rejection};
use crate::store::StoreError;
use crate::store::calls::{CallRow, EventKind, EventRow, Group, StandingRow, VerdictRow};
use crate::store::records::{CallHead, StoredCall};
use crate::telemetry::Tally;
use crate::wire::{self, v1};

/// What is said with the verdict of a call whose id is another's.
pub(crate) const TAKEN: &str = "another call of this id is kept: this verdict is of what was sent now, and is not kept";

/// How often a call of the same id is waited for that is on its way to the store.
const PATIENCE: u32 = 3;

type Graded = (v1::Verdict, Vec<Rejection>);

/// What became of a call that came whole.
enum Kept {
    /// There is nothing to keep, or it is kept.
    Nothing(Graded),
    /// It becomes durable with this.
    With(Graded, Arc<Generation>),
    /// One of the same id becomes durable with this.
    Later(Arc<Generation>, CallRecord),
}

impl Service {
    /// Grades a call whole, keeps it where calls are kept, and answers once that is durable.
    ///
    /// A call that is sent again, event for event the same, is answered as before. One whose id is another's is graded and not kept,
    /// and its verdict says so.
    ///
    /// # Errors
    /// It has no id, its script is not there, or it cannot be kept.
    pub async fn grade(self: &Arc<Self>, tenant: &Arc<Tenant>, mut record: CallRecord) -> Result<Graded, Refusal> {
        if record.call_id.is_empty() {
            return Err(Refusal::Invalid("the call has no call_id".to_owned()));
        }
        if record.time_zone.is_empty() {
            record.time_zone.clone_from(&tenant.settings.time_zone);
        }
        if self.journal.is_some() {
            check_id(&record.call_id).map_err(Refusal::Invalid)?;
            record.notices.extend(make_keepable(&mut record.time_zone, &mut record.attributes));
        }
        let script = self.script(tenant, &record.script_id).map_err(Refusal::Script)?;
        let numbers = self.masked_record(tenant, &mut record);
        let mut tally = Tally::of(record.events.len() + record.rejections.len());
        record.rejections.iter().for_each(|_| tally.rejection(tonic::Code::InvalidArgument));
        self.metrics.count(&tally);
        if self.journal.is_none() {
            let graded = grade_with(&script, record);
            self.count_final(&graded.0);
            return Ok(graded);
        }
        let call_id = record.call_id.clone();
        let _turn = self.lookups.acquire().await;
        let (mut record, mut patience) = (record, PATIENCE);
        loop {
            let (service, of, with, hashes) = (Arc::clone(self), Arc::clone(tenant), Arc::clone(&script), numbers.clone());
            let keeping = tokio::task::spawn_blocking(move || service.grade_and_keep(&of, &with, record, &hashes, patience > 0));
            let kept = keeping.await.map_err(|error| Refusal::Store(StoreError::Unavailable(format!("the grading ended: {error}"))))?;
            match kept.map_err(Refusal::Store)? {
                Kept::Nothing(graded) => return Ok(graded),
                Kept::With(graded, generation) => {
                    generation.durable().await.map_err(Refusal::Store)?;
                    self.leave_to_store(tenant, &call_id);
                    self.count_final(&graded.0);
                    return Ok(graded);
                }
                Kept::Later(generation, back) => {
                    // Whether it could be written is seen when it is looked for again.
                    let _ = generation.durable().await;
                    (record, patience) = (back, patience - 1);
                }
            }
        }
    }

    fn count_final(&self, verdict: &v1::Verdict) {
        self.metrics.final_verdict(&verdict.script_id, &verdict.label, &verdict.rule_id);
    }

    /// Grades a call and has it kept, if it is not. `patient` where a call of its id that is on its way to the store is waited for.
    fn grade_and_keep(
        &self,
        tenant: &Arc<Tenant>,
        script: &Arc<Script>,
        record: CallRecord,
        numbers: &[[u8; 16]],
        patient: bool,
    ) -> Result<Kept, StoreError> {
        let Some(journal) = &self.journal else { return Ok(Kept::Nothing(grade_with(script, record))) };
        let key = key(tenant, &record.call_id);
        let taken = |record| {
            let (mut verdict, rejections) = grade_with(script, record);
            verdict.notices.push(TAKEN.to_owned());
            Ok(Kept::Nothing((verdict, rejections)))
        };
        loop {
            let epoch = self.live.epoch();
            if let Some(found) = journal.store().find(&tenant.name, &[&record.call_id])?.into_iter().next() {
                if !same(&found.events, &events(0, 0, &record)) {
                    return taken(record);
                }
                let version = self.version(tenant, &found.head.script_id, &found.head.script_version)?;
                let (mut verdict, rejections) = grade_with(version.as_ref().unwrap_or(script), record);
                verdict.revision = found.head.revision.max(1);
                return Ok(Kept::Nothing((verdict, rejections)));
            }
            let (_gate, now_epoch) = self.live.open_gate();
            if now_epoch != epoch {
                continue;
            }
            let (now, wall_ms) = (Instant::now(), wall_ms());
            let mut shard = self.live.shard(&key);
            if shard.calls.contains_key(&key) {
                return match journal.latest().filter(|_| patient) {
                    Some(generation) => Ok(Kept::Later(generation, record)),
                    None => taken(record),
                };
            }
            let mut rows = Group::default();
            let stored = head(journal, tenant, script, &record, wall_ms, &mut rows);
            let graded = grade_with(script, record);
            keep(tenant, stored.head.id, &graded.0, wall_ms, &mut rows);
            rows.numbers.extend(numbers.iter().map(|fingerprint| (stored.head.id, *fingerprint)));
            // Holds the name until the store knows it.
            let session = Session::restore(Arc::clone(tenant), Arc::clone(script), stored, now, wall_ms);
            shard.calls.insert(key.clone(), Box::new(session));
            // Where whoever sent it does not wait for the end, the time for late events is the end.
            shard.schedule(&key, &self.live.patience);
            return Ok(Kept::With(graded, journal.append(&mut rows)));
        }
    }

    /// Takes a call out of memory that is in the store and that nothing has come of since.
    fn leave_to_store(&self, tenant: &Tenant, call_id: &str) {
        let key = key(tenant, call_id);
        let mut shard = self.live.shard(&key);
        if shard.calls.get(&key).is_some_and(|session| session.is_asleep()) {
            shard.calls.remove(&key);
        }
    }
}

/// A call's events as they are kept: those taken and, at their places, those that were not.
fn events(call: i64, received_ms: i64, record: &CallRecord) -> Vec<EventRow> {
    let rejected: BTreeMap<u32, &str> =
        record.rejections.iter().filter(|rejection| rejection.seq > 0).map(|it| (it.seq, it.reason.as_str())).collect();
    let mut rows = Vec::with_capacity(record.events.len() + rejected.len());
    let row = |seq, kind, body| EventRow { call, seq, kind, received_ms, body };
    let mut seq = 1;
    let mut events = record.events.iter().enumerate();
    loop {
        if let Some(reason) = rejected.get(&seq) {
            rows.push(row(seq, EventKind::Rejected, Bytes::copy_from_slice(reason.as_bytes())));
        } else if let Some((place, event)) = events.next() {
            let message = wire::heard_event(event, record.confidence.get(&place).copied());
            rows.push(row(seq, EventKind::Taken, Bytes::from(message.encode_to_vec())));
        } else {
            return rows;
        }
        seq += 1;
    }
}

fn same(left: &[EventRow], right: &[EventRow]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| (left.seq, left.kind, &left.body) == (right.seq, right.kind, &right.body))
}

/// A call that begins, with its events; their rows.
fn head(journal: &Journal, tenant: &Tenant, script: &Script, record: &CallRecord, wall_ms: i64, rows: &mut Group) -> StoredCall {
    let id = journal.call_number();
    let started = record.started_at.as_ref().map(|at| (at.seconds, at.nanos));
    let events = events(id, wall_ms, record);
    let head = CallHead {
        id,
        tenant: Arc::clone(&tenant.name),
        call_id: Arc::from(record.call_id.as_str()),
        script_id: script.id.to_string(),
        script_version: script.version.to_string(),
        started,
        time_zone: record.time_zone.clone(),
        began_ms: began_ms(started, wall_ms),
        received_ms: wall_ms,
        label: String::new(),
        rule: String::new(),
        revision: 1,
        ended_by: crate::core::verdict::EndedBy::EndOfRecord.as_str().to_owned(),
        ended_ms: Some(wall_ms),
    };
    rows.calls.push(CallRow {
        id,
        tenant: Arc::clone(&head.tenant),
        call_id: Arc::clone(&head.call_id),
        script_id: script.id.clone(),
        script_version: script.version.clone(),
        started,
        time_zone: head.time_zone.as_str().into(),
        began_ms: head.began_ms,
        received_ms: wall_ms,
        attributes: record.attributes.clone().into_iter().collect(),
    });
    rows.events.extend(events.iter().cloned());
    StoredCall { head, events }
}

/// The rows of a call's final verdict.
fn keep(tenant: &Tenant, call: i64, verdict: &v1::Verdict, wall_ms: i64, rows: &mut Group) {
    rows.standings.push(StandingRow {
        call,
        label: verdict.label.as_str().into(),
        rule: verdict.rule_id.as_str().into(),
        revision: verdict.revision,
        ended_by: verdict.ended_by.as_str().into(),
        ended_ms: Some(wall_ms),
    });
    let body = Bytes::from(verdict.encode_to_vec());
    rows.verdicts.push(VerdictRow { call, revision: verdict.revision, made_ms: wall_ms, body });
    let news = News { tenant: &tenant.name, call, turn: 0, heard: false, made_ms: wall_ms, verdict };
    rows.pushes.extend(tenant.settings.push.as_ref().and_then(|push| push.row(&news)));
}

/// When a call began, in milliseconds since 1970: as told, else when it came.
pub(super) fn began_ms(started: Option<(i64, i32)>, received_ms: i64) -> i64 {
    started.map_or(received_ms, |(seconds, nanos)| seconds.saturating_mul(1_000).saturating_add(i64::from(nanos / 1_000_000)))
}
