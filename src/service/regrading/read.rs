//! Jobs and their results as they are told.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use sha2::{Digest, Sha256};

use super::{Regrading, RegradingError, Shared};
use crate::service::versions::{Actor, timestamp};
use crate::store::StoreError;
use crate::store::regraded::{RegradedFilter, RegradedKind, RegradedRow};
use crate::store::regrades::{RegradeCounts, RegradeRow, RegradeState};
use crate::wire::v1;

/// Jobs or results of a page if it is not said.
const PAGE: u32 = 50;
/// Most of a page.
const MOST: u32 = 1_000;
/// Results of an export that are read at one time.
const EXPORTED: usize = 64;
/// Examples of a transition, as many as [`Diff`](crate::regrade::diff::Diff) has.
const EXAMPLES: usize = 20;
/// Bytes of a page token that stand for the filter.
const FILTER_BYTES: usize = 8;

fn state(state: RegradeState) -> v1::RegradeState {
    match state {
        RegradeState::Queued => v1::RegradeState::Queued,
        RegradeState::Running => v1::RegradeState::Running,
        RegradeState::Done => v1::RegradeState::Done,
        RegradeState::Cancelled => v1::RegradeState::Cancelled,
        RegradeState::Failed => v1::RegradeState::Failed,
    }
}

fn damaged(row: &RegradeRow, error: &prost::DecodeError) -> StoreError {
    StoreError::Damaged(format!("re-grading {}: {error}", row.asked.id))
}

/// How many are asked for.
fn size(asked: u32) -> Result<usize, RegradingError> {
    match asked {
        0 => Ok(PAGE as usize),
        size if size <= MOST => Ok(size as usize),
        size => Err(RegradingError::Invalid("page_size", format!("page_size is {size}; it may be 1 to {MOST}"))),
    }
}

/// What of a filter stands for it in page tokens, so that none is used with another.
fn stands_for(parts: &[&[u8]]) -> [u8; FILTER_BYTES] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0; FILTER_BYTES];
    first.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    first
}

fn token(place: i64, filter: [u8; FILTER_BYTES]) -> String {
    URL_SAFE_NO_PAD.encode([&place.to_be_bytes()[..], &filter].concat())
}

fn read_token(token: &str, filter: [u8; FILTER_BYTES]) -> Result<Option<i64>, RegradingError> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (place, rest) = bytes.split_first_chunk::<8>()?;
        (rest == filter).then(|| i64::from_be_bytes(*place))
    };
    let wrong = || RegradingError::Invalid("page_token", "page_token is none that was given with this filter".to_owned());
    read().map(Some).ok_or_else(wrong)
}

fn kinds(asked: &[i32]) -> Result<Vec<RegradedKind>, RegradingError> {
    let kind = |asked: &i32| match v1::RegradedKind::try_from(*asked) {
        Ok(v1::RegradedKind::Same) => Ok(RegradedKind::Same),
        Ok(v1::RegradedKind::Rule) => Ok(RegradedKind::Rule),
        Ok(v1::RegradedKind::Label) => Ok(RegradedKind::Label),
        Ok(v1::RegradedKind::Rejected) => Ok(RegradedKind::Rejected),
        Ok(v1::RegradedKind::Unspecified) | Err(_) => {
            Err(RegradingError::Invalid("kinds", format!("kinds has {asked}, which is none that a call can be of")))
        }
    };
    asked.iter().map(kind).collect()
}

/// A label as a filter, if it may be asked for.
fn label(field: &'static str, asked: Option<String>) -> Result<Option<String>, RegradingError> {
    match asked {
        Some(label) if label.contains('\0') => Err(RegradingError::Invalid(field, format!("{field} has a NUL character"))),
        asked => Ok(asked),
    }
}

fn result(row: &RegradedRow) -> Result<v1::RegradedCall, StoreError> {
    let damaged = |error| StoreError::Damaged(format!("the result of call number {}: {error}", row.call));
    v1::RegradedCall::decode(row.body.as_slice()).map_err(damaged)
}

impl Regrading {
    /// A job as it is told.
    pub(super) fn told(&self, row: &RegradeRow) -> Result<v1::Regrade, RegradingError> {
        let head = v1::Regrade::decode(row.asked.head.as_slice()).map_err(|error| damaged(row, &error))?;
        let RegradeCounts { calls, live, done, changed, rejected } = row.counts;
        let calls_per_second = if row.state == RegradeState::Running { self.shared.rate(row.number) } else { 0.0 };
        Ok(v1::Regrade {
            state: state(row.state).into(),
            began_at: row.began_ms.map(timestamp),
            ended_at: row.ended_ms.map(timestamp),
            progress: Some(v1::RegradeProgress { calls, done, changed, rejected, live, calls_per_second }),
            error: row.error.clone(),
            ..head
        })
    }

    /// A job.
    ///
    /// # Errors
    /// There is none, or the store cannot be read.
    pub fn get(&self, tenant: &str, id: &str) -> Result<v1::Regrade, RegradingError> {
        self.told(&self.find(tenant, id)?)
    }

    /// A job, and what it has changed so far.
    ///
    /// # Errors
    /// There is none, or the store cannot be read.
    pub fn get_with_diff(&self, tenant: &str, id: &str) -> Result<v1::GetRegradeResponse, RegradingError> {
        let row = self.find(tenant, id)?;
        let sum = self.shared.store.regrade_diff(row.number)?;
        let mut diff = v1::RegradeDiff::decode(sum.as_slice()).map_err(|error| damaged(&row, &error))?;
        for script in &mut diff.scripts {
            script.examples = self.examples(row.number, script)?;
        }
        Ok(v1::GetRegradeResponse { regrade: Some(self.told(&row)?), diff: Some(diff) })
    }

    /// The first calls of each transition, of those that are still kept.
    fn examples(&self, number: i64, script: &v1::ScriptDiff) -> Result<Vec<v1::TransitionExamples>, RegradingError> {
        let mut examples = Vec::new();
        for v1::LabelTransition { before, after, .. } in &script.transitions {
            let kind = if before == after { RegradedKind::Rule } else { RegradedKind::Label };
            if kind == RegradedKind::Rule && script.rule_changed == 0 {
                continue;
            }
            let filter = RegradedFilter { kinds: vec![kind], before_label: Some(before.clone()), label: Some(after.clone()) };
            let rows = self.shared.store.regraded(number, &filter, None, EXAMPLES)?;
            let calls: Vec<v1::ChangedCall> =
                rows.iter().map(result).collect::<Result<Vec<_>, _>>()?.into_iter().filter_map(|call| call.changed).collect();
            if !calls.is_empty() {
                examples.push(v1::TransitionExamples { before: before.clone(), after: after.clone(), calls });
            }
        }
        Ok(examples)
    }

    /// A page of jobs, the last asked for first.
    ///
    /// # Errors
    /// The request is wrong, or the store cannot be read.
    pub fn list(&self, tenant: &str, request: &v1::ListRegradesRequest) -> Result<v1::ListRegradesResponse, RegradingError> {
        let size = size(request.page_size)?;
        let filter = stands_for(&[b"regrades", tenant.as_bytes()]);
        // One more tells whether there are more.
        let mut rows = self.shared.store.regrades(tenant, read_token(&request.page_token, filter)?, size + 1)?;
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map_or(String::new(), |row| token(row.number, filter));
        let regrades = rows.iter().map(|row| self.told(row)).collect::<Result<_, _>>()?;
        Ok(v1::ListRegradesResponse { regrades, next_page_token: next })
    }

    /// A page of a job's results.
    ///
    /// # Errors
    /// There is no such job, the request is wrong, or the store cannot be read.
    pub fn calls(&self, tenant: &str, request: v1::ListRegradedCallsRequest) -> Result<v1::ListRegradedCallsResponse, RegradingError> {
        let row = self.find(tenant, &request.regrade_id)?;
        let size = size(request.page_size)?;
        let asked = v1::ListRegradedCallsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let stands_for = stands_for(&[b"regraded", tenant.as_bytes(), &asked.encode_to_vec()]);
        let filter = RegradedFilter {
            kinds: kinds(&request.kinds)?,
            before_label: label("before_label", request.before_label)?,
            label: label("label", request.label)?,
        };
        let mut rows = self.shared.store.regraded(row.number, &filter, read_token(&request.page_token, stands_for)?, size + 1)?;
        let more = rows.len() > size;
        rows.truncate(size);
        let next_page_token = rows.last().filter(|_| more).map_or(String::new(), |row| token(row.place, stands_for));
        let without_verdict = |row| Ok(v1::RegradedCall { verdict: None, ..result(row)? });
        let calls = rows.iter().map(without_verdict).collect::<Result<_, StoreError>>()?;
        Ok(v1::ListRegradedCallsResponse { calls, next_page_token })
    }

    /// Begins an export of all that a job has found until now.
    ///
    /// # Errors
    /// There is no such job, or the audit log cannot be written.
    pub fn export(&self, actor: Actor<'_>, id: &str) -> Result<RegradeExport, RegradingError> {
        let row = self.find(actor.tenant, id)?;
        self.shared.store.audit(&actor.entry("export", format!("re-grading {id}")))?;
        let until = i64::try_from(row.counts.done).unwrap_or(i64::MAX);
        Ok(RegradeExport { shared: Arc::clone(&self.shared), number: row.number, after: None, until })
    }
}

/// An export under way.
#[derive(Debug)]
pub struct RegradeExport {
    shared: Arc<Shared>,
    number: i64,
    after: Option<i64>,
    /// The first place that there was not yet.
    until: i64,
}

impl RegradeExport {
    /// The next results, whole; none: there are no more. Only so many are in memory at one time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_calls(&mut self) -> Result<Vec<v1::RegradedCall>, RegradingError> {
        let mut rows = self.shared.store.regraded(self.number, &RegradedFilter::default(), self.after, EXPORTED)?;
        rows.retain(|row| row.place < self.until);
        self.after = rows.last().map(|row| row.place).or(self.after);
        Ok(rows.iter().map(result).collect::<Result<_, _>>()?)
    }
}
