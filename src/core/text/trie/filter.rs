//! What refuses nearly every place of a text before a trie is walked from there.

use crate::core::text::units::{Unit, Units};

/// Two symbols in one word.
#[inline]
pub(super) const fn pair(first: u16, second: u16) -> u32 {
    (first as u32) << 16 | second as u32
}

/// Symbols of a phrase that a walk is refused or begun by.
pub(super) const LEAD: usize = 4;

/// Up to [`LEAD`] symbols beside one another in one word, the last lowest.
pub(super) type Packed = u64;

#[inline]
pub(super) fn packed(symbols: [u16; LEAD]) -> Packed {
    let [first, second, third, fourth] = symbols;
    u64::from(first) << 48 | u64::from(second) << 32 | u64::from(third) << 16 | u64::from(fourth)
}

/// Calls `look` with the places of a text where the unit before, if there is one, and the three from there on are `wanted`, told in the
/// lowest bit; behind the text's end stands [`Unit::NONE`]. The answers are gathered before the first look: most are no, but no
/// processor guesses which.
#[inline(always)]
pub(super) fn each_place(units: &Units, wanted: impl Fn(Unit, [Unit; 3]) -> u32, mut look: impl FnMut(usize)) {
    const AT_ONCE: usize = u64::BITS as usize;
    let list = units.list.as_slice();
    let (mut before, mut first, mut second) = (Unit::NONE, units.get(0), units.get(1));
    let mut start = 0;
    while start < list.len() {
        let end = list.len().min(start + AT_ONCE);
        let behind = list.get(start + 2..list.len().min(end + 2)).unwrap_or_default();
        let mut answers = 0u64;
        let mut ask = |third: Unit| {
            answers = answers >> 1 | u64::from(wanted(before, [first, second, third])) << (AT_ONCE - 1);
            (before, first, second) = (first, second, third);
        };
        behind.iter().for_each(|&third| ask(third));
        (behind.len()..end - start).for_each(|_| ask(Unit::NONE));
        answers >>= AT_ONCE - (end - start);
        while answers != 0 {
            look(start + answers.trailing_zeros() as usize);
            answers &= answers - 1;
        }
        start = end;
    }
}

/// Whether a symbol is a phrase by itself, and where it may be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Single(u8);

impl Single {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ANYWHERE: Self = Self(1);
    /// Only where a clause begins.
    pub(super) const OPENING: Self = Self(2);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it may be of use at a unit behind another, in the lowest bit.
    #[inline]
    pub(super) fn may_count(self, before: Unit, at: Unit) -> u32 {
        u32::from(self.0) | u32::from(self.0 >> 1) & at.may_open(before)
    }
}

/// A set of beginnings, give or take: no false "no".
#[derive(Debug)]
pub(super) struct LeadSet {
    bits: Box<[u64]>,
    shift: u32,
}

impl LeadSet {
    pub(super) fn new(mut leads: Vec<Packed>) -> Self {
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
    pub(super) fn may_hold(&self, lead: Packed) -> bool {
        let bit = self.bit(lead);
        self.bits.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

/// Third symbols, give or take: a bit for all that share their lowest bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thirds(u32);

impl Thirds {
    /// Whether it may be one of them, in the lowest bit.
    #[inline]
    pub(super) const fn may_be(self, symbol: u16) -> u32 {
        self.0.wrapping_shr(symbol as u32)
    }
}

/// Most slots of [`Openings`]: larger, they would push the rest out of the caches.
const MOST_SLOTS: usize = 1 << 16;

/// The first three symbols of phrases, give or take: no false "no".
#[derive(Debug)]
pub(super) struct Openings {
    /// Of all pairs that share a slot, the [`Thirds`].
    thirds: Box<[u32]>,
    shift: u32,
}

impl Openings {
    /// Of phrases of two symbols and more, sorted.
    pub(super) fn new<'a>(phrases: impl Iterator<Item = &'a [u16]> + Clone) -> Self {
        let mut pairs: Vec<u32> = phrases.clone().filter_map(|symbols| Some(pair(*symbols.first()?, *symbols.get(1)?))).collect();
        pairs.dedup();
        let size = (pairs.len() * 4).next_power_of_two().clamp(1 << 8, MOST_SLOTS);
        let mut openings = Self { thirds: vec![0; size].into(), shift: 32 - size.trailing_zeros() };
        for symbols in phrases {
            let [first, second, rest @ ..] = symbols else { continue };
            let slot = openings.slot(pair(*first, *second));
            if let Some(thirds) = openings.thirds.get_mut(slot) {
                // Behind a phrase of two anything may stand.
                *thirds |= rest.first().map_or(u32::MAX, |&third| 1u32.wrapping_shl(third.into()));
            }
        }
        openings
    }

    #[inline]
    const fn slot(&self, pair: u32) -> usize {
        (pair.wrapping_mul(0x9E37_79B9) >> self.shift) as usize
    }

    /// The third symbols that may follow two.
    #[inline]
    pub(super) fn behind(&self, first: u16, second: u16) -> Thirds {
        Thirds(self.thirds.get(self.slot(pair(first, second))).copied().unwrap_or_default())
    }
}
