//! What would be logged again and again, as long as the same lasts.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is told at most.
const APART: Duration = Duration::from_secs(10);

/// Sees that something is not told more often than every ten seconds.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Option<(Instant, u64)>>);

impl Seldom {
    /// Never told yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether it is to be told now, and how often it has been left out since it was told last.
    pub fn due(&self, now: Instant) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *last {
            Some((told, left_out)) if now.saturating_duration_since(*told) < APART => {
                *left_out += 1;
                None
            }
            told => Some(told.replace((now, 0)).map_or(0, |(_, left_out)| left_out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_how_many_there_were() {
        let (seldom, begun) = (Seldom::new(), Instant::now());
        assert_eq!(seldom.due(begun), Some(0));
        for ms in [1, 5_000, 9_999] {
            assert_eq!(seldom.due(begun + Duration::from_millis(ms)), None);
        }
        assert_eq!(seldom.due(begun + APART), Some(3));
        assert_eq!(seldom.due(begun + 2 * APART), Some(0));
    }
}
