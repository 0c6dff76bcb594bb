//! Keyword lists, compiled: phrases, patterns and exceptions of many lists, found in one pass over a text.

mod needs;
mod pattern;
mod program;
mod resolve;

use regex::Regex;
use rustc_hash::FxHashMap;

use self::pattern::{Due, Normal, Pattern};
use self::program::Characters;
use self::resolve::{RawHit, resolve};
use super::text::clause::{ends_clause, starts_clause};
use super::text::fold::TABLES;
use super::text::trie::{Listed, Span, Trie, TrieBuilder};
use super::text::units::{Gap, Units};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// The phrase stands in the text as listed.
    Exact,
    /// It does after normalisation.
    Normalised,
    /// It sounds like it: a recogniser's homophone error.
    Pinyin,
    /// A pattern holds.
    Pattern,
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

/// Most hits kept of one text: beyond, they add nothing to a verdict.
const MOST_HITS: usize = 512;
/// Most places of one text where patterns are tried.
const MOST_DUE: usize = 4_096;
/// Fewest characters of a phrase that is looked for by sound: shorter ones have too many innocent homophones.
pub const PINYIN_MIN: usize = 3;

/// Memory reused between texts by one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) units: Units,
    raw: Vec<RawHit>,
    normal: Normal,
    due: Vec<Due>,
}

/// Many lists, compiled into one matcher.
#[derive(Debug)]
pub struct Lexicon {
    lists: Box<[List]>,
    entries: Box<[Entry]>,
    /// Phrases by their characters, and the literals that patterns are anchored at.
    chars: Trie,
    /// Phrases by their syllables.
    sounds: Trie,
    patterns: Box<[Pattern]>,
    /// Patterns without a literal that must occur: run on every text.
    always: Box<[u32]>,
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

/// What the trie tells of a phrase beside its number: one bit each.
mod mark {
    pub(super) const EXCEPTION: u8 = 1;
    pub(super) const AT_START: u8 = 2;
    pub(super) const AT_END: u8 = 4;
    /// Begins or ends with a Latin letter or a digit: no part of a longer word.
    pub(super) const LATIN: u8 = 8;
    /// The anchor of a pattern, whose number stands for the entry and whose way stands for the list.
    pub(super) const ANCHOR: u8 = 16;
}

impl Lexicon {
    /// Compiles lists and their entries.
    ///
    /// # Errors
    /// The first pattern that is no regular expression or grows over [`PATTERN_SIZE_LIMIT`].
    pub fn new(lists: Vec<List>, entries: Vec<Entry>) -> Result<Self, PatternError> {
        let mut chars = TrieBuilder::default();
        let mut sounds = TrieBuilder::default();
        let mut patterns = Vec::new();
        let mut always = Vec::new();
        let mut units = Units::default();
        let frequencies = frequencies(&entries, &mut units);
        for (number, entry) in entries.iter().enumerate() {
            let id = number as EntryId;
            match entry.kind {
                EntryKind::Phrase => {
                    let symbols = symbols(&entry.text, &mut units);
                    let listed = Listed::new(id, entry.list, marks(entry, &symbols));
                    chars.add(&symbols, listed);
                    let by_sound = lists.get(usize::from(entry.list)).is_some_and(|list| list.pinyin) && !entry.exception;
                    if by_sound && symbols.len() >= PINYIN_MIN {
                        let syllables: Vec<u16> = units.list.iter().map(|unit| unit.sound).collect();
                        if syllables.iter().all(|&syllable| syllable != 0) {
                            sounds.add(&syllables, listed);
                        }
                    }
                }
                EntryKind::Pattern => {
                    let wrong = |reason| PatternError { entry: number, reason };
                    compile_pattern(&entry.text).map_err(wrong)?;
                    let (pattern, anchors) = Pattern::compile(&entry.text, id, &frequencies).map_err(wrong)?;
                    let place = patterns.len() as u32;
                    if anchors.is_empty() {
                        always.push(place);
                    }
                    for (way, literal) in anchors {
                        chars.add(&symbols(&literal, &mut units), Listed::new(place, way, mark::ANCHOR));
                    }
                    patterns.push(pattern);
                }
            }
        }
        Ok(Self {
            lists: lists.into(),
            entries: entries.into(),
            chars: chars.build(),
            sounds: sounds.build(),
            patterns: patterns.into(),
            always: always.into(),
        })
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
        self.read_units(scratch, 0)
    }

    /// As [`read`](Self::read), of the text last cut into `scratch`, from the unit at `from` on.
    pub(crate) fn read_units(&self, scratch: &mut Scratch, from: usize) -> Hits {
        let Scratch { units, raw, normal, due } = scratch;
        raw.clear();
        due.clear();
        let scattered = units.scattered();
        self.chars.scan(units, from, |listed, span| {
            if listed.marks & mark::ANCHOR != 0 {
                if !span.skipped && (span.widest < Gap::Clause || scattered) && due.len() < MOST_DUE {
                    due.push(Due { pattern: listed.entry, way: listed.list, at: span.start as u32 });
                }
            } else if raw.len() < MOST_HITS && fits(listed.marks, &span, units, scattered) {
                raw.push(raw_hit(listed, &span, units, exactness(&span, units)));
            }
        });
        due.extend(self.always.iter().map(|&pattern| Due { pattern, way: Due::ANYWHERE, at: from as u32 }));
        self.keep_possible(due, units, from);
        normal.forget();
        self.run_patterns(false, due, units, from, normal, raw);
        let exact = raw.len();
        if !self.sounds.is_empty() {
            let widest = if scattered { Gap::Clause } else { Gap::Dropped };
            self.sounds.scan_sounds(units, from, widest, |listed, span| {
                if raw.len() < MOST_HITS
                    && fits(listed.marks, &span, units, scattered)
                    && let Some(entry) = self.entries.get(listed.entry as usize)
                    && sounds_only(entry, &span, units)
                {
                    raw.push(raw_hit(listed, &span, units, Match::Pinyin));
                }
            });
        }
        self.run_patterns(true, due, units, from, normal, raw);
        resolve(&self.lists, raw, exact)
    }

    /// Leaves of the patterns that are due those whose every part the text may have.
    fn keep_possible(&self, due: &mut Vec<Due>, units: &Units, from: usize) {
        if due.is_empty() {
            return;
        }
        let seen = Characters::of(units.list.iter().skip(from).map(|unit| unit.ch));
        due.retain(|due| self.patterns.get(due.pattern as usize).is_some_and(|pattern| pattern.may_match(due.way, &seen)));
        due.sort_unstable_by_key(|due| (due.pattern, due.at));
    }

    /// Runs the patterns that are due, exceptions or all others.
    fn run_patterns(&self, exceptions: bool, due: &[Due], units: &Units, from: usize, normal: &mut Normal, raw: &mut Vec<RawHit>) {
        for due in due.chunk_by(|left, right| left.pattern == right.pattern) {
            let Some(pattern) = due.first().and_then(|due| self.patterns.get(due.pattern as usize)) else { continue };
            let Some(entry) = self.entries.get(pattern.entry as usize).filter(|entry| entry.exception == exceptions) else { continue };
            // Where its list has no hit, an exception has nothing to except.
            if exceptions && !raw.iter().any(|raw| raw.hit.list == entry.list) {
                continue;
            }
            normal.write(units, from);
            let listed = Listed::new(pattern.entry, entry.list, marks(entry, &[]));
            pattern.find(normal, from, due, |start, past| {
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
    let latin = |at: usize| units.list.get(at).is_some_and(|unit| unit.ch < 128);
    let cut_before = latin(span.start)
        && units.list.get(span.start).is_some_and(|unit| unit.gap < Gap::Clause)
        && span.start.checked_sub(1).is_some_and(latin);
    let cut_after = latin(span.end) && units.gap_after(span.end) < Gap::Clause && latin(span.end + 1);
    !cut_before && !cut_after
}

/// A text's folded characters.
fn symbols(text: &str, units: &mut Units) -> Box<[u16]> {
    units.cut(text);
    units.list.iter().map(|unit| unit.ch).collect()
}

/// How often each character occurs in the lists: what is common there is common in talk.
fn frequencies(entries: &[Entry], units: &mut Units) -> FxHashMap<u16, f64> {
    let mut counts: FxHashMap<u16, f64> = FxHashMap::default();
    let mut total = 1.0;
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Phrase) {
        units.cut(&entry.text);
        for unit in &units.list {
            *counts.entry(unit.ch).or_default() += 1.0;
            total += 1.0;
        }
    }
    counts.values_mut().for_each(|count| *count /= total);
    counts
}

/// Compiles a list's pattern under the size limit.
///
/// # Errors
/// What the regex crate says, in one line.
pub fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(pattern).size_limit(PATTERN_SIZE_LIMIT).dfa_size_limit(1 << 20).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => format!("the pattern is too large: compiled it takes over {limit} bytes"),
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

#[inline]
fn raw_hit(listed: Listed, span: &Span, units: &Units, how: Match) -> RawHit {
    let at = |index: usize| units.list.get(index).map_or(0, |unit| unit.at);
    let hit = Hit { entry: listed.entry, start: at(span.start), end: at(span.end) + 1, list: listed.list, how };
    RawHit { hit, exception: listed.marks & mark::EXCEPTION != 0, number: 0 }
}

#[inline]
fn exactness(span: &Span, units: &Units) -> Match {
    let inner = || units.list.get(span.start..=span.end).unwrap_or_default();
    let as_listed = span.widest == Gap::None && !span.skipped && (!units.folded || inner().iter().all(|unit| !unit.folded));
    if as_listed { Match::Exact } else { Match::Normalised }
}

/// Whether the text at `span` differs from the phrase, but not by more than half its characters.
fn sounds_only(entry: &Entry, span: &Span, units: &Units) -> bool {
    let mut total = 0usize;
    let mut equal = 0usize;
    let spoken = units.list.get(span.start..=span.end).unwrap_or_default();
    for (c, unit) in entry.text.chars().filter(|c| c.is_alphanumeric()).zip(spoken) {
        total += 1;
        equal += usize::from(TABLES.of(c).ch() == unit.ch);
    }
    equal < total && equal * 2 >= total
}
