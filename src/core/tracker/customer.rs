//! What the customer says: whose words they are, which turn they belong to, what they mean after the robot's line.

use smallvec::SmallVec;

use super::facts::Touched;
use super::{Side, Sink, Spoken, Step, Tracker, Turn, accepting, declining, invite_of, part, signal_of, whole};
use crate::core::event::{Answerer, Outcome, Speaker};
use crate::core::lexicon::Match;
use crate::core::reading::CustomerReading;
use crate::core::scope;
use crate::core::script::{Ask, ConceptIndex, ConceptSet, CustomerList, Script};
use crate::core::verdict::{Category, Evidence, Phrase};

/// What an utterance means where it was said.
#[derive(Debug, Default)]
struct Meaning {
    concepts: ConceptSet,
    content: bool,
    /// What only the context made of it.
    context: SmallVec<[ConceptIndex; 2]>,
    /// A plain no to an offer: it refuses.
    denied: bool,
}

impl Meaning {
    /// Adds what the context makes of the words.
    fn imply(&mut self, concept: ConceptIndex) {
        if !self.concepts.contains(concept) {
            self.concepts.insert(concept);
            self.context.push(concept);
        }
    }
}

impl Tracker {
    pub(super) fn customer<S: Sink>(&mut self, script: &Script, step: Step<'_>, reading: &CustomerReading, sink: &mut S) {
        if !reading.words {
            return;
        }
        if self.answered_ms.is_none() && self.not_connected.is_none() {
            self.answered_ms = Some(step.at_ms);
            self.answer_implied = true;
            if S::LISTENS {
                sink.evidence(whole(step, "connected", Phrase::Word("answered"), Match::Context));
            }
        }
        let conversed = self.turns.iter().any(|turn| turn.content);
        if let Some(result) = reading.carrier
            && !conversed
            && !self.answered_by.is_some_and(Answerer::is_machine)
        {
            self.forget_content(sink);
            self.carrier = Some(result);
            if S::LISTENS {
                sink.evidence(whole(step, "dial_result", Phrase::Word(result.as_str()), Match::Pattern));
            }
            return;
        }
        if let Some(machine) = reading.machine
            && !self.answerer_told
            && !self.muted()
        {
            self.forget_content(sink);
            self.answered_by = Some(machine);
            if S::LISTENS {
                let listed = reading.hits.iter().find(|hit| script.customer_list(hit.list) == Some(CustomerList::Machine(machine)));
                sink.evidence(match listed {
                    Some(hit) => {
                        let evidence = whole(step, "answered_by", Phrase::Listed(hit.entry), hit.how);
                        Evidence { start: hit.start, end: hit.end, ..evidence }
                    }
                    None => whole(step, "answered_by", Phrase::Word(machine.as_str()), Match::Pattern),
                });
            }
            return;
        }
        if self.muted() {
            return;
        }

        let turn = self.open_turn(sink);
        self.spoken.push(Spoken { event: step.index, turn: turn as u32, may_name_time: reading.may_name_time });
        let before = self.turns.get(turn).copied().unwrap_or_default();
        let meaning = self.meaning(script, step.at_ms, reading, before.concepts);
        if meaning.content {
            self.close_line(script, step.at_ms);
        }
        self.settle_unheard(script);
        if reading.corrects {
            let withdrawn = scope::withdrawn(script, before.concepts, meaning.concepts);
            if let Some(turn) = self.turns.get_mut(turn) {
                turn.concepts = turn.concepts.without(withdrawn);
            }
            sink.forget_concepts(withdrawn);
        }
        if let Some(turn) = self.turns.get_mut(turn) {
            turn.concepts = turn.concepts.union(meaning.concepts);
            turn.content |= meaning.content;
            turn.time |= reading.time;
        }
        if S::LISTENS {
            self.tell(script, step, reading, &meaning, sink);
        }
    }

    /// The customer's turn at hand, a new one if there is none.
    fn open_turn<S: Sink>(&mut self, sink: &mut S) -> usize {
        self.touched = if self.touched == Touched::Any { Touched::Any } else { Touched::Last };
        if self.side != Side::Customer || self.turn_closed || self.turns.is_empty() {
            sink.turn_begins();
            self.turns.push(Turn { invite_open: self.invite_open, ..Turn::default() });
            self.side = Side::Customer;
            self.turn_closed = false;
        }
        self.turns.len() - 1
    }

    /// What an utterance means after the robot's line.
    fn meaning(&self, script: &Script, at_ms: u32, reading: &CustomerReading, turn: ConceptSet) -> Meaning {
        let known = &script.known;
        let mut meaning = Meaning { concepts: reading.concepts, content: !reading.filler_only, ..Meaning::default() };
        self.opening_words(script, at_ms, reading, &mut meaning);
        let Some(line) = &self.line else { return meaning };
        let heard = line.heard(at_ms);
        let yes_no = matches!(line.ask, Ask::Offer | Ask::Fact);
        if let (Some(deny), Some(refuse)) = (known.deny, known.refuse)
            && line.proposes
            && meaning.concepts.contains(deny)
        {
            meaning.concepts.remove(deny);
            meaning.concepts.insert(refuse);
            meaning.denied = true;
        }
        if reading.filler_only {
            if let Some(affirm) = known.affirm
                && reading.yes
                && yes_no
                && line.worded
                && heard
            {
                meaning.imply(affirm);
            } else if let Some(refuse) = known.refuse
                && reading.goodbye
                && !reading.yes
                && line.ask == Ask::Offer
                && turn.is_empty()
            {
                meaning.imply(refuse);
            }
        }
        let so_far = meaning.concepts.union(turn);
        let has = |concept: Option<ConceptIndex>| concept.is_some_and(|concept| so_far.contains(concept));
        if let Some(contact) = known.contact
            && line.contact
            && yes_no
            && heard
            && has(known.affirm)
            && !has(known.refuse)
            && !has(known.contact)
        {
            meaning.imply(contact);
        }
        meaning.content |= !meaning.context.is_empty();
        meaning
    }

    /// What a turn's opening 好的 or 没有 is worth. Assent stands beside questions and a wish for contact, else the rest of the
    /// turn tells more; said to a goodbye, or into a line not yet heard, it is no more than a backchannel. A no that is more than
    /// a plain one denies, but declines no offer: 没有印象 is no 没有.
    fn opening_words(&self, script: &Script, at_ms: u32, reading: &CustomerReading, meaning: &mut Meaning) {
        let known = &script.known;
        let line = self.line.as_ref();
        let beside: ConceptSet = known.contact.into_iter().chain(known.affirm).collect();
        let told = meaning.concepts.without(beside).iter().any(|concept| !script.is_question(concept));
        if let Some(affirm) = known.affirm
            && reading.assent
            && !told
            && line.is_none_or(|line| !line.farewell && line.heard(at_ms))
        {
            meaning.imply(affirm);
        } else if let Some(deny) = known.deny
            && reading.dissent
            && meaning.concepts.is_empty()
            && line.is_none_or(|line| line.ask == Ask::Fact)
        {
            meaning.imply(deny);
        }
    }

    fn tell<S: Sink>(&self, script: &Script, step: Step<'_>, reading: &CustomerReading, meaning: &Meaning, sink: &mut S) {
        let known = &script.known;
        for hit in &reading.hits {
            let Some(CustomerList::Concept(concept)) = script.customer_list(hit.list) else { continue };
            let filler = Some(concept) == known.filler;
            if filler && meaning.content {
                continue;
            }
            let (concept, how) = match known.refuse {
                Some(refuse) if meaning.denied && Some(concept) == known.deny => (refuse, Match::Context),
                _ => (concept, hit.how),
            };
            sink.evidence(Evidence { category: Category::Concept(concept), ..part(step, signal_of(script, concept), hit, how) });
        }
        if let Some(learned) = &reading.learned {
            // Where it said no to an offer, it refuses like a word that does.
            let concept = match known.refuse {
                Some(refuse) if meaning.denied => refuse,
                _ => learned.concept,
            };
            let evidence = whole(step, signal_of(script, concept), Phrase::Learned(learned.clone()), Match::Learned);
            sink.evidence(Evidence { category: Category::Concept(concept), ..evidence });
        }
        let span =
            |test: &dyn Fn(CustomerList) -> bool| reading.hits.iter().find(|hit| script.customer_list(hit.list).is_some_and(test)).copied();
        for &concept in &meaning.context {
            let (refuses, denies) = (Some(concept) == known.refuse, Some(concept) == known.deny);
            let opening = span(&|list| match list {
                CustomerList::Assent => !refuses && !denies,
                CustomerList::Dissent => denies,
                _ => false,
            });
            let by = opening.or_else(|| {
                span(&|list| match list {
                    CustomerList::Goodbye => refuses,
                    CustomerList::Yes => !refuses && !denies,
                    CustomerList::Concept(hit) => !refuses && !denies && Some(hit) == known.affirm,
                    _ => false,
                })
            });
            let evidence = match by {
                Some(hit) => Evidence {
                    start: hit.start,
                    end: hit.end,
                    ..whole(step, signal_of(script, concept), Phrase::Listed(hit.entry), Match::Context)
                },
                None => whole(step, signal_of(script, concept), Phrase::Word("context"), Match::Context),
            };
            sink.evidence(Evidence { category: Category::Concept(concept), ..evidence });
        }
        if !self.invite_open {
            return;
        }
        let (settles, by) = match self.turns.last().and_then(|turn| invite_of(script, turn)) {
            Some(Outcome::Declined) => (declining(script), "declined"),
            Some(Outcome::Accepted) => (accepting(script), "accepted"),
            None => return,
        };
        let decisive = span(&|list| match list {
            CustomerList::Concept(concept) => {
                settles.contains(concept) || by == "declined" && meaning.denied && Some(concept) == known.deny
            }
            CustomerList::Time => by == "accepted",
            CustomerList::Yes | CustomerList::Assent => {
                by == "accepted" && meaning.context.iter().any(|concept| settles.contains(*concept))
            }
            CustomerList::Goodbye => by == "declined" && meaning.context.iter().any(|concept| settles.contains(*concept)),
            CustomerList::Dissent => by == "declined" && meaning.context.iter().any(|concept| settles.contains(*concept)),
            CustomerList::Machine(_) | CustomerList::Scope(_) => false,
        });
        if let Some(hit) = decisive {
            let category = match script.customer_list(hit.list) {
                Some(CustomerList::Concept(concept)) => Category::Concept(concept),
                _ => Category::None,
            };
            let evidence = whole(step, "invite", Phrase::Listed(hit.entry), hit.how);
            sink.evidence(Evidence { start: hit.start, end: hit.end, category, ..evidence });
        }
    }

    /// What the dialer reports of the customer's words: joins the turn it names, else the one at hand, else makes one.
    pub(super) fn reported<S: Sink>(&mut self, script: &Script, step: Step<'_>, concept: ConceptIndex, keyword: &str, sink: &mut S) {
        if self.muted() {
            return;
        }
        let named = self
            .spoken
            .iter()
            .find(|spoken| spoken.event == step.words_at && step.words_at != step.index)
            .map(|spoken| spoken.turn as usize);
        let turn = named.unwrap_or_else(|| self.open_turn(sink));
        if named.is_some() {
            self.touched = Touched::Any;
        }
        self.settle_unheard(script);
        let filler = Some(concept) == script.known.filler;
        if let Some(turn) = self.turns.get_mut(turn)
            && !filler
        {
            turn.concepts.insert(concept);
            turn.content = true;
        }
        if S::LISTENS {
            sink.evidence(Evidence {
                event: step.index,
                start: 0,
                end: 0,
                speaker: Some(Speaker::Customer),
                signal: signal_of(script, concept),
                category: Category::Concept(concept),
                phrase: Phrase::Text(keyword.into()),
                how: Match::Reported,
            });
        }
    }
}
