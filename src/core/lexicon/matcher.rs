//! Lists compiled to be found in one pass over a text: phrases, patterns, and phrases by their sound.

use std::cell::Cell;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::pattern::{Anchors, Due, Near, Normal, Pattern};
use super::resolve::RawHit;
use super::{Entry, EntryId, EntryKind, Hit, Match, PINYIN_MIN, Scratch};
use crate::core::text::clause::{ends_clause, starts_clause};
use crate::core::text::fold::TABLES;
use crate::core::text::trie::{Listed, Span, Trie, TrieBuilder};
use crate::core::text::units::{Gap, Units};

/// Most hits kept of one text: beyond, they add nothing to a verdict.
const MOST_HITS: usize = 512;
/// Most places of one text where patterns are tried.
const MOST_DUE: usize = 4_096;

/// What the trie tells of a phrase beside its number: one bit each.
mod mark {
    pub(super) const EXCEPTION: u8 = 1;
    pub(super) const AT_START: u8 = 2;
    pub(super) const AT_END: u8 = 4;
    /// Begins or ends with a Latin letter or a digit: no part of a longer word.
    pub(super) const LATIN: u8 = 8;
    /// The anchor of a pattern: its number stands for the entry.
    pub(super) const ANCHOR: u8 = 16;
}

/// What literals that a pattern is anchored at stand for.
#[derive(Debug)]
struct Anchor {
    pattern: u32,
    way: u16,
    /// Which of all [`Near`]s have to be met.
    needs: Range<usize>,
}

#[derive(Debug, Default)]
pub(super) struct MatcherBuilder {
    chars: TrieBuilder,
    sounds: TrieBuilder,
    patterns: Vec<Pattern>,
    anchors: Vec<Anchor>,
    needs: Vec<Near>,
    always: Vec<u32>,
}

impl MatcherBuilder {
    /// Adds a list's line.
    ///
    /// # Errors
    /// What is wrong with a pattern.
    pub(super) fn add(
        &mut self,
        id: EntryId,
        entry: &Entry,
        pinyin: bool,
        frequencies: &FxHashMap<u16, f64>,
        units: &mut Units,
    ) -> Result<(), String> {
        match entry.kind {
            EntryKind::Phrase => {
                let symbols = symbols(&entry.text, units);
                let listed = Listed::new(id, entry.list, marks(entry, &symbols));
                if entry.at_start {
                    self.chars.add_opening(&symbols, listed);
                } else {
                    self.chars.add(&symbols, listed);
                }
                if pinyin && !entry.exception && symbols.len() >= PINYIN_MIN {
                    let syllables: Vec<u16> = units.list.iter().map(|unit| unit.sound()).collect();
                    if syllables.iter().all(|&syllable| syllable != 0) {
                        self.sounds.add(&syllables, listed);
                    }
                }
            }
            EntryKind::Pattern => {
                let (pattern, anchors) = Pattern::compile(&entry.text, id, frequencies)?;
                let place = self.patterns.len() as u32;
                if anchors.is_empty() {
                    self.always.push(place);
                }
                for Anchors { way, literals, needs } in anchors {
                    let listed = Listed::new(self.anchors.len() as u32, 0, mark::ANCHOR);
                    literals.iter().for_each(|literal| self.chars.add(&symbols(literal, units), listed));
                    let from = self.needs.len();
                    self.needs.extend(needs);
                    self.anchors.push(Anchor { pattern: place, way, needs: from..self.needs.len() });
                }
                self.patterns.push(pattern);
            }
        }
        Ok(())
    }

    pub(super) fn build(self) -> Matcher {
        Matcher {
            chars: self.chars.build(),
            sounds: self.sounds.build(),
            patterns: self.patterns.into(),
            anchors: self.anchors.into(),
            needs: self.needs.into(),
            always: self.always.into(),
        }
    }
}

/// Lists, ready to be looked for.
#[derive(Debug)]
pub(super) struct Matcher {
    /// Phrases by their characters, and the literals that patterns are anchored at.
    chars: Trie,
    /// Phrases by their syllables.
    sounds: Trie,
    patterns: Box<[Pattern]>,
    anchors: Box<[Anchor]>,
    needs: Box<[Near]>,
    /// Patterns without a literal that must occur: run on every text.
    always: Box<[u32]>,
}

impl Matcher {
    /// Whether nothing can be found.
    pub(super) fn is_empty(&self) -> bool {
        self.chars.is_empty() && self.patterns.is_empty()
    }

    /// Finds all that stands in the text last cut into `scratch`, and writes it to its `raw`: first what was found as words, as
    /// many as are returned.
    pub(super) fn find(&self, entries: &[Entry], scratch: &mut Scratch) -> usize {
        let Scratch { units, raw, normal, due, .. } = scratch;
        raw.clear();
        due.clear();
        let scattered = units.scattered();
        self.chars.scan(units, |listed, span| {
            let whole = !span.skipped && (span.widest < Gap::Clause || scattered);
            for &listed in listed {
                if listed.marks & mark::ANCHOR != 0 {
                    if whole
                        && due.len() < MOST_DUE
                        && let Some(here) = self.due_at(listed, span.start, units)
                    {
                        due.push(here);
                    }
                } else if raw.len() < MOST_HITS && fits(listed.marks, &span, units, scattered) {
                    raw.push(raw_hit(listed, &span, units, exactness(&span, units)));
                }
            }
        });
        let phrases = raw.len();
        due.extend(self.always.iter().map(|&pattern| Due { pattern, way: Due::ANYWHERE, at: 0 }));
        due.sort_unstable_by_key(|due| (due.pattern, due.at));
        if !due.is_empty() {
            normal.forget();
            self.run_patterns(entries, false, due, units, normal, raw);
        }
        let exact = raw.len();
        if !self.sounds.is_empty() {
            let widest = if scattered { Gap::Clause } else { Gap::Dropped };
            self.sounds.scan_sounds(units, widest, |listed, span| {
                // What stands there as listed needs no slip of the recogniser to explain it.
                let place = units.places(span.start, span.end);
                if raw.get(..phrases).unwrap_or_default().iter().any(|phrase| (phrase.hit.start, phrase.hit.end) == place) {
                    return;
                }
                for &listed in listed {
                    if raw.len() < MOST_HITS
                        && fits(listed.marks, &span, units, scattered)
                        && let Some(entry) = entries.get(listed.entry as usize)
                        && sounds_only(entry, &span, units)
                    {
                        raw.push(raw_hit(listed, &span, units, Match::Pinyin));
                    }
                }
            });
        }
        if !due.is_empty() {
            self.run_patterns(entries, true, due, units, normal, raw);
        }
        exact
    }

    /// Whether phrases may cover every word of a text. No false "no".
    pub(super) fn may_cover(&self, units: &Units) -> bool {
        if !self.patterns.is_empty() {
            return true;
        }
        let list = units.list.as_slice();
        let reach = Cell::new(0);
        let bare = |at: usize| at >= reach.get() && list.get(at).is_some_and(|unit| unit.word());
        for place in 0..list.len() {
            if let Some(before) = place.checked_sub(1).filter(|&before| bare(before)) {
                return self.sounds.may_reach(units, before);
            }
            self.chars.find_at(units, place, &mut |_, span: Span| reach.set(reach.get().max(span.end + 1)));
        }
        list.len().checked_sub(1).filter(|&last| bare(last)).is_none_or(|last| self.sounds.may_reach(units, last))
    }

    /// The pattern that is to be tried around an anchor at a unit; `None` where something that it needs is not near.
    fn due_at(&self, listed: Listed, at: usize, units: &Units) -> Option<Due> {
        let anchor = self.anchors.get(listed.entry as usize)?;
        let met = self.needs.get(anchor.needs.clone())?.iter().all(|need| need.is_met(units, at));
        met.then_some(Due { pattern: anchor.pattern, way: anchor.way, at: at as u32 })
    }

    /// Runs the patterns that are due, exceptions or all others.
    fn run_patterns(&self, entries: &[Entry], exceptions: bool, due: &[Due], units: &Units, normal: &mut Normal, raw: &mut Vec<RawHit>) {
        for due in due.chunk_by(|left, right| left.pattern == right.pattern) {
            let Some(pattern) = due.first().and_then(|due| self.patterns.get(due.pattern as usize)) else { continue };
            let Some(entry) = entries.get(pattern.entry as usize).filter(|entry| entry.exception == exceptions) else { continue };
            // Where its list has no hit, an exception has nothing to except.
            if exceptions && !raw.iter().any(|raw| raw.hit.list == entry.list) {
                continue;
            }
            normal.write(units);
            let listed = Listed::new(pattern.entry, entry.list, marks(entry, &[]));
            pattern.find(normal, due, |start, past| {
                if raw.len() < MOST_HITS {
                    let span = Span { start, end: past - 1, widest: Gap::None, skipped: false };
                    raw.push(raw_hit(listed, &span, units, Match::Pattern));
                }
            });
        }
    }
}

fn marks(entry: &Entry, symbols: &[u16]) -> u8 {
    let when = |is: bool, mark: u8| if is { mark } else { 0 };
    let latin = |symbol: Option<&u16>| symbol.is_some_and(|&symbol| symbol < 128);
    when(entry.exception, mark::EXCEPTION)
        | when(entry.at_start, mark::AT_START)
        | when(entry.at_end, mark::AT_END)
        | when(latin(symbols.first()) || latin(symbols.last()), mark::LATIN)
}

/// Whether what was found may count where it stands: anchors, gaps, word boundaries of Latin letters.
#[inline]
fn fits(marks: u8, span: &Span, units: &Units, scattered: bool) -> bool {
    let length = span.end - span.start + 1;
    if span.widest >= Gap::Clause && !scattered && (marks & mark::EXCEPTION != 0 || length < 3) {
        return false;
    }
    (marks & mark::AT_START == 0 || starts_clause(units, span.start, length))
        && (marks & mark::AT_END == 0 || ends_clause(units, span.end, length))
        && (marks & mark::LATIN == 0 || is_whole_word(span, units))
}

/// Whether no Latin letter or digit goes on beside one.
fn is_whole_word(span: &Span, units: &Units) -> bool {
    let latin = |at: usize| units.list.get(at).is_some_and(|unit| unit.ch() < 128);
    let cut_before = latin(span.start)
        && units.list.get(span.start).is_some_and(|unit| unit.gap() < Gap::Clause)
        && span.start.checked_sub(1).is_some_and(latin);
    let cut_after = latin(span.end) && units.gap_after(span.end) < Gap::Clause && latin(span.end + 1);
    !cut_before && !cut_after
}

/// A text's folded characters.
fn symbols(text: &str, units: &mut Units) -> Box<[u16]> {
    units.cut(text);
    units.list.iter().map(|unit| unit.ch()).collect()
}

#[inline]
fn raw_hit(listed: Listed, span: &Span, units: &Units, how: Match) -> RawHit {
    let (start, end) = units.places(span.start, span.end);
    let hit = Hit { entry: listed.entry, start, end, list: listed.list, how };
    RawHit { hit, exception: listed.marks & mark::EXCEPTION != 0, number: 0 }
}

#[inline]
fn exactness(span: &Span, units: &Units) -> Match {
    let inner = || units.list.get(span.start..=span.end).unwrap_or_default();
    let as_listed = span.widest == Gap::None && !span.skipped && inner().iter().all(|unit| !unit.folded());
    if as_listed { Match::Exact } else { Match::Normalised }
}

/// Whether the text at `span` differs from the phrase, but not by more than half its characters.
fn sounds_only(entry: &Entry, span: &Span, units: &Units) -> bool {
    let mut total = 0usize;
    let mut equal = 0usize;
    let spoken = units.list.get(span.start..=span.end).unwrap_or_default();
    for (c, unit) in entry.text.chars().filter(|c| c.is_alphanumeric()).zip(spoken) {
        total += 1;
        equal += usize::from(TABLES.of(c).ch() == unit.ch());
    }
    equal < total && equal * 2 >= total
}
