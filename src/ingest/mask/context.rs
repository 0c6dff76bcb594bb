//! What stands around digits and says that they are something else: money, a decimal, an identifier.

use super::digits::{Gap, Glyph, Group, glyph, is_spoken_digit};

/// The characters around a stretch of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    before: Option<char>,
    /// The one before that.
    second: Option<char>,
    after: Option<char>,
}

impl Context {
    /// Around the bytes `start` to `end`; what ends at `masked_to` is a number that has been masked, and no neighbour.
    pub(super) fn new(text: &str, start: usize, end: usize, masked_to: usize) -> Self {
        let mut back = text.get(masked_to.min(start)..start).unwrap_or_default().chars().rev();
        Self { before: back.next(), second: back.next(), after: text.get(end..).and_then(|rest| rest.chars().next()) }
    }

    /// A `+` stands before it that begins an international number and is not one of a sum.
    pub(super) fn plus(&self) -> bool {
        matches!(self.before, Some('+' | '＋')) && !self.second.is_some_and(|c| c.is_alphanumeric() && !is_han(c))
    }

    /// It is an amount of money, or of anything counted in tens and more.
    pub(super) fn is_amount(&self) -> bool {
        matches!(self.before, Some('¥' | '￥' | '$' | '€' | '£'))
            || matches!(self.after, Some('元' | '块' | '圆' | '万' | '亿' | '%' | '％' | '千' | '百' | '十'))
    }

    /// It is part of a word of letters and digits.
    pub(super) fn in_word(&self) -> bool {
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        letter(self.before) || letter(self.after)
    }

    /// It goes on from an identifier such as a UUID, whose groups a hyphen joins.
    pub(super) fn continues_identifier(&self) -> bool {
        self.before == Some('-') && self.second.is_some_and(|c| c.is_ascii_alphanumeric())
    }

    /// What follows directly makes a word with the digit before it: 一下, 三个.
    pub(super) fn word_after(&self) -> bool {
        self.after.is_some_and(is_word_part)
    }

    /// What stands directly before makes a word with the digit behind it: 第一, 万一.
    pub(super) fn word_before(&self) -> bool {
        self.before.is_some_and(is_word_part)
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
}

/// A Han character that ends a run of groups, unlike a digit and a hesitation.
fn is_word_part(c: char) -> bool {
    is_han(c) && glyph(c) == Glyph::Other
}

/// Whether the digit at a place is a spoken one.
pub(super) fn spoken_at(text: &str, at: usize) -> bool {
    text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(is_spoken_digit)
}

/// Bytes of a text's character before a place.
pub(super) fn width_before(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|head| head.chars().next_back()).map_or(0, char::len_utf8)
}

/// Whether the groups `from` to `to` are the whole or the fraction of a decimal: 13800138000.00.
pub(super) fn is_decimal(text: &str, run: &[Group], from: usize, to: usize, masked_to: usize) -> bool {
    let point = |left: usize, right: usize| match (run.get(left), run.get(right)) {
        (Some(left), Some(right)) => right.gap == Gap::Dot && text.get(left.end..right.start) == Some("."),
        _ => false,
    };
    let fraction = |group: usize| run.get(group).is_some_and(|group| group.digits.len() <= 4);
    let whole = |group: usize| run.get(group).is_some_and(|group| group.end > masked_to);
    point(to, to + 1) && fraction(to + 1) || from.checked_sub(1).is_some_and(|before| point(before, from) && whole(before))
}

/// Whether what stands near the bytes `start` to `end` is about prices, so that 199，1299，2599 are three of them and no telephone
/// number.
pub(super) fn near_money(text: &str, start: usize, end: usize) -> bool {
    let is_money = |c| matches!(c, '元' | '块' | '钱' | '价' | '费' | '租' | '¥' | '￥' | '餐' | '档' | '兆');
    let before = text.get(..start).unwrap_or_default().chars().rev().take(8);
    let after = text.get(end..).unwrap_or_default().chars().take(6);
    before.chain(after).any(is_money)
}
