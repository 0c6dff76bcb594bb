//! The table of cases through every door: replay, live event by event, the program, gRPC whole and streamed, HTTP.

use callgrade::core::call::CallState;
use callgrade::core::verdict::EndedBy;
use callgrade::ingest::Limits;
use callgrade::script::{Library, lint};
use callgrade::service::Patience;
use callgrade::wire::v1;
use callgrade::wire::v1::stream_calls_response::Response;
use callgrade::wire::{self, CallHead};

use crate::support::{
    NEVER, TestServer, all_cases, block_on, callgrade, case_message, comparable, events_of, head_of, stdout, stream_message,
};

#[test]
fn every_case_holds_on_replay() {
    let mut failures = Vec::new();
    for (script, case) in all_cases() {
        let differences = case.run(script).unwrap_or_else(|error| vec![error.to_string()]);
        if !differences.is_empty() {
            failures.push(format!("{}: {}\n    {}", script.id, case.name, differences.join("\n    ")));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), all_cases().len(), failures.join("\n"));
    assert!(all_cases().len() > 300, "the table has shrunk to {} cases", all_cases().len());
}

#[test]
fn every_rule_has_words_and_a_case() {
    for script in Library::bundled().expect("the bundled scripts compile").iter() {
        for rule in &script.rules {
            assert!(!rule.words.is_empty(), "{} {} has no words", script.id, rule.id);
            let own = script.files.get(&format!("cases/{}.yaml", rule.id));
            assert!(own.is_some(), "{} {} has no case file", script.id, rule.id);
            let proven = all_cases().iter().any(|(of, case)| of.id == script.id && case.expect.rule.as_deref() == Some(&rule.id));
            assert!(proven, "no case of {} ends in {}", script.id, rule.id);
        }
    }
}

#[test]
fn the_bundled_scripts_have_no_errors() {
    for bundle in callgrade::script::Bundle::bundled() {
        let errors: Vec<String> = lint::lint(&bundle)
            .into_iter()
            .filter(|diagnostic| diagnostic.severity == callgrade::script::Severity::Error)
            .map(|diagnostic| diagnostic.to_string())
            .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}

/// The verdicts of all cases on replay, as messages: what every other door must give.
fn expected() -> Vec<v1::Verdict> {
    all_cases()
        .iter()
        .enumerate()
        .map(|(number, (script, case))| {
            let verdict = CallState::replay_at(script, case.clock().expect("a clock"), events_of(script, case));
            let head = CallHead { call_id: &format!("case-{number}"), revision: 1, notices: &[] };
            comparable(&wire::verdict(script, head, &verdict))
        })
        .collect()
}

#[test]
fn live_gives_the_same_as_replay() {
    for ((script, case), expected) in all_cases().iter().zip(expected()) {
        let mut call = CallState::new(script.clone());
        call.set_clock(case.clock().expect("a clock"));
        for (seq, event) in (1..).zip(events_of(script, case)) {
            call.push(seq, event);
        }
        call.close(EndedBy::EndOfRecord);
        let head = CallHead { call_id: &expected.call_id, revision: 1, notices: &[] };
        assert_eq!(comparable(&wire::verdict(script, head, &call.verdict())), expected, "{}", case.name);
    }
}

#[test]
fn the_program_gives_the_same() {
    let mut lines = String::new();
    for (number, (script, case)) in all_cases().iter().enumerate() {
        let call = case_message(&format!("case-{number}"), script, case);
        lines.push_str(&serde_json::to_string(&call).expect("a call is JSON"));
        lines.push('\n');
    }
    let output = callgrade(&["classify", "-"], lines.as_bytes());
    assert!(output.status.success(), "{}", crate::support::stderr(&output));
    let verdicts: Vec<v1::Verdict> =
        stdout(&output).lines().map(|line| comparable(&serde_json::from_str(line).expect("a verdict a line"))).collect();
    assert_eq!(verdicts, expected());
}

#[test]
fn grpc_gives_the_same_whole_and_streamed_and_so_does_http() {
    block_on(async {
        let mut server =
            TestServer::start(Patience { idle: std::time::Duration::from_secs(2), ..Patience::default() }, Limits::default()).await;
        let mut client = server.client().await;
        let expected = expected();
        for (number, ((script, case), expected)) in all_cases().iter().zip(&expected).enumerate() {
            let call = case_message(&format!("case-{number}"), script, case);
            let json = serde_json::to_vec(&call).expect("a call is JSON");
            let answer = client.grade_call(v1::GradeCallRequest { call: Some(call) }).await.expect("graded").into_inner();
            assert_eq!(comparable(&answer.verdict.expect("a verdict")), *expected, "{}", case.name);
            let over_http: v1::GradeCallResponse = http_post(&server.address, "/v1/calls:grade", json).await;
            assert_eq!(comparable(&over_http.verdict.expect("a verdict")), *expected, "{}", case.name);
        }

        // All calls interleaved on one stream; those that no event ends are ended by the idle time.
        let events: Vec<_> = all_cases().iter().map(|(script, case)| events_of(script, case)).collect();
        let longest = events.iter().map(Vec::len).max().unwrap_or_default();
        let mut messages = Vec::new();
        for place in 0..longest {
            for (number, (script, case)) in all_cases().iter().enumerate() {
                if let Some(event) = events[number].get(place) {
                    let mut message = stream_message(&format!("case-{number}"), &script.id, place as u32 + 1, event);
                    if place == 0 {
                        (message.started_at, message.time_zone) = head_of(case);
                    }
                    messages.push(message);
                }
            }
        }
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        // Kept open until the idle time has ended the rest.
        let mut open = Some(sender.clone());
        let feeding = tokio::spawn(async move {
            for message in messages {
                sender.send(message).await.expect("the stream is open");
            }
        });
        let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut answers = client.stream_calls(stream).await.expect("a stream").into_inner();
        let mut finals = std::collections::BTreeMap::new();
        let wanted: std::collections::BTreeMap<_, _> = expected.iter().map(|verdict| (verdict.call_id.clone(), verdict.clone())).collect();
        // What does not come is told below.
        while let Ok(answer) = tokio::time::timeout(NEVER / 10, answers.message()).await {
            let Some(answer) = answer.expect("an answer") else { break };
            match answer.response {
                Some(Response::Verdict(verdict)) if verdict.r#final => {
                    finals.insert(verdict.call_id.clone(), comparable(&verdict));
                    if finals == wanted {
                        open = None;
                    }
                }
                Some(Response::Rejection(rejection)) => panic!("{rejection:?}"),
                _ => {}
            }
        }
        drop(open);
        feeding.await.expect("all was sent");
        for ((_, case), expected) in all_cases().iter().zip(&expected) {
            assert_eq!(finals.get(&expected.call_id), Some(expected), "{}", case.name);
        }
        server.stopped().await;
    });
}

/// A POST by hand: the body of the answer.
pub async fn http_post<T: serde::de::DeserializeOwned>(address: &str, path: &str, body: Vec<u8>) -> T {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("the server answers");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the head is sent");
    stream.write_all(&body).await.expect("the body is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    serde_json::from_slice(&answer[at..]).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer)))
}
