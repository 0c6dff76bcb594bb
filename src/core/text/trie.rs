//! Finds every listed phrase in a text, tolerating what recognisers put between its characters.
//!
//! Phrases are walked from each place of the text, which finds all that overlap: resolving exceptions and opposites needs
//! them. It stays fast because nearly every place is refused before the walk by two small bit sets, of the phrases' first
//! two symbols and of their first four; because a prefix is known by a number that grows with it, so that one look into one
//! table tells whether it exists, what ends there and what may follow; and because the tables' hot parts stay in the
//! nearest caches even with 100,000 phrases. The same structure serves characters and syllables.

use rustc_hash::FxHashMap;

use super::units::{Gap, Unit, Units};

/// What stands in a list at a phrase's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Whatever the owner of the trie counts.
    pub(crate) entry: u32,
    pub(crate) list: u16,
    /// Whatever the owner wants to know without looking the entry up.
    pub(crate) marks: u8,
    /// More phrases end here.
    more: bool,
}

impl Listed {
    pub(crate) const fn new(entry: u32, list: u16, marks: u8) -> Self {
        Self { entry, list, marks, more: false }
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

/// A sequence of symbols as a number. Two prefixes of one list that share one are as likely as 1 in 10^8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Prefix(u64);

impl Prefix {
    const NONE: Self = Self(0x243F_6A88_85A3_08D3);

    #[inline]
    const fn then(self, symbol: u16) -> Self {
        Self((self.0.rotate_left(5) ^ symbol as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

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

/// A prefix of phrases: which, what ends there, what may follow.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// [`Prefix::default`]: the slot is free.
    prefix: Prefix,
    /// Where the phrases that end here begin in the trie's list, from 1; 0: none ends.
    ends: u32,
    /// Symbols that lead on, one of 32 bits each.
    follows: u32,
}

impl Slot {
    #[inline]
    const fn bit(symbol: u16) -> u32 {
        1 << ((symbol as u32).wrapping_mul(0x9E37_79B9) >> 27)
    }

    #[inline]
    const fn may_lead(self, symbol: u16) -> bool {
        self.follows & Self::bit(symbol) != 0
    }
}

#[derive(Debug, Default)]
pub(crate) struct TrieBuilder {
    prefixes: FxHashMap<Prefix, (Vec<Listed>, u32)>,
    singles: Vec<u16>,
    pairs: Vec<Packed>,
    leads: Vec<Packed>,
    longest: usize,
}

impl TrieBuilder {
    /// Adds a phrase, given as its symbols; an empty one is never found.
    pub(crate) fn add(&mut self, symbols: &[u16], listed: Listed) {
        self.longest = self.longest.max(symbols.len());
        let mut prefix = Prefix::NONE;
        for (&symbol, place) in symbols.iter().zip(0..) {
            if place > 0 {
                self.prefixes.entry(prefix).or_default().1 |= Slot::bit(symbol);
            }
            prefix = prefix.then(symbol);
        }
        match symbols {
            [] => return,
            [only] => self.singles.push(*only),
            [first, second, ..] => {
                self.pairs.push(packed(&[*first, *second]));
                self.leads.push(packed(symbols));
            }
        }
        self.prefixes.entry(prefix).or_default().0.push(listed);
    }

    pub(crate) fn build(self) -> Trie {
        let mut singles = vec![0u64; 1024].into_boxed_slice();
        for &symbol in &self.singles {
            if let Some(word) = singles.get_mut(usize::from(symbol >> 6)) {
                *word |= 1 << (symbol & 63);
            }
        }
        let size = (self.prefixes.len() * 2).next_power_of_two().max(16);
        let mut slots = vec![Slot::default(); size].into_boxed_slice();
        let shift = 64 - size.trailing_zeros();
        let mut ends = Vec::new();
        // The order of insertion decides who sits where in the table, never what is found.
        for (prefix, (mut listed, follows)) in self.prefixes {
            listed.sort_unstable_by_key(|listed| listed.entry);
            let at = if listed.is_empty() { 0 } else { ends.len() as u32 + 1 };
            let last = listed.len().saturating_sub(1);
            ends.extend(listed.into_iter().enumerate().map(|(place, listed)| Listed { more: place < last, ..listed }));
            let mut place = (prefix.0 >> shift) as usize;
            while slots.get(place).is_some_and(|slot| slot.prefix != Prefix::default()) {
                place = (place + 1) & (size - 1);
            }
            if let Some(slot) = slots.get_mut(place) {
                *slot = Slot { prefix, ends: at, follows };
            }
        }
        Trie {
            singles,
            pairs: LeadSet::new(self.pairs),
            leads: LeadSet::new(self.leads),
            slots,
            shift,
            ends: ends.into(),
            longest: self.longest,
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
    slots: Box<[Slot]>,
    shift: u32,
    ends: Box<[Listed]>,
    /// Symbols of the longest phrase.
    longest: usize,
}

impl Trie {
    /// Whether nothing can be found.
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Calls `found` for each occurrence of each phrase of characters in units `from..`. No phrase reaches over the end of a
    /// sentence; a phrase may go on behind a stutter or a hesitation.
    /// Stops before the first place that `goes_on` refuses.
    #[inline(always)]
    pub(crate) fn scan(&self, units: &Units, from: usize, mut goes_on: impl FnMut(usize) -> bool, mut found: impl FnMut(Listed, Span)) {
        let list = units.list.get(from..).unwrap_or_default();
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
            if !goes_on(from + place) {
                return;
            }
            let (ahead, passable) = look(list.get(place + LEAD - 1));
            let first = (ahead >> 48) as u16;
            if self.is_single(first) {
                let span = Span { start: from + place, end: from + place, widest: Gap::None, skipped: false };
                self.emit(self.slot(Prefix::NONE.then(first)), span, &mut found);
            }
            if passable & 0b100 != 0 && units.filler_at(from + place + 1) > 0 {
                self.walk(units, from + place, 1, &mut found);
            } else if self.pairs.may_hold(ahead >> 32) && self.may_lead(ahead, passable) {
                self.walk(units, from + place, 2, &mut found);
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
        let mut prefix = Prefix::NONE.then(first.ch);
        if known > 1 {
            prefix = prefix.then(last.ch);
        }
        let Some(mut slot) = self.slot(prefix) else { return };
        let mut span = Span { start, end: at - 1, widest: if known > 1 { last.gap } else { Gap::None }, skipped: false };
        if known > 1 {
            self.emit(Some(slot), span, found);
        }
        let mut previous = last.ch;
        let mut skipped = 0;
        while let Some(unit) = list.get(at).filter(|unit| unit.gap != Gap::Sentence) {
            span.widest = span.widest.max(unit.gap);
            if slot.may_lead(unit.ch)
                && let Some(next) = self.slot(prefix.then(unit.ch))
            {
                slot = next;
                prefix = next.prefix;
                previous = unit.ch;
                span.end = at;
                self.emit(Some(slot), span, found);
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

    /// Calls `found` for each occurrence of each phrase of syllables in units `from..`, three and more of them, with no gap
    /// wider than `widest` inside.
    pub(crate) fn scan_sounds(&self, units: &Units, from: usize, widest: Gap, mut found: impl FnMut(Listed, Span)) {
        let list = units.list.get(from..).unwrap_or_default();
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
            let lead = Prefix::NONE.then(one.sound).then(two.sound).then(three.sound);
            let mut span = Span { start: from + place, end: from + place + 2, widest: two.gap.max(three.gap), skipped: false };
            let Some(mut slot) = self.slot(lead).filter(|_| span.widest <= widest) else { continue };
            self.emit(Some(slot), span, &mut found);
            for unit in list.iter().skip(place + 3) {
                span.widest = span.widest.max(unit.gap);
                if span.widest > widest || !slot.may_lead(unit.sound) {
                    break;
                }
                let Some(next) = self.slot(slot.prefix.then(unit.sound)) else { break };
                slot = next;
                span.end += 1;
                self.emit(Some(slot), span, &mut found);
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
    fn emit(&self, slot: Option<Slot>, span: Span, found: &mut impl FnMut(Listed, Span)) {
        let Some(first) = slot.and_then(|slot| (slot.ends as usize).checked_sub(1)) else { return };
        for &listed in self.ends.get(first..).unwrap_or_default() {
            found(listed, span);
            if !listed.more {
                break;
            }
        }
    }

    #[inline]
    fn slot(&self, prefix: Prefix) -> Option<Slot> {
        let mut at = (prefix.0 >> self.shift) as usize;
        loop {
            let slot = self.slots.get(at).copied()?;
            if slot.prefix == prefix {
                return Some(slot);
            }
            if slot.prefix == Prefix::default() {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
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
            0,
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
