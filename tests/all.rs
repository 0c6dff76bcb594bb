//! All integration tests, one binary: real calls, real servers, the real program.

mod callback;
mod cases;
mod cli;
mod config;
mod deploy;
mod diff;
mod durability;
mod eval;
mod formats;
mod learned;
mod lint;
mod loadgen;
mod mask;
mod operations;
mod properties;
mod push;
mod python_client;
mod readme;
mod records;
mod reports;
mod script_load;
mod security;
mod server;
mod store;
mod support;
mod telemetry;
