//! What stands between the network and the service: who is let in, how much they may ask for, TLS, and how long things may take.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::tls::Tls;
use crate::service::access::Access;
use crate::service::quota::Quota;

/// How a server is guarded. By default it is open: nobody needs a key, and connections are in clear.
#[derive(Debug, Clone)]
pub struct Security {
    /// Who is let in.
    pub access: Arc<Access>,
    /// How much each tenant may ask for.
    pub quota: Quota,
    /// TLS, unless connections are in clear.
    pub tls: Option<Arc<Tls>>,
    /// How long a connection may take for its handshake, and then to say what it wants.
    pub opening: Duration,
    /// How long the body of a request that is no stream may take.
    pub body: Duration,
}

impl Default for Security {
    fn default() -> Self {
        Self { access: Arc::default(), quota: Quota::default(), tls: None, opening: Duration::from_secs(10), body: Duration::from_secs(60) }
    }
}

impl Security {
    /// Reads certificates and keys of tokens again, where their files have changed. Files that are not good change nothing; what is
    /// wrong with them is logged, unless `told` shows that it was already.
    pub fn refresh(&self, told: &Complaints) {
        let tls = self.tls.as_ref().map_or(Ok(false), |tls| tls.refresh());
        told.note(0, tls, "TLS certificates were read again");
        told.note(1, self.access.refresh(), "the keys of tokens were read again");
    }
}

/// What was wrong with files when they were last looked at, so that it is not told every time.
#[derive(Debug, Default)]
pub struct Complaints([Mutex<Option<String>>; 2]);

impl Complaints {
    fn note<E: fmt::Display>(&self, file: usize, refreshed: Result<bool, E>, done: &str) {
        let mut last = self.0[file].lock().unwrap_or_else(PoisonError::into_inner);
        match refreshed {
            Ok(true) => {
                tracing::info!("{done}");
                *last = None;
            }
            // It can be read; whether it is good was told when it changed.
            Ok(false) => {}
            Err(error) => {
                let error = error.to_string();
                if last.as_ref() != Some(&error) {
                    tracing::error!("what was read before stays in force: {error}");
                    *last = Some(error);
                }
            }
        }
    }
}
