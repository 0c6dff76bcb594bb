//! Text cut into units: the characters that matter for matching, each with its place in the original.
//!
//! One pass folds every character by table and drops what a recogniser scatters between words. Most text needs
//! nothing else, so the checks ride on that pass: a unit differs from the original text only where it says so.

use super::fold::{EXPANDS, TABLES, VANISHES};

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
    /// What precedes it.
    pub(crate) gap: Gap,
    /// The folded character differs from the original.
    pub(crate) folded: bool,
    /// Its place in the original text, in Unicode scalar values.
    pub(crate) at: u32,
}

/// The units of one text.
#[derive(Debug, Default)]
pub(crate) struct Units {
    pub(crate) list: Vec<Unit>,
    /// Length of the original text in Unicode scalar values.
    pub(crate) scalars: u32,
    /// Units that are letters, digits or Han characters.
    pub(crate) words: u32,
}

/// A unit for characters outside the Basic Multilingual Plane that do not fold into it; no phrase contains it.
const ASTRAL: u16 = 0xFFFD;

impl Units {
    /// Cuts `text`, reusing the memory of `self`.
    pub(crate) fn cut(&mut self, text: &str) {
        self.list.clear();
        self.scalars = 0;
        self.words = 0;
        let tables = &*TABLES;
        let mut gap = Gap::Sentence;
        let mut at = 0u32;
        self.list.reserve(text.len() / 3 + 4);
        for c in text.chars() {
            let code = c as u32;
            let folded = match usize::try_from(code).ok().and_then(|code| tables.fold.get(code)) {
                Some(&folded) => folded,
                None => EXPANDS,
            };
            if folded == VANISHES {
                gap = gap.max(Gap::Dropped);
            } else if folded == EXPANDS {
                for part in tables.fold_slow(c) {
                    self.push(part as u32, true, at, &mut gap);
                }
            } else {
                self.push(u32::from(folded), u32::from(folded) != code, at, &mut gap);
            }
            at += 1;
        }
        self.scalars = at;
    }

    #[inline(always)]
    fn push(&mut self, code: u32, folded: bool, at: u32, gap: &mut Gap) {
        let ch = u16::try_from(code).unwrap_or(ASTRAL);
        match class(ch) {
            Class::Word => {
                self.words += 1;
                self.list.push(Unit { ch, gap: std::mem::replace(gap, Gap::None), folded, at });
            }
            Class::Symbol => self.list.push(Unit { ch, gap: std::mem::replace(gap, Gap::None), folded, at }),
            Class::Clause => *gap = (*gap).max(Gap::Clause),
            Class::Sentence => *gap = Gap::Sentence,
        }
    }

    /// What follows the unit at `index`: the next one's gap, or the end of the text.
    pub(crate) fn gap_after(&self, index: usize) -> Gap {
        self.list.get(index + 1).map_or(Gap::Sentence, |unit| unit.gap)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A letter, digit or Han character.
    Word,
    /// Anything else that is visible and no punctuation: `+`, `%`, emoji.
    Symbol,
    Clause,
    Sentence,
}

#[inline]
fn class(ch: u16) -> Class {
    // Han and kana first: nearly every character of a call.
    if (0x3400..=0x9FFF).contains(&ch) {
        return Class::Word;
    }
    class_of_other(ch)
}

fn class_of_other(ch: u16) -> Class {
    let Some(c) = char::from_u32(u32::from(ch)) else { return Class::Symbol };
    match c {
        '。' | '？' | '！' | '；' | '?' | '!' | ';' | '\n' | '\r' | '…' => Class::Sentence,
        '+' | '%' | '=' | '<' | '>' | '$' | '^' | '\u{FFFD}' => Class::Symbol,
        _ if c.is_alphanumeric() => Class::Word,
        _ if c.is_ascii() || c.is_whitespace() || c.is_control() => Class::Clause,
        '\u{00A1}'..='\u{00BF}'
        | '\u{2010}'..='\u{206F}'
        | '\u{3001}'..='\u{303F}'
        | '\u{30FB}'
        | '\u{FE10}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FFEF}' => Class::Clause,
        _ => Class::Symbol,
    }
}

/// Whether `text` holds a letter, a digit or a Han character: without one an utterance is no turn.
#[must_use]
pub fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
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
}
