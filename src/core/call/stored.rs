//! An event as a call keeps it.

use crate::core::event::{Event, EventKind, Speaker, Utterance};
use crate::core::recall::{Way, Words};
use crate::core::script::Script;
use crate::core::tracker::Reading;

/// An accepted event and what was read from it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) seq: u32,
    pub(super) event: Event,
    pub(super) reading: Reading,
    /// The event whose words stand here now, if this utterance was replaced.
    pub(super) replaced_by: Option<u32>,
    /// It replaces an earlier one and has no place of its own.
    pub(super) replaces: bool,
}

impl Stored {
    /// The words that are still to be read, and where the reading belongs. `ids`: some robot lines carry node ids.
    pub(super) fn unread<'a>(&'a mut self, script: &'a Script, ids: bool) -> Option<(Words<'a>, &'a mut Reading)> {
        let Self { event, reading, replaced_by, .. } = self;
        if replaced_by.is_some() && !matches!(reading, Reading::None) {
            return None;
        }
        let words = words(script, ids, event)?;
        match (words.way, &*reading) {
            (_, Reading::None) => {}
            // Either way: what is looked for in a line differs, and no verdict may depend on what was known when it was read.
            (Way::Robot { recognise, .. }, Reading::Robot(robot)) if robot.recognised != recognise => {}
            _ => return None,
        }
        Some((words, reading))
    }
}

/// The words of an event, and how they are read.
pub(super) fn words<'a>(script: &'a Script, ids: bool, event: &'a Event) -> Option<Words<'a>> {
    let EventKind::Utterance(utterance) = &event.kind else { return None };
    let way = match utterance.speaker {
        Speaker::Customer => Way::Customer,
        Speaker::Robot => {
            let mapped = !utterance.node_id.is_empty() && script.node_of(&utterance.node_id).is_some();
            let recognise = !mapped && (!ids || !utterance.node_id.is_empty());
            Way::Robot { recognise, timed: utterance.duration_ms > 0 }
        }
        Speaker::Agent => return None,
    };
    Some(Words { script, way, text: &utterance.text })
}

/// The key under which an utterance is replaced.
pub(super) fn key(event: &Event) -> Option<(Speaker, &str)> {
    match &event.kind {
        EventKind::Utterance(Utterance { speaker, utterance_id, .. }) if !utterance_id.is_empty() => Some((*speaker, utterance_id)),
        _ => None,
    }
}

pub(super) fn carries_id(event: &Event) -> bool {
    matches!(&event.kind, EventKind::Utterance(utterance) if utterance.speaker == Speaker::Robot && !utterance.node_id.is_empty())
}

/// Bytes of an event's own text.
pub(super) fn text_bytes(event: &Event) -> usize {
    match &event.kind {
        EventKind::Utterance(utterance) => utterance.text.len() + utterance.node_id.len() + utterance.utterance_id.len(),
        EventKind::NodeEntered(id) => id.len(),
        EventKind::KeywordTriggered(keyword) => keyword.category.len() + keyword.keyword.len() + keyword.utterance_id.len(),
        EventKind::NotConnected(report) => report.announcement.len() + report.hangup_cause.len(),
        _ => 0,
    }
}

/// Bytes of a reading that no other call has.
pub(super) fn reading_bytes(reading: &Reading) -> usize {
    match reading {
        Reading::None => 0,
        Reading::Customer(reading) => reading.own_bytes(|reading| size_of_val(&*reading.hits)),
        Reading::Robot(reading) => reading.own_bytes(|_| 0),
    }
}
