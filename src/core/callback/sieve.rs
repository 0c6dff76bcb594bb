//! Whether a text may hold words of time at all, told while it is read: most texts do not, and are not looked at again.

use crate::core::text::units::{Gap, Units};

/// Letters that begin a telling pair, see [`seconds`].
const FIRSTS: &[char] = &[
    '今', '明', '后', '听', '早', '清', '朝', '一', '上', '前', '头', '午', '中', '正', '晌', '响', '下', '过', '晏', '傍', '黄', '擦',
    '挨', '收', '放', '晚', '夜', '半', '深', '凌', '周', '期', '拜', '这', '本', '零', '二', '两', '三', '四', '五', '六', '七', '八',
    '九', '十', '几', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '个', '月', '年', '节', '国', '元', '开', '春', '回', '改', '迟',
    '待', '呆', '等', '稍', '转', '到', '随', '以', '隔', '第',
];

/// The same as bits by character code: one load for a letter, from memory that stays near.
static FIRST_BITS: [u64; 1024] = bits(FIRSTS);

const fn bits(letters: &[char]) -> [u64; 1024] {
    let mut bits = [0; 1024];
    let mut rest = letters;
    while let [letter, behind @ ..] = rest {
        let code = *letter as usize & 0xFFFF;
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, below 1024")]
        {
            bits[code / 64] |= 1 << (code % 64);
        }
        rest = behind;
    }
    bits
}

/// What makes a pair with a letter: every word of time that [`super::read`] knows holds such a pair.
fn seconds(first: char) -> &'static str {
    match first {
        '今' | '明' | '后' | '听' => "天日儿个早晚晨朝上下中夜黑晌半年",
        '早' | '清' | '朝' => "上晨间早头",
        '一' => "早会阵点时号日周月天分刻小钟星礼半拜",
        '二' | '两' | '三' | '四' | '六' | '七' | '八' | '九' | '几' | '零' | '0'..='9' => "点时号日月天周分刻小钟星礼半拜",
        '五' | '十' => "点时号日月天周分刻小钟星礼半拜一",
        '个' => "小钟月星礼半",
        '上' => "午半昼晌",
        '前' | '头' => "晌",
        '午' => "前后间",
        '中' | '正' | '晌' | '响' => "午",
        '下' => "午周个月半昼晌晚班次回下星礼一拜",
        '过' => "晌几两半一二三四五六七八九十完会阵段些",
        '晏' => "昼点啲",
        '傍' => "晚黑",
        '黄' => "昏",
        '擦' => "黑",
        '挨' => "晚",
        '收' | '放' => "工了",
        '晚' => "上间黑头点些一",
        '夜' => "晚间里头啲",
        '半' => "夜小个钟天",
        '深' => "夜",
        '凌' => "晨",
        '周' | '期' | '拜' => "一二三四五六日天末1234567",
        '这' | '本' => "周月星礼两几拜",
        '月' => "初头中底末尾上下",
        '年' => "后底前",
        '节' => "后",
        '国' => "庆",
        '元' => "旦",
        '开' => "年",
        '春' => "节",
        '回' | '转' => "头",
        '改' => "天日几",
        '迟' => "点些一啲",
        '待' | '呆' => "会一",
        '等' => "会一哈阵几两",
        '稍' => "后晚",
        '到' | '随' => "时",
        '以' => "后",
        '隔' => "几两",
        '第' => "二",
        _ => "",
    }
}

/// Whether a text that was cut into units may hold words of time.
pub(crate) fn may_name_time(units: &Units) -> bool {
    let mut before: u16 = 0;
    let mut begun = false;
    for unit in &units.list {
        if begun && tells(before, unit.ch, unit.gap) {
            return true;
        }
        before = unit.ch;
        let code = usize::from(before);
        begun = FIRST_BITS.get(code / 64).is_some_and(|bits| bits >> (code % 64) & 1 == 1);
    }
    false
}

#[inline(never)]
fn tells(first: u16, second: u16, gap: Gap) -> bool {
    let (Some(first), Some(second)) = (char::from_u32(first.into()), char::from_u32(second.into())) else { return false };
    // 15:30
    let clock = gap == Gap::Clause && first.is_ascii_digit() && second.is_ascii_digit();
    clock || seconds(first).contains(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_letter_has_a_second_and_is_found() {
        for first in FIRSTS {
            let second = seconds(*first).chars().next().unwrap();
            let mut units = Units::default();
            units.cut(&format!("我{first} {second}"));
            assert!(may_name_time(&units), "{first}{second}");
        }
        for text in ["多少钱啊", "不需要", "你是哪里的", "有点贵", ""] {
            let mut units = Units::default();
            units.cut(text);
            assert!(!may_name_time(&units), "{text}");
        }
    }

    #[test]
    fn whatever_is_read_passes() {
        let said = include_str!("../../../scripts/telemarketing/keywords/answer/time.txt");
        for text in said.lines().filter(|line| !line.starts_with(['#', '/', '!', '@'])) {
            let mut units = Units::default();
            units.cut(text);
            assert!(super::super::times(text).is_empty() || may_name_time(&units), "{text}");
        }
    }
}
