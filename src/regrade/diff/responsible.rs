//! Which words are responsible for a change: those that one side alone found and that bear on the rules which decided.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::core::explain::{self, Outcome as Came};
use crate::core::lexicon::Match;
use crate::core::rule::Facts;
use crate::core::script::Script;
use crate::core::verdict::{Category, Evidence, Phrase};
use crate::regrade::grading::Graded;

/// What was found in words on one side only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Found<'a> {
    /// The category or question; of what belongs to none the signal.
    pub(super) category: &'a str,
    pub(super) phrase: &'a str,
    pub(super) how: Match,
    pub(super) gained: bool,
}

/// What is responsible, each once: of the evidence lost before and gained after what bears on a signal that the two deciding
/// rules read, or all of it where nothing does.
pub(super) fn responsible<'a>(
    (before, lost): (&'a Graded, &[&'a Evidence]),
    (after, gained): (&'a Graded, &[&'a Evidence]),
) -> Vec<Found<'a>> {
    let mut read = IndexSet::new();
    reads(before, &mut read);
    reads(after, &mut read);
    let among = |bears: &dyn Fn(&Script, &Evidence) -> bool| {
        let found = |graded: &'a Graded, evidence: &[&'a Evidence], gained| {
            let script = &*graded.script;
            let bearing: Vec<Found<'a>> =
                evidence.iter().filter(|evidence| bears(script, evidence)).filter_map(|evidence| found(script, evidence, gained)).collect();
            bearing
        };
        let all: IndexSet<Found<'a>, FxBuildHasher> = found(before, lost, false).into_iter().chain(found(after, gained, true)).collect();
        // What merely stands elsewhere is no cause.
        let moved = |found: &Found<'a>| all.contains(&Found { gained: !found.gained, ..*found });
        all.iter().filter(|found| !moved(found)).copied().collect::<Vec<_>>()
    };
    let bearing = among(&|script, evidence| bears_on(script, evidence, &read));
    if bearing.is_empty() { among(&|_, _| true) } else { bearing }
}

/// What evidence says was found in words: a phrase, for a category or else for a signal. What happened on the line is none.
fn found<'a>(script: &'a Script, evidence: &'a Evidence, gained: bool) -> Option<Found<'a>> {
    let category = match (&evidence.category, &evidence.phrase) {
        (Category::None, Phrase::Listed(_)) => evidence.signal,
        // A category that the script does not know triggers nothing.
        (Category::None | Category::Foreign(_), _) => return None,
        (category @ Category::Concept(_), _) => category.id(script),
    };
    Some(Found { category, phrase: evidence.phrase.text(script), how: evidence.how, gained })
}

/// Adds the signals that the deciding rule reads, by their names in conditions.
fn reads(graded: &Graded, names: &mut IndexSet<String>) {
    fn collect(came: Came, names: &mut IndexSet<String>) {
        match came {
            Came::All(_, parts) | Came::Any(_, parts) => parts.into_iter().for_each(|part| collect(part, names)),
            Came::Test(_, _, values) => names.extend(values.into_iter().map(|(name, _)| name)),
        }
    }
    let Graded { script, verdict } = graded;
    if let Some(rule) = verdict.rule.and_then(|rule| script.rules.get(rule)) {
        let facts = Facts { script, signals: &verdict.signals, label: "" };
        collect(explain::explain(&rule.condition.expr, facts), names);
    }
}

/// Whether evidence bears on one of these signals.
fn bears_on(script: &Script, evidence: &Evidence, signals: &IndexSet<String>) -> bool {
    let category = evidence.category.id(script);
    let any = |names: &[&str]| names.iter().any(|name| signals.contains(*name));
    let hits = || signals.contains(&format!("hits[{category:?}]"));
    match evidence.signal {
        "asked" => any(&["asked", "questions"]),
        "refusals" => any(&["refusals", "refusal_streak", "last_refused"]) || hits(),
        // Small talk alone makes no turn with content: it neither breaks a run of refusals nor stops a prompt.
        "hits" if matches!(&evidence.category, Category::Concept(concept) if Some(*concept) == script.known.filler) => {
            any(&["content_turns", "last_refused", "refusal_streak", "completion"]) || hits()
        }
        "hits" => hits(),
        // Who is a machine, and what a carrier says, decides whether anything else counts.
        "answered_by" | "dial_result" => true,
        signal => any(&[signal]),
    }
}
