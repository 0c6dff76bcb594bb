//! Whether conditions imply one another. Sound, not complete: what cannot be decided counts as independent.
//!
//! A condition becomes a disjunction of [`Case`]s, each of which says what every term may be: a number's interval, a
//! string's values, a bool. Terms that are compared to no constant are bools of their own.

use std::collections::BTreeSet;

use super::terms::{Case, Domain, Interval};
use crate::core::rule::{Comparison, Expr, Operator};
use crate::core::signal::Variable;

/// Most cases a condition may come to; beyond, it is left alone.
const MOST_CASES: usize = 256;

/// A condition as the cases in which it holds, and those in which it does not.
#[derive(Debug, Clone)]
pub(super) struct Logic {
    holds: Option<Vec<Case>>,
    fails: Option<Vec<Case>>,
}

impl Logic {
    /// Reads a condition; `labels` are what `label` may be.
    pub(super) fn new(expr: &Expr, labels: &[&str]) -> Self {
        let reader = Reader { labels };
        Self { holds: reader.cases(expr, true), fails: reader.cases(expr, false) }
    }

    /// Whether it can never hold.
    pub(super) fn never(&self) -> bool {
        self.holds.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether it always holds.
    pub(super) fn always(&self) -> bool {
        self.fails.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether one of `others` holds whenever this does.
    pub(super) fn implies_any<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> bool {
        let Some(holds) = &self.holds else { return false };
        let mut left = holds.clone();
        for other in others {
            let Some(fails) = &other.fails else { continue };
            let mut next = Vec::new();
            for case in &left {
                let mut parts: Vec<Case> = fails.iter().filter_map(|fail| case.and(fail).and_then(Case::closed)).collect();
                // Where the other surely fails, the case stays as it is.
                if parts.contains(case) {
                    parts = vec![case.clone()];
                }
                next.extend(parts);
            }
            // Leaving one out proves less, never something false.
            if next.len() <= MOST_CASES {
                left = next;
            }
            if left.is_empty() {
                return true;
            }
        }
        left.is_empty()
    }
}

struct Reader<'a> {
    labels: &'a [&'a str],
}

impl Reader<'_> {
    /// The cases in which a bool expression is `wanted`; `None` if they are too many.
    fn cases(&self, expr: &Expr, wanted: bool) -> Option<Vec<Case>> {
        match expr {
            Expr::Bool(value) => Some(always_if(*value == wanted)),
            Expr::Setting(_, value) => self.cases(value, wanted),
            Expr::Not(inner) => self.cases(inner, !wanted),
            Expr::And(parts) if wanted => self.all(parts.iter().map(|part| (part, true))),
            Expr::Or(parts) if !wanted => self.all(parts.iter().map(|part| (part, false))),
            Expr::And(parts) | Expr::Or(parts) => self.any(parts.iter().map(|part| (part, wanted))),
            Expr::Conditional(condition, then, otherwise) => {
                let mut cases = self.all([(&**condition, true), (&**then, wanted)])?;
                cases.extend(self.all([(&**condition, false), (&**otherwise, wanted)])?);
                (cases.len() <= MOST_CASES).then_some(cases)
            }
            Expr::Compare(comparison, left, right) => self.comparison(expr, *comparison, left, right, wanted),
            Expr::In(needle, list) => match (&**needle, &**list) {
                (Expr::Variable(_), Expr::List(items)) => match strings(items) {
                    Some(values) => Some(self.text(needle, values, wanted)),
                    None => Some(opaque(expr, wanted)),
                },
                _ => Some(opaque(expr, wanted)),
            },
            _ => Some(opaque(expr, wanted)),
        }
    }

    fn all<'e>(&self, parts: impl IntoIterator<Item = (&'e Expr, bool)>) -> Option<Vec<Case>> {
        let mut cases = vec![Case::default()];
        for (part, wanted) in parts {
            let own = self.cases(part, wanted)?;
            cases = cases.iter().flat_map(|case| own.iter().filter_map(|more| case.and(more).and_then(Case::closed))).collect();
            if cases.len() > MOST_CASES {
                return None;
            }
        }
        Some(cases)
    }

    fn any<'e>(&self, parts: impl IntoIterator<Item = (&'e Expr, bool)>) -> Option<Vec<Case>> {
        let mut cases = Vec::new();
        for (part, wanted) in parts {
            cases.extend(self.cases(part, wanted)?);
        }
        (cases.len() <= MOST_CASES).then_some(cases)
    }

    fn comparison(&self, whole: &Expr, comparison: Comparison, left: &Expr, right: &Expr, wanted: bool) -> Option<Vec<Case>> {
        let (left, right) = (constant(left), constant(right));
        let (comparison, term, value) = match (is_literal(left), is_literal(right)) {
            (false, true) => (comparison, left, right),
            (true, false) => (flipped(comparison), right, left),
            _ => return Some(opaque(whole, wanted)),
        };
        let comparison = if wanted { comparison } else { negated(comparison) };
        match (comparison, value) {
            (Comparison::Equal, Expr::Bool(value)) => self.cases(term, *value),
            (Comparison::NotEqual, Expr::Bool(value)) => self.cases(term, !*value),
            (Comparison::Equal, Expr::String(value)) => Some(self.text(term, BTreeSet::from([value.to_string()]), true)),
            (Comparison::NotEqual, Expr::String(value)) => Some(self.text(term, BTreeSet::from([value.to_string()]), false)),
            (_, Expr::Int(_) | Expr::Double(_)) => match (number(value), whole_number(term)) {
                (Some(value), Some(whole_number)) => Some(numbers(comparison, term, value, whole_number)),
                _ => Some(opaque(whole, wanted)),
            },
            _ => Some(opaque(whole, wanted)),
        }
    }

    fn text(&self, term: &Expr, values: BTreeSet<String>, one_of: bool) -> Vec<Case> {
        let closed: Option<BTreeSet<String>> = match term {
            Expr::Variable(Variable::Label) => Some(self.labels.iter().map(|label| (*label).to_owned()).collect()),
            Expr::Variable(variable) => variable.values().map(|values| values.into_iter().map(str::to_owned).collect()),
            _ => None,
        };
        let domain = match (closed, one_of) {
            (Some(all), true) => Domain::OneOf(all.intersection(&values).cloned().collect()),
            (Some(all), false) => Domain::OneOf(all.difference(&values).cloned().collect()),
            (None, true) => Domain::OneOf(values),
            (None, false) => Domain::NoneOf(values),
        };
        if matches!(&domain, Domain::OneOf(values) if values.is_empty()) {
            return Vec::new();
        }
        Case::of(term.to_string(), domain).closed().into_iter().collect()
    }
}

fn always_if(holds: bool) -> Vec<Case> {
    if holds { vec![Case::default()] } else { Vec::new() }
}

fn opaque(expr: &Expr, wanted: bool) -> Vec<Case> {
    Case::of(expr.to_string(), Domain::Bool(wanted)).closed().into_iter().collect()
}

fn constant(expr: &Expr) -> &Expr {
    if let Expr::Setting(_, value) = expr { value } else { expr }
}

const fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Bool(_) | Expr::Int(_) | Expr::Double(_) | Expr::String(_))
}

fn strings(items: &[Expr]) -> Option<BTreeSet<String>> {
    let text = |item: &Expr| if let Expr::String(text) = constant(item) { Some(text.to_string()) } else { None };
    items.iter().map(text).collect()
}

/// A literal's value, where a double holds it exactly.
fn number(expr: &Expr) -> Option<f64> {
    const EXACT: u64 = 1 << 53;
    match expr {
        Expr::Int(value) => (value.unsigned_abs() <= EXACT).then_some(*value as f64),
        Expr::Double(value) => value.is_finite().then_some(*value),
        _ => None,
    }
}

/// Whether a number term is whole; `None` of one that may be no number at all.
fn whole_number(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Variable(Variable::TalkS | Variable::Completion) => Some(false),
        Expr::Variable(_) | Expr::Hits(..) | Expr::Size(_) => Some(true),
        Expr::Setting(_, value) => whole_number(value),
        Expr::Int(_) => Some(true),
        Expr::Negate(inner) => whole_number(inner).filter(|whole| *whole),
        Expr::Arithmetic(_, left, right) => (whole_number(left)? && whole_number(right)?).then_some(true),
        _ => None,
    }
}

/// Terms that are added up, if all of them are counts.
fn counts<'e>(expr: &'e Expr, terms: &mut Vec<&'e Expr>) -> bool {
    match expr {
        Expr::Arithmetic(Operator::Add, left, right) => counts(left, terms) && counts(right, terms),
        Expr::Variable(_) | Expr::Hits(..) | Expr::Size(_) => {
            terms.push(expr);
            true
        }
        _ => false,
    }
}

fn numbers(comparison: Comparison, term: &Expr, value: f64, whole: bool) -> Vec<Case> {
    let mut terms = Vec::new();
    let are_counts = counts(term, &mut terms);
    let low = if are_counts { 0.0 } else { f64::NEG_INFINITY };
    let high = if matches!(term, Expr::Variable(Variable::Completion)) { 1.0 } else { f64::INFINITY };
    let all = Interval { low, low_open: false, high, high_open: false };
    let below = |open: bool| Interval { high: value, high_open: open, ..Interval::ALL };
    let above = |open: bool| Interval { low: value, low_open: open, ..Interval::ALL };
    let intervals = match comparison {
        Comparison::Equal => vec![above(false).meet(below(false))],
        Comparison::NotEqual => vec![below(true), above(true)],
        Comparison::Less => vec![below(true)],
        Comparison::LessOrEqual => vec![below(false)],
        Comparison::Greater => vec![above(true)],
        Comparison::GreaterOrEqual => vec![above(false)],
    };
    let round = |interval: Interval| if whole { interval.rounded() } else { interval };
    let mut cases = Vec::new();
    for interval in intervals.into_iter().map(|interval| round(all.meet(interval))).filter(|interval| !interval.is_empty()) {
        // Of counts added up: all are zero, or one is more.
        if are_counts && terms.len() > 1 && interval.high == 0.0 {
            let each = terms.iter().try_fold(Case::default(), |case, term| case.and(&Case::of(term.to_string(), Domain::exactly(0.0))));
            cases.extend(each.and_then(Case::closed));
        } else if are_counts && terms.len() > 1 && interval.low == 1.0 && interval.high == f64::INFINITY {
            cases.extend(terms.iter().filter_map(|term| Case::of(term.to_string(), Domain::at_least(1.0)).closed()));
        } else if interval == all {
            cases.push(Case::default());
        } else {
            cases.extend(Case::of(term.to_string(), Domain::Number(interval)).closed());
        }
    }
    cases
}

const fn flipped(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

const fn negated(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
    }
}
