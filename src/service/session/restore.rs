//! A call that comes back from the store: where it stood, found again from its events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message;

use super::Session;
use crate::core::call::CallState;
use crate::core::callback::CallClock;
use crate::core::event::Event;
use crate::core::script::Script;
use crate::core::verdict::EndedBy;
use crate::ingest;
use crate::service::push::PushSettings;
use crate::service::tenant::Tenant;
use crate::store::calls::{EventKind, EventRow};
use crate::store::records::{CallHead, StoredCall};
use crate::wire::v1;

/// What is needed to find again where a call stood. A server that starts reads every live call, and grades each only when it is
/// asked for or something comes of it.
#[derive(Debug)]
pub(in crate::service) struct Asleep {
    script: Arc<Script>,
    clock: CallClock,
    events: Vec<EventRow>,
    /// How it ended, where no event of it says so.
    closed: Option<EndedBy>,
}

/// The clock of a call as its head is kept.
fn clock(head: &CallHead, tenant: &Tenant) -> CallClock {
    let zone = if head.time_zone.is_empty() { &tenant.settings.time_zone } else { &head.time_zone };
    CallClock::new(head.started, zone)
}

/// An event as it is kept.
///
/// # Errors
/// What is kept is none: it was written by a program that knew more, or is damaged.
pub(in crate::service) fn event(row: &EventRow) -> Result<crate::core::event::Event, String> {
    let message = v1::CallEvent::decode(row.body.clone()).map_err(|error| error.to_string())?;
    ingest::proto::event(message)
}

/// Most events of a call that are taken in one by one to see which labels it has had: each that replaces another folds anew.
const MOST_TRIED: usize = 500;

/// Whether the verdict on a call as it stands is one that is pushed.
fn wanted(push: &PushSettings, call: &CallState) -> bool {
    let label = call.standing().label;
    label.is_some() && push.is_wanted(call.script().label_id(label))
}

impl Session {
    /// A call as it is kept, asleep.
    pub(in crate::service) fn restore(tenant: Arc<Tenant>, script: Arc<Script>, stored: StoredCall, now: Instant, wall_ms: i64) -> Self {
        let StoredCall { head, events } = stored;
        let mut session = Self::new(Arc::clone(&tenant), Arc::clone(&head.call_id), now);
        let ago = |then_ms: i64| {
            let passed = Duration::from_millis(u64::try_from(wall_ms - then_ms).unwrap_or_default());
            // A machine that has only just started has no moment so long ago.
            now.checked_sub(passed).unwrap_or(now)
        };
        session.number = head.id;
        session.dated = true;
        session.order.resume_behind(events.last().map_or(0, |last| last.seq));
        session.touched = ago(events.iter().map(|row| row.received_ms).max().unwrap_or(head.received_ms));
        session.ended_at = head.ended_ms.map(ago);
        session.revision = head.revision;
        let closed = [EndedBy::Idle, EndedBy::EndOfRecord].into_iter().find(|by| by.as_str() == head.ended_by);
        session.asleep = Some(Box::new(Asleep { script, clock: clock(&head, &tenant), events, closed }));
        session
    }

    /// Finds again where the call stood, if that has not been done.
    pub(super) fn wake(&mut self, now: Instant) {
        let Some(asleep) = self.asleep.take() else { return };
        let Asleep { script, clock, events, closed } = *asleep;
        let mut taken = Vec::with_capacity(events.len());
        let mut expected = 1;
        for row in &events {
            if row.seq > expected {
                self.order.note_missing((expected, row.seq - 1));
            }
            expected = row.seq + 1;
            let refused = match row.kind {
                EventKind::Taken => event(row).map(|event| taken.push((row.seq, event))).err(),
                EventKind::Rejected => Some(String::from_utf8_lossy(&row.body).into_owned()),
            };
            if let Some(reason) = refused {
                self.notice(format!("event {} rejected: {reason}", row.seq));
            }
        }
        self.heard = self.was_heard_live(&script, &taken);
        let mut call = CallState::resume(&script, clock, taken);
        if let Some(by) = closed {
            call.close(by);
        }
        self.sent = call.standing();
        // Of earlier revisions it is not known here: rather told once too often than not at all.
        self.heard |= self.revision > 1 || self.revision == 1 && self.tenant.settings.push.as_ref().is_some_and(|push| wanted(push, &call));
        let told = call.ended_by().is_some() && self.revision > 0;
        self.call = Some(call);
        if told {
            self.ended_at.get_or_insert(now);
        }
    }

    /// Whether the receiver of pushes has heard of a call with these events while it lived.
    fn was_heard_live(&self, script: &Arc<Script>, events: &[(u32, Event)]) -> bool {
        // Who hears of every label hears of this call in any case.
        let push = self.tenant.settings.push.as_ref().filter(|push| push.provisional() && !push.labels().is_empty());
        let Some(push) = push else { return false };
        if events.len() > MOST_TRIED {
            return true;
        }
        let mut call = CallState::new(Arc::clone(script));
        events.iter().any(|(seq, event)| call.push(*seq, event.clone()) && wanted(push, &call))
    }

    /// The last event that was taken in with all before it.
    pub(in crate::service) fn last_seq(&self) -> u32 {
        self.order.whole()
    }

    /// Events that came and wait for those before them.
    pub(in crate::service) fn ahead(&self) -> Vec<u32> {
        self.order.ahead()
    }

    /// Whether nothing has come of it since it came from the store.
    pub(in crate::service) fn is_asleep(&self) -> bool {
        self.asleep.is_some()
    }

    /// Of the last final verdict; 0 while there is none.
    pub(in crate::service) fn revision(&self) -> u32 {
        self.revision
    }
}
