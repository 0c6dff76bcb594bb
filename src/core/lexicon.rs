//! Keyword lists, compiled: phrases, patterns and exceptions of many lists, found in one pass over a text.

use std::collections::BTreeSet;

use regex::Regex;
use smallvec::SmallVec;

use super::text::fold::TABLES;
use super::text::trie::{EntryId, Found, Trie, TrieBuilder, is_hesitation};
use super::text::units::{Gap, Units};

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

impl Hit {
    fn inside(&self, other: &Self) -> bool {
        other.start <= self.start && self.end <= other.end
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    fn len(&self) -> u32 {
        self.end - self.start
    }
}

/// Hits of one text; most have few.
pub type Hits = SmallVec<[Hit; 4]>;

/// Most hits kept of one text: beyond, they add nothing to a verdict.
const MOST_HITS: usize = 512;
/// Fewest characters of a phrase that is looked for by sound: shorter ones have too many innocent homophones.
pub const PINYIN_MIN: usize = 3;

/// Memory reused between texts by one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) units: Units,
    raw: Vec<RawHit>,
    normal: String,
    offsets: Vec<u32>,
    patterns: BTreeSet<u32>,
}

#[derive(Debug, Clone, Copy)]
struct RawHit {
    hit: Hit,
    exception: bool,
}

/// A compiled pattern.
#[derive(Debug)]
struct Pattern {
    entry: EntryId,
    regex: Regex,
}

/// Many lists, compiled into one matcher.
#[derive(Debug)]
pub struct Lexicon {
    lists: Box<[List]>,
    entries: Box<[Entry]>,
    chars: Trie,
    sounds: Trie,
    patterns: Box<[Pattern]>,
    /// Patterns without a literal that must occur: run on every text.
    always: Box<[u32]>,
    /// Entry ids from here on are triggers of patterns.
    triggers: Box<[u32]>,
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
    /// The first pattern that is no regular expression or grows over [`PATTERN_SIZE_LIMIT`].
    pub fn new(lists: Vec<List>, entries: Vec<Entry>) -> Result<Self, PatternError> {
        let mut chars = TrieBuilder::new();
        let mut sounds = TrieBuilder::new();
        let mut patterns = Vec::new();
        let mut always = Vec::new();
        let mut triggers = Vec::new();
        let mut units = Units::default();
        for (number, entry) in entries.iter().enumerate() {
            let id = number as EntryId;
            match entry.kind {
                EntryKind::Phrase => {
                    units.cut(&entry.text);
                    let symbols: Vec<u16> = units.list.iter().map(|unit| unit.ch).collect();
                    chars.add(&symbols, id);
                    let by_sound = lists.get(usize::from(entry.list)).is_some_and(|list| list.pinyin) && !entry.exception;
                    if by_sound && symbols.len() >= PINYIN_MIN {
                        let syllables: Vec<u16> = symbols.iter().map(|&ch| syllable(ch)).collect();
                        if syllables.iter().all(|&syllable| syllable != 0) {
                            sounds.add(&syllables, id);
                        }
                    }
                }
                EntryKind::Pattern => {
                    let regex = compile_pattern(&entry.text).map_err(|reason| PatternError { entry: number, reason })?;
                    let pattern = patterns.len() as u32;
                    match super::pattern::required_literals(&entry.text) {
                        Some(literals) => {
                            for literal in literals {
                                units.cut(&literal);
                                let symbols: Vec<u16> = units.list.iter().map(|unit| unit.ch).collect();
                                chars.add(&symbols, (entries.len() + triggers.len()) as EntryId);
                                triggers.push(pattern);
                            }
                        }
                        None => always.push(pattern),
                    }
                    patterns.push(Pattern { entry: id, regex });
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
            triggers: triggers.into(),
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
        let Scratch { units, raw, normal, offsets, patterns } = scratch;
        raw.clear();
        patterns.clear();
        let scattered = scattered(units);
        self.chars.scan(units, from, |ch| ch, |found| {
            match self.entries.get(found.entry as usize) {
                Some(entry) => {
                    if raw.len() < MOST_HITS && self.fits(entry, &found, units, scattered) {
                        raw.push(raw_hit(entry, &found, units, exactness(&found, units)));
                    }
                }
                None => {
                    let trigger = found.entry as usize - self.entries.len();
                    patterns.extend(self.triggers.get(trigger));
                }
            }
        });
        patterns.extend(self.always.iter());
        if !patterns.is_empty() {
            normalise(units, from, scattered, normal, offsets);
            for pattern in patterns.iter().filter_map(|&number| self.patterns.get(number as usize)) {
                self.run(pattern, units, from, normal, offsets, raw);
            }
        }
        let exact = raw.len();
        if !self.sounds.is_empty() {
            self.sounds.scan(units, from, syllable, |found| {
                if raw.len() < MOST_HITS
                    && found.widest <= if scattered { Gap::Clause } else { Gap::Dropped }
                    && let Some(entry) = self.entries.get(found.entry as usize)
                    && self.fits(entry, &found, units, scattered)
                    && sounds_only(entry, &found, units)
                {
                    raw.push(raw_hit(entry, &found, units, Match::Pinyin));
                }
            });
        }
        self.resolve(raw, exact)
    }

    /// Whether what was found may count where it stands: anchors, gaps, word boundaries of Latin letters.
    fn fits(&self, entry: &Entry, found: &Found, units: &Units, scattered: bool) -> bool {
        let length = found.end - found.start + 1;
        if found.widest >= Gap::Clause && !scattered && (entry.exception || length < 3) {
            return false;
        }
        if entry.at_start && !starts_clause(units, found.start, length) || entry.at_end && !ends_clause(units, found.end, length) {
            return false;
        }
        let latin = |at: usize| units.list.get(at).is_some_and(|unit| unit.ch < 128);
        let cut_before = latin(found.start)
            && found.start > 0
            && units.list.get(found.start).is_some_and(|unit| unit.gap < Gap::Clause)
            && latin(found.start - 1);
        let cut_after = latin(found.end) && units.gap_after(found.end) < Gap::Clause && latin(found.end + 1);
        !cut_before && !cut_after
    }

    fn run(&self, pattern: &Pattern, units: &Units, from: usize, normal: &str, offsets: &[u32], raw: &mut Vec<RawHit>) {
        let Some(entry) = self.entries.get(pattern.entry as usize) else { return };
        let unit_at = |byte: usize| from + offsets.partition_point(|&offset| (offset as usize) < byte);
        for found in pattern.regex.find_iter(normal) {
            let (start, past) = (unit_at(found.start()), unit_at(found.end()));
            if past <= start || raw.len() >= MOST_HITS {
                continue;
            }
            let found = Found { entry: pattern.entry, start, end: past - 1, widest: Gap::None, skipped: false };
            raw.push(raw_hit(entry, &found, units, Match::Pattern));
        }
    }

    /// Takes out what lies inside an exception or a longer competitor, and sounds where words were exact.
    fn resolve(&self, raw: &[RawHit], exact: usize) -> Hits {
        let mut hits = Hits::new();
        if raw.is_empty() {
            return hits;
        }
        let (exact_hits, _) = raw.split_at(exact.min(raw.len()));
        let group = |hit: &Hit| self.lists.get(usize::from(hit.list)).map_or(u16::MAX, |list| list.group);
        for (number, candidate) in raw.iter().enumerate().filter(|(_, candidate)| !candidate.exception) {
            let hit = &candidate.hit;
            let beaten = raw.iter().enumerate().any(|(other_number, other)| {
                let rival = &other.hit;
                if other.exception {
                    return rival.list == hit.list && hit.inside(rival);
                }
                if other_number == number || !hit.inside(rival) || group(hit) != group(rival) {
                    return false;
                }
                // Of equal spans the surer match stands, then the first.
                rival.len() > hit.len() || (rival.how, other_number) < (hit.how, number)
            });
            // Words that stand there as listed are no slip of the recogniser, unless they are part of what was heard.
            let heard_otherwise = hit.how == Match::Pinyin
                && exact_hits.iter().any(|other| {
                    let other = &other.hit;
                    other.list != hit.list && other.len() >= 2 && other.overlaps(hit) && !(other.inside(hit) && other.len() < hit.len())
                });
            if !beaten && !heard_otherwise {
                hits.push(*hit);
            }
        }
        hits.sort_by_key(|hit| (hit.start, hit.end, hit.list));
        hits
    }
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

fn syllable(ch: u16) -> u16 {
    TABLES.syllable.get(usize::from(ch)).copied().unwrap_or_default()
}

fn raw_hit(entry: &Entry, found: &Found, units: &Units, how: Match) -> RawHit {
    let at = |index: usize| units.list.get(index).map_or(0, |unit| unit.at);
    let hit = Hit { entry: found.entry, start: at(found.start), end: at(found.end) + 1, list: entry.list, how };
    RawHit { hit, exception: entry.exception }
}

fn exactness(found: &Found, units: &Units) -> Match {
    let inner = units.list.get(found.start..=found.end).unwrap_or_default();
    let as_listed = found.widest == Gap::None && !found.skipped && inner.iter().all(|unit| !unit.folded);
    if as_listed { Match::Exact } else { Match::Normalised }
}

/// A recogniser that puts spaces between characters says nothing about clauses: two thirds of the places have one.
fn scattered(units: &Units) -> bool {
    let places = units.list.len().saturating_sub(1);
    if places < 2 {
        return false;
    }
    let gaps = units.list.iter().skip(1).filter(|unit| unit.gap == Gap::Clause).count();
    gaps * 3 >= places * 2
}

/// Whether a clause begins at `start`, a hesitation or a repetition of the phrase before it aside.
fn starts_clause(units: &Units, start: usize, length: usize) -> bool {
    let list = units.list.as_slice();
    let mut at = start;
    loop {
        match list.get(at) {
            None => return false,
            Some(unit) if unit.gap >= Gap::Clause => return true,
            Some(_) => {}
        }
        let Some(before) = at.checked_sub(1).and_then(|before| list.get(before)) else { return true };
        if char::from_u32(u32::from(before.ch)).is_some_and(is_hesitation) || list.get(at).is_some_and(|unit| unit.ch == before.ch) {
            at -= 1;
        } else if at >= length && same(list, at - length, at, length) {
            at -= length;
        } else {
            return false;
        }
    }
}

/// Whether a clause ends after `end`, a hesitation, softener or repetition aside.
fn ends_clause(units: &Units, end: usize, length: usize) -> bool {
    let list = units.list.as_slice();
    let mut at = end;
    loop {
        if units.gap_after(at) >= Gap::Clause {
            return true;
        }
        let (Some(here), Some(next)) = (list.get(at), list.get(at + 1)) else { return true };
        let softener = char::from_u32(u32::from(next.ch)).is_some_and(|c| is_hesitation(c) || matches!(c, '哈' | '呀' | '哟'));
        if softener || here.ch == next.ch {
            at += 1;
        } else if at + 1 >= length && same(list, at + 1 - length, at + 1, length) {
            at += length;
        } else {
            return false;
        }
    }
}

fn same(list: &[super::text::units::Unit], left: usize, right: usize, length: usize) -> bool {
    match (list.get(left..left + length), list.get(right..right + length)) {
        (Some(left), Some(right)) => left.iter().zip(right).all(|(left, right)| left.ch == right.ch),
        _ => false,
    }
}

/// Whether the text at `found` differs from the phrase, but not by more than half its characters.
fn sounds_only(entry: &Entry, found: &Found, units: &Units) -> bool {
    if found.skipped {
        return false;
    }
    let mut total = 0usize;
    let mut equal = 0usize;
    let spoken = units.list.get(found.start..=found.end).unwrap_or_default();
    for (c, unit) in entry.text.chars().filter(|c| c.is_alphanumeric()).zip(spoken) {
        total += 1;
        let listed = TABLES.fold.get(c as usize).copied().unwrap_or_default();
        equal += usize::from(listed == unit.ch);
    }
    equal < total && equal * 2 >= total
}

/// The text that patterns see: folded, each run of spaces and punctuation one space; with each unit's byte offset.
fn normalise(units: &Units, from: usize, scattered: bool, normal: &mut String, offsets: &mut Vec<u32>) {
    normal.clear();
    offsets.clear();
    for unit in units.list.iter().skip(from) {
        if !normal.is_empty() && unit.gap >= Gap::Clause && !(scattered && unit.gap == Gap::Clause) {
            normal.push(' ');
        }
        offsets.push(normal.len() as u32);
        normal.push(char::from_u32(u32::from(unit.ch)).unwrap_or('\u{FFFD}'));
    }
}
