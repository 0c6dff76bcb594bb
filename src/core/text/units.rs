//! Text cut into units: the characters that matter for matching, each with its place in the original.
//!
//! One pass folds every character by table and drops what a recogniser scatters between words. Most text needs
//! nothing else, so the checks ride on that pass: a unit differs from the original text only where it says so.

use super::fold::{Class, Info, TABLES};

mod cut;

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
///
/// What the tables know of it, in the same word but for two things that depend on where it stands: the two upper bits of the class,
/// of no use here, tell the gap, and instead of whether it pauses stands whether it is passable. So most units are taken from the
/// table as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit(Info);

impl Unit {
    /// What stands behind a text's end.
    pub(crate) const NONE: Self = Self(Info(0));
    const GAP: u32 = Info::CLASS + 1;
    const SYMBOL: u32 = 1 << Info::CLASS;
    const PASSABLE: u32 = Info::PAUSES;

    const fn new(info: Info, gap: Gap, passable: bool) -> Self {
        let word = info.0 & !(Info::CLASSES ^ Self::SYMBOL | Self::PASSABLE) | (gap as u32) << Self::GAP;
        Self(Info(if passable { word | Self::PASSABLE } else { word }))
    }

    /// The same where a gap precedes it, of one that has none.
    const fn behind(self, gap: Gap) -> Self {
        Self(Info(self.0.0 | (gap as u32) << Self::GAP))
    }

    /// The same where a hesitation begins with it.
    const fn begins_hesitation(self) -> Self {
        Self(Info(self.0.0 | Self::PASSABLE))
    }

    /// The folded character.
    #[inline]
    pub(crate) const fn ch(self) -> u16 {
        self.0.ch()
    }

    /// Its toneless syllable, 0 if it has none.
    #[inline]
    pub(crate) const fn sound(self) -> u16 {
        self.0.sound()
    }

    /// What precedes it.
    #[inline]
    pub(crate) const fn gap(self) -> Gap {
        match self.0.0 >> Self::GAP & 3 {
            0 => Gap::None,
            1 => Gap::Dropped,
            2 => Gap::Clause,
            _ => Gap::Sentence,
        }
    }

    /// The folded character differs from the original.
    #[inline]
    pub(crate) const fn folded(self) -> bool {
        self.0.0 & Info::FOLDED != 0
    }

    /// It repeats the unit before it or begins a hesitation: a phrase may go on behind it.
    #[inline]
    pub(crate) const fn passable(self) -> bool {
        self.0.0 & Self::PASSABLE != 0
    }

    /// Whether a clause may begin with it where it stands behind `before`, a hesitation or repetition before it aside. No false "no".
    #[inline]
    pub(crate) const fn may_open(self, before: Self) -> bool {
        matches!(self.gap(), Gap::Clause | Gap::Sentence) || self.or(before).passable()
    }

    /// What is so of either unit; of use for [`passable`](Self::passable).
    #[inline]
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(Info(self.0.0 | other.0.0))
    }

    /// A letter, digit or Han character.
    #[inline]
    pub(crate) const fn word(self) -> bool {
        self.0.0 & Self::SYMBOL == 0
    }
}

/// The units of one text.
#[derive(Debug, Default)]
pub(crate) struct Units {
    pub(crate) list: Vec<Unit>,
    /// Units that are letters, digits or Han characters.
    pub(crate) words: u32,
    /// In the order of the text.
    breaks: Vec<Break>,
}

/// Where characters and units stop going side by side: something was left out, or a character became several units.
#[derive(Debug, Clone, Copy)]
struct Break {
    /// The first unit behind it.
    unit: u32,
    /// How much further in the text than in the list (modulo 2³²) units stand from here on.
    shift: u32,
}

impl Units {
    /// The place of the unit at `index` in the original text, in Unicode scalar values.
    pub(crate) fn at(&self, index: usize) -> u32 {
        self.places(index, index).0
    }

    /// Where what stands from the unit at `first` to that at `last` begins in the original text, and where it has ended.
    pub(crate) fn places(&self, first: usize, last: usize) -> (u32, u32) {
        let (first, last) = (first as u32, last as u32);
        let behind = self.breaks.partition_point(|before| before.unit <= first);
        let shift = behind.checked_sub(1).and_then(|at| self.breaks.get(at)).map_or(0, |before| before.shift);
        let inside = self.breaks.get(behind..).unwrap_or_default().iter().take_while(|before| before.unit <= last);
        let last_shift = inside.last().map_or(shift, |before| before.shift);
        (first.wrapping_add(shift), last.wrapping_add(last_shift) + 1)
    }

    /// Among these are all units that a gap precedes.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = usize> {
        self.breaks.iter().map(|before| before.unit as usize)
    }

    /// The place behind the last unit, 0 if there is none.
    pub(crate) fn end(&self) -> u32 {
        self.list.len().checked_sub(1).map_or(0, |last| self.at(last) + 1)
    }

    /// Whether its characters may be a carrier's recording.
    pub(crate) fn recording(&self) -> bool {
        Info::recording(self.list.iter().map(|unit| unit.0))
    }

    /// The unit at `index`; behind the last, [`Unit::NONE`].
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Unit {
        self.list.get(index).copied().unwrap_or(Unit::NONE)
    }

    /// The first unit that stands at a place of the original text or behind it; their number, if there is none.
    pub(crate) fn first_from(&self, place: u32) -> usize {
        let (mut low, mut high) = (0, self.list.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.at(middle) < place { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// What follows the unit at `index`: the next one's gap, or the end of the text.
    pub(crate) fn gap_after(&self, index: usize) -> Gap {
        self.list.get(index + 1).map_or(Gap::Sentence, |unit| unit.gap())
    }

    /// A recogniser that puts spaces between characters says nothing about clauses: two thirds of the places have one.
    pub(crate) fn scattered(&self) -> bool {
        let places = self.list.len().saturating_sub(1);
        let enough = |gaps: usize| gaps * 3 >= places * 2;
        places >= 2 && enough(self.breaks.len()) && enough(self.list.iter().filter(|unit| unit.gap() == Gap::Clause).count())
    }

    /// How many units at `at` are a hesitation that may stand inside any phrase: 嗯 呃 啊 …, 那个, 这个.
    pub(crate) fn filler_at(&self, at: usize) -> u32 {
        match self.list.get(at).map(|unit| unit.ch()) {
            Some(pointer) if points(pointer) && self.list.get(at + 1).is_some_and(|unit| unit.ch() == '个' as u16) => 2,
            Some(ch) if ch != '个' as u16 && TABLES.of_folded(ch).pauses() => 1,
            _ => 0,
        }
    }
}

/// 那 or 这, which with 个 make a hesitation.
const fn points(ch: u16) -> bool {
    ch == '那' as u16 || ch == '这' as u16
}

/// Whether `text` holds a letter, a digit or a Han character: without one an utterance is no turn.
#[must_use]
pub fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
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
        let folded = units.list.iter().map(|u| char::from_u32(u32::from(u.ch())).unwrap()).collect();
        (folded, (0..units.list.len()).map(|index| units.at(index)).collect())
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
        let gaps: Vec<Gap> = units.list.iter().map(|u| u.gap()).collect();
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
            let last = units.list.iter().rposition(|unit| unit.gap() >= Gap::Clause).map_or(0, |index| units.at(index));
            let begins = text[..last_clause(text)].chars().count() as u32;
            assert_eq!(begins, last, "{text:?}");
        }
    }
}
