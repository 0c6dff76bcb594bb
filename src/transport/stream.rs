//! `StreamCalls`: a stream of many interleaved calls.

mod batch;
mod codec;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};
use tonic::server::StreamingService;
use tonic::{Status, Streaming};
use tracing::Instrument;

use self::batch::{Batch, Taking};
pub(super) use self::codec::StreamCodec;
use super::grpc::{GradingServer, Reply};
use super::tenant_of;
use crate::service::quota::Permit;
use crate::service::tenant::Tenant;
use crate::service::{Outbox, Service, Taken, Told};
use crate::telemetry::Tally;

pub(super) struct StreamCalls(pub(super) GradingServer);

impl StreamingService<Bytes> for StreamCalls {
    type Response = Told;
    type ResponseStream = Telling;
    type Future = Reply<Self::ResponseStream>;

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Self::Future {
        let server = self.0.clone();
        Box::pin(async move {
            let tenant = tenant_of(request.extensions(), &server.service);
            let permit = tenant.admit_stream().map_err(|over| over.status())?;
            Ok(tonic::Response::new(Telling::begin(server, tenant, permit, request.into_inner())))
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
    /// Answers that are told behind those that wait already.
    fn add(&mut self, service: &Arc<Service>, taken: Taken) {
        self.0.push_back(Box::pin(settled(Arc::clone(service), taken)));
    }

    /// Tells all that wait.
    async fn tell_all(&mut self, say: &mpsc::Sender<Vec<Told>>) -> Result<(), Status> {
        while !self.0.is_empty() {
            tell(say, self.next().await).await?;
        }
        Ok(())
    }

    /// The oldest answers, once they may be told; pending while there are none.
    async fn next(&mut self) -> Vec<Told> {
        let Some(oldest) = self.0.front_mut() else { return std::future::pending().await };
        let told = oldest.await;
        self.0.pop_front();
        told
    }
}

/// Batches of answers that wait to be written while others are taken in.
const AHEAD: usize = 1;

/// What a stream is told: followed by one task and written by another, so that one batch is taken in while the answers to the one
/// before are on their way.
pub(super) struct Telling {
    said: mpsc::Receiver<Vec<Told>>,
    batch: std::vec::IntoIter<Told>,
    /// Until it is known how it ended.
    following: Option<JoinHandle<Result<(), Status>>>,
    /// The tenant's place is taken as long as the stream is there.
    _permit: Permit,
}

impl Telling {
    fn begin(server: GradingServer, tenant: Arc<Tenant>, permit: Permit, inbound: Streaming<Bytes>) -> Self {
        let (say, said) = mpsc::channel(AHEAD);
        let following = tokio::spawn(follow(server, tenant, inbound, say).in_current_span());
        Self { said, batch: Vec::new().into_iter(), following: Some(following), _permit: permit }
    }
}

impl Drop for Telling {
    /// The client has gone.
    fn drop(&mut self) {
        self.following.iter().for_each(JoinHandle::abort);
    }
}

impl Stream for Telling {
    type Item = Result<Told, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(told) = self.batch.next() {
                return Poll::Ready(Some(Ok(told)));
            }
            let Some(batch) = ready!(self.said.poll_recv(cx)) else { break };
            self.batch = batch.into_iter();
        }
        let Some(following) = &mut self.following else { return Poll::Ready(None) };
        let ended = ready!(Pin::new(following).poll(cx));
        self.following = None;
        Poll::Ready(match ended {
            Ok(Ok(())) => None,
            Ok(Err(status)) => Some(Err(status)),
            Err(error) => Some(Err(lost(&error))),
        })
    }
}

/// What a stream is told that ends because a task of it did. What a panic said may be a caller's words: it stays here.
fn lost(error: &JoinError) -> Status {
    tracing::error!(panicked = error.is_panic(), "a stream ends: events were lost");
    Status::internal("events were lost by a fault of the server; send again what was not acknowledged")
}

/// Says what there is to say; once nobody listens any more, nothing is left to do.
async fn tell(say: &mpsc::Sender<Vec<Told>>, told: Vec<Told>) -> Result<(), Status> {
    if told.is_empty() {
        return Ok(());
    }
    say.send(told).await.map_err(|_| Status::cancelled("nobody listens"))
}

/// Follows a stream to its end. One batch is read while the one before is taken in. It reads on only when what it has to say was taken,
/// but for a little, so a client that does not read stops being read.
async fn follow(
    server: GradingServer,
    tenant: Arc<Tenant>,
    mut inbound: Streaming<Bytes>,
    say: mpsc::Sender<Vec<Told>>,
) -> Result<(), Status> {
    let (service, mut stopping) = (Arc::clone(&server.service), server.stopping.clone());
    let _open = service.metrics.stream();
    let outbox = Arc::new(Outbox::default());
    let mut waiting = Waiting::default();
    let mut settling = Settling::default();
    let mut taking = Taking::default();
    // Read and not being taken in yet.
    let mut read = Batch::default();
    // How reading ended, once all that was read is being taken in.
    let mut ended: Option<Result<(), Status>> = None;
    loop {
        if taking.is_idle() && read.is_empty() {
            match ended.take() {
                Some(Ok(())) => waiting.closed = true,
                Some(Err(status)) => {
                    settling.tell_all(&say).await?;
                    return Err(status);
                }
                None => {}
            }
            if waiting.over() && settling.0.is_empty() {
                return Ok(());
            }
        }
        let may_read = read.has_room() && ended.is_none() && !waiting.closed && settling.0.len() < MOST_SETTLING;
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => {
                if !taking.is_idle() && let Ok(taken) = taking.next().await {
                    settling.add(&service, taken);
                }
                settling.tell_all(&say).await?;
                tell(&say, service.hand_back(&outbox)).await?;
                return Err(Status::unavailable("the server is shutting down"));
            }
            answers = settling.next() => tell(&say, answers).await?,
            taken = taking.next() => {
                let taken = match taken {
                    Ok(taken) => taken,
                    Err(status) => {
                        // What came of the batches before is told, and nothing of what comes behind.
                        (read, ended) = (Batch::default(), Some(Err(status)));
                        continue;
                    }
                };
                waiting.note_all(&taken.waits);
                if settling.0.is_empty() && !taken.must_wait() {
                    tell(&say, settled(Arc::clone(&service), taken).await).await?;
                } else {
                    settling.add(&service, taken);
                }
            }
            // What a call owes comes before or behind all that comes of a batch, as it came about.
            calls = outbox.calls(), if taking.is_idle() => {
                let mut owed = Taken::default();
                for call in calls {
                    let (taken, gapped) = service.owed(&tenant, &call, &outbox);
                    waiting.note(&call, gapped);
                    owed.append(taken);
                }
                settling.add(&service, owed);
            }
            () = std::future::ready(()), if taking.is_idle() && !read.is_empty() => {
                let mut batch = std::mem::take(&mut read);
                ended = batch.ended.take();
                service.metrics.count(&Tally::of(batch.messages));
                let wary = !waiting.gapped.is_empty();
                taking.begin(Arc::clone(&service), Arc::clone(&tenant), Arc::clone(&outbox), batch, wary);
            }
            next = inbound.message(), if may_read => read.read(next, &mut inbound).await,
        }
    }
}

/// Resolves when the server is to shut down.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and the server with it.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
