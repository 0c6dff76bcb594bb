//! The doors to what is kept: calls, script versions and re-gradings, over gRPC and HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::health::Services;
use super::http;
use super::records::RecordsDoor;
use super::regrading::RegradingDoor;
use super::scripts::ScriptsDoor;
use crate::service::Service;
use crate::service::records::{InMemory, LetGo, Records};
use crate::service::regrading::{Regrading, RegradingOptions};
use crate::service::versions::Scripts;
use crate::store::StoreError;

/// How often it is asked what other processes have activated and deleted: what is activated is to be in force within a second, and has to
/// be compiled.
const REFRESH: Duration = Duration::from_millis(250);

/// What a server that keeps its calls opens beside `Grading`.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    records: Arc<Records>,
    scripts: Arc<Scripts>,
    pub(super) regrading: Arc<Regrading>,
    /// Most bytes of a message.
    message_bytes: usize,
}

impl Kept {
    /// What a service keeps; `None`: nothing. Jobs run from now on.
    pub(super) fn of(service: &Arc<Service>, regrades: RegradingOptions) -> Option<Self> {
        let (journal, scripts) = (service.journal.as_ref()?, service.versions.clone()?);
        let memory: Arc<dyn InMemory> = Arc::<Service>::clone(service);
        let records = Arc::new(Records::new(journal.store().clone(), Arc::clone(&scripts), memory));
        let regrading = Regrading::start(service, regrades)?;
        Some(Self { records, scripts, regrading: Arc::new(regrading), message_bytes: service.tenants.most_message_bytes() })
    }

    /// Adds the gRPC services.
    pub(super) fn add_to(&self, services: &mut Services) {
        services.add(RecordsDoor::server(Arc::clone(&self.records)));
        services.add(ScriptsDoor::server(Arc::clone(&self.scripts), self.message_bytes));
        services.add(RegradingDoor::server(Arc::clone(&self.regrading), self.message_bytes));
    }

    /// Sees what other processes activate and delete, as long as it is polled. What is wrong is told once.
    pub(super) async fn watch(self) {
        let mut interval = tokio::time::interval(REFRESH);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut unread = false;
        let mut let_go = LetGo::default();
        loop {
            interval.tick().await;
            let (scripts, records, before) = (Arc::clone(&self.scripts), Arc::clone(&self.records), let_go.clone());
            let looking = tokio::task::spawn_blocking(move || Ok::<_, StoreError>((scripts.refresh()?, records.settle(&before)?)));
            match looking.await {
                Ok(Ok((complaints, deleted))) => {
                    unread = false;
                    let_go = deleted;
                    complaints.iter().for_each(|complaint| tracing::error!("{complaint}"));
                }
                Ok(Err(error)) if !unread => {
                    unread = true;
                    tracing::error!("what was activated or deleted cannot be read: {error}");
                }
                // It has been told; or the server is going.
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    /// The HTTP routes.
    pub(super) fn http(&self) -> Router {
        http::records::routes(Arc::clone(&self.records)).merge(http::regrading::routes(Arc::clone(&self.regrading), self.message_bytes))
    }
}
