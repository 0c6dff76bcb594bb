//! Events of calls that are not in memory: the store is asked for the calls first.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use super::{Intake, Taken, wall_ms};
use crate::service::Service;
use crate::service::event::StreamEvent;
use crate::service::live::{Outbox, key};
use crate::service::refusal::Refusal;
use crate::service::session::closed;
use crate::service::tenant::Tenant;
use crate::service::told::{Answer, Told};
use crate::store::StoreError;
use crate::store::calls::Group;
use crate::telemetry::Seldom;

impl Service {
    /// Events of calls that the store could not be asked for.
    fn send_back(&self, tenant: &Tenant, events: impl ExactSizeIterator<Item = (String, u32)>, error: &StoreError) -> Taken {
        static REFUSED: Seldom = Seldom::new();
        if let Some(times_before) = REFUSED.due(Instant::now()) {
            tracing::error!(events = events.len(), times_before, "events of calls that had to be looked up were refused: {error}");
        }
        let (_gate, _) = self.live.open_gate();
        let refuse = |(call_id, seq): (String, u32)| {
            let key = key(tenant, &call_id);
            let mut shard = self.live.shard(&key);
            // It may have come back from the store meanwhile.
            match shard.calls.get_mut(&key) {
                Some(session) => session.send_back([seq]),
                None => self.live.send_back(key, [seq], Instant::now()),
            }
            drop(shard);
            Told::new(call_id, Answer::refused(seq, Refusal::Store(error.clone())))
        };
        Taken { told: events.map(refuse).collect(), ..Taken::default() }
    }

    /// Takes in what was left aside because the store had to be asked for its calls. Blocks while the store answers.
    #[must_use]
    pub fn take_unknown(&self, tenant: &Arc<Tenant>, owner: Option<&Arc<Outbox>>, events: Vec<StreamEvent>, wary: bool) -> Taken {
        let mut absent: HashSet<String> = events.iter().map(|event| event.call_id.clone()).collect();
        let ids: Vec<String> = absent.iter().cloned().collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let Some(journal) = &self.journal else { return Taken::default() };
        loop {
            let epoch = self.live.epoch();
            let found = match journal.store().find(&tenant.name, &ids) {
                Ok(found) => found,
                Err(error) => return self.send_back(tenant, events.into_iter().map(|event| (event.call_id, event.seq)), &error),
            };
            // What may ask the store again is asked before the gate is opened: nobody waits behind a database there.
            let versions = match self.versions_of(tenant, &found) {
                Ok(versions) => versions,
                Err(error) => return self.send_back(tenant, events.into_iter().map(|event| (event.call_id, event.seq)), &error),
            };
            let (gate, now_epoch) = self.live.open_gate();
            if now_epoch != epoch {
                // Calls were taken out of memory meanwhile: what was read may be older than what had been in it.
                continue;
            }
            let (now, wall_ms) = (Instant::now(), wall_ms());
            for (stored, script) in found.into_iter().zip(versions) {
                absent.remove(&*stored.head.call_id);
                if let Some(script) = script {
                    self.adopt(tenant, script, stored, now, wall_ms);
                }
            }
            let (rows, taken) = (Group::default(), Taken::default());
            let mut intake = Intake { service: self, _gate: gate, tenant, owner, now, wall_ms, absent: Some(&absent), rows, taken };
            events.into_iter().for_each(|event| intake.take(event, wary));
            let mut taken = intake.taken();
            // Only a call that was there a moment ago and has just been forgotten: it is as closed as can be.
            let gone = std::mem::take(&mut taken.unknown);
            taken.told.extend(gone.into_iter().map(|event| Told::new(event.call_id, Answer::refused(event.seq, closed()))));
            return taken;
        }
    }

    /// Adds what comes of the events that were left aside.
    pub async fn complete(self: &Arc<Self>, tenant: &Arc<Tenant>, owner: Option<&Arc<Outbox>>, mut taken: Taken, wary: bool) -> Taken {
        let unknown = std::mem::take(&mut taken.unknown);
        if unknown.is_empty() {
            return taken;
        }
        // Whoever goes meanwhile leaves no work behind.
        let _turn = self.lookups.acquire().await;
        let (service, of, owner) = (Arc::clone(self), tenant, owner.cloned());
        let tenant = Arc::clone(of);
        let ids: Vec<(String, u32)> = unknown.iter().map(|event| (event.call_id.clone(), event.seq)).collect();
        let looked_up = tokio::task::spawn_blocking(move || service.take_unknown(&tenant, owner.as_ref(), unknown, wary)).await;
        match looked_up {
            Ok(later) => taken.append(later),
            Err(error) => {
                let lost = StoreError::Unavailable(format!("the look-up ended: {error}"));
                taken.append(self.send_back(of, ids.into_iter(), &lost));
            }
        }
        taken
    }
}
