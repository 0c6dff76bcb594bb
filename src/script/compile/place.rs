//! Places in a YAML file: of a part of a scalar, whatever its quotes, and of what the YAML reader complains about.

use std::ops::Range;

use serde_saphyr::{Error, Location};

use crate::script::cel::suggest;
use crate::script::spec::TargetsSpec;

/// The bytes in `file` of some bytes of a scalar's value; the whole scalar where its notation cannot be followed.
pub(super) fn inside(file: &str, scalar: Range<usize>, value: &str, part: &Range<usize>) -> Range<usize> {
    let Some(written) = file.get(scalar.clone()) else { return scalar };
    let Some(places) = places(written, value) else { return scalar };
    let first = places.iter().find(|place| place.value >= part.start);
    let last = places.iter().rfind(|place| place.value < part.end);
    let last_written = places.last().map_or(0, |place| place.written.end);
    let start = first.map_or(last_written, |place| place.written.start);
    let end = last.map_or(start, |place| place.written.end).max(start);
    scalar.start + start..scalar.start + if part.is_empty() { start } else { end }
}

/// A character of a scalar's value, and the bytes of the notation that stand for it.
struct Place {
    value: usize,
    written: Range<usize>,
}

/// Follows a scalar's value through its notation: quotes, escapes, folded lines, the indentation of blocks.
fn places(written: &str, value: &str) -> Option<Vec<Place>> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\'') && written.len() > 1 && written.ends_with(*c));
    let mut at = usize::from(quote.is_some());
    let mut places: Vec<Place> = Vec::new();
    let rest = |at: usize| written.get(at..).unwrap_or_default();
    let mut chars = value.char_indices().peekable();
    while let Some((value_at, c)) = chars.next() {
        if quote == Some('"') && rest(at).starts_with('\\') {
            // An escaped line end stands for nothing.
            while let Some(next) = rest(at).strip_prefix("\\\n") {
                at = written.len() - next.trim_start_matches([' ', '\t']).len();
            }
        }
        let next = rest(at).chars().next();
        if quote == Some('"') && next == Some('\\') {
            let length = escape_length(rest(at));
            places.push(Place { value: value_at, written: at..at + length });
            at += length;
        } else if c.is_whitespace() {
            // Of lines folded into one, a whole line end and indentation stands for one space.
            let begun = at;
            let mut run = vec![(value_at, c)];
            while let Some(more) = chars.next_if(|(_, c)| c.is_whitespace()) {
                run.push(more);
            }
            let blank = rest(at).len() - rest(at).trim_start().len();
            at += blank;
            if blank == 0 && chars.peek().is_some() {
                return None;
            }
            let alike = run.len() == blank && run.iter().all(|(_, c)| *c == ' ');
            for (offset, (value_at, _)) in run.into_iter().enumerate() {
                let written = if alike { begun + offset..begun + offset + 1 } else { begun..at };
                places.push(Place { value: value_at, written });
            }
        } else if next == Some(c) {
            let length = if c == '\'' && quote == Some('\'') { 2 } else { c.len_utf8() };
            places.push(Place { value: value_at, written: at..at + length });
            at += length;
        } else {
            return None;
        }
    }
    Some(places)
}

/// Bytes of the escape that a double-quoted text begins with.
fn escape_length(text: &str) -> usize {
    match text.chars().nth(1) {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        other => 1 + other.map_or(0, char::len_utf8),
    }
}

/// What a branch leads to, and where it is written. The reader forgets the places of what may be one or many, so they are
/// looked for behind the branch's trigger.
pub(in crate::script) fn targets<'a>(
    file: &'a str,
    trigger: Range<usize>,
    targets: &'a TargetsSpec,
) -> impl Iterator<Item = (&'a str, Range<usize>)> {
    let targets = match targets {
        TargetsSpec::One(target) => std::slice::from_ref(target),
        TargetsSpec::Many(targets) => targets,
    };
    let mut from = trigger.end;
    targets.iter().map(move |target| {
        let name = target.value.as_str();
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let rest = file.get(from..).unwrap_or_default();
        let found = rest.match_indices(name).map(|(at, _)| from + at..from + at + name.len()).find(|span| {
            let before = file.get(..span.start).and_then(|text| text.chars().next_back());
            let after = file.get(span.end..).and_then(|text| text.chars().next());
            !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
        });
        let span = found.unwrap_or_else(|| trigger.clone());
        from = span.end.max(from);
        (name, span)
    })
}

/// A span without the white space it ends with: a block's includes the next line's indentation.
pub(in crate::script) fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    match text.get(span.clone()) {
        Some(part) => span.start..span.start + part.trim_end().len(),
        None => span,
    }
}

/// What the YAML reader says in a script author's words, the bytes it says it of, and what to do.
pub(in crate::script) fn yaml_error(error: &Error, text: &str) -> (String, Range<usize>, Option<String>) {
    let error = error.without_snippet();
    let (said, mut span) = crate::script::yaml_error(error, text);
    if let Some(location) = error.location().filter(|location| location.span().byte_offset().is_none()) {
        let at = line_and_column(text, &location);
        span = at..at;
    }
    let help = match error {
        Error::SerdeUnknownField { field: name, expected, .. } | Error::SerdeUnknownVariant { variant: name, expected, .. } => {
            suggest(name, expected)
        }
        _ => None,
    };
    (meaning(error).unwrap_or(said), span, help)
}

fn meaning(error: &Error) -> Option<String> {
    Some(match error {
        Error::Eof { .. } => "the file is empty or breaks off".to_owned(),
        Error::MultipleDocuments { .. } => "a second YAML document begins here; a file holds one".to_owned(),
        Error::Unexpected { expected, .. } => match *expected {
            "sequence start" => "a list belongs here".to_owned(),
            "mapping start" => "a mapping (`name: value`) belongs here".to_owned(),
            "string scalar" => "a text belongs here".to_owned(),
            other => format!("{other} belongs here"),
        },
        Error::InvalidScalar { ty, .. } => format!("{} belongs here", scalar_name(ty)),
        Error::InvalidBooleanStrict { .. } => "`true` or `false` belongs here".to_owned(),
        Error::NullIntoString { .. } => "a text belongs here, but there is nothing".to_owned(),
        // The reader knows a place in the mapping, not where it begins.
        Error::SerdeMissingField { field, .. } => format!("the field `{field}` is missing in the mapping around this"),
        Error::SerdeUnknownField { field, .. } => format!("there is no field `{field}` here"),
        Error::SerdeUnknownVariant { variant, .. } => format!("`{variant}` means nothing here"),
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("`{key}` is given twice"),
            None => "the same key is given twice".to_owned(),
        },
        Error::UnknownAnchor { .. } => "an alias (`*name`) without its anchor (`&name`)".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => "the file grows too large or too deep when its aliases are filled in".to_owned(),
        Error::AliasError { error, .. } => return meaning(error),
        Error::Message { msg, .. } if msg.contains("TargetsSpec") => "a branch leads to a node, or to a list of nodes".to_owned(),
        Error::Message { msg, .. } if msg.contains("SettingSpec") => "a setting is a number, a text, `true` or `false`".to_owned(),
        _ => return None,
    })
}

fn scalar_name(rust: &str) -> &'static str {
    match rust {
        "boolean" => "`true` or `false`",
        "u8" | "u16" | "u32" | "u64" => "a whole number, 0 or more,",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        _ => "a number",
    }
}

/// The byte at a place that the reader knows by line and column, in characters from 1.
fn line_and_column(text: &str, location: &Location) -> usize {
    let line = usize::try_from(location.line()).unwrap_or_default().saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(location.column()).unwrap_or_default().saturating_sub(1);
    let rest = text.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte)
}
