//! Where in a condition something is wrong: what a node of the syntax tree spans, and what a syntax error means.

use std::ops::Range;

use cel::common::ast::{Expr as Ast, IdedExpr, SourceInfo};
use cel::parser::ParseErrors;

use super::CelError;

/// The bytes of `source` that a node of its tree takes up. The parser knows one token of each: an operator, a bracket.
pub(super) fn extent(node: &IdedExpr, info: &SourceInfo, source: &str) -> Range<usize> {
    let pairs = brackets(source);
    let whole = 0..source.trim_end().len();
    spread(node, info, source, &pairs).map_or(whole, |span| balanced(span, &pairs))
}

fn spread(node: &IdedExpr, info: &SourceInfo, source: &str, pairs: &[(usize, usize)]) -> Option<Range<usize>> {
    let (start, stop) = info.offset_for(node.id)?;
    let mut span = start as usize..(stop as usize + 1).min(source.len());
    let mut parts: Vec<&IdedExpr> = Vec::new();
    match &node.expr {
        Ast::Call(call) => {
            parts.extend(call.target.as_deref());
            parts.extend(&call.args);
            // `name(…)`: the parser points at the parenthesis.
            let before = source.get(..span.start).unwrap_or_default();
            if source.get(span.clone()) == Some("(") {
                span.start -= before.chars().rev().take_while(|&c| is_name(c)).map(char::len_utf8).sum::<usize>();
            }
        }
        Ast::Select(select) => {
            parts.push(&select.operand);
            let after = source.get(span.end..).unwrap_or_default();
            span.end += after.chars().take_while(|&c| is_name(c)).map(char::len_utf8).sum::<usize>();
        }
        Ast::List(list) => parts.extend(&list.elements),
        Ast::Comprehension(comprehension) => parts.push(&comprehension.iter_range),
        _ => {}
    }
    for inner in parts.into_iter().filter_map(|part| spread(part, info, source, pairs)) {
        let inner = balanced(inner, pairs);
        span = span.start.min(inner.start)..span.end.max(inner.end);
    }
    Some(balanced(span, pairs))
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Widened until no bracket in it lacks its partner.
fn balanced(mut span: Range<usize>, pairs: &[(usize, usize)]) -> Range<usize> {
    while let Some((open, close)) = pairs.iter().find(|(open, close)| span.contains(open) != span.contains(close)) {
        span = span.start.min(*open)..span.end.max(close + 1);
    }
    span
}

/// Where each bracket opens and closes, strings left out.
fn brackets(source: &str) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut open = Vec::new();
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in source.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(begun), _) if begun == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => open.push(at),
            (None, ')' | ']' | '}') => pairs.extend(open.pop().map(|opened| (opened, at))),
            (None, _) => {}
        }
    }
    pairs
}

/// What the parser's first complaint means, in words of people who write rules.
pub(super) fn syntax_error(source: &str, errors: &ParseErrors) -> CelError {
    let (message, position) = errors.errors.first().map_or(("", (1, 1)), |error| (error.msg.as_str(), error.pos));
    let at = offset(source, position);
    let end = source.trim_end().len();
    let (reason, help, length) = match message.strip_prefix("Syntax error: ") {
        Some(message) => plain(message),
        // A macro's own complaint.
        None => (message.to_owned(), None, 1),
    };
    let start = at.min(end);
    CelError { code: "syntax", message: format!("this is no CEL expression: {reason}"), help, span: start..(start + length).min(end) }
}

/// What is wrong, what to do, and how many bytes it is about.
fn plain(message: &str) -> (String, Option<String>, usize) {
    let quoted = |after: &str| {
        let rest = message.split_once(after).map_or("", |(_, rest)| rest);
        let rest = rest.strip_prefix('\'').unwrap_or(rest);
        rest.split_once("' expecting ").map_or_else(|| rest.strip_suffix('\'').unwrap_or(rest), |(token, _)| token).to_owned()
    };
    if message.starts_with("token recognition error") {
        let token = quoted("at: ");
        let token = token.trim_end();
        let help = match token.chars().next() {
            Some('=') => Some("to compare, write `==`"),
            Some('&') => Some("write `&&`"),
            Some('|') => Some("write `||`"),
            _ => None,
        };
        if token.starts_with(['"', '\'']) {
            return ("a string that begins here does not end".to_owned(), None, token.len());
        }
        return (format!("`{token}` has no meaning here"), help.map(str::to_owned), token.len());
    }
    if let Some((missing, at)) = message.strip_prefix("missing ").and_then(|rest| rest.split_once(" at ")) {
        let at = at.trim_matches('\'');
        return (format!("`{}` is missing", missing.trim_matches('\'')), None, if at == "<EOF>" { 0 } else { at.len() });
    }
    let token = quoted("input ");
    if token == "<EOF>" {
        return ("it breaks off".to_owned(), None, 0);
    }
    (format!("`{token}` does not belong here"), None, token.len())
}

/// The byte at the parser's line and column, both from 1, the column in characters.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or_default();
    let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(column - 1).unwrap_or_default();
    let rest = source.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte)
}
