//! Transcripts that are plain text.

use super::time::clock;
use super::transcript::{At, Segment, Transcript, Who};

/// Most characters of a speaker's name before its colon.
const LONGEST_NAME: usize = 32;
/// Most names a conversation has; more of them are no names.
const MOST_NAMES: usize = 6;

/// Reads text: `name: words` a line, else paragraphs set apart by blank lines, else lines.
pub(super) fn read(text: &str) -> Transcript {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(named) = named(&lines) {
        return named;
    }
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in text.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if last.chars().next_back().is_some_and(|c| c.is_ascii()) {
                    last.push(' ');
                }
                last.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    if let [_] = paragraphs.as_slice() {
        return of(&lines);
    }
    Transcript(paragraphs.into_iter().map(|text| said(Who::Nobody, text, None)).collect())
}

/// Reads a list of lines: with names if they have them.
pub(super) fn of(lines: &[&str]) -> Transcript {
    named(lines).unwrap_or_else(|| {
        let texts = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
        Transcript(texts.map(|text| said(Who::Nobody, text.to_owned(), None)).collect())
    })
}

fn said(who: Who, text: String, at_ms: Option<f64>) -> Segment {
    // In seconds, as every transcript's offsets are at first.
    Segment { who, text, start: at_ms.map_or(At::Unknown, |ms| At::Offset(ms / 1000.0)), duration_ms: None }
}

/// Lines of which the first and at least half begin with a speaker's name; the others continue the line before.
fn named(lines: &[&str]) -> Option<Transcript> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut with_name = 0;
    for line in lines {
        match name_of(line) {
            Some((at_ms, name, words)) => {
                with_name += 1;
                if !names.contains(&name) {
                    names.push(name.clone());
                }
                if names.len() > MOST_NAMES {
                    return None;
                }
                segments.push(said(Who::Label(name), words, at_ms));
            }
            None => {
                let last = segments.last_mut()?;
                if last.text.chars().next_back().is_some_and(|c| c.is_ascii()) {
                    last.text.push(' ');
                }
                last.text.push_str(line);
            }
        }
    }
    segments.retain(|segment| !segment.text.is_empty());
    (with_name > 0 && with_name * 2 >= lines.len()).then_some(Transcript(segments))
}

/// The time, if there is one, the speaker's name and the words of `[00:12] 客户：喂` and its kind.
fn name_of(line: &str) -> Option<(Option<f64>, String, String)> {
    let (before_name, line) = leading_time(line.trim());
    let mut open = 0;
    let mut ahead = line.char_indices().take(LONGEST_NAME + 1);
    // Not the colon of a time in brackets.
    let colon = ahead.find(|(_, c)| {
        open += i32::from(matches!(c, '(' | '[')) - i32::from(matches!(c, ')' | ']'));
        open <= 0 && matches!(c, ':' | '：')
    })?;
    let (name, words) = (line.get(..colon.0)?, line.get(colon.0 + colon.1.len_utf8()..)?);
    let (name, in_name) = trailing_time(name.trim_matches(|c: char| c.is_whitespace() || c == '*'));
    let speaks = name.chars().any(char::is_alphabetic) && !name.contains(|c: char| "。，！？；、,!?;\"/“”".contains(c));
    if !speaks || name.split_whitespace().count() > 4 || words.starts_with("//") {
        return None;
    }
    let words = words.trim_start_matches('*').trim();
    Some((before_name.or(in_name), name.to_owned(), words.to_owned()))
}

/// `[00:12] …`, `(00:12) …` or `00:12 …`.
fn leading_time(line: &str) -> (Option<f64>, &str) {
    let split = match line.strip_prefix(['[', '(']) {
        Some(inner) => inner.split_once([']', ')']),
        None => line.split_once(' '),
    };
    match split.and_then(|(time, rest)| Some((clock(time.trim())?, rest))) {
        Some((ms, rest)) => (Some(ms), rest.trim_start_matches([' ', '-'])),
        None => (None, line),
    }
}

/// `客户 (00:12)`.
fn trailing_time(name: &str) -> (&str, Option<f64>) {
    let split = name.strip_suffix([']', ')']).and_then(|name| name.rsplit_once(['[', '(']));
    match split.and_then(|(name, time)| Some((name, clock(time.trim())?))) {
        Some((name, ms)) => (name.trim(), Some(ms)),
        None => (name, None),
    }
}
