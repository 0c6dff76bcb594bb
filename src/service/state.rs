//! What is asked about one call.

use std::sync::Arc;
use std::time::Instant;

use super::intake::wall_ms;
use super::live::key;
use super::session::Session;
use super::tenant::Tenant;
use super::{Refusal, Service};
use crate::store::records::StoredCall;
use crate::wire::v1;

impl Service {
    /// The verdict of a call as of now.
    ///
    /// # Errors
    /// There is no such call in memory.
    pub fn verdict(&self, tenant: &Tenant, call_id: &str) -> Result<v1::Verdict, Refusal> {
        let key = key(tenant, call_id);
        let mut shard = self.live.shard(&key);
        let graded = shard.calls.get_mut(&key).and_then(|session| session.verdict(Instant::now()));
        drop(shard);
        graded.map(|graded| graded.message()).ok_or_else(|| Refusal::NoCall(call_id.to_owned()))
    }

    /// The verdict of a call as of now: from memory, else from the store.
    ///
    /// # Errors
    /// There is no such call, or the store cannot be read.
    pub async fn verdict_of(self: &Arc<Self>, tenant: &Arc<Tenant>, call_id: &str) -> Result<v1::Verdict, Refusal> {
        let (known, generation) = {
            let (_gate, _) = self.live.open_gate();
            (self.verdict(tenant, call_id).ok(), self.journal.as_ref().and_then(|journal| journal.latest()))
        };
        if let Some(known) = known {
            let durable = match generation {
                Some(generation) => generation.durable().await.is_ok(),
                None => true,
            };
            // What could not be written is asked of the store instead.
            if durable {
                return Ok(known);
            }
        }
        let stored = self.stored(tenant, call_id).await?;
        let (service, of, head) = (Arc::clone(self), Arc::clone(tenant), stored.head.clone());
        let asking = tokio::task::spawn_blocking(move || service.version(&of, &head.script_id, &head.script_version));
        let script = asking.await.ok().transpose().map_err(Refusal::Unread)?.flatten();
        let script = script.ok_or_else(|| Refusal::NoCall(call_id.to_owned()))?;
        let now = Instant::now();
        let graded = Session::restore(Arc::clone(tenant), script, stored, now, wall_ms()).verdict(now);
        graded.map(|graded| graded.message()).ok_or_else(|| Refusal::NoCall(call_id.to_owned()))
    }

    /// A call as the store has it.
    async fn stored(self: &Arc<Self>, tenant: &Tenant, call_id: &str) -> Result<StoredCall, Refusal> {
        let _turn = self.lookups.acquire().await;
        let (service, name, id) = (Arc::clone(self), Arc::clone(&tenant.name), call_id.to_owned());
        let asking = tokio::task::spawn_blocking(move || {
            let journal = service.journal.as_ref()?;
            Some(journal.store().find(&name, &[&id]))
        });
        let found = asking.await.ok().flatten().transpose().map_err(Refusal::Unread)?.unwrap_or_default();
        found.into_iter().next().ok_or_else(|| Refusal::NoCall(call_id.to_owned()))
    }

    /// Where a call stands: from memory, else from the store.
    ///
    /// # Errors
    /// There is no such call, or the store cannot be read.
    pub async fn call_state(self: &Arc<Self>, tenant: &Arc<Tenant>, call_id: &str) -> Result<v1::GetCallStateResponse, Refusal> {
        if let Some(state) = self.state_in_memory(tenant, call_id).await {
            return Ok(state);
        }
        let stored = self.stored(tenant, call_id).await?;
        Ok(v1::GetCallStateResponse {
            call_id: call_id.to_owned(),
            last_seq: (1..).zip(&stored.events).take_while(|(seq, row)| row.seq == *seq).count() as u32,
            label: stored.head.label,
            r#final: stored.head.ended_ms.is_some(),
            revision: stored.head.revision,
            script_id: stored.head.script_id,
            script_version: stored.head.script_version,
            ahead: Vec::new(),
        })
    }

    /// Where a call in memory stands, once that is durable.
    async fn state_in_memory(&self, tenant: &Tenant, call_id: &str) -> Option<v1::GetCallStateResponse> {
        let key = key(tenant, call_id);
        let (state, generation) = {
            let (_gate, _) = self.live.open_gate();
            let mut shard = self.live.shard(&key);
            let session = shard.calls.get_mut(&key)?;
            let graded = session.standing(Instant::now()).map(|(script, standing, ended)| v1::GetCallStateResponse {
                label: script.label_id(standing.label).to_owned(),
                r#final: ended,
                script_id: script.id.to_string(),
                script_version: script.version.to_string(),
                ..v1::GetCallStateResponse::default()
            });
            let state = v1::GetCallStateResponse {
                call_id: call_id.to_owned(),
                last_seq: session.last_seq(),
                revision: session.revision(),
                ahead: session.ahead(),
                ..graded.unwrap_or_default()
            };
            (state, self.journal.as_ref().and_then(|journal| journal.latest()))
        };
        if let Some(generation) = generation {
            // What could not be written is asked of the store instead.
            generation.durable().await.ok()?;
        }
        Some(state)
    }
}
