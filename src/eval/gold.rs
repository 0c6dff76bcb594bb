//! What people say of calls and utterances, as files have it.

use serde::Deserialize;

/// What people say of a call: what is not said is not measured.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoldCall {
    /// The call.
    #[serde(alias = "call_id")]
    pub call_id: String,
    /// Its label.
    pub label: Option<String>,
    /// The rule that gives it.
    #[serde(alias = "rule_id")]
    pub rule_id: Option<String>,
    /// Share of the main flow delivered.
    pub completion: Option<f64>,
    /// A machine answered.
    pub machine: Option<bool>,
    /// `none`, `accepted` or `declined`.
    pub invite: Option<String>,
    /// The trigger questions asked.
    pub asked: Option<Vec<String>>,
    /// Turns that refuse.
    pub refusals: Option<u32>,
    /// The longest run of them.
    #[serde(alias = "refusal_streak")]
    pub refusal_streak: Option<u32>,
    /// Of each turn of the customer its tags: categories by name, `ask:ID` a trigger question, `machine` no customer, `filler`,
    /// `other` nothing the script has a name for.
    pub turns: Option<Vec<Vec<String>>>,
}

impl GoldCall {
    /// The categories and trigger questions that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let tags = self.turns.iter().flatten().flatten().map(|tag| tag.trim_start_matches("ask:"));
        let tags = tags.filter(|tag| !["machine", "filler", "other"].contains(tag));
        tags.chain(self.asked.iter().flatten().map(String::as_str))
    }
}

/// An utterance and what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoldUtterance {
    /// What the customer says, as the only thing in the call.
    pub text: String,
    /// A category or trigger question of the script, or `other`.
    pub category: String,
    /// What the robot said before, if that matters.
    #[serde(default)]
    pub robot: Option<String>,
}

/// A file of JSON lines, read; lines are numbered from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines<T> {
    /// Line and item.
    pub items: Vec<(usize, T)>,
    /// Line and reason of what could not be read.
    pub faults: Vec<(usize, String)>,
}

/// Reads a file of JSON lines; of a line that is none, its number and the reason. A byte-order mark before them means nothing.
#[must_use]
pub fn read<T: for<'a> Deserialize<'a>>(text: &str) -> Lines<T> {
    let (mut items, mut faults) = (Vec::new(), Vec::new());
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let mut json = serde_json::Deserializer::from_str(line);
        match serde_path_to_error::deserialize(&mut json) {
            Ok(item) => items.push((number, item)),
            Err(error) => {
                let path = error.path().to_string();
                // Which line of the file it is, is told beside it.
                let reason = error.into_inner().to_string().replace(" at line 1 column ", " at column ");
                faults.push((number, if path == "." { reason } else { format!("{path}: {reason}") }));
            }
        }
    }
    Lines { items, faults }
}
