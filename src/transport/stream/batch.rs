//! What is read of a stream at one time, and taken in at one time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use futures_core::Stream;
use tonic::{Code, Status, Streaming};

use super::lost;
use crate::service::tenant::Tenant;
use crate::service::{Messages, Outbox, Service, Shares, Taken};
use crate::transport::grpc::{self, GradingServer};

/// Messages taken in at one time, where they are there to be read, before it is asked again whether something else has happened: as
/// many as a client may have sent ahead.
const BATCH: usize = 1_024;
/// No more is read at one time once they hold this many bytes.
const BATCH_BYTES: usize = 256 << 10;
/// From so many messages on, other cores take them in, if some are free: below, asking costs more than it saves.
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

/// Takes a few messages in, in the order in which they came. `wary` where a call of the stream waits already.
fn take(service: &Service, tenant: &Arc<Tenant>, outbox: &Arc<Outbox>, few: &Messages, wary: bool) -> Taken {
    let mut intake = service.intake(Instant::now(), tenant, Some(outbox));
    intake.take_each(few, wary);
    intake.taken()
}

/// Takes in what nobody else has taken of many messages, only each call's in the order in which they came.
fn take_shares(service: &Service, tenant: &Arc<Tenant>, outbox: &Arc<Outbox>, shares: &Shares, wary: bool) -> Taken {
    let mut intake = service.intake(Instant::now(), tenant, Some(outbox));
    while let Some(share) = shares.next() {
        intake.take_share(&share, wary);
    }
    intake.taken()
}

/// Takes what was read at one time in, on other cores if it is much and some are free.
async fn take_in(server: GradingServer, tenant: Arc<Tenant>, outbox: Arc<Outbox>, batch: Batch, wary: bool) -> Result<Taken, Status> {
    let GradingServer { service, spare_cores, .. } = server;
    let Some(shares) = batch.many.map(Arc::new) else {
        let taken = take(&service, &tenant, &outbox, &batch.few, wary);
        return Ok(service.complete(&tenant, Some(&outbox), taken, wary).await);
    };
    let _abandoned = Abandoned(Arc::clone(&shares));
    let helping = spare_cores.run_on_each(|| {
        let (service, tenant, outbox, shares) = (Arc::clone(&service), Arc::clone(&tenant), Arc::clone(&outbox), Arc::clone(&shares));
        move || take_shares(&service, &tenant, &outbox, &shares, wary)
    });
    let mut taken = if helping.is_empty() { take_shares(&service, &tenant, &outbox, &shares, wary) } else { Taken::default() };
    for helped in helping {
        taken.append(helped.await.map_err(|error| lost(&error))?);
    }
    Ok(service.complete(&tenant, Some(&outbox), taken, wary).await)
}

/// Sees that nobody goes on with a batch when the stream is followed no more: its client may be back over another.
struct Abandoned(Arc<Shares>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// A batch that is being taken in.
#[derive(Default)]
pub(super) struct Taking(Option<TakingIn>);

type TakingIn = Pin<Box<dyn Future<Output = Result<Taken, Status>> + Send>>;

impl Taking {
    /// Begins to take a batch in, when there is none.
    pub(super) fn begin(&mut self, server: GradingServer, tenant: Arc<Tenant>, outbox: Arc<Outbox>, batch: Batch, wary: bool) {
        self.0 = Some(Box::pin(take_in(server, tenant, outbox, batch, wary)));
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
