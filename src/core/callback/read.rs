//! Finding the words of time in a text.

use std::ops::Range;

use super::days;
use super::letters::Letters;
use super::meaning::{Day, Meaning, Moment, Time};
use super::number::number;
use super::times::{self, Read, around};

/// Words of time in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression {
    /// Its letters.
    pub(super) letters: Range<usize>,
    /// What it means.
    pub(super) meaning: Meaning,
    /// A length of time that nothing says to be waited for: 半小时 in 半小时再打 and in 打了半小时.
    pub(super) bare: bool,
}

/// Words that put off without naming a time.
#[rustfmt::skip]
const LATER: &[&str] = &[
    "晚些时候", "晚点儿", "晚一点", "晚点", "晚些", "晚一些", "迟一点", "迟点", "迟些", "迟啲", "晏啲", "晏点", "夜啲", "回头", "改天",
    "改日", "过一会儿", "过一会", "过会儿", "过会", "一会儿", "一会", "待会儿", "待会", "待一会", "呆会儿", "呆会", "等一会儿",
    "等一会", "等会儿", "等会", "等一下", "等哈儿", "等一哈", "等哈", "等阵", "稍后", "稍晚", "转头", "下次", "下回", "到时候", "以后",
];

/// Words that name a time and leave its day open.
#[rustfmt::skip]
const SPANS: &[&str] = &[
    "过几天", "过两天", "过些天", "过些日子", "过几日", "过两日", "过阵子", "过一阵子", "过一阵", "过段时间", "过一段时间", "过段日子",
    "隔几天", "隔两天", "等几天", "等两天", "这几天", "这两天", "几天以后", "几天后", "改几天", "过几个小时", "过半天", "半天以后",
    "半天后", "过完年", "过了年", "年后", "年底", "年前", "明年", "开年", "春节后", "春节以后", "过完节", "过了节", "节后", "国庆节后",
    "国庆以后", "国庆后", "国庆", "五一后", "五一节", "五一过后", "过完五一", "过了五一", "五一以后", "元旦后", "元旦", "十一以后", "十一后",
];

/// Words of what is over.
#[rustfmt::skip]
const PAST: &[&str] = &[
    "昨天", "昨日", "昨儿", "昨晚", "昨夜", "寻日", "琴日", "前天", "前日", "前晚", "大前天", "前几天", "前两天", "前阵子", "前段时间",
    "上上周", "上个星期", "上个礼拜", "上星期", "上礼拜", "上周", "上个月", "上次", "上回", "刚才", "刚刚", "去年",
];

/// What may stand between a day and its time.
#[rustfmt::skip]
const BETWEEN: &[&str] = &[
    "大概", "大约", "差不多", "最好", "应该", "可能", "也就是", "就是", "的话", "的", "那", "吧", "呢", "就", "在", "嘛", "呀", "哈",
    "约", "是", "你", "您",
];

/// The expressions of a text, from its beginning to its end.
pub(super) fn expressions(letters: &Letters) -> Vec<Expression> {
    let mut found: Vec<Expression> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        match letters.at(at).filter(|ch| begins(*ch)).and_then(|_| expression(letters, at)) {
            Some((expression, end)) => {
                found.push(expression);
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
    found
}

/// Whether an expression may begin with this letter: most cannot.
fn begins(ch: char) -> bool {
    const FIRST: &str = "今明后大外听第昨寻琴前刚去周星礼拜下这本当上月早清一朝头中正晌响午过晏傍黄擦挨收放晚夜三半深凌差零两二四五六七八九十几隔等再停歇改迟回待呆稍转到以随年开春节国元";
    ch.is_ascii_digit() || FIRST.contains(ch)
}

fn expression(letters: &Letters, from: usize) -> Option<(Expression, usize)> {
    let told = |end: usize, meaning: Meaning, bare: bool| Some((Expression { letters: from..end, meaning, bare }, end));
    if let Some(end) =
        letters.any(from, PAST).filter(|_| !(letters.is(from, "前") && letters.before(from).is_some_and(|ch| "以之提从".contains(ch))))
    {
        // 昨天下午三点 is one: its time is not taken for today's.
        let end = behind_day(letters, end).map_or(end, |(_, end)| end);
        return told(end, Meaning::Past, false);
    }
    if let Some(end) = letters.any(from, SPANS) {
        return told(end, Meaning::Span, false);
    }
    if let Some((meaning, end, bare)) = length(letters, from) {
        // 两天后下午三点: the day it comes to, and a time of it.
        if let (Meaning::Moment(moment), Some((rest, end))) = (meaning, behind_day(letters, end)) {
            return told(end, Meaning::Moment(Moment { part: rest.part, time: rest.time, ..moment }), bare);
        }
        return told(end, meaning, bare);
    }
    if let Some((moment, end)) = moment(letters, from) {
        return told(end, Meaning::Moment(moment), false);
    }
    let end = letters.any(from, LATER).filter(|end| !is_later_of_something(letters, from, *end))?;
    told(end, Meaning::Later, false)
}

/// 以后 behind something is after that; a 一下 in 等一下我 asks to hold the line, as does 等一下啊.
fn is_later_of_something(letters: &Letters, from: usize, end: usize) -> bool {
    letters.is(from, "以") && (!letters.begins_clause(from) && !letters.ends_with(from, &["那", "就", "等"]) || letters.is(end, "都"))
}

/// A day, a part of it, a time.
fn moment(letters: &Letters, from: usize) -> Read<Moment> {
    if let Some(((day, part), end)) = days::day(letters, from) {
        let moment = Moment { day: Some(day), part, time: None };
        // 明天或者后天, 周一到周五: the first stands.
        let other = letters.any(end, &["或者", "或", "到", "至"]).and_then(|past| days::day(letters, past));
        let end = around_day(letters, other.map_or(end, |(_, end)| end));
        if part.is_some() {
            let rest = between(letters, end).and_then(|at| times::time(letters, at, true));
            return Some(rest.map_or((moment, end), |(time, end)| (Moment { time: Some(time), ..moment }, end)));
        }
        return Some(match behind_day(letters, end) {
            Some((rest, end)) => (Moment { day: Some(day), ..rest }, end),
            None => (moment, end),
        });
    }
    part_and_time(letters, from)
        .or_else(|| times::time(letters, from, false).map(|(time, end)| (Moment { time: Some(time), ..Moment::default() }, end)))
}

/// Past what follows a day and belongs to it: 周三以后, 八号左右, 下周三那天.
fn around_day(letters: &Letters, end: usize) -> usize {
    letters.any(end, &["以后", "之后", "过后", "以前", "之前", "左右", "前后", "那天", "当天"]).unwrap_or(end)
}

/// What of a day's part and time follows the day itself.
fn behind_day(letters: &Letters, end: usize) -> Read<Moment> {
    if let Some(end) = letters.any(end, &["这个时候", "这个时间", "这个点", "这会儿", "这时候", "同一时间", "同样时间", "呢个时候"])
    {
        return Some((Moment { time: Some(Time::Same), ..Moment::default() }, end));
    }
    // 明天晚上 before 明天晚: the longer word.
    let at = between(letters, end)?;
    if let Some(read) = part_and_time(letters, at) {
        return Some(read);
    }
    if let Some((part, end)) = times::short_part(letters, end) {
        let moment = Moment { part: Some(part), ..Moment::default() };
        let time = times::time(letters, end, true);
        return Some(time.map_or((moment, end), |(time, end)| (Moment { time: Some(time), ..moment }, end)));
    }
    times::time(letters, at, at == end).map(|(time, end)| (Moment { time: Some(time), ..Moment::default() }, end))
}

fn part_and_time(letters: &Letters, from: usize) -> Read<Moment> {
    let (part, end) = times::part(letters, from)?;
    // 上午或者下午: the first stands.
    let end = letters.any(end, &["或者", "或", "到"]).and_then(|past| times::part(letters, past)).map_or(end, |(_, end)| end);
    let moment = Moment { part: Some(part), ..Moment::default() };
    let time = between(letters, end).and_then(|at| times::time(letters, at, true));
    Some(time.map_or((moment, around(letters, end)), |(time, end)| (Moment { time: Some(time), ..moment }, end)))
}

/// Past the words that may stand between a day and its time, at most three of them.
fn between(letters: &Letters, from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..3 {
        match letters.any(at, BETWEEN) {
            Some(past) => at = past,
            None => break,
        }
    }
    (at < letters.len()).then_some(at)
}

/// A length of time to be waited for: 过半小时, 十分钟后, 三天以后, 两个礼拜.
fn length(letters: &Letters, from: usize) -> Option<(Meaning, usize, bool)> {
    let passes = letters.any(from, &["再过", "过", "隔"]);
    // 等我两分钟 may be said to hold the line.
    let waited = passes.or_else(|| letters.any(from, &["再等", "等我", "等", "停", "歇"]));
    let start = waited.unwrap_or(from);
    if waited.is_none() && letters.before(from).is_some_and(|before| before.is_ascii_digit() || "第百千万点".contains(before)) {
        return None;
    }
    let (meaning, end) = amount(letters, start)?;
    if let Some(end) = letters.any(end, &["以前", "之前"]).or_else(|| letters.word(end, "前").filter(|past| !letters.is(*past, "天台面往")))
    {
        return Some((Meaning::Past, end, false));
    }
    let end = letters.word(end, "左右").unwrap_or(end);
    let after = letters.any(end, &["以后", "之后", "过后", "以内", "之内"]);
    let after = after.or_else(|| letters.word(end, "后").filter(|past| !letters.is(*past, "天日来台面")));
    Some((meaning, after.unwrap_or(end), passes.is_none() && after.is_none()))
}

/// 半小时, 一个半小时, 两小时半, 十分钟, 一刻钟, 三天, 两个礼拜, 半个月.
fn amount(letters: &Letters, from: usize) -> Read<Meaning> {
    const HOURS: &[&str] = &["个小时", "小时", "个钟头", "钟头", "个钟"];
    let minutes = |minutes: u16| Meaning::Minutes(minutes.into());
    let of_day = |day: Day| Meaning::Moment(Moment { day: Some(day), ..Moment::default() });
    if let Some(half) = letters.word(from, "半") {
        return letters
            .any(half, HOURS)
            .map(|end| (minutes(30), end))
            .or_else(|| letters.word(half, "个月").map(|end| (of_day(Day::In(15)), end)));
    }
    // 几个小时, 十几分钟: no telling how many.
    let open = letters.word(from, "几").or_else(|| letters.any(from, &["十几", "十多", "好几"]));
    let (value, end, open) = match open {
        Some(end) => (0, end, true),
        None => number(letters, from).map(|number| (number.value, number.end, number.open))?,
    };
    let end = letters.any(end, &["来", "多"]).filter(|past| !letters.is(*past, "天点号")).unwrap_or(end);
    let meaning = |meaning: Meaning| if open { Meaning::Span } else { meaning };
    let count = u16::from(value);
    for half in ["个半小时", "个半钟头", "个半钟"] {
        if let Some(end) = letters.word(end, half) {
            return Some((meaning(minutes(count * 60 + 30)), end));
        }
    }
    if let Some(end) = letters.any(end, HOURS) {
        let half = letters.word(end, "半");
        return Some((meaning(minutes(count * 60 + if half.is_some() { 30 } else { 0 })), half.unwrap_or(end)));
    }
    let days = i32::from(value);
    let read = |words: &[&str], what: Meaning| letters.any(end, words).map(|end| (meaning(what), end));
    read(&["分钟", "分"], minutes(count))
        .or_else(|| read(&["刻钟"], minutes(count * 15)))
        .or_else(|| {
            read(&["个星期", "个礼拜", "星期", "礼拜", "周"], of_day(Day::In(days * 7)))
                .filter(|(_, end)| !letters.is(*end, "一二三四五六日天末年"))
        })
        .or_else(|| read(&["个月"], of_day(Day::InMonths(days))))
        .or_else(|| read(&["天", "日"], of_day(Day::In(days))).filter(|(_, end)| letters.is(*end - 1, "天") || letters.is(*end, "后以之")))
}
