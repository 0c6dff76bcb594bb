//! Sums by key of which no more are kept than memory is meant for.

use std::collections::BTreeMap;

/// Sums by key: the first [`most`](Self::new) keys in the keys' order.
///
/// Which keys are kept does not depend on the order they come in: one of the first so many of all is among the first so many of
/// any part, from its first coming on, and is never pushed out. So sums of parts add up to those of the whole, and what is pushed
/// out is, taken together, the same too.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Capped<K, V> {
    most: usize,
    kept: BTreeMap<K, V>,
}

impl<K: Ord + Clone, V: Default> Capped<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, kept: BTreeMap::new() }
    }

    /// Changes what is kept under a key; what is pushed out for it is given back, to be counted with the others.
    #[must_use]
    pub(super) fn update(&mut self, key: K, change: impl FnOnce(&mut V)) -> Option<(K, V)> {
        change(self.kept.entry(key).or_default());
        if self.kept.len() > self.most { self.kept.pop_last() } else { None }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.kept.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.kept.iter()
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (K, V)> {
        self.kept.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Capped;

    /// Sums of the pieces, each on its own and then together; the sums and what fell out.
    fn summed(pieces: &[Vec<u8>]) -> (Vec<(u8, u64)>, u64) {
        let mut whole = Capped::<u8, u64>::new(5);
        let mut others = 0;
        for piece in pieces {
            let mut part = Capped::<u8, u64>::new(5);
            for key in piece {
                others += part.update(*key, |sum| *sum += 1).map_or(0, |(_, sum)| sum);
            }
            for (key, sum) in part.into_iter() {
                others += whole.update(key, |kept| *kept += sum).map_or(0, |(_, sum)| sum);
            }
        }
        (whole.into_iter().collect(), others)
    }

    proptest! {
        #[test]
        fn pieces_sum_to_the_whole(keys in prop::collection::vec(0u8..20, 0..60), cut in 0usize..60, again in 0usize..60) {
            let (first, second) = (cut.min(again).min(keys.len()), cut.max(again).min(keys.len()));
            let pieces = [keys[..first].to_vec(), keys[first..second].to_vec(), keys[second..].to_vec()];
            prop_assert_eq!(summed(&pieces), summed(&[keys]));
        }
    }
}
