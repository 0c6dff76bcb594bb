//! What tells compiled scripts apart.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no other script of this process has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Serial(u64);

impl Serial {
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}
