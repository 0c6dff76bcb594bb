//! Which utterances are replaced by later ones, and what that makes of the rest.

use rustc_hash::FxHashMap;

use super::CallState;
use super::stored::{carries_id, key};
use crate::core::event::Speaker;

impl CallState {
    /// Finds who replaces whom, from the start.
    pub(super) fn link(&mut self) {
        for stored in &mut self.events {
            stored.replaced_by = None;
            stored.replaces = false;
        }
        let mut first: FxHashMap<(Speaker, Box<str>), usize> = FxHashMap::default();
        for place in 0..self.events.len() {
            let Some(named) = self.events.get(place).and_then(|stored| key(&stored.event)).map(|(speaker, id)| (speaker, id.into())) else {
                continue;
            };
            match first.get(&named) {
                Some(&original) => self.point(original, place),
                None => {
                    first.insert(named, place);
                }
            }
        }
        self.ids = self.any_ids();
    }

    /// If the last event replaces an utterance, links the two.
    pub(super) fn replace(&mut self, place: usize) -> bool {
        let (earlier, rest) = self.events.split_at(place);
        let Some(named) = rest.first().and_then(|stored| key(&stored.event)) else { return false };
        let Some(original) = earlier.iter().position(|stored| key(&stored.event) == Some(named)) else { return false };
        self.point(original, place);
        true
    }

    fn point(&mut self, original: usize, place: usize) {
        if let Some(stored) = self.events.get_mut(original) {
            stored.replaced_by = Some(place as u32);
        }
        if let Some(stored) = self.events.get_mut(place) {
            stored.replaces = true;
        }
    }

    pub(super) fn any_ids(&self) -> bool {
        let mut standing = self.events.iter().filter(|stored| !stored.replaces);
        standing.any(|stored| match stored.replaced_by.and_then(|by| self.events.get(by as usize)) {
            Some(by) => carries_id(&by.event),
            None => carries_id(&stored.event),
        })
    }
}
