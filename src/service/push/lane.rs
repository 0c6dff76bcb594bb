//! One tenant's pushes on their way: what is in flight, and how its receiver bears it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::post::Answer;
use super::schedule::{Schedule, chance};
use super::settings::PushSettings;
use crate::store::pushes::{DuePush, Settlement};

/// A tenant's lane. Tenants share nothing but the number of lanes, so none waits for another's receiver.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) settings: Arc<PushSettings>,
    /// The calls that have a push in flight, or one of which the store has not been told what became of it.
    pub(super) taken: HashSet<i64>,
    /// How many are in flight.
    pub(super) flying: usize,
    /// Whether there may be something due.
    pub(super) look: bool,
    /// When the next becomes due by itself, in milliseconds since 1970.
    pub(super) next_ms: Option<i64>,
    /// Failures in a row; those that were in flight together count once.
    failures: u32,
    failed_at: Option<Instant>,
    rests_until: Option<Instant>,
    /// The receiver wants nothing any more.
    gone: Option<Gone>,
}

/// A receiver that has answered 410. Standard Webhooks: it "is no longer interested"; the sender should "stop sending it messages".
#[derive(Debug, Clone, Copy)]
struct Gone {
    /// When the push that it answered so was resent, if it was: what was resent with it does not ask again.
    resent_ms: Option<i64>,
}

/// Why a push is a dead letter that was never sent.
const GONE: &str = "HTTP 410 Gone was answered to one before it";

impl Lane {
    pub(super) fn new(settings: Arc<PushSettings>) -> Self {
        Self {
            settings,
            taken: HashSet::new(),
            flying: 0,
            look: true,
            next_ms: None,
            failures: 0,
            failed_at: None,
            rests_until: None,
            gone: None,
        }
    }

    /// How many more may be sent now. A receiver that failed is tried with one at a time until it takes one.
    pub(super) fn room(&self, share: usize, now: Instant) -> usize {
        if self.gone.is_some() {
            return share.saturating_sub(self.flying);
        }
        if self.rests_until.is_some_and(|until| now < until) {
            return 0;
        }
        let most = if self.failures == 0 { share } else { 1 };
        most.saturating_sub(self.flying)
    }

    /// When there may be something to send though nothing happens until then.
    pub(super) fn wakes(&self, share: usize, now: Instant, now_ms: i64) -> Option<Instant> {
        if let Some(until) = self.rests_until.filter(|until| now < *until && self.gone.is_none()) {
            return Some(until);
        }
        if self.room(share, now) == 0 {
            return None;
        }
        let wait = u64::try_from(self.next_ms?.saturating_sub(now_ms)).unwrap_or_default();
        now.checked_add(Duration::from_millis(wait))
    }

    /// Whether something of its may be due.
    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        self.look || self.next_ms.is_some_and(|next| next <= now_ms)
    }

    /// What becomes of a push of which the receiver, asked at `departed`, said this.
    pub(super) fn answered(&mut self, push: &DuePush, answer: Answer, departed: Instant, schedule: &Schedule, now_ms: i64) -> Settlement {
        self.flying = self.flying.saturating_sub(1);
        self.look = true;
        let (reason, asked, throttled) = match answer {
            Answer::Taken => {
                self.failures = 0;
                self.rests_until = None;
                return Settlement::Delivered;
            }
            Answer::Refused(status, asked) => {
                if status == StatusCode::GONE {
                    self.gone = Some(Gone { resent_ms: push.resent_ms });
                    // Asked again, it is asked once.
                    self.failures = self.failures.max(1);
                    return Settlement::GivenUp(format!("HTTP {status}"));
                }
                let throttled = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
                (format!("HTTP {status}"), asked, throttled)
            }
            Answer::Nothing(reason) => (reason, None, false),
        };
        let now = Instant::now();
        if self.failed_at.is_none_or(|before| before <= departed) {
            self.failures = self.failures.saturating_add(1);
            self.failed_at = Some(now);
        }
        let rest = schedule.rest(self.failures).max(asked.filter(|_| throttled));
        self.rests_until = self.rests_until.max(rest.and_then(|rest| now.checked_add(rest)));
        match schedule.wait(push.tries.saturating_add(1), chance()) {
            None => Settlement::GivenUp(reason),
            Some(wait) => {
                let wait = wait.max(asked.unwrap_or_default());
                Settlement::Again(now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)), reason)
            }
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// What becomes of a push that is due without its being sent: a receiver that is gone is asked again only when somebody has pushes
    /// resent to it.
    pub(super) fn unsent(&mut self, push: &DuePush) -> Option<Settlement> {
        let gone = self.gone?;
        if push.resent_ms.is_some() && push.resent_ms != gone.resent_ms {
            self.gone = None;
            self.rests_until = None;
            return None;
        }
        Some(Settlement::NotSent(GONE.to_owned()))
    }
}
