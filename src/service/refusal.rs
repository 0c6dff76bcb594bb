//! Why something was not taken, in words and as `google.rpc.Status`.

use std::fmt;
use std::time::Duration;

use prost::Message;
use tonic::Code;

use super::quota::OverLimit;
use crate::script::ScriptError;
use crate::store::StoreError;
use crate::wire::rpc;

/// When to try again what could not be kept.
const RETRY: Duration = Duration::from_secs(1);

/// Why a call or an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The script is not there.
    Script(ScriptError),
    /// The event or call is wrong.
    Invalid(String),
    /// It is over a limit.
    TooMuch(String),
    /// The call has not begun, or is closed.
    NotOpen(String),
    /// There is no such call.
    NoCall(String),
    /// The tenant has come to a limit.
    Over(OverLimit),
    /// It could not be kept.
    Store(StoreError),
    /// The store could not be asked.
    Unread(StoreError),
    /// So many wait for this earlier event, which could not be kept, that it cannot wait too.
    Behind(u32),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(error) => error.fmt(f),
            Self::Invalid(reason) | Self::TooMuch(reason) | Self::NotOpen(reason) => f.write_str(reason),
            Self::NoCall(call) => write!(f, "there is no call {call:?}"),
            Self::Over(over) => over.fmt(f),
            Self::Store(error) => write!(f, "not kept, send it again: {}", error.kind()),
            Self::Unread(error) => f.write_str(error.kind()),
            Self::Behind(seq) => write!(f, "not kept, send it again: event {seq} was refused and has not come again"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Invalid(_) => Code::InvalidArgument,
            Self::TooMuch(_) | Self::Over(_) => Code::ResourceExhausted,
            Self::Script(_) | Self::NoCall(_) => Code::NotFound,
            Self::NotOpen(_) => Code::FailedPrecondition,
            Self::Store(_) | Self::Unread(_) | Self::Behind(_) => Code::Unavailable,
        }
    }
}

/// A refusal as `google.rpc.Status`, with typed details.
#[must_use]
pub fn status(call_id: &str, seq: u32, refusal: &Refusal) -> rpc::Status {
    use tonic_types::StatusExt;
    let details = match refusal {
        Refusal::Invalid(reason) | Refusal::TooMuch(reason) => {
            tonic_types::ErrorDetails::with_bad_request_violation(field(seq), reason.as_str())
        }
        Refusal::Script(error @ (ScriptError::Unknown(id, _) | ScriptError::Version(id, _, _))) => {
            tonic_types::ErrorDetails::with_resource_info("script", id.as_str(), "", error.to_string())
        }
        Refusal::NotOpen(reason) => tonic_types::ErrorDetails::with_precondition_failure_violation("CALL", call_id, reason.as_str()),
        Refusal::NoCall(_) => tonic_types::ErrorDetails::with_resource_info("call", call_id, "", ""),
        Refusal::Over(over) => tonic_types::ErrorDetails::with_retry_info(Some(over.retry)),
        Refusal::Store(_) | Refusal::Unread(_) | Refusal::Behind(_) => tonic_types::ErrorDetails::with_retry_info(Some(RETRY)),
    };
    let code = refusal.code();
    let rich = tonic::Status::with_error_details(code, refusal.to_string(), details);
    rpc::Status::decode(rich.details()).unwrap_or(rpc::Status { code: code as i32, message: refusal.to_string(), details: Vec::new() })
}

fn field(seq: u32) -> String {
    if seq == 0 { "call".to_owned() } else { format!("events[{}]", seq - 1) }
}
