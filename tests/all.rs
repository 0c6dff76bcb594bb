//! All integration tests, one binary: real calls, real servers, the real program.

mod callback;
mod cases;
mod cli;
mod eval;
mod formats;
mod learned;
mod lint;
mod properties;
mod python_client;
mod readme;
mod records;
mod script_load;
mod server;
mod store;
mod support;
