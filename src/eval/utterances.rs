//! Single utterances against the category that people give them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::calls::reason;
use super::gold::GoldUtterance;
use super::nearest::nearest;
use super::tally::{Kind, Sample, part};
use super::{Difference, Graded, Options, Report};
use crate::core::call::CallState;
use crate::core::event::{Event, EventKind, Speaker, Utterance};
use crate::core::script::{ConceptIndex, ConceptSet, Script};
use crate::core::verdict::Verdict;

/// What an utterance is first of all, of several things that it is; `?` stands for any trigger question.
const PRECEDENCE: [&str; 9] = ["do_not_call", "refuse", "wrong_person", "busy", "contact", "?", "identity", "deny", "affirm"];
/// The name of what the script has no name for.
const OTHER: &str = "other";
/// The category of small talk: what a turn is that is nothing else.
const FILLER: &str = "filler";

/// Measures utterances, each as the only thing that the customer says in an answered call; with its line of the file.
#[must_use]
pub fn measure(script: &Arc<Script>, gold: &[(usize, GoldUtterance)], options: &Options) -> Report {
    let known = |category: &str| category == OTHER || script.concepts.iter().any(|concept| *concept.id == *category);
    let mut left_out: Vec<(&str, usize)> = Vec::new();
    for (_, item) in gold.iter().filter(|(_, item)| !known(&item.category)) {
        match left_out.iter_mut().find(|(category, _)| *category == item.category) {
            Some((_, count)) => *count += 1,
            None => left_out.push((&item.category, 1)),
        }
    }
    let notices = left_out
        .iter()
        .map(|(category, count)| format!("utterances left out, because the script has no category or question {category:?}: {count}"))
        .collect();
    let gold: Vec<&(usize, GoldUtterance)> = gold.iter().filter(|(_, item)| known(&item.category)).collect();
    let used: BTreeSet<&str> = gold.iter().map(|(_, item)| item.category.as_str()).collect();
    let order = order(script, &used);
    let mut samples = Vec::new();
    let mut errors = Vec::new();
    let mut hidden_errors = 0;
    for (line, item) in gold {
        let (call, verdict) = graded(script, item);
        let concepts = call.turns().iter().fold(ConceptSet::default(), |all, turn| all.union(turn.concepts));
        let small_talk = used.contains(FILLER) && call.turns().iter().any(|turn| !turn.content);
        let answer = order
            .iter()
            .find(|&&concept| concepts.contains(concept))
            .and_then(|&concept| script.concept(concept))
            .map_or(if small_talk { FILLER } else { OTHER }, |concept| &*concept.id);
        let mut sample = Sample {
            set_aside: options.sets_aside(&item.text),
            gold: Some(item.category.clone()),
            found: answer.to_owned(),
            ..Sample::default()
        };
        let named = |category: &'_ str| (category != OTHER).then(|| category.to_owned());
        sample.mark(Kind::Category, named(&item.category).as_deref(), named(answer).as_deref());
        if item.category != answer {
            if options.shows(&sample) {
                let missed = script.concept_of(&item.category).filter(|_| item.category != OTHER);
                errors.push(Difference {
                    item: line.to_string(),
                    what: "category".to_owned(),
                    turn: 1,
                    text: item.text.clone(),
                    gold: item.category.clone(),
                    found: answer.to_owned(),
                    evidence: verdict
                        .evidence
                        .iter()
                        .filter(|evidence| evidence.speaker == Some(Speaker::Customer) && evidence.end > evidence.start)
                        .map(|evidence| reason(script, evidence))
                        .filter(|reason| !reason.category.is_empty())
                        .collect(),
                    nearest: missed.and_then(|concept| nearest(script, concept, &item.text)).into_iter().collect(),
                });
            } else {
                hidden_errors += 1;
            }
        }
        samples.push(sample);
    }
    let wanted: Vec<String> = if options.macro_over.is_empty() {
        used.iter().filter(|category| **category != OTHER && **category != FILLER).map(|category| (*category).to_owned()).collect()
    } else {
        options.macro_over.clone()
    };
    let mut labels: Vec<String> = script.concepts.iter().map(|concept| concept.id.to_string()).collect();
    labels.push(OTHER.to_owned());
    let parts = options.parts(&samples).into_iter().map(|(name, samples)| part(name, &samples, &labels, Some(&wanted))).collect();
    let scripts = vec![Graded { script_id: script.id.to_string(), version: script.version.to_string() }];
    Report { of: "utterances", scripts, parts, errors, hidden_errors, notices }
}

/// The concepts in the order in which they are looked for: those of [`PRECEDENCE`], then what else the file names.
fn order(script: &Script, used: &BTreeSet<&str>) -> Vec<ConceptIndex> {
    let mut order: Vec<ConceptIndex> = Vec::new();
    let all = || (0u8..).zip(&script.concepts);
    for name in PRECEDENCE {
        order
            .extend(all().filter(|(_, concept)| if name == "?" { concept.question } else { *concept.id == *name }).map(|(index, _)| index));
    }
    let rest: Vec<ConceptIndex> =
        all().filter(|(index, concept)| used.contains(&*concept.id) && !order.contains(index)).map(|(index, _)| index).collect();
    order.extend(rest);
    order
}

fn graded(script: &Arc<Script>, item: &GoldUtterance) -> (CallState, Verdict) {
    let says = |speaker: Speaker, text: &str| {
        EventKind::Utterance(Utterance {
            speaker,
            text: text.into(),
            duration_ms: 0,
            node_id: "".into(),
            played: (speaker == Speaker::Robot).then_some(1.0),
            utterance_id: "".into(),
            interim: false,
        })
    };
    let robot = item.robot.as_deref().filter(|line| !line.is_empty()).map(|line| says(Speaker::Robot, line));
    let kinds = [Some(EventKind::Answered), robot, Some(says(Speaker::Customer, &item.text))];
    let events = (0..).step_by(1000).zip(kinds.into_iter().flatten()).map(|(at_ms, kind)| Event { at_ms, kind });
    let call = super::calls::graded(script, events);
    let verdict = call.verdict();
    (call, verdict)
}
