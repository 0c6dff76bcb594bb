//! The words that the reader of times knows, in lists, and where they stand in a text: found in one pass over its letters.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::{days, times};
use crate::core::text::letter_set::LetterSet;

/// A list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Words of calling again that say so even beside a refusal.
    Calling,
    /// Words of talking again that may also put off for good.
    Talking,
    /// 打 by itself.
    Dial,
    /// What a customer is, not what he does.
    Available,
    /// The customer will call: that is nothing for us to do.
    OwnCall,
    /// The customer is the one to be called.
    CallsMe,
    /// What was done, not what is to be done.
    Done,
    /// What the customer does at that time instead.
    Doing,
    /// A negation that negates nothing here.
    NoNegation,
    /// What forbids the word behind it: 别再打, 不用打电话.
    Forbids,
    /// What forbids nothing behind it: 没空，明天打.
    Unable,
    /// Words of now, at which what is said of another time ends.
    Now,
    /// What makes a question.
    Asking,
    /// Any will do: no question.
    Any,
    /// What makes a proposal of the time before it: 明天吧, 周三也行, 下午可以吗.
    Agreed,
    /// What may stand between a time and its proposal.
    Also,
    /// How a robot asks when.
    AsksWhen,
    /// How a robot asks where the customer lives.
    AsksWhere,
    /// When something was or will be, other than a call.
    AsksFact,
    /// Between two choices.
    Or,
    /// What a robot gives the choice of.
    Choices,
    /// Words that put off without naming a time.
    Later,
    /// Words that name a time and leave its day open.
    Spans,
    /// Words of what is over.
    Past,
    /// What may stand between a day and its time.
    Between,
    /// What follows a time of the clock and belongs to it: 以后 and 之前 keep the time itself.
    Around,
    /// A part of the day, see [`times::PARTS`].
    Part,
    /// A day by its distance from today, see [`days::NEAR`] and [`days::WITH_PART`].
    Day,
}

/// Every list with its words.
pub(super) const LISTS: [(List, &[&str]); 26] = [
    (List::Calling, CALLING),
    (List::Talking, TALKING),
    (List::Dial, DIAL),
    (List::Available, AVAILABLE),
    (List::OwnCall, OWN_CALL),
    (List::CallsMe, CALLS_ME),
    (List::Done, DONE),
    (List::Doing, DOING),
    (List::NoNegation, NO_NEGATION),
    (List::Forbids, FORBIDS),
    (List::Unable, UNABLE),
    (List::Now, NOW),
    (List::Asking, ASKING),
    (List::Any, ANY),
    (List::Agreed, AGREED),
    (List::Also, ALSO),
    (List::AsksWhen, ASKS_WHEN),
    (List::AsksWhere, ASKS_WHERE),
    (List::AsksFact, ASKS_FACT),
    (List::Or, OR),
    (List::Choices, CHOICES),
    (List::Later, LATER),
    (List::Spans, SPANS),
    (List::Past, PAST),
    (List::Between, BETWEEN),
    (List::Around, AROUND),
];

#[rustfmt::skip]
const CALLING: &[&str] = &[
    "再打", "打过来", "打回来", "打来", "打给我", "打我", "打电话", "打个电话", "打这个", "回电", "回个电", "回我", "回拨", "回复我",
    "联系", "来电", "来个电话", "给我电话", "给我打", "给我个电话", "call我", "再拨", "拨过来", "打俾我", "打畀我", "打返",
];
#[rustfmt::skip]
const TALKING: &[&str] = &[
    "再说", "再聊", "再谈", "再讲", "再看", "再来", "再约", "再沟通", "再倾", "再找", "聊", "谈", "沟通", "倾", "找我", "有空",
    "有时间", "有闲", "得闲", "得空", "闲着", "空了", "方便", "约个", "约一下", "约时间", "约在", "说吧", "碰", "见面", "过来谈",
    "安排", "上门",
];
const AVAILABLE: &[&str] = &["有空", "有时间", "有闲", "得闲", "得空", "闲着", "空了", "方便", "可以", "再说", "再看"];
#[rustfmt::skip]
const OWN_CALL: &[&str] = &[
    "我再打", "我再联系", "我会给", "我给您", "我给你", "给您答", "给你答", "我再", "我会再", "我会联系", "我打", "我联系", "我来打",
    "打过去", "打回去", "联系你", "联系您", "打给你", "打给您", "找你", "找您", "给你打", "给您打", "给你回", "给您回", "回你", "回您",
    "给你电话", "给您电话", "打你", "打您", "通知你", "通知您", "告诉你", "告诉您", "答复你", "回复你", "回复您", "给你们", "问你",
];
const DONE: &[&str] = &["来过", "联系过", "说过", "问过", "办过", "打了", "已经", "才打", "刚打", "来了", "约了", "打过了"];
#[rustfmt::skip]
const DOING: &[&str] = &[
    "送到", "送来", "到达", "开会", "有会", "有个会", "出差", "上班", "上课", "考试", "有事", "有个事", "有点事", "有约", "要去",
    "出去", "出门", "外出", "手术", "体检", "加班", "值班", "睡觉", "要睡", "吃饭", "接孩子", "接小孩", "做饭", "飞机", "高铁", "火车",
    "搬家", "结婚", "装修", "交房", "到期", "续费", "发工资", "开业", "关门", "开门", "营业", "截止", "送货", "发货", "出院", "生日",
    "聚会", "开学", "放假", "忙", "下班", "起床", "回老家", "返工", "收工", "开始", "起飞", "要走", "有课",
];
#[rustfmt::skip]
const NO_NEGATION: &[&str] = &[
    "不好意思", "不忙", "没问题", "没事", "不急", "不着急", "不要紧", "不见不散", "不错", "差不多", "不然", "不耽误", "不迟", "不晚",
    "别忘", "不客气", "没关系", "没那么忙", "唔好意思", "唔紧要", "冇问题", "冇事", "行不行", "好不好", "可不可以", "方不方便",
    "有没有", "能不能", "是不是", "要不要", "得唔得", "好唔好", "中不中", "要不", "忙完", "不上班",
];
/// What directly before a time turns it down.
pub(super) const TURNED_DOWN: &[&str] =
    &["别", "不要", "不用", "不是", "甭", "莫", "唔好", "勿", "不能", "不到", "没到", "不想", "不许", "不准"];
const NOW: &[&str] = &["现在", "这会儿", "这会", "目前", "眼下", "这阵", "依家", "而家", "此刻", "当前"];
#[rustfmt::skip]
const ASKING: &[&str] = &[
    "吗", "什么", "怎么", "几点", "几号", "几天", "多少", "多久", "哪", "谁", "为啥", "啥", "咋", "有没有", "能不能", "是不是",
    "会不会", "要不要", "点解", "乜", "边个", "么",
];
#[rustfmt::skip]
const AGREED: &[&str] = &[
    "吧", "好了", "好吗", "好不好", "行", "可以", "得唔得", "得啦", "成吗", "成不", "中不中", "ok", "合适", "没问题", "比较好", "最好",
    "好一点", "啦", "怎么样", "如何", "见",
];
const ALSO: &[&str] = &["再", "也", "都", "就", "应该", "比较", "还", "的话", "那个时候", "时间", "之间", "你看", "您看"];
#[rustfmt::skip]
const ASKS_WHEN: &[&str] = &[
    "什么时候", "什么时间", "啥时候", "几时", "何时", "几点", "哪天", "哪一天", "哪个时间", "哪个时候", "周几", "星期几", "礼拜几",
    "几号", "多久以后", "多久之后", "多长时间以后", "约个时间", "约一个时间", "约时间", "约一下时间", "时间方便", "时间合适", "时间段",
    "另约时间", "换个时间",
];
const CHOICES: &[&str] = &["上午", "下午", "晚上", "中午", "明天", "后天", "今天", "周", "星期", "点"];
#[rustfmt::skip]
const LATER: &[&str] = &[
    "晚些时候", "晚点儿", "晚一点", "晚点", "晚些", "晚一些", "迟一点", "迟点", "迟些", "迟啲", "晏啲", "晏点", "夜啲", "回头", "改天",
    "改日", "过一会儿", "过一会", "过会儿", "过会", "一会儿", "一会", "待会儿", "待会", "待一会", "呆会儿", "呆会", "等一会儿",
    "等一会", "等会儿", "等会", "等一下", "等哈儿", "等一哈", "等哈", "等阵", "稍后", "稍晚", "转头", "下次", "下回", "到时候", "以后",
    "吃完饭", "吃了饭", "午饭后", "晚饭后", "中饭后", "饭后", "开完会", "散会后", "忙完", "下课后", "放学后",
];
#[rustfmt::skip]
const SPANS: &[&str] = &[
    "过几天", "过两天", "过些天", "过些日子", "过几日", "过两日", "过阵子", "过一阵子", "过一阵", "过段时间", "过一段时间", "过段日子",
    "隔几天", "隔两天", "等几天", "等两天", "这几天", "这两天", "几天以后", "几天后", "改几天", "过几个小时", "过半天", "半天以后",
    "半天后", "过完年", "过了年", "年后", "年底", "年前", "明年", "春节后", "春节以后", "过完节", "过了节", "节后", "国庆节后",
    "国庆以后", "国庆后", "国庆", "五一后", "五一节", "五一过后", "五一以后", "元旦后", "元旦",
];
#[rustfmt::skip]
const PAST: &[&str] = &[
    "昨天", "昨日", "昨儿", "昨晚", "昨夜", "寻日", "琴日", "前天", "前日", "前晚", "大前天", "前几天", "前两天", "前阵子", "前段时间",
    "上上周", "上个星期", "上个礼拜", "上星期", "上礼拜", "上周", "上个月", "上次", "上回", "刚才", "刚刚", "去年",
];
#[rustfmt::skip]
const BETWEEN: &[&str] = &[
    "大概", "大约", "差不多", "最好", "应该", "可能", "也就是", "就是", "的话", "的", "那", "吧", "呢", "就", "在", "嘛", "呀", "哈",
    "约", "是", "你", "您",
];
#[rustfmt::skip]
const AROUND: &[&str] = &[
    "来钟", "左右", "前后", "上下", "以后", "之后", "过后", "以前", "之前", "之间", "以内", "之内", "的时候", "那时候", "那会儿",
    "那会", "那阵", "钟", "整", "许",
];
#[rustfmt::skip]
const FORBIDS: &[&str] = &[
    "别", "不要", "不用", "不必", "不许", "不准", "不能", "不想", "甭", "勿", "莫", "唔好", "唔使", "没必要", "不得", "没", "不",
];
const UNABLE: &[&str] = &["不行", "没空", "没时间", "不在"];
const CALLS_ME: &[&str] = &["给我", "打我", "找我", "联系我", "回我", "call我", "俾我", "你", "您"];
const ASKS_WHERE: &[&str] = &["地址", "小区", "号楼", "几栋", "单元", "门牌", "住在", "住哪", "哪个村"];
const ASKS_FACT: &[&str] = &["到期", "装的", "办的", "买的", "用的", "开业", "成立", "上班", "下班", "生日", "出生"];
const ANY: &[&str] = &["都行", "都可以", "都得", "都方便", "都有空", "随便"];
const DIAL: &[&str] = &["打"];
const OR: &[&str] = &["还是"];

/// A word of two letters and more, and the lists it is in.
struct Word {
    /// What follows its first two letters.
    rest: Box<[char]>,
    lists: u32,
}

/// All words.
struct Index {
    /// Their first letters, and the second ones: most letters begin no word.
    firsts: LetterSet,
    seconds: LetterSet,
    /// The letters that are words.
    letters: LetterSet,
    /// Words of one letter, with the lists they are in.
    alone: FxHashMap<char, u32>,
    /// The others by their first two letters, the longest first.
    pairs: FxHashMap<(char, char), Vec<Word>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(Index::build);

impl Index {
    fn build() -> Self {
        let mut index = Self {
            firsts: LetterSet::of(&[]),
            seconds: LetterSet::of(&[]),
            letters: LetterSet::of(&[]),
            alone: FxHashMap::default(),
            pairs: FxHashMap::default(),
        };
        for (list, words) in LISTS {
            words.iter().for_each(|word| index.add(word, list.bit()));
        }
        times::PARTS.iter().flat_map(|(words, _)| *words).for_each(|word| index.add(word, List::Part.bit()));
        days::NEAR.iter().flat_map(|(words, _)| *words).for_each(|word| index.add(word, List::Day.bit()));
        days::WITH_PART.iter().flat_map(|(words, ..)| *words).for_each(|word| index.add(word, List::Day.bit()));
        index.pairs.values_mut().for_each(|words| words.sort_by_key(|word| std::cmp::Reverse(word.rest.len())));
        index
    }

    fn add(&mut self, word: &str, list: u32) {
        let mut letters = word.chars();
        let Some(first) = letters.next() else { return };
        self.firsts.insert(first);
        let Some(second) = letters.next() else {
            self.letters.insert(first);
            *self.alone.entry(first).or_default() |= list;
            return;
        };
        self.seconds.insert(second);
        let rest: Box<[char]> = letters.collect();
        let words = self.pairs.entry((first, second)).or_default();
        match words.iter_mut().find(|word| word.rest == rest) {
            Some(word) => word.lists |= list,
            None => words.push(Word { rest, lists: list }),
        }
    }
}

impl List {
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Some of the lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lists(u32);

impl Lists {
    /// Whether one is among them.
    pub(super) const fn has(self, list: List) -> bool {
        self.0 & list.bit() != 0
    }

    /// These and those.
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The words that begin at `start`, the longest first: where each ends, and its lists.
pub(super) fn words_at(letters: impl Fn(usize) -> Option<char>, start: usize) -> impl Iterator<Item = (usize, Lists)> {
    let index = &*INDEX;
    let first = letters(start).filter(|first| index.firsts.has(*first));
    let second = first.and_then(|_| letters(start + 1)).filter(|second| index.seconds.has(*second));
    let pair = first.zip(second).and_then(|pair| index.pairs.get(&pair));
    let longer = pair.into_iter().flatten().filter_map(move |word| {
        let end = start + 2 + word.rest.len();
        let same = word.rest.iter().zip(start + 2..).all(|(expected, at)| letters(at) == Some(*expected));
        same.then_some((end, Lists(word.lists)))
    });
    let alone = first.filter(|first| index.letters.has(*first)).and_then(|first| index.alone.get(&first));
    longer.chain(alone.map(|lists| (start + 1, Lists(*lists))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_stand() {
        let text: Vec<char> = "你明天再打给我吧".chars().collect();
        let letters = |at: usize| text.get(at).copied();
        let past = |start: usize, list: List| words_at(letters, start).find(|(_, lists)| lists.has(list)).map(|(end, _)| end);
        assert_eq!(past(3, List::Calling), Some(5));
        assert_eq!(past(4, List::Calling), Some(7), "打给我");
        assert_eq!(past(4, List::Dial), Some(5), "打");
        assert_eq!(past(2, List::Calling), None);
    }

    #[test]
    fn lists_have_bits_of_their_own() {
        let bits = LISTS.iter().fold(0u32, |bits, (list, _)| {
            assert_eq!(bits & list.bit(), 0);
            bits | list.bit()
        });
        assert_eq!(bits.count_ones() as usize, LISTS.len());
    }
}
