//! From what words of time mean to the moment they name, seen from when they were said.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan, Zoned};

use super::meaning::{Day, Meaning, Moment, Month, Part, Time};

/// What words of time come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// This moment, later than when it was said.
    At(Zoned),
    /// No moment: the words leave it open, or there is none such (25点, 2月30号).
    Open,
    /// A moment that had passed when it was said.
    Past,
}

/// The hours at which calls are likely, first and last: where 三点 leaves the half of the day open, it lies in them.
const CALLING_HOURS: (i32, i32) = (8, 21);
/// The hour of a day that was named without a time.
const DAY_HOUR: i32 = 10;
/// Hours for 今天 without a time, the first that is still to come.
const TODAY_HOURS: [i32; 3] = [10, 15, 19];

impl Part {
    /// The minute of the day that stands for it, and the last hour that still belongs to it; `None`: nobody is called then.
    #[must_use]
    pub fn usual(self) -> Option<(i32, i32)> {
        Some(match self {
            Self::Morning => (9 * 60, 11),
            Self::Forenoon => (10 * 60, 12),
            Self::Noon => (12 * 60, 14),
            Self::Afternoon => (15 * 60, 18),
            Self::Dusk => (18 * 60, 20),
            Self::AfterWork => (18 * 60 + 30, 21),
            Self::Evening => (19 * 60, 22),
            Self::Night => return None,
        })
    }

    /// The hour of the day that the clock's `hour` is in it; from 24 on, of the next day.
    fn hour(self, hour: i32) -> i32 {
        match self {
            Self::Noon if hour <= 4 => hour + 12,
            Self::Afternoon if hour <= 11 => hour + 12,
            Self::Dusk | Self::AfterWork | Self::Evening if (5..=11).contains(&hour) => hour + 12,
            Self::Evening if hour <= 4 || hour == 12 => hour % 12 + 24,
            Self::Night if (10..=11).contains(&hour) => hour + 12,
            Self::Night if hour == 12 => 24,
            _ => hour,
        }
    }
}

/// The moment that a meaning names when it is said at `now`.
#[must_use]
pub fn resolve(meaning: &Meaning, now: &Zoned) -> Resolved {
    match meaning {
        Meaning::Moment(moment) => of_moment(moment, now),
        Meaning::Minutes(minutes) => {
            let at = now.checked_add(SignedDuration::from_mins(i64::from(*minutes)));
            at.map_or(Resolved::Open, |at| if at > *now { Resolved::At(at) } else { Resolved::Open })
        }
        Meaning::Span | Meaning::Later => Resolved::Open,
        Meaning::Past => Resolved::Past,
    }
}

fn of_moment(moment: &Moment, now: &Zoned) -> Resolved {
    let Some(mut days) = days(moment.day, now.date()) else { return Resolved::Open };
    let mut known = false;
    for date in days.by_ref().take(MOST_TRIED) {
        for minutes in minutes(moment, date, now) {
            known = true;
            let at = at_minute(date, minutes).and_then(|at| at.to_zoned(now.time_zone().clone()).ok());
            if let Some(at) = at.filter(|at| at > now) {
                return Resolved::At(at);
            }
        }
    }
    if known { Resolved::Past } else { Resolved::Open }
}

/// Most days that are tried: of a day like the 31st not every month has one.
const MOST_TRIED: usize = 3;

fn at_minute(date: Date, minutes: i32) -> Option<DateTime> {
    date.at(0, 0, 0, 0).checked_add(minutes.minutes()).ok()
}

/// The days that are meant, the nearest first: one, or where a later one will do as well, that too. `None`: the day is open, or
/// there is no such day.
fn days(day: Option<Day>, today: Date) -> Option<Box<dyn Iterator<Item = Date>>> {
    let just = |date: Option<Date>| date.map(|date| Box::new(std::iter::once(date)) as Box<dyn Iterator<Item = Date>>);
    let from_today = |days: i32| today.checked_add(days.days()).ok();
    let weekday = i32::from(today.weekday().to_monday_one_offset());
    match day {
        None => Some(Box::new([from_today(0), from_today(1)].into_iter().flatten())),
        Some(Day::In(days)) => just(from_today(days)),
        Some(Day::InMonths(months)) => just(today.checked_add(months.months()).ok()),
        // A weekday by itself is not today: that would be called 今天.
        Some(Day::Weekday(None, day)) => just(from_today((i32::from(day) - weekday + 6).rem_euclid(7) + 1)),
        Some(Day::Weekday(Some(weeks), day)) => just(from_today(i32::from(weeks) * 7 + i32::from(day) - weekday)),
        Some(Day::Weekend(None)) => just(from_today(if weekday < 6 { 6 - weekday } else { 13 - weekday })),
        // On a Sunday this weekend is today.
        Some(Day::Weekend(Some(0))) => just(from_today((6 - weekday).max(0))),
        Some(Day::Weekend(Some(weeks))) => just(from_today(i32::from(weeks) * 7 + 6 - weekday)),
        Some(Day::Date(Month::Named(month) | Month::Of(_, month), _)) if !(1..=12).contains(&month) => None,
        Some(Day::Date(month, day)) => {
            let date = move |first: Date| Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok();
            let mut dates = months(month, today).filter_map(date).peekable();
            dates.peek()?;
            Some(Box::new(dates))
        }
        Some(Day::MonthEnd(month)) => Some(Box::new(months(month, today).map(Date::last_of_month))),
        Some(Day::Week(_) | Day::Month(_)) => None,
    }
}

/// The first days of the months that are meant, the nearest first.
fn months(month: Month, today: Date) -> impl Iterator<Item = Date> + 'static {
    let first = match month {
        Month::Of(year, _) => Date::new(year, 1, 1).unwrap_or(today.first_of_month()),
        _ => today.first_of_month(),
    };
    let later = move |months: i32| first.checked_add(months.months()).ok();
    let (first, step, count) = match month {
        Month::Next => (0, 1, 4),
        Month::In(months) => (i32::from(months), 1, 1),
        Month::Of(_, month) => (i32::from(month) - 1, 1, 1),
        Month::Named(month) => ((i32::from(month) - i32::from(today.month())).rem_euclid(12), 12, 2),
    };
    (0..count).filter_map(move |nth| later(first + nth * step))
}

/// The minutes of the day that are meant, the likeliest first; from 1440 on, of the next day. None: there is no such time.
fn minutes(moment: &Moment, date: Date, now: &Zoned) -> Vec<i32> {
    let today = date == now.date();
    match (moment.part, moment.time) {
        (_, Some(Time::Same)) => vec![i32::from(now.hour()) * 60 + i32::from(now.minute())],
        (None, None) if today && moment.day == Some(Day::In(0)) => {
            // Late in the evening the words are all there is.
            TODAY_HOURS.into_iter().filter(|hour| *hour > i32::from(now.hour())).map(|hour| hour * 60).collect()
        }
        (None, None) => vec![DAY_HOUR * 60],
        (Some(part), None) => {
            let Some((usual, last)) = part.usual() else { return Vec::new() };
            // While the part lasts: 下午再打 said at half past three is at four.
            let next_hour = (i32::from(now.hour()) + 1) * 60;
            if today && next_hour <= last * 60 { vec![usual, next_hour.max(usual)] } else { vec![usual] }
        }
        (part, Some(Time::Clock { hour, minute, full })) => {
            let (hour, minute) = (i32::from(hour), i32::from(minute));
            if hour > 24 || minute > 59 || hour == 24 && minute > 0 {
                return Vec::new();
            }
            let hours = match part {
                Some(part) => vec![part.hour(hour)],
                None if full || hour == 0 || hour > 12 => vec![hour],
                None => either_half(hour, moment.day.is_none() || today),
            };
            hours.into_iter().map(|hour| hour * 60 + minute).collect()
        }
    }
}

/// The hours that a clock's hour may be, where nothing tells the half of the day: those in the calling hours. For another day
/// only the likelier one, for today both: eight o'clock, said at noon, is tonight.
fn either_half(hour: i32, both: bool) -> Vec<i32> {
    let (first, last) = CALLING_HOURS;
    let likely = (first..=last).filter(|likely| likely % 12 == hour % 12);
    likely.take(if both { 2 } else { 1 }).collect()
}
