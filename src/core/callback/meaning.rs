//! What words of time mean by themselves, before it is known when they were said.

/// What an expression means, relative to the moment it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A day, a part of it, a time of the clock, or what was named of the three: 明天下午三点.
    Moment(Moment),
    /// So many minutes after it is said: 过半小时.
    Minutes(i32),
    /// A time that leaves the day open: 过几天, 节后.
    Span,
    /// Later, whenever that may be: 回头, 晚点. It names no time.
    Later,
    /// Over already: 昨天, 两个小时前.
    Past,
}

/// A point of the calendar, as far as it was named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// The day; `None`: the next one on which the rest is still to come.
    pub day: Option<Day>,
    /// The part of the day.
    pub part: Option<Part>,
    /// The time of the clock.
    pub time: Option<Time>,
}

/// A day, as it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// So many days from today: 今天 is 0, 明天 1.
    In(i32),
    /// So many months from today: 一个月后.
    InMonths(i32),
    /// A weekday, 1 for Monday to 7 for Sunday, of this week (0: 这周三), the next (1: 下周三) …; `None`: whichever comes next (周三).
    Weekday(Option<i8>, i8),
    /// The weekend, that is its Saturday; weeks as above.
    Weekend(Option<i8>),
    /// A day of a month, counted from 1: 八号, 三月五号, 下个月五号.
    Date(Month, u8),
    /// A month's last day: 月底.
    MonthEnd(Month),
    /// A week, whichever day of it: 下周.
    Week(i8),
    /// A month, whichever day of it: 下个月.
    Month(Month),
}

/// A month, as it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Month {
    /// None was: the next that has the day still to come.
    Next,
    /// So many months from this one: 下个月 is 1.
    In(i8),
    /// By its number, from 1.
    Named(u8),
    /// By year and number.
    Of(i16, u8),
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// 早上
    Morning,
    /// 上午
    Forenoon,
    /// 中午
    Noon,
    /// 下午
    Afternoon,
    /// 傍晚
    Dusk,
    /// 下班以后
    AfterWork,
    /// 晚上
    Evening,
    /// 半夜, 凌晨
    Night,
}

/// A time of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// As it was said: which half of the day it lies in may be open, and there may be no such time (25点).
    Clock {
        /// The hour, as said.
        hour: u8,
        /// The minute.
        minute: u8,
        /// It was said in the way of the 24-hour clock (15:30, 03点).
        full: bool,
    },
    /// That at which it is said: 明天这个时候.
    Same,
}

impl Meaning {
    /// Whether it names a time, be it one that leaves the day open.
    #[must_use]
    pub fn names(&self) -> bool {
        matches!(self, Self::Moment(_) | Self::Minutes(_) | Self::Span)
    }
}

impl Moment {
    /// This one with what it leaves open filled in from one that was named before it; `None` where it
    /// leaves nothing open that the other fills in.
    ///
    /// 明天, then 下午三点: the day of the one and the time of the other. 下周, then 周三: the weekday of that week.
    #[must_use]
    pub fn after(self, earlier: Self) -> Option<Self> {
        let day = match (earlier.day, self.day) {
            (earlier, None) => earlier,
            (Some(Day::Week(weeks)), Some(Day::Weekday(None, day))) => Some(Day::Weekday(Some(weeks), day)),
            (Some(Day::Week(weeks)), Some(Day::Weekend(None))) => Some(Day::Weekend(Some(weeks))),
            (Some(Day::Month(month)), Some(Day::Date(Month::Next, day))) => Some(Day::Date(month, day)),
            (Some(Day::Month(month)), Some(Day::MonthEnd(Month::Next))) => Some(Day::MonthEnd(month)),
            (None, day) => day,
            (Some(_), Some(_)) => return None,
        };
        let (part, time) = match (self.part, self.time) {
            (None, None) => (earlier.part, earlier.time),
            // The afternoon of what was said before, unless this time says for itself which half of the day it is in.
            (None, Some(time)) => (earlier.part, Some(time)),
            (part, None) if part == earlier.part => (part, earlier.time),
            (part, time) => (part, time),
        };
        Some(Self { day, part, time }).filter(|filled| *filled != self)
    }

    /// Whether a later word may fill it in, or it an earlier one: a day without a time, or a time without a day.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.day.is_none_or(|day| matches!(day, Day::Week(_) | Day::Month(_))) || self.part.is_none() && self.time.is_none()
    }
}
