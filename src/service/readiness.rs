//! Whether the server takes calls.

use tokio::sync::watch;

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
    #[must_use]
    pub fn unready(self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("the server is starting"),
            Self::Recovering => Some("live calls are being recovered"),
            Self::Serving => None,
            Self::Draining => Some("the server is shutting down"),
        }
    }
}

/// The server's stage, for all who have to know.
#[derive(Debug)]
pub struct Readiness(watch::Sender<Stage>);

impl Default for Readiness {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::default()))
    }
}

impl Readiness {
    /// Where the server stands now.
    #[must_use]
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// The next stage. A server that drains does not serve again.
    pub fn enter(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let enters = *now != stage && *now != Stage::Draining;
            if enters {
                *now = stage;
            }
            enters
        });
    }

    /// Hears of every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_drains_does_not_serve_again() {
        let readiness = Readiness::default();
        assert_eq!(readiness.stage().unready(), Some("the server is starting"));
        readiness.enter(Stage::Serving);
        assert_eq!(readiness.stage().unready(), None);
        readiness.enter(Stage::Draining);
        readiness.enter(Stage::Serving);
        assert_eq!(readiness.stage(), Stage::Draining);
    }
}
