//! A few calls at a time: read, graded anew, made results of.

use std::sync::Arc;

use prost::Message;

use crate::regrade::diff::Diff;
use crate::regrade::grading::{Before, Grading, Regraded};
use crate::regrade::source::kept::{record, says};
use crate::service::tenant::Tenant;
use crate::store::records::{Cursor, Filter, StoredCall};
use crate::store::regraded::{RegradedKind, RegradedPage, RegradedRow};
use crate::store::regrades::RegradeCounts;
use crate::store::{Store, StoreError};
use crate::wire::{self, v1};

/// Calls whose results are written together: so few that nobody waits long for the store.
pub(super) const PAGE: usize = 200;
/// Calls whose events are in memory at one time: one may have thousands.
const WHOLE: usize = 32;

/// A job that runs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) number: i64,
    pub(super) tenant: Arc<Tenant>,
    /// Which calls.
    pub(super) filter: Filter,
    /// The script that grades them, whatever they name.
    pub(super) script_id: String,
    pub(super) grading: Grading,
    pub(super) counts: RegradeCounts,
    pub(super) cursor: Option<Cursor>,
    pub(super) diff: Diff,
}

impl Job {
    /// Grades the next page, of no more than `most` calls; what is to be kept of it.
    pub(super) fn next_page(&mut self, store: &Store, most: usize, now_ms: i64) -> Result<RegradedPage, StoreError> {
        let heads = store.list(&self.tenant.name, &self.filter, self.cursor, most)?;
        let last = heads.len() < most;
        self.cursor = heads.last().map(|head| Cursor { began_ms: head.began_ms, id: head.id }).or(self.cursor);
        let mut rows = Vec::with_capacity(heads.len());
        for heads in heads.chunks(WHOLE) {
            for call in store.with_events(heads)? {
                // The store looks for the characters in whole events.
                if self.filter.text.is_empty() || says(&call, &self.filter.text) {
                    rows.push(self.result(&call));
                }
            }
        }
        if last {
            // What was counted and deleted since, or counted for characters that nobody says, is not waited for.
            self.counts.calls = self.counts.done;
        }
        Ok(RegradedPage {
            rows,
            counts: self.counts,
            cursor: self.cursor,
            diff: self.sum().encode_to_vec(),
            done_ms: last.then_some(now_ms),
        })
    }

    /// What the results come to. Its examples are left out: they are calls, and those of the results are deleted with them.
    fn sum(&self) -> v1::RegradeDiff {
        let mut sum = self.diff.message();
        sum.scripts.iter_mut().for_each(|script| script.examples.clear());
        sum
    }

    /// Grades a call anew.
    fn result(&mut self, stored: &StoredCall) -> RegradedRow {
        let head = &stored.head;
        let place = i64::try_from(self.counts.done).unwrap_or(i64::MAX);
        let time_zone = if head.time_zone.is_empty() { &self.tenant.settings.time_zone } else { &head.time_zone };
        let message = match self.grading.grade(record(stored, &self.script_id, time_zone)) {
            Ok(call) => {
                let changed = self.diff.add(&call);
                told(call, changed)
            }
            Err(rejection) => v1::RegradedCall {
                call_id: head.call_id.to_string(),
                kind: v1::RegradedKind::Rejected.into(),
                rejected: rejection.reason,
                ..v1::RegradedCall::default()
            },
        };
        let kind = match message.kind() {
            v1::RegradedKind::Unspecified | v1::RegradedKind::Same => RegradedKind::Same,
            v1::RegradedKind::Rule => RegradedKind::Rule,
            v1::RegradedKind::Label => RegradedKind::Label,
            v1::RegradedKind::Rejected => RegradedKind::Rejected,
        };
        self.counts.done += 1;
        self.counts.changed += u64::from(kind == RegradedKind::Label);
        self.counts.rejected += u64::from(kind == RegradedKind::Rejected);
        let body = message.encode_to_vec();
        RegradedRow { place, call: head.id, kind, before_label: message.before_label, label: message.label, body }
    }
}

/// A result as it is kept and told.
fn told(call: Regraded, changed: Option<v1::ChangedCall>) -> v1::RegradedCall {
    let Regraded { call_id, notices, after, before, .. } = call;
    let told = wire::CallHead { call_id: &call_id, revision: 1, notices: &notices };
    let verdict = wire::verdict(&after.script, told, &after.verdict);
    let (before_label, before_rule_id) = match before {
        Before::Unknown => (None, String::new()),
        Before::Stored(stored) => (Some(stored.label), stored.rule_id),
        Before::Graded(graded) => {
            let (script, verdict) = (&graded.script, &graded.verdict);
            (Some(script.label_id(verdict.label).to_owned()), script.rule_id(verdict.rule).to_owned())
        }
    };
    let kind = match &changed {
        None => v1::RegradedKind::Same,
        Some(_) if before_label.as_ref() == Some(&verdict.label) => v1::RegradedKind::Rule,
        Some(_) => v1::RegradedKind::Label,
    };
    v1::RegradedCall {
        call_id,
        kind: kind.into(),
        label: verdict.label.clone(),
        rule_id: verdict.rule_id.clone(),
        before_label,
        before_rule_id,
        changed,
        rejected: String::new(),
        verdict: Some(verdict),
    }
}
