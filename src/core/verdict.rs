//! The answer: a label, the rule that gave it, and what speaks for it.

use std::borrow::Cow;

use super::callback::Callback;
use super::event::Speaker;
use super::learned::{Learned, gram_text};
use super::lexicon::{EntryId, Match};
use super::script::{ConceptIndex, NodeIndex, Script};
use super::signal::Signals;

/// How a call came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// A `Hangup`.
    Hangup,
    /// A `NotConnected`.
    NotConnected,
    /// Nothing came for the idle time.
    Idle,
    /// The file says no more.
    EndOfRecord,
}

impl EndedBy {
    /// The name in verdicts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::NotConnected => "not_connected",
            Self::Idle => "idle",
            Self::EndOfRecord => "end_of_record",
        }
    }
}

/// What a piece of evidence is an instance of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Category {
    /// Nothing the script declares.
    None,
    /// A category or trigger question.
    Concept(ConceptIndex),
    /// A category in the dialer's words that the script does not know.
    Foreign(Box<str>),
}

impl Category {
    /// Its id, as in verdicts.
    #[must_use]
    pub fn id<'a>(&'a self, script: &'a Script) -> &'a str {
        match self {
            Self::None => "",
            Self::Concept(index) => script.concept(*index).map_or("", |concept| &concept.id),
            Self::Foreign(name) => name,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Phrase {
    /// A line of a customer list.
    Listed(EntryId),
    /// A word of the contract's own: `human`, `busy`.
    Word(&'static str),
    /// The dialer's words.
    Text(Box<str>),
    /// What was learned from examples: the nearest one, and what decided.
    Learned(Box<Learned>),
}

impl Phrase {
    /// Its words, as in verdicts.
    #[must_use]
    pub fn text<'a>(&'a self, script: &'a Script) -> &'a str {
        match self {
            Self::Listed(entry) => script.customer.entry(*entry).map_or("", |entry| &entry.text),
            Self::Word(word) => word,
            Self::Text(text) => text,
            Self::Learned(learned) => {
                let example = script.learned.as_ref().and_then(|model| model.example(learned.example));
                example.map_or("", |example| &example.text)
            }
        }
    }
}

impl Phrase {
    /// How sure it is: the calibrated probability of what was learned, else 1.
    #[must_use]
    pub fn score(&self) -> f64 {
        match self {
            Self::Learned(learned) => f64::from((learned.score * 1e4).round()) / 1e4,
            _ => 1.0,
        }
    }

    /// The n-grams that decided, weightiest first.
    #[must_use]
    pub fn grams(&self) -> Vec<String> {
        match self {
            Self::Learned(learned) => learned.grams.iter().map(|&gram| gram_text(gram)).collect(),
            _ => Vec::new(),
        }
    }
}

/// Something that supports a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Index among the accepted events, from 0: of an utterance that was replaced, the event that carries the words.
    pub event: u32,
    /// First character of the span in the original text, in Unicode scalar values.
    pub start: u32,
    /// Past its last character.
    pub end: u32,
    /// Who said it; `None` for what nobody said.
    pub speaker: Option<Speaker>,
    /// The signal it supports.
    pub signal: &'static str,
    /// What it is an instance of.
    pub category: Category,
    /// What was found.
    pub phrase: Phrase,
    /// How.
    pub how: Match,
}

/// How far a main-flow node got.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeProgress {
    /// The node.
    pub node: NodeIndex,
    /// Share delivered, 0 to 1.
    pub progress: f64,
    /// It was told from the robot's words.
    pub recognised: bool,
    /// How sure that was, 0 to 1; 1 where the dialer named it.
    pub similarity: f64,
}

/// The answer, in terms of its script; `wire` turns it into the contract's message.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The label: an index into the script's labels; `None` while no rule holds.
    pub label: Option<usize>,
    /// The rule that gave it.
    pub rule: Option<usize>,
    /// The facts.
    pub signals: Signals,
    /// What supports them, in event order.
    pub evidence: Vec<Evidence>,
    /// The main flow, in its order.
    pub nodes: Vec<NodeProgress>,
    /// Other rules that hold, catch-alls left out.
    pub also_matched: Vec<usize>,
    /// A catch-all decided.
    pub fallback: bool,
    /// The follow-up rule that holds; what comes of it is told by [`next_step`](Self::next_step).
    pub follow_up: Option<usize>,
    /// The customer asked never to be called again.
    pub do_not_call: bool,
    /// When the customer said to be called again; never beside `do_not_call`.
    pub callback: Option<Callback>,
    /// How the call ended; `None` while live.
    pub ended_by: Option<EndedBy>,
    /// What was put right or left out.
    pub notices: Vec<String>,
}

/// What a call comes to, without what speaks for it; each part as in its [`Verdict`].
#[derive(Debug, Clone, PartialEq)]
pub struct Conclusion {
    /// The label: an index into the script's labels; `None` while no rule holds.
    pub label: Option<usize>,
    /// The rule that gave it.
    pub rule: Option<usize>,
    /// The facts.
    pub signals: Signals,
    /// The main flow, in its order.
    pub nodes: Vec<NodeProgress>,
    /// Other rules that hold, catch-alls left out.
    pub also_matched: Vec<usize>,
    /// A catch-all decided.
    pub fallback: bool,
    /// The follow-up rule that holds.
    pub follow_up: Option<usize>,
    /// The customer asked never to be called again.
    pub do_not_call: bool,
    /// How the call ended; `None` while live.
    pub ended_by: Option<EndedBy>,
}

/// What to do after a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep<'a> {
    /// `call`, `redial`, `none` or `never`.
    pub action: &'a str,
    /// Within this many hours, 0 if not said.
    pub within_hours: u32,
    /// A word on it.
    pub note: Cow<'a, str>,
}

impl Verdict {
    /// What to do after the call: what the script's follow-up rule says, or a call at the time that the customer named.
    ///
    /// A named time (see [`Callback::named`]) takes the place of `call` and `redial`; of `none`, which is for lack of interest, only where
    /// the customer's last content turn does not refuse; of `never` and of a script's other actions not. `None` while no follow-up
    /// rule holds.
    #[must_use]
    pub fn next_step<'a>(&'a self, script: &'a Script) -> Option<NextStep<'a>> {
        let rule = script.follow_up.get(self.follow_up?)?;
        let gives_way = match &*rule.action {
            "call" | "redial" => true,
            "none" => !self.signals.last_refused,
            _ => false,
        };
        Some(match self.callback.as_ref().filter(|callback| callback.named && gives_way) {
            Some(callback) => NextStep { action: "call", within_hours: callback.within_hours, note: callback.note().into() },
            None => NextStep { action: &rule.action, within_hours: rule.within_hours, note: (*rule.note).into() },
        })
    }
}
