//! A label and the rule that gave it.

use std::cmp::Ordering;

use crate::core::script::Script;
pub(super) use crate::regrade::grading::ids;

/// The name that many labels or versions go by of which no account is kept one by one.
pub(super) const OTHERS: &str = "…";
/// Most characters of a text that comes with the calls and is kept among the sums.
const MOST_CHARACTERS: usize = 100;

/// A label and the rule that gave it, by their ids.
///
/// The shorter comes first: labels and rules have short ids, and what a broken input brings in their place is long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Empty: no rule held.
    pub(super) label: String,
    /// Empty: no rule held, or which did is not known.
    pub(super) rule: String,
}

impl Outcome {
    pub(super) fn new(label: &str, rule: &str) -> Self {
        Self { label: cut(label), rule: cut(rule) }
    }

    /// That of a script's rule; `None`: no rule holds.
    pub(super) fn of_rule(script: &Script, rule: Option<usize>) -> Self {
        let (label, rule) = ids(script, rule);
        Self { label: label.to_owned(), rule: rule.to_owned() }
    }
}

impl Outcome {
    fn rank(&self) -> (usize, &str, usize, &str) {
        (self.label.len(), &self.label, self.rule.len(), &self.rule)
    }
}

impl Ord for Outcome {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Outcome {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A text, or its beginning where it is long.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
