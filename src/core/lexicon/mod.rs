//! Keyword lists, compiled: phrases, patterns and exceptions of many lists, found in one pass over a text.

mod matcher;
mod needs;
mod pattern;
mod program;
mod resolve;

use rustc_hash::FxHashMap;

use self::matcher::{Matcher, MatcherBuilder};
use self::pattern::{Due, Normal};
use self::resolve::{RawHit, give_way, resolve};
use super::learned::Workspace;
use super::text::units::Units;

pub(crate) use self::needs::needs_nothing;
pub use self::resolve::Hits;

/// The number of a list's line in its [`Lexicon`].
pub type EntryId = u32;

/// A list's number in its [`Lexicon`].
pub type ListId = u16;

/// What a list is and how it is matched.
#[derive(Debug, Clone)]
pub struct List {
    /// The name its file has, `refuse` or `robot/offer`.
    pub name: Box<str>,
    /// Lists of one group compete: of two phrases of the group, one inside the other, the longer wins.
    pub group: u16,
    /// Phrases of three characters and more are also found by sound.
    pub pinyin: bool,
    /// It is read only where nothing else tells what a text means, as small talk is.
    pub aside: bool,
    /// Its phrases tell how others are meant and mean nothing themselves: one that stands where another is heard does not gainsay it.
    pub cue: bool,
}

/// One line of a list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The list it stands in.
    pub list: ListId,
    /// As written, without marks.
    pub text: Box<str>,
    /// What it does.
    pub kind: EntryKind,
    /// Found only where a clause begins.
    pub at_start: bool,
    /// Found only where a clause ends.
    pub at_end: bool,
    /// Hits of the list inside this one do not count.
    pub exception: bool,
}

/// A phrase or a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Looked for as it stands.
    Phrase,
    /// A regular expression over the normalised text.
    Pattern,
}

/// How a hit was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// The phrase stands in the text as listed.
    Exact,
    /// It does after normalisation.
    Normalised,
    /// It sounds like it: a recogniser's homophone error.
    Pinyin,
    /// A pattern holds.
    Pattern,
    /// It resembles examples.
    Learned,
    /// An answer means it after the robot's line.
    Context,
    /// The dialer said so.
    Reported,
}

/// One phrase found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The line of the list.
    pub entry: EntryId,
    /// First character in the original text, in Unicode scalar values.
    pub start: u32,
    /// Past the last one.
    pub end: u32,
    /// The list.
    pub list: ListId,
    /// How it was found.
    pub how: Match,
}

/// Fewest characters of a phrase that is looked for by sound: shorter ones have too many innocent homophones.
pub const PINYIN_MIN: usize = 3;

/// Memory reused between texts by one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) units: Units,
    raw: Vec<RawHit>,
    normal: Normal,
    due: Vec<Due>,
    /// The text last read has an exception of a list.
    pub(crate) excepted: bool,
    pub(crate) learned: Workspace,
}

/// Many lists, compiled: two matchers, of the lists that are always read and of the asides, or a third of both.
#[derive(Debug)]
pub struct Lexicon {
    lists: Box<[List]>,
    entries: Box<[Entry]>,
    main: Matcher,
    asides: Matcher,
    /// Of all lists, for texts of which both kinds are read; `None` where some are looked for by sound, which depends on what else
    /// stands there.
    all: Option<Matcher>,
}

/// A pattern that could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The entry's number as it was given.
    pub entry: usize,
    /// What the regex crate says.
    pub reason: String,
}

/// Largest compiled pattern, in bytes: enough for any list line, and a bound on what a bundle may cost.
pub const PATTERN_SIZE_LIMIT: usize = 256 * 1024;

impl Lexicon {
    /// Compiles lists and their entries.
    ///
    /// # Errors
    /// Every pattern that is no regular expression or grows over [`PATTERN_SIZE_LIMIT`].
    pub fn new(lists: Vec<List>, entries: Vec<Entry>) -> Result<Self, Vec<PatternError>> {
        let mut units = Units::default();
        let frequencies = frequencies(&entries, &mut units);
        let (mut main, mut asides) = (MatcherBuilder::default(), MatcherBuilder::default());
        let together = lists.iter().any(|list| list.aside) && !lists.iter().any(|list| list.pinyin);
        let mut all = together.then(MatcherBuilder::default);
        let mut errors = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            let list = lists.get(usize::from(entry.list));
            let matcher = if list.is_some_and(|list| list.aside) { &mut asides } else { &mut main };
            let pinyin = list.is_some_and(|list| list.pinyin);
            let mut add = |matcher: &mut MatcherBuilder| matcher.add(number as EntryId, entry, pinyin, &frequencies, &mut units);
            if let Err(reason) = add(matcher).and_then(|()| all.as_mut().map_or(Ok(()), add)) {
                errors.push(PatternError { entry: number, reason });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let all = all.map(MatcherBuilder::build);
        Ok(Self { lists: lists.into(), entries: entries.into(), main: main.build(), asides: asides.build(), all })
    }

    /// The lists.
    #[must_use]
    pub fn lists(&self) -> &[List] {
        &self.lists
    }

    /// A list's line by its number.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(id as usize)
    }

    /// All lines of all lists.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Finds what the lists hold in `text`, exceptions and competing lists resolved, in the order of the text.
    #[must_use]
    pub fn read(&self, text: &str, scratch: &mut Scratch) -> Hits {
        scratch.units.cut(text);
        let mut hits = self.read_units(scratch);
        hits.extend(self.read_asides(scratch));
        hits.sort_by_key(|hit| (hit.start, hit.end, hit.list));
        hits
    }

    /// As [`read`](Self::read), asides left out, of the text last cut into `scratch`.
    pub(crate) fn read_units(&self, scratch: &mut Scratch) -> Hits {
        let exact = self.main.find(&self.entries, scratch);
        let mut hits = resolve(&self.lists, &mut scratch.raw, exact);
        scratch.excepted = scratch.raw.iter().any(RawHit::is_exception);
        if hits.iter().any(|hit| hit.how == Match::Pinyin) && !self.asides.is_empty() {
            let words = self.asides.find(&self.entries, scratch);
            give_way(&mut hits, scratch.raw.get(..words).unwrap_or_default());
        }
        hits
    }

    /// What the asides hold of the text last cut into `scratch`: small talk, that matters only where it is all that is said.
    pub(crate) fn read_asides(&self, scratch: &mut Scratch) -> Hits {
        let exact = self.asides.find(&self.entries, scratch);
        resolve(&self.lists, &mut scratch.raw, exact)
    }

    /// As [`read_units`](Self::read_units) and [`read_asides`](Self::read_asides), of the text last cut into `scratch`.
    pub(crate) fn read_both(&self, scratch: &mut Scratch) -> (Hits, Hits) {
        let Some(all) = &self.all else { return (self.read_units(scratch), self.read_asides(scratch)) };
        all.find(&self.entries, scratch);
        let raw = scratch.raw.as_mut_slice();
        // Each resolved by itself, in the order of finding, which the sort keeps.
        raw.sort_by_key(|found| self.is_aside(found));
        let (main, asides) = raw.split_at_mut(raw.partition_point(|found| !self.is_aside(found)));
        scratch.excepted = main.iter().any(RawHit::is_exception);
        let (main_exact, asides_exact) = (main.len(), asides.len());
        (resolve(&self.lists, main, main_exact), resolve(&self.lists, asides, asides_exact))
    }

    fn is_aside(&self, found: &RawHit) -> bool {
        self.lists.get(usize::from(found.hit.list)).is_some_and(|list| list.aside)
    }

    /// Whether asides may be all that the text holds; true also where there are none. A cheap look that most texts fail at their
    /// first word.
    pub(crate) fn may_be_aside(&self, units: &Units) -> bool {
        self.asides.is_empty() || self.asides.may_cover(units)
    }
}

/// How often each character occurs in the lists: what is common there is common in talk.
fn frequencies(entries: &[Entry], units: &mut Units) -> FxHashMap<u16, f64> {
    let mut counts: FxHashMap<u16, f64> = FxHashMap::default();
    let mut total = 1.0;
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Phrase) {
        units.cut(&entry.text);
        for unit in &units.list {
            *counts.entry(unit.ch()).or_default() += 1.0;
            total += 1.0;
        }
    }
    counts.values_mut().for_each(|count| *count /= total);
    counts
}
