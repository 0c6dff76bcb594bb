//! A dialer that streams calls, as fast as they are taken or at a rate.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use callgrade::core::event::Event;
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use callgrade::wire::v1::regrading_client::RegradingClient;
use callgrade::wire::v1::stream_calls_response::Response;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::common::message;

pub struct Dialler {
    runtime: Runtime,
    client: GradingClient<Channel>,
    regrading: RegradingClient<Channel>,
}

impl Dialler {
    pub fn connect(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(GradingClient::connect(format!("http://{address}"))).expect("the server answers");
        let regrading = runtime.block_on(RegradingClient::connect(format!("http://{address}"))).expect("the server answers");
        Self { runtime, client, regrading }
    }

    /// Asks for so many jobs that grade all kept calls anew; their ids, once the first runs.
    pub fn start_regrades(&mut self, count: usize) -> Vec<String> {
        let client = &mut self.regrading;
        self.runtime.block_on(async {
            let mut ids = Vec::new();
            for _ in 0..count {
                let request = v1::StartRegradeRequest { script_id: "telemarketing".to_owned(), ..v1::StartRegradeRequest::default() };
                let regrade = client.start_regrade(request).await.expect("it is asked for").into_inner().regrade;
                ids.push(regrade.expect("a job").regrade_id);
            }
            loop {
                let request = v1::GetRegradeRequest { regrade_id: ids[0].clone() };
                let regrade = client.get_regrade(request).await.expect("the job").into_inner().regrade.expect("a job");
                if regrade.progress.is_some_and(|progress| progress.done > 0) {
                    return ids;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    }

    /// Ends jobs; whether one of them still ran.
    pub fn stop_regrades(&mut self, ids: &[String]) -> bool {
        let client = &mut self.regrading;
        self.runtime.block_on(async {
            let mut ran = false;
            // The last asked for first, so that none begins because another is ended.
            for id in ids.iter().rev() {
                let request = v1::GetRegradeRequest { regrade_id: id.clone() };
                let regrade = client.get_regrade(request).await.expect("the job").into_inner().regrade.expect("a job");
                ran |= regrade.state() == v1::RegradeState::Running;
                let request = v1::CancelRegradeRequest { regrade_id: id.clone() };
                client.cancel_regrade(request).await.expect("it ends");
            }
            ran
        })
    }

    /// Streams messages of so many whole calls as fast as they are taken; how many seconds it took until all was answered.
    pub fn stream(&mut self, messages: Vec<v1::StreamCallsRequest>, calls: usize) -> f64 {
        let count = messages.len();
        self.runtime.block_on(async {
            let begun = Instant::now();
            let mut answers = self.client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
            let (mut finals, mut acknowledged) = (0, 0);
            while let Some(answer) = answers.message().await.expect("an answer") {
                match answer.response {
                    Some(Response::Verdict(verdict)) => finals += usize::from(verdict.r#final),
                    Some(Response::Ack(_)) => acknowledged += 1,
                    other => panic!("{other:?}"),
                }
            }
            let took = begun.elapsed().as_secs_f64();
            assert_eq!((finals, acknowledged), (calls, count), "every event is acknowledged, every call has its final verdict");
            took
        })
    }

    /// Streams messages at so many a second, whether or not the server keeps up, for so many seconds at most; how many milliseconds
    /// each acknowledgement came after its event was due.
    pub fn paced(&mut self, mut messages: Vec<v1::StreamCallsRequest>, rate: f64, seconds: f64) -> Vec<f64> {
        messages.truncate((rate * seconds) as usize);
        let count = messages.len();
        let begun = Instant::now() + Duration::from_millis(100);
        let due = move |number: usize| begun + Duration::from_secs_f64(number as f64 / rate);
        let numbers: HashMap<(String, u32), usize> =
            messages.iter().enumerate().map(|(number, message)| ((message.call_id.clone(), message.seq), number)).collect();
        self.runtime.block_on(async {
            // Room for all: it is not the stream that says when they are sent.
            let (sender, receiver) = mpsc::channel(count);
            std::thread::spawn(move || {
                for (number, message) in messages.into_iter().enumerate() {
                    // The system wakes sleepers some 50 µs late, a runtime's timer milliseconds.
                    if let Some(wait) = due(number).checked_duration_since(Instant::now()) {
                        std::thread::sleep(wait);
                    }
                    if sender.blocking_send(message).is_err() {
                        return;
                    }
                }
            });
            let mut answers = self.client.stream_calls(ReceiverStream::new(receiver)).await.expect("a stream").into_inner();
            let mut waits = Vec::with_capacity(count);
            while let Some(answer) = answers.message().await.expect("an answer") {
                if let Some(Response::Ack(ack)) = answer.response {
                    waits.push(due(numbers[&(ack.call_id, ack.seq)]).elapsed().as_secs_f64() * 1_000.0);
                }
            }
            assert_eq!(waits.len(), count, "every event is acknowledged");
            waits
        })
    }

    /// Begins so many calls and leaves them live: all events but the last are sent and acknowledged. How many events.
    pub fn begin(&mut self, calls: &[Vec<Event>], count: usize) -> usize {
        let (sender, receiver) = mpsc::channel(1_024);
        let pool = calls.to_vec();
        // So many at one time as a stream may well have.
        let together = 1_000;
        std::thread::spawn(move || {
            for first in (0..count).step_by(together) {
                let numbers = first..(first + together).min(count);
                for place in 0..17 {
                    for number in numbers.clone() {
                        let Some(event) = pool[number % pool.len()].get(place) else { continue };
                        let message = message(format!("live-{number}"), place, event);
                        if sender.blocking_send(message).is_err() {
                            return;
                        }
                    }
                }
            }
        });
        self.runtime.block_on(async {
            let mut answers = self.client.stream_calls(ReceiverStream::new(receiver)).await.expect("a stream").into_inner();
            let mut acknowledged = 0;
            while let Some(answer) = answers.message().await.expect("an answer") {
                match answer.response {
                    Some(Response::Verdict(_)) => {}
                    Some(Response::Ack(_)) => acknowledged += 1,
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(acknowledged, count * 17, "every event is acknowledged");
            acknowledged
        })
    }
}
