//! Drafts: some files put in place of a script's, or beside them.

use std::collections::BTreeMap;

use super::bundle::Bundle;
use super::cel::suggest;
use super::compile::{SCRIPT, compile_with_warnings};
use super::train::{MODEL, is_examples};

/// What is wrong with a file that a draft brings: it is not one of the script's, and nothing would read it, so the draft would not be
/// what its author means. `base`: the files of the script; `draft`: these with what the draft brings.
#[must_use]
pub fn unread(base: &BTreeMap<String, String>, draft: &Bundle) -> Option<String> {
    let new: Vec<&String> = draft.files.keys().filter(|path| !base.contains_key(*path)).collect();
    let stray = |path: &&&String| !is_read(path) || path.split('/').any(|part| matches!(part, "" | "." | ".."));
    let list = || {
        // What does not compile is told of as such.
        let warnings = new.iter().any(|path| path.starts_with("keywords/")).then(|| compile_with_warnings(draft).ok())??.warnings;
        let undeclared = |path: &&&String| warnings.iter().any(|told| told.code == "stray-list" && told.file.ends_with(path.as_str()));
        new.iter().find(undeclared)
    };
    let path = new.iter().find(stray).or_else(list)?;
    let hint =
        hint(path, base).unwrap_or_else(|| format!("a script is {SCRIPT}, keywords/*.txt, examples/*.txt, {MODEL} and cases/*.yaml"));
    Some(format!("the script has no {path}, and nothing would read it; {hint}"))
}

/// Whether files of such a path are read, or notes.
fn is_read(path: &str) -> bool {
    let ends = |folder: &str, ending: &str| path.starts_with(folder) && path.ends_with(ending);
    path == SCRIPT || path == MODEL || is_examples(path) || ends("keywords/", ".txt") || ends("cases/", ".yaml") || path.ends_with(".md")
}

/// What may be meant: a file of that name elsewhere, or one in the same folder whose name is alike.
fn hint(path: &str, base: &BTreeMap<String, String>) -> Option<String> {
    let (folder, name) = split(path);
    let lists_last = |path: &&String| path.starts_with("keywords/");
    if let Some(other) = base.keys().filter(|other| split(other).1 == name).max_by_key(lists_last) {
        return Some(format!("did you mean `{other}`?"));
    }
    let beside: Vec<&str> = base.keys().map(|other| split(other)).filter(|other| other.0 == folder).map(|other| other.1).collect();
    if beside.is_empty() { None } else { suggest(name, &beside) }
}

/// Folder and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
