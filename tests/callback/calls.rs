//! Which of a call's times is the callback, how the call's head reaches it, and what always holds.

use std::sync::Arc;

use callgrade::core::call::CallState;
use callgrade::core::callback::{CallClock, Resolved, resolve, times};
use callgrade::core::event::{Event, EventKind, Speaker};
use callgrade::core::verdict::EndedBy;
use callgrade::ingest::{Limits, aliyun, jsonl, vcon};
use callgrade::script::Library;
use callgrade::script::ScriptChoice;
use callgrade::service::{Head, Outbox, Patience, Service, StreamEvent};
use callgrade::wire::v1;
use proptest::prelude::*;

use super::{call, told};
use crate::cases::http_post;
use crate::support::{TestServer, block_on, callgrade, script, stdout, take_in, utterance, verdict};

/// Calls said on Monday, 23 November 2026, the last line at 10:20 in Shanghai → the callback.
const CALLS: &[(&[&str], &str)] = &[
    (&["robot: 您什么时候方便", "customer: 明天吧", "robot: 好的，那几点呢", "customer: 下午三点"], "2026-11-24 15:00 明天下午三点"),
    (&["customer: 明天再打吧", "robot: 好的", "customer: 下午三点吧"], "2026-11-24 15:00 明天下午三点"),
    (&["customer: 下周再打吧", "robot: 好的，那周几方便呢", "customer: 周三"], "2026-12-02 10:00 下周周三"),
    (&["customer: 下午三点再打吧", "robot: 明天还是后天", "customer: 后天"], "2026-11-25 15:00 下午三点后天"),
    (&["customer: 明天下午三点吧", "robot: 好的", "customer: 哎 还是四点吧"], "2026-11-24 16:00 明天下午三点四点"),
    (
        &["customer: 明天吧", "robot: 上午还是下午", "customer: 下午", "robot: 下午几点", "customer: 三点半"],
        "2026-11-24 15:30 明天下午三点半",
    ),
    (&["customer: 明天再打吧", "robot: 好的", "customer: 那还是周三吧"], "2026-11-25 10:00 周三"),
    (&["customer: 明天下午三点再打", "robot: 好的", "customer: 到时候再联系"], "2026-11-24 15:00 明天下午三点"),
    (&["customer: 晚点再打", "robot: 几点方便", "customer: 下午三点"], "2026-11-23 15:00 下午三点"),
    (&["customer: 明天下午三点再打", "robot: 好的", "customer: 昨天你们也打过"], "2026-11-24 15:00 明天下午三点"),
    // Far apart and unasked, the two are not one.
    (
        &["customer: 明天再打", "robot: 好的", "customer: 多少钱", "robot: 一百", "customer: 嗯", "robot: 好", "customer: 三点再打"],
        "2026-11-23 15:00 三点",
    ),
    // A refusal after it leaves it standing; never to be called again does not.
    (&["customer: 明天下午打给我", "robot: 您加个微信吗", "customer: 不用了"], "2026-11-24 15:00 明天下午"),
    (&["customer: 明天下午打给我", "robot: 好的", "customer: 你们以后别再打了"], ""),
    (&["customer: 明天下午打给我", "customer: 算了不需要"], ""),
];

#[test]
fn the_last_time_named_is_the_callback() {
    let wrong: Vec<String> = CALLS
        .iter()
        .filter_map(|(lines, expected)| {
            let got = told(call("telemarketing", lines, "2026-11-23T10:20", "").callback.as_ref());
            (got != *expected).then(|| format!("{}: expected {expected:?}, got {got:?}", lines.join(" | ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hours_are_counted_from_what_was_said_and_rounded_up() {
    for (said, hours) in [("过半小时再打", 1), ("过一个小时再打", 1), ("过一个半小时再打", 2), ("明天下午三点再打", 29), ("下周再打", 0)]
    {
        let verdict = call("telemarketing", &["robot: 您好", &format!("customer: {said}")], "2026-11-23T10:20", "");
        assert_eq!(verdict.callback.map(|callback| callback.within_hours), Some(hours), "{said}");
    }
}

const LINE: &str = r#"{"callId":"c","scriptId":"telemarketing","startedAt":"2026-11-23T10:19:51+08:00","timeZone":"ZONE","events":[{"atMs":1000,"answered":{}},{"atMs":9000,"utterance":{"speaker":"CUSTOMER","text":"在开会 明天下午三点再打"}},{"atMs":12000,"hangup":{"by":"CUSTOMER"}}]}"#;

#[test]
fn the_program_tells_the_callback() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), LINE.replace("ZONE", "")).expect("written");
    let path = file.path().to_str().expect("a path");
    let output = callgrade(&["classify", path], b"");
    let verdict: v1::Verdict = serde_json::from_str(stdout(&output).trim()).expect("a verdict");
    let callback = verdict.callback.expect("a callback");
    assert_eq!((callback.words.as_str(), callback.event), ("明天下午三点", 1));
    assert_eq!(callback.at.map(|at| (at.seconds, at.nanos)), Some((1_795_503_600, 0)));
    let follow_up = verdict.follow_up.expect("a follow-up");
    assert_eq!((follow_up.action.as_str(), follow_up.within_hours), ("call", 29));
    let shown = stdout(&callgrade(&["explain", path, "c"], b""));
    assert!(shown.contains("\nCallback\n  2026-11-24 15:00 Asia/Shanghai  the customer said: 明天下午三点  9.0s\n"), "{shown}");
    let shown = stdout(&callgrade(&["--lang", "zh", "explain", path, "c"], b""));
    assert!(shown.contains("\n回电时间\n  2026-11-24 15:00 Asia/Shanghai  客户说：明天下午三点  9.0s\n"), "{shown}");
    assert!(shown.contains("按客户说的时间回电：明天下午三点（2026-11-24 15:00）"), "{shown}");
}

#[test]
fn an_unknown_time_zone_is_told() {
    let record = jsonl::call(LINE.replace("ZONE", "Mars/Olympus").as_bytes(), &Limits::default()).expect("a call");
    let verdict = CallState::replay_at(&script("telemarketing"), record.clock(), record.events);
    assert_eq!(told(verdict.callback.as_ref()), "- 明天下午三点");
    assert_eq!(verdict.notices, [r#"time zone "Mars/Olympus" is not known; callback times are told in words alone"#]);
}

#[test]
fn vcons_and_aliyun_reports_tell_when_they_began() {
    let vcon = serde_json::json!({
        "vcon": "0.4.0", "uuid": "u", "created_at": "2026-11-23T10:00:00+08:00",
        "parties": [{"name": "机器人", "role": "agent"}, {"tel": "1"}],
        "dialog": [{"type": "text", "start": "2026-11-23T10:20:00+08:00", "parties": [1, 0], "originator": 1, "body": "在开会 下午三点再打"}],
    });
    let record = vcon::call(vcon.to_string().as_bytes(), &vcon::VconOptions::default(), &Limits::default()).expect("a call");
    let verdict = CallState::replay_at(&script("telemarketing"), record.clock(), record.events);
    assert_eq!(told(verdict.callback.as_ref()), "2026-11-23 15:00 下午三点");
    let report =
        r#"[{"callId":"a","data":{"info":{"startTime":1795400000000,"answerTime":1795400005000,"endTime":1795400009000,"code":200000}}}]"#;
    let (records, _) = aliyun::calls(report.as_bytes(), &Limits::default());
    assert!(records[0].clock().at(0).is_some(), "{records:?}");
}

fn service() -> Arc<Service> {
    let choice = ScriptChoice::new(Library::bundled().expect("the scripts compile"), None).expect("a choice");
    Service::new(choice, Limits::default(), Patience::default())
}

/// A call's head; `began` is in Shanghai.
fn head(began: Option<&str>) -> Box<Head> {
    let moment = |began: &str| format!("{began}:00+08:00").parse::<jiff::Timestamp>().expect("a moment");
    let started_at = began.map(|began| pbjson_types::Timestamp { seconds: moment(began).as_second(), nanos: 0 });
    Box::new(Head { script_id: "telemarketing".to_owned(), started_at, ..Head::default() })
}

/// The live call's messages, of which the first carries the head.
fn messages() -> Vec<StreamEvent> {
    let events = [
        Event { at_ms: 1_000, kind: EventKind::Answered },
        Event { at_ms: 5_000, kind: EventKind::Utterance(utterance(Speaker::Customer, "", "在开会 明天下午三点再打", 0)) },
        Event { at_ms: 9_000, kind: EventKind::Hangup(Box::default()) },
    ];
    let message = |(seq, event)| StreamEvent {
        call_id: "c".to_owned(),
        seq,
        head: (seq == 1).then(|| head(Some("2026-11-23T10:20"))),
        event: Some(Ok(event)),
        ..StreamEvent::default()
    };
    (1..).zip(events).map(message).collect()
}

/// The moment of a live call's callback, and how often its verdict was revised.
fn live(messages: &[StreamEvent]) -> (Option<i64>, u32) {
    let (service, owner) = (service(), Arc::new(Outbox::default()));
    take_in(&service, &owner, messages.iter().cloned());
    let verdict = verdict(&service, "c").expect("a call");
    (verdict.callback.and_then(|callback| callback.at).map(|at| at.seconds), verdict.revision)
}

#[test]
fn a_live_calls_head_comes_with_its_first_event() {
    let expected = Some(1_795_503_600);
    let messages = messages();
    assert_eq!(live(&messages), (expected, 1));
    let late: Vec<StreamEvent> = [1, 0, 2].map(|place: usize| messages[place].clone()).to_vec();
    assert_eq!(live(&late), (expected, 1), "event 1 comes second");
    // A repetition of event 1 changes nothing, whatever head it has.
    let again = StreamEvent { head: Some(head(Some("2027-01-01T00:00"))), ..messages[0].clone() };
    assert_eq!(live(&[messages.clone(), vec![again.clone()]].concat()), (expected, 1));
    // The head may come with another event that names the script, until event 1 has come.
    let mut odd = vec![StreamEvent { head: again.head.clone(), ..messages[1].clone() }];
    odd.extend([messages[0].clone(), messages[2].clone()]);
    assert_eq!(live(&odd), (expected, 1));
    let without: Vec<StreamEvent> = messages.iter().map(|message| StreamEvent { head: Some(head(None)), ..message.clone() }).collect();
    assert_eq!(live(&without), (None, 1));
}

#[test]
fn live_events_over_http_bring_the_head_too() {
    block_on(async {
        let mut server = TestServer::start(Patience::default(), Limits::default()).await;
        let body = LINE.replace("ZONE", "Asia/Urumqi").replace(r#"{"atMs":1000"#, r#"{"seq":1,"atMs":1000"#);
        let body = body.replace(r#"{"atMs":9000"#, r#"{"seq":2,"atMs":9000"#).replace(r#"{"atMs":12000"#, r#"{"seq":3,"atMs":12000"#);
        let answer: serde_json::Value = http_post(&server.address, "/v1/calls/c/events", body.into_bytes()).await;
        assert_eq!(answer["verdict"]["callback"]["at"], "2026-11-24T09:00:00+00:00", "{answer}");
        server.stopped().await;
    });
}

#[test]
fn a_late_event_that_names_a_time_revises_the_verdict() {
    let mut messages = messages();
    let said = messages.remove(1);
    messages.push(StreamEvent { seq: 2, ..said });
    let (service, owner) = (service(), Arc::new(Outbox::default()));
    take_in(&service, &owner, messages);
    assert_eq!(verdict(&service, "c").expect("a call").callback.expect("a callback").words, "明天下午三点");
}

/// Words that times are made of, and some that are not.
const WORDS: &[&str] = &[
    "明天", "后天", "下周", "周三", "这", "个", "月", "底", "号", "日", "点", "半", "三", "十", "二", "两", "15", "30", ":", "差", "一刻",
    "分", "下午", "晚上", "早", "过", "小时", "后", "以后", "之前", "再打", "不", "吧", "我", "你", "给我", " ", "，", "？", "嗯", "那个",
    "或者", "到", "晚点", "年", "几",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn times_lie_in_the_text_and_ahead(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..10),
        seconds in 0i64..4_000_000_000,
        zone in prop::sample::select(vec!["", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca"]),
    ) {
        let text = words.concat();
        let length = text.chars().count() as u32;
        let now = CallClock::new(Some((seconds, 0)), zone).at(0).expect("a known zone");
        let mut before = 0;
        for (span, meaning) in times(&text) {
            prop_assert!(before <= span.start && span.start < span.end && span.end <= length, "{text}: {span:?}");
            before = span.end;
            if let Resolved::At(at) = resolve(&meaning, &now) {
                prop_assert!(at > now, "{text}: {at} is not after {now}");
            }
        }
    }

    #[test]
    fn a_callback_is_the_same_live_and_whole(
        said in prop::collection::vec((any::<bool>(), prop::collection::vec(prop::sample::select(WORDS), 0..6)), 0..8),
        seconds in 0i64..4_000_000_000,
    ) {
        let clock = CallClock::new(Some((seconds, 5)), "");
        let events: Vec<Event> = (1..).zip(&said).map(|(place, (robot, words))| {
            let speaker = if *robot { Speaker::Robot } else { Speaker::Customer };
            Event { at_ms: place * 1_000, kind: EventKind::Utterance(utterance(speaker, "", &words.concat(), 0)) }
        }).collect();
        let whole = CallState::replay_at(&script("telemarketing"), clock.clone(), events.clone());
        let mut live = CallState::new(script("telemarketing"));
        live.set_clock(clock.clone());
        for (seq, event) in (1..).zip(&events) {
            live.push(seq, event.clone());
            live.push(seq, event.clone());
        }
        live.close(EndedBy::EndOfRecord);
        prop_assert_eq!(&live.verdict(), &whole);
        if let Some(callback) = whole.callback {
            let event = &events[callback.event as usize];
            prop_assert!(callback.at.is_none_or(|at| Some(at) > clock.at(event.at_ms)));
        }
    }

    #[test]
    fn any_text_is_looked_through_without_harm(text in "\\PC{0,40}", seconds in any::<i64>(), nanos in any::<i32>(), at_ms in any::<u32>()) {
        let clock = CallClock::new(Some((seconds, nanos)), &text);
        let now = clock.at(at_ms).or_else(|| CallClock::new(Some((253_402_207_200, 0)), "").at(0));
        for (_, meaning) in times(&text) {
            let _ = now.as_ref().map(|now| resolve(&meaning, now));
        }
    }
}
