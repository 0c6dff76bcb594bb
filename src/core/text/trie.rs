//! Finds every listed phrase in a text, tolerating what recognisers put between its characters.
//!
//! A trie walked from each position finds all overlapping phrases, which resolving exceptions and opposites needs.
//! It stays fast because nearly every position is refused before the walk: a table of leading symbols, then a
//! filter of the phrases' first two symbols, both small enough for the nearest cache even with 100,000 phrases.
//! The same structure serves characters and syllables.

use rustc_hash::FxHashMap;

use super::units::{Gap, Units};

/// A phrase's number in its [`Trie`], as given to [`TrieBuilder::add`].
pub(crate) type EntryId = u32;

/// One occurrence: units `start..=end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) entry: EntryId,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The widest gap between two of its units.
    pub(crate) widest: Gap,
    /// A stutter or filler was passed over inside it.
    pub(crate) skipped: bool,
}

/// Most units passed over inside one phrase, so that a pathological text costs no more than a few steps a place.
const MOST_SKIPPED: u32 = 8;

#[derive(Debug, Default)]
pub(crate) struct TrieBuilder {
    /// node → symbol → node
    children: FxHashMap<(u32, u16), u32>,
    outs: Vec<Vec<EntryId>>,
    single: Vec<u16>,
    /// First symbols of phrases of two and more, and their prefixes that a walk must not begin without.
    leads: Vec<u16>,
    prefixes: Vec<u64>,
}

impl TrieBuilder {
    pub(crate) fn new() -> Self {
        Self { outs: vec![Vec::new()], ..Self::default() }
    }

    /// Adds a phrase, given as its symbols; an empty one is never found.
    pub(crate) fn add(&mut self, symbols: &[u16], entry: EntryId) {
        let mut node = 0;
        for &symbol in symbols {
            let next = self.outs.len() as u32;
            if self.outs.len() >= MOST_NODES {
                return;
            }
            let outs = &mut self.outs;
            node = *self.children.entry((node, symbol)).or_insert_with(|| {
                outs.push(Vec::new());
                next
            });
        }
        match symbols {
            [] => return,
            [only] => self.single.push(*only),
            [first, rest @ ..] => {
                self.leads.push(*first);
                self.prefixes.push(prefix([*first, nth(rest, 0), nth(rest, 1), nth(rest, 2)]));
            }
        }
        if let Some(outs) = self.outs.get_mut(node as usize) {
            outs.push(entry);
        }
    }

    pub(crate) fn build(mut self) -> Trie {
        let mut roots = vec![0u32; 0x1_0000].into_boxed_slice();
        let children = &self.children;
        let mut mark = |symbol: u16, bit: u32| {
            if let Some(slot) = roots.get_mut(usize::from(symbol)) {
                *slot |= bit | children.get(&(0, symbol)).copied().unwrap_or_default();
            }
        };
        self.single.iter().for_each(|&symbol| mark(symbol, SINGLE));
        self.leads.iter().for_each(|&first| mark(first, LEADS));
        self.prefixes.sort_unstable();
        self.prefixes.dedup();
        let filter = PrefixFilter::new(&self.prefixes);

        let slots = (self.children.len() * 2).next_power_of_two().max(16);
        let mut edges = vec![Edge::default(); slots].into_boxed_slice();
        let mask = slots - 1;
        // The order of insertion decides who sits where in the table, never what is found.
        for (&(node, symbol), &child) in &self.children {
            let key = Edge::key(node, symbol);
            let mut at = Edge::slot(key, mask);
            while let Some(edge) = edges.get_mut(at) {
                if edge.0 == 0 {
                    *edge = Edge::new(key, child);
                    break;
                }
                at = (at + 1) & mask;
            }
        }
        let mut flat = Vec::new();
        let mut outs = Vec::with_capacity(self.outs.len());
        for mut entries in self.outs {
            entries.sort_unstable();
            outs.push((flat.len() as u32, entries.len() as u32));
            flat.append(&mut entries);
        }
        Trie { roots, filter, edges, mask, outs: outs.into(), flat: flat.into() }
    }
}

/// A phrase of this symbol alone.
const SINGLE: u32 = 1 << 31;
/// Longer phrases begin with it.
const LEADS: u32 = 1 << 30;
/// The rest of a root's word: the node.
const NODE: u32 = LEADS - 1;

/// From a node by a symbol to a node, in one word: 24, 16 and 24 bits. 0: the slot is free, for no edge leads to the root.
#[derive(Debug, Clone, Copy, Default)]
struct Edge(u64);

/// Most nodes: as many as an [`Edge`] can name.
const MOST_NODES: usize = 1 << 24;

impl Edge {
    fn key(node: u32, symbol: u16) -> u64 {
        u64::from(node) << 16 | u64::from(symbol)
    }

    fn new(key: u64, child: u32) -> Self {
        Self(key << 24 | u64::from(child))
    }

    fn slot(key: u64, mask: usize) -> usize {
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask
    }
}

/// The first four symbols of a phrase as one number, 0 where there are no more.
fn prefix(symbols: [u16; 4]) -> u64 {
    symbols.iter().fold(0, |number, &symbol| number << 16 | u64::from(symbol))
}

fn nth(symbols: &[u16], at: usize) -> u16 {
    symbols.get(at).copied().unwrap_or_default()
}

/// A bit set over hashed prefixes: no false "no".
#[derive(Debug)]
struct PrefixFilter {
    bits: Box<[u64]>,
    mask: usize,
}

impl PrefixFilter {
    fn new(prefixes: &[u64]) -> Self {
        let size = (prefixes.len() * 16).next_power_of_two().max(1 << 12);
        let mut filter = Self { bits: vec![0; size / 64].into(), mask: size - 1 };
        for &prefix in prefixes {
            let bit = filter.bit(prefix);
            if let Some(word) = filter.bits.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        filter
    }

    #[inline]
    fn bit(&self, prefix: u64) -> usize {
        (prefix.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 36) as usize & self.mask
    }

    #[inline]
    fn may_hold(&self, prefix: u64) -> bool {
        let bit = self.bit(prefix);
        self.bits.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

/// The phrases of a lexicon, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Trie {
    /// First symbol → its node, and whether phrases end or go on there.
    roots: Box<[u32]>,
    filter: PrefixFilter,
    edges: Box<[Edge]>,
    mask: usize,
    /// node → where its entries lie in `flat`, and how many
    outs: Box<[(u32, u32)]>,
    flat: Box<[EntryId]>,
}

impl Trie {
    /// Whether nothing can be found.
    pub(crate) fn is_empty(&self) -> bool {
        self.flat.is_empty()
    }

    /// Calls `found` for each occurrence of each phrase in units `from..`, symbols being what `symbol` makes of a unit's
    /// character. No phrase reaches over the end of a sentence.
    pub(crate) fn scan(&self, units: &Units, from: usize, symbol: impl Fn(u16) -> u16, mut found: impl FnMut(Found)) {
        let list = units.list.as_slice();
        let symbol_at = |at: usize| list.get(at).map_or(0, |unit| symbol(unit.ch));
        let mut ahead = [0, symbol_at(from), symbol_at(from + 1), symbol_at(from + 2)];
        for start in from..list.len() {
            ahead = [ahead[1], ahead[2], ahead[3], symbol_at(start + 3)];
            let root = self.roots.get(usize::from(ahead[0])).copied().unwrap_or(0);
            if root == 0 {
                continue;
            }
            let goes_on = root & LEADS != 0 && self.may_go_on(units, start, ahead);
            if goes_on || root & SINGLE != 0 {
                self.walk(units, start, root & NODE, goes_on, &symbol, &mut found);
            }
        }
    }

    /// Whether a phrase of two symbols or more may begin at `start`. Where something to be passed over follows, it may.
    #[inline]
    fn may_go_on(&self, units: &Units, start: usize, ahead: [u16; 4]) -> bool {
        let Some(following) = units.list.get(start + 1).filter(|unit| unit.gap != Gap::Sentence) else { return false };
        let [first, second, third, fourth] = ahead;
        if self.filter.may_hold(prefix(ahead))
            || self.filter.may_hold(prefix([first, second, third, 0]))
            || self.filter.may_hold(prefix([first, second, 0, 0]))
        {
            return true;
        }
        let passed = |at: usize| units.list.get(at).is_some_and(|unit| may_be_passed(unit.ch)) && filler_at(units, at) > 0;
        may_be_passed(following.ch) && filler_at(units, start + 1) > 0
            || second != first && (third == second || passed(start + 2))
            || third != second && (fourth == third && fourth != 0 || passed(start + 3))
    }

    fn walk(&self, units: &Units, start: usize, root: u32, goes_on: bool, symbol: &impl Fn(u16) -> u16, found: &mut impl FnMut(Found)) {
        let list = units.list.as_slice();
        let Some(mut previous) = list.get(start).map(|unit| symbol(unit.ch)) else { return };
        let mut node = root;
        let mut widest = Gap::None;
        let mut skipped = 0;
        let mut emit = |node: u32, end: usize, widest: Gap, skipped: u32| {
            let (at, count) = self.outs.get(node as usize).copied().unwrap_or_default();
            for &entry in self.flat.get(at as usize..(at + count) as usize).unwrap_or_default() {
                found(Found { entry, start, end, widest, skipped: skipped > 0 });
            }
        };
        emit(node, start, widest, skipped);
        if !goes_on {
            return;
        }
        let mut at = start + 1;
        while let Some(unit) = list.get(at).filter(|unit| unit.gap != Gap::Sentence) {
            widest = widest.max(unit.gap);
            let here = symbol(unit.ch);
            if let Some(child) = self.child(node, here) {
                node = child;
                previous = here;
                emit(node, at, widest, skipped);
                at += 1;
                continue;
            }
            let pass = if here == previous { 1 } else { filler_at(units, at) };
            if pass == 0 || skipped + pass > MOST_SKIPPED {
                break;
            }
            skipped += pass;
            at += pass as usize;
        }
    }

    #[inline]
    fn child(&self, node: u32, symbol: u16) -> Option<u32> {
        let key = Edge::key(node, symbol);
        let mut at = Edge::slot(key, self.mask);
        while let Some(edge) = self.edges.get(at).filter(|edge| edge.0 != 0) {
            if edge.0 >> 24 == key {
                return Some((edge.0 & 0xFF_FFFF) as u32);
            }
            at = (at + 1) & self.mask;
        }
        None
    }
}

/// How many units at `at` are a hesitation that may stand inside any phrase: 嗯 呃 啊 …, 那个, 这个.
fn filler_at(units: &Units, at: usize) -> u32 {
    let ch = |at: usize| units.list.get(at).and_then(|unit| char::from_u32(u32::from(unit.ch)));
    match ch(at) {
        Some(c) if is_hesitation(c) => 1,
        Some('那' | '这') if ch(at + 1) == Some('个') => 2,
        _ => 0,
    }
}

/// A cheap look before [`filler_at`].
#[inline]
fn may_be_passed(ch: u16) -> bool {
    char::from_u32(u32::from(ch)).is_some_and(|c| is_hesitation(c) || matches!(c, '那' | '这'))
}

/// A character that people say while they think.
pub(crate) fn is_hesitation(c: char) -> bool {
    matches!(c, '嗯' | '呃' | '啊' | '额' | '哎' | '唉' | '诶' | '哦' | '噢' | '喔')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(phrases: &[&str], text: &str) -> Vec<(String, bool)> {
        let mut builder = TrieBuilder::new();
        for (i, phrase) in phrases.iter().enumerate() {
            let mut units = Units::default();
            units.cut(phrase);
            builder.add(&units.list.iter().map(|u| u.ch).collect::<Vec<_>>(), i as u32);
        }
        let trie = builder.build();
        let mut units = Units::default();
        units.cut(text);
        let chars: Vec<char> = text.chars().collect();
        let mut out = Vec::new();
        trie.scan(
            &units,
            0,
            |c| c,
            |f| {
                let (from, to) = (units.list[f.start].at as usize, units.list[f.end].at as usize);
                out.push((chars[from..=to].iter().collect(), f.skipped));
            },
        );
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
