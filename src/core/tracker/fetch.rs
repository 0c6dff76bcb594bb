//! Loads for the sake of the caches alone, for many calls side by side: whoever takes an event in then finds it all at hand.

use std::hint::black_box;

use super::{Reading, Tracker};

impl Reading {
    /// Loads it for the sake of the caches alone.
    pub(crate) fn fetch(&self) {
        match self {
            Self::None => {}
            Self::Customer(reading) => {
                black_box((reading.words, reading.hits.first().map(|hit| hit.start)));
            }
            Self::Robot(reading) => {
                black_box((reading.words, reading.candidates.len()));
            }
        }
    }
}

impl Tracker {
    /// Loads what a step looks at, for the sake of the caches alone.
    pub(crate) fn fetch(&self) {
        black_box((self.last_ms, self.backward, self.robot_turns, self.side, self.invite_open, self.turns.len(), self.lines.len()));
        black_box((self.line.is_some(), self.end.is_some(), self.progress.len(), self.reached.len(), self.spoken.len()));
    }

    /// As [`fetch`](Self::fetch), of what the state points to.
    pub(crate) fn fetch_behind(&self) {
        black_box((
            self.turns.last().map(|turn| turn.content),
            self.spoken.last().map(|last| last.event),
            self.lines.last().map(|line| line.event),
        ));
    }
}
