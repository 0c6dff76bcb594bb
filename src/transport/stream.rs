//! `StreamCalls`: a stream of many interleaved calls, its messages read and written by hand.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::{Buf, BufMut};
use futures_core::Stream;
use tokio::sync::watch;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::StreamingService;
use tonic::{Status, Streaming};

use super::grpc::{GradingServer, Reply};
use crate::service::{Outbox, Refusal, Service, StreamEvent, Told};

/// A stream's message, or why its bytes are none.
type Received = Result<StreamEvent, String>;

/// Reads a stream's messages such that one that cannot be read does not end it, and writes its answers.
#[derive(Debug, Default)]
pub(super) struct StreamCodec {
    /// Where an answer is put together: its length is known before it goes out.
    answer: Vec<u8>,
}

/// Most memory kept from one answer to the next.
const KEPT: usize = 64 << 10;

impl Codec for StreamCodec {
    type Encode = Told;
    type Decode = Received;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::default()
    }

    fn decoder(&mut self) -> Self {
        Self::default()
    }
}

impl Decoder for StreamCodec {
    type Item = Received;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Received>, Status> {
        // Whole and apart: decoding from the buffer itself could leave part of a bad message in it.
        let length = bytes.remaining();
        let received = if bytes.chunk().len() == length {
            let received = StreamEvent::from_bytes(bytes.chunk());
            bytes.advance(length);
            received
        } else {
            StreamEvent::from_bytes(&bytes.copy_to_bytes(length))
        };
        Ok(Some(received))
    }
}

impl Encoder for StreamCodec {
    type Item = Told;
    type Error = Status;

    fn encode(&mut self, told: Told, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        self.answer.clear();
        told.encode(&mut self.answer);
        out.put_slice(&self.answer);
        self.answer.shrink_to(KEPT);
        Ok(())
    }
}

pub(super) struct StreamCalls(pub(super) GradingServer);

impl StreamingService<Received> for StreamCalls {
    type Response = Told;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Told, Status>> + Send>>;
    type Future = Reply<Self::ResponseStream>;

    fn call(&mut self, request: tonic::Request<Streaming<Received>>) -> Self::Future {
        let GradingServer { service, stopping } = self.0.clone();
        Box::pin(async move {
            let stream: Self::ResponseStream = Box::pin(follow(service, stopping, request.into_inner()));
            Ok(tonic::Response::new(stream))
        })
    }
}

/// What a stream still waits for once its client has stopped sending.
#[derive(Default)]
struct Waiting {
    gapped: std::collections::HashSet<String>,
    closed: bool,
}

impl Waiting {
    fn note(&mut self, call_id: &str, gapped: bool) {
        if gapped {
            if !self.gapped.contains(call_id) {
                self.gapped.insert(call_id.to_owned());
            }
        } else if !self.gapped.is_empty() {
            self.gapped.remove(call_id);
        }
    }

    fn over(&self) -> bool {
        self.closed && self.gapped.is_empty()
    }
}

/// Messages taken in, where they are there to be read, before it is asked again whether something else has happened.
const BATCH: usize = 64;

/// One stream. It reads only when all it has to say was taken, so a client that does not read stops being read.
fn follow(
    service: Arc<Service>,
    mut stopping: watch::Receiver<bool>,
    mut inbound: Streaming<Received>,
) -> impl Stream<Item = Result<Told, Status>> {
    async_stream::stream! {
        let outbox = Arc::new(Outbox::default());
        let mut waiting = Waiting::default();
        let mut responses: Vec<Told> = Vec::new();
        while !waiting.over() {
            let mut message = None;
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => {
                    service.hand_back(&outbox, &mut responses);
                    for response in responses.drain(..) {
                        yield Ok(response);
                    }
                    yield Err(Status::unavailable("the server is shutting down"));
                    return;
                }
                calls = outbox.calls() => {
                    for call in calls {
                        let gapped = service.owed(&call, &outbox, &mut responses);
                        waiting.note(&call, gapped);
                    }
                }
                first = inbound.message(), if !waiting.closed => message = Some(first),
            }
            for response in responses.drain(..) {
                yield Ok(response);
            }
            // What is ready now is taken in at one time. It is answered message by message all the same.
            let now = Instant::now();
            let mut taken = 0;
            while let Some(received) = message.take() {
                match received {
                    Ok(Some(Err(reason))) => responses.push(Told::refused(0, Refusal::Invalid(reason))),
                    Ok(Some(Ok(event))) => {
                        let waited = if waiting.gapped.is_empty() { None } else { Some(event.call_id.clone()) };
                        match service.event_at(now, event, Some(&outbox), &mut responses) {
                            Some(call) => waiting.note(&call, true),
                            None => waited.iter().for_each(|call| waiting.note(call, false)),
                        }
                    }
                    Ok(None) => waiting.closed = true,
                    Err(status) => {
                        yield Err(status);
                        return;
                    }
                }
                for response in responses.drain(..) {
                    yield Ok(response);
                }
                taken += 1;
                if taken < BATCH && !waiting.closed {
                    message = ready(&mut inbound).await;
                }
            }
        }
    }
}

/// The stream's next message if it is there already.
async fn ready(inbound: &mut Streaming<Received>) -> Option<Result<Option<Received>, Status>> {
    poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *inbound).poll_next(cx) {
            Poll::Ready(message) => Some(message.transpose()),
            Poll::Pending => None,
        })
    })
    .await
}

/// Resolves when the server is to shut down.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and the server with it.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
