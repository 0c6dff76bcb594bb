//! The wire contract: generated messages, and the way from the core's verdict to them.

pub mod codec;
pub mod columns;
pub mod encode;
mod event;
pub mod raw;
mod verdict;

pub use callgrade::v1;
pub use event::{event, heard_event};
pub use google::rpc;
pub use verdict::{CallHead, evidence, verdict};
use verdict::{moment, speaker_of};

/// The packages of `proto/`, nested as prost expects them.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
mod callgrade {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/callgrade.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/callgrade.v1.serde.rs"));
        include!(concat!(env!("OUT_DIR"), "/strict/callgrade.v1.serde.rs"));
    }
}

#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
mod google {
    pub mod rpc {
        include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
        include!(concat!(env!("OUT_DIR"), "/google.rpc.serde.rs"));
    }
}

/// A code's name as `google.rpc.Code` spells it.
#[must_use]
pub fn code_name(code: tonic::Code) -> &'static str {
    use tonic::Code;
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The protocol's file descriptor set, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/callgrade.bin"));
