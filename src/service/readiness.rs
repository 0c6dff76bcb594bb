//! Whether the server takes calls.

use tokio::sync::watch;

use crate::store::StoreError;

/// Where a server stands between its start and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// It does not listen yet.
    #[default]
    Starting,
    /// It brings back the calls that were live when it last ended.
    Recovering,
    /// It takes calls.
    Serving,
    /// It has been told to stop and finishes what is in flight.
    Draining,
}

impl Stage {
    /// Why a server at this stage should not be sent calls; `None` if it should.
    fn unready(self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("the server is starting"),
            Self::Recovering => Some("live calls are being recovered"),
            Self::Serving => None,
            Self::Draining => Some("the server is shutting down"),
        }
    }
}

/// What decides whether calls are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Condition {
    /// Where the server stands.
    pub stage: Stage,
    /// Why nothing can be kept at the moment, as the last try had it.
    fault: Option<&'static str>,
}

impl Condition {
    /// Why a server in this condition should not be sent calls; `None` if it should.
    #[must_use]
    pub fn unready(self) -> Option<&'static str> {
        self.stage.unready().or(self.fault)
    }
}

/// The server's condition, for all who have to know, and why it cannot go on, if that has come about.
#[derive(Debug)]
pub struct Readiness {
    condition: watch::Sender<Condition>,
    failure: watch::Sender<Option<String>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { condition: watch::Sender::new(Condition::default()), failure: watch::Sender::new(None) }
    }
}

impl Readiness {
    /// Where the server stands now.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.condition.borrow().stage
    }

    /// All that decides, as of now.
    #[must_use]
    pub fn condition(&self) -> Condition {
        *self.condition.borrow()
    }

    /// The next stage. A server that drains does not serve again.
    pub fn enter(&self, stage: Stage) {
        self.condition.send_if_modified(|now| {
            let enters = now.stage != stage && now.stage != Stage::Draining;
            if enters {
                now.stage = stage;
            }
            enters
        });
    }

    /// Nothing can be kept at the moment. The log tells all of it when it begins; whoever asks whether calls are taken, what kind of
    /// fault it is.
    pub fn falter(&self, error: &StoreError) {
        let kind = error.kind();
        self.condition.send_if_modified(|now| {
            let changed = now.fault != Some(kind);
            if changed {
                tracing::error!("events are refused until the store takes them again: {error}");
                now.fault = Some(kind);
            }
            changed
        });
    }

    /// The store takes what is to be kept.
    pub fn recover(&self) {
        self.condition.send_if_modified(|now| {
            let faltered = now.fault.take().is_some();
            if faltered {
                tracing::info!("the store takes events again");
            }
            faltered
        });
    }

    /// Hears of every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    /// The server cannot go on. It takes no calls from now on, and is to end such that whoever looks after it starts it anew.
    pub fn fail(&self, reason: &str) {
        self.enter(Stage::Draining);
        self.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            if first {
                tracing::error!("the server cannot go on and ends: {reason}");
                *failure = Some(reason.to_owned());
            }
            first
        });
    }

    /// Why the server cannot go on, as soon as it cannot.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.subscribe();
        let failed = failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        // None would mean that its sender is gone, which lives as long as this.
        failed.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_drains_does_not_serve_again() {
        let readiness = Readiness::default();
        assert_eq!(readiness.condition().unready(), Some("the server is starting"));
        readiness.enter(Stage::Serving);
        assert_eq!(readiness.condition().unready(), None);
        readiness.enter(Stage::Draining);
        readiness.enter(Stage::Serving);
        assert_eq!(readiness.stage(), Stage::Draining);
    }

    #[test]
    fn a_server_that_cannot_keep_anything_says_why_until_it_can() {
        let readiness = Readiness::default();
        readiness.enter(Stage::Serving);
        let full = StoreError::Full("/secret/place".to_owned());
        readiness.falter(&full);
        assert_eq!(readiness.condition().unready(), Some("the disk is full"));
        assert_eq!(readiness.stage(), Stage::Serving, "who is connected is served on");
        readiness.falter(&StoreError::ReadOnly("/secret/place".to_owned()));
        assert_eq!(readiness.condition().unready(), Some("the store is read-only"));
        readiness.recover();
        assert_eq!(readiness.condition().unready(), None);
        readiness.falter(&full);
        readiness.enter(Stage::Draining);
        assert_eq!(readiness.condition().unready(), Some("the server is shutting down"));
    }

    #[tokio::test]
    async fn the_first_failure_is_told_and_nothing_is_served_after_it() {
        let readiness = Readiness::default();
        readiness.enter(Stage::Serving);
        let waiting = readiness.failed();
        readiness.fail("the disk is gone");
        readiness.fail("so is the rest");
        readiness.enter(Stage::Serving);
        assert_eq!((readiness.stage(), waiting.await.as_str()), (Stage::Draining, "the disk is gone"));
        assert_eq!(readiness.failed().await, "the disk is gone");
    }
}
