//! Finds every listed phrase in a text, tolerating what recognisers put between its characters.
//!
//! Phrases are walked from each place of the text, which finds all that overlap: resolving exceptions and opposites needs
//! them. It stays fast because nearly every place is refused before the walk by a small set of the phrases' first three symbols,
//! of many phrases also by one of their first four; because a walk begins behind the first two, where more is known of the third;
//! because what is looked up is fetched for many places before it is used for the first; and because nodes are small and lie level
//! by level, a node's children side by side, so that even 100,000 phrases fill few cache lines. The same structure serves
//! characters and syllables.

mod build;
mod filter;
mod node;

pub(crate) use build::TrieBuilder;

use super::fold::NO_SYLLABLE;
use super::units::{Gap, Unit, Units};
use filter::{LeadSet, Openings, Single, Thirds, ask_each, each_place, pair};
use node::{End, Node, Start};

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
/// The phrases of a lexicon, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Trie {
    /// Of each symbol, whether it is a phrase by itself.
    singles: Box<[Single; 1 << 16]>,
    /// What phrases of two symbols and more begin with, up to three symbols of each.
    openings: Openings,
    /// The same, up to four symbols, where there are so many that a look at where they lead costs more than one at these.
    leads: Option<LeadSet>,
    starts: Box<[Start]>,
    shift: u32,
    /// node → the symbol that leads to it
    symbols: Box<[u16]>,
    /// One more than there are nodes, for the end of the last one's children.
    nodes: Box<[Node]>,
    /// Of each node.
    ends: Box<[End]>,
    /// Where several end at one node.
    several: Box<[Listed]>,
    /// Symbols of the longest phrase.
    longest: usize,
}

impl Trie {
    /// Whether nothing can be found.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.len() <= 2
    }

    /// Calls `found` for each occurrence of phrases of characters, with all that are the same. No phrase reaches over the end of a
    /// sentence; a phrase may go on behind a stutter or a hesitation.
    #[inline(always)]
    pub(crate) fn scan(&self, units: &Units, mut found: impl FnMut(&[Listed], Span)) {
        each_place(
            units,
            |list| self.begins(list),
            |list, place| self.slot_of(list.get(place..)),
            |place, slot| self.find_here(units, place, slot, &mut found),
        );
    }

    /// Whether a phrase may begin at each of the first units of `list`, a bit each.
    #[inline(never)]
    fn begins(&self, list: &[Unit]) -> u64 {
        ask_each(list, |[first, second, third]| {
            let thirds = self.openings.behind(first.ch(), second.ch());
            thirds.may_be(third.ch()) | u32::from(second.or(third).passable()) | self.single(first.ch()).is_phrase()
        })
    }

    /// As [`scan`](Self::scan), of one place.
    pub(crate) fn find_at(&self, units: &Units, place: usize, found: &mut impl FnMut(&[Listed], Span)) {
        self.find_here(units, place, self.slot_of(units.list.get(place..)), found);
    }

    /// As [`find_at`](Self::find_at), where the slot was looked at already where the first two units lead.
    #[inline(always)]
    fn find_here(&self, units: &Units, place: usize, slot: Start, found: &mut impl FnMut(&[Listed], Span)) {
        let Some([first, behind @ ..]) = units.list.get(place..) else { return };
        let single = self.single(first.ch());
        if single != Single::NONE && single.may_count(place.checked_sub(1).map_or(Unit::NONE, |before| units.get(before)), *first) {
            self.find_single(place, first.ch(), found);
        }
        let Some((second, behind)) = behind.split_first() else { return };
        let mut span = Span { start: place, end: place, widest: Gap::None, skipped: false };
        if second.passable() && units.filler_at(place + 1) > 0 {
            if let Some(start) = self.start(first.ch(), 0) {
                self.walk(units, start.node(), first.ch(), span, found);
            }
        } else if second.gap() != Gap::Sentence
            && self.leads.as_ref().is_none_or(|leads| leads.may_lead(first, second, behind))
            && let Some(start) = self.start_from(slot, first.ch(), second.ch())
        {
            span.end += 1;
            span.widest = second.gap();
            if start.ends() {
                self.tell(start.node(), span, found);
            }
            let Some(third) = behind.first() else { return };
            // A stutter is passed over from where it begins.
            let stutters = || {
                let goes_on = behind.get(1).is_some_and(|fourth| fourth.passable()) && second.ch() != third.ch();
                first.ch() == second.ch() && !start.ends() && !goes_on
            };
            if start.thirds.may_be(Thirds::again(third.ch())) & 1 == 1 || third.passable() && !stutters() {
                self.walk(units, start.node(), second.ch(), span, found);
            }
        }
    }

    #[inline(never)]
    fn find_single(&self, place: usize, symbol: u16, found: &mut impl FnMut(&[Listed], Span)) {
        let span = Span { start: place, end: place, widest: Gap::None, skipped: false };
        if let Some(start) = self.start(symbol, 0) {
            self.emit(start.node(), span, found);
        }
    }

    /// Goes on from a node behind the unit at `span`'s end, of the character `previous`.
    fn walk(&self, units: &Units, mut node: u32, mut previous: u16, mut span: Span, found: &mut impl FnMut(&[Listed], Span)) {
        let list = units.list.as_slice();
        let mut at = span.end + 1;
        let mut skipped = 0;
        while let Some(unit) = list.get(at).filter(|unit| unit.gap() != Gap::Sentence) {
            span.widest = span.widest.max(unit.gap());
            if let Some(child) = self.child(node, unit.ch()) {
                node = child;
                previous = unit.ch();
                span.end = at;
                self.emit(node, span, found);
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
    pub(crate) fn scan_sounds(&self, units: &Units, widest: Gap, mut found: impl FnMut(&[Listed], Span)) {
        let slot = |list: &[Unit], place: usize| match list.get(place..) {
            Some([one, two, ..]) => self.starts.get(Start::slot(pair(one.sound(), two.sound()), self.shift)).copied().unwrap_or_default(),
            _ => Start::default(),
        };
        each_place(units, |list| self.sounds_begin(list), slot, |place, slot| self.find_sounds_at(units, place, slot, widest, &mut found));
    }

    /// As [`begins`](Self::begins), of phrases of syllables.
    #[inline(never)]
    fn sounds_begin(&self, list: &[Unit]) -> u64 {
        ask_each(list, |[first, second, third]| self.openings.behind(first.sound(), second.sound()).may_be(third.sound()))
    }

    #[inline(never)]
    fn find_sounds_at(&self, units: &Units, place: usize, slot: Start, widest: Gap, found: &mut impl FnMut(&[Listed], Span)) {
        let Some([one, two, three, behind @ ..]) = units.list.get(place..) else { return };
        let mut span = Span { start: place, end: place + 2, widest: two.gap().max(three.gap()), skipped: false };
        if span.widest > widest || two.sound() == NO_SYLLABLE {
            return;
        }
        if let Some(leads) = &self.leads
            && !leads.may_sound([*one, *two, *three], behind.first())
        {
            return;
        }
        let start =
            self.start_from(slot, one.sound(), two.sound()).filter(|start| start.thirds.may_be(Thirds::again(three.sound())) & 1 == 1);
        let Some(mut node) = start.and_then(|start| self.child(start.node(), three.sound())) else { return };
        self.emit(node, span, found);
        for unit in behind {
            span.widest = span.widest.max(unit.gap());
            if span.widest > widest {
                break;
            }
            let Some(child) = self.child(node, unit.sound()) else { break };
            node = child;
            span.end += 1;
            self.emit(node, span, found);
        }
    }

    /// Whether a phrase of syllables may hold the unit at `at`. No false "no".
    pub(crate) fn may_reach(&self, units: &Units, at: usize) -> bool {
        let sound = |place: usize| units.get(place).sound();
        !self.is_empty()
            && (at.saturating_sub(self.longest)..=at)
                .any(|start| self.openings.behind(sound(start), sound(start + 1)).may_be(sound(start + 2)) & 1 == 1)
    }

    #[inline]
    fn single(&self, symbol: u16) -> Single {
        self.singles.get(usize::from(symbol)).copied().unwrap_or(Single::NONE)
    }

    /// Tells of the phrases that end at a node, if any do.
    #[inline]
    fn emit(&self, node: u32, span: Span, found: &mut impl FnMut(&[Listed], Span)) {
        if self.nodes.get(node as usize).is_some_and(|node| node.ends()) {
            self.tell(node, span, found);
        }
    }

    #[inline]
    fn tell(&self, node: u32, span: Span, found: &mut impl FnMut(&[Listed], Span)) {
        let Some(End { count, only }) = self.ends.get(node as usize) else { return };
        if *count == 1 {
            found(std::slice::from_ref(only), span);
        } else {
            let from = only.entry as usize;
            found(self.several.get(from..from + usize::from(*count)).unwrap_or_default(), span);
        }
    }

    /// Where one symbol (the second 0) or two lead.
    #[inline]
    fn start(&self, first: u16, second: u16) -> Option<Start> {
        let slot = self.starts.get(Start::slot(pair(first, second), self.shift)).copied().unwrap_or_default();
        self.start_from(slot, first, second)
    }

    /// The slot that the first two units of a list are looked for at.
    #[inline]
    fn slot_of(&self, list: Option<&[Unit]>) -> Start {
        let Some([first, second, ..]) = list else { return Start::default() };
        self.starts.get(Start::slot(pair(first.ch(), second.ch()), self.shift)).copied().unwrap_or_default()
    }

    /// As [`start`](Self::start), where the first slot was looked at already.
    #[inline]
    fn start_from(&self, mut slot: Start, first: u16, second: u16) -> Option<Start> {
        let symbols = pair(first, second);
        let mut at = Start::slot(symbols, self.shift);
        loop {
            if slot.symbols == symbols {
                return Some(slot);
            }
            if slot.symbols == 0 {
                return None;
            }
            at = (at + 1) & (self.starts.len() - 1);
            slot = *self.starts.get(at)?;
        }
    }

    #[inline]
    fn child(&self, node: u32, symbol: u16) -> Option<u32> {
        const FEW: usize = 8;
        let node = node as usize;
        let Some([here, next]) = self.nodes.get(node..node + 2) else { return None };
        let children = self.symbols.get(here.children()..next.children())?;
        let place = if children.len() <= FEW {
            children.iter().position(|&child| child == symbol)?
        } else {
            children.binary_search(&symbol).ok()?
        };
        Some((here.children() + place) as u32)
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
