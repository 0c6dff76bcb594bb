//! The customer's utterances, as the search for a callback time sees them.

use super::{CallState, Stored};
use crate::core::callback::{Callback, Heard, Line, Refuses, choose};
use crate::core::event::{EventKind, Outcome};
use crate::core::reading::CustomerReading;
use crate::core::script::{ConceptSet, CustomerList, Script};
use crate::core::tracker::{Reading, Spoken, Tracker, declining, invite_of, refusing};

impl CallState {
    /// When the customer said to be called again, by a fold over the events. It is looked for from the last utterance on, and
    /// only where what was read of one already says that a time may be in it: most calls name none.
    pub(super) fn callback(&self, tracker: &Tracker) -> Option<Callback> {
        let first = tracker.spoken.iter().position(|spoken| spoken.may_name_time)?;
        let script = &*self.script;
        let known = &script.known;
        let putting_off: ConceptSet = known.busy.into_iter().chain(known.not_available).collect();
        let agreeing: ConceptSet = known.affirm.into_iter().chain(known.contact).collect();
        let mut refused_turn = None;
        let spoken = tracker.spoken.get(first..)?;
        let heard = spoken.iter().rev().filter_map(|&Spoken { event: place, turn, may_name_time }| {
            let facts = tracker.turns.get(turn as usize)?;
            let refusing = facts.concepts.meets(refusing(script));
            if !may_name_time && !refusing {
                return None;
            }
            let (event, stored) = self.words_of(place)?;
            let (EventKind::Utterance(utterance), Reading::Customer(reading)) = (&stored.event.kind, &stored.reading) else { return None };
            let refuses = if refusing {
                let here = refusals(script, reading);
                let later = refused_turn == Some(turn);
                if !here.is_empty() {
                    refused_turn = Some(turn);
                }
                match (later, here.is_empty()) {
                    (true, _) => Refuses::After,
                    (false, true) => Refuses::Before,
                    (false, false) => Refuses::Here(here),
                }
            } else {
                Refuses::No
            };
            let busy = facts.concepts.meets(putting_off);
            if !may_name_time {
                return None;
            }
            Some(Heard {
                event,
                at_ms: self.events.get(place as usize)?.event.at_ms,
                turn,
                text: &utterance.text,
                times: &reading.times,
                line: self.line_before(place),
                accepts: facts.invite_open && invite_of(script, facts) == Some(Outcome::Accepted),
                busy,
                yes: facts.concepts.meets(agreeing),
                refuses,
            })
        });
        choose(heard, &self.clock)
    }

    /// The event that carries the words of the utterance at a place.
    fn words_of(&self, place: u32) -> Option<(u32, &Stored)> {
        let stored = self.events.get(place as usize)?;
        match stored.replaced_by {
            Some(by) => Some((by, self.events.get(by as usize)?)),
            None => Some((place, stored)),
        }
    }

    /// The robot's last line before a place.
    fn line_before(&self, place: u32) -> Line<'_> {
        (0..place).rev().find_map(|place| {
            if self.events.get(place as usize).is_none_or(|stored| stored.replaces) {
                return None;
            }
            let (_, stored) = self.words_of(place)?;
            match (&stored.event.kind, &stored.reading) {
                (EventKind::Utterance(line), Reading::Robot(reading)) if !line.text.is_empty() => Some((&*line.text, &reading.line_asks)),
                _ => None,
            }
        })
    }
}

/// Where an utterance of a refusing turn refuses, in Unicode scalar values.
fn refusals(script: &Script, reading: &CustomerReading) -> Box<[(u32, u32)]> {
    let refuses = |list| matches!(script.customer_list(list), Some(CustomerList::Concept(concept)) if declining(script).contains(concept));
    reading.hits.iter().filter(|hit| refuses(hit.list)).map(|hit| (hit.start, hit.end)).collect()
}
