//! Who hears what the fold finds worth telling, and the pieces of evidence that it tells.

use super::{Step, refusing};
use crate::core::event::{EventKind, Speaker};
use crate::core::lexicon::{Hit, Match};
use crate::core::script::{ConceptIndex, ConceptSet, Script};
use crate::core::verdict::{Category, Evidence, Phrase};

/// Takes what the fold finds worth telling; the live fold tells nobody.
pub(crate) trait Sink {
    /// Whether anybody listens: evidence is not even made otherwise.
    const LISTENS: bool;
    fn evidence(&mut self, evidence: Evidence);
    fn notice(&mut self, notice: String);
    /// All that was told of what was said does not count after all.
    fn forget_content(&mut self);
    /// A turn of the customer begins.
    fn turn_begins(&mut self);
    /// What was told of these categories since the turn began does not count after all.
    fn forget_concepts(&mut self, concepts: ConceptSet);
}

/// Nobody listens.
pub(crate) struct Deaf;

impl Sink for Deaf {
    const LISTENS: bool = false;
    fn evidence(&mut self, _: Evidence) {}
    fn notice(&mut self, _: String) {}
    fn forget_content(&mut self) {}
    fn turn_begins(&mut self) {}
    fn forget_concepts(&mut self, _: ConceptSet) {}
}

/// The whole of what the event says.
pub(super) fn whole(step: Step<'_>, signal: &'static str, phrase: Phrase, how: Match) -> Evidence {
    let end = match step.kind {
        EventKind::Utterance(utterance) => utterance.text.chars().count() as u32,
        _ => 0,
    };
    Evidence { event: step.words_at, start: 0, end, speaker: Some(Speaker::Customer), signal, category: Category::None, phrase, how }
}

/// A phrase that stands in the words of the event.
pub(super) fn part(step: Step<'_>, signal: &'static str, hit: &Hit, how: Match) -> Evidence {
    Evidence {
        event: step.words_at,
        start: hit.start,
        end: hit.end,
        speaker: Some(Speaker::Customer),
        signal,
        category: Category::None,
        phrase: Phrase::Listed(hit.entry),
        how,
    }
}

pub(super) fn signal_of(script: &Script, concept: ConceptIndex) -> &'static str {
    if script.is_question(concept) {
        "asked"
    } else if refusing(script).contains(concept) {
        "refusals"
    } else {
        "hits"
    }
}
