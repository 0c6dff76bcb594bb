//! How much a tenant may ask for at one time, so that one cannot crowd out the others.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::DefaultDirectRateLimiter;
use governor::clock::{Clock, DefaultClock};
use tonic_types::{ErrorDetails, StatusExt};

/// How much a tenant may have at one time. `None`: as much as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantLimits {
    /// Calls that are live at one time.
    pub live_calls: Option<usize>,
    /// Streams that are open at one time.
    pub streams: Option<usize>,
    /// Requests in a second, and as many at once; opening a stream is one.
    pub requests_per_second: Option<NonZeroU32>,
}

impl Default for TenantLimits {
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
    /// As a status that tells when to try again (`google.rpc.RetryInfo`).
    #[must_use]
    pub fn status(&self) -> tonic::Status {
        let details = ErrorDetails::with_retry_info(Some(self.retry));
        tonic::Status::with_error_details(tonic::Code::ResourceExhausted, self.to_string(), details)
    }
}

/// What a tenant uses now.
struct Used {
    limits: TenantLimits,
    live_calls: AtomicUsize,
    streams: AtomicUsize,
    requests: Option<DefaultDirectRateLimiter>,
}

/// A place that is taken until this is dropped.
#[must_use = "the place is free again once this is dropped"]
pub struct Permit {
    used: Arc<Used>,
    taken: fn(&Used) -> &AtomicUsize,
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        (self.taken)(&self.used).fetch_sub(1, Ordering::Relaxed);
    }
}

struct Tenants {
    default: TenantLimits,
    own: HashMap<String, TenantLimits>,
    used: RwLock<HashMap<Arc<str>, Arc<Used>>>,
}

/// The limits of all tenants and what they use of them. Clones share both.
#[derive(Clone)]
pub struct Quota(Arc<Tenants>);

impl Default for Quota {
    fn default() -> Self {
        Self::new(TenantLimits::default(), HashMap::new())
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").field("default", &self.0.default).field("own", &self.0.own).finish_non_exhaustive()
    }
}

impl Quota {
    /// Limits for the tenants that have `own` ones, and for all others.
    #[must_use]
    pub fn new(default: TenantLimits, own: HashMap<String, TenantLimits>) -> Self {
        Self(Arc::new(Tenants { default, own, used: RwLock::default() }))
    }

    /// A tenant's limits.
    #[must_use]
    pub fn limits(&self, tenant: &str) -> TenantLimits {
        self.0.own.get(tenant).copied().unwrap_or(self.0.default)
    }

    fn used(&self, tenant: &Arc<str>) -> Arc<Used> {
        if let Some(used) = self.0.used.read().unwrap_or_else(PoisonError::into_inner).get(tenant) {
            return Arc::clone(used);
        }
        let mut all = self.0.used.write().unwrap_or_else(PoisonError::into_inner);
        let used = all.entry(Arc::clone(tenant)).or_insert_with(|| {
            let limits = self.limits(tenant);
            let requests = limits.requests_per_second.map(|most| DefaultDirectRateLimiter::direct(governor::Quota::per_second(most)));
            Arc::new(Used { limits, live_calls: AtomicUsize::new(0), streams: AtomicUsize::new(0), requests })
        });
        Arc::clone(used)
    }

    /// Counts a request.
    ///
    /// # Errors
    /// The tenant has made too many just now.
    pub fn admit_request(&self, tenant: &Arc<str>) -> Result<(), OverLimit> {
        let used = self.used(tenant);
        let Some(requests) = &used.requests else { return Ok(()) };
        requests.check().map_err(|until| OverLimit {
            what: "requests a second",
            most: used.limits.requests_per_second.map_or(0, |most| most.get() as usize),
            retry: until.wait_time_from(DefaultClock::default().now()),
        })
    }

    /// Counts a stream as long as it is open.
    ///
    /// # Errors
    /// The tenant has too many.
    pub fn admit_stream(&self, tenant: &Arc<str>) -> Result<Permit, OverLimit> {
        let used = self.used(tenant);
        let most = used.limits.streams;
        take(used, |used| &used.streams, most, "open streams")
    }

    /// Counts a call as long as it is live.
    ///
    /// # Errors
    /// The tenant has too many.
    pub fn admit_call(&self, tenant: &Arc<str>) -> Result<Permit, OverLimit> {
        let used = self.used(tenant);
        let most = used.limits.live_calls;
        take(used, |used| &used.live_calls, most, "live calls")
    }
}

/// Takes a place if there is one.
fn take(used: Arc<Used>, taken: fn(&Used) -> &AtomicUsize, most: Option<usize>, what: &'static str) -> Result<Permit, OverLimit> {
    let most = most.unwrap_or(usize::MAX);
    let more = |count: usize| (count < most).then(|| count + 1);
    match taken(&used).fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
        Ok(_) => Ok(Permit { used, taken }),
        Err(_) => Err(OverLimit { what, most, retry: RETRY }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(limits: TenantLimits) -> (Quota, Arc<str>, Arc<str>) {
        let own = HashMap::from([("south".to_owned(), TenantLimits { streams: Some(1), ..limits })]);
        (Quota::new(limits, own), Arc::from("north"), Arc::from("south"))
    }

    #[test]
    fn places_are_counted_for_each_tenant_and_free_again_when_dropped() {
        let (quota, north, south) = quota(TenantLimits { live_calls: Some(1), streams: Some(2), ..TenantLimits::default() });
        let first = quota.admit_stream(&north).unwrap();
        let second = quota.clone().admit_stream(&north).unwrap();
        assert_eq!(quota.admit_stream(&north).unwrap_err().to_string(), "over the tenant's limit of open streams: 2");
        let _call = quota.admit_call(&north).unwrap();
        assert_eq!(quota.admit_call(&north).unwrap_err().to_string(), "over the tenant's limit of live calls: 1");
        let _other = quota.admit_stream(&south).unwrap();
        assert_eq!(quota.admit_stream(&south).unwrap_err().to_string(), "over the tenant's limit of open streams: 1");
        drop(first);
        let _again = quota.admit_stream(&north).unwrap();
        assert!(quota.admit_stream(&north).is_err());
        drop(second);
        assert!(quota.admit_stream(&north).is_ok());
    }

    #[test]
    fn without_a_limit_there_is_always_room() {
        let (quota, north, _) =
            quota(TenantLimits { live_calls: None, streams: None, requests_per_second: None, ..TenantLimits::default() });
        let calls: Vec<Permit> = (0..10_000).map(|_| quota.admit_call(&north).unwrap()).collect();
        assert_eq!(calls.len(), 10_000);
        assert!((0..10_000).all(|_| quota.admit_request(&north).is_ok()));
    }

    #[test]
    fn requests_over_the_rate_are_told_when_to_come_back() {
        let (quota, north, south) = quota(TenantLimits { requests_per_second: NonZeroU32::new(1), ..TenantLimits::default() });
        assert_eq!(quota.admit_request(&north), Ok(()));
        // The clock goes on meanwhile; a thousand requests take less than a thousand seconds.
        let over = (0..1_000).find_map(|_| quota.admit_request(&north).err()).expect("one is too many");
        assert_eq!(over.to_string(), "over the tenant's limit of requests a second: 1");
        assert!(over.retry > Duration::ZERO && over.retry <= Duration::from_secs(1), "{:?}", over.retry);
        assert_eq!(quota.admit_request(&south), Ok(()), "another tenant's requests are its own");
        let status = over.status();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert_eq!(status.get_details_retry_info().and_then(|info| info.retry_delay), Some(over.retry));
    }

    #[test]
    fn many_threads_never_take_one_place_too_many() {
        let (quota, north, _) = quota(TenantLimits { live_calls: Some(100), ..TenantLimits::default() });
        let quota = &quota;
        let taken: Vec<Permit> = std::thread::scope(|scope| {
            let take = || (0..50).filter_map(|_| quota.admit_call(&north).ok()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 100);
    }
}
