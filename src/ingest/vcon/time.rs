//! Moments: RFC 3339 as the draft has it, RFC 2822 as its first versions had it, and what else is met.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Milliseconds since 1970 began in UTC.
    pub(super) ms: i64,
    /// It came without an offset from UTC.
    pub(super) local: bool,
}

/// The least number that counts as seconds since 1970 rather than since a recording's start.
pub(super) const LEAST_EPOCH_S: f64 = 1e8;
/// The same in milliseconds.
const LEAST_EPOCH_MS: f64 = 1e11;

/// The first moment after the year 9999.
const END_MS: f64 = 253_402_300_800_000.0;

/// The moment a value names: text, or seconds or milliseconds since 1970.
pub(super) fn moment(value: &Value) -> Option<Moment> {
    let ms = match value {
        Value::String(text) => return written(text.trim()),
        Value::Number(number) => match number.as_f64()? {
            ms if ms >= END_MS => return None,
            ms if ms >= LEAST_EPOCH_MS => ms,
            s if s >= LEAST_EPOCH_S => s * 1000.0,
            _ => return None,
        },
        _ => return None,
    };
    Some(Moment { ms: ms as i64, local: false })
}

fn written(text: &str) -> Option<Moment> {
    let moment = |at: Timestamp, local: bool| Moment { ms: at.as_millisecond(), local };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(moment(at, false));
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return at.to_zoned(TimeZone::UTC).ok().map(|at| moment(at.timestamp(), true));
    }
    jiff::fmt::rfc2822::parse(text).ok().map(|at| moment(at.timestamp(), false))
}

/// Milliseconds of a clock: `1:02:03.5`, `02:03`, with a comma or a point.
pub(super) fn clock(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let mut parts = 0;
    for part in text.split(':') {
        let value: f64 = part.replace(',', ".").parse().ok()?;
        if value < 0.0 || !part.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        seconds = seconds * 60.0 + value;
        parts += 1;
    }
    matches!(parts, 2 | 3).then_some(seconds * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_every_form() {
        let at = |value: Value| moment(&value).map(|moment| (moment.ms, moment.local));
        let expected = Some((1_742_498_654_000, false));
        assert_eq!(at("2025-03-20T15:24:14-04:00".into()), expected);
        assert_eq!(at("2025-03-20T19:24:14Z".into()), expected);
        assert_eq!(at("2025-03-20T19:24:14.000000+00:00".into()), expected);
        assert_eq!(at("Thu, 20 Mar 2025 15:24:14 -0400".into()), expected);
        assert_eq!(at(1_742_498_654.into()), expected);
        assert_eq!(at(1_742_498_654_000_i64.into()), expected);
        assert_eq!(at("2025-03-20 19:24:14".into()), Some((1_742_498_654_000, true)));
        assert_eq!(at("yesterday".into()), None);
        assert_eq!(at(12.into()), None);
    }

    #[test]
    fn clocks() {
        assert_eq!(clock("01:02"), Some(62_000.0));
        assert_eq!(clock("1:00:02.5"), Some(3_602_500.0));
        assert_eq!(clock("00:00:01,250"), Some(1_250.0));
        assert_eq!(clock("12"), None);
        assert_eq!(clock("价格:12"), None);
    }
}
