//! Chinese text as recognisers write it, made fit for matching without losing its place in the original.

pub(crate) mod clause;
pub(crate) mod fold;
pub(crate) mod letter_set;
pub(crate) mod trie;
pub(crate) mod units;

pub use units::has_words;
