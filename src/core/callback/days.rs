//! Days as they are named: 明天, 下周三, 八号, 三月五号, 月底.

use super::letters::Letters;
use super::meaning::{Day, Month, Part};
use super::number::{digit, number, within_number};
use super::times::Read;
use super::words::List;

/// Days by their distance from today. Cantonese 听日, northern 明儿; 明朝 is tomorrow, 今朝 today.
pub(super) const NEAR: [(&[&str], i32); 5] = [
    (&["大大后天", "大大后日"], 4),
    (&["大后天", "大后日", "大后儿", "外后天", "外后日"], 3),
    (&["后天", "后日", "后儿个", "后儿", "后朝"], 2),
    (&["明天", "明儿个", "明儿", "明日", "明个", "听日", "第二天"], 1),
    (&["今天", "今儿个", "今儿", "今日", "今个"], 0),
];

/// Days named together with a part of them.
pub(super) const WITH_PART: [(&[&str], i32, Part); 10] = [
    (&["明早上", "明儿早", "明早", "明晨", "听朝早", "听朝", "明朝"], 1, Part::Morning),
    (&["明上午"], 1, Part::Forenoon),
    (&["明中午"], 1, Part::Noon),
    (&["明下午"], 1, Part::Afternoon),
    (&["明晚上", "明晚", "听晚黑", "听晚"], 1, Part::Evening),
    (&["今早上", "今早", "今晨", "今朝"], 0, Part::Morning),
    (&["今上午"], 0, Part::Forenoon),
    (&["今下午"], 0, Part::Afternoon),
    (&["今晚上", "今晚", "今夜", "今黑"], 0, Part::Evening),
    (&["后晚"], 2, Part::Evening),
];

const WEEKS: &[&str] = &["星期", "礼拜", "周", "拜"];

/// Which week or month, counted from this one.
const WHICH: [(&[&str], i8); 4] =
    [(&["下下个", "下下"], 2), (&["下一个", "下个", "下"], 1), (&["这一个", "这个", "这", "本"], 0), (&["当"], 0)];

/// What a day in figures is not: 三号线, 八号楼.
const NOT_DAYS: &str = "线楼店门院人员机码房桌铺仓库桥称召令角字元本子用";

/// The day named at `from`, and the part of it where one word names both.
pub(super) fn day(letters: &Letters, from: usize) -> Read<(Day, Option<Part>)> {
    // The 后天 in 以后天天 and the 明天 in 说明天气 are none; nor is the 周三 in 每周三 one day.
    if letters.is(from, "后") && letters.before(from).is_some_and(|before| "以之然最往".contains(before)) {
        return None;
    }
    let with_part = || {
        let (end, day, part) = WITH_PART.iter().find_map(|(words, day, part)| Some((letters.any(from, words)?, *day, *part)))?;
        Some(((Day::In(day), Some(part)), end))
    };
    let named = letters.listed(from, List::Day).is_some();
    let near = || NEAR.iter().find_map(|(words, day)| Some(((Day::In(*day), None), letters.any(from, words)?)));
    let plain = |read: Read<Day>| read.map(|(day, end)| ((day, None), end));
    let word = if named { near().or_else(with_part) } else { None };
    let numeric = letters.at(from).is_some_and(|first| digit(first).is_some() || first == '十');
    let counted = letters.is(from, "下这本当周星礼拜月");
    word.or_else(|| if counted { plain(weekday(letters, from)) } else { None })
        .or_else(|| if counted || numeric { plain(date(letters, from)) } else { None })
}

fn which(letters: &Letters, from: usize) -> Read<i8> {
    WHICH.iter().find_map(|(words, which)| Some((*which, letters.any(from, words)?)))
}

/// 周三, 下周三, 这个礼拜天, 周末, 下周.
fn weekday(letters: &Letters, from: usize) -> Read<Day> {
    let (weeks, past) = match which(letters, from) {
        Some((weeks, past)) => (Some(weeks), past),
        None => (None, from),
    };
    let end = letters.any(past, WEEKS)?;
    // 两周一次, 每周三
    let counted = weeks.is_none()
        && letters.before(from).is_some_and(|before| "每一二两三四五六七八九十几半整上".contains(before) || before.is_ascii_digit());
    if counted {
        return None;
    }
    let day = match letters.at(end) {
        Some('末') => return Some((Day::Weekend(weeks), end + 1)),
        Some('一' | '1') => 1,
        Some('二' | '2') => 2,
        Some('三' | '3') => 3,
        Some('四' | '4') => 4,
        Some('五' | '5') => 5,
        Some('六' | '6') => 6,
        Some('日' | '天' | '7') => 7,
        _ => return weeks.map(|weeks| (Day::Week(weeks), end)),
    };
    // 周一鸣 and 周五百块 are not looked for; 星期一个 is no day.
    (!letters.is(end + 1, "个次趟")).then_some((Day::Weekday(weeks, day), end + 1))
}

/// 八号, 三月五号, 下个月五号, 月底, 下个月.
fn date(letters: &Letters, from: usize) -> Read<Day> {
    let (month, past) = match month(letters, from) {
        Some((month, past)) => (month, letters.word(past, "的").unwrap_or(past)),
        None => (Month::Next, from),
    };
    let named = past > from;
    // A date of birth and the number of a house are no days to come.
    if within_number(letters, from)
        || letters.before(from).is_some_and(|before| "年月路街道巷弄村栋幢门场区镇组队座排院苑园楼第点".contains(before))
    {
        return None;
    }
    // 月初, 月底: the 月 of 下个月 serves both.
    let of_month = if named { Some(past) } else { letters.word(from, "月") };
    if let Some(at) = of_month {
        let at = letters.word(at, "月").unwrap_or(at);
        for (words, day) in [(&["初", "头"][..], 1), (&["中旬", "中"], 15), (&["上旬"], 1), (&["下旬"], 21)] {
            if let Some(end) = letters.any(at, words).filter(|_| !letters.is(at + 1, "间等午")) {
                return Some((Day::Date(month, day), end));
            }
        }
        if let Some(end) = letters.any(at, &["底", "末", "尾"]) {
            return Some((Day::MonthEnd(month), end));
        }
    }
    if let Some(day) = number(letters, past).filter(|day| !day.open || day.value > 9)
        && let Some(end) = letters.any(day.end, &["号", "日"]).filter(|end| !letters.is(*end, NOT_DAYS))
    {
        return Some((Day::Date(month, day.value), end));
    }
    let real = !matches!(month, Month::Named(month) | Month::Of(_, month) if !(1..=12).contains(&month));
    (named && real).then(|| (Day::Month(month), letters.word(past, "份").unwrap_or(past)))
}

/// 2027年, 二零二七年
fn year(letters: &Letters, from: usize) -> Read<i16> {
    let end = letters.word(from + 4, "年")?;
    let year = (from..from + 4).try_fold(0i16, |year, at| Some(year * 10 + i16::from(digit(letters.at(at)?)?)))?;
    Some((year, end))
}

/// 下个月, 本月, 三月, 2027年1月.
fn month(letters: &Letters, from: usize) -> Read<Month> {
    if let Some((months, past)) = which(letters, from) {
        return letters.word(past, "月").map(|end| (Month::In(months), end));
    }
    let (year, from) = match year(letters, from) {
        Some((year, past)) => (Some(year), past),
        None => (None, from),
    };
    let named = number(letters, from).filter(|month| !month.open)?;
    let month = year.map_or(Month::Named(named.value), |year| Month::Of(year, named.value));
    letters.word(named.end, "月").map(|end| (month, letters.word(end, "份").unwrap_or(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_by_name() {
        use Day::{Date, In, MonthEnd, Week, Weekday, Weekend};
        for (text, expected) in [
            ("明天", Some(In(1))),
            ("大后天", Some(In(3))),
            ("聽日", Some(In(1))),
            ("明早", Some(In(1))),
            ("周三", Some(Weekday(None, 3))),
            ("这周五", Some(Weekday(Some(0), 5))),
            ("下週一", Some(Weekday(Some(1), 1))),
            ("下个礼拜天", Some(Weekday(Some(1), 7))),
            ("下下周二", Some(Weekday(Some(2), 2))),
            ("周末", Some(Weekend(None))),
            ("下周", Some(Week(1))),
            ("八号", Some(Date(Month::Next, 8))),
            ("32号", Some(Date(Month::Next, 32))),
            ("三月五号", Some(Date(Month::Named(3), 5))),
            ("下个月5號", Some(Date(Month::In(1), 5))),
            ("下个月初", Some(Date(Month::In(1), 1))),
            ("月底", Some(MonthEnd(Month::Next))),
            ("本月底", Some(MonthEnd(Month::In(0)))),
            ("下个月", Some(Day::Month(Month::In(1)))),
            ("三号线", None),
            ("三个月", None),
            ("一周", None),
            ("月亮", None),
        ] {
            assert_eq!(day(&Letters::new(text), 0).map(|((day, _), _)| day), expected, "{text}");
        }
    }
}
