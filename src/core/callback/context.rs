//! Whether words of time propose when to talk again, or say something else: when the shop opens, when the customer leaves.

use std::ops::Range;

use super::letters::Letters;
use super::meaning::{Day, Meaning, Moment, Month};
use super::read::Expression;

/// What the call around an utterance says of the times in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ground {
    /// The robot asked when, or the turn accepts an open invite: a time is the answer.
    pub(super) answers: bool,
    /// The customer is busy, or the one wanted is not there.
    pub(super) busy: bool,
    /// The turn says yes, or asks for contact.
    pub(super) yes: bool,
    /// The robot asked for the address: a number is that of a house.
    pub(super) address: bool,
    /// The turn refuses: up to this place of the text, in Unicode scalar values.
    pub(super) refused: Option<u32>,
}

/// Words of calling again that say so even beside a refusal.
#[rustfmt::skip]
const CALLING: &[&str] = &[
    "再打", "打过来", "打回来", "打来", "打给我", "打我", "打电话", "打个电话", "打这个", "回电", "回个电", "回我", "回拨", "回复我",
    "联系", "来电", "来个电话", "给我电话", "给我打", "给我个电话", "call我", "再拨", "拨过来", "打俾我", "打畀我", "打返",
];
/// Words of talking again that may also put off for good.
#[rustfmt::skip]
const TALKING: &[&str] = &[
    "再说", "再聊", "再谈", "再讲", "再看", "再来", "再约", "再沟通", "再倾", "再找", "聊", "谈", "沟通", "倾", "找我", "有空",
    "有时间", "有闲", "得闲", "得空", "闲着", "空了", "方便", "约个", "约一下", "约时间", "约在", "说吧", "碰", "见面", "过来谈",
    "安排", "上门",
];
const AVAILABLE: &[&str] = &["有空", "有时间", "有闲", "得闲", "得空", "闲着", "空了", "方便", "可以", "再说", "再看"];
/// The customer will call: that is nothing for us to do.
#[rustfmt::skip]
const OWN_CALL: &[&str] = &[
    "我再打", "我再联系", "我会给", "我给您", "我给你", "给您答", "给你答", "我再", "我会再", "我会联系", "我打", "我联系", "我来打", "打过去", "打回去", "联系你", "联系您", "打给你",
    "打给您", "找你", "找您", "给你打", "给您打", "给你回", "给您回", "回你", "回您", "给你电话", "给您电话", "打你", "打您", "通知你",
    "通知您", "告诉你", "告诉您", "答复你", "回复你", "回复您", "给你们", "问你",
];
/// What was done, not what is to be done.
const DONE: &[&str] = &["来过", "联系过", "说过", "问过", "办过", "打了", "已经", "才打", "刚打", "来了", "约了", "打过了"];
/// What the customer does at that time instead.
#[rustfmt::skip]
const DOING: &[&str] = &[
    "送到", "送来", "到达", "开会", "有会", "有个会", "出差", "上班", "上课", "考试", "有事", "有个事", "有点事", "有约", "要去",
    "出去", "出门", "外出", "手术", "体检", "加班", "值班", "睡觉", "要睡", "吃饭", "接孩子", "接小孩", "做饭", "飞机", "高铁", "火车",
    "搬家", "结婚", "装修", "交房", "到期", "续费", "发工资", "开业", "关门", "开门", "营业", "截止", "送货", "发货", "出院", "生日",
    "聚会", "开学", "放假", "忙", "下班", "起床", "回老家", "返工", "收工", "开始", "起飞", "要走", "有课",
];
/// A negation that negates nothing here.
#[rustfmt::skip]
const NO_NEGATION: &[&str] = &[
    "不好意思", "不忙", "没问题", "没事", "不急", "不着急", "不要紧", "不见不散", "不错", "差不多", "不然", "不耽误", "不迟", "不晚",
    "别忘", "不客气", "没关系", "没那么忙", "唔好意思", "唔紧要", "冇问题", "冇事", "行不行", "好不好", "可不可以", "方不方便",
    "有没有", "能不能", "是不是", "要不要", "得唔得", "好唔好", "中不中", "要不", "忙完", "不上班",
];
const NEGATIONS: &str = "不没别冇唔莫未甭勿无";
/// What directly before a time turns it down.
const TURNED_DOWN: &[&str] = &["别", "不要", "不用", "不是", "甭", "莫", "唔好", "勿", "不能", "不到", "没到", "不想", "不许", "不准"];
/// Words of now, at which what is said of another time ends.
const NOW: &[&str] = &["现在", "这会儿", "这会", "目前", "眼下", "这阵", "依家", "而家", "此刻", "当前"];
#[rustfmt::skip]
const ASKING: &[&str] = &[
    "吗", "什么", "怎么", "几点", "几号", "几天", "多少", "多久", "哪", "谁", "为啥", "啥", "咋", "有没有", "能不能", "是不是",
    "会不会", "要不要", "点解", "乜", "边个", "么",
];
/// What makes a proposal of the time before it: 明天吧, 周三也行, 下午可以吗.
#[rustfmt::skip]
const AGREED: &[&str] = &[
    "吧", "好了", "好吗", "好不好", "行", "可以", "得唔得", "得啦", "成吗", "成不", "中不中", "ok", "合适", "没问题", "比较好", "最好",
    "好一点", "啦", "怎么样", "如何",
];
const ALSO: &[&str] = &["再", "也", "都", "就", "应该", "比较", "还", "的话", "那个时候", "时间", "之间", "你看", "您看"];
/// How a robot asks when.
#[rustfmt::skip]
const ASKS_WHEN: &[&str] = &[
    "什么时候", "什么时间", "啥时候", "几时", "何时", "几点", "哪天", "哪一天", "哪个时间", "哪个时候", "周几", "星期几", "礼拜几",
    "几号", "多久以后", "多久之后", "多长时间以后", "约个时间", "约一个时间", "约时间", "约一下时间", "时间方便", "时间合适", "时间段",
    "另约时间", "换个时间",
];
const CHOICES: &[&str] = &["上午", "下午", "晚上", "中午", "明天", "后天", "今天", "周", "星期", "点"];

/// Most letters beside the time in a clause that does nothing but name it.
const MOST_BESIDE: usize = 6;

/// Whether a robot's line asks when.
pub(super) fn asks_when(line: &Letters) -> bool {
    let all = 0..line.len();
    if asks_where(line) {
        return false;
    }
    line.holds(all.clone(), ASKS_WHEN) || line.holds(all.clone(), &["还是"]) && line.holds(all, CHOICES)
}

/// Whether a robot's line asks where the customer lives.
pub(super) fn asks_where(line: &Letters) -> bool {
    line.holds(0..line.len(), &["地址", "小区", "号楼", "几栋", "单元", "门牌", "住在", "住哪", "哪个村"])
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

/// The expressions of an utterance that propose when to talk again, in the order of the text.
pub(super) fn proposals<'a>(letters: &'a Letters, found: &'a [Expression], ground: Ground) -> impl Iterator<Item = &'a Expression> {
    let again = (0..letters.len()).any(|at| calls(letters, at) && !negated(letters, at));
    found.iter().enumerate().filter_map(move |(place, expression)| {
        let until = found.get(place + 1).map_or(letters.len(), |next| next.letters.start);
        proposes(letters, expression, until, again, ground).then_some(expression)
    })
}

fn proposes(letters: &Letters, expression: &Expression, until: usize, again: bool, ground: Ground) -> bool {
    let Range { start, end } = expression.letters;
    if ground.address && matches!(expression.meaning, Meaning::Moment(Moment { day: Some(Day::Date(Month::Next, _)), .. })) {
        return false;
    }
    if expression.meaning == Meaning::Past || turned_down(letters, start) || describes(letters, end) {
        return false;
    }
    let said = said(letters, end, until, ground);
    // 我明天再联系: the customer does.
    let own =
        letters.ends_with(start, &["我"]) && said == Said::Again && !letters.holds(end..until, AVAILABLE) && !calls_me(letters, end, until);
    if said == Said::Against || own {
        return false;
    }
    if let Some(refused) = ground.refused {
        // 现在不需要，你下个月再打给我: a refusal that is over by then, if it says so in as many words.
        let calling = (start..letters.len()).any(|at| letters.any(at, CALLING).is_some() && !negated(letters, at));
        return letters.span(start, end).start >= refused && calling;
    }
    let agreed = agreed(letters, end);
    let clause = letters.clause(start, end);
    let questions = letters.asked(&letters.sentence(start, end)) || letters.holds(end..clause.end, ASKING);
    if questions && said != Said::Again && !agreed {
        return false;
    }
    let beside = clause.len().saturating_sub(expression.letters.len());
    match expression.meaning {
        // 晚点再打, 回头 咱们再聊
        Meaning::Later => {
            let near = end..letters.sentence(start, end).end.min(end + 5);
            said == Said::Again || near.into_iter().any(|at| calls(letters, at) && !negated(letters, at))
        }
        // 半小时再打, and not 一天打多少个.
        _ if expression.bare => {
            let at = letters.any(end, &["吧", "你", "您"]).unwrap_or(end);
            letters.is(at, "再") || letters.any(at, CALLING).is_some() || ground.answers && beside <= 3
        }
        _ => said == Said::Again || again || agreed || ground.answers || ground.busy || ground.yes && beside <= MOST_BESIDE,
    }
}

/// 别明天打, 不是周三.
fn turned_down(letters: &Letters, start: usize) -> bool {
    letters.ends_with(start, TURNED_DOWN) && !letters.ends_with(start, &["是不是", "要不要", "能不能", "想不想"])
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

/// Whether the customer is the one to be called: 打给我.
fn calls_me(letters: &Letters, end: usize, until: usize) -> bool {
    letters.holds(end..until, &["给我", "打我", "找我", "联系我", "回我", "call我", "俾我", "你", "您"])
}

/// What follows a time in its clause, up to the next time or a word of now.
fn said(letters: &Letters, end: usize, until: usize, ground: Ground) -> Said {
    let mut clause_end = letters.clause(end.saturating_sub(1), end).end;
    if clause_end == end && letters.any(end, NO_NEGATION).is_none() && (letters.is(end, NEGATIONS) || letters.any(end, OWN_CALL).is_some())
    {
        // 明天，不行: a pause, no more; 明天上午，我给您回话 likewise.
        clause_end = letters.clause(end, end + 1).end;
    }
    let stop = clause_end.min(until);
    let mut at = end;
    while at < stop {
        if let Some(past) = letters.any(at, NO_NEGATION) {
            at = past;
            continue;
        }
        if letters.any(at, NOW).is_some() {
            return Said::Nothing;
        }
        let freed = ground.busy && letters.word(at, "下班").is_some_and(|past| !letters.is(past, "了"));
        if letters.any(at, OWN_CALL).is_some()
            || letters.any(at, DONE).is_some()
            || letters.word(at, "打过").is_some_and(|past| !letters.is(past, "来去"))
            || letters.any(at, DOING).is_some() && !freed
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
    if letters.any(at, OWN_CALL).is_some() || letters.ends_with(at, &["给你", "给您"]) {
        return false;
    }
    // 找找我的身份证 looks for something.
    let searches = letters.is(at, "找") && letters.before(at) == Some('找');
    letters.any(at, CALLING).is_some() || letters.any(at, TALKING).is_some() && !searches || dials(letters, at)
}

/// 打 by itself, and not the one of 打折, 打扰, 打车.
fn dials(letters: &Letters, at: usize) -> bool {
    letters.is(at, "打")
        && !letters.is(at + 1, "折扰算车卡工球牌印包开听错广针架交疫点滴雷字麻游拼了过断")
        && !letters.before(at).is_some_and(|before| "挨拍自主".contains(before))
}

/// Whether what stands at a place is forbidden: 别再打, 不用打电话.
fn negated(letters: &Letters, at: usize) -> bool {
    const FORBIDS: [&str; 17] =
        ["别", "不要", "不用", "不必", "不许", "不准", "不能", "不想", "甭", "勿", "莫", "唔好", "唔使", "没必要", "不得", "没", "不"];
    let from = letters.clause(at, at + 1).start.max(at.saturating_sub(4));
    letters.holds(from..at, &FORBIDS)
        && !letters.holds(from..at, NO_NEGATION)
        && !letters.holds(from..at, &["不行", "没空", "没时间", "不在"])
}

/// 明天吧, 周三也行.
fn agreed(letters: &Letters, end: usize) -> bool {
    let mut at = end;
    for _ in 0..2 {
        at = letters.any(at, ALSO).unwrap_or(at);
    }
    letters.any(at, AGREED).is_some()
}
