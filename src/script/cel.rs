//! Label conditions: parsed by the CEL crate, then checked and typed against the signals, so that nothing is left to
//! go wrong while a call is live.

use std::ops::Range;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Ast, IdedExpr, LiteralValue, SourceInfo, operators};
use cel::parser::Parser;
use indexmap::IndexMap;

use crate::core::rule::{Comparison, Condition, Expr, Operator, Quantifier, TextTest, Type};
use crate::core::script::ConceptIndex;
use crate::core::signal::{SignalSet, Variable};

mod place;
mod suggest;

pub(crate) use suggest::suggest;

/// What conditions may name.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    /// The script's settings.
    pub(crate) settings: &'a IndexMap<String, Expr>,
    /// The script's categories, in order.
    pub(crate) categories: &'a [&'a str],
    /// `label` may be named: follow-up conditions.
    pub(crate) label: bool,
}

/// Why a condition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CelError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Bytes of the source it is about; empty where it breaks off.
    pub(crate) span: Range<usize>,
}

/// Deepest nesting of a condition.
const MOST_DEPTH: u16 = 64;

/// Parses and checks a condition.
pub(crate) fn compile(source: &str, names: &Names<'_>) -> Result<Condition, CelError> {
    let parsed = Parser::new().max_recursion_depth(MOST_DEPTH).parse_with_source_info(source);
    let (ast, info) = parsed.map_err(|errors| place::syntax_error(source, &errors))?;
    let mut checker = Checker { names, info: &info, source, bound: Vec::new(), reads: SignalSet::default() };
    let (expr, kind) = checker.check(&ast)?;
    if kind != Type::Bool {
        return Err(CelError {
            code: "wrong-type",
            message: format!("a condition must be true or false; this is {}", a(kind)),
            help: None,
            span: 0..source.trim_end().len(),
        });
    }
    Ok(Condition { source: source.into(), expr, reads: checker.reads })
}

struct Checker<'a> {
    names: &'a Names<'a>,
    info: &'a SourceInfo,
    source: &'a str,
    bound: Vec<String>,
    reads: SignalSet,
}

type Typed = (Expr, Type);

impl Checker<'_> {
    fn check(&mut self, node: &IdedExpr) -> Result<Typed, CelError> {
        match &node.expr {
            Ast::Literal(literal) => self.literal(node, literal),
            Ast::Ident(name) => self.ident(node, name),
            Ast::Select(select) if !select.test => match &select.operand.expr {
                Ast::Ident(root) if root == "settings" => self.setting(node, &select.field),
                _ => Err(self.error(node, "unknown-name", format!("`.{}`: only `settings` has fields", select.field))),
            },
            Ast::List(list) => {
                let mut items = Vec::new();
                for element in &list.elements {
                    let (item, kind) = self.check(element)?;
                    if kind != Type::String {
                        return Err(self.error(element, "wrong-type", format!("a list here holds strings; this is {}", a(kind))));
                    }
                    items.push(item);
                }
                Ok((Expr::List(items), Type::List))
            }
            Ast::Call(call) => self.call(node, call),
            Ast::Comprehension(comprehension) => self.comprehension(node, comprehension),
            _ => Err(self.error(node, "unsupported", "this form of CEL is not supported in label rules".to_owned())),
        }
    }

    fn literal(&self, node: &IdedExpr, literal: &LiteralValue) -> Result<Typed, CelError> {
        match literal {
            LiteralValue::Boolean(value) => Ok((Expr::Bool(*value.inner()), Type::Bool)),
            LiteralValue::Int(value) => Ok((Expr::Int(*value.inner()), Type::Int)),
            LiteralValue::UInt(value) => Ok((Expr::Int(i64::try_from(*value.inner()).unwrap_or(i64::MAX)), Type::Int)),
            LiteralValue::Double(value) => Ok((Expr::Double(*value.inner()), Type::Double)),
            LiteralValue::String(value) => Ok((Expr::String(value.inner().into()), Type::String)),
            _ => Err(self.error(node, "unsupported", "null and bytes mean nothing in label rules".to_owned())),
        }
    }

    fn ident(&mut self, node: &IdedExpr, name: &str) -> Result<Typed, CelError> {
        if let Some(level) = self.bound.iter().rev().position(|bound| bound == name) {
            return Ok((Expr::Bound(level, name.into()), Type::String));
        }
        let variable = Variable::SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, variable)| *variable);
        let variable = match variable {
            Some(variable) => variable,
            None if name == "label" && self.names.label => Variable::Label,
            None => {
                let known: Vec<&str> = Variable::SIGNALS.iter().map(|(known, _)| *known).collect();
                let error = self.error(node, "unknown-signal", format!("there is no signal `{name}`"));
                return Err(CelError { help: suggest(name, &known), ..error });
            }
        };
        self.reads.variables.insert(variable);
        Ok((Expr::Variable(variable), type_of(variable)))
    }

    fn setting(&self, node: &IdedExpr, name: &str) -> Result<Typed, CelError> {
        let Some(value) = self.names.settings.get(name) else {
            let known: Vec<&str> = self.names.settings.keys().map(String::as_str).collect();
            let error = self.error(node, "unknown-setting", format!("there is no setting `{name}`"));
            return Err(CelError { help: suggest(name, &known), ..error });
        };
        let kind = match value {
            Expr::Bool(_) => Type::Bool,
            Expr::Int(_) => Type::Int,
            Expr::Double(_) => Type::Double,
            _ => Type::String,
        };
        Ok((Expr::Setting(name.into(), Box::new(value.clone())), kind))
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Result<Typed, CelError> {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice(), call.target.as_deref()) {
            (operators::LOGICAL_NOT, [inner], _) => Ok((Expr::Not(Box::new(self.of(inner, Type::Bool)?)), Type::Bool)),
            (operators::LOGICAL_AND, [left, right], _) => {
                let mut parts = Vec::new();
                for side in [left, right] {
                    match self.of(side, Type::Bool)? {
                        Expr::And(inner) => parts.extend(inner),
                        other => parts.push(other),
                    }
                }
                Ok((Expr::And(parts), Type::Bool))
            }
            (operators::LOGICAL_OR, [left, right], _) => {
                let mut parts = Vec::new();
                for side in [left, right] {
                    match self.of(side, Type::Bool)? {
                        Expr::Or(inner) => parts.extend(inner),
                        other => parts.push(other),
                    }
                }
                Ok((Expr::Or(parts), Type::Bool))
            }
            (operators::NEGATE, [written], _) => {
                let (inner, kind) = self.check(written)?;
                self.must_be_number(written, kind)?;
                Ok((Expr::Negate(Box::new(inner)), kind))
            }
            (operators::CONDITIONAL, [condition, then, otherwise], _) => {
                let condition = self.of(condition, Type::Bool)?;
                let (then, kind) = self.check(then)?;
                let otherwise = self.of(otherwise, kind)?;
                Ok((Expr::Conditional(Box::new(condition), Box::new(then), Box::new(otherwise)), kind))
            }
            (operators::INDEX, [map, key], _) => self.index(map, key),
            (operators::IN, [needle, list], _) => self.membership(needle, list),
            ("size", [inner], None) | ("size", [], Some(inner)) => {
                let (value, kind) = self.check(inner)?;
                if !matches!(kind, Type::List | Type::String) {
                    return Err(self.error(inner, "wrong-type", format!("size() takes a list or a string; this is {}", a(kind))));
                }
                Ok((Expr::Size(Box::new(value)), Type::Int))
            }
            ("startsWith" | "endsWith" | "contains", [part], Some(text)) => {
                let test = match name {
                    "startsWith" => TextTest::StartsWith,
                    "endsWith" => TextTest::EndsWith,
                    _ => TextTest::Contains,
                };
                let text = self.of(text, Type::String)?;
                let part = self.of(part, Type::String)?;
                Ok((Expr::Text(test, Box::new(text), Box::new(part)), Type::Bool))
            }
            (_, [left, right], None) => match (comparison(name), operator(name)) {
                (Some(comparison), _) => self.comparison(node, comparison, left, right),
                (_, Some(operator)) => self.arithmetic(operator, left, right),
                _ => Err(self.unknown_function(node, name)),
            },
            _ => Err(self.unknown_function(node, name)),
        }
    }

    fn comparison(&mut self, node: &IdedExpr, comparison: Comparison, left: &IdedExpr, right: &IdedExpr) -> Result<Typed, CelError> {
        let (left_expr, left_kind) = self.check(left)?;
        let (right_expr, right_kind) = self.check(right)?;
        let number = |kind| matches!(kind, Type::Int | Type::Double);
        let comparable = left_kind == right_kind && left_kind != Type::Map || number(left_kind) && number(right_kind);
        if !comparable {
            return Err(self.error(node, "wrong-type", format!("{} cannot be compared to {}", a(left_kind), a(right_kind))));
        }
        for (variable, value, at) in [(&left_expr, &right_expr, right), (&right_expr, &left_expr, left)] {
            self.must_be_value(variable, value, at)?;
        }
        Ok((Expr::Compare(comparison, Box::new(left_expr), Box::new(right_expr)), Type::Bool))
    }

    /// A literal that a signal can never equal is a slip of the pen.
    fn must_be_value(&self, variable: &Expr, value: &Expr, at: &IdedExpr) -> Result<(), CelError> {
        let (Expr::Variable(variable), Expr::String(value)) = (variable, value) else { return Ok(()) };
        match variable.values() {
            Some(values) if !values.contains(&&**value) => {
                let error = self.error(at, "unknown-value", format!("`{}` is never {value:?}", variable.name()));
                Err(CelError { help: suggest(value, &values), ..error })
            }
            _ => Ok(()),
        }
    }

    fn arithmetic(&mut self, operator: Operator, left: &IdedExpr, right: &IdedExpr) -> Result<Typed, CelError> {
        let (left_expr, left_kind) = self.check(left)?;
        let (right_expr, right_kind) = self.check(right)?;
        self.must_be_number(left, left_kind)?;
        self.must_be_number(right, right_kind)?;
        let constant = match &right_expr {
            Expr::Setting(_, value) => value,
            other => other,
        };
        let nonzero = match constant {
            Expr::Int(value) => *value != 0,
            Expr::Double(value) => *value != 0.0,
            _ => false,
        };
        if matches!(operator, Operator::Divide | Operator::Modulo) && !nonzero {
            return Err(self.error(right, "division", "only a number other than zero may divide".to_owned()));
        }
        let kind = if left_kind == Type::Int && right_kind == Type::Int { Type::Int } else { Type::Double };
        Ok((Expr::Arithmetic(operator, Box::new(left_expr), Box::new(right_expr)), kind))
    }

    fn index(&mut self, map: &IdedExpr, key: &IdedExpr) -> Result<Typed, CelError> {
        let (_, kind) = self.check(map)?;
        if kind != Type::Map {
            return Err(self.error(map, "wrong-type", format!("only `hits` is indexed; this is {}", a(kind))));
        }
        let Ast::Literal(LiteralValue::String(name)) = &key.expr else {
            return Err(self.error(key, "wrong-type", "`hits` is indexed by a category in quotes, as in hits[\"busy\"]".to_owned()));
        };
        Ok((self.category(key, name.inner())?, Type::Int))
    }

    fn category(&mut self, at: &IdedExpr, name: &str) -> Result<Expr, CelError> {
        match self.names.categories.iter().position(|category| *category == name) {
            Some(place) => {
                self.reads.categories.extend(ConceptIndex::try_from(place));
                Ok(Expr::Hits(place, name.into()))
            }
            None => {
                let error = self.error(at, "unknown-category", format!("the lexicon declares no category `{name}`"));
                Err(CelError { help: suggest(name, self.names.categories), ..error })
            }
        }
    }

    fn membership(&mut self, needle: &IdedExpr, list: &IdedExpr) -> Result<Typed, CelError> {
        let needle_expr = self.of(needle, Type::String)?;
        let (list_expr, kind) = self.check(list)?;
        if !matches!(kind, Type::List | Type::Map) {
            return Err(self.error(list, "wrong-type", format!("`in` takes a list; this is {}", a(kind))));
        }
        if let (Expr::List(items), Ast::List(written)) = (&list_expr, &list.expr) {
            for (item, at) in items.iter().zip(&written.elements) {
                self.must_be_value(&needle_expr, item, at)?;
            }
        }
        Ok((Expr::In(Box::new(needle_expr), Box::new(list_expr)), Type::Bool))
    }

    /// The macros `exists`, `all` and `exists_one`, which the parser has expanded into loops.
    fn comprehension(&mut self, node: &IdedExpr, loop_: &ComprehensionExpr) -> Result<Typed, CelError> {
        let unsupported =
            |this: &Self| this.error(node, "unsupported", "of CEL's list macros there are exists, all and exists_one".to_owned());
        let Ast::Call(step) = &loop_.loop_step.expr else { return Err(unsupported(self)) };
        let (quantifier, body) = match (step.func_name.as_str(), step.args.as_slice()) {
            (operators::LOGICAL_OR, [_, body]) => (Quantifier::Exists, body),
            (operators::LOGICAL_AND, [_, body]) => (Quantifier::All, body),
            (operators::CONDITIONAL, [condition, ..]) if !matches!(loop_.accu_init.expr, Ast::List(_)) => {
                (Quantifier::ExistsOne, condition)
            }
            _ => return Err(unsupported(self)),
        };
        let list = self.of(&loop_.iter_range, Type::List)?;
        self.bound.push(loop_.iter_var.clone());
        let body = self.of(body, Type::Bool);
        self.bound.pop();
        Ok((Expr::Quantifier(quantifier, Box::new(list), loop_.iter_var.as_str().into(), Box::new(body?)), Type::Bool))
    }

    fn of(&mut self, node: &IdedExpr, wanted: Type) -> Result<Expr, CelError> {
        let (expr, kind) = self.check(node)?;
        if kind == wanted {
            return Ok(expr);
        }
        Err(self.error(node, "wrong-type", format!("this is {} where {} belongs", a(kind), a(wanted))))
    }

    fn must_be_number(&self, node: &IdedExpr, kind: Type) -> Result<(), CelError> {
        if matches!(kind, Type::Int | Type::Double) {
            return Ok(());
        }
        Err(self.error(node, "wrong-type", format!("this is {} where a number belongs", a(kind))))
    }

    fn unknown_function(&self, node: &IdedExpr, name: &str) -> CelError {
        self.error(node, "unknown-function", format!("there is no function `{name}` in label rules"))
    }

    fn error(&self, node: &IdedExpr, code: &'static str, message: String) -> CelError {
        CelError { code, message, help: None, span: place::extent(node, self.info, self.source) }
    }
}

/// A type with its article.
const fn a(kind: Type) -> &'static str {
    match kind {
        Type::Bool => "a bool",
        Type::Int => "an int",
        Type::Double => "a double",
        Type::String => "a string",
        Type::List => "a list",
        Type::Map => "a map",
    }
}

fn type_of(variable: Variable) -> Type {
    match variable {
        Variable::Connected | Variable::Ended | Variable::Machine | Variable::Silent | Variable::LastRefused | Variable::Transferred => {
            Type::Bool
        }
        Variable::TalkS | Variable::Completion => Type::Double,
        Variable::CustomerTurns
        | Variable::ContentTurns
        | Variable::RobotTurns
        | Variable::Questions
        | Variable::Refusals
        | Variable::RefusalStreak
        | Variable::NoInput => Type::Int,
        Variable::Asked | Variable::Reached => Type::List,
        Variable::Hits => Type::Map,
        Variable::DialResult | Variable::AnsweredBy | Variable::Invite | Variable::LastNode | Variable::HungUpBy | Variable::Label => {
            Type::String
        }
    }
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::NotEqual,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Modulo,
        _ => return None,
    })
}
