//! The calls that are in memory, as those see them who read or delete what is kept.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::service::journal::Generation;
use crate::service::live::key;
use crate::service::{Refusal, Service};
use crate::wire::v1;

/// The calls that are in memory: what is known of them beyond what is kept.
pub trait InMemory: Send + Sync + fmt::Debug {
    /// A call's verdict as of now, if it is in memory.
    fn verdict(&self, tenant: &str, call_id: &str) -> Option<v1::Verdict>;

    /// Lets go of a call that is being deleted, so that nothing more is written of it.
    fn forget(&self, tenant: &str, call_id: &str);

    /// Lets go of the calls of these numbers, which others have deleted; the group with the last that may be written of them.
    fn forget_numbers(&self, numbers: &[i64]) -> Option<Arc<Generation>>;
}

/// No calls: where no server runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoneInMemory;

impl InMemory for NoneInMemory {
    fn verdict(&self, _: &str, _: &str) -> Option<v1::Verdict> {
        None
    }

    fn forget(&self, _: &str, _: &str) {}

    fn forget_numbers(&self, _: &[i64]) -> Option<Arc<Generation>> {
        None
    }
}

/// Why events that waited are not taken.
fn deleted() -> Refusal {
    Refusal::NotOpen("the call has been deleted".to_owned())
}

impl InMemory for Service {
    fn verdict(&self, tenant: &str, call_id: &str) -> Option<v1::Verdict> {
        self.verdict(&self.tenants.of(tenant), call_id).ok()
    }

    fn forget(&self, tenant: &str, call_id: &str) {
        let key = key(&self.tenants.of(tenant), call_id);
        // Whoever has just found it in the store looks again.
        let _gate = self.live.close_gate();
        if let Some(mut gone) = self.live.shard(&key).calls.remove(&key) {
            gone.say_goodbye(&deleted());
        }
    }

    fn forget_numbers(&self, numbers: &[i64]) -> Option<Arc<Generation>> {
        if numbers.is_empty() {
            return None;
        }
        let numbers: HashSet<i64> = numbers.iter().copied().collect();
        let _gate = self.live.close_gate();
        for mut shard in self.live.shards() {
            shard.calls.retain(|_, session| {
                let goes = numbers.contains(&session.number);
                if goes {
                    session.say_goodbye(&deleted());
                }
                !goes
            });
        }
        self.journal.as_ref()?.latest()
    }
}

/// Deleted calls that are in memory no more.
#[derive(Debug, Clone, Default)]
pub struct LetGo {
    /// Their numbers.
    pub(super) calls: Vec<i64>,
    /// The group with the last that may be written of them.
    pub(super) written: Option<Arc<Generation>>,
}
