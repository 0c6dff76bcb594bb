//! Whether a text may hold words of time at all, told while it is read: most texts do not, and are not looked at again.

use super::number::digit;
use crate::core::text::letter_set::LetterSet;
use crate::core::text::units::{Gap, Units};

/// Letters that tell by themselves, or begin a telling pair, see [`seconds`].
const FIRSTS: &[char] = &[
    '午', '晌', '昼', '昏', '晨', '夜', '晚', '今', '明', '后', '听', '早', '清', '朝', '一', '二', '两', '俩', '三', '四', '五', '六',
    '七', '八', '九', '十', '几', '零', '〇', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '个', '下', '过', '些', '了', '完', '擦',
    '半', '周', '期', '拜', '这', '本', '月', '年', '节', '国', '元', '春', '回', '转', '改', '迟', '待', '呆', '等', '稍', '到', '以',
    '工', '饭', '会', '忙', '学', '课', '晏', '傍',
];
static FIRST: LetterSet = LetterSet::of(FIRSTS);

/// What makes a pair with a letter: every word of time that [`super::read`] knows holds such a pair, or a letter that tells alone.
fn seconds(first: char) -> &'static str {
    match first {
        '今' | '明' | '后' | '听' => "天日儿个早朝上下中黑半年",
        '早' | '清' | '朝' => "上间早头",
        '一' => "早会阵段点时号日周月天分刻小钟星礼后节以过年",
        '二' | '两' | '俩' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十' | '几' | '零' | '〇' | '0'..='9' => {
            "点时号日周月天分刻小钟星礼年来多"
        }
        '个' => "小钟月星礼半",
        '下' => "周个月半班次回下星礼拜",
        '过' => "会阵段",
        '些' => "天日",
        '了' => "年节班饭",
        '完' => "年节饭会",
        '擦' | '傍' => "黑",
        '半' => "小个钟天年",
        '周' => "一二三四五六日天末1234567",
        '期' | '拜' => "一二三四五六日天1234567",
        '这' | '本' => "周月星礼拜",
        '月' => "初头中底末尾上下",
        '年' => "后底前",
        '节' | '工' | '饭' | '学' | '课' | '会' => "后",
        '国' => "庆",
        '元' => "旦",
        '春' => "节",
        '回' | '转' => "头",
        '改' => "天日几",
        '迟' | '晏' => "点些一啲",
        '待' | '呆' => "会一",
        '等' => "会一哈阵",
        '稍' => "后",
        '到' => "时",
        '以' => "后",
        '忙' => "完",
        _ => "",
    }
}

/// Letters that tell by themselves.
static ALONE: LetterSet = LetterSet::of(&['午', '晌', '昼', '昏', '晨', '夜', '晚']);
/// The second letters of all pairs.
static SECOND: LetterSet = LetterSet::of(&[
    '天', '日', '儿', '个', '早', '朝', '上', '下', '中', '黑', '半', '年', '间', '头', '会', '阵', '段', '点', '时', '号', '周', '月',
    '分', '刻', '小', '钟', '星', '礼', '拜', '后', '节', '以', '过', '来', '多', '班', '次', '回', '饭', '一', '二', '三', '四', '五',
    '六', '末', '初', '底', '尾', '前', '庆', '旦', '几', '些', '啲', '哈', '完', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
]);

/// Longest text, in letters, that is looked through: in a longer one it is left to the script's list of words of time.
const SHORT: usize = 24;

/// Whether a text that was cut into units may hold words of time.
pub(crate) fn may_name_time(units: &Units) -> bool {
    let list = units.list.as_slice();
    let letter = |at: usize| list.get(at).and_then(|unit| char::from_u32(unit.ch().into()));
    let pause = |at: usize| list.get(at).is_some_and(|unit| unit.gap() == Gap::Clause);
    list.len() <= SHORT && (0..list.len()).any(|at| tells(&letter, &pause, at))
}

/// Whether the letter at a place tells, by itself or with the next. `pause` says where a space, comma or colon precedes.
#[inline]
pub(super) fn tells(letter: &impl Fn(usize) -> Option<char>, pause: &impl Fn(usize) -> bool, at: usize) -> bool {
    let Some(first) = letter(at).filter(|first| FIRST.has(*first)) else { return false };
    ALONE.has(first) || letter(at + 1).is_some_and(|second| SECOND.has(second) && pairs(letter, pause, at, first, second))
}

fn pairs(letter: &impl Fn(usize) -> Option<char>, pause: &impl Fn(usize) -> bool, at: usize, first: char, second: char) -> bool {
    let third = letter(at + 2).unwrap_or_default();
    let before = at.checked_sub(1).and_then(letter).unwrap_or_default();
    match second {
        // 有一点 and 一点都 are no times, 十分 and 三年 without more are none.
        '点' if first == '一' => {
            "午上晚早天日号间头末钟".contains(before) || digit(before).is_some() || "钟半多整过左以之前后刻分打再给联".contains(third)
        }
        '分' => "钟后以之再".contains(third) || "点过差".contains(before),
        '年' if digit(first).is_some() => "后以之".contains(third) || digit(third).is_some(),
        // 十来分钟, 三十多分钟, and not 三百多块.
        '来' | '多' => first == '十' && "分天个小".contains(third),
        // 15:30
        '0'..='9' if first.is_ascii_digit() => {
            pause(at + 1) && third.is_ascii_digit() && !letter(at + 3).is_some_and(|fourth| fourth.is_ascii_digit())
        }
        _ => seconds(first).contains(second),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::{LISTS, List};
    use super::*;

    fn passes(text: &str) -> bool {
        let mut units = Units::default();
        units.cut(text);
        may_name_time(&units)
    }

    #[test]
    fn every_second_letter_is_a_second() {
        let missed: String = FIRSTS.iter().flat_map(|first| seconds(*first).chars()).filter(|second| !SECOND.has(*second)).collect();
        assert_eq!(missed, "");
    }

    #[test]
    fn every_first_letter_tells_with_some_second() {
        for first in FIRSTS {
            assert!(seconds(*first).chars().chain(['上']).any(|second| passes(&format!("我{first} {second}后"))), "{first}");
        }
        for text in ["多少钱啊", "不需要", "你是哪里的", "有点贵", "有一点贵", "十分感谢", "三百多块", "138 1234 5678", ""]
        {
            assert!(!passes(text), "{text}");
        }
    }

    #[test]
    fn whatever_is_read_passes() {
        let said = include_str!("../../../scripts/telemarketing/keywords/answer/time.txt");
        let said = said.lines().filter(|line| !line.starts_with(['#', '/', '!', '@']));
        let listed =
            LISTS.iter().filter(|(list, _)| matches!(list, List::Later | List::Spans)).flat_map(|(_, words)| words.iter().copied());
        let missed: Vec<&str> = said.chain(listed).filter(|text| !super::super::times(text).is_empty() && !passes(text)).collect();
        assert!(missed.is_empty(), "{missed:?}");
    }
}
