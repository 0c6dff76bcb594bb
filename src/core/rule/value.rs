//! What expressions come to.

use std::cmp::Ordering;

use super::{Comparison, Expr, Facts, Operator};
use crate::core::signal::{Signals, Variable};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Bool(bool),
    Int(i64),
    Double(f64),
    String(&'a str),
    List(Vec<&'a str>),
}

/// The signals that are counts.
fn count(variable: Variable, signals: &Signals) -> Option<u32> {
    Some(match variable {
        Variable::CustomerTurns => signals.customer_turns,
        Variable::ContentTurns => signals.content_turns,
        Variable::RobotTurns => signals.robot_turns,
        Variable::Questions => signals.questions(),
        Variable::Refusals => signals.refusals,
        Variable::RefusalStreak => signals.refusal_streak,
        Variable::NoInput => signals.no_input,
        _ => return None,
    })
}

/// The signals that are so or are not.
pub(super) fn fact(variable: Variable, signals: &Signals) -> Option<bool> {
    Some(match variable {
        Variable::Connected => signals.connected,
        Variable::Ended => signals.ended,
        Variable::Machine => signals.machine(),
        Variable::Silent => signals.silent(),
        Variable::LastRefused => signals.last_refused,
        Variable::Transferred => signals.transferred,
        _ => return None,
    })
}

/// The signals that are one word of a few.
fn word(variable: Variable, signals: &Signals) -> Option<&'static str> {
    Some(match variable {
        Variable::DialResult => signals.dial_result_str(),
        Variable::AnsweredBy => signals.answered_by_str(),
        Variable::Invite => signals.invite_str(),
        Variable::HungUpBy => signals.hung_up_by_str(),
        _ => return None,
    })
}

pub(super) fn variable_value<'a>(variable: Variable, facts: Facts<'a>) -> Value<'a> {
    let Facts { script, signals, label } = facts;
    if let Some(count) = count(variable, signals) {
        return Value::Int(count.into());
    }
    if let Some(word) = word(variable, signals) {
        return Value::String(word);
    }
    if let Some(fact) = fact(variable, signals) {
        return Value::Bool(fact);
    }
    match variable {
        Variable::TalkS => Value::Double(signals.talk_s),
        Variable::Asked => Value::List(script.names_of(signals.asked).collect()),
        Variable::Hits => Value::List(script.categories().map(|(_, concept)| &*concept.id).collect()),
        Variable::Completion => Value::Double(signals.completion),
        Variable::Reached => Value::List(signals.reached.iter().filter_map(|&node| script.node(node)).map(|node| &*node.id).collect()),
        Variable::LastNode => Value::String(signals.last_node.and_then(|node| script.node(node)).map_or("", |node| &node.id)),
        // The label; counts, words and facts are told above.
        _ => Value::String(label),
    }
}

impl Expr {
    /// What it counts, if it is a count.
    fn count(&self, signals: &Signals) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Hits(category, _) => Some(signals.hits.get(*category).copied().unwrap_or_default().into()),
            Self::Variable(variable) => count(*variable, signals).map(i64::from),
            Self::Arithmetic(Operator::Add, left, right) => Some(left.count(signals)?.saturating_add(right.count(signals)?)),
            _ => None,
        }
    }

    /// The word that it is, if it is one.
    fn word(&self, signals: &Signals) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Variable(variable) => word(*variable, signals),
            _ => None,
        }
    }
}

impl Comparison {
    /// Whether it holds of two counts or two words; `None` of anything else.
    pub(super) fn holds_plainly(self, left: &Expr, right: &Expr, signals: &Signals) -> Option<bool> {
        if let Some(left) = left.count(signals) {
            return Some(self.holds_of(Some(left.cmp(&right.count(signals)?))));
        }
        let same = left.word(signals)? == right.word(signals)?;
        match self {
            Self::Equal => Some(same),
            Self::NotEqual => Some(!same),
            _ => None,
        }
    }

    pub(super) fn holds(self, left: &Value<'_>, right: &Value<'_>) -> bool {
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
        self.holds_of(order)
    }

    fn holds_of(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

impl Operator {
    pub(super) fn apply<'a>(self, left: Value<'a>, right: Value<'a>) -> Value<'a> {
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
}
