//! Finding the words of time in a text.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::context::Ground;
use super::days;
use super::letters::Letters;
use super::meaning::{Day, Meaning, Moment, Time};
use super::number::{digit, number, within_number};
use super::sieve;
use super::times::{self, Read, around};
use super::words::List;
use crate::core::text::letter_set::LetterSet;

/// The words of time of a text, looked for when somebody first asks, and what is known of them since. All of it follows from the text,
/// so it is no part of what tells one from another.
#[derive(Debug, Default)]
pub(crate) struct Times {
    found: OnceLock<Box<[Expression]>>,
    /// Grounds on which none of them proposes anything, one bit each, by their numbers.
    idle: AtomicU32,
}

/// Most that are kept: nobody says more in an utterance, and what is kept of one is to be small.
const MOST_KEPT: usize = 16;

impl Times {
    /// Those of the text, which is always the same.
    pub(super) fn of(&self, text: &str) -> Cow<'_, [Expression]> {
        if let Some(kept) = self.found.get() {
            return Cow::Borrowed(kept);
        }
        let found = expressions(&Letters::new(text));
        if found.len() > MOST_KEPT {
            return Cow::Owned(found);
        }
        Cow::Borrowed(self.found.get_or_init(|| found.into()))
    }

    /// Whether it is known that none of them proposes anything on a ground.
    pub(super) fn are_idle_on(&self, ground: Ground) -> bool {
        ground.number().is_some_and(|ground| self.idle.load(Ordering::Relaxed) >> ground & 1 == 1)
    }

    /// None of them proposes anything on a ground.
    pub(super) fn note_idle_on(&self, ground: Ground) {
        if let Some(ground) = ground.number() {
            self.idle.fetch_or(1 << ground, Ordering::Relaxed);
        }
    }
}

impl Clone for Times {
    fn clone(&self) -> Self {
        Self { found: self.found.clone(), idle: AtomicU32::new(self.idle.load(Ordering::Relaxed)) }
    }
}

impl PartialEq for Times {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

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

/// How far a letter that begins an expression may be from the one that tells of it: 过一个小时.
const REACH: usize = 3;

/// The expressions of a text, from its beginning to its end.
pub(super) fn expressions(letters: &Letters) -> Vec<Expression> {
    let mut found: Vec<Expression> = Vec::new();
    let (letter, pause) = (|at: usize| letters.at(at), |at: usize| letters.colon(at));
    let mut telling = (0..letters.len()).filter(|at| sieve::tells(&letter, &pause, *at)).peekable();
    let mut at = 0;
    while let Some(tells) = telling.peek().copied() {
        if tells < at {
            telling.next();
            continue;
        }
        at = at.max(tells.saturating_sub(REACH));
        match letters.at(at).filter(|ch| BEGINNINGS.has(*ch)).and_then(|_| expression(letters, at)) {
            Some((expression, end)) => {
                found.push(expression);
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
    found
}

/// Letters that an expression may begin with: most cannot.
const BEGINS: &[char] = &[
    '今', '明', '后', '大', '外', '听', '第', '昨', '寻', '琴', '前', '刚', '去', '周', '星', '礼', '拜', '下', '这', '本', '当', '上',
    '月', '早', '清', '一', '朝', '头', '中', '正', '晌', '响', '午', '过', '晏', '傍', '黄', '擦', '挨', '收', '放', '晚', '夜', '三',
    '半', '深', '凌', '差', '零', '〇', '二', '两', '俩', '四', '五', '六', '七', '八', '九', '十', '几', '隔', '再', '等', '停', '歇',
    '改', '迟', '回', '待', '呆', '稍', '转', '到', '以', '年', '春', '节', '国', '元', '开', '好', '吃', '饭', '散', '忙', '0', '1', '2',
    '3', '4', '5', '6', '7', '8', '9',
];
static BEGINNINGS: LetterSet = LetterSet::of(BEGINS);

fn expression(letters: &Letters, from: usize) -> Option<(Expression, usize)> {
    let told = |end: usize, meaning: Meaning, bare: bool| Some((Expression { letters: from..end, meaning, bare }, end));
    let numeric = letters.at(from).is_some_and(|first| digit(first).is_some() || matches!(first, '十' | '几' | '半'));
    if let Some(end) = letters
        .listed(from, List::Past)
        .filter(|_| !(letters.is(from, "前") && letters.before(from).is_some_and(|ch| "以之提从".contains(ch))))
    {
        // 昨天下午三点 is one: its time is not taken for today's.
        let end = behind_day(letters, end).map_or(end, |(_, end)| end);
        return told(end, Meaning::Past, false);
    }
    if let Some(end) = letters.listed(from, List::Spans).filter(|_| !letters.ends_in(from, &["半"]) && !within_number(letters, from)) {
        return told(end, Meaning::Span, false);
    }
    let length = if numeric || letters.is(from, "过隔再等停歇") { length(letters, from) } else { None };
    if let Some((meaning, end, bare)) = length {
        // 两天后下午三点: the day it comes to, and a time of it.
        if let (Meaning::Moment(moment), Some((rest, end))) = (meaning, behind_day(letters, end)) {
            return told(end, Meaning::Moment(Moment { part: rest.part, time: rest.time, ..moment }), bare);
        }
        return told(end, meaning, bare);
    }
    if let Some((moment, end)) = moment(letters, from, numeric) {
        return told(end, Meaning::Moment(moment), false);
    }
    let end = letters.listed(from, List::Later).filter(|end| !is_later_of_something(letters, from, *end))?;
    told(end, Meaning::Later, false)
}

/// 以后 behind something is after that; a 一下 in 等一下我 asks to hold the line, as does 等一下啊.
fn is_later_of_something(letters: &Letters, from: usize, end: usize) -> bool {
    letters.is(from, "以") && (!letters.begins_clause(from) && !letters.ends_in(from, &["那", "就", "等"]) || letters.is(end, "都"))
}

/// A day, a part of it, a time.
fn moment(letters: &Letters, from: usize, numeric: bool) -> Read<Moment> {
    if let Some(((day, part), end)) = days::day(letters, from) {
        let moment = Moment { day: Some(day), part, time: None };
        // 明天或者后天, 周一到周五, 5号6号: the first stands.
        let past = letters.any(end, &["或者", "或", "到", "至"]).or((!letters.begins_clause(end)).then_some(end));
        let other = past.and_then(|past| days::day(letters, past));
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
    let time = || if numeric || letters.is(from, "差") { times::time(letters, from, false) } else { None };
    part_and_time(letters, from).or_else(|| time().map(|(time, end)| (Moment { time: Some(time), ..Moment::default() }, end)))
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
        match letters.listed(at, List::Between) {
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
            .or_else(|| letters.word(half, "个月").map(|end| (of_day(Day::In(15)), end)))
            .or_else(|| letters.word(half, "年").map(|end| (of_day(Day::InMonths(6)), end)));
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
        .or_else(|| read(&["年"], of_day(Day::InMonths(days * 12))))
        .or_else(|| read(&["天", "日"], of_day(Day::In(days))).filter(|(_, end)| letters.is(*end - 1, "天") || letters.is(*end, "后以之")))
}
