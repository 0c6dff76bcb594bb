//! Expressions written out, as people read them in `explain` and in the differences of scripts.

use std::fmt;

use super::{Expr, Quantifier, TextTest};

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
