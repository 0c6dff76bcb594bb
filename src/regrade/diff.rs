//! What a new grading changes, added up call by call: labels, rules, how far calls came, and the keywords responsible.
//!
//! ```
//! use std::sync::Arc;
//! use callgrade::core::call::CallState;
//! use callgrade::core::event::{Event, EventKind};
//! use callgrade::regrade::diff::Diff;
//! use callgrade::regrade::grading::{Before, Graded, Regraded};
//! use callgrade::ingest::StoredLabel;
//!
//! let script = callgrade::script::bundled("telemarketing").unwrap();
//! let verdict = CallState::replay(&script, vec![Event { at_ms: 8_000, kind: EventKind::Answered }]);
//! let before = Before::Stored(StoredLabel { label: "A".to_owned(), ..StoredLabel::default() });
//! let after = Graded { script: Arc::clone(&script), verdict };
//! let call = Regraded { call_id: "c1".to_owned(), notices: vec![], rejections: vec![], after, before };
//!
//! let mut diff = Diff::new();
//! let changed = diff.add(&call).unwrap();
//! assert_eq!(changed.after.unwrap().label, "D"); // nobody said a word
//! assert_eq!(diff.message().changed, 1);
//! ```

use std::collections::BTreeMap;

mod capped;
mod change;
mod ledger;
mod message;
mod outcome;
mod responsible;
mod signals;
mod tally;

use self::change::Change;
use self::ledger::{Keyword, Ledger, Passed};
use self::outcome::Outcome;
use self::tally::{Became, Tally, stored_outcome};
use super::grading::{Before, Regraded};
use crate::wire::v1;

/// Most pairs of versions that are counted by number at a time; a run has one for each script.
const MOST_TALLIES: usize = 64;

/// What a new grading changes.
///
/// Diffs of consecutive parts of a run, [merged](Self::merge) in their order in whatever grouping, are that of the whole. Memory is
/// bounded: examples are the first of their kind, and of phrases and labels that the input brings more of than a script has those
/// beyond are counted together.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// The sums by name, by the id of the script that grades now.
    ledgers: BTreeMap<String, Ledger>,
    /// What is not yet among them, counted by number.
    tallies: Vec<Tally>,
    /// The one counted last: most often the next one too.
    last: usize,
}

impl Diff {
    /// Of no calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a call; what changed, if its label or the rule that gives it is another now.
    pub fn add(&mut self, call: &Regraded) -> Option<v1::ChangedCall> {
        let place = self.tally_of(call);
        let tally = self.tallies.get_mut(place)?;
        let ledger = self.ledgers.get_mut(&*call.after.script.id)?;
        let became = tally.count(&call.before, &call.after, ledger);
        if became == Became::Same {
            return None;
        }
        let after = &call.after;
        let now = Outcome::of_rule(&after.script, after.verdict.rule);
        let (was, Change { call: changed, responsible }) = match &call.before {
            Before::Unknown => return None,
            Before::Stored(stored) => (stored_outcome(stored), change::from_stored(&call.call_id, stored, after)),
            Before::Graded(before) => {
                (Outcome::of_rule(&before.script, before.verdict.rule), change::between(&call.call_id, before, after))
            }
        };
        ledger.example(&was.label, &now.label, &changed);
        if became == Became::OtherLabel {
            for found in responsible {
                let how = v1::Match::from(found.how).into();
                ledger.keyword(Keyword::new(found.category, found.phrase, how, found.gained), &was.label, &now.label, 1);
            }
        }
        let mut causes = v1::Causes::default();
        *match changed.cause() {
            v1::ChangeCause::Rules => &mut causes.rules,
            v1::ChangeCause::Signals => &mut causes.signals,
            v1::ChangeCause::Both => &mut causes.both,
            v1::ChangeCause::Unspecified => &mut causes.unknown,
        } = 1;
        // The call itself the tally has counted.
        ledger.passed(was, now, Passed { calls: 0, causes });
        Some(changed)
    }

    /// The place of the tally that counts such a call.
    fn tally_of(&mut self, call: &Regraded) -> usize {
        let is_of = |tally: &Tally| tally.is_of(&call.before, &call.after);
        if self.tallies.get(self.last).is_some_and(is_of) {
            return self.last;
        }
        self.last = self.tallies.iter().position(is_of).unwrap_or_else(|| {
            if self.tallies.len() >= MOST_TALLIES {
                self.settle();
            }
            let tally = Tally::new(&call.before, &call.after);
            tally.declare(self.ledgers.entry(call.after.script.id.to_string()).or_insert_with(|| Ledger::of(&call.after.script)));
            self.tallies.push(tally);
            self.tallies.len() - 1
        });
        self.last
    }

    /// Adds what was counted by number to the sums by name.
    fn settle(&mut self) {
        for tally in self.tallies.drain(..) {
            if let Some(ledger) = self.ledgers.get_mut(&*tally.script().id) {
                tally.settle(ledger);
            }
        }
        self.last = 0;
    }

    /// Adds the calls that come after these.
    pub fn merge(&mut self, mut later: Self) {
        self.settle();
        later.settle();
        for (id, ledger) in later.ledgers {
            self.ledgers.entry(id).or_default().merge(ledger);
        }
    }

    /// What was added up.
    #[must_use]
    pub fn message(&self) -> v1::RegradeDiff {
        let mut settled = self.clone();
        settled.settle();
        message::diff(&settled.ledgers)
    }

    /// What was added up before, to add to.
    #[must_use]
    pub fn from_message(message: &v1::RegradeDiff) -> Self {
        Self { ledgers: message::ledgers(message), tallies: Vec::new(), last: 0 }
    }
}
