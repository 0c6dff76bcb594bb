//! The label rules of a script in their order, and which of them hold.

use std::ops::Deref;

use super::{Facts, Rule};
use crate::core::script::{ConceptIndex, MOST_CONCEPTS};
use crate::core::signal::{SignalSet, Variable, Variables};

/// Most rules a script may have: one bit each.
pub const MOST_RULES: usize = u128::BITS as usize;

/// Label rules, in the order they are tried.
#[derive(Debug, Clone)]
pub struct Rules {
    list: Box<[Rule]>,
    /// Those that are tried only when no other holds.
    catch_alls: Holding,
    /// By the number of a variable, those that read it; none of `hits`.
    readers: [Holding; Variables::MOST],
    /// By the number of a category, those that read its count.
    hit_readers: Box<[Holding]>,
}

/// Which rules of a script hold, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding(u128);

/// What is known of which rules of a script hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// Those that held when they were last tried.
    holding: Holding,
    /// Those that are to be tried again.
    stale: Holding,
}

impl Holding {
    fn of(rule: usize) -> Self {
        Self(1u128.checked_shl(rule as u32).unwrap_or_default())
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize)
    }

    /// The rules by their places, in order.
    fn iter(mut self) -> impl Iterator<Item = usize> {
        std::iter::from_fn(move || {
            let next = self.first()?;
            self.0 &= self.0 - 1;
            Some(next)
        })
    }
}

impl Rules {
    /// Rules in the order they are tried; behind the first [`MOST_RULES`] none is.
    #[must_use]
    pub fn new(list: Vec<Rule>) -> Self {
        let those = |chosen: &dyn Fn(&Rule) -> bool| {
            let places = list.iter().enumerate().filter(|(_, rule)| chosen(rule));
            places.fold(Holding::default(), |all, (place, _)| all.with(Holding::of(place)))
        };
        let catch_alls = those(&|rule| rule.catch_all);
        let reads =
            |rule: &Rule, variable: usize| rule.condition.reads.variables.without(Variable::Hits).numbers().any(|read| read == variable);
        let readers = std::array::from_fn(|variable| those(&|rule| reads(rule, variable)));
        let hit_readers =
            (0..MOST_CONCEPTS as ConceptIndex).map(|category| those(&|rule| rule.condition.reads.categories.contains(category)));
        let hit_readers = hit_readers.collect();
        Self { list: list.into(), catch_alls, readers, hit_readers }
    }

    /// Nothing is known yet.
    #[must_use]
    pub fn untried(&self) -> Tried {
        let all = (0..self.list.len()).map(Holding::of).fold(Holding::default(), Holding::with);
        Tried { holding: Holding::default(), stale: all }
    }

    /// Signals may have changed: the rules that read them are to be tried again.
    pub fn note(&self, changed: SignalSet, tried: &mut Tried) {
        let counts = changed.categories.iter().filter_map(|category| self.hit_readers.get(usize::from(category)));
        let readers = changed.variables.numbers().filter_map(|variable| self.readers.get(variable)).chain(counts);
        tried.stale = readers.fold(tried.stale, |stale, readers| stale.with(*readers));
    }

    /// The rule that decides. Of the rules that are to be tried again only those are that come before it: what does not change the label is
    /// tried when a verdict is made.
    #[must_use]
    pub fn first(&self, tried: &mut Tried, facts: Facts<'_>) -> Option<usize> {
        let may_hold = tried.holding.with(tried.stale);
        let in_order = may_hold.without(self.catch_alls).iter().chain(may_hold.both(self.catch_alls).iter());
        in_order.into_iter().find(|place| {
            let rule = Holding::of(*place);
            if tried.stale.both(rule) == rule {
                let holds = self.list.get(*place).is_some_and(|rule| rule.condition.holds(facts));
                tried.stale = tried.stale.without(rule);
                tried.holding = if holds { tried.holding.with(rule) } else { tried.holding.without(rule) };
            }
            tried.holding.both(rule) == rule
        })
    }

    /// Which rules hold.
    #[must_use]
    pub fn holding(&self, tried: Tried, facts: Facts<'_>) -> Holding {
        let holds = |place: &usize| self.list.get(*place).is_some_and(|rule| rule.condition.holds(facts));
        tried.stale.iter().filter(holds).fold(tried.holding.without(tried.stale), |all, place| all.with(Holding::of(place)))
    }

    /// The rule that decides, and whether it is a catch-all.
    #[must_use]
    pub fn decide(&self, holding: Holding) -> (Option<usize>, bool) {
        match holding.without(self.catch_alls).first() {
            Some(rule) => (Some(rule), false),
            None => holding.first().map_or((None, false), |rule| (Some(rule), true)),
        }
    }

    /// The rules that hold beside the one that decides, catch-alls left out.
    pub fn beside(&self, rule: Option<usize>, holding: Holding) -> impl Iterator<Item = usize> {
        holding.without(self.catch_alls).without(rule.map(Holding::of).unwrap_or_default()).iter()
    }
}

impl Deref for Rules {
    type Target = [Rule];
    fn deref(&self) -> &[Rule] {
        &self.list
    }
}

impl<'a> IntoIterator for &'a Rules {
    type Item = &'a Rule;
    type IntoIter = std::slice::Iter<'a, Rule>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}
