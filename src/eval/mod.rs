//! How well calls are read: verdicts held against what people say of the same calls and turns.
//!
//! [`gold`] reads what people say, [`calls`] and [`utterances`] hold the engine's answer against it, item by item, and [`tally`]
//! adds items up to figures with their uncertainty. The outcome is a [`Report`]: plain data, for a terminal, JSON or a page.

use serde::Serialize;
use sha2::{Digest, Sha256};

pub mod calls;
pub mod gold;
mod nearest;
pub mod tally;
pub mod utterances;

use tally::{Figure, Sample};

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `calls` or `utterances`.
    pub of: &'static str,
    /// The scripts that graded.
    pub scripts: Vec<Graded>,
    /// The whole; where a share was set aside also the rest and that share.
    pub parts: Vec<Part>,
    /// Where the two differ, those set aside left out.
    pub errors: Vec<Difference>,
    /// Differences among the items set aside, which are not shown.
    pub hidden_errors: usize,
    /// What was left out, and why.
    pub notices: Vec<String>,
}

/// A script that graded, and the version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Graded {
    /// Its id.
    pub script_id: String,
    /// Its content hash.
    pub version: String,
}

/// Some of the items and their figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// `whole`, `tuned` or `setAside`.
    pub name: &'static str,
    /// Calls or utterances.
    pub items: usize,
    /// Share of them that got the right label or category.
    pub accuracy: Figure,
    /// Mean F1 over the categories, each weighing the same.
    pub macro_f1: Option<Figure>,
    /// What was said and what was answered.
    pub confusion: Confusion,
    /// Signals that can only be right or wrong: the share that is right.
    pub agreement: Vec<Agreement>,
    /// Precision, recall and F1, group by group.
    pub groups: Vec<Group>,
}

/// Counts of what people say (rows) against what was answered (columns).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Confusion {
    /// The rows' and columns' names.
    pub names: Vec<String>,
    /// A row for each.
    pub counts: Vec<Vec<u32>>,
}

/// How often a signal is as people say.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// The signal.
    pub signal: String,
    /// The share, of how many.
    pub share: Figure,
}

/// Scores that belong together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// `turns`, `questions`, `invite` or `categories`.
    pub name: &'static str,
    /// One for each category.
    pub scores: Vec<Score>,
    /// All of them taken together.
    pub micro: Score,
}

/// How well one category is found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// The category.
    pub id: String,
    /// How often people say so.
    pub support: u32,
    /// Found and right.
    pub right: u32,
    /// Found, but people say no.
    pub wrong: u32,
    /// Not found, but people say so.
    pub missed: u32,
    /// Of what was found the share that is right.
    pub precision: Figure,
    /// Of what people say the share that was found.
    pub recall: Figure,
    /// The harmonic mean of the two.
    pub f1: Figure,
}

/// An item where answer and people differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The call, or the line of the utterance.
    pub item: String,
    /// What differs: `label`, `turn`, `node`, a signal, or `category`.
    pub what: String,
    /// The customer's turn, from 1; 0 where it is the call.
    pub turn: usize,
    /// The words.
    pub text: String,
    /// What people say.
    pub gold: String,
    /// What was answered.
    pub found: String,
    /// What speaks for the answer.
    pub evidence: Vec<Reason>,
    /// Of what was missed the listed phrase that comes nearest.
    pub nearest: Vec<Nearest>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The category it speaks for.
    pub category: String,
    /// The phrase, pattern or example.
    pub phrase: String,
    /// How it was found: `exact`, `normalised`, `pinyin`, `pattern`, `learned`, `context` or `reported`.
    pub how: &'static str,
}

/// A listed phrase that resembles a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Nearest {
    /// The category it is listed for.
    pub category: String,
    /// The phrase.
    pub phrase: String,
    /// Share of the phrase's neighbouring characters that the text has too, 0 to 1.
    pub similarity: f64,
}

/// How to measure.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The share of items kept from the eye: chosen by the hash of call id or text, so always the same. 0: none.
    pub set_aside: f64,
    /// Show what differs among those too.
    pub show_set_aside: bool,
    /// The categories whose mean F1 is wanted; empty: all that people use but `other` and `filler`.
    pub macro_over: Vec<String>,
}

impl Options {
    /// Whether an item is set aside, by the hash of its key.
    #[must_use]
    pub fn sets_aside(&self, key: &str) -> bool {
        let hash = Sha256::digest(key.as_bytes());
        let place = hash.iter().take(8).fold(0u64, |place, byte| place << 8 | u64::from(*byte));
        (place as f64) < self.set_aside * 2f64.powi(64)
    }

    /// The parts that figures are given for: of each its name and the samples that belong to it.
    fn parts<'a>(&self, samples: &'a [Sample]) -> Vec<(&'static str, Vec<&'a Sample>)> {
        let of = |aside: bool| samples.iter().filter(|sample| sample.set_aside == aside).collect::<Vec<_>>();
        let mut parts = vec![("whole", samples.iter().collect::<Vec<_>>())];
        if self.set_aside > 0.0 {
            parts.push(("tuned", of(false)));
            parts.push(("setAside", of(true)));
        }
        parts
    }

    /// Whether a difference may be looked at.
    fn shows(&self, sample: &Sample) -> bool {
        self.show_set_aside || !sample.set_aside
    }
}
