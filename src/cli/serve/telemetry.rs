//! What of a server its operators see.

use std::io::IsTerminal;

use clap::Args;

use crate::telemetry::logs::{self, LogFormat};
use crate::telemetry::{Telemetry, TelemetryError, traces};

#[derive(Debug, Args)]
pub(in crate::cli) struct TelemetryOptions {
    /// What is logged to standard error: error, warn, info, debug, trace, off, or directives as `callgrade::transport=debug,warn`
    #[arg(long, value_name = "LEVEL|FILTER", default_value = "info", value_parser = filter, help_heading = "Operation")]
    log: String,
    /// Format of the log; json if standard error is no terminal
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Operation")]
    log_format: Option<LogFormat>,
    /// Collector that traces are sent to, over OTLP/gRPC
    #[arg(long, value_name = "URL", value_parser = traces::endpoint_of, help_heading = "Operation")]
    otlp_endpoint: Option<String>,
}

fn filter(text: &str) -> Result<String, TelemetryError> {
    logs::filter(text).map(|_| text.to_owned())
}

impl TelemetryOptions {
    /// Takes what the process tells from now on; within a runtime.
    pub(super) fn open(&self) -> Result<Telemetry, TelemetryError> {
        let format = self.log_format.unwrap_or(if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json });
        Telemetry::open(format, &self.log, self.otlp_endpoint.as_deref())
    }
}
