//! Whether words of time propose when to talk again, or say something else: when the shop opens, when the customer leaves.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::OnceLock;

use super::letters::Letters;
use super::meaning::{Day, Meaning, Moment, Month};
use super::read::Expression;
use super::words::{List, Lists, TURNED_DOWN};

/// What the call around an utterance says of the times in it.
#[derive(Clone, Copy)]
pub(super) struct Ground {
    /// What the robot's line before asks.
    pub(super) asks: Asks,
    /// The turn accepts an open invite: a time is the answer.
    pub(super) accepts: bool,
    /// The customer is busy, or the one wanted is not there.
    pub(super) busy: bool,
    /// The turn says yes, or asks for contact.
    pub(super) yes: bool,
    /// The turn refuses: up to this place of the text, in Unicode scalar values.
    pub(super) refused: Option<u32>,
}

impl Ground {
    /// A number below 32 that no other ground has on which nothing is refused.
    pub(super) fn number(&self) -> Option<u32> {
        let bits = [self.accepts, self.busy, self.yes].into_iter().fold(self.asks as u32, |bits, bit| bits << 1 | u32::from(bit));
        self.refused.is_none().then_some(bits)
    }
}

const NEGATIONS: &str = "不没别冇唔莫未甭勿无";

/// Most letters beside the time in a clause that does nothing but name it.
const MOST_BESIDE: usize = 6;
/// The same where the words alone could mean something else: 半小时吧.
const LEAST_BESIDE: usize = 3;

/// How many characters of a robot's line are read for what it asks.
const LINE_END: usize = 40;

/// The robot's line before an utterance: its words, and what they ask as far as it is known.
pub(crate) type Line<'a> = Option<(&'a str, &'a LineAsks)>;

/// What a robot's line asks, found when somebody first wants to know. It follows from the words, so it is no part of what tells one line
/// from another.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineAsks(OnceLock<Asks>);

impl PartialEq for LineAsks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a robot's line asks, as far as times are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    When,
    /// Where the customer lives.
    Where,
    /// Anything else, or nothing.
    Other,
}

/// What a line asks, or nothing if there is none.
pub(super) fn asks(line: Line<'_>) -> Asks {
    line.map_or(Asks::Other, |(text, known)| *known.0.get_or_init(|| asks_in(text)))
}

fn asks_in(text: &str) -> Asks {
    // What a line asks it asks at its end.
    let end = text.char_indices().rev().nth(LINE_END).map_or(text, |(at, _)| text.get(at..).unwrap_or_default());
    let line = Letters::new(end);
    let lists = line.lists(0..line.len());
    match () {
        () if lists.has(List::AsksWhere) => Asks::Where,
        () if lists.has(List::AsksFact) => Asks::Other,
        () if lists.has(List::AsksWhen) || lists.has(List::Or) && lists.has(List::Choices) => Asks::When,
        () => Asks::Other,
    }
}

/// What is said of a time in its own clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Calling or talking again.
    Again,
    /// Nothing that settles it.
    Nothing,
    /// That it does not suit, is over, or is taken.
    Against,
}

/// The expressions of an utterance in the order of the text, and whether each proposes when to talk again.
pub(super) fn weighed<'a>(letters: &'a Letters, found: &'a [Expression], ground: Ground) -> impl Iterator<Item = (&'a Expression, bool)> {
    let again = OnceCell::new();
    found.iter().enumerate().map(move |(place, expression)| {
        let until = found.get(place + 1).map_or(letters.len(), |next| next.letters.start);
        let again = || *again.get_or_init(|| says_again(letters, 0..letters.len()));
        (expression, proposes(letters, expression, until, again, ground))
    })
}

fn proposes(letters: &Letters, expression: &Expression, until: usize, again: impl Fn() -> bool, ground: Ground) -> bool {
    let Range { start, end } = expression.letters;
    let of_month = matches!(expression.meaning, Meaning::Moment(Moment { day: Some(Day::Date(Month::Next, _)), .. }));
    if expression.meaning == Meaning::Past
        || turned_down(letters, start)
        || describes(letters, end)
        || of_month && ground.asks == Asks::Where
    {
        return false;
    }
    let said = said(letters, end, until, ground.busy);
    // 我明天再联系: the customer does.
    let own = said == Said::Again && letters.before(start) == Some('我') && {
        let lists = letters.lists(end..until);
        !lists.has(List::Available) && !lists.has(List::CallsMe)
    };
    if said == Said::Against || own {
        return false;
    }
    if let Some(refused) = ground.refused {
        // 现在不需要，你下个月再打给我: a refusal that is over by then, if it says so in as many words.
        return letters.span(start, end).start >= refused
            && (start..letters.len()).any(|at| letters.listed(at, List::Calling).is_some() && !negated(letters, at));
    }
    let agreed = agreed(letters, end);
    let clause = letters.clause(start, end);
    let questions = || {
        let lists = letters.lists(end..clause.end);
        letters.asked(&letters.sentence(start, end)) || lists.has(List::Asking) && !lists.has(List::Any)
    };
    if said != Said::Again && !agreed && questions() {
        return false;
    }
    let beside = clause.len().saturating_sub(expression.letters.len());
    let answers = |most: usize| beside <= most && (ground.accepts || ground.asks == Asks::When);
    match expression.meaning {
        // 晚点再打, 回头 咱们再聊
        Meaning::Later => {
            said == Said::Again || says_again(letters, end..letters.sentence(start, end).end.min(end + 5)) || answers(LEAST_BESIDE)
        }
        // 半小时再打, and not 一天打多少个.
        _ if expression.bare => {
            let at = letters.any(end, &["吧", "你", "您"]).unwrap_or(end);
            letters.is(at, "再") || letters.listed(at, List::Calling).is_some() || answers(LEAST_BESIDE)
        }
        _ => {
            let yes = || ground.yes || letters.any(0, &["好", "行", "成", "可以", "ok", "得", "中", "妥"]).is_some();
            said == Said::Again || agreed || ground.busy || beside <= MOST_BESIDE && yes() || again() || answers(usize::MAX)
        }
    }
}

/// Whether words of calling or talking again stand in a range, and are not forbidden.
fn says_again(letters: &Letters, range: Range<usize>) -> bool {
    range.into_iter().any(|at| calls(letters, at) && !negated(letters, at))
}

/// 别明天打, 不是周三.
fn turned_down(letters: &Letters, start: usize) -> bool {
    letters.ends_in(start, TURNED_DOWN) && !letters.ends_in(start, &["是不是", "要不要", "能不能", "想不想"])
}

/// 下午的会, 明天是周末: the time belongs to something else.
fn describes(letters: &Letters, end: usize) -> bool {
    match letters.at(end) {
        Some('的') => {
            !letters.begins_clause(end + 1) && letters.any(end + 1, &["时候", "时间", "话", "样子", "吧", "吗", "可以", "行"]).is_none()
        }
        Some('是') => letters.any(end + 1, &["可以", "有", "方便", "行", "没", "不是", "在"]).is_none() && !letters.begins_clause(end + 1),
        _ => false,
    }
}

/// What follows a time in its clause, up to the next time or a word of now.
fn said(letters: &Letters, end: usize, until: usize, busy: bool) -> Said {
    let mut clause_end = letters.clause(end.saturating_sub(1), end).end;
    let goes_on =
        || letters.is(end, NEGATIONS) && letters.listed(end, List::NoNegation).is_none() || letters.listed(end, List::OwnCall).is_some();
    if clause_end == end && goes_on() {
        // 明天，不行: a pause, no more; 明天上午，我给您回话 likewise.
        clause_end = letters.clause(end, end + 1).end;
    }
    let stop = clause_end.min(until);
    let mut at = end;
    while at < stop {
        let (mut lists, mut no_negation, mut doing) = (Lists::default(), None, None);
        for (past, of) in letters.words(at) {
            lists = lists.with(of);
            no_negation = no_negation.or(of.has(List::NoNegation).then_some(past));
            doing = doing.or(of.has(List::Doing).then_some(past));
        }
        if let Some(past) = no_negation {
            at = past;
            continue;
        }
        if lists.has(List::Now) {
            return Said::Nothing;
        }
        if let Some(past) = doing {
            let freed = busy && letters.ends_in(past, &["下班"]) && !letters.is(past, "了");
            // 合同到期再打: when that is done.
            if !freed && letters.any(past, &["再", "以后", "之后", "后", "完"]).is_none() {
                return Said::Against;
            }
        }
        if lists.has(List::OwnCall)
            || lists.has(List::Done)
            || lists.has(List::Dial) && letters.word(at, "打过").is_some_and(|past| !letters.is(past, "来去"))
            || letters.is(at, NEGATIONS)
        {
            return Said::Against;
        }
        if calls(letters, at) {
            return Said::Again;
        }
        at += 1;
    }
    Said::Nothing
}

/// Whether words of calling or talking again stand here.
fn calls(letters: &Letters, at: usize) -> bool {
    let lists = letters.words(at).fold(Lists::default(), |all, (_, lists)| all.with(lists));
    // 找找我的身份证 looks for something.
    let talks = lists.has(List::Talking) && !(letters.is(at, "找") && letters.before(at) == Some('找'));
    (lists.has(List::Calling) || talks || lists.has(List::Dial) && dials(letters, at))
        && !lists.has(List::OwnCall)
        && !letters.ends_in(at, &["给你", "给您"])
}

/// 打 by itself, and not the one of 打折, 打扰, 打车.
fn dials(letters: &Letters, at: usize) -> bool {
    !letters.is(at + 1, "折扰算车卡工球牌印包开听错广针架交疫点滴雷字麻游拼了过断")
        && !letters.before(at).is_some_and(|before| "挨拍自主".contains(before))
}

/// Whether what stands at a place is forbidden: 别再打, 不用打电话.
fn negated(letters: &Letters, at: usize) -> bool {
    let before = letters.clause(at, at + 1).start.max(at.saturating_sub(4))..at;
    let lists = letters.lists(before);
    lists.has(List::Forbids) && !lists.has(List::NoNegation) && !lists.has(List::Unable)
}

/// 明天吧, 周三也行.
fn agreed(letters: &Letters, end: usize) -> bool {
    let mut at = end;
    for _ in 0..2 {
        at = letters.listed(at, List::Also).unwrap_or(at);
    }
    letters.listed(at, List::Agreed).is_some()
}
