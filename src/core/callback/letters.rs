//! A text as the reader of times sees it: folded letters without hesitations, each with its place in the original.

use std::ops::Range;

use super::words::{self, List, Lists};
use crate::core::text::fold::{Class, Info, TABLES};
use crate::core::text::units::Gap;

/// One letter.
#[derive(Debug, Clone, Copy)]
struct Letter {
    ch: char,
    /// Its place in the original, in Unicode scalar values.
    at: u32,
    /// What precedes it.
    gap: Gap,
    /// A colon precedes it, and nothing else: 15:30.
    colon: bool,
    /// A question mark follows.
    asked: bool,
}

/// The letters of a text.
#[derive(Debug, Default)]
pub(super) struct Letters {
    list: Vec<Letter>,
}

/// Letters being taken from a text.
struct Taking {
    list: Vec<Letter>,
    gap: Gap,
    colon: bool,
    /// Letters that a space or a comma precedes.
    clauses: usize,
}

impl Taking {
    fn take(&mut self, info: Info, at: u32) {
        match info.class() {
            Class::Word | Class::Symbol => self.push(info, at),
            Class::Clause => {
                self.colon = info.ch() == ':' as u16 && self.gap == Gap::None;
                self.gap = self.gap.max(Gap::Clause);
            }
            Class::Sentence => {
                self.gap = Gap::Sentence;
                if let Some(last) = self.list.last_mut().filter(|_| info.ch() == '?' as u16) {
                    last.asked = true;
                }
            }
            Class::Vanishes | Class::Expands => {}
        }
    }

    fn push(&mut self, info: Info, at: u32) {
        if info.hesitates() {
            return;
        }
        let ch = char::from_u32(u32::from(info.ch())).unwrap_or_default();
        // 那个 is a hesitation too; 那 alone is not.
        if ch == '个' && self.gap == Gap::None && self.list.last().is_some_and(|before| before.ch == '那') {
            self.gap = self.list.pop().map_or(self.gap, |before| before.gap);
            return;
        }
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        let colon = std::mem::take(&mut self.colon);
        self.clauses += usize::from(gap == Gap::Clause);
        self.list.push(Letter { ch, at, gap, colon, asked: false });
    }
}

impl Letters {
    pub(super) fn new(text: &str) -> Self {
        let tables = &*TABLES;
        let mut taking = Taking { list: Vec::with_capacity(text.len() / 3 + 1), gap: Gap::Sentence, colon: false, clauses: 0 };
        for (at, c) in (0u32..).zip(text.chars()) {
            match tables.of(c) {
                info if info.class() == Class::Expands => {
                    for part in tables.fold_slow(c) {
                        taking.take(tables.of(part), at);
                    }
                }
                info => taking.take(info, at),
            }
        }
        let Taking { mut list, clauses, .. } = taking;
        // A recogniser that puts a space between any two characters says nothing about clauses.
        let places = list.len().saturating_sub(1);
        if places >= 2 && clauses * 3 >= places * 2 {
            list.iter_mut().filter(|letter| letter.gap == Gap::Clause).for_each(|letter| letter.gap = Gap::None);
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

    /// The known words that stand at `from`, the longest first: where each ends, and its lists.
    pub(super) fn words(&self, from: usize) -> impl Iterator<Item = (usize, Lists)> {
        words::words_at(|at| self.at(at), from)
    }

    /// Past the longest word of a list that stands at `from`.
    pub(super) fn listed(&self, from: usize, list: List) -> Option<usize> {
        self.words(from).find(|(_, lists)| lists.has(list)).map(|(end, _)| end)
    }

    /// The lists of the words that lie within a range.
    pub(super) fn lists(&self, range: Range<usize>) -> Lists {
        let words = range.clone().flat_map(|from| self.words(from)).filter(|(end, _)| *end <= range.end);
        words.fold(Lists::default(), |all, (_, lists)| all.with(lists))
    }

    /// Whether one of these words ends just before `index`.
    pub(super) fn ends_in(&self, index: usize, words: &[&str]) -> bool {
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
