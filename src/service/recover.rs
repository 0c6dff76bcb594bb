//! Calls that come back from the store: at start all that are open, later those that events come for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::intake::wall_ms;
use super::live::key;
use super::session::Session;
use super::tenant::Tenant;
use super::versions::VersionError;
use super::{Service, Stage};
use crate::core::script::Script;
use crate::store::StoreError;
use crate::store::records::StoredCall;

/// What a start found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Calls that are open: live, or ended so lately that late events are still taken.
    pub calls: usize,
    /// Their events.
    pub events: usize,
    /// Calls whose script version is kept no more, so that they cannot be gone on with.
    pub lost: usize,
}

impl Service {
    /// Brings back every call that is open. To be called once, before anything is taken in.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn recover(&self) -> Result<Recovered, StoreError> {
        let mut recovered = Recovered::default();
        let Some(journal) = &self.journal else { return Ok(recovered) };
        self.readiness.enter(Stage::Recovering);
        let (now, wall_ms) = (Instant::now(), wall_ms());
        let open_since = wall_ms - i64::try_from(self.live.patience.final_open.as_millis()).unwrap_or(i64::MAX);
        let mut scripts = HashMap::new();
        let mut unread = None;
        journal.store().open_calls(open_since, &mut |stored| {
            let tenant = self.tenants.of(&stored.head.tenant);
            let name = (stored.head.script_id.clone(), stored.head.script_version.clone());
            let script = scripts.entry(name).or_insert_with_key(|(id, version)| self.version(&tenant, id, version));
            recovered.calls += 1;
            recovered.events += stored.events.len();
            match script {
                Ok(Some(script)) => self.adopt(&tenant, Arc::clone(script), stored, now, wall_ms),
                Ok(None) => recovered.lost += 1,
                Err(error) => unread = Some(error.clone()),
            }
        })?;
        if let Some(error) = unread {
            return Err(error);
        }
        self.metrics.recovered(now.elapsed(), recovered.calls);
        self.readiness.enter(Stage::Starting);
        Ok(recovered)
    }

    /// The versions that calls of the store began with; `None` where one is kept no more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn versions_of(&self, tenant: &Tenant, calls: &[StoredCall]) -> Result<Vec<Option<Arc<Script>>>, StoreError> {
        calls.iter().map(|stored| self.version(tenant, &stored.head.script_id, &stored.head.script_version)).collect()
    }

    /// Brings a call back if it is not in memory.
    pub(super) fn adopt(&self, tenant: &Arc<Tenant>, script: Arc<Script>, stored: StoredCall, now: Instant, wall_ms: i64) {
        let key = key(tenant, &stored.head.call_id);
        let mut shard = self.live.shard(&key);
        if !shard.calls.contains_key(&key) {
            let mut session = Session::restore(Arc::clone(tenant), script, stored, now, wall_ms);
            session.room = session.is_live().then(|| tenant.count_call());
            session.send_back(self.live.take_sent_back(&key));
            shard.calls.insert(key.clone(), Box::new(session));
            shard.schedule(&key, &self.live.patience);
        }
    }

    /// The version of a script that a call began with; `None`: it is kept no more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn version(&self, tenant: &Tenant, id: &str, version: &str) -> Result<Option<Arc<Script>>, StoreError> {
        match self.script_version(tenant, id, version) {
            Ok(script) => Ok(Some(script)),
            Err(VersionError::Store(error)) => Err(error),
            Err(error) => {
                tracing::error!(script = id, version, tenant = &*tenant.name, "calls cannot go on: {error}");
                Ok(None)
            }
        }
    }

    /// Brings back calls that were taken out of memory because they could not be written, once the store answers: their idle time
    /// runs on. Blocks while the store answers; to be called every few seconds.
    pub fn bring_back(&self) {
        let Some(journal) = &self.journal else { return };
        // A database that was restarted has forgotten whose it is. Nothing is written to one that is another's.
        if let Err(error @ StoreError::InUse(_)) = journal.store().claim() {
            self.readiness.fail(&format!("another server has taken the store over: {error}"));
            return;
        }
        if !journal.store().is_in_place() {
            self.readiness.fail(&format!("{} has been removed: what it takes would be lost with it", journal.store().place()));
            return;
        }
        let mut names: HashMap<Arc<str>, Vec<Arc<str>>> = HashMap::new();
        for (tenant, call_id) in self.live.evicted() {
            names.entry(tenant).or_default().push(call_id);
        }
        for (name, call_ids) in names {
            let tenant = self.tenants.of(&name);
            let ids: Vec<&str> = call_ids.iter().map(|id| &**id).collect();
            let epoch = self.live.epoch();
            let found = journal.store().find(&name, &ids).and_then(|found| Ok((self.versions_of(&tenant, &found)?, found)));
            let (_gate, now_epoch) = self.live.open_gate();
            match found {
                Ok((versions, found)) if now_epoch == epoch => {
                    for (stored, script) in found.into_iter().zip(versions) {
                        if let Some(script) = script {
                            self.adopt(&tenant, script, stored, Instant::now(), wall_ms());
                        }
                    }
                }
                _ => self.live.note_evicted(call_ids.into_iter().map(|call_id| (Arc::clone(&name), call_id))),
            }
        }
    }

    /// How often [`bring_back`](Self::bring_back) is to be called.
    pub const BRING_BACK: Duration = Duration::from_secs(2);
}
