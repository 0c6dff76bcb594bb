//! Calls that are kept no longer than they need be.

use super::Service;
use super::intake::wall_ms;
use super::versions::Actor;
use crate::store::{Store, StoreError};

/// Calls deleted in one transaction: it holds up those that are being written.
const BATCH: usize = 200;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Deletes a tenant's calls that ended more than so many days ago, with an entry of the audit log for each batch; how many there were.
/// Live calls stay, however old.
///
/// # Errors
/// The store cannot be read or written; what was deleted until then stays deleted.
pub fn sweep(store: &Store, tenant: &str, days: u32, now_ms: i64) -> Result<usize, StoreError> {
    let moment = now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS));
    let actor = Actor { tenant, who: "retention", at_ms: now_ms };
    let mut deleted = 0;
    loop {
        let heads = store.ended_before(tenant, moment, BATCH)?;
        let numbers: Vec<i64> = heads.iter().map(|head| head.id).collect();
        if numbers.is_empty() {
            return Ok(deleted);
        }
        let what = format!("calls that ended over {days} days ago: {}", numbers.len());
        store.delete(&numbers, &[actor.entry("delete", what)])?;
        deleted += numbers.len();
    }
}

impl Service {
    /// Deletes what each tenant has kept long enough. Blocks while the store answers; to be called every so often.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn sweep(&self) -> Result<usize, StoreError> {
        let Some(journal) = &self.journal else { return Ok(0) };
        let mut deleted = 0;
        for name in journal.store().tenants()? {
            if let Some(days) = self.tenants.of(&name).settings.retention_days {
                deleted += sweep(journal.store(), &name, days, wall_ms())?;
            }
        }
        Ok(deleted)
    }
}
