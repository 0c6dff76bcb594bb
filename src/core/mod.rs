//! Events in, verdict out. Synchronous and pure: no file, clock, environment, network, and no chance that a verdict could depend on;
//! time comes in with the events.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod call;
pub mod callback;
pub mod dial;
pub mod event;
pub mod explain;
pub mod learned;
pub mod lexicon;
pub mod reading;
pub mod recall;
pub mod rule;
pub mod scope;
pub mod script;
pub mod signal;
pub mod text;
mod tracker;
pub mod verdict;
