//! gRPC: `callgrade.v1.Records`, the calls that are kept.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures_core::Stream;
use http::Extensions;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::auth::identity;
use crate::service::access::Identity;
use crate::service::records::{Records, RecordsError};
use crate::service::versions::{Actor, VersionError};
use crate::store::StoreError;
use crate::telemetry::Seldom;
use crate::wire::v1;
use crate::wire::v1::records_server::RecordsServer;

/// When a store that does not answer is to be asked again.
const RETRY: std::time::Duration = std::time::Duration::from_secs(1);
/// Calls of an export that are ready before the client has taken those before.
const AHEAD: usize = 32;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) tenant: Arc<str>,
    subject: Arc<str>,
}

impl Asker {
    pub(super) fn actor(&self) -> Actor<'_> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Actor { tenant: &self.tenant, who: &self.subject, at_ms: i64::try_from(now).unwrap_or(i64::MAX) }
    }
}

/// Who sent a request.
pub(super) fn asker_of(extensions: &Extensions) -> Asker {
    let Identity { tenant, subject, .. } = identity(extensions);
    Asker { tenant, subject }
}

/// The server of `callgrade.v1.Records`.
#[derive(Debug)]
pub(super) struct RecordsDoor(pub(super) Arc<Records>);

impl RecordsDoor {
    pub(super) fn server(records: Arc<Records>) -> RecordsServer<Self> {
        RecordsServer::new(Self(records))
    }
}

/// Runs what asks a database where waiting holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Status> + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Status::internal(format!("it was not done: {error}"))))
}

/// Why a request about kept calls was not answered.
pub(super) fn refused(error: RecordsError) -> Status {
    let message = error.to_string();
    match error {
        RecordsError::NoCall(call) => {
            Status::with_error_details(Code::NotFound, message, ErrorDetails::with_resource_info("call", call, "", ""))
        }
        RecordsError::Invalid(field, reason) => invalid(field, reason),
        RecordsError::Version(_, VersionError::Store(error)) | RecordsError::Store(error) => store(&error),
        RecordsError::Version(..) => Status::data_loss(message),
    }
}

pub(super) fn invalid(field: &str, reason: String) -> Status {
    let details = ErrorDetails::with_bad_request_violation(field, reason.clone());
    Status::with_error_details(Code::InvalidArgument, reason, details)
}

/// A store that did not do it, as a status.
pub(super) fn store(error: &StoreError) -> Status {
    // Where the store is, is for the log alone.
    static FAILED: Seldom = Seldom::new();
    if let Some(times_before) = FAILED.due(Instant::now()) {
        tracing::error!(times_before, "what is kept was not read or written: {error}");
    }
    let message = error.kind();
    match error {
        StoreError::Damaged(_) => Status::data_loss(message),
        StoreError::Refused(_) | StoreError::Newer(..) | StoreError::Copy(_) => Status::internal(message),
        StoreError::Full(_) | StoreError::ReadOnly(_) | StoreError::Unavailable(_) | StoreError::InUse(_) => {
            Status::with_error_details(Code::Unavailable, message, ErrorDetails::with_retry_info(Some(RETRY)))
        }
    }
}

/// Every call that a filter lets through, read as fast as it is taken.
pub(super) async fn export(
    records: Arc<Records>,
    asker: Asker,
    filter: v1::CallFilter,
) -> Result<ReceiverStream<Result<v1::KeptCall, Status>>, Status> {
    let mut export = blocking(move || records.export(asker.actor(), &filter).map_err(refused)).await?;
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

#[tonic::async_trait]
impl v1::records_server::Records for RecordsDoor {
    async fn get_call(&self, request: Request<v1::GetCallRequest>) -> Result<Response<v1::GetCallResponse>, Status> {
        let (asker, records) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let v1::GetCallRequest { call_id, history } = request.into_inner();
        blocking(move || records.get(&asker.tenant, &call_id, history).map_err(refused)).await.map(Response::new)
    }

    async fn list_calls(&self, request: Request<v1::ListCallsRequest>) -> Result<Response<v1::ListCallsResponse>, Status> {
        let (asker, records) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let request = request.into_inner();
        blocking(move || records.list(&asker.tenant, &request).map_err(refused)).await.map(Response::new)
    }

    type ExportCallsStream = Pin<Box<dyn Stream<Item = Result<v1::ExportCallsResponse, Status>> + Send>>;

    async fn export_calls(&self, request: Request<v1::ExportCallsRequest>) -> Result<Response<Self::ExportCallsStream>, Status> {
        let asker = asker_of(request.extensions());
        let filter = request.into_inner().filter.unwrap_or_default();
        let calls = export(Arc::clone(&self.0), asker, filter).await?;
        let answers = tokio_stream::StreamExt::map(calls, |call| call.map(|call| v1::ExportCallsResponse { call: Some(call) }));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn delete_call(&self, request: Request<v1::DeleteCallRequest>) -> Result<Response<v1::DeleteCallResponse>, Status> {
        let (asker, records) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let call_id = request.into_inner().call_id;
        blocking(move || records.delete(asker.actor(), &call_id).map_err(refused)).await?;
        Ok(Response::new(v1::DeleteCallResponse {}))
    }
}
