//! Keyword lists as QA staff write them: one phrase a line, `!` exceptions, `/patterns/`, `# comments`.

use std::ops::Range;

use crate::core::lexicon::EntryKind;

/// A line that holds an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The phrase or pattern, without marks.
    pub text: String,
    /// Which of the two.
    pub kind: EntryKind,
    /// `^`: only where a clause begins.
    pub at_start: bool,
    /// `$`: only where a clause ends.
    pub at_end: bool,
    /// `!`: what lies inside it does not count.
    pub exception: bool,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

/// A list file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedList {
    /// The entries, in order.
    pub lines: Vec<Line>,
    /// `@pinyin off` was not said.
    pub pinyin: bool,
    /// Lines that mean nothing: where, and why.
    pub faults: Vec<(Range<usize>, String)>,
}

/// Longest phrase, in characters.
const MOST_CHARACTERS: usize = 200;

/// Reads a list file; what cannot be read is reported in `faults` and left out.
#[must_use]
pub fn parse(text: &str) -> ParsedList {
    let mut list = ParsedList { pinyin: true, ..ParsedList::default() };
    let mut offset = 0;
    for raw in text.split_inclusive('\n') {
        let start = offset + (raw.len() - raw.trim_start().len());
        offset += raw.len();
        let entry = without_comment(raw.trim());
        let span = start..start + entry.len();
        if entry.is_empty() {
            continue;
        }
        if let Some(directive) = entry.strip_prefix('@') {
            match directive.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["pinyin", "off"] => list.pinyin = false,
                ["pinyin", "on"] => list.pinyin = true,
                _ => list.faults.push((span, format!("unknown directive `@{directive}`; there is `@pinyin off`"))),
            }
            continue;
        }
        match line(entry, span.clone()) {
            Ok(line) => list.lines.push(line),
            Err(reason) => list.faults.push((span, reason)),
        }
    }
    list
}

/// Reads one entry, as a list's line or a node's cue.
///
/// # Errors
/// Why it is none.
pub fn line(entry: &str, span: Range<usize>) -> Result<Line, String> {
    let (exception, rest) = match entry.strip_prefix(['!', '！']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, entry),
    };
    if rest.len() > 1 && rest.starts_with('/') && rest.ends_with('/') {
        let text = rest.trim_start_matches('/').trim_end_matches('/');
        if text.is_empty() {
            return Err("an empty pattern".to_owned());
        }
        return Ok(Line { text: text.to_owned(), kind: EntryKind::Pattern, at_start: false, at_end: false, exception, span });
    }
    let (at_start, rest) = rest.strip_prefix('^').map_or((false, rest), |rest| (true, rest));
    let (at_end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
    let rest = rest.trim();
    if !rest.chars().any(char::is_alphanumeric) {
        return Err("a phrase needs a letter, digit or Chinese character".to_owned());
    }
    if rest.chars().count() > MOST_CHARACTERS {
        return Err(format!("a phrase of over {MOST_CHARACTERS} characters"));
    }
    Ok(Line { text: rest.to_owned(), kind: EntryKind::Phrase, at_start, at_end, exception, span })
}

/// A `#` begins a comment at the start of the line or after white space.
fn without_comment(line: &str) -> &str {
    let mut before_was_space = true;
    for (at, c) in line.char_indices() {
        if c == '#' && before_was_space {
            return line.get(..at).unwrap_or(line).trim_end();
        }
        before_was_space = c.is_whitespace();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line() {
        let text = "# 拒绝\n\n不需要\n  ^不要$  # 单独一句\n!不用客气\n/没.{0,3}兴趣/\n!/(今天|明天)不行/\n@pinyin off\n";
        let list = parse(text);
        let told: Vec<(&str, EntryKind, bool, bool, bool)> =
            list.lines.iter().map(|l| (l.text.as_str(), l.kind, l.at_start, l.at_end, l.exception)).collect();
        assert_eq!(
            told,
            [
                ("不需要", EntryKind::Phrase, false, false, false),
                ("不要", EntryKind::Phrase, true, true, false),
                ("不用客气", EntryKind::Phrase, false, false, true),
                ("没.{0,3}兴趣", EntryKind::Pattern, false, false, false),
                ("(今天|明天)不行", EntryKind::Pattern, false, false, true),
            ]
        );
        assert!(!list.pinyin);
        assert!(list.faults.is_empty());
        assert!(list.lines.iter().all(|line| text[line.span.clone()].contains(&line.text)));
    }

    #[test]
    fn lines_without_meaning_are_told() {
        let list = parse("……\n@homophones on\n//\n好\n");
        let reasons: Vec<&str> = list.faults.iter().map(|(_, reason)| reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "a phrase needs a letter, digit or Chinese character",
                "unknown directive `@homophones on`; there is `@pinyin off`",
                "an empty pattern",
            ]
        );
        assert_eq!(list.lines.len(), 1);
    }
}
