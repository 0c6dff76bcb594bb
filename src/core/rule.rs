//! Label rules: conditions over signals, checked and typed when the script is loaded, so that evaluating one cannot fail.

use std::cmp::Ordering;
use std::fmt;

use super::script::Script;
use super::signal::{Signals, Variable, Variables};

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
    pub reads: Variables,
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

#[derive(Debug, Clone, PartialEq)]
enum Value<'a> {
    Bool(bool),
    Int(i64),
    Double(f64),
    String(&'a str),
    List(Vec<&'a str>),
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
            other => matches!(other.value(facts, &mut Vec::new()), Value::Bool(true)),
        }
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

fn variable_value<'a>(variable: Variable, facts: Facts<'a>) -> Value<'a> {
    let Facts { script, signals, label } = facts;
    let count = |value: u32| Value::Int(value.into());
    match variable {
        Variable::Connected => Value::Bool(signals.connected),
        Variable::Ended => Value::Bool(signals.ended),
        Variable::DialResult => Value::String(signals.dial_result_str()),
        Variable::AnsweredBy => Value::String(signals.answered_by_str()),
        Variable::Machine => Value::Bool(signals.machine()),
        Variable::TalkS => Value::Double(signals.talk_s),
        Variable::CustomerTurns => count(signals.customer_turns),
        Variable::ContentTurns => count(signals.content_turns),
        Variable::RobotTurns => count(signals.robot_turns),
        Variable::Silent => Value::Bool(signals.silent()),
        Variable::Questions => count(signals.questions()),
        Variable::Asked => Value::List(script.names_of(signals.asked).collect()),
        Variable::Refusals => count(signals.refusals),
        Variable::RefusalStreak => count(signals.refusal_streak),
        Variable::LastRefused => Value::Bool(signals.last_refused),
        Variable::Hits => Value::List(script.categories().map(|(_, concept)| &*concept.id).collect()),
        Variable::Invite => Value::String(signals.invite_str()),
        Variable::Completion => Value::Double(signals.completion),
        Variable::Reached => Value::List(signals.reached.iter().filter_map(|&node| script.node(node)).map(|node| &*node.id).collect()),
        Variable::LastNode => Value::String(signals.last_node.and_then(|node| script.node(node)).map_or("", |node| &node.id)),
        Variable::HungUpBy => Value::String(signals.hung_up_by_str()),
        Variable::NoInput => count(signals.no_input),
        Variable::Transferred => Value::Bool(signals.transferred),
        Variable::Label => Value::String(label),
    }
}

impl Comparison {
    fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let order = match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
            (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
            (Value::Int(left), Value::Double(right)) => (*left as f64).partial_cmp(right),
            (Value::Double(left), Value::Int(right)) => left.partial_cmp(&(*right as f64)),
            (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            (Value::List(left), Value::List(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }

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
    fn apply<'a>(self, left: Value<'a>, right: Value<'a>) -> Value<'a> {
        match (left, right) {
            (Value::Int(left), Value::Int(right)) => Value::Int(match self {
                Self::Add => left.saturating_add(right),
                Self::Subtract => left.saturating_sub(right),
                Self::Multiply => left.saturating_mul(right),
                Self::Divide => left.checked_div(right).unwrap_or_default(),
                Self::Modulo => left.checked_rem(right).unwrap_or_default(),
            }),
            (left, right) => {
                let number = |value: &Value<'_>| match value {
                    Value::Int(value) => *value as f64,
                    Value::Double(value) => *value,
                    _ => f64::NAN,
                };
                let (left, right) = (number(&left), number(&right));
                Value::Double(match self {
                    Self::Add => left + right,
                    Self::Subtract => left - right,
                    Self::Multiply => left * right,
                    Self::Divide => left / right,
                    Self::Modulo => left % right,
                })
            }
        }
    }

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

/// The expression in CEL's own notation.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, parts: &[Self], sign: &str| {
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    write!(f, " {sign} ")?;
                }
                part.fmt_operand(f)?;
            }
            Ok(())
        };
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::String(value) => write!(f, "{value:?}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Variable(variable) => f.write_str(variable.name()),
            Self::Setting(name, _) => write!(f, "settings.{name}"),
            Self::Hits(_, name) => write!(f, "hits[{name:?}]"),
            Self::Bound(_, name) => f.write_str(name),
            Self::Not(inner) => {
                f.write_str("!")?;
                inner.fmt_operand(f)
            }
            Self::Negate(inner) => {
                f.write_str("-")?;
                inner.fmt_operand(f)
            }
            Self::And(parts) => join(f, parts, "&&"),
            Self::Or(parts) => join(f, parts, "||"),
            Self::Compare(comparison, left, right) => {
                left.fmt_operand(f)?;
                write!(f, " {} ", comparison.sign())?;
                right.fmt_operand(f)
            }
            Self::Arithmetic(operator, left, right) => {
                left.fmt_operand(f)?;
                write!(f, " {} ", operator.sign())?;
                right.fmt_operand(f)
            }
            Self::In(needle, list) => {
                needle.fmt_operand(f)?;
                f.write_str(" in ")?;
                list.fmt_operand(f)
            }
            Self::Conditional(condition, then, otherwise) => write!(f, "{condition} ? {then} : {otherwise}"),
            Self::Quantifier(quantifier, list, name, body) => {
                let verb = match quantifier {
                    Quantifier::Exists => "exists",
                    Quantifier::All => "all",
                    Quantifier::ExistsOne => "exists_one",
                };
                write!(f, "{list}.{verb}({name}, {body})")
            }
            Self::Size(inner) => write!(f, "size({inner})"),
            Self::Text(test, text, part) => {
                let verb = match test {
                    TextTest::StartsWith => "startsWith",
                    TextTest::EndsWith => "endsWith",
                    TextTest::Contains => "contains",
                };
                text.fmt_operand(f)?;
                write!(f, ".{verb}({part})")
            }
        }
    }
}

impl Expr {
    /// Writes it in parentheses where it would read otherwise beside an operator.
    fn fmt_operand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compound = matches!(self, Self::And(_) | Self::Or(_) | Self::Conditional(..));
        if compound { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}
