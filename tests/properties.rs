//! What must always hold: live is replay at every prefix, duplicates and reordering change nothing, what comes after the end only revises.

use callgrade::core::call::CallState;
use callgrade::core::event::{Answerer, DialReport, DialResult, Event, EventKind, Hangup, Keyword, Outcome, Party, Speaker, Utterance};
use callgrade::core::verdict::{Conclusion, EndedBy, Verdict};
use callgrade::ingest::Limits;
use callgrade::script::ScriptChoice;
use callgrade::service::{Head, Outbox, Patience, Service, StreamEvent, Told};
use callgrade::wire::v1::stream_calls_response::Response;
use callgrade::wire::{CallHead, v1};
use proptest::prelude::*;
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{comparable, script, stream_message, take_in, verdict};

/// Things people and robots say, so that random calls are about something.
const WORDS: &[&str] = &[
    "不需要",
    "多少钱啊",
    "好的",
    "嗯",
    "可以 你说吧",
    "我在开会",
    "加个微信吧",
    "怎么合作",
    "再见",
    "不不不需要谢谢",
    "你是谁啊",
    "有哪些客户在用",
    "明天下午吧",
    "您拨打的用户已关机",
    "请在提示音后留言",
    "别再打了 再打我投诉",
    "……",
    "",
    "不用客气",
    "要不要给您办一个呢",
    "方便给您介绍一下吗",
    "我让顾问给您打个电话您看方便吗",
    "您好，我们是做智能电话机器人的",
    "好的，那不打扰您了，再见",
    "您好，打扰您了，我是三金公司的",
    "今天就先这样，我们微信上联系",
    "一天能打一千到两千通",
    "請問多少錢",
    "不须要",
    "我打错了 打错了",
];
const NODES: &[&str] = &["", "", "greeting", "opening", "product", "needs", "invite", "closing", "rescue", "nowhere"];
const IDS: &[&str] = &["", "", "", "u1", "u2"];
const CATEGORIES: &[&str] = &["refuse", "price", "effect", "contact", "busy", "affirm", "filler", "do_not_call", "拒绝", "unheard-of"];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = Box<str>> {
    prop::sample::select(from).prop_map(Into::into)
}

fn report() -> impl Strategy<Value = DialReport> {
    (prop::option::of(prop::sample::select(DialResult::ALL)), 0u32..25, prop::sample::select(vec!["", "您拨打的电话正在通话中"])).prop_map(
        |(result, q850_cause, announcement)| DialReport { result, q850_cause, announcement: announcement.into(), ..DialReport::default() },
    )
}

fn kind() -> impl Strategy<Value = EventKind> {
    let utterance = (
        prop::sample::select(vec![Speaker::Robot, Speaker::Customer, Speaker::Customer, Speaker::Agent]),
        pick(WORDS),
        0u32..8_000,
        pick(NODES),
        prop::option::weighted(0.2, 0.0..=1.0f64),
        pick(IDS),
    );
    let utterance = utterance.prop_map(|(speaker, text, duration_ms, node, played, utterance_id)| {
        let robot = speaker == Speaker::Robot;
        let node_id = if robot { node } else { "".into() };
        EventKind::Utterance(Utterance {
            speaker,
            text,
            duration_ms,
            node_id,
            played: played.filter(|_| robot),
            utterance_id,
            interim: false,
        })
    });
    prop_oneof![
        2 => Just(EventKind::Answered),
        1 => report().prop_map(|report| EventKind::NotConnected(Box::new(report))),
        1 => prop::option::of(prop::sample::select(Answerer::ALL)).prop_map(EventKind::AnsweredBy),
        24 => utterance,
        2 => pick(NODES).prop_map(EventKind::NodeEntered),
        1 => (0u32..9_000).prop_map(EventKind::Silence),
        3 => (pick(CATEGORIES), pick(IDS)).prop_map(|(category, utterance_id)| {
            EventKind::KeywordTriggered(Box::new(Keyword { category, keyword: "词".into(), utterance_id }))
        }),
        1 => pick(IDS).prop_map(|id| EventKind::Refused(if id.is_empty() { None } else { Some(id) })),
        1 => prop::sample::select(Outcome::ALL).prop_map(EventKind::InviteOutcome),
        1 => (prop::option::of(prop::sample::select(Party::ALL)), report()).prop_map(|(by, report)| EventKind::Hangup(Box::new(Hangup { by, report }))),
        1 => Just(EventKind::Unknown),
        1 => Just(EventKind::Transferred("坐席".into())),
    ]
}

/// A call: events whose times mostly go forward.
fn call() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((kind(), 0u32..6_000, prop::bool::weighted(0.1)), 0..24).prop_map(|events| {
        let mut at_ms = 5_000;
        let step = |(kind, gap, back): (EventKind, u32, bool)| {
            at_ms = if back { at_ms - at_ms.min(gap) } else { at_ms + gap };
            Event { at_ms, kind }
        };
        events.into_iter().map(step).collect()
    })
}

fn live(events: &[Event]) -> CallState {
    let mut call = CallState::new(script("telemarketing"));
    for (seq, event) in (1..).zip(events) {
        call.push(seq, event.clone());
    }
    call
}

fn replay(events: &[Event]) -> Verdict {
    CallState::replay(&script("telemarketing"), events.to_vec())
}

/// A service, what it answered, and each call's last final verdict.
fn stream(messages: &[(u32, Event)]) -> (Vec<Response>, Option<v1::Verdict>) {
    let choice = ScriptChoice::new(callgrade::script::Library::bundled().unwrap(), Some("telemarketing".to_owned())).unwrap();
    let service = Service::new(choice, Limits::default(), Patience::default());
    let owner = Arc::new(Outbox::default());
    let told = take_in(&service, &owner, messages.iter().map(|(seq, event)| stream_event(*seq, event)));
    let responses = told.into_iter().filter_map(|told| v1::StreamCallsResponse::from(told).response).collect();
    (responses, verdict(&service, "c"))
}

fn stream_event(seq: u32, event: &Event) -> StreamEvent {
    StreamEvent {
        call_id: "c".to_owned(),
        seq,
        head: Some(Box::new(Head { script_id: "telemarketing".to_owned(), ..Head::default() })),
        event: Some(Ok(event.clone())),
        ..StreamEvent::default()
    }
}

/// What the service answers, read back from the bytes that a stream carries.
fn stream_bytes(messages: &[(u32, Event)]) -> Vec<Response> {
    let choice = ScriptChoice::new(callgrade::script::Library::bundled().unwrap(), Some("telemarketing".to_owned())).unwrap();
    let service = Service::new(choice, Limits::default(), Patience::default());
    let owner = Arc::new(Outbox::default());
    let told = take_in(&service, &owner, messages.iter().map(|(seq, event)| stream_event(*seq, event)));
    let read = |told: &Told| {
        let mut bytes = Vec::new();
        told.encode(&mut bytes);
        v1::StreamCallsResponse::decode(&*bytes).expect("the bytes of an answer").response
    };
    told.iter().filter_map(read).collect()
}

fn numbered(events: &[Event]) -> Vec<(u32, Event)> {
    (1..).zip(events.iter().cloned()).collect()
}

/// A line is read otherwise once others name their nodes: a farewell in it, not at its end, makes 好的 no assent only where it is the line's own
/// words that count.
#[test]
fn a_line_read_before_others_named_their_nodes_is_read_as_after() {
    let said = |robot: &str, customer: &str| {
        let call = crate::support::CallBuilder::new().answered().robot("", robot).customer(customer);
        call.robot("opening", "给您介绍一下电话机器人可以吗").customer("你说吧").hangup(Party::Customer).build()
    };
    for robot in ["您好，打扰您了，我是三金公司的", "今天就先这样，我们微信上联系", "祝您生活愉快，您方便听一下吗"]
    {
        let events = said(robot, "好的");
        assert_eq!(live(&events).verdict(), replay(&events), "{robot}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn live_is_replay_at_every_prefix(events in call()) {
        let mut call = CallState::new(script("telemarketing"));
        for (place, event) in events.iter().enumerate() {
            call.push(place as u32 + 1, event.clone());
            let mut ended = call.clone();
            ended.close(EndedBy::EndOfRecord);
            prop_assert_eq!(ended.verdict(), replay(&events[..=place]));
        }
    }

    #[test]
    fn the_standing_kept_up_to_date_is_the_verdicts(events in call()) {
        let call = live(&events);
        let verdict = call.verdict();
        prop_assert_eq!(call.standing().label, verdict.label);
        prop_assert_eq!(call.standing().rule, verdict.rule);
        prop_assert_eq!(call.standing().do_not_call, verdict.do_not_call);
        prop_assert_eq!(call.signals(), &verdict.signals);
        // Rules tried only when what they read changed hold as if all were tried.
        let script = script("telemarketing");
        let facts = callgrade::core::rule::Facts { script: &script, signals: call.signals(), label: "" };
        let first = |catch_all| script.rules.iter().position(|rule| rule.catch_all == catch_all && rule.condition.holds(facts));
        prop_assert_eq!(verdict.rule, first(false).or(first(true)));
    }

    /// Both by the fold that nobody listens to and by the one that tells its evidence.
    #[test]
    fn labels_without_evidence_are_the_verdicts(events in call()) {
        let verdict = replay(&events);
        let conclusion = CallState::replay_labels(&script("telemarketing"), events);
        let Verdict { label, rule, signals, nodes, also_matched, fallback, follow_up, do_not_call, ended_by, .. } = verdict;
        let expected = Conclusion { label, rule, signals, nodes, also_matched, fallback, follow_up, do_not_call, ended_by };
        prop_assert_eq!(conclusion, expected);
    }

    #[test]
    fn duplicates_change_nothing(events in call(), repeated in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let once = numbered(&events);
        let mut twice = once.clone();
        for index in repeated.iter().filter(|_| !events.is_empty()) {
            let at = index.index(once.len());
            twice.insert(at + 1 + index.index(twice.len() - at), once[at].clone());
        }
        prop_assert_eq!(stream(&twice).1.as_ref().map(comparable), stream(&once).1.as_ref().map(comparable));
    }

    #[test]
    fn order_is_restored(events in call(), keys in prop::collection::vec(any::<u64>(), 24)) {
        let once = numbered(&events);
        let mut mixed: Vec<_> = once.iter().cloned().zip(&keys).collect();
        mixed.sort_by_key(|(_, key)| **key);
        let mixed: Vec<_> = mixed.into_iter().map(|(message, _)| message).collect();
        let (responses, verdict) = stream(&mixed);
        prop_assert_eq!(verdict.as_ref().map(comparable), stream(&once).1.as_ref().map(comparable));
        let acknowledged = responses.iter().filter_map(|response| match response { Response::Ack(ack) => Some(ack.seq), _ => None }).max();
        prop_assert_eq!(acknowledged, if events.is_empty() { None } else { Some(events.len() as u32) });
    }

    #[test]
    fn answers_written_straight_are_the_messages(events in call(), keys in prop::collection::vec(any::<u8>(), 24)) {
        let mut messages = numbered(&events);
        messages.push((0, Event { at_ms: 1, kind: EventKind::Answered }));
        // Mostly in order: gaps, late events and revisions have their messages too.
        let mut mixed: Vec<_> = messages.into_iter().zip(&keys).enumerate().collect();
        mixed.sort_by_key(|(place, (_, key))| place + usize::from(**key < 40) * 4);
        let mixed: Vec<_> = mixed.into_iter().map(|(_, (message, _))| message).collect();
        prop_assert_eq!(stream_bytes(&mixed), stream(&mixed).0);
    }

    #[test]
    fn a_verdict_shown_is_the_verdict_and_its_bytes_are_its_message(events in call()) {
        let mut call = CallState::new(script("telemarketing"));
        let script = script("telemarketing");
        let notices = ["a word of the door".to_owned()];
        for (seq, event) in numbered(&events) {
            call.push(seq, event);
            let head = CallHead { call_id: "c", revision: seq % 2, notices: &notices };
            let verdict = call.verdict();
            let mut bytes = Vec::new();
            let shown = call.show_verdict(|shown| {
                callgrade::wire::encode::verdict(&script, head, shown, &mut bytes);
                shown.clone()
            });
            prop_assert_eq!(&shown, &verdict);
            // What was shown is still there.
            prop_assert_eq!(&call.verdict(), &verdict);
            prop_assert_eq!(v1::Verdict::decode(&*bytes).expect("the bytes of a verdict"), callgrade::wire::verdict(&script, head, &verdict));
        }
    }

    #[test]
    fn ordinary_messages_are_read_as_all_are(events in call(), cut in any::<prop::sample::Index>()) {
        for (seq, event) in numbered(&events) {
            let bytes = stream_message("c", "telemarketing", seq, &event).encode_to_vec();
            let plain = callgrade::ingest::proto::plain(&bytes);
            prop_assert_eq!(plain.is_some(), matches!(event.kind, EventKind::Answered | EventKind::Utterance(_)));
            if let Some(plain) = plain {
                prop_assert_eq!((plain.call_id, plain.seq, plain.event), ("c", seq, event.clone()));
            }
            // Bytes that are cut off are read as the generated messages read them, or not at all.
            let bytes = &bytes[..cut.index(bytes.len())];
            if let Some(plain) = callgrade::ingest::proto::plain(bytes) {
                let whole = v1::StreamCallsRequest::decode(bytes).expect("what was read is a message");
                let event = callgrade::ingest::proto::event(whole.event.expect("an event"));
                prop_assert_eq!((plain.call_id, plain.seq, Ok(plain.event)), (&*whole.call_id, whole.seq, event));
            }
        }
    }

    #[test]
    fn late_events_take_their_place(events in call(), late in any::<prop::sample::Index>()) {
        prop_assume!(!events.is_empty());
        let mut call = CallState::new(script("telemarketing"));
        let late = late.index(events.len());
        for (place, event) in events.iter().enumerate().filter(|(place, _)| *place != late) {
            call.push(place as u32 + 1, event.clone());
        }
        call.push(late as u32 + 1, events[late].clone());
        call.close(EndedBy::EndOfRecord);
        prop_assert_eq!(call.verdict(), replay(&events));
    }

    #[test]
    fn after_the_end_verdicts_only_revise(events in call()) {
        let (responses, _) = stream(&numbered(&events));
        let mut revision = 0;
        let mut last: BTreeMap<u32, v1::Verdict> = BTreeMap::new();
        for response in responses {
            let Response::Verdict(verdict) = response else { continue };
            if verdict.r#final {
                revision += 1;
                prop_assert_eq!(verdict.revision, revision);
                if let Some((_, before)) = last.last_key_value() {
                    prop_assert_ne!(comparable(before), comparable(&verdict));
                }
                last.insert(revision, *verdict);
            } else {
                prop_assert_eq!(revision, 0, "a provisional verdict after the final one");
                prop_assert_eq!(verdict.revision, 0);
            }
        }
    }

    #[test]
    fn evidence_points_at_what_was_said(events in call()) {
        let verdict = replay(&events);
        let mut before = 0;
        for evidence in &verdict.evidence {
            prop_assert!(evidence.event >= before, "in event order");
            before = evidence.event;
            let event = &events[evidence.event as usize];
            if let EventKind::Utterance(utterance) = &event.kind {
                prop_assert!(evidence.start <= evidence.end && evidence.end as usize <= utterance.text.chars().count());
            }
        }
    }

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC{0,40}", before in pick(WORDS)) {
        let text = format!("{before}{text}");
        let call = live(&[
            Event { at_ms: 1, kind: EventKind::Answered },
            Event { at_ms: 2, kind: EventKind::Utterance(crate::support::utterance(Speaker::Robot, "", &text, 0)) },
            Event { at_ms: 3, kind: EventKind::Utterance(crate::support::utterance(Speaker::Customer, "", &text, 0)) },
        ]);
        let length = text.chars().count() as u32;
        prop_assert!(call.verdict().evidence.iter().all(|evidence| evidence.end <= length));
    }
}
