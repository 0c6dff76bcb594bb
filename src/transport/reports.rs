//! Reports that dialers push when a call has ended, each in the dialer's own form: Aliyun's robot call reports and FreeSWITCH's
//! CDRs. Every call of one is graded whole.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::http::{Body, Failure, Graded, graded, read};
use super::tenant_of;
use crate::ingest::{self, CallRecord, aliyun, freeswitch};
use crate::service::{Refusal, Service, TAKEN, status};

/// As many calls of a report wait together for their commit.
const AT_ONCE: usize = 64;
/// As many refusals are told one by one.
const MOST_TOLD: usize = 20;

/// What Aliyun's push takes for an answer: 0 and anything, or why not.
#[derive(Serialize)]
struct Receipt {
    /// 0, or of the first refusal the number of its `google.rpc.Code`.
    code: i32,
    msg: String,
}

/// `POST /v1/aliyun/report?script=ID`: reports as [`aliyun::calls`] reads them. Each is graded or refused by itself.
pub(super) async fn aliyun(State(service): State<Arc<Service>>, extensions: Extensions, RawQuery(query): RawQuery, body: Body) -> Response {
    let tenant = tenant_of(&extensions, &service);
    let body = match read(body, &tenant) {
        Ok(body) => body,
        Err(refusal) => {
            let http = if matches!(refusal, Refusal::TooMuch(_)) { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            return (http, Json(Receipt { code: status("", 0, &refusal).code, msg: refusal.to_string() })).into_response();
        }
    };
    let script = script_of(query.as_deref());
    let (records, unread) = aliyun::calls(&body, &tenant.settings.limits);
    let mut refused: Vec<(i32, ingest::Rejection)> =
        unread.into_iter().map(|rejection| (tonic::Code::InvalidArgument.into(), rejection)).collect();
    let (mut count, mut left_out, mut not_kept) = (0usize, Vec::new(), Vec::new());
    // Whoever pushes sends again what could not be kept, and only what is answered so.
    let mut http = StatusCode::OK;
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let grading: Vec<_> = records
            .by_ref()
            .take(AT_ONCE)
            .map(|mut record| {
                name_script(&mut record, &script);
                let (service, tenant, call_id) = (Arc::clone(&service), Arc::clone(&tenant), record.call_id.clone());
                (call_id, tokio::spawn(async move { service.grade(&tenant, record).await }))
            })
            .collect();
        for (call_id, graded) in grading {
            match graded.await.unwrap_or_else(|error| Err(Refusal::Invalid(format!("the call could not be graded: {error}")))) {
                Ok((verdict, rejections)) => {
                    count += 1;
                    if verdict.notices.iter().any(|notice| notice == TAKEN) {
                        not_kept.push(ingest::Rejection { call_id, seq: 0, reason: "another call of this id is kept".to_owned() });
                    }
                    left_out.extend(rejections);
                }
                Err(refusal) => {
                    if matches!(refusal, Refusal::Store(_)) {
                        http = StatusCode::SERVICE_UNAVAILABLE;
                    }
                    let code = status(&call_id, 0, &refusal).code;
                    refused.push((code, ingest::Rejection { call_id, seq: 0, reason: refusal.to_string() }));
                }
            }
        }
    }
    let mut msg = format!("calls graded: {count}");
    tell(&mut msg, "refused", refused.iter().map(|(_, rejection)| rejection));
    tell(&mut msg, "events left out", left_out.iter());
    tell(&mut msg, "not kept", not_kept.iter());
    (http, Json(Receipt { code: refused.first().map_or(0, |(code, _)| *code), msg })).into_response()
}

/// Adds how many there are of something and what they are.
fn tell<'a>(msg: &mut String, what: &str, rejections: impl ExactSizeIterator<Item = &'a ingest::Rejection>) {
    let count = rejections.len();
    for (place, rejection) in rejections.take(MOST_TOLD).enumerate() {
        // Writing to a string cannot fail.
        let _ = if place == 0 { write!(msg, "; {what}: {count}: {rejection}") } else { write!(msg, "; {rejection}") };
    }
    if count > MOST_TOLD {
        let _ = write!(msg, "; and {} more", count - MOST_TOLD);
    }
}

/// `POST /v1/freeswitch/cdr?script=ID`: a CDR in any form in which `mod_json_cdr` posts one.
pub(super) async fn freeswitch(
    State(service): State<Arc<Service>>,
    extensions: Extensions,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Json<Graded>, Failure> {
    let tenant = tenant_of(&extensions, &service);
    let body = read(body, &tenant).map_err(|refusal| Failure(refusal, String::new()))?;
    let mut record = freeswitch::call(&body, &tenant.settings.limits)
        .map_err(|rejection| Failure(Refusal::Invalid(rejection.to_string()), rejection.call_id))?;
    name_script(&mut record, &script_of(query.as_deref()));
    graded(&service, &tenant, record).await
}

/// The script of a call that names none.
fn name_script(record: &mut CallRecord, script: &str) {
    if record.script_id.is_empty() {
        script.clone_into(&mut record.script_id);
    }
}

/// The parameter `script` of an address. FreeSWITCH adds `?uuid=…` to an address that has parameters already.
fn script_of(query: Option<&str>) -> String {
    let parameters = query.unwrap_or_default().split(['&', '?']);
    let script = parameters.filter_map(|parameter| parameter.strip_prefix("script=")).next_back().unwrap_or_default();
    percent_decode_str(script).decode_utf8_lossy().into_owned()
}
