//! How verdicts are pushed. Where to is each tenant's own, in the file of settings.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;

use crate::config;
use crate::service::push::{self, Outcome, PushSettings, Pusher, Schedule, SettingsError, Watch};
use crate::service::tenant::Tenants;
use crate::store::Store;
use crate::store::pushes::PushState;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{PushOutcome, Queue};

#[derive(Debug, Args)]
pub(in crate::cli) struct PushOptions {
    /// When a verdict that a webhook did not take is sent again, counted from one try to the next
    #[arg(long, value_name = "TIMES", default_value_t = Schedule::default(), help_heading = "Push")]
    push_schedule: Schedule,
    /// How long a webhook may take to answer
    #[arg(long, value_name = "MS", default_value_t = push::PushOptions::default().timeout.as_millis() as u64, help_heading = "Push")]
    push_timeout_ms: u64,
}

/// Why a tenant's verdicts cannot be pushed as its settings say.
#[derive(Debug)]
pub(super) struct PushError {
    tenant: String,
    error: SettingsError,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[tenants.{}.push]: {}", self.tenant, self.error)
    }
}

impl std::error::Error for PushError {}

/// Where a tenant's verdicts are pushed, as the file has it.
pub(super) fn settings(tenant: &str, push: &config::Push) -> Result<Arc<PushSettings>, PushError> {
    let labels = push.labels.clone().unwrap_or_default();
    let settings = PushSettings::new(&push.url, vec![push.secret.key().to_vec()], labels, push.provisional);
    settings.map(Arc::new).map_err(|error| PushError { tenant: tenant.to_owned(), error })
}

impl PushOptions {
    /// Starts to send what is in the outbox; within a runtime.
    pub(super) fn start(&self, store: &Store, tenants: &Tenants, metrics: &Arc<Metrics>) -> anyhow::Result<Pusher> {
        let options = push::PushOptions {
            schedule: self.push_schedule.clone(),
            timeout: Duration::from_millis(self.push_timeout_ms),
            watch: Arc::new(Counting { metrics: Arc::clone(metrics), pending: Mutex::default() }),
            ..push::PushOptions::default()
        };
        let settings = tenants.pushed().map(|(tenant, settings)| (tenant.to_owned(), PushSettings::clone(settings))).collect();
        Ok(Pusher::start(store.clone(), settings, options)?)
    }
}

/// Counts pushes where metrics are.
#[derive(Debug)]
struct Counting {
    metrics: Arc<Metrics>,
    /// How many wait, by tenant.
    pending: Mutex<HashMap<String, u64>>,
}

impl Watch for Counting {
    fn tried(&self, _: &str, outcome: Outcome, _: Duration) {
        self.metrics.pushed(match outcome {
            Outcome::Delivered => PushOutcome::Delivered,
            Outcome::Failed => PushOutcome::Retried,
            Outcome::GivenUp => PushOutcome::Dead,
        });
    }

    fn counted(&self, tenant: &str, state: PushState, count: u64) {
        if state == PushState::Pending {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.insert(tenant.to_owned(), count);
            self.metrics.queue(Queue::Push, usize::try_from(pending.values().sum::<u64>()).unwrap_or(usize::MAX));
        }
    }
}
