//! A dialer that keeps its promises: it sends each call's events in order, sends again what was not acknowledged, and comes back
//! when the server has gone.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callgrade::core::event::Event;
use callgrade::core::event::EventKind;
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use callgrade::wire::v1::stream_calls_response::Response;
use tokio::sync::mpsc;

use crate::support::{all_cases, call_message, events_of, stream_message, until};

/// Events of a call that may be on their way.
const WINDOW: u32 = 3;

/// A call to be sent.
pub struct Dialled {
    pub call_id: String,
    pub script_id: String,
    pub events: Vec<Event>,
}

/// So many calls, made of the scripts' cases, each with an end.
pub fn calls(count: usize) -> Vec<Dialled> {
    let cases: Vec<(String, Vec<Event>)> = all_cases()
        .iter()
        .filter(|(_, case)| case.started_at().is_ok_and(|at| at.is_none()))
        .map(|(script, case)| {
            let mut events = events_of(script, case);
            if !events.iter().any(|event| matches!(event.kind, EventKind::Hangup(_) | EventKind::NotConnected(_))) {
                let at_ms = events.iter().map(|event| event.at_ms).max().unwrap_or_default();
                events.push(Event { at_ms, kind: EventKind::Hangup(Box::default()) });
            }
            (script.id.to_string(), events)
        })
        .collect();
    (0..count)
        .map(|number| {
            let (script_id, events) = &cases[number % cases.len()];
            Dialled { call_id: format!("call-{number}"), script_id: script_id.clone(), events: events.clone() }
        })
        .collect()
}

/// The calls as a file has them.
pub fn jsonl(calls: &[Dialled]) -> Vec<u8> {
    let mut file = Vec::new();
    for call in calls {
        serde_json::to_writer(&mut file, &call_message(&call.call_id, &call.script_id, &call.events)).expect("JSON");
        file.push(b'\n');
    }
    file
}

/// How far the dialer has come: what tests look at while it dials.
#[derive(Default)]
pub struct Progress {
    /// Events acknowledged.
    pub acked: AtomicUsize,
    /// Events that the server said it could not keep.
    pub refused: AtomicUsize,
    /// The address of the server, which changes when it starts again.
    pub address: Mutex<String>,
    /// Final verdicts heard: call, revision.
    pub finals: Mutex<BTreeMap<String, HashSet<u32>>>,
    /// A dialer has met what it must not.
    failed: AtomicBool,
}

impl Progress {
    /// Waits until it holds.
    pub async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        until(what, || {
            assert!(!self.failed.load(Ordering::Relaxed), "a dialer has failed");
            holds()
        })
        .await;
    }
}

/// Sees that nobody waits for a dialer that has failed.
struct Dialling<'a>(&'a Progress);

impl Drop for Dialling<'_> {
    fn drop(&mut self) {
        self.0.failed.fetch_or(std::thread::panicking(), Ordering::Relaxed);
    }
}

#[derive(Clone, Copy, Default)]
struct Sent {
    acked: u32,
    sent: u32,
}

impl Sent {
    /// Every event up to this one is kept.
    fn acknowledge(&mut self, seq: u32, progress: &Progress) {
        // What is known already says nothing: it may be sent again on purpose.
        if seq > self.acked {
            progress.acked.fetch_add((seq - self.acked) as usize, Ordering::Relaxed);
            self.acked = seq;
            self.sent = self.sent.max(seq);
        }
    }
}

/// Dials the calls until every event of every one is acknowledged.
pub async fn dial(calls: &[Dialled], progress: Arc<Progress>, seed: u32) {
    let _dialling = Dialling(&progress);
    let mut standing = vec![Sent::default(); calls.len()];
    let by_id: BTreeMap<&str, usize> = calls.iter().enumerate().map(|(place, call)| (call.call_id.as_str(), place)).collect();
    let mut tries = seed;
    while standing.iter().zip(calls).any(|(standing, call)| (standing.acked as usize) < call.events.len()) {
        tries += 1;
        let address = progress.address.lock().expect("an address").clone();
        let Ok(mut client) = GradingClient::connect(format!("http://{address}")).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // Some calls are asked for, some are sent again from their first event, the others from what is known.
        for (place, call) in calls.iter().enumerate() {
            let known = &mut standing[place];
            known.sent = known.acked;
            if known.acked as usize == call.events.len() {
                continue;
            }
            match (place as u32 + tries) % 3 {
                0 => known.sent = 0,
                1 if known.acked > 0 => {
                    let asked = client.get_call_state(v1::GetCallStateRequest { call_id: call.call_id.clone() }).await;
                    if let Ok(state) = asked {
                        let state = state.into_inner();
                        assert!(
                            state.last_seq >= known.acked,
                            "{}: {} is acknowledged, {} kept",
                            call.call_id,
                            known.acked,
                            state.last_seq
                        );
                        // What is kept is as good as acknowledged, but for the last: with it comes the verdict.
                        let kept = state.last_seq.min(call.events.len() as u32 - 1);
                        known.acknowledge(kept, &progress);
                        known.sent = kept;
                    }
                }
                _ => {}
            }
        }
        talk(&mut client, calls, &by_id, &mut standing, &progress).await;
    }
}

/// One stream, until all is acknowledged or it breaks.
async fn talk(
    client: &mut GradingClient<tonic::transport::Channel>,
    calls: &[Dialled],
    by_id: &BTreeMap<&str, usize>,
    standing: &mut [Sent],
    progress: &Progress,
) {
    let (sender, receiver) = mpsc::channel(256);
    let Ok(answers) = client.stream_calls(tokio_stream::wrappers::ReceiverStream::new(receiver)).await else { return };
    let mut answers = answers.into_inner();
    let ready = |standing: &[Sent], from: usize| {
        // Round about, so that the calls are interleaved.
        (from..calls.len()).chain(0..from).find(|&place| {
            let Sent { acked, sent } = standing[place];
            (sent as usize) < calls[place].events.len() && sent < acked + WINDOW
        })
    };
    let mut from = 0;
    loop {
        if standing.iter().zip(calls).all(|(standing, call)| standing.acked as usize == call.events.len()) {
            return;
        }
        let next = ready(standing, from);
        tokio::select! {
            permit = sender.reserve(), if next.is_some() => {
                let (Ok(permit), Some(place)) = (permit, next) else { return };
                let call = &calls[place];
                let seq = standing[place].sent + 1;
                standing[place].sent = seq;
                permit.send(stream_message(&call.call_id, &call.script_id, seq, &call.events[seq as usize - 1]));
                from = (place + 1) % calls.len();
            }
            answer = answers.message() => {
                let Ok(Some(answer)) = answer else { return };
                match answer.response {
                    Some(Response::Ack(ack)) => {
                        let known = &mut standing[by_id[ack.call_id.as_str()]];
                        known.acknowledge(ack.seq, progress);
                    }
                    Some(Response::Rejection(rejection)) => {
                        let status = rejection.status.expect("a status");
                        // What came behind an event that was not kept has waited for it in vain.
                        let behind = status.message == "event 1 never came, so the call's script is unknown";
                        let told = (status.code == tonic::Code::Unavailable as i32) && status.message.starts_with("not kept, send it again: ");
                        assert!(told || behind, "{} {}: {} {}", rejection.call_id, rejection.seq, status.code, status.message);
                        progress.refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        let known = &mut standing[by_id[rejection.call_id.as_str()]];
                        known.sent = known.acked;
                    }
                    Some(Response::Verdict(verdict)) if verdict.r#final => {
                        progress.finals.lock().expect("verdicts").entry(verdict.call_id).or_default().insert(verdict.revision);
                    }
                    Some(Response::Verdict(_)) | None => {}
                }
            }
        }
    }
}
