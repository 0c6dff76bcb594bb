//! The real server over real gRPC: order, gaps, ends, what a stream is told and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use callgrade::core::event::{Event, EventKind, Party, Speaker};
use callgrade::ingest::Limits;
use callgrade::service::Patience;
use callgrade::wire::v1;
use callgrade::wire::v1::stream_calls_response::Response;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use crate::support::{CallBuilder, NEVER, TestServer, block_on, comparable, stream_message};

/// A stream held open by hand.
pub struct Talk {
    sender: mpsc::Sender<v1::StreamCallsRequest>,
    answers: Streaming<v1::StreamCallsResponse>,
}

impl Talk {
    pub async fn open(server: &TestServer) -> Self {
        let (sender, receiver) = mpsc::channel(16);
        let answers = server.client().await.stream_calls(ReceiverStream::new(receiver)).await.expect("a stream").into_inner();
        Self { sender, answers }
    }

    pub async fn send(&self, call: &str, seq: u32, event: &Event) {
        self.sender.send(stream_message(call, "telemarketing", seq, event)).await.expect("the stream is open");
    }

    pub async fn next(&mut self) -> Option<Response> {
        let answer = tokio::time::timeout(NEVER / 10, self.answers.message()).await.expect("an answer in time");
        answer.expect("no error").and_then(|answer| answer.response)
    }

    pub async fn ack(&mut self) -> u32 {
        loop {
            match self.next().await {
                Some(Response::Ack(ack)) => return ack.seq,
                Some(Response::Verdict(_)) => {}
                other => panic!("an acknowledgement, not {other:?}"),
            }
        }
    }

    /// The next that is no verdict, which is a rejection: its event and why.
    pub async fn rejection(&mut self) -> (u32, String) {
        loop {
            match self.next().await {
                Some(Response::Rejection(rejection)) => return (rejection.seq, rejection.status.expect("a status").message),
                Some(Response::Verdict(_)) => {}
                other => panic!("a rejection, not {other:?}"),
            }
        }
    }

    pub async fn verdict(&mut self) -> v1::Verdict {
        loop {
            match self.next().await {
                Some(Response::Verdict(verdict)) => return *verdict,
                Some(Response::Ack(_)) => {}
                other => panic!("a verdict, not {other:?}"),
            }
        }
    }
}

fn asking() -> Vec<Event> {
    CallBuilder::new()
        .answered()
        .robot("opening", "给您介绍一下可以吗")
        .customer("怎么收费")
        .customer("效果怎么样")
        .hangup(Party::Customer)
        .build()
}

fn short() -> Patience {
    Patience { idle: Duration::from_millis(600), gap: Duration::from_millis(200), gap_events: 8, final_open: Duration::from_secs(60) }
}

#[test]
fn labels_come_while_the_call_is_live_and_again_when_it_ends() {
    block_on(async {
        let server = TestServer::start(Patience::default(), Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        for (seq, event) in (1..).zip(&asking()) {
            talk.send("c", seq, event).await;
        }
        drop(talk.sender);
        let mut labels = Vec::new();
        while let Some(answer) = talk.answers.message().await.expect("no error") {
            if let Some(Response::Verdict(verdict)) = answer.response {
                labels.push((verdict.label, verdict.r#final, verdict.revision));
            }
        }
        let expected = [("C", false, 0), ("B", false, 0), ("B", true, 1)].map(|(label, last, revision)| (label.to_owned(), last, revision));
        assert!(labels.ends_with(&expected), "{labels:?}");
    });
}

#[test]
fn order_is_restored_and_duplicates_are_acknowledged() {
    block_on(async {
        let server = TestServer::start(Patience::default(), Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        let events = asking();
        for seq in [1, 3, 2, 2, 5, 4] {
            talk.send("c", seq, &events[seq as usize - 1]).await;
        }
        let mut acks = Vec::new();
        let last = loop {
            match talk.next().await {
                Some(Response::Ack(ack)) => acks.push(ack.seq),
                Some(Response::Verdict(verdict)) if verdict.r#final => break *verdict,
                Some(Response::Verdict(_)) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(acks, [1, 3, 3, 5]);
        let whole = server
            .client()
            .await
            .grade_call(v1::GradeCallRequest { call: Some(crate::support::call_message("c", "telemarketing", &events)) })
            .await
            .expect("graded")
            .into_inner();
        assert_eq!(comparable(&last), comparable(&whole.verdict.expect("a verdict")));
    });
}

#[test]
fn many_calls_at_once_are_each_answered_in_order() {
    block_on(async {
        let server = TestServer::start(Patience::default(), Limits::default()).await;
        let events = asking();
        let calls = 300;
        // All of it ready to be read at once, so that it is taken in by more than one core where there is one.
        let messages: Vec<_> = (1..)
            .zip(&events)
            .flat_map(|(seq, event)| (0..calls).map(move |call| stream_message(&format!("c{call}"), "telemarketing", seq, event)))
            .collect();
        let mut answers = server.client().await.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        let mut acks: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut standings: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
        while let Some(answer) = answers.message().await.expect("no error") {
            match answer.response {
                Some(Response::Ack(ack)) => acks.entry(ack.call_id).or_default().push(ack.seq),
                Some(Response::Verdict(verdict)) => standings.entry(verdict.call_id).or_default().push((verdict.label, verdict.revision)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((acks.len(), standings.len()), (calls, calls));
        assert!(acks.values().all(|acks| acks[..] == [1, 2, 3, 4, 5]), "{acks:?}");
        let first = &standings["c0"];
        assert_eq!(first.last(), Some(&("B".to_owned(), 1)));
        assert!(standings.values().all(|told| told == first), "{standings:?}");
    });
}

#[test]
fn all_that_came_before_a_message_that_is_too_long_is_answered() {
    block_on(async {
        let server = TestServer::start(Patience::default(), Limits::default()).await;
        let event = &asking()[0];
        let calls = 1_500;
        let too_long = CallBuilder::new().customer(&"长".repeat(Limits::default().message_bytes)).build();
        // Some of it is being taken in when the end is read.
        let messages: Vec<_> = (0..calls)
            .map(|call| stream_message(&format!("c{call}"), "telemarketing", 1, event))
            .chain([stream_message("last", "telemarketing", 1, &too_long[0])])
            .collect();
        let mut answers = server.client().await.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        let mut acks = BTreeSet::new();
        let refused = loop {
            match answers.message().await {
                Ok(Some(answer)) => match answer.response {
                    Some(Response::Ack(ack)) => assert!(acks.insert(ack.call_id), "once"),
                    other => panic!("{other:?}"),
                },
                Ok(None) => panic!("it is refused"),
                Err(status) => break status,
            }
        };
        assert_eq!((refused.code(), acks.len()), (Code::ResourceExhausted, calls), "{refused}");
    });
}

#[test]
fn a_gap_is_waited_for_then_noticed_and_what_comes_late_revises() {
    block_on(async {
        let server = TestServer::start(short(), Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        let events = asking();
        for seq in [1, 2, 3, 5] {
            talk.send("c", seq, &events[seq as usize - 1]).await;
        }
        let verdict = loop {
            let verdict = talk.verdict().await;
            if verdict.r#final {
                break verdict;
            }
        };
        assert_eq!((verdict.label.as_str(), verdict.revision), ("C", 1));
        assert_eq!(verdict.notices, ["event 4 has not come; graded without"]);
        talk.send("c", 4, &events[3]).await;
        let verdict = talk.verdict().await;
        assert_eq!((verdict.label.as_str(), verdict.revision, verdict.r#final), ("B", 2, true));
        talk.send("c", 4, &events[3]).await;
        assert_eq!(talk.ack().await, 5, "a duplicate is acknowledged and revises nothing");
    });
}

#[test]
fn a_late_head_revises_the_callback() {
    block_on(async {
        let server = TestServer::start(short(), Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        let events = CallBuilder::new()
            .event(EventKind::Dtmf("1".into()))
            .answered()
            .robot("opening", "给您介绍一下可以吗")
            .customer("我在开会，明天下午三点再打给我")
            .hangup(Party::Customer)
            .build();
        for (seq, event) in (1..).zip(&events).skip(1) {
            let script_id = if seq == 2 { "telemarketing".to_owned() } else { String::new() };
            let message = v1::StreamCallsRequest { script_id, ..stream_message("c", "", seq, event) };
            talk.sender.send(message).await.expect("the stream is open");
        }
        let verdict = loop {
            let verdict = talk.verdict().await;
            if verdict.r#final {
                break verdict;
            }
        };
        let at = |verdict: &v1::Verdict| verdict.callback.as_ref().expect("a callback").at.as_ref().map(|at| at.seconds);
        assert_eq!((verdict.revision, at(&verdict)), (1, None), "when the call began is not known");
        let started_at = Some(pbjson_types::Timestamp { seconds: 1_767_225_600, nanos: 0 });
        let message = v1::StreamCallsRequest { started_at, ..stream_message("c", "telemarketing", 1, &events[0]) };
        talk.sender.send(message).await.expect("the stream is open");
        let verdict = talk.verdict().await;
        // Tomorrow at three in Shanghai: the call began on the first of January 2026 at eight.
        assert_eq!((verdict.revision, at(&verdict)), (2, Some(1_767_225_600 + (24 + 7) * 3_600)));
    });
}

#[test]
fn what_still_waits_when_a_call_is_closed_is_refused() {
    block_on(async {
        let patience = Patience { gap: Duration::from_secs(600), final_open: Duration::from_secs(3), ..short() };
        let server = TestServer::start(patience, Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        let events = asking();
        for (seq, event) in [(1, &events[0]), (2, &events[4])] {
            talk.send("c", seq, event).await;
            assert_eq!(talk.ack().await, seq);
        }
        assert!(talk.verdict().await.r#final);
        talk.send("c", 4, &events[2]).await;
        assert_eq!(talk.rejection().await, (4, "the call has ended and is closed to late events".to_owned()));
    });
}

#[test]
fn too_many_events_after_a_gap_end_the_wait() {
    block_on(async {
        let patience = Patience { gap: Duration::from_secs(600), idle: Duration::from_secs(600), ..short() };
        let server = TestServer::start(patience, Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        let silence = Event { at_ms: 9_000, kind: EventKind::Silence(100) };
        talk.send("c", 1, &asking()[0]).await;
        assert_eq!(talk.ack().await, 1);
        for seq in 3..=11 {
            talk.send("c", seq, &silence).await;
        }
        assert_eq!(talk.ack().await, 11);
    });
}

#[test]
fn an_event_is_taken_in_after_any_number_of_gaps() {
    block_on(async {
        let endless = Duration::from_secs(600);
        let patience = Patience { gap: endless, idle: endless, gap_events: 1, ..short() };
        let server = TestServer::start(patience, Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        let silence = Event { at_ms: 9_000, kind: EventKind::Silence(100) };
        talk.send("c", 1, &asking()[0]).await;
        assert_eq!(talk.ack().await, 1);
        // Two that wait are one too many: each second event ends the wait for the one before.
        for gap in 0..150 {
            for seq in [3 + gap * 3, 4 + gap * 3] {
                talk.send("c", seq, &silence).await;
            }
            assert_eq!(talk.ack().await, 4 + gap * 3);
        }
        let last_gap = 2 + 149 * 3;
        talk.send("c", last_gap, &Event { at_ms: 9_000, kind: EventKind::Transferred("组长".into()) }).await;
        assert_eq!(talk.ack().await, 4 + 149 * 3);
        talk.send("c", 5 + 149 * 3, &Event { at_ms: 9_500, kind: EventKind::Hangup(Box::default()) }).await;
        let verdict = loop {
            let verdict = talk.verdict().await;
            if verdict.r#final {
                break verdict;
            }
        };
        assert!(verdict.signals.is_some_and(|signals| signals.transferred), "the late event counts");
    });
}

#[test]
fn an_idle_call_is_ended_and_told_to_its_stream() {
    block_on(async {
        let server = TestServer::start(short(), Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        talk.send("c", 1, &asking()[0]).await;
        let verdict = loop {
            let verdict = talk.verdict().await;
            if verdict.r#final {
                break verdict;
            }
        };
        assert_eq!((verdict.rule_id.as_str(), verdict.ended_by.as_str()), ("D3", "idle"));
    });
}

#[test]
fn nothing_wrong_with_one_event_ends_the_stream() {
    block_on(async {
        let server = TestServer::start(Patience::default(), Limits { utterance_bytes: 100, ..Limits::default() }).await;
        let mut talk = Talk::open(&server).await;
        let long = Event { at_ms: 1, kind: EventKind::Utterance(crate::support::utterance(Speaker::Customer, "", &"长".repeat(40), 0)) };
        let mut unknown = stream_message("c", "telemarketing", 3, &asking()[2]);
        if let Some(v1::call_event::Event::Utterance(utterance)) = unknown.event.as_mut().and_then(|event| event.event.as_mut()) {
            utterance.speaker = 77;
        }
        talk.send("c", 1, &asking()[0]).await;
        talk.send("c", 2, &long).await;
        talk.sender.send(unknown).await.expect("open");
        talk.sender.send(stream_message("", "telemarketing", 1, &asking()[0])).await.expect("open");
        talk.sender.send(stream_message("x", "insurance", 1, &asking()[0])).await.expect("open");
        talk.sender.send(v1::StreamCallsRequest { call_id: "c".to_owned(), seq: 4, ..Default::default() }).await.expect("open");
        talk.send("c", 5, &asking()[3]).await;
        let mut told = Vec::new();
        let mut acks = Vec::new();
        while acks.last() != Some(&5) {
            match talk.next().await {
                Some(Response::Rejection(rejection)) => {
                    let status = rejection.status.expect("a status");
                    told.push(format!("{} {} {} {}", rejection.call_id, rejection.seq, status.code, status.message));
                    assert!(!status.details.is_empty(), "typed details");
                }
                Some(Response::Ack(ack)) => acks.push(ack.seq),
                _ => {}
            }
        }
        assert_eq!(
            told,
            [
                "c 2 3 utterance of 120 bytes, more than 100",
                "c 3 3 unknown value 77 of speaker",
                " 1 3 the event has no call_id",
                "x 1 5 unknown script \"insurance\"; there are broadband, telemarketing",
                "c 4 3 the message has no event",
            ]
        );
    });
}

#[test]
fn shutdown_hands_back_what_is_live() {
    block_on(async {
        let mut server = TestServer::start(Patience::default(), Limits::default()).await;
        let mut talk = Talk::open(&server).await;
        for (seq, event) in (1..).zip(&asking()[..4]) {
            talk.send("c", seq, event).await;
            assert_eq!(talk.ack().await, seq);
        }
        server.tell_to_stop();
        let mut handed = None;
        let status = loop {
            match talk.answers.message().await {
                Ok(Some(answer)) => {
                    if let Some(Response::Verdict(verdict)) = answer.response {
                        handed = Some(*verdict);
                    }
                }
                Ok(None) => panic!("the stream ends with a status"),
                Err(status) => break status,
            }
        };
        assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "the server is shutting down"));
        let verdict = handed.expect("the live call's verdict");
        assert!(!verdict.r#final);
        assert_eq!(verdict.label, "B");
        assert!(verdict.notices.iter().any(|notice| notice.contains("send this call again from event 1")), "{:?}", verdict.notices);
        server.stopped().await;
    });
}
