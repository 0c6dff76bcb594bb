//! Parts of a run, added up apart and together.

use std::sync::{Arc, OnceLock};

use callgrade::core::call::CallState;
use callgrade::core::event::{Event, EventKind, Keyword};
use callgrade::ingest::StoredLabel;
use callgrade::regrade::diff::Diff;
use callgrade::regrade::grading::{Before, Graded, Regraded};
use callgrade::wire::v1;
use proptest::prelude::*;

use super::bundled_with;
use crate::support::{all_cases, events_of};

/// Calls of every kind: the scripts' cases against changed versions, against labels of all sorts, and against nothing.
fn corpus() -> &'static [Regraded] {
    static CORPUS: OnceLock<Vec<Regraded>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let versions = [
            bundled_with("telemarketing", "keywords/refuse.txt", "不需要", "不需要哎呀"),
            bundled_with("telemarketing", "script.yaml", "questions >= 2 && invite == \"accepted\"", "questions >= 1"),
            bundled_with("broadband", "script.yaml", "completion > 0.7", "completion > 0.3"),
        ];
        let mut calls = Vec::new();
        for (place, (script, case)) in all_cases().iter().enumerate() {
            let mut events = events_of(script, case);
            // What the dialer reports is not bounded by any list.
            let keyword = Keyword { category: "contact".into(), keyword: format!("词{place}").into(), utterance_id: "".into() };
            events.insert(events.len().min(2), Event { at_ms: 9_000, kind: EventKind::KeywordTriggered(Box::new(keyword)) });
            let after = Graded { script: Arc::clone(script), verdict: CallState::replay(script, events.clone()) };
            let before = match (place % 5, versions.iter().filter(|version| version.id == script.id).nth(place % 2)) {
                (0..=2, Some(version)) => {
                    let words = if place % 3 == 0 { &events[..events.len() / 2] } else { &events[..] };
                    let verdict = CallState::replay(version, words.to_vec());
                    Before::Graded(Box::new(Graded { script: Arc::clone(version), verdict }))
                }
                (3, _) => {
                    let label = ["A", "B", "", "…", "vip", "D"][place % 6].to_owned();
                    let rule_id = ["", "A1", "C9"][place % 3].to_owned();
                    Before::Stored(StoredLabel { label, rule_id, script_version: format!("v{}", place % 4) })
                }
                _ => Before::Unknown,
            };
            calls.push(Regraded { call_id: format!("c{place}"), notices: Vec::new(), rejections: Vec::new(), after, before });
        }
        calls
    })
}

fn of(calls: &[&Regraded]) -> Diff {
    let mut diff = Diff::new();
    calls.iter().for_each(|call| {
        diff.add(call);
    });
    diff
}

fn together(first: &Diff, later: Diff) -> Diff {
    let mut whole = first.clone();
    whole.merge(later);
    whole
}

/// Kept as text, and read again.
fn kept(diff: &Diff) -> Diff {
    let text = serde_json::to_string(&diff.message()).expect("JSON");
    let message: v1::RegradeDiff = serde_json::from_str(&text).expect("a diff");
    Diff::from_message(&message)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn parts_add_up_to_the_whole(
        order in prop::collection::vec(0usize..10_000, 0..200),
        cuts in prop::array::uniform2(0usize..200),
    ) {
        let corpus = corpus();
        let calls: Vec<&Regraded> = order.iter().map(|place| &corpus[place % corpus.len()]).collect();
        let (first, second) = (cuts[0].min(cuts[1]).min(calls.len()), cuts[0].max(cuts[1]).min(calls.len()));
        let (a, b, c) = (of(&calls[..first]), of(&calls[first..second]), of(&calls[second..]));
        let whole = of(&calls).message();
        prop_assert_eq!(together(&together(&a, b.clone()), c.clone()).message(), whole.clone());
        prop_assert_eq!(together(&a, together(&b, c.clone())).message(), whole.clone());
        // Whatever was written down on the way, and gone on with.
        prop_assert_eq!(together(&kept(&a), kept(&together(&kept(&b), c))).message(), whole.clone());
        let mut resumed = kept(&a);
        calls[first..].iter().for_each(|call| { resumed.add(call); });
        prop_assert_eq!(resumed.message(), whole.clone());
        prop_assert_eq!(Diff::from_message(&whole).message(), whole);
    }
}

#[test]
fn the_calls_are_of_every_kind() {
    let message = of(&corpus().iter().collect::<Vec<_>>()).message();
    assert_eq!(message.calls, corpus().len() as u64);
    assert!(message.compared < message.calls && message.changed > 20 && message.rule_changed > 0, "{message:?}");
    let keywords: usize = message.scripts.iter().map(|script| script.keywords.len()).sum();
    let all = |causes: fn(v1::Causes) -> u64| -> u64 {
        message.scripts.iter().flat_map(|script| &script.rule_transitions).filter_map(|of| of.causes).map(causes).sum()
    };
    let causes = [all(|of| of.rules), all(|of| of.signals), all(|of| of.both), all(|of| of.unknown)];
    assert!(keywords > 10 && causes.iter().all(|calls| *calls > 0), "{keywords} keywords, {causes:?}");
    // Each changed call has one cause.
    assert_eq!(causes.iter().sum::<u64>(), message.changed + message.rule_changed);
}
