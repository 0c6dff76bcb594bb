//! Why a label and not a better one: what each condition came to.

use super::rule::{Expr, Facts};

/// What a condition came to, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All parts must hold.
    All(bool, Vec<Outcome>),
    /// One part must hold.
    Any(bool, Vec<Outcome>),
    /// A single test: it holds, in CEL's notation, and what its signals were.
    Test(bool, String, Vec<(String, String)>),
}

impl Outcome {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Self::All(holds, _) | Self::Any(holds, _) | Self::Test(holds, ..) => *holds,
        }
    }

    /// The tests that keep it from holding: of parts that must all hold the failed ones, of alternatives all.
    pub fn failures(&self) -> Vec<&Self> {
        match self {
            _ if self.holds() => Vec::new(),
            Self::All(_, parts) | Self::Any(_, parts) => parts.iter().flat_map(Self::failures).collect(),
            Self::Test(..) => vec![self],
        }
    }
}

/// Evaluates a condition part by part.
#[must_use]
pub fn explain(expr: &Expr, facts: Facts<'_>) -> Outcome {
    let parts = |parts: &[Expr]| parts.iter().map(|part| explain(part, facts)).collect();
    match expr {
        Expr::And(all) => Outcome::All(expr.holds(facts), parts(all)),
        Expr::Or(any) => Outcome::Any(expr.holds(facts), parts(any)),
        test => {
            let mut values = Vec::new();
            collect(test, facts, &mut values);
            Outcome::Test(test.holds(facts), test.to_string(), values)
        }
    }
}

/// The signals and settings a test reads, with their values.
fn collect(expr: &Expr, facts: Facts<'_>, values: &mut Vec<(String, String)>) {
    match expr {
        Expr::Variable(_) | Expr::Hits(..) | Expr::Setting(..) => {
            let value = (expr.to_string(), expr.show(facts));
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Expr::Not(inner) | Expr::Negate(inner) | Expr::Size(inner) => collect(inner, facts, values),
        Expr::And(parts) | Expr::Or(parts) | Expr::List(parts) => parts.iter().for_each(|part| collect(part, facts, values)),
        Expr::Compare(_, left, right) | Expr::Arithmetic(_, left, right) | Expr::In(left, right) | Expr::Text(_, left, right) => {
            collect(left, facts, values);
            collect(right, facts, values);
        }
        Expr::Conditional(condition, then, otherwise) => {
            [condition, then, otherwise].into_iter().for_each(|part| collect(part, facts, values));
        }
        Expr::Quantifier(_, list, _, _) => collect(list, facts, values),
        Expr::Bool(_) | Expr::Int(_) | Expr::Double(_) | Expr::String(_) | Expr::Bound(..) => {}
    }
}
