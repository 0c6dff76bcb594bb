//! What stands between the network and the service: who is let in, TLS, and how long things may take.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::tls::Tls;
use crate::service::access::Access;
use crate::store::Store;

/// How a server is guarded. By default it is open: nobody needs a key, and connections are in clear.
#[derive(Debug, Clone)]
pub struct Security {
    /// Who is let in.
    pub access: Arc<Access>,
    /// The store whose keys are in force; none: there are no keys but those that [`access`](Self::access) has.
    pub store: Option<Store>,
    /// TLS, unless connections are in clear.
    pub tls: Option<Arc<Tls>>,
    /// How long a connection may take for its handshake, and then to say what it wants.
    pub opening: Duration,
    /// How long the body of a request that is no stream may take.
    pub body: Duration,
}

impl Default for Security {
    fn default() -> Self {
        Self { access: Arc::default(), store: None, tls: None, opening: Duration::from_secs(10), body: Duration::from_secs(60) }
    }
}

impl Security {
    /// Reads certificates, keys of tokens and API keys again. What cannot be read changes nothing; what is wrong with it is logged,
    /// unless `told` shows that it was already.
    pub fn refresh(&self, told: &Complaints) {
        let tls = self.tls.as_ref().map_or(Ok(false), |tls| tls.refresh());
        told.note(0, tls, "TLS certificates were read again");
        told.note(1, self.access.refresh(), "the keys of tokens were read again");
        let keys = self.store.as_ref().map_or(Ok(()), |store| self.access.keys.read(store));
        told.note(2, keys.map(|()| false), "");
    }
}

/// What was wrong with each source when it was last looked at, so that it is not told every time.
#[derive(Debug, Default)]
pub struct Complaints([Mutex<Option<String>>; 3]);

impl Complaints {
    fn note<E: fmt::Display>(&self, source: usize, refreshed: Result<bool, E>, done: &str) {
        let mut last = self.0[source].lock().unwrap_or_else(PoisonError::into_inner);
        match refreshed {
            Ok(changed) => {
                if changed {
                    tracing::info!("{done}");
                }
                *last = None;
            }
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
