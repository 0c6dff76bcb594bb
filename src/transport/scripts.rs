//! gRPC: `callgrade.v1.Scripts`, the versions of scripts.

use std::sync::Arc;

use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::records::{asker_of, blocking, invalid, store};
use crate::script::ScriptError;
use crate::service::versions::{Scripts, VersionError};
use crate::wire::v1;
use crate::wire::v1::scripts_server::ScriptsServer;

/// The server of `callgrade.v1.Scripts`.
#[derive(Debug)]
pub(super) struct ScriptsDoor(pub(super) Arc<Scripts>);

impl ScriptsDoor {
    /// Takes in bundles of up to `most` bytes.
    pub(super) fn server(scripts: Arc<Scripts>, most: usize) -> ScriptsServer<Self> {
        ScriptsServer::new(Self(scripts)).max_decoding_message_size(most)
    }
}

/// Why a request about versions was not answered; of a bundle that cannot be used, each finding is a violation of its own.
pub(super) fn refused(error: VersionError) -> Status {
    let message = error.to_string();
    match error {
        VersionError::Load(error) => {
            let violations: Vec<FieldViolation> = error
                .diagnostics
                .iter()
                .map(|found| FieldViolation::new(format!("files[{:?}]", path(&found.file)), found.to_string()))
                .collect();
            Status::with_error_details(Code::InvalidArgument, message, ErrorDetails::with_bad_request(violations))
        }
        VersionError::Script(error) => {
            let name = match error {
                ScriptError::Unknown(id, _) => id,
                ScriptError::Version(id, version, _) => format!("{id}@{version}"),
            };
            Status::with_error_details(Code::NotFound, message, ErrorDetails::with_resource_info("script", name, "", ""))
        }
        VersionError::Invalid(field, reason) => invalid(field, reason),
        VersionError::NothingBefore(id) => {
            let details = ErrorDetails::with_precondition_failure_violation("SCRIPT", id, message.clone());
            Status::with_error_details(Code::FailedPrecondition, message, details)
        }
        VersionError::Store(error) => store(&error),
    }
}

/// A diagnostic's file as its path in the bundle.
fn path(file: &str) -> &str {
    file.split_once('/').map_or(file, |(_, path)| path)
}

#[tonic::async_trait]
impl v1::scripts_server::Scripts for ScriptsDoor {
    async fn publish_script(&self, request: Request<v1::PublishScriptRequest>) -> Result<Response<v1::PublishScriptResponse>, Status> {
        let (asker, scripts) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let v1::PublishScriptRequest { script_id, files, activate, note } = request.into_inner();
        let published = move || scripts.publish(asker.actor(), &script_id, files, &note, activate).map_err(refused);
        let version = blocking(published).await?;
        Ok(Response::new(v1::PublishScriptResponse { version: Some(version) }))
    }

    async fn list_script_versions(
        &self,
        request: Request<v1::ListScriptVersionsRequest>,
    ) -> Result<Response<v1::ListScriptVersionsResponse>, Status> {
        let (asker, scripts) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let script_id = request.into_inner().script_id;
        let versions = blocking(move || scripts.list(&asker.tenant, &script_id).map_err(refused)).await?;
        Ok(Response::new(v1::ListScriptVersionsResponse { versions }))
    }

    async fn activate_script(&self, request: Request<v1::ActivateScriptRequest>) -> Result<Response<v1::ActivateScriptResponse>, Status> {
        let (asker, scripts) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let v1::ActivateScriptRequest { script_id, version } = request.into_inner();
        let version = blocking(move || scripts.activate(asker.actor(), &script_id, &version).map_err(refused)).await?;
        Ok(Response::new(v1::ActivateScriptResponse { version: Some(version) }))
    }

    async fn rollback_script(&self, request: Request<v1::RollbackScriptRequest>) -> Result<Response<v1::RollbackScriptResponse>, Status> {
        let (asker, scripts) = (asker_of(request.extensions()), Arc::clone(&self.0));
        let script_id = request.into_inner().script_id;
        let version = blocking(move || scripts.rollback(asker.actor(), &script_id).map_err(refused)).await?;
        Ok(Response::new(v1::RollbackScriptResponse { version: Some(version) }))
    }
}
