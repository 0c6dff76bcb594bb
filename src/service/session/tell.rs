//! The verdicts on a call: sent when they change.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::order::gap;
use super::{Answers, Context, MOST_NOTICES, Session};
use crate::core::call::{CallState, Standing};
use crate::core::script::Script;
use crate::service::told::{Answer, Graded};
use crate::store::calls::VerdictRow;
use crate::telemetry::Metrics;
use crate::wire::{CallHead, v1};

impl Session {
    /// The final verdict that was sent last, as the call stands; to be asked for before something comes of the call that may change it.
    pub(super) fn told(&mut self) -> Option<Graded> {
        if self.revision > 0 { self.grade(self.revision) } else { None }
    }

    /// Sends a verdict where it differs from the one sent before: of a call that has ended, the one that was [`told`](Self::told).
    pub(super) fn tell(&mut self, told: Option<Graded>, answers: &mut Answers, cx: &mut Context<'_>) {
        let Some(call) = self.call.as_ref().filter(|_| cx.keeping.is_none() || self.number != 0) else { return };
        let standing = call.standing();
        let Some(ended_by) = call.ended_by() else {
            if standing != self.sent {
                self.sent = standing;
                let Some(graded) = self.grade(0) else { return };
                if let Some(keeping) = &mut cx.keeping {
                    keeping.rows.standings.push(self.standing_row(&standing, None, ""));
                    self.heard = self.announce(&graded, keeping);
                }
                answers.push(Answer::Verdict(graded));
            }
            return;
        };
        self.ended_at.get_or_insert(cx.now);
        self.room = None;
        let Some(graded) = self.grade(self.revision + 1) else { return };
        if told.is_some_and(|told| same(&told, &graded)) {
            return;
        }
        self.sent = standing;
        self.revision += 1;
        self.count(&standing, cx.metrics);
        if let Some(keeping) = &mut cx.keeping {
            let (rows, made_ms) = (&mut keeping.rows, keeping.wall_ms);
            rows.standings.push(self.standing_row(&standing, Some(made_ms), ended_by.as_str()));
            let body = Bytes::copy_from_slice(graded.bytes());
            rows.verdicts.push(VerdictRow { call: self.number, revision: self.revision, made_ms, body });
            self.heard = self.announce(&graded, keeping);
        }
        answers.push(Answer::Verdict(graded));
    }

    /// Counts the call's end, or the change of its verdict after.
    fn count(&self, standing: &Standing, metrics: &Metrics) {
        let Some(script) = self.call.as_ref().map(CallState::script) else { return };
        let (label, rule) = (script.label_id(standing.label), script.rule_id(standing.rule));
        tracing::debug!(call_id = &*self.call_id, script = &*script.id, label, rule, revision = self.revision, "final verdict");
        match self.revision {
            1 => metrics.final_verdict(&script.id, label, rule),
            _ => metrics.revised_verdict(&script.id),
        }
    }

    /// The verdict on the call as it stands.
    pub(super) fn grade(&mut self, revision: u32) -> Option<Graded> {
        let Self { call, call_id, order, notices, .. } = self;
        // Events that were passed over may have come since.
        let notices: Vec<String> = order.missing().map(gap).chain(notices.iter().cloned()).take(MOST_NOTICES).collect();
        Some(Graded::new(call.as_mut()?, CallHead { call_id, revision, notices: &notices }))
    }

    /// The verdict as of now.
    pub(in crate::service) fn verdict(&mut self, now: Instant) -> Option<Graded> {
        self.wake(now);
        self.grade(self.revision)
    }

    /// The script of a call that has begun, where the call stands, and whether it has ended.
    pub(in crate::service) fn standing(&mut self, now: Instant) -> Option<(&Arc<Script>, Standing, bool)> {
        self.wake(now);
        self.call.as_ref().map(|call| (call.script(), call.standing(), call.ended_by().is_some()))
    }
}

/// Equality of verdicts as the contract has it: without `revision`, `notices` and `ended_by`.
fn same(left: &Graded, right: &Graded) -> bool {
    let comparable = |graded: &Graded| v1::Verdict { revision: 0, notices: Vec::new(), ended_by: String::new(), ..graded.message() };
    comparable(left) == comparable(right)
}
