//! What an operator sees of a server: its logs, its metrics, its traces.
//!
//! Whoever has something to tell is given what it tells it to; nothing here asks anybody.

pub mod logs;
pub mod metrics;
mod seldom;
pub mod traces;

pub use metrics::{Metrics, Tally};
pub use seldom::Seldom;

use std::fmt;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use logs::LogFormat;
use traces::Exporter;

/// Why nothing would be told.
#[derive(Debug)]
pub enum TelemetryError {
    /// The filter of logs is none.
    Filter(String),
    /// Traces cannot be sent there.
    Endpoint(String),
    /// Somebody else takes what the process tells.
    Taken,
}

impl fmt::Display for TelemetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(reason) => write!(f, "not a level (error, warn, info, debug, trace, off) and not a filter: {reason}"),
            Self::Endpoint(reason) => write!(f, "traces cannot be sent: {reason}"),
            Self::Taken => f.write_str("logs are taken by somebody else already"),
        }
    }
}

impl std::error::Error for TelemetryError {}

/// Takes what the process tells from now on. It is to be [closed](Telemetry::close), for traces are sent in batches.
#[derive(Debug)]
#[must_use]
pub struct Telemetry(Option<Exporter>);

impl Telemetry {
    /// Logs to standard error, and sends traces to `endpoint` if there is one, which needs a runtime.
    ///
    /// # Errors
    /// The filter or the endpoint is none, or this was done before.
    pub fn open(format: LogFormat, filter: &str, endpoint: Option<&str>) -> Result<Self, TelemetryError> {
        let exporter = endpoint.map(Exporter::to).transpose()?;
        tracing_subscriber::registry()
            .with(logs::layer(format, filter)?)
            .with(exporter.as_ref().map(Exporter::layer))
            .try_init()
            .map_err(|_| TelemetryError::Taken)?;
        Ok(Self(exporter))
    }

    /// Sends what has not been sent. The runtime has to be running, on other threads than this one.
    pub fn close(self) {
        if let Some(exporter) = self.0 {
            exporter.close();
        }
    }
}
