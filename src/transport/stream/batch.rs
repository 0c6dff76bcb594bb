//! What is read of a stream at one time, and taken in at one time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use futures_core::Stream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tonic::{Code, Status, Streaming};
use tracing::Instrument;

use super::lost;
use crate::service::tenant::Tenant;
use crate::service::{Intake, Messages, Outbox, Service, Shares, Taken};
use crate::transport::grpc;

/// Messages taken in at one time, where they are there to be read, before it is asked again whether something else has happened: as
/// many as a client may have sent ahead.
const BATCH: usize = 1_024;
/// No more is read at one time once they hold this many bytes.
const BATCH_BYTES: usize = 256 << 10;
/// From so many messages on, and for each so many, another core takes them in: below, asking costs more than it saves.
const SHARED: usize = 64;

/// What was read at one time, and how the reading ended, if it did.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) messages: usize,
    bytes: usize,
    /// In the order in which they came, while they are few.
    few: Messages,
    /// Where they are many.
    many: Option<Shares>,
    pub(super) ended: Option<Result<(), Status>>,
}

impl Batch {
    /// Whether nothing was read yet.
    pub(super) fn is_empty(&self) -> bool {
        self.messages == 0 && self.ended.is_none()
    }

    /// Whether more may be read.
    pub(super) fn has_room(&self) -> bool {
        self.messages < BATCH && self.bytes < BATCH_BYTES && self.ended.is_none()
    }

    /// Reads on from a next message as long as there is something to be read.
    pub(super) async fn read(&mut self, next: Result<Option<Bytes>, Status>, inbound: &mut Streaming<Bytes>) {
        let mut next = Some(next);
        while let Some(message) = next.take() {
            match message {
                Ok(Some(message)) => self.add(&message),
                Ok(None) => self.ended = Some(Ok(())),
                Err(status) if status.code() == Code::OutOfRange => self.ended = Some(Err(grpc::too_long(&status))),
                Err(status) => self.ended = Some(Err(status)),
            }
            if self.has_room() {
                next = waiting_there(inbound).await;
            }
        }
    }

    fn add(&mut self, message: &[u8]) {
        self.messages += 1;
        self.bytes += message.len();
        if self.messages == SHARED {
            let many = self.many.insert(Shares::default());
            std::mem::take(&mut self.few).iter().for_each(|message| many.add(message));
        }
        match &mut self.many {
            Some(many) => many.add(message),
            None => self.few.add(message),
        }
    }
}

/// Takes events in that have been read by now.
fn take(service: &Service, tenant: &Arc<Tenant>, outbox: &Arc<Outbox>, events: impl FnOnce(&mut Intake<'_>)) -> Taken {
    let mut intake = service.intake(Instant::now(), tenant, Some(outbox));
    events(&mut intake);
    intake.taken()
}

/// Takes in what nobody else has taken of many messages, only each call's in the order in which they came. After each share others have
/// a turn on the core: whoever reads, writes, or takes in for another stream.
async fn take_shares(service: Arc<Service>, tenant: Arc<Tenant>, outbox: Arc<Outbox>, shares: Arc<Shares>, wary: bool) -> Taken {
    let mut taken = Taken::default();
    while let Some(share) = shares.next() {
        taken.append(take(&service, &tenant, &outbox, |intake| intake.take_share(&share, wary)));
        tokio::task::yield_now().await;
    }
    taken
}

/// Takes what was read at one time in, on as many cores as there are if it is much. Dropped, it takes in no more: the stream is followed
/// no more, and its client may be back over another.
async fn take_in(service: Arc<Service>, tenant: Arc<Tenant>, outbox: Arc<Outbox>, batch: Batch, wary: bool) -> Result<Taken, Status> {
    let Some(shares) = batch.many.map(Arc::new) else {
        let taken = take(&service, &tenant, &outbox, |intake| intake.take_each(&batch.few, wary));
        return Ok(service.complete(&tenant, Some(&outbox), taken, wary).await);
    };
    let mut taking = JoinSet::new();
    for _ in 0..Handle::current().metrics().num_workers().min(batch.messages / SHARED) {
        let (service, tenant, outbox, shares) = (Arc::clone(&service), Arc::clone(&tenant), Arc::clone(&outbox), Arc::clone(&shares));
        taking.spawn(take_shares(service, tenant, outbox, shares, wary).in_current_span());
    }
    let mut taken = Taken::default();
    while let Some(part) = taking.join_next().await {
        taken.append(part.map_err(|error| lost(&error))?);
    }
    Ok(service.complete(&tenant, Some(&outbox), taken, wary).await)
}

/// A batch that is being taken in.
#[derive(Default)]
pub(super) struct Taking(Option<TakingIn>);

type TakingIn = Pin<Box<dyn Future<Output = Result<Taken, Status>> + Send>>;

impl Taking {
    /// Begins to take a batch in, when there is none.
    pub(super) fn begin(&mut self, service: Arc<Service>, tenant: Arc<Tenant>, outbox: Arc<Outbox>, batch: Batch, wary: bool) {
        self.0 = Some(Box::pin(take_in(service, tenant, outbox, batch, wary)));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// What came of it; pending while there is none.
    pub(super) async fn next(&mut self) -> Result<Taken, Status> {
        let Some(taking) = &mut self.0 else { return std::future::pending().await };
        let taken = taking.await;
        self.0 = None;
        taken
    }
}

/// The stream's next message if it is there already.
async fn waiting_there(inbound: &mut Streaming<Bytes>) -> Option<Result<Option<Bytes>, Status>> {
    poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *inbound).poll_next(cx) {
            Poll::Ready(message) => Some(message.transpose()),
            Poll::Pending => None,
        })
    })
    .await
}
