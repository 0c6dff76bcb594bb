//! Any texts as what robot and customer say: graded the same live as whole, evidence inside the text.
#![no_main]

use callgrade::core::call::CallState;
use callgrade::core::event::{Event, EventKind, Speaker, Utterance};
use callgrade::core::verdict::EndedBy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let script = callgrade::script::bundled("telemarketing").expect("a bundled script");
    let events: Vec<Event> = (0u32..)
        .zip(text.split('\n').take(64))
        .map(|(turn, text)| {
            let speaker = if turn % 2 == 0 { Speaker::Robot } else { Speaker::Customer };
            let utterance = Utterance {
                speaker,
                text: text.into(),
                duration_ms: 0,
                node_id: "".into(),
                played: None,
                utterance_id: "".into(),
                interim: false,
            };
            Event { at_ms: turn * 1000, kind: EventKind::Utterance(utterance) }
        })
        .collect();
    let mut live = CallState::new(script.clone());
    for (seq, event) in (1..).zip(&events) {
        live.push(seq, event.clone());
    }
    live.close(EndedBy::EndOfRecord);
    let lengths: Vec<usize> = text.split('\n').map(|text| text.chars().count()).collect();
    let verdict = CallState::replay(&script, events);
    assert_eq!(live.verdict(), verdict);
    assert!(verdict.evidence.iter().all(|evidence| evidence.end as usize <= lengths[evidence.event as usize]));
});
