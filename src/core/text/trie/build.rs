//! From phrases to the trie that finds them.

use super::filter::{LeadSet, Openings, Single, Thirds, pair};
use super::node::{End, Node, Start};
use super::{Listed, Trie};

/// Phrases to be looked for.
#[derive(Debug, Default)]
pub(crate) struct TrieBuilder {
    phrases: Vec<(Box<[u16]>, Listed)>,
    /// Symbols that are phrases by themselves.
    singles: Vec<(u16, Single)>,
}

impl TrieBuilder {
    /// Adds a phrase, given as its symbols, none of which is 0; an empty one is never found.
    pub(crate) fn add(&mut self, symbols: &[u16], listed: Listed) {
        self.add_where(symbols, listed, Single::ANYWHERE);
    }

    /// As [`add`](Self::add), of a phrase that is of use only where a clause begins: elsewhere it may be found or not.
    pub(crate) fn add_opening(&mut self, symbols: &[u16], listed: Listed) {
        self.add_where(symbols, listed, Single::OPENING);
    }

    fn add_where(&mut self, symbols: &[u16], listed: Listed, single: Single) {
        if let [only] = symbols {
            self.singles.push((*only, single));
        }
        if !symbols.is_empty() {
            self.phrases.push((symbols.into(), listed));
        }
    }

    pub(crate) fn build(self) -> Trie {
        let mut phrases = self.phrases;
        phrases.sort_by(|(left, one), (right, other)| left.cmp(right).then(one.entry.cmp(&other.entry)));
        let mut singles = Box::new([Single::NONE; 1 << 16]);
        for (symbol, single) in self.singles {
            if let Some(known) = singles.get_mut(usize::from(symbol)) {
                *known = known.or(single);
            }
        }
        let longest = phrases.iter().map(|(symbols, _)| symbols.len()).max().unwrap_or_default();
        let mut symbols = vec![0];
        let mut nodes = Vec::new();
        let mut starts = Vec::new();
        let (mut ends, mut several) = (Vec::new(), Vec::new());
        // Level by level: of each node the phrases that go through it, and how many symbols lead to it.
        let mut queue = std::collections::VecDeque::from([(phrases.as_slice(), 0)]);
        while let Some((through, depth)) = queue.pop_front() {
            let node = nodes.len() as u32;
            let ending = through.iter().take_while(|(symbols, _)| symbols.len() == depth).count();
            let (here, longer) = through.split_at(ending);
            // No more than 255 lists can tell anything of one phrase.
            let here = here.get(..255).unwrap_or(here);
            let only = match here {
                [] => Listed::default(),
                [(_, only)] => *only,
                same => {
                    let at = several.len() as u32;
                    several.extend(same.iter().map(|(_, listed)| *listed));
                    Listed { entry: at, ..Listed::default() }
                }
            };
            nodes.push(Node::new(symbols.len() as u32, !here.is_empty()));
            ends.push(End { count: here.len() as u8, only });
            if let Some((first, ..)) = through.first().filter(|_| depth == 1 || depth == 2) {
                let nth = |at: usize| first.get(at).copied().filter(|_| at < depth).unwrap_or_default();
                let thirds = longer.iter().filter_map(|(symbols, _)| symbols.get(2)).copied();
                let thirds = thirds.fold(Thirds::default(), |thirds, third| thirds.with(Thirds::again(third)));
                starts.push(Start::new(pair(nth(0), nth(1)), node, ending > 0, thirds));
            }
            let symbol = |phrase: &(Box<[u16]>, Listed)| phrase.0.get(depth).copied();
            for through in longer.chunk_by(|left, right| symbol(left) == symbol(right)) {
                symbols.push(through.first().and_then(symbol).unwrap_or_default());
                queue.push_back((through, depth + 1));
            }
        }
        nodes.push(Node::new(symbols.len() as u32, false));
        let many = starts.len() > LeadSet::WORTH;
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
            openings: Openings::new(phrases.iter().map(|(symbols, _)| &**symbols)),
            leads: many.then(|| LeadSet::new(phrases.iter().map(|(symbols, _)| &**symbols))),
            starts: slots,
            shift,
            symbols: symbols.into(),
            nodes: nodes.into(),
            ends: ends.into(),
            several: several.into(),
            longest,
        }
    }
}
