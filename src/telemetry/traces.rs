//! Traces: each request a span, part of the trace its caller names, sent to a collector over OTLP.

use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use super::TelemetryError;

/// Most time that the last batch may take.
const LAST_BATCH: Duration = Duration::from_secs(5);

/// Sends spans in batches.
#[derive(Debug)]
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    pub(super) fn to(endpoint: &str) -> Result<Self, TelemetryError> {
        let endpoint = endpoint_of(endpoint)?;
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
        let exporter = exporter.map_err(|error| TelemetryError::Endpoint(error.to_string()))?;
        let resource = Resource::builder().with_service_name("callgrade").build();
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
    }

    /// Takes our own spans whatever the log is to show.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let ours = Targets::new().with_target("callgrade", LevelFilter::INFO);
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("callgrade")).with_location(false).with_threads(false).with_filter(ours)
    }

    pub(super) fn close(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_BATCH) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Where spans can be sent.
///
/// # Errors
/// It is no URL of plain HTTP: a collector stands beside the server, and secures what it sends on.
pub fn endpoint_of(text: &str) -> Result<String, TelemetryError> {
    let uri = text.parse::<http::Uri>().ok().filter(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
    uri.map(|_| text.to_owned()).ok_or_else(|| TelemetryError::Endpoint("a URL that begins with http:// is wanted".to_owned()))
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// Makes a span, which nothing has entered yet, part of the trace that a request's headers name as
/// [W3C Trace Context](https://www.w3.org/TR/trace-context/) has it, and records its `trace_id`.
pub fn continue_trace(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() || !headers.contains_key("traceparent") {
        return;
    }
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    let trace = context.span().span_context().clone();
    if trace.is_valid() {
        span.record("trace_id", tracing::field::display(trace.trace_id()));
        // An error means that traces go nowhere: then there is nothing to be part of.
        let _ = span.set_parent(context);
    }
}
