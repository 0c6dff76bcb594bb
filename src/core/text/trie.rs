//! Finds every listed phrase in a text, tolerating what recognisers put between its characters.
//!
//! Phrases are walked from each place of the text, which finds all that overlap: resolving exceptions and opposites needs
//! them. It stays fast because nearly every place is refused before the walk by two small sets, of the phrases' first
//! three symbols and of their first four; because a walk begins behind the first two; and because nodes lie level by level, a
//! node's children side by side, so that even 100,000 phrases fill few cache lines. The same structure serves characters and
//! syllables.

mod build;
mod filter;

pub(crate) use build::TrieBuilder;

use super::fold::NO_SYLLABLE;
use super::units::{Gap, Unit, Units};
use filter::{LeadSet, Openings, Single, each_place, packed, pair};

/// What stands in a list at a phrase's end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Whatever the owner of the trie counts.
    pub(crate) entry: u32,
    pub(crate) list: u16,
    /// Whatever the owner wants to know without looking the entry up.
    pub(crate) marks: u8,
}

impl Listed {
    pub(crate) const fn new(entry: u32, list: u16, marks: u8) -> Self {
        Self { entry, list, marks }
    }
}

/// Where a phrase stands: units `start..=end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The widest gap between two of its units.
    pub(crate) widest: Gap,
    /// A stutter or filler was passed over inside it.
    pub(crate) skipped: bool,
}

/// Most units passed over inside one phrase, so that a pathological text costs no more than a few steps a place.
const MOST_SKIPPED: u32 = 8;
/// A prefix of phrases.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// The first of the nodes one symbol further; they end where those of the next node begin.
    children: u32,
    /// How many phrases end here.
    ends: u8,
    /// The one that ends here; of several, its `entry` is where they stand in the trie's list.
    end: Listed,
}

/// Where a walk begins: one or two symbols, the second 0 if it is one.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    /// 0: the slot is free.
    symbols: u32,
    node: u32,
}

impl Start {
    const fn slot(symbols: u32, shift: u32) -> usize {
        (symbols.wrapping_mul(0x9E37_79B9) >> shift) as usize
    }
}

/// The phrases of a lexicon, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Trie {
    /// Of each symbol, whether it is a phrase by itself.
    singles: Box<[Single; 1 << 16]>,
    /// What phrases of two symbols and more begin with, up to three symbols of each.
    openings: Openings,
    /// The same, up to four symbols.
    leads: LeadSet,
    starts: Box<[Start]>,
    shift: u32,
    /// node → the symbol that leads to it
    symbols: Box<[u16]>,
    /// One more than there are nodes, for the end of the last one's children.
    nodes: Box<[Node]>,
    ends: Box<[Listed]>,
    /// Symbols of the longest phrase.
    longest: usize,
}

impl Trie {
    /// Whether nothing can be found.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.len() <= 2
    }

    /// Calls `found` for each occurrence of each phrase of characters. No phrase reaches over the end of a
    /// sentence; a phrase may go on behind a stutter or a hesitation.
    #[inline(always)]
    pub(crate) fn scan(&self, units: &Units, mut found: impl FnMut(Listed, Span)) {
        let may_begin = |before: Unit, [first, second, third]: [Unit; 3]| {
            let thirds = self.openings.behind(first.ch(), second.ch());
            thirds.may_be(third.ch()) | u32::from(second.or(third).passable()) | self.single(first.ch()).may_count(before, first)
        };
        each_place(units, may_begin, |place| self.find_at(units, place, &mut found));
    }

    /// As [`scan`](Self::scan), of one place.
    pub(crate) fn find_at(&self, units: &Units, place: usize, found: &mut impl FnMut(Listed, Span)) {
        let list = units.list.as_slice();
        let ahead = match list.get(place..place + 4) {
            Some(&[first, second, third, fourth]) => [first, second, third, fourth],
            _ => [units.get(place), units.get(place + 1), units.get(place + 2), Unit::NONE],
        };
        let single = self.single(ahead[0].ch());
        if single != Single::NONE {
            let before = place.checked_sub(1).map_or(Unit::NONE, |before| units.get(before));
            if single.may_count(before, ahead[0]) & 1 == 1 {
                self.find_single(place, ahead[0].ch(), found);
            }
        }
        if ahead[1].passable() && units.filler_at(place + 1) > 0 {
            self.walk(units, place, 1, found);
        } else if self.may_lead(ahead) {
            self.walk(units, place, 2, found);
        }
    }

    #[inline(never)]
    fn find_single(&self, place: usize, symbol: u16, found: &mut impl FnMut(Listed, Span)) {
        let span = Span { start: place, end: place, widest: Gap::None, skipped: false };
        self.emit(self.start(symbol, 0), span, found);
    }

    /// Whether a phrase may begin with these units.
    fn may_lead(&self, [first, second, third, fourth]: [Unit; 4]) -> bool {
        let lead = packed([first.ch(), second.ch(), third.ch(), fourth.ch()]);
        self.leads.may_hold(lead)
            | self.leads.may_hold(lead >> 16)
            | self.leads.may_hold(lead >> 32)
            | third.passable() & (first.ch() != second.ch())
            | fourth.passable() & (second.ch() != third.ch())
    }

    /// Goes on from the first `known` units at `start`, one or two.
    fn walk(&self, units: &Units, start: usize, known: usize, found: &mut impl FnMut(Listed, Span)) {
        let list = units.list.as_slice();
        let mut at = start + known;
        let Some([first, .., last] | [first @ last]) = list.get(start..at) else { return };
        if known > 1 && last.gap() == Gap::Sentence {
            return;
        }
        let Some(mut node) = self.start(first.ch(), if known > 1 { last.ch() } else { 0 }) else { return };
        let mut span = Span { start, end: at - 1, widest: if known > 1 { last.gap() } else { Gap::None }, skipped: false };
        if known > 1 {
            self.emit(Some(node), span, found);
        }
        let mut previous = last.ch();
        let mut skipped = 0;
        while let Some(unit) = list.get(at).filter(|unit| unit.gap() != Gap::Sentence) {
            span.widest = span.widest.max(unit.gap());
            if let Some(child) = self.child(node, unit.ch()) {
                node = child;
                previous = unit.ch();
                span.end = at;
                self.emit(Some(node), span, found);
                at += 1;
                continue;
            }
            if skipped == 0 && !unit.passable() {
                break;
            }
            let pass = if unit.ch() == previous { 1 } else { units.filler_at(at) };
            if pass == 0 || skipped + pass > MOST_SKIPPED {
                break;
            }
            skipped += pass;
            span.skipped = true;
            at += pass as usize;
        }
    }

    /// Calls `found` for each occurrence of each phrase of syllables, three and more of them, with no gap
    /// wider than `widest` inside.
    pub(crate) fn scan_sounds(&self, units: &Units, widest: Gap, mut found: impl FnMut(Listed, Span)) {
        let may_begin =
            |_: Unit, [first, second, third]: [Unit; 3]| self.openings.behind(first.sound(), second.sound()).may_be(third.sound());
        each_place(units, may_begin, |place| self.find_sounds_at(units, place, widest, &mut found));
    }

    #[inline(never)]
    fn find_sounds_at(&self, units: &Units, place: usize, widest: Gap, found: &mut impl FnMut(Listed, Span)) {
        let (one, two, three) = (units.get(place), units.get(place + 1), units.get(place + 2));
        let lead = packed([one.sound(), two.sound(), three.sound(), units.get(place + 3).sound()]);
        if !self.leads.may_hold(lead >> 16) && !self.leads.may_hold(lead) {
            return;
        }
        let mut span = Span { start: place, end: place + 2, widest: two.gap().max(three.gap()), skipped: false };
        if span.widest > widest || two.sound() == NO_SYLLABLE {
            return;
        }
        let start = self.start(one.sound(), two.sound()).and_then(|node| self.child(node, three.sound()));
        let Some(mut node) = start else { return };
        self.emit(start, span, found);
        for unit in units.list.iter().skip(place + 3) {
            span.widest = span.widest.max(unit.gap());
            if span.widest > widest {
                break;
            }
            let Some(child) = self.child(node, unit.sound()) else { break };
            node = child;
            span.end += 1;
            self.emit(Some(node), span, found);
        }
    }

    /// Whether a phrase of syllables may hold the unit at `at`. No false "no".
    pub(crate) fn may_reach(&self, units: &Units, at: usize) -> bool {
        !self.is_empty()
            && (at.saturating_sub(self.longest)..=at).any(|start| {
                let sound = |further: usize| units.get(start + further).sound();
                let lead = packed([sound(0), sound(1), sound(2), sound(3)]);
                self.leads.may_hold(lead >> 16) || self.leads.may_hold(lead)
            })
    }

    #[inline]
    fn single(&self, symbol: u16) -> Single {
        self.singles.get(usize::from(symbol)).copied().unwrap_or(Single::NONE)
    }

    #[inline]
    fn emit(&self, node: Option<u32>, span: Span, found: &mut impl FnMut(Listed, Span)) {
        match node.and_then(|node| self.nodes.get(node as usize)) {
            None | Some(Node { ends: 0, .. }) => {}
            Some(Node { ends: 1, end, .. }) => found(*end, span),
            Some(Node { ends, end, .. }) => {
                let from = end.entry as usize;
                self.ends.get(from..from + usize::from(*ends)).unwrap_or_default().iter().for_each(|&listed| found(listed, span));
            }
        }
    }

    /// The node of one symbol (the second 0) or two.
    #[inline]
    fn start(&self, first: u16, second: u16) -> Option<u32> {
        let symbols = pair(first, second);
        let mut at = Start::slot(symbols, self.shift);
        loop {
            let slot = self.starts.get(at)?;
            if slot.symbols == symbols {
                return Some(slot.node);
            }
            if slot.symbols == 0 {
                return None;
            }
            at = (at + 1) & (self.starts.len() - 1);
        }
    }

    #[inline]
    fn child(&self, node: u32, symbol: u16) -> Option<u32> {
        const FEW: usize = 8;
        let node = node as usize;
        let Some([here, next]) = self.nodes.get(node..node + 2) else { return None };
        let children = self.symbols.get(here.children as usize..next.children as usize)?;
        let place = if children.len() <= FEW {
            children.iter().position(|&child| child == symbol)?
        } else {
            children.binary_search(&symbol).ok()?
        };
        Some(here.children + place as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(phrases: &[&str], text: &str) -> Vec<(String, bool)> {
        let mut builder = TrieBuilder::default();
        for (i, phrase) in phrases.iter().enumerate() {
            let mut units = Units::default();
            units.cut(phrase);
            builder.add(&units.list.iter().map(|u| u.ch()).collect::<Vec<_>>(), Listed::new(i as u32, 0, 0));
        }
        let trie = builder.build();
        let mut units = Units::default();
        units.cut(text);
        let chars: Vec<char> = text.chars().collect();
        let mut out = Vec::new();
        trie.scan(&units, |_, span| {
            let (from, to) = (units.at(span.start) as usize, units.at(span.end) as usize);
            out.push((chars[from..=to].iter().collect(), span.skipped));
        });
        out
    }

    #[test]
    fn all_overlapping_phrases_are_found() {
        let found = find(&["不用", "不用了", "用了", "了"], "真不用了");
        let texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["不用", "不用了", "用了", "了"]);
    }

    #[test]
    fn stutter_filler_and_scattered_marks_are_passed_over() {
        for (text, expected, skipped) in [
            ("不不不需要", "不需要", false),
            ("不需需需要", "不需需需要", true),
            ("不嗯那个需要", "不嗯那个需要", true),
            ("不 需，要", "不 需，要", false),
            ("那个嗯不需要", "不需要", false),
        ] {
            assert_eq!(find(&["不需要"], text), [(expected.to_owned(), skipped)], "{text}");
        }
        assert_eq!(find(&["不需要"], "我不。需要"), []);
    }

    #[test]
    fn a_doubled_phrase_is_not_taken_for_a_stutter() {
        assert_eq!(find(&["谢谢"], "谢谢你"), [("谢谢".to_owned(), false)]);
    }
}
