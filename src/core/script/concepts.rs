//! Sets of categories and trigger questions.

use super::ConceptIndex;

/// A set of categories and trigger questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ConceptSet(u128);

impl ConceptSet {
    /// Adds one.
    pub fn insert(&mut self, concept: ConceptIndex) {
        self.0 |= 1u128.checked_shl(concept.into()).unwrap_or_default();
    }

    /// Takes one out.
    pub fn remove(&mut self, concept: ConceptIndex) {
        self.0 &= !1u128.checked_shl(concept.into()).unwrap_or_default();
    }

    /// Those from one number to before another.
    pub(super) fn between(from: usize, to: usize) -> Self {
        let below = |end: usize| 1u128.checked_shl(end as u32).map_or(u128::MAX, |bit| bit - 1);
        Self(below(to) & !below(from))
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(self, concept: ConceptIndex) -> bool {
        self.0 & 1u128.checked_shl(concept.into()).unwrap_or_default() != 0
    }

    /// Whether the two sets share one.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order the script declares them.
    pub fn iter(self) -> impl Iterator<Item = ConceptIndex> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next = (rest != 0).then(|| rest.trailing_zeros() as u8)?;
            rest &= rest - 1;
            Some(next)
        })
    }
}

impl Extend<ConceptIndex> for ConceptSet {
    fn extend<I: IntoIterator<Item = ConceptIndex>>(&mut self, iter: I) {
        iter.into_iter().for_each(|concept| self.insert(concept));
    }
}

impl FromIterator<ConceptIndex> for ConceptSet {
    fn from_iter<I: IntoIterator<Item = ConceptIndex>>(iter: I) -> Self {
        let mut set = Self::default();
        iter.into_iter().for_each(|concept| set.insert(concept));
        set
    }
}
