//! The call's own clock: when dialing began, and the time zone in which its people tell the time.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, Zoned};

/// The time zones of the IANA, as compiled into the program: the same on every machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
/// The zone of calls that name none.
static STANDARD: LazyLock<TimeZone> = LazyLock::new(|| ZONES.get("Asia/Shanghai").unwrap_or(TimeZone::UTC));

/// Most characters of an unknown zone's name that are kept, to tell it.
const MOST_NAMED: usize = 64;

/// When a call began and by which clock its people live: the head of the contract's `Call`, as far as grading needs it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallClock {
    began: Began,
    zone: Zone,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Began {
    #[default]
    Untold,
    At(Timestamp),
    /// What was told lies outside the years that a date may have.
    Nowhen,
}

#[derive(Debug, Clone, Default, PartialEq)]
enum Zone {
    /// None was named: Asia/Shanghai.
    #[default]
    Standard,
    Named(TimeZone),
    Unknown(Box<str>),
}

impl CallClock {
    /// The clock of a call that began at `started_at`, in seconds since 1970 in UTC and nanoseconds, in the IANA zone
    /// `time_zone`, empty for Asia/Shanghai. What of this means nothing is kept for [`notices`](Self::notices).
    #[must_use]
    pub fn new(started_at: Option<(i64, i32)>, time_zone: &str) -> Self {
        let began = match started_at {
            None => Began::Untold,
            Some((seconds, nanos)) => Timestamp::new(seconds, nanos).map_or(Began::Nowhen, Began::At),
        };
        let name = time_zone.trim();
        let zone = match name {
            "" => Zone::Standard,
            name => ZONES.get(name).map_or_else(|_| Zone::Unknown(name.chars().take(MOST_NAMED).collect()), Zone::Named),
        };
        Self { began, zone }
    }

    /// The civil time `at_ms` milliseconds into the call; `None` where it is not known when that was, or where.
    #[must_use]
    pub fn at(&self, at_ms: u32) -> Option<Zoned> {
        let (Began::At(began), Some(zone)) = (self.began, self.zone()) else { return None };
        let at = began.checked_add(SignedDuration::from_millis(at_ms.into())).ok()?;
        Some(at.to_zoned(zone.clone()))
    }

    /// The call's time zone; `None` where it names one that does not exist.
    #[must_use]
    pub fn zone(&self) -> Option<&TimeZone> {
        match &self.zone {
            Zone::Standard => Some(&STANDARD),
            Zone::Named(zone) => Some(zone),
            Zone::Unknown(_) => None,
        }
    }

    /// What of the head means nothing, a sentence each.
    pub fn notices(&self) -> impl Iterator<Item = String> {
        let zone = match &self.zone {
            Zone::Unknown(name) => Some(format!("time zone {name:?} is not known; callback times are told in words alone")),
            Zone::Standard | Zone::Named(_) => None,
        };
        let began = (self.began == Began::Nowhen)
            .then(|| "the call's start lies outside the years 1 to 9999; callback times are told in words alone".to_owned());
        began.into_iter().chain(zone)
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        match &self.zone {
            Zone::Unknown(name) => name.len(),
            // Zones are shared by all calls.
            Zone::Standard | Zone::Named(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Option<(i64, i32)> = Some((1_772_416_800, 0)); // 2026-03-02T10:00:00+08:00

    #[test]
    fn times_are_told_in_the_calls_zone() {
        let told = |zone: &str| CallClock::new(BEGAN, zone).at(1_500).map(|at| at.to_string());
        assert_eq!(told("").as_deref(), Some("2026-03-02T10:00:01.5+08:00[Asia/Shanghai]"));
        assert_eq!(told("Asia/Urumqi").as_deref(), Some("2026-03-02T08:00:01.5+06:00[Asia/Urumqi]"));
        assert_eq!(told("america/new_york").as_deref(), Some("2026-03-01T21:00:01.5-05:00[America/New_York]"));
        assert_eq!(told("Mars/Olympus"), None);
        assert_eq!(CallClock::new(None, "").at(0), None);
    }

    #[test]
    fn what_means_nothing_is_told() {
        let told = |started_at, zone: &str| CallClock::new(started_at, zone).notices().collect::<Vec<_>>();
        assert!(told(BEGAN, "Asia/Shanghai").is_empty());
        assert_eq!(told(None, "Mars/Olympus"), [r#"time zone "Mars/Olympus" is not known; callback times are told in words alone"#]);
        assert_eq!(told(None, &"x".repeat(9_999)).concat().len(), told(None, "").concat().len() + 64 + 65);
        assert_eq!(
            told(Some((i64::MAX, 0)), ""),
            ["the call's start lies outside the years 1 to 9999; callback times are told in words alone"]
        );
    }
}
