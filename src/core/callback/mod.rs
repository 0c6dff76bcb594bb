//! Callback times: when the customer says to be called again (回电时间).
//!
//! ```text
//!   words of a customer's turn ─► read: expressions ─► context: which of them propose a time ─► choose: the call's last one
//!   the call's clock (started_at, time_zone) + at_ms of the utterance ─────────────────────────► resolve: the moment
//! ```
//!
//! Times are read from the same folded text as phrases are: width, case, traditional characters, recognisers' spaces and hesitations
//! make no difference. What they mean is relative to the moment the utterance began, in the call's time zone.
//!
//! A text is looked through if the script's own list of times hits it, or if it is short and a pair of letters tells that
//! a time may be in it; and only when a verdict is made, from the last utterance on.
//!
//! **What counts.** A time counts where it proposes to talk again: it comes with words of calling again (再打, 打给我, 再聊, 有空 …), it answers a robot
//! line that asks when, or accepts an open invite, the customer is busy or not the right person, or says yes or asks for contact and names
//! little else. It does not count in the past (昨天), in a question (你们周末上班吗), turned down (明天不在), as the customer's own business (我三点下班了) or call
//! (我明天打给你), nor in a turn that refuses, unless words of calling again with it follow the refusal (现在不需要，你下个月再打给我). Who asks never to be
//! called again has no callback, whatever was said before.
//!
//! **Which counts.** The last one of the call; a later one replaces it, but words for some time later (回头, 晚点) replace no time. What the last one
//! leaves open is taken from the one before, where the robot asked when or the turns are next to each other: 明天吧 … 下午三点. Of
//! alternatives (明天或者后天) and of ranges (两点到四点) the first stands.
//!
//! **What it comes to.**
//!
//! | said | means |
//! | --- | --- |
//! | 三点, 八点 | the next such time between 08 and 21 o'clock, so 15:00 for 三点; with a day named, 8 to 12 are in the morning |
//! | 明天, 周三, 8号, 两天后 | that day at 10:00; 今天 at the next of 10, 15 and 19 |
//! | 早上, 上午, 中午, 下午, 傍晚, 下班后, 晚上 | 9:00, 10:00, 12:00, 15:00, 18:00, 18:30, 19:00; where that is past and the part is not over, the next full hour |
//! | 下午三点 alone | today, or tomorrow once that is past; with 今天 it must lie ahead |
//! | 周三 | the next one, never today; 这周三 is of the week from Monday to Sunday that it is said in, 下周三 of the next; 周末 is the Saturday |
//! | 8号, 31号, 三月五号 | the next there is; 月初, 月中, 月底 are the 1st, the 15th and the last day |
//! | 三点以后, 九点之前 | the time itself |
//! | 过半小时, 两个小时后 | so long after it was said, to the second; 三天后, 一个月后 are days |
//! | 下周, 下个月, 过几天, 节后, 凌晨, 25点, 2月30号 | no moment: the words alone |
//! | 回头, 晚点, 等一下, 改天 | no time at all: the words alone, and the script's follow-up stands |
//!
//! A time that the zone's clocks skip is moved forward as they are, of one that they repeat the first counts.

mod choose;
mod clock;
mod context;
mod days;
mod letters;
mod meaning;
mod number;
mod read;
mod resolve;
mod sieve;
mod times;
mod words;

use jiff::Zoned;

pub use clock::CallClock;
pub use meaning::{Day, Meaning, Moment, Month, Part, Time};
pub use resolve::{Resolved, resolve};

pub(crate) use choose::{Heard, Refuses, choose};
pub(crate) use context::{Line, LineAsks};
pub(crate) use read::Times;
pub(crate) use sieve::may_name_time;

/// When the customer said to be called again.
#[derive(Debug, Clone, PartialEq)]
pub struct Callback {
    /// The moment, in the call's time zone; `None` where the words leave it open, or it is not known when or where they were said.
    pub at: Option<Zoned>,
    /// The customer's words; of a time named in two utterances, both.
    pub words: Box<str>,
    /// The event of the last of them: index among the accepted events, from 0.
    pub event: u32,
    /// Hours from when it was said until then, rounded up; 0 without a moment.
    pub within_hours: u32,
    /// A time was named, not only some time later (回头, 晚点): it overrides the script's cadence.
    pub named: bool,
}

impl Callback {
    /// A word on it for those who call back.
    #[must_use]
    pub fn note(&self) -> String {
        match &self.at {
            Some(at) => format!("按客户说的时间回电：{}（{}）", self.words, at.strftime("%Y-%m-%d %H:%M")),
            None => format!("按客户说的时间回电：{}", self.words),
        }
    }
}

/// Words of time in a text, with what each means.
///
/// ```
/// use callgrade::core::callback::{Day, Meaning, Moment, Part, Time, times};
/// let three = Time::Clock { hour: 3, minute: 0, full: false };
/// let moment = Moment { day: Some(Day::In(1)), part: Some(Part::Afternoon), time: Some(three) };
/// assert_eq!(times("你明天下午三点再打"), [(1..7, Meaning::Moment(moment))]);
/// ```
#[must_use]
pub fn times(text: &str) -> Vec<(std::ops::Range<u32>, Meaning)> {
    let letters = letters::Letters::new(text);
    let told = |found: read::Expression| (letters.span(found.letters.start, found.letters.end), found.meaning);
    read::expressions(&letters).into_iter().map(told).collect()
}
