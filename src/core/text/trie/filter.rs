//! What refuses nearly every place of a text before a trie is walked from there.

use crate::core::text::units::{Unit, Units};

/// Two symbols in one word.
#[inline]
pub(super) const fn pair(first: u16, second: u16) -> u32 {
    (first as u32) << 16 | second as u32
}

/// Calls `look` with the places of a text that `wanted` tells, a bit each, of so many units from some place on, and with what is `fetched`
/// there. Most places it refuses, but no processor guesses which, so all are told first; then a few are fetched at a time, so that
/// one does not wait for memory after the other.
#[inline(always)]
pub(super) fn each_place<T: Copy + Default>(
    units: &Units,
    wanted: impl Fn(&[Unit]) -> u64,
    fetched: impl Fn(&[Unit], usize) -> T,
    mut look: impl FnMut(usize, T),
) {
    const FEW: usize = 16;
    let list = units.list.as_slice();
    for start in (0..list.len()).step_by(AT_ONCE) {
        let mut places = bits(wanted(list.get(start..).unwrap_or_default())).map(|place| start + place);
        let mut few = [(0, T::default()); FEW];
        loop {
            let mut count = 0;
            for (slot, place) in few.iter_mut().zip(&mut places) {
                *slot = (place, fetched(list, place));
                count += 1;
            }
            few.iter().take(count).for_each(|&(place, fetched)| look(place, fetched));
            if count < FEW {
                break;
            }
        }
    }
}

/// The places of the bits that are set, from the lowest.
#[inline(always)]
fn bits(mut answers: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (answers != 0).then(|| answers.trailing_zeros() as usize)?;
        answers &= answers - 1;
        Some(place)
    })
}

/// Places told at once: a bit each.
const AT_ONCE: usize = u64::BITS as usize;

/// Asks at each of the first [`AT_ONCE`] units of `list` whether that one and the two behind it are `wanted`, told in the lowest bit;
/// behind the text's end stands [`Unit::NONE`].
#[inline(always)]
pub(super) fn ask_each(list: &[Unit], wanted: impl Fn([Unit; 3]) -> u32) -> u64 {
    let places = list.len().min(AT_ONCE);
    let mut answers = 0u64;
    let unit = |at: usize| list.get(at).copied().unwrap_or(Unit::NONE);
    let (mut first, mut second) = (unit(0), unit(1));
    let mut ask = |third: Unit| {
        answers = answers >> 1 | u64::from(wanted([first, second, third])) << (AT_ONCE - 1);
        (first, second) = (second, third);
    };
    let behind = list.get(2..list.len().min(AT_ONCE + 2)).unwrap_or_default();
    behind.iter().for_each(|&third| ask(third));
    (behind.len()..places).for_each(|_| ask(Unit::NONE));
    answers.checked_shr((AT_ONCE - places) as u32).unwrap_or_default()
}

/// Whether a symbol is a phrase by itself, and where it may be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Single(u8);

impl Single {
    pub(super) const NONE: Self = Self(0);
    /// Only where a clause begins.
    pub(super) const OPENING: Self = Self(1);
    pub(super) const ANYWHERE: Self = Self(3);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is one, in the lowest bit.
    #[inline]
    pub(super) const fn is_phrase(self) -> u32 {
        self.0 as u32
    }

    /// Whether it may be of use at a unit behind another.
    #[inline]
    pub(super) const fn may_count(self, before: Unit, at: Unit) -> bool {
        match self {
            Self::NONE => false,
            Self::OPENING => at.may_open(before),
            _ => true,
        }
    }
}

/// Third symbols, give or take: a bit for all that share their lowest bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Thirds(u32);

impl Thirds {
    /// These and one more.
    pub(super) const fn with(self, symbol: u16) -> Self {
        Self(self.0 | 1u32.wrapping_shl(symbol as u32))
    }

    /// Symbols by other bits than in [`Openings`]: what one lets through by chance the other refuses.
    pub(super) const fn again(symbol: u16) -> u16 {
        symbol >> 5
    }

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
    thirds: Box<[Thirds]>,
}

impl Openings {
    /// Of phrases of two symbols and more, sorted.
    pub(super) fn new<'a>(phrases: impl Iterator<Item = &'a [u16]> + Clone) -> Self {
        let mut pairs: Vec<u32> = phrases.clone().filter_map(|symbols| Some(pair(*symbols.first()?, *symbols.get(1)?))).collect();
        pairs.dedup();
        let size = (pairs.len() * 4).next_power_of_two().clamp(1 << 8, MOST_SLOTS);
        let mut openings = Self { thirds: vec![Thirds::default(); size].into() };
        for symbols in phrases {
            let [first, second, rest @ ..] = symbols else { continue };
            let slot = openings.slot(pair(*first, *second));
            if let Some(thirds) = openings.thirds.get_mut(slot) {
                // Behind a phrase of two anything may stand.
                *thirds = rest.first().map_or(Thirds(u32::MAX), |&third| thirds.with(third));
            }
        }
        openings
    }

    #[inline]
    const fn slot(&self, pair: u32) -> usize {
        (pair.wrapping_mul(0x9E37_79B9) >> 16) as usize & (self.thirds.len() - 1)
    }

    /// The third symbols that may follow two.
    #[inline]
    pub(super) fn behind(&self, first: u16, second: u16) -> Thirds {
        self.thirds.get(self.slot(pair(first, second))).copied().unwrap_or_default()
    }
}

/// Up to [`LeadSet::SYMBOLS`] symbols beside one another in one word, the last lowest.
type Packed = u64;

/// What phrases begin with, give or take: no false "no".
#[derive(Debug)]
pub(super) struct LeadSet {
    bits: Box<[u64]>,
    shift: u32,
}

impl LeadSet {
    /// Symbols of a phrase that count.
    const SYMBOLS: usize = 4;
    /// From so many beginnings of two symbols on it is worth its room and time.
    pub(super) const WORTH: usize = 1 << 14;

    /// Of phrases, those of one symbol left out.
    pub(super) fn new<'a>(phrases: impl Iterator<Item = &'a [u16]>) -> Self {
        let lead = |symbols: &[u16]| symbols.iter().take(Self::SYMBOLS).fold(0, |lead, &symbol| lead << 16 | Packed::from(symbol));
        let mut leads: Vec<Packed> = phrases.filter(|symbols| symbols.len() > 1).map(lead).collect();
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

    /// Whether a phrase of characters may begin with these units, a stutter or hesitation passed over.
    pub(super) fn may_lead(&self, first: &Unit, second: &Unit, behind: &[Unit]) -> bool {
        let unit = |at: usize| behind.get(at).copied().unwrap_or(Unit::NONE);
        let (third, fourth) = (unit(0), unit(1));
        let lead = packed([first.ch(), second.ch(), third.ch(), fourth.ch()]);
        self.may_hold(lead)
            | self.may_hold(lead >> 16)
            | self.may_hold(lead >> 32)
            | third.passable() & (first.ch() != second.ch())
            | fourth.passable() & (second.ch() != third.ch())
    }

    /// Whether a phrase of three syllables and more may begin with those of these units.
    pub(super) fn may_sound(&self, [one, two, three]: [Unit; 3], four: Option<&Unit>) -> bool {
        let lead = packed([one.sound(), two.sound(), three.sound(), four.map_or(0, |four| four.sound())]);
        self.may_hold(lead >> 16) || self.may_hold(lead)
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

#[inline]
fn packed([first, second, third, fourth]: [u16; LeadSet::SYMBOLS]) -> Packed {
    u64::from(first) << 48 | u64::from(second) << 32 | u64::from(third) << 16 | u64::from(fourth)
}
