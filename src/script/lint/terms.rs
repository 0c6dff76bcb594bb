//! What the terms of a condition may be.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::event::Answerer;

/// What a term may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Domain {
    Bool(bool),
    /// Of whole numbers both ends are included.
    Number(Interval),
    /// One of these.
    OneOf(BTreeSet<String>),
    /// None of these.
    NoneOf(BTreeSet<String>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) low_open: bool,
    pub(super) high: f64,
    pub(super) high_open: bool,
}

impl Interval {
    pub(super) const ALL: Self = Self { low: f64::NEG_INFINITY, low_open: false, high: f64::INFINITY, high_open: false };

    pub(super) fn is_empty(self) -> bool {
        self.low > self.high || self.low == self.high && (self.low_open || self.high_open)
    }

    pub(super) fn meet(self, other: Self) -> Self {
        let (low, low_open) = match self.low.total_cmp(&other.low) {
            std::cmp::Ordering::Less => (other.low, other.low_open),
            std::cmp::Ordering::Equal => (self.low, self.low_open || other.low_open),
            std::cmp::Ordering::Greater => (self.low, self.low_open),
        };
        let (high, high_open) = match self.high.total_cmp(&other.high) {
            std::cmp::Ordering::Less => (self.high, self.high_open),
            std::cmp::Ordering::Equal => (self.high, self.high_open || other.high_open),
            std::cmp::Ordering::Greater => (other.high, other.high_open),
        };
        Self { low, low_open, high, high_open }
    }

    /// The same whole numbers, ends included.
    pub(super) fn rounded(self) -> Self {
        let low = if self.low_open { self.low.floor() + 1.0 } else { self.low.ceil() };
        let high = if self.high_open { self.high.ceil() - 1.0 } else { self.high.floor() };
        Self { low, low_open: false, high, high_open: false }
    }
}

impl Domain {
    pub(super) const fn at_least(low: f64) -> Self {
        Self::Number(Interval { low, ..Interval::ALL })
    }

    const fn at_most(high: f64) -> Self {
        Self::Number(Interval { high, ..Interval::ALL })
    }

    pub(super) const fn exactly(value: f64) -> Self {
        Self::Number(Interval { low: value, high: value, ..Interval::ALL })
    }
}

/// One way for a condition to hold: what each term may be, all together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Case(BTreeMap<String, Domain>);

impl Case {
    pub(super) fn of(term: String, domain: Domain) -> Self {
        Self(BTreeMap::from([(term, domain)]))
    }

    /// Both at once; `None` where they contradict each other.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for (term, domain) in &other.0 {
            both.narrow(term, domain.clone())?;
        }
        Some(both)
    }

    fn narrow(&mut self, term: &str, domain: Domain) -> Option<()> {
        let met = match (self.0.remove(term), domain) {
            (None, domain) => domain,
            (Some(Domain::Bool(a)), Domain::Bool(b)) if a == b => Domain::Bool(a),
            (Some(Domain::Number(a)), Domain::Number(b)) => Domain::Number(a.meet(b)),
            (Some(Domain::OneOf(a)), Domain::OneOf(b)) => Domain::OneOf(a.intersection(&b).cloned().collect()),
            (Some(Domain::OneOf(a)), Domain::NoneOf(b)) | (Some(Domain::NoneOf(b)), Domain::OneOf(a)) => {
                Domain::OneOf(a.difference(&b).cloned().collect())
            }
            (Some(Domain::NoneOf(a)), Domain::NoneOf(b)) => Domain::NoneOf(a.union(&b).cloned().collect()),
            _ => return None,
        };
        let empty = match &met {
            Domain::Number(interval) => interval.is_empty(),
            Domain::OneOf(values) => values.is_empty(),
            Domain::Bool(_) | Domain::NoneOf(_) => false,
        };
        self.0.insert(term.to_owned(), met);
        (!empty).then_some(())
    }

    fn low(&self, term: &str) -> f64 {
        match self.0.get(term) {
            Some(Domain::Number(interval)) => interval.low,
            _ => 0.0,
        }
    }

    fn high(&self, term: &str) -> f64 {
        match self.0.get(term) {
            Some(Domain::Number(interval)) => interval.high,
            _ => f64::INFINITY,
        }
    }

    /// Adds what the meaning of the signals implies (the contract's table); `None` where that contradicts.
    pub(super) fn closed(mut self) -> Option<Self> {
        let is = |case: &Self, term: &str, value: bool| case.0.get(term) == Some(&Domain::Bool(value));
        if is(&self, "silent", true) {
            self.narrow("connected", Domain::Bool(true))?;
            self.narrow("machine", Domain::Bool(false))?;
            self.narrow("customer_turns", Domain::exactly(0.0))?;
        }
        let machines: BTreeSet<String> = Answerer::ALL.iter().filter(|a| a.is_machine()).map(|a| a.as_str().to_owned()).collect();
        if is(&self, "machine", true) {
            self.narrow("answered_by", Domain::OneOf(machines.clone()))?;
        } else if is(&self, "machine", false) {
            self.narrow("answered_by", Domain::NoneOf(machines.clone()))?;
        }
        if let Some(Domain::OneOf(values)) = self.0.get("answered_by") {
            if values.is_subset(&machines) {
                self.narrow("machine", Domain::Bool(true))?;
            } else if values.is_disjoint(&machines) {
                self.narrow("machine", Domain::Bool(false))?;
            }
        }
        for (part, whole) in [("refusal_streak", "refusals"), ("refusals", "customer_turns"), ("content_turns", "customer_turns")] {
            let (low, high) = (self.low(part), self.high(whole));
            if low > 0.0 {
                self.narrow(whole, Domain::at_least(low))?;
            }
            if high < f64::INFINITY {
                self.narrow(part, Domain::at_most(high))?;
            }
        }
        // A refusal is a streak of one.
        if self.low("refusals") >= 1.0 {
            self.narrow("refusal_streak", Domain::at_least(1.0))?;
        }
        if self.high("refusal_streak") < 1.0 {
            self.narrow("refusals", Domain::exactly(0.0))?;
        }
        Some(self)
    }
}
