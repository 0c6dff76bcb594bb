//! What is asked of a job, made definite: which calls, with which version, against what.

use prost::Message;
use sha2::{Digest, Sha256};

use super::{Files, RegradingError, Shared};
use crate::core::script::Script;
use crate::service::quota::OverLimit;
use crate::service::records::{RecordsError, check_names, described, filter};
use crate::service::versions::{Actor, check_note, timestamp};
use crate::store::StoreError;
use crate::store::records::Filter;
use crate::store::regrades::{Asked, NewRegrade, RegradeRow};
use crate::wire::v1;

/// Most characters of a request id.
const REQUEST_CHARS: usize = 128;
/// Random bytes of a job's id.
const ID_BYTES: usize = 8;

/// Queues a job, or finds the one that was asked for with the same request id.
pub(super) fn ask(shared: &Shared, actor: Actor<'_>, request: v1::StartRegradeRequest) -> Result<RegradeRow, RegradingError> {
    let fingerprint = Sha256::digest(request.encode_to_vec()).to_vec();
    check_request_id(&request.request_id)?;
    let same = |known: RegradeRow| {
        if known.asked.fingerprint == fingerprint { Ok(known) } else { Err(RegradingError::OtherRequest(known.asked.request_id)) }
    };
    // Before anything is compiled and kept for it.
    if let Some(known) = shared.store.regrade_of_request(actor.tenant, &request.request_id)? {
        return same(known);
    }
    let request_id = request.request_id.clone();
    let regrade = definite(shared, actor, request)?;
    let id = regrade.regrade_id.clone();
    let asked = NewRegrade {
        id,
        tenant: actor.tenant.to_owned(),
        request_id,
        fingerprint: fingerprint.clone(),
        head: regrade.encode_to_vec(),
        asked_ms: actor.at_ms,
    };
    match shared.store.ask_regrade(&asked, shared.options.queued, &actor.entry("regrade", summary(&regrade)))? {
        Asked::New(row) => Ok(row),
        Asked::Known(known) => same(known),
        Asked::TooMany => Err(RegradingError::Over(OverLimit::of("queued re-gradings", shared.options.queued.unwrap_or(usize::MAX)))),
    }
}

fn check_request_id(id: &str) -> Result<(), RegradingError> {
    let reason = match id.chars().count() {
        count if count > REQUEST_CHARS => format!("request_id has {count} characters, more than {REQUEST_CHARS}"),
        _ if id.contains('\0') => "request_id has a NUL character".to_owned(),
        _ => return Ok(()),
    };
    Err(RegradingError::Invalid("request_id", reason))
}

/// The job that a request asks for, all that it leaves open decided.
fn definite(shared: &Shared, actor: Actor<'_>, request: v1::StartRegradeRequest) -> Result<v1::Regrade, RegradingError> {
    let v1::StartRegradeRequest { filter: asked, script_id, script_version, draft, against, against_version, note, .. } = request;
    check_note(&note)?;
    if script_id.is_empty() {
        return Err(RegradingError::Invalid("script_id", "script_id is empty: which script is to grade?".to_owned()));
    }
    let mut asked = asked.unwrap_or_default();
    if asked.r#final == Some(false) {
        let reason = "filter.final is false: only calls that have ended are graded anew".to_owned();
        return Err(RegradingError::Invalid("filter.final", reason));
    }
    asked.r#final = Some(true);
    if asked.script_id.is_empty() {
        asked.script_id.clone_from(&script_id);
    }
    filter(&asked).map_err(refused)?;
    let against = v1::Against::try_from(against)
        .map_err(|_| RegradingError::Invalid("against", format!("against is {against}, which is none of its values")))?;
    let against = if against == v1::Against::Unspecified { v1::Against::StoredLabels } else { against };
    if against != v1::Against::Version && !against_version.is_empty() {
        let reason = "against_version is given, and against is not AGAINST_VERSION".to_owned();
        return Err(RegradingError::Invalid("against_version", reason));
    }
    let version = |version: &str| -> Result<_, RegradingError> {
        Ok(if version.is_empty() {
            shared.scripts.of(actor.tenant, &script_id).map_err(|error| RegradingError::Version(error.into()))?
        } else {
            shared.scripts.version(actor.tenant, &script_id, version)?
        })
    };
    let base = version(&script_version)?;
    check_names(&shared.store, &shared.scripts, actor.tenant, &asked).map_err(refused)?;
    let before = if against == v1::Against::Version { version(&against_version)?.version.to_string() } else { String::new() };
    let (script, drafted) = with_draft(shared, actor, &base, draft, &note)?;
    Ok(v1::Regrade {
        regrade_id: new_id()?,
        state: v1::RegradeState::Queued.into(),
        filter: Some(asked),
        script_id,
        script_version: script,
        draft: drafted,
        against: against.into(),
        against_version: before,
        note,
        started_by: actor.who.to_owned(),
        asked_at: Some(timestamp(actor.at_ms)),
        ..v1::Regrade::default()
    })
}

/// The version to grade with, and whether it is a draft.
fn with_draft(shared: &Shared, actor: Actor<'_>, base: &Script, draft: Files, note: &str) -> Result<(String, bool), RegradingError> {
    if draft.is_empty() {
        return Ok((base.version.to_string(), false));
    }
    let script = shared.scripts.keep_draft(actor, base, draft, note)?;
    Ok((script.version.to_string(), true))
}

fn new_id() -> Result<String, RegradingError> {
    let mut bytes = [0; ID_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Unavailable(format!("the system gives no random bytes: {error}")))?;
    Ok(format!("rg_{:016x}", u64::from_be_bytes(bytes)))
}

fn refused(error: RecordsError) -> RegradingError {
    match error {
        RecordsError::Invalid(field, reason) => RegradingError::Invalid(field, reason),
        RecordsError::Store(error) => RegradingError::Store(error),
        error => RegradingError::Invalid("filter", error.to_string()),
    }
}

/// The calls that a job grades.
pub(super) fn calls(regrade: &v1::Regrade, asked_ms: i64) -> Result<Filter, StoreError> {
    let asked = regrade.filter.clone().unwrap_or_default();
    let filter = filter(&asked).map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(Filter { ended: Some(true), at_ms: Some(asked_ms), ..filter })
}

/// A job for the audit log.
fn summary(regrade: &v1::Regrade) -> String {
    let against = match regrade.against() {
        v1::Against::Version => format!("version {}", regrade.against_version),
        v1::Against::Nothing => "nothing".to_owned(),
        v1::Against::Unspecified | v1::Against::StoredLabels => "stored labels".to_owned(),
    };
    let calls = described(&regrade.filter.clone().unwrap_or_default());
    let draft = if regrade.draft { " (a draft)" } else { "" };
    format!("{}: {}@{}{draft} against {against}, {calls}", regrade.regrade_id, regrade.script_id, regrade.script_version)
}
