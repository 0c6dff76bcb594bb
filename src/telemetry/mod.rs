//! What an operator sees of a server: its metrics.
//!
//! Whoever has something to tell is given what it tells it to; nothing here asks anybody.

pub mod metrics;

pub use metrics::{Metrics, Tally};
