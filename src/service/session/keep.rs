//! What of a call is kept: the rows that its events and verdicts make.

use std::sync::Arc;

use bytes::Bytes;

use super::{Context, Session};
use crate::core::call::{CallState, Standing};
use crate::service::push::News;
use crate::service::told::Graded;
use crate::service::whole::began_ms;
use crate::store::calls::{CallRow, EventKind, EventRow, Group, StandingRow};

/// Where what is to be kept goes.
pub(in crate::service) struct Keeping<'a> {
    pub(in crate::service) rows: &'a mut Group,
    /// Gives numbers to calls that begin.
    pub(in crate::service) numbers: &'a dyn Fn() -> i64,
    /// Now, in milliseconds since 1970.
    pub(in crate::service) wall_ms: i64,
}

impl Session {
    /// Has an event kept, and before the first the call.
    pub(super) fn keep(&mut self, seq: u32, kind: EventKind, body: Bytes, masked: &[[u8; 16]], cx: &mut Context<'_>) {
        let Some(Keeping { rows, numbers, wall_ms }) = &mut cx.keeping else { return };
        let (wall_ms, Some(call)) = (*wall_ms, &self.call) else { return };
        if self.number == 0 {
            self.number = numbers();
            let head = self.told_head.take().unwrap_or_default();
            // The one that grades it: it is found again by whoever does not know the tenant's settings, or knows later ones.
            let time_zone = if head.time_zone.is_empty() { &self.tenant.settings.time_zone } else { &head.time_zone };
            let started = head.started_at.map(|at| (at.seconds, at.nanos));
            rows.calls.push(CallRow {
                id: self.number,
                tenant: Arc::clone(&self.tenant.name),
                call_id: Arc::clone(&self.call_id),
                script_id: call.script().id.clone(),
                script_version: call.script().version.clone(),
                started,
                time_zone: time_zone.as_str().into(),
                began_ms: began_ms(started, wall_ms),
                received_ms: wall_ms,
                attributes: head.attributes.into_iter().collect(),
            });
            rows.standings.push(self.standing_row(&self.sent, None, ""));
        }
        rows.events.push(EventRow { call: self.number, seq, kind, received_ms: wall_ms, body });
        rows.numbers.extend(masked.iter().map(|fingerprint| (self.number, *fingerprint)));
    }

    pub(super) fn standing_row(&self, standing: &Standing, ended_ms: Option<i64>, ended_by: &'static str) -> StandingRow {
        let script = self.call.as_ref().map(CallState::script);
        let label = script.and_then(|script| script.labels.get(standing.label?));
        let rule = script.and_then(|script| script.rules.get(standing.rule?));
        StandingRow {
            call: self.number,
            label: label.map(|label| label.id.clone()).unwrap_or_default(),
            rule: rule.map(|rule| rule.id.clone()).unwrap_or_default(),
            revision: self.revision,
            ended_by: ended_by.into(),
            ended_ms,
        }
    }

    /// Has a verdict pushed, if the tenant wants that; whether its receiver knows of the call now.
    #[must_use]
    pub(super) fn announce(&self, graded: &Graded, keeping: &mut Keeping<'_>) -> bool {
        let Some(push) = &self.tenant.settings.push else { return false };
        let news = News {
            tenant: &self.tenant.name,
            call: self.number,
            // Each event that is taken changes it, also one that is late.
            turn: self.call.as_ref().map_or(0, |call| call.len() as u32),
            heard: self.heard,
            made_ms: keeping.wall_ms,
            verdict: &graded.message(),
        };
        let row = push.row(&news);
        let heard = self.heard || row.is_some();
        keeping.rows.pushes.extend(row);
        heard
    }
}
