//! When a push that failed is sent again.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::SignedDuration;

/// Longer than this nobody makes us wait.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// After each failure in turn, how long until the next try; after the last step there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

/// Why a schedule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleError {
    /// A step that is no duration.
    Step(String),
    /// A step that is too long.
    Long(String),
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(f, "{step:?} is no duration; write steps like 5s,5m,2h"),
            Self::Long(step) => write!(f, "{step:?} is longer than 7 days"),
        }
    }
}

impl std::error::Error for ScheduleError {}

impl Default for Schedule {
    /// What Standard Webhooks suggest: ten tries over some three days.
    fn default() -> Self {
        let steps = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
        Self(steps.map(Duration::from_secs).to_vec())
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    /// Reads steps with commas between them: `5s,5m,2h`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let step = |step: &str| {
            let step = step.trim();
            let duration: SignedDuration = step.parse().map_err(|_| ScheduleError::Step(step.to_owned()))?;
            let duration = Duration::try_from(duration).map_err(|_| ScheduleError::Step(step.to_owned()))?;
            if duration > LONGEST { Err(ScheduleError::Long(step.to_owned())) } else { Ok(duration) }
        };
        text.split(',').map(step).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> =
            self.0.iter().map(|step| format!("{:#}", SignedDuration::try_from(*step).unwrap_or(SignedDuration::MAX))).collect();
        f.write_str(&steps.join(","))
    }
}

impl Schedule {
    /// The steps.
    #[must_use]
    pub fn new(steps: Vec<Duration>) -> Self {
        Self(steps.into_iter().map(|step| step.min(LONGEST)).collect())
    }

    /// How long to wait after so many failures, the last one among them; none: give up. `chance` is from 0 to 1.
    ///
    /// The jitter is full, anywhere from nothing to twice the step, so that those who failed together do not come back together and
    /// the step is the mean.
    pub(super) fn wait(&self, failures: u32, chance: f64) -> Option<Duration> {
        let step = self.0.get(usize::try_from(failures.checked_sub(1)?).ok()?)?;
        Some(step.mul_f64(2.0 * chance.clamp(0.0, 1.0)))
    }

    /// How long a receiver that failed so many times in a row, whichever the push, is left alone: a few failures may be the
    /// pushes' own fault, and none of them costs more than a minute once it is well again.
    pub(super) fn rest(&self, in_a_row: u32) -> Option<Duration> {
        let doublings = in_a_row.checked_sub(3)?.min(16);
        let first = self.0.first().copied().unwrap_or(Duration::from_secs(5));
        Some(first.saturating_mul(1 << doublings).min(Duration::from_secs(60)))
    }
}

/// A chance from 0 to 1; the middle if the system has none.
pub(super) fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |drawn| f64::from(drawn) / f64::from(u32::MAX))
}

/// How long `Retry-After` asks to wait: seconds, or a date ([RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let date = SystemTime::from(jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?);
    Some(date.duration_since(now).unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_standard_webhooks() {
        let schedule = Schedule::default();
        assert_eq!(schedule.to_string(), "5s,5m,30m,2h,5h,10h,14h,20h,24h");
        assert_eq!(schedule.to_string().parse(), Ok(schedule));
    }

    #[test]
    fn a_schedule_that_is_none() {
        let said = |text: &str| text.parse::<Schedule>().expect_err(text).to_string();
        assert_eq!(said("5s,soon"), "\"soon\" is no duration; write steps like 5s,5m,2h");
        assert_eq!(said(""), "\"\" is no duration; write steps like 5s,5m,2h");
        assert_eq!(said("-5s"), "\"-5s\" is no duration; write steps like 5s,5m,2h");
        assert_eq!(said("1s, 200h"), "\"200h\" is longer than 7 days");
    }

    #[test]
    fn waits_are_spread_around_their_step_and_end() {
        let schedule: Schedule = "10s,1m".parse().expect("a schedule");
        assert_eq!(schedule.wait(1, 0.0), Some(Duration::ZERO));
        assert_eq!(schedule.wait(1, 0.5), Some(Duration::from_secs(10)));
        assert_eq!(schedule.wait(1, 1.0), Some(Duration::from_secs(20)));
        assert_eq!(schedule.wait(2, 0.5), Some(Duration::from_secs(60)));
        assert_eq!(schedule.wait(3, 0.5), None);
    }

    #[test]
    fn a_receiver_that_fails_again_and_again_rests_longer_and_longer() {
        let rests: Vec<_> = (1..9).map(|failures| Schedule::default().rest(failures).map(|rest| rest.as_secs())).collect();
        assert_eq!(rests, [None, None, Some(5), Some(10), Some(20), Some(40), Some(60), Some(60)]);
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 30);
        for (value, wanted) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999", Some(7 * 24 * 3600)),
            ("soon", None),
            ("-3", None),
        ] {
            assert_eq!(retry_after(value, now), wanted.map(Duration::from_secs), "{value}");
        }
    }
}
