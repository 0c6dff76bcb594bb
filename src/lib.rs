#![forbid(unsafe_code)]
#![deny(missing_docs)]
//! callgrade

pub mod cli;
pub mod config;
pub mod core;
pub mod ingest;
pub mod script;
pub mod service;
pub mod transport;
pub mod wire;
