//! The calls that are kept: one, many by filter, all of them; and deleting one.

mod filter;
mod memory;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pbjson_types::Timestamp;
use prost::Message;

pub use self::filter::{check_names, filter};
pub use self::memory::{InMemory, LetGo, NoneInMemory};

pub(super) use self::filter::described;
use self::filter::{read_token, token};
use super::versions::{Actor, Scripts, VersionError, timestamp};
use super::{Refusal, status};
use crate::core::call::CallState;
use crate::core::callback::CallClock;
use crate::core::verdict::EndedBy;
use crate::ingest;
use crate::regrade::source::kept::says;
use crate::store::calls::EventKind;
use crate::store::records::{CallHead, Cursor, Filter, StoredCall};
use crate::store::{Store, StoreError};
use crate::wire::{self, v1};

/// Calls of a page if it is not said.
const PAGE: u32 = 50;
/// Most calls of a page.
const MOST: u32 = 1_000;
/// Calls read whole at one time.
const WHOLE: usize = 16;

/// Why something was not found, or not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordsError {
    /// There is no such call.
    NoCall(String),
    /// What was asked is wrong: the field, and why.
    Invalid(&'static str, String),
    /// The script version that a call is graded with cannot be had.
    Version(String, VersionError),
    /// The store did not do it.
    Store(StoreError),
}

impl fmt::Display for RecordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCall(call) => write!(f, "there is no call {call:?}"),
            Self::Invalid(_, reason) => f.write_str(reason),
            Self::Version(call, error) => write!(f, "call {call:?} cannot be graded: {error}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecordsError {}

impl From<StoreError> for RecordsError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The calls that are kept.
#[derive(Debug, Clone)]
pub struct Records {
    store: Store,
    scripts: Arc<Scripts>,
    live: Arc<dyn InMemory>,
}

impl Records {
    /// Those of a store.
    #[must_use]
    pub fn new(store: Store, scripts: Arc<Scripts>, live: Arc<dyn InMemory>) -> Self {
        Self { store, scripts, live }
    }

    fn find(&self, tenant: &str, call_id: &str) -> Result<StoredCall, RecordsError> {
        if call_id.is_empty() {
            return Err(RecordsError::Invalid("call_id", "call_id is empty".to_owned()));
        }
        // No such id is ever kept, and not every database can be asked for it.
        let found = if call_id.contains('\0') { None } else { self.store.find(tenant, &[call_id])?.pop() };
        found.ok_or_else(|| RecordsError::NoCall(call_id.to_owned()))
    }

    /// A call, and if asked every final revision of its verdict.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn get(&self, tenant: &str, call_id: &str, history: bool) -> Result<v1::GetCallResponse, RecordsError> {
        let stored = self.find(tenant, call_id)?;
        let revisions = if history { self.revisions(stored.head.id)? } else { Vec::new() };
        let call = self.kept(vec![stored])?.pop();
        Ok(v1::GetCallResponse { call, history: revisions })
    }

    /// A page of calls, newest first.
    ///
    /// # Errors
    /// The request is wrong, or the store cannot be read.
    pub fn list(&self, tenant: &str, request: &v1::ListCallsRequest) -> Result<v1::ListCallsResponse, RecordsError> {
        let asked = request.filter.clone().unwrap_or_default();
        let filter = filter(&asked)?;
        let size = match request.page_size {
            0 => PAGE,
            size if size <= MOST => size,
            size => return Err(RecordsError::Invalid("page_size", format!("page_size is {size}; it may be 1 to {MOST}"))),
        };
        let after = match request.page_token.as_str() {
            "" => {
                check_names(&self.store, &self.scripts, tenant, &asked)?;
                None
            }
            token => Some(read_token(token, tenant, &asked)?),
        };
        let (heads, next) = self.page(tenant, &filter, after, size as usize)?;
        let mut attributes = self.attributes(&heads)?;
        Ok(v1::ListCallsResponse {
            calls: heads.iter().map(|head| summary(head, attributes.remove(&head.id).unwrap_or_default())).collect(),
            next_page_token: next.map_or(String::new(), |cursor| token(cursor, tenant, &asked)),
        })
    }

    /// Begins an export of every call that a filter lets through.
    ///
    /// # Errors
    /// The filter is wrong, or the audit log cannot be written.
    pub fn export(&self, actor: Actor<'_>, asked: &v1::CallFilter) -> Result<Export, RecordsError> {
        let filter = filter(asked)?;
        check_names(&self.store, &self.scripts, actor.tenant, asked)?;
        self.store.audit(&actor.entry("export", described(asked)))?;
        Ok(Export { records: self.clone(), tenant: actor.tenant.to_owned(), filter, after: None, over: false })
    }

    /// Deletes a call with all that is kept of it.
    ///
    /// # Errors
    /// There is none, or the store cannot be written.
    pub fn delete(&self, actor: Actor<'_>, call_id: &str) -> Result<(), RecordsError> {
        let stored = self.find(actor.tenant, call_id)?;
        self.live.forget(actor.tenant, call_id);
        Ok(self.store.delete(&[stored.head.id], &[actor.entry("delete", format!("call {call_id}"))])?)
    }

    /// Lets go of calls that were deleted, by this process or another, and answers with them. `before`: those of the last time, whose
    /// last rows are removed once they have been written, whatever time that takes. To be called every second or so.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn settle(&self, before: &LetGo) -> Result<LetGo, StoreError> {
        if !before.calls.is_empty() && before.written.as_ref().is_none_or(|group| group.is_settled()) {
            self.store.settle(&before.calls)?;
        }
        let calls = self.store.deletions()?;
        if calls == before.calls {
            // Nothing is written of them any more; the group is waited for that the last of it is in.
            return Ok(before.clone());
        }
        let written = self.live.forget_numbers(&calls);
        Ok(LetGo { calls, written })
    }

    /// Calls by filter from behind a page's end, at most so many, and where to go on if there are more.
    fn page(
        &self,
        tenant: &str,
        filter: &Filter,
        mut after: Option<Cursor>,
        most: usize,
    ) -> Result<(Vec<CallHead>, Option<Cursor>), RecordsError> {
        let mut found = Vec::new();
        // One more tells whether there are more.
        while found.len() <= most {
            let wanted = if filter.text.is_empty() { most + 1 } else { WHOLE };
            let heads = self.store.list(tenant, filter, after, wanted)?;
            let Some(last) = heads.last() else { break };
            after = Some(cursor(last));
            let complete = heads.len() < wanted;
            if filter.text.is_empty() {
                found.extend(heads);
            } else {
                // The store looks for the characters in whole events; that an utterance says them is seen here.
                let calls = self.store.with_events(&heads)?;
                found.extend(calls.into_iter().filter(|call| says(call, &filter.text)).map(|call| call.head));
            }
            if complete {
                break;
            }
        }
        let more = found.len() > most;
        found.truncate(most);
        let next = found.last().filter(|_| more).map(cursor);
        Ok((found, next))
    }

    fn attributes(&self, heads: &[CallHead]) -> Result<BTreeMap<i64, BTreeMap<String, String>>, StoreError> {
        let numbers: Vec<i64> = heads.iter().map(|head| head.id).collect();
        self.store.attributes(&numbers)
    }

    fn revisions(&self, call: i64) -> Result<Vec<v1::Verdict>, StoreError> {
        let decode = |body: &Vec<u8>| {
            v1::Verdict::decode(body.as_slice()).map_err(|error| StoreError::Damaged(format!("a verdict of call number {call}: {error}")))
        };
        self.store.history(call)?.iter().map(decode).collect()
    }

    /// Calls as they are handed out.
    fn kept(&self, calls: Vec<StoredCall>) -> Result<Vec<v1::KeptCall>, RecordsError> {
        let heads: Vec<CallHead> = calls.iter().map(|call| call.head.clone()).collect();
        let mut attributes = self.attributes(&heads)?;
        let mut kept = Vec::with_capacity(calls.len());
        for call in calls {
            let verdict = self.verdict(&call)?;
            let attributes = attributes.remove(&call.head.id).unwrap_or_default();
            kept.push(whole(&call, attributes, verdict)?);
        }
        Ok(kept)
    }

    /// A call's verdict as of now: that of memory, else the last final one, else what its events give.
    fn verdict(&self, call: &StoredCall) -> Result<v1::Verdict, RecordsError> {
        let head = &call.head;
        if let Some(verdict) = self.live.verdict(&head.tenant, &head.call_id) {
            return Ok(verdict);
        }
        if head.ended_ms.is_some()
            && let Some(last) = self.revisions(head.id)?.pop()
        {
            return Ok(last);
        }
        let version = self.scripts.version(&head.tenant, &head.script_id, &head.script_version);
        let script = version.map_err(|error| RecordsError::Version(head.call_id.to_string(), error))?;
        let mut state = CallState::new(Arc::clone(&script));
        state.set_clock(CallClock::new(head.started, &head.time_zone));
        let mut notices = Vec::new();
        for row in &call.events {
            match row.kind {
                EventKind::Taken => {
                    let event = ingest::proto::event(decode(&row.body, head)?).map_err(|reason| damaged(head, &reason))?;
                    state.push(row.seq, event);
                }
                EventKind::Rejected => notices.push(format!("event {} rejected: {}", row.seq, String::from_utf8_lossy(&row.body))),
            }
        }
        if head.ended_by == EndedBy::Idle.as_str() {
            state.close(EndedBy::Idle);
        }
        let told = wire::CallHead { call_id: &head.call_id, revision: head.revision, notices: &notices };
        Ok(wire::verdict(&script, told, &state.verdict()))
    }
}

/// An export under way.
#[derive(Debug)]
pub struct Export {
    records: Records,
    tenant: String,
    filter: Filter,
    after: Option<Cursor>,
    over: bool,
}

impl Export {
    /// The next calls; none: there are no more. Only so many are in memory at one time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_calls(&mut self) -> Result<Vec<v1::KeptCall>, RecordsError> {
        if self.over {
            return Ok(Vec::new());
        }
        let (heads, next) = self.records.page(&self.tenant, &self.filter, self.after, WHOLE)?;
        self.after = next;
        self.over = next.is_none();
        self.records.kept(self.records.store.with_events(&heads)?)
    }
}

fn cursor(head: &CallHead) -> Cursor {
    Cursor { began_ms: head.began_ms, id: head.id }
}

fn damaged(head: &CallHead, reason: &str) -> StoreError {
    StoreError::Damaged(format!("an event of call number {}: {reason}", head.id))
}

fn decode(body: &[u8], head: &CallHead) -> Result<v1::CallEvent, StoreError> {
    v1::CallEvent::decode(body).map_err(|error| damaged(head, &error.to_string()))
}

fn summary(head: &CallHead, attributes: BTreeMap<String, String>) -> v1::CallSummary {
    v1::CallSummary {
        call_id: head.call_id.to_string(),
        script_id: head.script_id.clone(),
        script_version: head.script_version.clone(),
        started_at: head.started.map(|(seconds, nanos)| Timestamp { seconds, nanos }),
        received_at: Some(timestamp(head.received_ms)),
        label: head.label.clone(),
        rule_id: head.rule.clone(),
        r#final: head.ended_ms.is_some(),
        revision: head.revision,
        attributes,
    }
}

fn whole(call: &StoredCall, attributes: BTreeMap<String, String>, verdict: v1::Verdict) -> Result<v1::KeptCall, StoreError> {
    let head = &call.head;
    let mut events = Vec::with_capacity(call.events.len());
    let mut rejections = Vec::new();
    for row in &call.events {
        match row.kind {
            EventKind::Taken => events.push(decode(&row.body, head)?),
            EventKind::Rejected => {
                let refusal = Refusal::Invalid(String::from_utf8_lossy(&row.body).into_owned());
                let told = status(&head.call_id, row.seq, &refusal);
                rejections.push(v1::Rejection { call_id: head.call_id.to_string(), seq: row.seq, status: Some(told) });
            }
        }
    }
    let summary = summary(head, attributes);
    let call = v1::Call {
        call_id: head.call_id.to_string(),
        script_id: head.script_id.clone(),
        started_at: summary.started_at,
        time_zone: head.time_zone.clone(),
        attributes: summary.attributes.clone(),
        events,
    };
    Ok(v1::KeptCall { summary: Some(summary), call: Some(call), verdict: Some(verdict), rejections })
}
