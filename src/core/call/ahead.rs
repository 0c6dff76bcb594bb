//! What can be done for many calls side by side before the events of each are taken in.

use std::hint::black_box;

use super::CallState;
use super::stored::words;
use crate::core::event::Event;
use crate::core::recall::Words;

impl CallState {
    /// The words of an event that is to come, and how they will be read as far as is known now.
    pub(crate) fn words<'a>(&'a self, event: &'a Event) -> Option<Words<'a>> {
        words(&self.script, self.ids, event)
    }

    /// Loads what an event changes or looks at of the call itself, for the sake of the caches alone.
    pub(crate) fn fetch(&self) {
        black_box((self.events.len(), self.ids, self.tried, self.standing.rule, self.signals.talk_s, self.signals.completion));
        self.tracker.fetch();
    }

    /// As [`fetch`](Self::fetch), of what the call points to.
    pub(crate) fn fetch_behind(&self) {
        black_box((self.events.last().map(|last| last.seq), self.signals.hits.first()));
        self.tracker.fetch_behind();
        self.told.fetch();
    }
}
