//! `StreamCalls`: a stream of many interleaved calls, its messages read and written by hand.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::hash::BuildHasher;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::{Buf, BufMut};
use futures_core::Stream;
use rustc_hash::FxBuildHasher;
use tokio::sync::watch;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::StreamingService;
use tonic::{Code, Status, Streaming};

use super::grpc::{GradingServer, Reply};
use super::{grpc, tenant_of};
use crate::service::quota::Permit;
use crate::service::tenant::Tenant;
use crate::service::{Outbox, Service, StreamEvent, Taken, Told};
use crate::telemetry::Tally;

/// A stream's message, or why its bytes are none.
type Read = Result<StreamEvent, String>;

/// A message as it is received, and how many bytes it had.
pub(super) struct Received {
    event: Read,
    bytes: usize,
}

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
        let event = StreamEvent::from_bytes(&bytes.copy_to_bytes(length));
        Ok(Some(Received { event, bytes: length }))
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
        let server = self.0.clone();
        Box::pin(async move {
            let tenant = tenant_of(request.extensions(), &server.service);
            let permit = tenant.admit_stream().map_err(|over| over.status())?;
            let stream: Self::ResponseStream = Box::pin(follow(server, tenant, permit, request.into_inner()));
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

    fn note_all(&mut self, calls: &[(Arc<str>, bool)]) {
        calls.iter().for_each(|(call, gapped)| self.note(call, *gapped));
    }

    fn over(&self) -> bool {
        self.closed && self.gapped.is_empty()
    }
}

/// Messages taken in at one time, where they are there to be read, before it is asked again whether something else has happened.
const BATCH: usize = 256;
/// No more is read at one time once they hold this many bytes.
const BATCH_BYTES: usize = 256 << 10;
/// From so many messages on, another core is asked to take half of them in, if one is free: below, asking costs more than it
/// saves.
const SHARED: usize = 64;

/// What was read at one time, and how the reading ended.
#[derive(Default)]
struct Batch {
    events: Vec<Read>,
    closed: bool,
    failed: Option<Status>,
}

impl Batch {
    /// Reads on from a first message as long as there is something to be read.
    async fn read(first: Result<Option<Received>, Status>, inbound: &mut Streaming<Received>) -> Self {
        let mut batch = Self::default();
        let mut next = Some(first);
        let mut bytes = 0;
        while let Some(message) = next.take() {
            match message {
                Ok(Some(received)) => {
                    bytes += received.bytes;
                    batch.events.push(received.event);
                }
                Ok(None) => batch.closed = true,
                Err(status) if status.code() == Code::OutOfRange => batch.failed = Some(grpc::too_long(&status)),
                Err(status) => batch.failed = Some(status),
            }
            if batch.events.len() < BATCH && bytes < BATCH_BYTES && !batch.closed && batch.failed.is_none() {
                next = ready(inbound).await;
            }
        }
        batch
    }
}

/// The messages for this core, and those for another: of one half of the calls each, so that a call's stay in order.
fn share(events: Vec<Read>) -> (Vec<Read>, Vec<Read>) {
    let here = |event: &Read| event.as_ref().map_or(true, |event| FxBuildHasher.hash_one(event.call_id.as_str()) >> 63 == 0);
    events.into_iter().partition(here)
}

/// Takes messages in. `wary` where a call of the stream waits already.
fn take(service: &Service, tenant: &Arc<Tenant>, outbox: &Arc<Outbox>, events: Vec<Read>, wary: bool) -> Taken {
    let mut intake = service.intake(Instant::now(), tenant, Some(outbox));
    for event in events {
        match event {
            Err(reason) => intake.refuse(reason),
            Ok(event) => intake.take(event, wary),
        }
    }
    intake.taken()
}

/// What there is to tell, once it is durable, and counted.
async fn settled(service: Arc<Service>, taken: Taken) -> Vec<Told> {
    let told = taken.settled().await;
    let mut tally = Tally::default();
    told.iter().for_each(|told| told.tally(&mut tally));
    service.metrics.count(&tally);
    told
}

/// Answers that wait to be durable, in order.
#[derive(Default)]
struct Settling(VecDeque<Pin<Box<dyn Future<Output = Vec<Told>> + Send>>>);

/// Batches of a stream whose answers may wait: while one is written others are read, but not without end.
const MOST_SETTLING: usize = 32;

impl Settling {
    /// The oldest answers, once they may be told; pending while there are none.
    async fn next(&mut self) -> Vec<Told> {
        let Some(oldest) = self.0.front_mut() else { return std::future::pending().await };
        let told = oldest.await;
        self.0.pop_front();
        told
    }
}

/// One stream. It reads only when all it has to say was taken, so a client that does not read stops being read.
fn follow(
    server: GradingServer,
    tenant: Arc<Tenant>,
    permit: Permit,
    mut inbound: Streaming<Received>,
) -> impl Stream<Item = Result<Told, Status>> {
    let GradingServer { service, mut stopping, spare_cores, .. } = server;
    async_stream::stream! {
        let _open = service.metrics.stream();
        // The tenant's place is taken as long as the stream is there.
        let _permit = permit;
        let outbox = Arc::new(Outbox::default());
        let mut waiting = Waiting::default();
        let mut settling = Settling::default();
        while !waiting.over() || !settling.0.is_empty() {
            let mut message = None;
            let mut told = Vec::new();
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => {
                    while !settling.0.is_empty() {
                        for told in settling.next().await {
                            yield Ok(told);
                        }
                    }
                    for told in service.hand_back(&outbox) {
                        yield Ok(told);
                    }
                    yield Err(Status::unavailable("the server is shutting down"));
                    return;
                }
                answers = settling.next() => told = answers,
                calls = outbox.calls() => {
                    let mut owed = Taken::default();
                    for call in calls {
                        let (taken, gapped) = service.owed(&tenant, &call, &outbox);
                        waiting.note(&call, gapped);
                        owed.append(taken);
                    }
                    settling.0.push_back(Box::pin(settled(Arc::clone(&service), owed)));
                }
                first = inbound.message(), if !waiting.closed && settling.0.len() < MOST_SETTLING => message = Some(first),
            }
            for told in told {
                yield Ok(told);
            }
            let Some(first) = message else { continue };
            let Batch { events, closed, failed } = Batch::read(first, &mut inbound).await;
            service.metrics.count(&Tally::of(events.len()));
            let wary = !waiting.gapped.is_empty();
            let core = if events.len() < SHARED { None } else { Arc::clone(&spare_cores).try_acquire_owned().ok() };
            let (here, there) = if core.is_some() { share(events) } else { (events, Vec::new()) };
            let other = core.map(|core| {
                let (service, tenant, outbox) = (Arc::clone(&service), Arc::clone(&tenant), Arc::clone(&outbox));
                tokio::task::spawn_blocking(move || {
                    let _core = core;
                    take(&service, &tenant, &outbox, there, wary)
                })
            });
            let mut taken = take(&service, &tenant, &outbox, here, wary);
            if let Some(other) = other {
                match other.await {
                    Ok(other) => taken.append(other),
                    Err(error) => {
                        yield Err(Status::internal(format!("events were lost: {error}")));
                        return;
                    }
                }
            }
            let taken = service.complete(&tenant, Some(&outbox), taken, wary).await;
            waiting.note_all(&taken.waits);
            if settling.0.is_empty() && !taken.must_wait() {
                for told in settled(Arc::clone(&service), taken).await {
                    yield Ok(told);
                }
            } else {
                settling.0.push_back(Box::pin(settled(Arc::clone(&service), taken)));
            }
            waiting.closed |= closed;
            if let Some(status) = failed {
                while !settling.0.is_empty() {
                    for told in settling.next().await {
                        yield Ok(told);
                    }
                }
                yield Err(status);
                return;
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
