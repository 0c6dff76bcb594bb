//! A text as the reader of times sees it: folded letters without hesitations, each with its place in the original.

use std::ops::Range;

use crate::core::text::fold::is_hesitation;
use crate::core::text::units::{Gap, Units};

/// One letter.
#[derive(Debug, Clone, Copy)]
struct Letter {
    ch: char,
    /// Its place in the original, in Unicode scalar values.
    at: u32,
    /// What precedes it.
    gap: Gap,
    /// A colon precedes it: 15:30.
    colon: bool,
    /// A question mark follows.
    asked: bool,
}

/// The letters of a text.
#[derive(Debug, Default)]
pub(super) struct Letters {
    list: Vec<Letter>,
}

impl Letters {
    pub(super) fn new(text: &str) -> Self {
        let mut units = Units::default();
        units.cut(text);
        // A recogniser that puts a space between any two characters says nothing about clauses.
        let scattered = units.scattered();
        let chars: Vec<char> = text.chars().collect();
        let mut list: Vec<Letter> = Vec::with_capacity(units.list.len());
        let mut gap = Gap::None;
        for unit in &units.list {
            gap = gap.max(unit.gap);
            let ch = char::from_u32(u32::from(unit.ch)).unwrap_or_default();
            if is_hesitation(ch) {
                continue;
            }
            // 那个 is one too; 那 alone is not.
            if ch == '个' && unit.gap == Gap::None && list.last().is_some_and(|before| before.ch == '那') {
                gap = list.pop().map_or(gap, |before| before.gap);
                continue;
            }
            let between = list.last().map_or(0, |before| before.at as usize + 1)..unit.at as usize;
            let between = chars.get(between).unwrap_or_default();
            if let Some(before) = list.last_mut() {
                before.asked = between.iter().any(is_question_mark);
            }
            let colon = matches!(between, [':' | '：' | '∶']);
            let shown = if scattered && gap == Gap::Clause { Gap::None } else { gap };
            list.push(Letter { ch, at: unit.at, gap: shown, colon, asked: false });
            gap = Gap::None;
        }
        if let Some(last) = list.last_mut() {
            last.asked = chars.get(last.at as usize + 1..).unwrap_or_default().iter().any(is_question_mark);
        }
        Self { list }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn at(&self, index: usize) -> Option<char> {
        self.list.get(index).map(|letter| letter.ch)
    }

    /// The letter before an index.
    pub(super) fn before(&self, index: usize) -> Option<char> {
        index.checked_sub(1).and_then(|before| self.at(before))
    }

    /// Whether one of `letters` stands at an index.
    pub(super) fn is(&self, index: usize, letters: &str) -> bool {
        self.at(index).is_some_and(|ch| letters.contains(ch))
    }

    /// Whether a colon precedes the letter.
    pub(super) fn colon(&self, index: usize) -> bool {
        self.list.get(index).is_some_and(|letter| letter.colon)
    }

    /// Whether a clause begins at an index; so it does at the end.
    pub(super) fn begins_clause(&self, index: usize) -> bool {
        self.list.get(index).is_none_or(|letter| letter.gap >= Gap::Clause)
    }

    /// Past the word, if it stands at `from`.
    pub(super) fn word(&self, from: usize, word: &str) -> Option<usize> {
        let mut at = from;
        for ch in word.chars() {
            if self.at(at) != Some(ch) {
                return None;
            }
            at += 1;
        }
        Some(at)
    }

    /// Past the first of these words that stands at `from`.
    pub(super) fn any(&self, from: usize, words: &[&str]) -> Option<usize> {
        words.iter().find_map(|word| self.word(from, word))
    }

    /// Whether one of these words stands somewhere in a range.
    pub(super) fn holds(&self, range: Range<usize>, words: &[&str]) -> bool {
        range.clone().any(|at| self.any(at, words).is_some_and(|past| past <= range.end))
    }

    /// Whether one of these words ends just before `index`.
    pub(super) fn ends_with(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| index.checked_sub(word.chars().count()).is_some_and(|from| self.word(from, word) == Some(index)))
    }

    /// The clause around the letters from `from` to before `to`.
    pub(super) fn clause(&self, from: usize, to: usize) -> Range<usize> {
        self.around(from, to, Gap::Clause)
    }

    /// The sentence around them.
    pub(super) fn sentence(&self, from: usize, to: usize) -> Range<usize> {
        self.around(from, to, Gap::Sentence)
    }

    fn around(&self, from: usize, to: usize, least: Gap) -> Range<usize> {
        let begins = |at: &usize| self.list.get(*at).is_none_or(|letter| letter.gap >= least);
        let start = (0..=from).rev().find(begins).unwrap_or(0);
        let end = (to..=self.len()).find(begins).unwrap_or(self.len());
        start..end
    }

    /// Whether the range ends in a question mark.
    pub(super) fn asked(&self, range: &Range<usize>) -> bool {
        range.end.checked_sub(1).and_then(|last| self.list.get(last)).is_some_and(|letter| letter.asked)
    }

    /// The span of the letters from `from` to before `to` in the original, in Unicode scalar values.
    pub(super) fn span(&self, from: usize, to: usize) -> Range<u32> {
        let start = self.list.get(from).map_or(0, |letter| letter.at);
        let end = to.checked_sub(1).and_then(|last| self.list.get(last)).map_or(start, |letter| letter.at + 1);
        start..end.max(start)
    }
}

fn is_question_mark(ch: &char) -> bool {
    matches!(ch, '?' | '？')
}
