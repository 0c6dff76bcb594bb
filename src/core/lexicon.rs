//! Keyword lists, compiled: phrases, patterns and exceptions of many lists, found in one pass over a text.

use regex::Regex;
use regex_automata::{Input, meta};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::program::{Characters, Program, Ran};
use super::text::fold::TABLES;
use super::text::trie::{EntryId, Found, Trie, TrieBuilder, is_hesitation};
use super::text::units::{Gap, Unit, Units};

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
    normal: Normal,
    due: Vec<Due>,
    seen: Characters,
}

/// The text that patterns see: folded, each run of spaces and punctuation one space.
#[derive(Debug, Default)]
struct Normal {
    text: Vec<u16>,
    /// Of each unit, where it stands in `text`.
    places: Vec<u32>,
    stack: Vec<(u32, u32)>,
}

/// A pattern to be tried: an anchor of it stands in units `from..=to`.
#[derive(Debug, Clone, Copy)]
struct Due {
    pattern: u32,
    from: u32,
    to: u32,
}

#[derive(Debug, Clone, Copy)]
struct RawHit {
    hit: Hit,
    exception: bool,
    /// Its place in the order of finding.
    number: u32,
}

/// A compiled pattern.
#[derive(Debug)]
struct Pattern {
    entry: EntryId,
    /// What finds it in most texts; `None` where it is beyond that.
    program: Option<Program>,
    regex: meta::Regex,
    /// What a match needs before and after its anchor: of each group a literal that begins with one of these.
    before: Box<[Characters]>,
    after: Box<[Characters]>,
    /// Most characters of a match.
    longest: Option<usize>,
}

impl Pattern {
    /// Whether the text has all that a match needs: a cheap look before the nearer one.
    fn has_all(&self, seen: &Characters) -> bool {
        self.before.iter().chain(&self.after).all(|group| group.may_meet(seen))
    }

    /// Whether all that a match needs stands near the anchor.
    fn may_match(&self, due: Due, units: &Units) -> bool {
        let reach = self.longest.unwrap_or(units.list.len());
        let (from, to) = (due.from as usize, due.to as usize);
        let early = units.list.get(from.saturating_sub(reach)..to).unwrap_or_default();
        let late = units.list.get(from..units.list.len().min(to + reach + 1)).unwrap_or_default();
        let stands = |group: &Characters, near: &[Unit]| near.iter().any(|unit| group.may_hold(unit.ch));
        self.before.iter().all(|group| stands(group, early)) && self.after.iter().all(|group| stands(group, late))
    }
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
        let frequencies = frequencies(&entries, &mut units);
        for (number, entry) in entries.iter().enumerate() {
            let id = number as EntryId;
            match entry.kind {
                EntryKind::Phrase => {
                    let symbols = symbols(&entry.text, &mut units);
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
                    let wrong = |reason| PatternError { entry: number, reason };
                    compile_pattern(&entry.text).map_err(wrong)?;
                    let regex = meta::Regex::new(&entry.text).map_err(|error| wrong(error.to_string()))?;
                    let program = Program::compile(&entry.text);
                    let super::pattern::Needs { groups, longest } = super::pattern::needs(&entry.text);
                    let groups: Vec<Vec<Box<[u16]>>> =
                        groups.iter().map(|group| group.iter().map(|literal| symbols(literal, &mut units)).collect()).collect();
                    let pattern = patterns.len() as u32;
                    match rarest(&groups, &frequencies) {
                        Some(anchor) => {
                            for literal in groups.get(anchor).into_iter().flatten() {
                                chars.add(literal, (entries.len() + triggers.len()) as EntryId);
                                triggers.push(pattern);
                            }
                            let firsts =
                                |group: &Vec<Box<[u16]>>| Characters::of(group.iter().filter_map(|literal| literal.first().copied()));
                            let before = groups.iter().take(anchor).map(firsts).collect();
                            let after = groups.iter().skip(anchor + 1).map(firsts).collect();
                            patterns.push(Pattern { entry: id, program, regex, before, after, longest });
                        }
                        None => {
                            always.push(pattern);
                            patterns.push(Pattern { entry: id, program, regex, before: Box::default(), after: Box::default(), longest });
                        }
                    }
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
        let Scratch { units, raw, normal, due, seen } = scratch;
        raw.clear();
        due.clear();
        let scattered = scattered(units);
        self.chars.scan(
            units,
            from,
            |ch| ch,
            |found| match self.entries.get(found.entry as usize) {
                Some(entry) => {
                    if raw.len() < MOST_HITS && self.fits(entry, &found, units, scattered) {
                        raw.push(raw_hit(entry, &found, units, exactness(&found, units)));
                    }
                }
                None => {
                    let trigger = found.entry as usize - self.entries.len();
                    if let Some(&pattern) = self.triggers.get(trigger) {
                        let (from, to) = (found.start as u32, found.end as u32);
                        match due.iter_mut().find(|due| due.pattern == pattern) {
                            Some(due) => due.to = due.to.max(to),
                            None => due.push(Due { pattern, from, to }),
                        }
                    }
                }
            },
        );
        let last = units.list.len().saturating_sub(1) as u32;
        due.extend(self.always.iter().map(|&pattern| Due { pattern, from: from as u32, to: last }));
        if !due.is_empty() {
            seen.fill(units.list.iter().skip(from).map(|unit| unit.ch));
            due.retain(|due| self.patterns.get(due.pattern as usize).is_some_and(|pattern| pattern.has_all(seen)));
        }
        let mut ready = false;
        let mut try_patterns = |exceptions: bool, raw: &mut Vec<RawHit>| {
            for due in &*due {
                let Some(pattern) = self.patterns.get(due.pattern as usize) else { continue };
                let Some(entry) = self.entries.get(pattern.entry as usize).filter(|entry| entry.exception == exceptions) else { continue };
                // Where its list has no hit, an exception has nothing to except.
                let idle = exceptions && !raw.iter().any(|raw| raw.hit.list == entry.list);
                if idle || !pattern.may_match(*due, units) {
                    continue;
                }
                if !std::mem::replace(&mut ready, true) {
                    normal.write(units, from, scattered);
                }
                self.run(pattern, entry, *due, units, from, normal, raw);
            }
        };
        try_patterns(false, raw);
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
        try_patterns(true, raw);
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

    /// Finds a pattern's matches around its anchors.
    #[allow(clippy::too_many_arguments, reason = "the parts of one scratch")]
    fn run(&self, pattern: &Pattern, entry: &Entry, due: Due, units: &Units, from: usize, normal: &mut Normal, raw: &mut Vec<RawHit>) {
        let window = match pattern.longest {
            // One more on each side: a clause's end is a space, which is no unit.
            Some(longest) => {
                let start = normal.place((due.from as usize).saturating_sub(longest + 1).max(from) - from);
                start..normal.place(due.to as usize + longest + 2 - from)
            }
            None => 0..normal.text.len(),
        };
        normal.find(pattern, window, |places, start, past| {
            let unit_at = |place: usize| from + places.partition_point(|&unit| (unit as usize) < place);
            let (start, past) = (unit_at(start), unit_at(past));
            if past > start && raw.len() < MOST_HITS {
                let found = Found { entry: pattern.entry, start, end: past - 1, widest: Gap::None, skipped: false };
                raw.push(raw_hit(entry, &found, units, Match::Pattern));
            }
        });
    }

    /// Takes out what lies inside an exception or a longer competitor, and sounds where words were exact.
    fn resolve(&self, raw: &mut [RawHit], exact: usize) -> Hits {
        let mut hits = Hits::new();
        for (number, candidate) in (0u32..).zip(raw.iter_mut()) {
            candidate.number = number;
        }
        // In the order of the text, what can hold or overlap a hit begins at most the longest hit's length before it.
        raw.sort_unstable_by_key(|candidate| (candidate.hit.start, candidate.number));
        let longest = raw.iter().map(|candidate| candidate.hit.len()).max().unwrap_or_default();
        let mut first = 0;
        for candidate in raw.iter() {
            let hit = &candidate.hit;
            while raw.get(first).is_some_and(|early| early.hit.start + longest < hit.start) {
                first += 1;
            }
            if candidate.exception {
                continue;
            }
            let near = raw.get(first..).unwrap_or_default().iter().take_while(|rival| rival.hit.start < hit.end);
            let beaten = near.clone().any(|rival| self.beats(rival, candidate))
                || hit.how == Match::Pinyin && {
                    // Words that stand there as listed are no slip of the recogniser, unless they are part of what was heard.
                    near.filter(|rival| (rival.number as usize) < exact).any(|rival| {
                        let other = &rival.hit;
                        let part = other.inside(hit) && other.len() < hit.len();
                        other.list != hit.list && other.len() >= 2 && other.overlaps(hit) && !part
                    })
                };
            if !beaten {
                hits.push(*hit);
            }
        }
        hits.sort_by_key(|hit| (hit.start, hit.end, hit.list));
        hits
    }

    /// Whether a hit gives way to another: inside an exception of its list, or a longer hit of its group. Of equal spans
    /// the surer match stands, then the first.
    fn beats(&self, rival: &RawHit, candidate: &RawHit) -> bool {
        let (other, hit) = (&rival.hit, &candidate.hit);
        if !hit.inside(other) {
            return false;
        }
        if rival.exception {
            return other.list == hit.list;
        }
        let group = |hit: &Hit| self.lists.get(usize::from(hit.list)).map(|list| list.group);
        let stronger = other.len() > hit.len() || (other.how, rival.number) < (hit.how, candidate.number);
        stronger && rival.number != candidate.number && (other.list == hit.list || group(other) == group(hit))
    }
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

/// The group that texts hold most rarely.
fn rarest(groups: &[Vec<Box<[u16]>>], frequencies: &FxHashMap<u16, f64>) -> Option<usize> {
    // A character that no list has is rare, but not impossible.
    let chance = |literal: &[u16]| literal.iter().map(|ch| frequencies.get(ch).copied().unwrap_or(0.0005)).product::<f64>();
    let cost = |group: &[Box<[u16]>]| group.iter().map(|literal| chance(literal)).sum::<f64>();
    let costs = groups.iter().map(|group| cost(group)).enumerate();
    costs.min_by(|(_, left), (_, right)| left.total_cmp(right)).map(|(place, _)| place)
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
    RawHit { hit, exception: entry.exception, number: 0 }
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

fn same(list: &[Unit], left: usize, right: usize, length: usize) -> bool {
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

impl Normal {
    fn write(&mut self, units: &Units, from: usize, scattered: bool) {
        self.text.clear();
        self.places.clear();
        for unit in units.list.iter().skip(from) {
            if !self.text.is_empty() && unit.gap >= Gap::Clause && !(scattered && unit.gap == Gap::Clause) {
                self.text.push(u16::from(b' '));
            }
            self.places.push(self.text.len() as u32);
            self.text.push(unit.ch);
        }
    }

    /// Where a unit stands, or the end.
    fn place(&self, unit: usize) -> usize {
        self.places.get(unit).map_or(self.text.len(), |&place| place as usize)
    }

    /// Calls `found` with each match in `window`, given the units' places.
    fn find(&mut self, pattern: &Pattern, window: std::ops::Range<usize>, mut found: impl FnMut(&[u32], usize, usize)) {
        let Self { text, places, stack } = self;
        let mut at = window.start;
        if let Some(program) = &pattern.program {
            while at < window.end {
                if !text.get(at).is_some_and(|&ch| program.may_begin(ch)) {
                    at += 1;
                    continue;
                }
                match program.run(text, at, stack) {
                    Ran::Match(end) if end > at => {
                        found(places, at, end);
                        at = end;
                    }
                    Ran::Match(_) | Ran::No => at += 1,
                    Ran::GaveUp => break,
                }
            }
        }
        if at < window.end {
            find_slowly(pattern, text, at..window.end, |start, past| found(places, start, past));
        }
    }
}

/// Finds with the regex crate's machines what the small one is not made for.
fn find_slowly(pattern: &Pattern, text: &[u16], window: std::ops::Range<usize>, mut found: impl FnMut(usize, usize)) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut string = String::new();
    for &ch in text {
        bytes.push(string.len());
        string.push(char::from_u32(u32::from(ch)).unwrap_or('\u{FFFD}'));
    }
    let byte_at = |place: usize| bytes.get(place).copied().unwrap_or(string.len());
    let place_at = |byte: usize| bytes.partition_point(|&before| before < byte);
    for hit in pattern.regex.find_iter(Input::new(&string).range(byte_at(window.start)..byte_at(window.end))) {
        found(place_at(hit.start()), place_at(hit.end()));
    }
}
