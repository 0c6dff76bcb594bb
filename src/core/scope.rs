//! Which of the phrases found in an utterance are really said: negation, hypothesis, quotation, relayed words, correction.
//!
//! A phrase may stand in a text and yet not be what the customer says: 不要 in 我没说不要, 不需要 in 要是不需要早挂了. As in `NegEx`
//! (Chapman et al. 2001) and `ConText` (Harkema et al. 2009) a *cue* opens a *scope* that ends at a clause's end or at a *boundary*,
//! and the statements inside do not count. Cues and boundaries are lists like any other, `keywords/scope/*.txt`; a script without
//! them has none.
//!
//! | list | cue | what its scope holds | up to | effect |
//! | --- | --- | --- | --- | --- |
//! | `negation` | 没说, 不是不 | the nearest statement, at most [`NEAR`] characters on | clause end, contrast | it does not count |
//! | `quotation` | 你们说, 客户说: words of people who decide nothing here | the same | the same | the same |
//! | `hypothesis` | 要是, 如果 | all statements | clause end, `terminator` (就, 那, 我), contrast | they do not count |
//! | `relay` | 我老婆说, 老板觉得: words of people who have a say | all statements of its sentence | contrast | they do not count if something follows the contrast; else they do |
//! | `correction` | 哎等等, 不对, 说错了 | all statements before it | the turn's beginning | each does not count if something follows that replaces it, see [`withdrawn`] |
//! | `terminator` | 就, 那, 我 | | | ends a hypothesis, but not where that begins |
//! | `contrast` | 但是, 不过 | | | ends every scope |
//!
//! - A clause ends at punctuation or a space. A hypothesis goes on over a pause right behind its cue (如果 方便); a negation does
//!   not: 不是，我不需要 is no denial of the refusal but one more.
//! - A `/pattern/` among the cues of negation, quotation and hypothesis is a scope by itself: what lies inside its match does not
//!   count. So cues behind their statement (不要的话) and around it (不是我不要，是没钱) are written.
//! - A statement that holds the whole cue was listed so: it is not in the cue's scope, and nothing behind it is; 我要是有需要会联系你
//!   refuses. Nor is one in the scope of a hypothesis that reaches over its end.
//! - Denying a statement states nothing: 不是不要 is no `affirm`.
//!
//! **What is a statement**: every category but `filler` and `identity`; trigger questions are none. 如果我要的话多少钱 still asks, and
//! 要是封号了怎么办 asks just what the question is about. A condition does not reach `contact`, for the standards count that it is brought up
//! (提到发短信), nor `do_not_call`, for threats are conditional (要是再打我就投诉). `do_not_call` yields to negation and quotation
//! alone: what asks for no more calls is not undone by a change of mind, nor because it was someone else of the house who asked.

use smallvec::SmallVec;

use super::lexicon::{Hit, Hits, Match, Scratch};
use super::script::{ConceptIndex, ConceptSet, CustomerList, Script};
use super::text::units::{Gap, Units};

/// How far from its cue a statement that is denied or quoted may begin, in characters: 我没说我们公司不需要.
pub const NEAR: u32 = 6;

/// What opens a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cue {
    /// The speaker denies having said it, or that it is so.
    Negation,
    /// The speaker supposes it.
    Hypothesis,
    /// Somebody said it who decides nothing here: the robot, the customer's own customers.
    Quotation,
    /// Somebody said it who has a say: family, the boss.
    Relay,
    /// The speaker takes back what went before.
    Correction,
}

impl Cue {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Negation, Self::Hypothesis, Self::Quotation, Self::Relay, Self::Correction];

    /// The list's name, without folder.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negation => "negation",
            Self::Hypothesis => "hypothesis",
            Self::Quotation => "quotation",
            Self::Relay => "relay",
            Self::Correction => "correction",
        }
    }
}

/// What ends a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Boundary {
    /// A hypothesis alone.
    Terminator,
    /// Every scope; and with something behind it, it sets the speaker's words against those relayed.
    Contrast,
}

impl Boundary {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Terminator, Self::Contrast];

    /// The list's name, without folder.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminator => "terminator",
            Self::Contrast => "contrast",
        }
    }
}

/// A statement that does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack {
    /// What was found.
    pub hit: Hit,
    /// The cue in whose scope it stands.
    pub cue: Hit,
    /// What kind of cue that is.
    pub by: Cue,
}

/// The statements of a text that do not count, in the order of the text.
#[must_use]
pub fn taken_back(script: &Script, text: &str, scratch: &mut Scratch) -> Vec<TakenBack> {
    scratch.units.cut(text);
    let mut hits = script.customer.read_units(scratch);
    let mut taken = Vec::new();
    settle(script, &mut hits, scratch, |back| taken.push(back));
    taken
}

/// Leaves of the hits of the text last cut into `scratch` those that are really said, without cues; tells of those that are not.
/// True if what is said corrects what went before.
pub(crate) fn settle(script: &Script, hits: &mut Hits, scratch: &mut Scratch, mut tell: impl FnMut(TakenBack)) -> bool {
    let is_cue = |hit: &Hit| matches!(script.customer_list(hit.list), Some(CustomerList::Scope(_)));
    if !hits.iter().any(is_cue) {
        return false;
    }
    let mut passage = Passage::new(script, hits, scratch);
    passage.deny();
    passage.relay();
    let corrects = passage.correct();
    let taken = passage.taken;
    let mut number = 0;
    hits.retain(|hit| {
        let back = taken.get(number).copied().flatten();
        number += 1;
        if let Some((cue, by)) = back {
            tell(TakenBack { hit: *hit, cue, by });
        }
        // 不是 in 不是不要 opens no turn with a no.
        let part_of_cue = |(cue, _): &(Hit, Cue)| hit.start < cue.end && cue.start < hit.end;
        let opens = matches!(script.customer_list(hit.list), Some(CustomerList::Assent | CustomerList::Dissent));
        back.is_none() && !is_cue(hit) && !(opens && taken.iter().flatten().any(part_of_cue))
    });
    corrects
}

/// Which of `before` the later words of `after` replace, where a correction stands between them:
/// - what the script declares opposite (行 … 不对 … 算了), but a no does not replace a no;
/// - a no by a trigger question or `contact` (不要 … 等等 … 你说免费);
/// - a yes and `contact` by a no or `do_not_call`.
#[must_use]
pub fn withdrawn(script: &Script, before: ConceptSet, after: ConceptSet) -> ConceptSet {
    let known = &script.known;
    let set = |of: [Option<ConceptIndex>; 2]| -> ConceptSet { of.into_iter().flatten().collect() };
    let (no, yes) = (set([known.refuse, known.deny]), set([known.affirm, known.contact]));
    let replaces = |later: ConceptIndex, earlier: ConceptIndex| {
        if no.contains(earlier) {
            !no.contains(later) && (script.is_question(later) || yes.contains(later) || excludes(script, later, earlier))
        } else {
            yes.contains(earlier) && (no.contains(later) || Some(later) == known.do_not_call) || excludes(script, later, earlier)
        }
    };
    before
        .iter()
        .filter(|&earlier| yields(script, earlier, Cue::Correction))
        .filter(|&earlier| after.iter().any(|later| later != earlier && replaces(later, earlier)))
        .collect()
}

/// Whether the script declares two categories opposite.
fn excludes(script: &Script, one: ConceptIndex, other: ConceptIndex) -> bool {
    let group = |concept| {
        let list = script.customer_lists.iter().position(|list| *list == CustomerList::Concept(concept))?;
        script.customer.lists().get(list).map(|list| list.group)
    };
    group(one).is_some_and(|one| Some(one) == group(other))
}

/// Whether a cue of this kind can take back what a category stands for.
fn yields(script: &Script, concept: ConceptIndex, cue: Cue) -> bool {
    let known = &script.known;
    let is = |of: Option<ConceptIndex>| of == Some(concept);
    if script.is_question(concept) || is(known.filler) || is(known.identity) {
        false
    } else if is(known.do_not_call) {
        matches!(cue, Cue::Negation | Cue::Quotation)
    } else {
        !(is(known.contact) && cue == Cue::Hypothesis)
    }
}

/// A cue that opens a scope.
#[derive(Debug, Clone, Copy)]
struct Opened {
    cue: Hit,
    kind: Cue,
    /// Where the listed statement ends that the cue is part of: what begins later is beyond it.
    until: u32,
}

/// An utterance with its cues.
struct Passage<'a> {
    script: &'a Script,
    hits: &'a [Hit],
    units: &'a Units,
    cues: SmallVec<[Opened; 4]>,
    boundaries: Hits,
    /// Of each hit the cue that takes it back.
    taken: SmallVec<[Option<(Hit, Cue)>; 8]>,
}

impl<'a> Passage<'a> {
    fn new(script: &'a Script, hits: &'a [Hit], scratch: &'a mut Scratch) -> Self {
        let mut cues = SmallVec::new();
        for cue in hits {
            let Some(CustomerList::Scope(kind)) = script.customer_list(cue.list) else { continue };
            let listed = |hit: &&Hit| may_take(script, Cue::Negation, hit) && contains(hit, cue) && !contains(cue, hit);
            // 不是，说吧 is no 不是说.
            let broken = cue.how != Match::Pattern && clause_end(&scratch.units, cue.start, 1) < cue.end;
            let within = hits.iter().filter(listed).map(|hit| hit.end).max();
            if !broken && (within.is_none() || !matches!(kind, Cue::Relay | Cue::Correction)) {
                cues.push(Opened { cue: *cue, kind, until: within.unwrap_or(u32::MAX) });
            }
        }
        // Where a scope ends matters only to those with a statement that may stand in them.
        let in_question = cues.iter().any(|Opened { cue, kind, .. }| {
            let end = match kind {
                Cue::Negation | Cue::Quotation | Cue::Hypothesis => clause_end(&scratch.units, cue.end, 1),
                Cue::Relay => u32::MAX,
                Cue::Correction => 0,
            };
            hits.iter().any(|hit| hit.start > cue.start && hit.start < end && may_take(script, *kind, hit))
        });
        let boundaries = if in_question { script.boundaries.read_units(scratch) } else { Hits::new() };
        Self { script, hits, units: &scratch.units, cues, boundaries, taken: SmallVec::from_elem(None, hits.len()) }
    }

    /// Negation, quotation and hypothesis.
    fn deny(&mut self) {
        for Opened { cue, kind, until } in self.cues.clone() {
            match kind {
                Cue::Negation | Cue::Quotation | Cue::Hypothesis if cue.how == Match::Pattern => {
                    self.take((cue, kind), |hit| inside(hit, &cue));
                }
                Cue::Negation | Cue::Quotation => {
                    let end = clause_end(self.units, cue.end, 0).min(self.boundary(cue.end, &[Boundary::Contrast])).min(until);
                    let reached = |hit: &Hit| hit.start > cue.start && hit.start < end && hit.start <= cue.end + NEAR;
                    let open = |hit: &&Hit| may_take(self.script, kind, hit) && reached(hit) && !contains(hit, &cue);
                    let nearest = self.hits.iter().filter(open).min_by_key(|hit| hit.start);
                    if let Some(nearest) = nearest {
                        self.take((cue, kind), |hit| inside(hit, &cue) || reached(hit) && hit.start < nearest.end);
                    }
                }
                Cue::Hypothesis => {
                    let clause = clause_end(self.units, cue.end, 1);
                    let end = clause.min(self.boundary(self.behind_first(cue.end), &[Boundary::Terminator, Boundary::Contrast]));
                    self.take((cue, kind), |hit| hit.start > cue.start && hit.start < until && hit.end <= end);
                }
                Cue::Relay | Cue::Correction => {}
            }
        }
    }

    /// Words relayed count unless the speaker's own are set against them.
    fn relay(&mut self) {
        for Opened { cue, kind, .. } in self.cues.clone().into_iter().filter(|opened| opened.kind == Cue::Relay) {
            let contrast = self.boundary(cue.end, &[Boundary::Contrast]);
            if self.standing().any(|(hit, _)| hit.start >= contrast) {
                let end = contrast.min(gap(self.units, cue.end, 1, Gap::Sentence));
                self.take((cue, kind), |hit| hit.start > cue.start && hit.start < end);
            }
        }
    }

    /// Whether there is a correction that something follows.
    fn correct(&mut self) -> bool {
        let mut corrects = false;
        for Opened { cue, kind, .. } in self.cues.clone().into_iter().filter(|opened| opened.kind == Cue::Correction) {
            let of = |part: &dyn Fn(&Hit) -> bool| -> ConceptSet {
                self.standing().filter(|(hit, _)| part(hit)).map(|(_, concept)| concept).collect()
            };
            let (before, after) = (of(&|hit| hit.end <= cue.start), of(&|hit| hit.start >= cue.start && hit.end > cue.end));
            corrects |= !after.is_empty();
            let gone = withdrawn(self.script, before, after);
            if !gone.is_empty() {
                let script = self.script;
                let replaced = |hit: &Hit| concept_of(script, hit).is_some_and(|concept| gone.contains(concept));
                // What the cue itself would mean by itself, it does not mean here.
                self.take((cue, kind), |hit| inside(hit, &cue) || contains(hit, &cue) || hit.end <= cue.start && replaced(hit));
            }
        }
        corrects
    }

    /// Takes back the statements of a scope that may be and have not been.
    fn take(&mut self, (cue, kind): (Hit, Cue), in_scope: impl Fn(&Hit) -> bool) {
        let Self { script, hits, taken, .. } = self;
        for (hit, taken) in hits.iter().zip(taken.iter_mut()).filter(|(_, taken)| taken.is_none()) {
            if may_take(script, kind, hit) && in_scope(hit) && (kind == Cue::Correction || !contains(hit, &cue)) {
                *taken = Some((cue, kind));
            }
        }
    }

    /// What is said so far, `filler` aside.
    fn standing(&self) -> impl Iterator<Item = (&Hit, ConceptIndex)> {
        let left = self.hits.iter().zip(&self.taken).filter(|(_, taken)| taken.is_none());
        left.filter_map(|(hit, _)| Some((hit, concept_of(self.script, hit)?)))
            .filter(|(_, concept)| Some(*concept) != self.script.known.filler)
    }

    /// Where the first boundary of these kinds begins, from a character on.
    fn boundary(&self, from: u32, kinds: &[Boundary]) -> u32 {
        let ends = |hit: &&Hit| {
            let kind = self.script.boundary_lists.get(usize::from(hit.list));
            hit.start >= from && kind.is_some_and(|kind| kinds.contains(kind))
        };
        self.boundaries.iter().find(ends).map_or(u32::MAX, |hit| hit.start)
    }

    /// Behind the first unit from a character on.
    fn behind_first(&self, from: u32) -> u32 {
        let first = self.units.first_from(from);
        if first < self.units.list.len() { self.units.at(first) + 1 } else { from }
    }
}

/// Where the clause ends that goes on at a character, a pause before the first `skip` units from there aside.
fn clause_end(units: &Units, from: u32, skip: usize) -> u32 {
    gap(units, from, skip, if units.scattered() { Gap::Sentence } else { Gap::Clause })
}

/// The first unit from a character on, `skip` units aside, that such a gap stands before.
fn gap(units: &Units, from: u32, skip: usize, least: Gap) -> u32 {
    let rest = units.first_from(from) + skip;
    (rest..units.list.len()).find(|&index| units.get(index).gap() >= least).map_or(u32::MAX, |index| units.at(index))
}

/// Whether a hit is a statement that a cue of this kind can take back.
fn may_take(script: &Script, cue: Cue, hit: &Hit) -> bool {
    concept_of(script, hit).is_some_and(|concept| yields(script, concept, cue))
}

/// The category or question of a hit.
fn concept_of(script: &Script, hit: &Hit) -> Option<ConceptIndex> {
    match script.customer_list(hit.list) {
        Some(CustomerList::Concept(concept)) => Some(concept),
        _ => None,
    }
}

/// Whether the one holds all of the other.
fn contains(one: &Hit, other: &Hit) -> bool {
    one.start <= other.start && other.end <= one.end
}

/// Whether a hit is a part of another.
fn inside(hit: &Hit, whole: &Hit) -> bool {
    contains(whole, hit) && !contains(hit, whole)
}

#[cfg(test)]
mod tests;
