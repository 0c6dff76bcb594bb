//! Text cut into units: the characters that matter for matching, each with its place in the original.
//!
//! One pass folds every character by table and drops what a recogniser scatters between words. Most text needs
//! nothing else, so the checks ride on that pass: a unit differs from the original text only where it says so.

use super::fold::{Class, Info, TABLES};

/// What lies between a unit and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Nothing: the two characters stand side by side.
    None,
    /// Something without weight was dropped: a zero-width mark.
    Dropped,
    /// A space, or punctuation that a recogniser scatters (`，`, `、`, quotes, dashes): a clause may end here.
    Clause,
    /// The end of a sentence (`。`, `？`, `！`, line end), or of the text.
    Sentence,
}

/// One character that counts: a letter, digit, Han character or other symbol that is neither space nor punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The folded character.
    pub(crate) ch: u16,
    /// Its toneless syllable, 0 if it has none.
    pub(crate) sound: u16,
    /// Its place in the original text, in Unicode scalar values.
    pub(crate) at: u32,
    /// What precedes it.
    pub(crate) gap: Gap,
    /// The folded character differs from the original.
    pub(crate) folded: bool,
    /// It repeats the unit before it or begins a hesitation: a phrase may go on behind it.
    pub(crate) passable: bool,
    /// A letter, digit or Han character.
    pub(crate) word: bool,
}

/// The units of one text.
#[derive(Debug, Default)]
pub(crate) struct Units {
    pub(crate) list: Vec<Unit>,
    /// Units that are letters, digits or Han characters.
    pub(crate) words: u32,
    /// Its characters may be a carrier's recording.
    pub(crate) recording: bool,
    /// Spaces or punctuation inside sentences that stand between units.
    pub(crate) clauses: u32,
    /// Some unit differs from the original.
    pub(crate) folded: bool,
}

/// A unit for characters outside the Basic Multilingual Plane that do not fold into it; no phrase contains it.
const ASTRAL: u16 = 0xFFFD;

impl Units {
    /// Cuts `text`, reusing the memory of `self`.
    pub(crate) fn cut(&mut self, text: &str) {
        let tables = &*TABLES;
        let mut cutter = Cutter {
            list: std::mem::take(&mut self.list),
            seen: Info::default(),
            previous: Info::default(),
            symbols: 0,
            clauses: 0,
            folded: false,
            gap: Gap::Sentence,
        };
        cutter.list.clear();
        cutter.list.reserve(text.len() / 3 + 4);
        for (at, c) in (0u32..).zip(text.chars()) {
            let info = tables.of(c);
            let folded = u32::from(info.ch()) != c as u32;
            if info.is_word() {
                cutter.push(info, folded, at);
            } else {
                cutter.take(c, info, folded, at);
            }
        }
        let Cutter { list, seen, symbols, clauses, folded, .. } = cutter;
        *self = Self { words: list.len() as u32 - symbols, list, recording: seen.recording(), clauses, folded };
    }

    /// What follows the unit at `index`: the next one's gap, or the end of the text.
    pub(crate) fn gap_after(&self, index: usize) -> Gap {
        self.list.get(index + 1).map_or(Gap::Sentence, |unit| unit.gap)
    }

    /// A recogniser that puts spaces between characters says nothing about clauses: two thirds of the places have one.
    pub(crate) fn scattered(&self) -> bool {
        let places = self.list.len().saturating_sub(1);
        places >= 2 && self.clauses as usize * 3 >= places * 2
    }

    /// How many units at `at` are a hesitation that may stand inside any phrase: 嗯 呃 啊 …, 那个, 这个.
    pub(crate) fn filler_at(&self, at: usize) -> u32 {
        let info = |at: usize| self.list.get(at).map(|unit| TABLES.of_folded(unit.ch));
        match info(at) {
            Some(info) if info.hesitates() => 1,
            Some(pointer) if pointer.points() && self.list.get(at + 1).is_some_and(|unit| unit.ch == '个' as u16) => 2,
            _ => 0,
        }
    }
}

/// Whether `text` holds a letter, a digit or a Han character: without one an utterance is no turn.
#[must_use]
pub fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// A text being cut.
struct Cutter {
    list: Vec<Unit>,
    /// All that is known of any of its characters.
    seen: Info,
    previous: Info,
    symbols: u32,
    clauses: u32,
    folded: bool,
    gap: Gap,
}

impl Cutter {
    /// Takes anything but a letter, digit or Han character.
    #[inline(never)]
    fn take(&mut self, c: char, info: Info, folded: bool, at: u32) {
        match info.class() {
            Class::Word | Class::Symbol => {
                self.symbols += 1;
                self.push(info, folded, at);
            }
            Class::Clause => self.gap = self.gap.max(Gap::Clause),
            Class::Sentence => self.gap = Gap::Sentence,
            Class::Vanishes => self.gap = self.gap.max(Gap::Dropped),
            Class::Expands => {
                for part in TABLES.fold_slow(c) {
                    let info = TABLES.of_folded(u16::try_from(part as u32).unwrap_or(ASTRAL));
                    match info.class() {
                        Class::Word => self.push(info, true, at),
                        Class::Expands => self.take(c, TABLES.of_folded(ASTRAL), true, at),
                        _ => self.take(c, info, true, at),
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn push(&mut self, info: Info, folded: bool, at: u32) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        self.clauses += u32::from(gap == Gap::Clause);
        self.folded |= folded;
        self.seen = self.seen.with(info);
        if info.ch() == '个' as u16
            && self.previous.points()
            && let Some(pointer) = self.list.last_mut()
        {
            pointer.passable = true;
        }
        let passable = info.hesitates() || info.ch() == self.previous.ch();
        self.previous = info;
        self.list.push(Unit { ch: info.ch(), sound: info.sound(), at, gap, folded, passable, word: info.is_word() });
    }
}

/// Letters, digits and Han characters of a text.
pub(crate) fn count_words(text: &str) -> u32 {
    let tables = &*TABLES;
    let words = |c: char| match tables.of(c) {
        info if info.is_word() => 1,
        info if info.class() == Class::Expands => tables.fold_slow(c).filter(|&part| tables.of(part).is_word()).count() as u32,
        _ => 0,
    };
    text.chars().map(words).sum()
}

/// The byte at which a text's last clause begins: behind the last space or punctuation that something follows.
pub(crate) fn last_clause(text: &str) -> usize {
    let tables = &*TABLES;
    let is_unit = |class: Class| matches!(class, Class::Word | Class::Symbol | Class::Expands);
    let mut begins = None;
    for (at, c) in text.char_indices().rev() {
        let class = match tables.of(c).class() {
            // `…` is three full stops: of what a character expands to the most telling counts.
            Class::Expands if !tables.fold_slow(c).any(|part| is_unit(tables.of(part).class())) => Class::Sentence,
            class => class,
        };
        match class {
            Class::Clause | Class::Sentence => {
                if let Some(begins) = begins {
                    return begins;
                }
            }
            Class::Vanishes => {}
            Class::Word | Class::Symbol | Class::Expands => begins = Some(at),
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (String, Vec<u32>) {
        let mut units = Units::default();
        units.cut(text);
        let folded = units.list.iter().map(|u| char::from_u32(u32::from(u.ch)).unwrap()).collect();
        (folded, units.list.iter().map(|u| u.at).collect())
    }

    #[test]
    fn every_unit_keeps_its_place_in_the_original() {
        let (folded, at) = cut("不，須 要。ＯＫ\u{200B}㎏");
        assert_eq!(folded, "不须要okkg");
        assert_eq!(at, [0, 2, 4, 6, 7, 9, 9]);
    }

    #[test]
    fn gaps_tell_clauses_from_sentences() {
        let mut units = Units::default();
        units.cut("好 的，行。走");
        let gaps: Vec<Gap> = units.list.iter().map(|u| u.gap).collect();
        assert_eq!(gaps, [Gap::Sentence, Gap::Clause, Gap::Clause, Gap::Sentence]);
    }

    #[test]
    fn only_letters_digits_and_han_are_words() {
        assert!(has_words("嗯"));
        assert!(has_words("…5"));
        assert!(!has_words("……？！ 😀"));
    }

    #[test]
    fn the_last_clause_is_the_one_that_units_tell() {
        for text in [
            "",
            "可以吗",
            "您好，方便吗？",
            "您看可以吗？……",
            "好的…那我给您发短信可以吗…",
            "行。 \u{200B}",
            "一共５㎏，对吧",
            "？！",
            "好，😀",
            "我 们 看 看",
        ] {
            let mut units = Units::default();
            units.cut(text);
            let last = units.list.iter().rfind(|unit| unit.gap >= Gap::Clause).map_or(0, |unit| unit.at);
            let begins = text[..last_clause(text)].chars().count() as u32;
            assert_eq!(begins, last, "{text:?}");
        }
    }
}
