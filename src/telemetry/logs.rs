//! Logs: lines of text for people, or of JSON for programs.
//!
//! They name calls by their ids and tell codes and counts: never what was said in a call, and no numbers of persons.

use tracing::Subscriber;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, fmt};

use super::TelemetryError;

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// The filter of a level, which is that of our own lines, or of directives (`callgrade::transport=debug,h2=info`). With a level
/// alone libraries are heard when they warn: below that they tell what goes over the wire.
///
/// # Errors
/// It is neither.
pub fn filter(text: &str) -> Result<EnvFilter, TelemetryError> {
    let wrong = |error: tracing_subscriber::filter::ParseError| TelemetryError::Filter(error.to_string());
    match text.to_ascii_lowercase().as_str() {
        level @ ("error" | "warn" | "info" | "debug" | "trace") => {
            let libraries = if level == "error" { level } else { "warn" };
            EnvFilter::builder().parse(format!("{libraries},callgrade={level}")).map_err(wrong)
        }
        "off" => EnvFilter::builder().parse("off").map_err(wrong),
        // A word alone would be taken for the name of a target.
        word if !word.contains(['=', ',', ':']) => Err(TelemetryError::Filter(format!("{text:?}"))),
        _ => EnvFilter::builder().parse(text).map_err(wrong),
    }
}

/// Writes to standard error.
pub(super) fn layer<S>(format: LogFormat, text: &str) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let filter = filter(text)?;
    Ok(match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).with_filter(filter).boxed(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_that_of_our_own_lines() {
        for (text, wanted) in [
            ("info", Some("callgrade=info,warn")),
            ("DEBUG", Some("callgrade=debug,warn")),
            ("error", Some("callgrade=error,error")),
            ("off", Some("off")),
            ("callgrade::transport=debug,h2=info", Some("callgrade::transport=debug,h2=info")),
            ("loud", None),
            ("callgrade=loud", None),
        ] {
            assert_eq!(filter(text).ok().map(|filter| filter.to_string()).as_deref(), wanted, "{text}");
        }
        let said = filter("loud").map(drop).map_err(|error| error.to_string());
        assert_eq!(said, Err("not a level (error, warn, info, debug, trace, off) and not a filter: \"loud\"".to_owned()));
    }
}
