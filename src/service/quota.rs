//! How much a tenant may ask for at one time, so that one cannot crowd out the others.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::DefaultDirectRateLimiter;
use governor::clock::{Clock, DefaultClock};
use tonic_types::{ErrorDetails, StatusExt};

use super::tenant::Tenant;

/// How much a tenant may have at one time. `None`: as much as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls that are live at one time.
    pub live_calls: Option<usize>,
    /// Streams that are open at one time.
    pub streams: Option<usize>,
    /// Requests in a second, and as many at once; opening a stream is one.
    pub requests_per_second: Option<NonZeroU32>,
}

impl Default for Quota {
    fn default() -> Self {
        Self { live_calls: Some(1_000_000), streams: Some(1_000), requests_per_second: None }
    }
}

/// When to try again where nobody knows when there will be room.
const RETRY: Duration = Duration::from_secs(1);

/// A limit that a tenant has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverLimit {
    /// Of what there is to be no more.
    what: &'static str,
    most: usize,
    /// When it is worth trying again.
    pub retry: Duration,
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "over the tenant's limit of {}: {}", self.what, self.most)
    }
}

impl std::error::Error for OverLimit {}

impl OverLimit {
    /// Of so many there are to be no more; when there will be room nobody knows.
    pub(super) fn of(what: &'static str, most: usize) -> Self {
        Self { what, most, retry: RETRY }
    }

    /// As a status that tells when to try again (`google.rpc.RetryInfo`).
    #[must_use]
    pub fn status(&self) -> tonic::Status {
        let details = ErrorDetails::with_retry_info(Some(self.retry));
        tonic::Status::with_error_details(tonic::Code::ResourceExhausted, self.to_string(), details)
    }
}

/// What a tenant uses now.
#[derive(Default)]
pub(super) struct Usage {
    live_calls: AtomicUsize,
    streams: AtomicUsize,
    requests: Option<DefaultDirectRateLimiter>,
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Usage").field("live_calls", &self.live_calls).field("streams", &self.streams).finish_non_exhaustive()
    }
}

impl Usage {
    /// Nothing yet.
    pub(super) fn new(quota: &Quota) -> Self {
        let requests = quota.requests_per_second.map(|most| DefaultDirectRateLimiter::direct(governor::Quota::per_second(most)));
        Self { requests, ..Self::default() }
    }
}

/// A place that is taken until this is dropped.
#[must_use = "the place is free again once this is dropped"]
pub struct Permit {
    tenant: Arc<Tenant>,
    taken: fn(&Usage) -> &AtomicUsize,
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("tenant", &self.tenant.name).finish_non_exhaustive()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        (self.taken)(&self.tenant.usage).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tenant {
    /// Counts a request.
    ///
    /// # Errors
    /// The tenant has made too many just now.
    pub fn admit_request(&self) -> Result<(), OverLimit> {
        let Some(requests) = &self.usage.requests else { return Ok(()) };
        requests.check().map_err(|until| OverLimit {
            what: "requests a second",
            most: self.settings.quota.requests_per_second.map_or(0, |most| most.get() as usize),
            retry: until.wait_time_from(DefaultClock::default().now()),
        })
    }

    /// Counts a stream as long as it is open.
    ///
    /// # Errors
    /// The tenant has too many.
    pub fn admit_stream(self: &Arc<Self>) -> Result<Permit, OverLimit> {
        take(self, |usage| &usage.streams, self.settings.quota.streams, "open streams")
    }

    /// Counts a call as long as it is live.
    ///
    /// # Errors
    /// The tenant has too many.
    pub fn admit_call(self: &Arc<Self>) -> Result<Permit, OverLimit> {
        take(self, |usage| &usage.live_calls, self.settings.quota.live_calls, "live calls")
    }

    /// Counts a call that was live before the server knew of it, however many there are.
    pub(super) fn count_call(self: &Arc<Self>) -> Permit {
        self.usage.live_calls.fetch_add(1, Ordering::Relaxed);
        Permit { tenant: Arc::clone(self), taken: |usage| &usage.live_calls }
    }
}

/// Takes a place if there is one.
fn take(tenant: &Arc<Tenant>, taken: fn(&Usage) -> &AtomicUsize, most: Option<usize>, what: &'static str) -> Result<Permit, OverLimit> {
    let most = most.unwrap_or(usize::MAX);
    let more = |count: usize| (count < most).then(|| count + 1);
    match taken(&tenant.usage).fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
        Ok(_) => Ok(Permit { tenant: Arc::clone(tenant), taken }),
        Err(_) => Err(OverLimit::of(what, most)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::service::tenant::{TenantSettings, Tenants};

    /// One tenant, and another that has but one stream.
    fn tenants(quota: Quota) -> (Arc<Tenant>, Arc<Tenant>) {
        let settings = |quota| TenantSettings { quota, ..TenantSettings::default() };
        let own = HashMap::from([("south".to_owned(), settings(Quota { streams: Some(1), ..quota }))]);
        let tenants = Tenants::new(own, settings(quota));
        (tenants.of("north"), tenants.of("south"))
    }

    #[test]
    fn places_are_counted_for_each_tenant_and_free_again_when_dropped() {
        let (north, south) = tenants(Quota { live_calls: Some(1), streams: Some(2), ..Quota::default() });
        let first = north.admit_stream().unwrap();
        let second = Arc::clone(&north).admit_stream().unwrap();
        assert_eq!(north.admit_stream().unwrap_err().to_string(), "over the tenant's limit of open streams: 2");
        let _call = north.admit_call().unwrap();
        assert_eq!(north.admit_call().unwrap_err().to_string(), "over the tenant's limit of live calls: 1");
        let _other = south.admit_stream().unwrap();
        assert_eq!(south.admit_stream().unwrap_err().to_string(), "over the tenant's limit of open streams: 1");
        drop(first);
        let _again = north.admit_stream().unwrap();
        assert!(north.admit_stream().is_err());
        drop(second);
        assert!(north.admit_stream().is_ok());
    }

    #[test]
    fn without_a_limit_there_is_always_room() {
        let (north, _) = tenants(Quota { live_calls: None, streams: None, requests_per_second: None });
        let calls: Vec<Permit> = (0..10_000).map(|_| north.admit_call().unwrap()).collect();
        assert_eq!(calls.len(), 10_000);
        assert!((0..10_000).all(|_| north.admit_request().is_ok()));
    }

    #[test]
    fn calls_that_are_brought_back_count_and_are_not_refused() {
        let (north, _) = tenants(Quota { live_calls: Some(1), ..Quota::default() });
        let back = [north.count_call(), north.count_call()];
        assert!(north.admit_call().is_err());
        drop(back);
        assert!(north.admit_call().is_ok());
    }

    #[test]
    fn requests_over_the_rate_are_told_when_to_come_back() {
        let (north, south) = tenants(Quota { requests_per_second: NonZeroU32::new(1), ..Quota::default() });
        assert_eq!(north.admit_request(), Ok(()));
        // The clock goes on meanwhile; a thousand requests take less than a thousand seconds.
        let over = (0..1_000).find_map(|_| north.admit_request().err()).expect("one is too many");
        assert_eq!(over.to_string(), "over the tenant's limit of requests a second: 1");
        assert!(over.retry > Duration::ZERO && over.retry <= Duration::from_secs(1), "{:?}", over.retry);
        assert_eq!(south.admit_request(), Ok(()), "another tenant's requests are its own");
        let status = over.status();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert_eq!(status.get_details_retry_info().and_then(|info| info.retry_delay), Some(over.retry));
    }

    #[test]
    fn many_threads_never_take_one_place_too_many() {
        let (north, _) = tenants(Quota { live_calls: Some(100), ..Quota::default() });
        let north = &north;
        let taken: Vec<Permit> = std::thread::scope(|scope| {
            let take = || (0..50).filter_map(|_| north.admit_call().ok()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 100);
    }
}
