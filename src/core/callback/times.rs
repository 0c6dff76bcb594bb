//! Times of the clock and parts of the day: 三点半, 差五分八点, 15:30, 下午, 下晌.

use super::letters::Letters;
use super::meaning::{Part, Time};
use super::number::{Number, number, within_number};
use super::words::List;

/// Something read, and where it ends.
pub(super) type Read<T> = Option<(T, usize)>;

/// The parts of the day.
pub(super) const PARTS: [(&[&str], Part); 8] = [
    (&["大清早", "一大早", "大早上", "朝头早", "清早", "清晨", "早上", "早晨", "一早", "朝早", "早间"], Part::Morning),
    (&["上午", "上半天", "上昼", "前晌", "头晌", "上晌", "午前"], Part::Forenoon),
    (&["中午", "正午", "晌午", "响午", "午间"], Part::Noon),
    (&["下午", "午后", "下昼", "晏昼", "下半晌", "后半晌", "下晌", "后晌", "过晌", "下半天"], Part::Afternoon),
    (&["傍晚", "黄昏", "傍黑", "擦黑", "下晚", "挨晚"], Part::Dusk),
    (
        &["下班以后", "下班之后", "下班过后", "下班后", "下班了", "下了班", "等我下班", "等下班", "收工后", "收了工", "放工后"],
        Part::AfterWork,
    ),
    (&["晚上", "夜晚", "晚间", "夜间", "夜里", "晚黑", "晚头", "夜头"], Part::Evening),
    (&["三更半夜", "后半夜", "大半夜", "半夜", "深夜", "凌晨"], Part::Night),
];

/// The part of the day named at `from`.
pub(super) fn part(letters: &Letters, from: usize) -> Read<Part> {
    letters.listed(from, List::Part)?;
    let (end, part) = PARTS.iter().find_map(|(words, part)| Some((letters.any(from, words)?, *part)))?;
    // 上午好 is a greeting, 下午好吗 a question about the time.
    let greets = letters.is(end, "好") && !letters.is(end + 1, "吗不么啊的");
    (!greets).then_some((part, end))
}

/// A part named by one letter behind its day: 明早, 周五晚.
pub(super) fn short_part(letters: &Letters, from: usize) -> Read<Part> {
    let part = match letters.at(from)? {
        '早' => Part::Morning,
        '晚' => Part::Evening,
        _ => return None,
    };
    // 明天晚点, 明天早些, 明天晚一点: later or earlier, at no time.
    let vague = letters.is(from + 1, "点些饭餐班会课啲") || letters.word(from + 1, "一点").is_some();
    (!vague).then_some((part, from + 1))
}

/// The time of the clock at `from`; `placed` behind a day or a part of it, where 一点 is one o'clock and not a little.
pub(super) fn time(letters: &Letters, from: usize, placed: bool) -> Read<Time> {
    if within_number(letters, from) || letters.before(from).is_some_and(|before| "第之".contains(before)) {
        return None;
    }
    let (time, end) = short_of(letters, from).or_else(|| figures(letters, from)).or_else(|| spoken(letters, from, placed))?;
    Some((time, range_end(letters, around(letters, end))))
}

/// 差五分八点, 差一刻九点.
fn short_of(letters: &Letters, from: usize) -> Read<Time> {
    let past = letters.word(from, "差")?;
    let minutes = number(letters, past)?;
    let (short, past) = match letters.at(minutes.end)? {
        '刻' => (minutes.value.checked_mul(15)?, minutes.end + 1),
        '分' => (minutes.value, letters.word(minutes.end, "分钟").unwrap_or(minutes.end + 1)),
        _ => return None,
    };
    let past = letters.any(past, &["不到", "到"]).unwrap_or(past);
    let hour = number(letters, past)?;
    let end = letters.word(hour.end, "点")?;
    Some((before(clock(hour, 0, false), short)?, end))
}

fn clock(hour: Number, minute: u8, full: bool) -> Time {
    Time::Clock { hour: hour.value, minute, full: full || hour.value > 12 }
}

/// So many minutes before a full hour.
fn before(time: Time, short: u8) -> Option<Time> {
    let Time::Clock { hour, full, .. } = time else { return None };
    let minute = 60u8.checked_sub(short).filter(|minute| *minute < 60)?;
    let hour = match hour {
        0 => 23,
        1 if !full => 12,
        hour => hour - 1,
    };
    Some(Time::Clock { hour, minute, full })
}

/// 15:30
fn figures(letters: &Letters, from: usize) -> Read<Time> {
    let hour = number(letters, from).filter(|hour| hour.figures && letters.colon(hour.end))?;
    let minute = number(letters, hour.end).filter(|minute| minute.figures && minute.end == hour.end + 2)?;
    Some((clock(hour, minute.value, hour.end == from + 2 && letters.is(from, "0")), minute.end))
}

/// 三点, 三点半, 三点一刻, 三点二十, 三点过五分, 八点差五分, 两点多, 15时.
fn spoken(letters: &Letters, from: usize, placed: bool) -> Read<Time> {
    let hour = number(letters, from)?;
    let end = match letters.at(hour.end)? {
        '点' => hour.end + 1,
        '时' if hour.value > 2 && !letters.is(hour.end + 1, "候间常而不段") => hour.end + 1,
        _ => return None,
    };
    // 两点建议, 三点原因, 一点击: no times.
    if letters.is(end, "建意问求原疑击评赞") {
        return None;
    }
    let whole = |minute: u8, end: usize| Some((clock(hour, minute, false), end));
    let behind = letters.word(end, "钟").unwrap_or(end);
    if let Some(end) = letters.word(behind, "半") {
        return whole(30, end);
    }
    let passed = letters.any(behind, &["过", "零"]).filter(|_| !letters.is(behind + 1, "来去后"));
    if let Some(minutes) = number(letters, passed.unwrap_or(behind)) {
        if let Some(end) = letters.word(minutes.end, "刻") {
            return minutes.value.checked_mul(15).filter(|minute| *minute < 60).and_then(|minute| whole(minute, end));
        }
        if let Some(end) = letters.word(minutes.end, "分") {
            return whole(minutes.value, letters.word(end, "钟").unwrap_or(end));
        }
        let spelt = minutes.end >= behind + 2 || minutes.value == 10;
        let another = letters.is(minutes.end, "点时到至个号天月");
        if spelt && !minutes.open && !another {
            return whole(minutes.value, minutes.end);
        }
        // 三点五 is a figure with a decimal point, 三点四点 names two times.
        if !letters.is(minutes.end, "点时") {
            return None;
        }
    }
    if let Some(past) = letters.word(behind, "差") {
        let minutes = number(letters, past)?;
        if let Some(end) = letters.any(minutes.end, &["分钟", "分"]) {
            return Some((before(clock(hour, 0, false), minutes.value)?, end));
        }
    }
    let many = letters.word(behind, "多").filter(|past| !letters.is(*past, "少久"));
    let behind = many.unwrap_or(behind);
    if hour.value == 1 && !hour.figures && behind == end {
        // 一点: one o'clock, or a little of something.
        let marked = around(letters, end) > end || letters.any(end, &["打", "再", "给", "联系"]).is_some();
        let little =
            letters.is(end, "都也儿空时办问没小点事") || letters.before(from).is_some_and(|ch| "有快慢早晚大小多少好".contains(ch));
        if little && around(letters, end) == end || !marked && !placed {
            return None;
        }
    }
    whole(0, behind)
}

/// Past what belongs to a time: 左右, 以后, 之前.
pub(super) fn around(letters: &Letters, from: usize) -> usize {
    let mut end = from;
    while let Some(past) = letters.listed(end, List::Around).or_else(|| one_letter(letters, end)) {
        end = past;
    }
    end
}

fn one_letter(letters: &Letters, from: usize) -> Option<usize> {
    let goes_on = match letters.at(from)? {
        '后' => "天日来儿面台续",
        '前' => "天日台面往",
        '正' => "好在是常",
        _ => return None,
    };
    (!letters.is(from + 1, goes_on)).then_some(from + 1)
}

/// Of 两点到四点 and 三点四点 the first time stands; the end is past the second.
fn range_end(letters: &Letters, end: usize) -> usize {
    let past = letters.any(end, &["到", "至", "或者", "或"]).unwrap_or(end);
    let past = part(letters, past).map_or(past, |(_, past)| past);
    match figures(letters, past).or_else(|| spoken(letters, past, true)) {
        Some((_, second)) => around(letters, second),
        None => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_clock() {
        for (text, expected) in [
            ("三点", Some((3, 0))),
            ("三点钟", Some((3, 0))),
            ("三点半", Some((3, 30))),
            ("3点半", Some((3, 30))),
            ("三點一刻", Some((3, 15))),
            ("三点三刻", Some((3, 45))),
            ("三点二十", Some((3, 20))),
            ("三点五十分", Some((3, 50))),
            ("三点零五", Some((3, 5))),
            ("三点五分", Some((3, 5))),
            ("三点过五分", Some((3, 5))),
            ("差五分八点", Some((7, 55))),
            ("差一刻一点", Some((12, 45))),
            ("八点差五分", Some((7, 55))),
            ("15:30", Some((15, 30))),
            ("１５：３０", Some((15, 30))),
            ("9:05", Some((9, 5))),
            ("15点30", Some((15, 30))),
            ("两点多", Some((2, 0))),
            ("三四点", Some((3, 0))),
            ("十一二点", Some((11, 0))),
            ("两点到四点", Some((2, 0))),
            ("三点以后", Some((3, 0))),
            ("25点", Some((25, 0))),
            ("一点钟", Some((1, 0))),
            ("一点半", Some((1, 30))),
            ("一点", None),
            ("一点都", None),
            ("两点建议", None),
            ("三点五", None),
            ("三个", None),
            ("几点", None),
        ] {
            let found = time(&Letters::new(text), 0, false).map(|(time, _)| match time {
                Time::Clock { hour, minute, .. } => (hour, minute),
                Time::Same => unreachable!(),
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
