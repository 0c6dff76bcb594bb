//! gRPC: `callgrade.v1.Regrading`, kept calls graded anew as jobs.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::records::{Asker, asker_of, blocking, invalid, store};
use super::scripts;
use crate::service::Stage;
use crate::service::regrading::{Regrading, RegradingError};
use crate::wire::v1;
use crate::wire::v1::regrading_server::RegradingServer;

/// Results of an export that are ready before the client has taken those before.
const AHEAD: usize = 64;
/// Whoever watches a job hears of it no more often than this.
const OFTEN: Duration = Duration::from_millis(200);

/// The server of `callgrade.v1.Regrading`.
#[derive(Debug)]
pub(super) struct RegradingDoor(pub(super) Arc<Regrading>);

impl RegradingDoor {
    /// Takes in drafts of up to `most` bytes.
    pub(super) fn server(regrading: Arc<Regrading>, most: usize) -> RegradingServer<Self> {
        RegradingServer::new(Self(regrading)).max_decoding_message_size(most)
    }
}

/// Why a request about jobs was not answered.
pub(super) fn refused(error: RegradingError) -> Status {
    let message = error.to_string();
    match error {
        RegradingError::NoRegrade(id) => {
            Status::with_error_details(Code::NotFound, message, ErrorDetails::with_resource_info("regrade", id, "", ""))
        }
        RegradingError::Invalid(field, reason) => invalid(field, reason),
        RegradingError::Version(error) => scripts::refused(error),
        RegradingError::OtherRequest(id) => {
            Status::with_error_details(Code::AlreadyExists, message, ErrorDetails::with_resource_info("request", id, "", ""))
        }
        RegradingError::Over(over) => over.status(),
        RegradingError::Store(error) => store(&error),
    }
}

/// A job each time that it has come further, until it has ended or the server stops.
pub(super) async fn watch(
    regrading: Arc<Regrading>,
    asker: Asker,
    id: String,
) -> Result<impl Stream<Item = Result<v1::Regrade, Status>> + Send, Status> {
    let mut news = regrading.news();
    let mut conditions = regrading.service().readiness.watch();
    let look = move || {
        let (regrading, asker, id) = (Arc::clone(&regrading), asker.clone(), id.clone());
        blocking(move || regrading.get(&asker.tenant, &id).map_err(refused))
    };
    let mut now = look().await?;
    Ok(async_stream::try_stream! {
        loop {
            let over = now.ended_at.is_some();
            yield now.clone();
            if over {
                break;
            }
            // A job that does not move is told again only when it does.
            loop {
                tokio::time::sleep(OFTEN).await;
                let stops = tokio::select! {
                    changed = news.changed() => changed.is_err(),
                    _ = conditions.wait_for(|condition| condition.stage == Stage::Draining) => true,
                };
                if stops {
                    Err(stopping())?;
                }
                let next = look().await?;
                if moved(&now, &next) {
                    now = next;
                    break;
                }
            }
        }
    })
}

fn stopping() -> Status {
    Status::unavailable("the server is shutting down; the re-grading goes on when it starts again")
}

/// Whether a job has come further, whatever its rate.
fn moved(before: &v1::Regrade, now: &v1::Regrade) -> bool {
    let counts = |regrade: &v1::Regrade| regrade.progress.map(|progress| (progress.calls, progress.done));
    (before.state, counts(before)) != (now.state, counts(now))
}

/// Every call that a job has graded, read as fast as it is taken.
pub(super) async fn export(
    regrading: Arc<Regrading>,
    asker: Asker,
    id: String,
) -> Result<ReceiverStream<Result<v1::RegradedCall, Status>>, Status> {
    let mut export = blocking(move || regrading.export(asker.actor(), &id).map_err(refused)).await?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        loop {
            let calls = match export.next_calls() {
                Ok(calls) if calls.is_empty() => return,
                Ok(calls) => calls,
                Err(error) => {
                    // Nobody may be listening any more.
                    let _ = sender.blocking_send(Err(refused(error)));
                    return;
                }
            };
            for call in calls {
                if sender.blocking_send(Ok(call)).is_err() {
                    return;
                }
            }
        }
    });
    Ok(ReceiverStream::new(receiver))
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl v1::regrading_server::Regrading for RegradingDoor {
    async fn start_regrade(&self, request: Request<v1::StartRegradeRequest>) -> Result<Response<v1::StartRegradeResponse>, Status> {
        let (asker, regrading) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let request = request.into_inner();
        let regrade = blocking(move || regrading.ask(asker.actor(), request).map_err(refused)).await?;
        Ok(Response::new(v1::StartRegradeResponse { regrade: Some(regrade) }))
    }

    async fn get_regrade(&self, request: Request<v1::GetRegradeRequest>) -> Result<Response<v1::GetRegradeResponse>, Status> {
        let (asker, regrading) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let id = request.into_inner().regrade_id;
        blocking(move || regrading.get_with_diff(&asker.tenant, &id).map_err(refused)).await.map(Response::new)
    }

    type WatchRegradeStream = Answers<v1::WatchRegradeResponse>;

    async fn watch_regrade(&self, request: Request<v1::WatchRegradeRequest>) -> Result<Response<Self::WatchRegradeStream>, Status> {
        let asker = asker_of(request.extensions());
        let regrades = watch(Arc::clone(&self.0), asker, request.into_inner().regrade_id).await?;
        let told = |regrade: Result<v1::Regrade, Status>| regrade.map(|regrade| v1::WatchRegradeResponse { regrade: Some(regrade) });
        Ok(Response::new(Box::pin(tokio_stream::StreamExt::map(regrades, told))))
    }

    async fn cancel_regrade(&self, request: Request<v1::CancelRegradeRequest>) -> Result<Response<v1::CancelRegradeResponse>, Status> {
        let (asker, regrading) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let id = request.into_inner().regrade_id;
        let regrade = blocking(move || regrading.cancel(asker.actor(), &id).map_err(refused)).await?;
        Ok(Response::new(v1::CancelRegradeResponse { regrade: Some(regrade) }))
    }

    async fn list_regrades(&self, request: Request<v1::ListRegradesRequest>) -> Result<Response<v1::ListRegradesResponse>, Status> {
        let (asker, regrading) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let request = request.into_inner();
        blocking(move || regrading.list(&asker.tenant, &request).map_err(refused)).await.map(Response::new)
    }

    async fn list_regraded_calls(
        &self,
        request: Request<v1::ListRegradedCallsRequest>,
    ) -> Result<Response<v1::ListRegradedCallsResponse>, Status> {
        let (asker, regrading) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let request = request.into_inner();
        blocking(move || regrading.calls(&asker.tenant, request).map_err(refused)).await.map(Response::new)
    }

    type ExportRegradeStream = Answers<v1::ExportRegradeResponse>;

    async fn export_regrade(&self, request: Request<v1::ExportRegradeRequest>) -> Result<Response<Self::ExportRegradeStream>, Status> {
        let asker = asker_of(request.extensions());
        let calls = export(Arc::clone(&self.0), asker, request.into_inner().regrade_id).await?;
        let told = |call: Result<v1::RegradedCall, Status>| call.map(|call| v1::ExportRegradeResponse { call: Some(call) });
        Ok(Response::new(Box::pin(tokio_stream::StreamExt::map(calls, told))))
    }

    async fn delete_regrade(&self, request: Request<v1::DeleteRegradeRequest>) -> Result<Response<v1::DeleteRegradeResponse>, Status> {
        let (asker, regrading) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let id = request.into_inner().regrade_id;
        blocking(move || regrading.delete(asker.actor(), &id).map_err(refused)).await?;
        Ok(Response::new(v1::DeleteRegradeResponse {}))
    }
}
