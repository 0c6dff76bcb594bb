//! Finds every listed phrase in a text, tolerating what recognisers put between its characters.
//!
//! Phrases are walked from each place of the text, which finds all that overlap: resolving exceptions and opposites needs
//! them. It stays fast because nearly every place is refused before the walk by two small bit sets, of the phrases' first
//! two symbols and of their first four; because a walk begins behind the first two; and because nodes lie level by level, a
//! node's children side by side, so that even 100,000 phrases fill few cache lines. The same structure serves characters and
//! syllables.

use super::units::{Gap, Unit, Units};

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
/// Symbols of a phrase that a walk is refused or begun by.
const LEAD: usize = 4;

/// Up to [`LEAD`] symbols beside one another in one word, the last lowest.
type Packed = u64;

fn packed(symbols: &[u16]) -> Packed {
    symbols.iter().take(LEAD).fold(0, |word, &symbol| word << 16 | u64::from(symbol))
}

/// A set of beginnings, give or take: no false "no".
#[derive(Debug)]
struct LeadSet {
    bits: Box<[u64]>,
    shift: u32,
}

impl LeadSet {
    fn new(mut leads: Vec<Packed>) -> Self {
        leads.sort_unstable();
        leads.dedup();
        let size = (leads.len() * 16).next_power_of_two().clamp(1 << 12, 1 << 30);
        let mut set = Self { bits: vec![0; size / 64].into(), shift: 64 - size.trailing_zeros() };
        for lead in leads {
            let bit = set.bit(lead);
            if let Some(word) = set.bits.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        set
    }

    #[inline]
    fn bit(&self, lead: Packed) -> usize {
        (lead.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> self.shift) as usize
    }

    #[inline]
    fn may_hold(&self, lead: Packed) -> bool {
        let bit = self.bit(lead);
        self.bits.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

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
    const fn of(first: u16, second: u16) -> u32 {
        (first as u32) << 16 | second as u32
    }

    const fn slot(symbols: u32, shift: u32) -> usize {
        (symbols.wrapping_mul(0x9E37_79B9) >> shift) as usize
    }
}

#[derive(Debug, Default)]
pub(crate) struct TrieBuilder {
    phrases: Vec<(Box<[u16]>, Listed)>,
}

impl TrieBuilder {
    /// Adds a phrase, given as its symbols, none of which is 0; an empty one is never found.
    pub(crate) fn add(&mut self, symbols: &[u16], listed: Listed) {
        if !symbols.is_empty() {
            self.phrases.push((symbols.into(), listed));
        }
    }

    pub(crate) fn build(self) -> Trie {
        let mut phrases = self.phrases;
        phrases.sort_by(|(left, one), (right, other)| left.cmp(right).then(one.entry.cmp(&other.entry)));
        let mut singles = vec![0u64; 1024].into_boxed_slice();
        let (mut pairs, mut leads) = (Vec::new(), Vec::new());
        for (symbols, _) in &phrases {
            match **symbols {
                [only] => {
                    if let Some(word) = singles.get_mut(usize::from(only >> 6)) {
                        *word |= 1 << (only & 63);
                    }
                }
                [first, second, ..] => {
                    pairs.push(packed(&[first, second]));
                    leads.push(packed(symbols));
                }
                [] => {}
            }
        }
        let longest = phrases.iter().map(|(symbols, _)| symbols.len()).max().unwrap_or_default();
        let mut symbols = vec![0];
        let mut nodes = Vec::new();
        let mut starts = Vec::new();
        let mut ends: Vec<Listed> = Vec::new();
        // Level by level: of each node the phrases that go through it, and how many symbols lead to it.
        let mut queue = std::collections::VecDeque::from([(phrases.as_slice(), 0)]);
        while let Some((through, depth)) = queue.pop_front() {
            let node = nodes.len() as u32;
            let ending = through.iter().take_while(|(symbols, _)| symbols.len() == depth).count();
            let (here, longer) = through.split_at(ending);
            // No more than 255 lists can tell anything of one phrase.
            let here = here.get(..255).unwrap_or(here);
            let end = match here {
                [] => Listed::default(),
                [(_, only)] => *only,
                several => {
                    let at = ends.len() as u32;
                    ends.extend(several.iter().map(|(_, listed)| *listed));
                    Listed { entry: at, ..Listed::default() }
                }
            };
            nodes.push(Node { children: symbols.len() as u32, ends: here.len() as u8, end });
            if let Some((first, ..)) = through.first().filter(|_| depth == 1 || depth == 2) {
                let nth = |at: usize| first.get(at).copied().filter(|_| at < depth).unwrap_or_default();
                starts.push(Start { symbols: Start::of(nth(0), nth(1)), node });
            }
            let symbol = |phrase: &(Box<[u16]>, Listed)| phrase.0.get(depth).copied();
            for through in longer.chunk_by(|left, right| symbol(left) == symbol(right)) {
                symbols.push(through.first().and_then(symbol).unwrap_or_default());
                queue.push_back((through, depth + 1));
            }
        }
        nodes.push(Node { children: symbols.len() as u32, ..Node::default() });
        let size = (starts.len() * 2).next_power_of_two().max(16);
        let shift = 32 - size.trailing_zeros();
        let mut slots = vec![Start::default(); size].into_boxed_slice();
        for start in starts {
            let mut at = Start::slot(start.symbols, shift);
            while slots.get(at).is_some_and(|slot| slot.symbols != 0) {
                at = (at + 1) & (size - 1);
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = start;
            }
        }
        Trie {
            singles,
            pairs: LeadSet::new(pairs),
            leads: LeadSet::new(leads),
            starts: slots,
            shift,
            symbols: symbols.into(),
            nodes: nodes.into(),
            ends: ends.into(),
            longest,
        }
    }
}

/// The phrases of a lexicon, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Trie {
    /// Symbols that are phrases by themselves, one bit each.
    singles: Box<[u64]>,
    /// What phrases of two symbols and more begin with.
    pairs: LeadSet,
    /// The same, up to [`LEAD`] symbols of each.
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
    /// Stops before the first place that `goes_on` refuses.
    #[inline(always)]
    pub(crate) fn scan(&self, units: &Units, mut goes_on: impl FnMut(usize) -> bool, mut found: impl FnMut(Listed, Span)) {
        let list = units.list.as_slice();
        let (mut ahead, mut passable) = (0, 0u32);
        let mut look = |unit: Option<&Unit>| {
            let (ch, passes) = unit.map_or((0, false), |unit| (unit.ch, unit.passable));
            ahead = ahead << 16 | u64::from(ch);
            passable = passable << 1 | u32::from(passes);
            (ahead, passable)
        };
        list.iter().take(LEAD - 1).for_each(|unit| {
            look(Some(unit));
        });
        (list.len()..LEAD - 1).for_each(|_| {
            look(None);
        });
        for place in 0..list.len() {
            if !goes_on(place) {
                return;
            }
            let (ahead, passable) = look(list.get(place + LEAD - 1));
            let first = (ahead >> 48) as u16;
            if self.is_single(first) {
                let span = Span { start: place, end: place, widest: Gap::None, skipped: false };
                self.emit(self.start(first, 0), span, &mut found);
            }
            if passable & 0b100 != 0 && units.filler_at(place + 1) > 0 {
                self.walk(units, place, 1, &mut found);
            } else if self.pairs.may_hold(ahead >> 32) && self.may_lead(ahead, passable) {
                self.walk(units, place, 2, &mut found);
            }
        }
    }

    /// Whether a phrase may stand where these characters do, the first two of which some phrase has.
    #[inline]
    fn may_lead(&self, ahead: Packed, passable: u32) -> bool {
        let ch = |place: u32| (ahead >> (48 - 16 * place)) as u16;
        self.leads.may_hold(ahead >> 32)
            || self.leads.may_hold(ahead >> 16)
            || self.leads.may_hold(ahead)
            || passable & 0b10 != 0 && ch(0) != ch(1)
            || passable & 0b1 != 0 && ch(1) != ch(2)
    }

    /// Goes on from the first `known` units at `start`, one or two.
    fn walk(&self, units: &Units, start: usize, known: usize, found: &mut impl FnMut(Listed, Span)) {
        let list = units.list.as_slice();
        let mut at = start + known;
        let Some([first, .., last] | [first @ last]) = list.get(start..at) else { return };
        if known > 1 && last.gap == Gap::Sentence {
            return;
        }
        let Some(mut node) = self.start(first.ch, if known > 1 { last.ch } else { 0 }) else { return };
        let mut span = Span { start, end: at - 1, widest: if known > 1 { last.gap } else { Gap::None }, skipped: false };
        if known > 1 {
            self.emit(Some(node), span, found);
        }
        let mut previous = last.ch;
        let mut skipped = 0;
        while let Some(unit) = list.get(at).filter(|unit| unit.gap != Gap::Sentence) {
            span.widest = span.widest.max(unit.gap);
            if let Some(child) = self.child(node, unit.ch) {
                node = child;
                previous = unit.ch;
                span.end = at;
                self.emit(Some(node), span, found);
                at += 1;
                continue;
            }
            if skipped == 0 && !unit.passable {
                break;
            }
            let pass = if unit.ch == previous { 1 } else { units.filler_at(at) };
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
        let list = units.list.as_slice();
        let mut ahead = 0;
        for (next, unit) in list.iter().map(Some).chain([None]).enumerate() {
            // Three symbols stand before `unit`, which may be the fourth.
            let three = ahead & 0xFFFF_FFFF_FFFF;
            ahead = ahead << 16 | unit.map_or(0, |unit| u64::from(unit.sound));
            if !self.leads.may_hold(three) && !self.leads.may_hold(ahead) {
                continue;
            }
            let Some(place) = next.checked_sub(3) else { continue };
            let Some([one, two, three]) = list.get(place..next) else { continue };
            let mut span = Span { start: place, end: place + 2, widest: two.gap.max(three.gap), skipped: false };
            if span.widest > widest {
                continue;
            }
            let start = self.start(one.sound, two.sound).and_then(|node| self.child(node, three.sound));
            let Some(mut node) = start else { continue };
            self.emit(start, span, &mut found);
            for unit in list.iter().skip(place + 3) {
                span.widest = span.widest.max(unit.gap);
                if span.widest > widest {
                    break;
                }
                let Some(child) = self.child(node, unit.sound) else { break };
                node = child;
                span.end += 1;
                self.emit(Some(node), span, &mut found);
            }
        }
    }

    /// Whether a phrase of syllables may hold the unit at `at`. No false "no".
    pub(crate) fn may_reach(&self, units: &Units, at: usize) -> bool {
        !self.is_empty()
            && (at.saturating_sub(self.longest)..=at).any(|start| {
                let sound = |at: usize| units.list.get(at).map_or(0, |unit| unit.sound);
                let lead = packed(&[sound(start), sound(start + 1), sound(start + 2), sound(start + 3)]);
                self.leads.may_hold(lead >> 16) || self.leads.may_hold(lead)
            })
    }

    #[inline]
    fn is_single(&self, symbol: u16) -> bool {
        self.singles.get(usize::from(symbol >> 6)).is_some_and(|word| word >> (symbol & 63) & 1 == 1)
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
        let symbols = Start::of(first, second);
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
            builder.add(&units.list.iter().map(|u| u.ch).collect::<Vec<_>>(), Listed::new(i as u32, 0, 0));
        }
        let trie = builder.build();
        let mut units = Units::default();
        units.cut(text);
        let chars: Vec<char> = text.chars().collect();
        let mut out = Vec::new();
        trie.scan(
            &units,
            |_| true,
            |_, span| {
                let (from, to) = (units.list[span.start].at as usize, units.list[span.end].at as usize);
                out.push((chars[from..=to].iter().collect(), span.skipped));
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
