//! Label rules: conditions over signals, checked and typed when the script is loaded, so that evaluating one cannot fail.

use std::fmt;

use super::script::Script;
use super::signal::{SignalSet, Signals, Variable};

mod notation;
mod rules;
mod value;

pub use rules::{Holding, MOST_RULES, Rules, Tried};
use value::{Value, fact, variable_value};

/// A rule that gives a label.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id, `A1`.
    pub id: Box<str>,
    /// The label it gives: an index into the script's labels.
    pub label: usize,
    /// The standard's words for it.
    pub words: Box<str>,
    /// Tried only when no other rule holds.
    pub catch_all: bool,
    /// When it holds.
    pub condition: Condition,
}

/// A checked condition.
#[derive(Debug, Clone)]
pub struct Condition {
    /// As written.
    pub source: Box<str>,
    /// As checked.
    pub expr: Expr,
    /// The signals it reads.
    pub reads: SignalSet,
}

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "CEL's own type names")]
pub enum Type {
    Bool,
    Int,
    Double,
    String,
    /// A list of strings.
    List,
    /// A map from category to count; only indexed, never a value.
    Map,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::String => "string",
            Self::List => "list",
            Self::Map => "map",
        })
    }
}

/// A typed expression. Built by [`crate::script`], which guarantees that operand types fit.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the operators of CEL")]
pub enum Expr {
    Bool(bool),
    Int(i64),
    Double(f64),
    String(Box<str>),
    /// A list literal.
    List(Vec<Expr>),
    Variable(Variable),
    /// A value of the script's settings, kept with its name.
    Setting(Box<str>, Box<Expr>),
    /// `hits["name"]`: the category's place among the script's categories, and its name.
    Hits(usize, Box<str>),
    /// The variable of the comprehension this many levels out, and its name.
    Bound(usize, Box<str>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `list.exists(x, …)` and its kin.
    Quantifier(Quantifier, Box<Expr>, Box<str>, Box<Expr>),
    Size(Box<Expr>),
    Text(TextTest, Box<Expr>, Box<Expr>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named for their signs")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An arithmetic operator; division only by constants other than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named for their signs")]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// A macro over a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "CEL's macros of these names")]
pub enum Quantifier {
    Exists,
    All,
    ExistsOne,
}

/// A test of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "CEL's functions of these names")]
pub enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// What conditions are evaluated over.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The script, which names what signals refer to by number.
    pub script: &'a Script,
    /// The signals.
    pub signals: &'a Signals,
    /// The label given, for follow-up conditions.
    pub label: &'a str,
}

impl Condition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, facts: Facts<'_>) -> bool {
        self.expr.holds(facts)
    }
}

impl Expr {
    /// Whether a boolean expression holds.
    #[must_use]
    pub fn holds(&self, facts: Facts<'_>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Not(inner) => !inner.holds(facts),
            Self::Variable(variable) => fact(*variable, facts.signals).unwrap_or_else(|| self.is_true(facts)),
            // Most rules count, or ask for a word: no value that may be a list is made for it.
            Self::Compare(comparison, left, right) => {
                comparison.holds_plainly(left, right, facts.signals).unwrap_or_else(|| self.is_true(facts))
            }
            other => other.is_true(facts),
        }
    }

    fn is_true(&self, facts: Facts<'_>) -> bool {
        matches!(self.value(facts, &mut Vec::new()), Value::Bool(true))
    }

    /// An expression's value as a person reads it.
    #[must_use]
    pub fn show(&self, facts: Facts<'_>) -> String {
        match self.value(facts, &mut Vec::new()) {
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Double(value) => format!("{value}"),
            Value::String(value) => format!("{value:?}"),
            Value::List(values) => format!("[{}]", values.join(", ")),
        }
    }

    fn value<'a>(&'a self, facts: Facts<'a>, bound: &mut Vec<&'a str>) -> Value<'a> {
        let is_true = |value: &Value<'_>| matches!(value, Value::Bool(true));
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::String(value) => Value::String(value),
            Self::List(items) => Value::List(
                items
                    .iter()
                    .filter_map(|item| match item.value(facts, bound) {
                        Value::String(text) => Some(text),
                        _ => None,
                    })
                    .collect(),
            ),
            Self::Variable(variable) => variable_value(*variable, facts),
            Self::Setting(_, value) => value.value(facts, bound),
            Self::Hits(category, _) => Value::Int(facts.signals.hits.get(*category).copied().unwrap_or_default().into()),
            Self::Bound(level, _) => {
                Value::String(bound.len().checked_sub(level + 1).and_then(|at| bound.get(at)).copied().unwrap_or_default())
            }
            Self::Not(inner) => Value::Bool(!is_true(&inner.value(facts, bound))),
            Self::Negate(inner) => match inner.value(facts, bound) {
                Value::Int(value) => Value::Int(value.saturating_neg()),
                Value::Double(value) => Value::Double(-value),
                other => other,
            },
            Self::And(parts) => Value::Bool(parts.iter().all(|part| is_true(&part.value(facts, bound)))),
            Self::Or(parts) => Value::Bool(parts.iter().any(|part| is_true(&part.value(facts, bound)))),
            Self::Compare(comparison, left, right) => {
                let (left, right) = (left.value(facts, bound), right.value(facts, bound));
                Value::Bool(comparison.holds(&left, &right))
            }
            Self::Arithmetic(operator, left, right) => operator.apply(left.value(facts, bound), right.value(facts, bound)),
            Self::In(needle, list) => {
                let Value::String(needle) = needle.value(facts, bound) else { return Value::Bool(false) };
                if let Self::List(items) = &**list {
                    return Value::Bool(items.iter().any(|item| matches!(item.value(facts, bound), Value::String(text) if text == needle)));
                }
                Value::Bool(matches!(list.value(facts, bound), Value::List(items) if items.contains(&needle)))
            }
            Self::Conditional(condition, then, otherwise) => {
                let chosen = if is_true(&condition.value(facts, bound)) { then } else { otherwise };
                chosen.value(facts, bound)
            }
            Self::Quantifier(quantifier, list, _, body) => {
                let Value::List(items) = list.value(facts, bound) else { return Value::Bool(false) };
                let total = items.len();
                let mut held = 0;
                for item in items {
                    bound.push(item);
                    held += usize::from(is_true(&body.value(facts, bound)));
                    bound.pop();
                }
                Value::Bool(match quantifier {
                    Quantifier::Exists => held > 0,
                    Quantifier::All => held == total,
                    Quantifier::ExistsOne => held == 1,
                })
            }
            Self::Size(inner) => Value::Int(match inner.value(facts, bound) {
                Value::List(items) => items.len() as i64,
                Value::String(text) => text.chars().count() as i64,
                _ => 0,
            }),
            Self::Text(test, text, part) => match (text.value(facts, bound), part.value(facts, bound)) {
                (Value::String(text), Value::String(part)) => Value::Bool(match test {
                    TextTest::StartsWith => text.starts_with(part),
                    TextTest::EndsWith => text.ends_with(part),
                    TextTest::Contains => text.contains(part),
                }),
                _ => Value::Bool(false),
            },
        }
    }
}

impl Comparison {
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Operator {
    const fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}
