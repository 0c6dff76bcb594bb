//! The digits of a text, in groups, and the groups in runs: what may be one number.

use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::core::text::letter_set::LetterSet;

/// The value of a digit: ASCII, full-width, or Chinese as numbers are read out.
#[inline]
pub(super) const fn value(c: char) -> Option<u8> {
    if c < '\u{25CB}' {
        return if c.is_ascii_digit() { Some(c as u8 - b'0') } else { None };
    }
    Some(match c {
        '零' | '〇' | '○' | '洞' => 0,
        '一' | '幺' | '壹' => 1,
        '二' | '两' | '兩' | '贰' => 2,
        '三' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '拐' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '勾' | '玖' => 9,
        '\u{FF10}'..='\u{FF19}' => (c as u32 - 0xFF10) as u8,
        _ => return None,
    })
}

/// Whether a digit is spoken: one that stands in ordinary words too (一下, 两个).
pub(super) const fn is_spoken_digit(c: char) -> bool {
    value(c).is_some() && !c.is_ascii() && (c as u32) < 0xFF10
}

/// What a character is to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glyph {
    /// A digit and its value.
    Digit(u8),
    /// The check character X of an ID card, which is ten.
    Cross,
    /// Stands between the groups of a number: space, hyphen, bracket.
    Joint,
    /// A full stop or a dot in the middle.
    Dot,
    /// A pause in speech: comma, stop, hesitation.
    Pause,
    /// Ends a number.
    Other,
}

/// What a character is to a number.
pub(super) fn glyph(c: char) -> Glyph {
    if let Some(value) = value(c) {
        return Glyph::Digit(value);
    }
    match c {
        'x' | 'X' | 'ｘ' | 'Ｘ' | '叉' => Glyph::Cross,
        ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}' | '\u{3000}' | '-' | '－' | '\u{2010}'..='\u{2015}' | '−' | '(' | ')' | '（' | '）' => {
            Glyph::Joint
        }
        '.' | '．' | '·' | '•' => Glyph::Dot,
        ',' | '，' | '、' | '。' | '…' | '嗯' | '呃' | '额' | '啊' | '哦' | '诶' | '唉' | '呢' => Glyph::Pause,
        _ => Glyph::Other,
    }
}

/// The digits.
static DIGITS: LazyLock<LetterSet> = LazyLock::new(|| LetterSet::of_all(|c| value(c).is_some()));
/// What a run of groups is made of, but for the X at its end.
static INSIDE: LazyLock<LetterSet> = LazyLock::new(|| LetterSet::of_all(|c| !matches!(glyph(c), Glyph::Cross | Glyph::Other)));

/// Whether a text may have a run of as many digits. Most of a text need not be looked at for that: a run is as long as its digits at
/// least, so only what may be inside one and stands so far from the last that was looked at.
pub(super) fn may_have_run(text: &str, digits: usize) -> bool {
    // But for the ASCII ones, each takes three bytes.
    let shortest = if text.bytes().any(|byte| byte.is_ascii_digit()) { digits } else { 3 * digits };
    let (inside, is_digit) = (&*INSIDE, &*DIGITS);
    let mut at = shortest.saturating_sub(1);
    while at < text.len() {
        let start = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
        let (before, behind) = text.split_at_checked(start).unwrap_or((text, ""));
        let run = behind.chars().take_while(|c| inside.has(*c));
        let (count, length) = run.fold((0, 0), |(count, length), c| (count + usize::from(is_digit.has(c)), length + c.len_utf8()));
        if length > 0 {
            let earlier = before.chars().rev().take_while(|c| inside.has(*c)).filter(|c| is_digit.has(*c)).count();
            if count + earlier >= digits {
                return true;
            }
        }
        at = at.max(start + length) + shortest;
    }
    false
}

/// What stands between two groups, by what most forbids that they are one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Spaces, hyphens, brackets.
    Joint,
    /// A dot among them.
    Dot,
    /// A pause among them.
    Pause,
}

/// As many characters may stand between two groups of a number.
const WIDEST_GAP: usize = 4;

/// Digits with nothing between them.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// The byte of the first digit.
    pub(super) start: usize,
    /// Past the last one.
    pub(super) end: usize,
    /// Their values.
    pub(super) digits: SmallVec<[u8; 20]>,
    /// What stands between it and the group before; of the first [`Gap::Joint`].
    pub(super) gap: Gap,
    /// Past the X behind it, if there is one; it is then the last of its run.
    pub(super) cross: Option<usize>,
}

/// Hands out the runs of a text: groups with no more between them than may stand inside a number.
pub(super) fn runs(text: &str, mut each: impl FnMut(&[Group])) {
    let mut run: SmallVec<[Group; 8]> = SmallVec::new();
    // The widest kind of gap since the last digit, and its characters.
    let mut between: Option<(Gap, usize)> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let widened = |gap: Gap| Some(between.map_or((gap, 1), |(widest, length)| (widest.max(gap), length + 1)));
        let goes_on = match glyph(c) {
            Glyph::Digit(value) => {
                let begins = between.is_some() || run.is_empty();
                if begins && matches!(chars.peek(), Some((_, '*'))) {
                    // What masking left of a number: its first digit.
                    false
                } else {
                    match run.last_mut().filter(|_| !begins) {
                        Some(group) => {
                            group.digits.push(value);
                            group.end = end;
                        }
                        None => run.push(Group {
                            start: at,
                            end,
                            digits: SmallVec::from_slice(&[value]),
                            gap: between.map_or(Gap::Joint, |(gap, _)| gap),
                            cross: None,
                        }),
                    }
                    between = None;
                    true
                }
            }
            Glyph::Cross => {
                let ends_word = !matches!(chars.peek(), Some((_, next)) if next.is_ascii_alphanumeric());
                let near = between.is_none_or(|gap| gap == (Gap::Joint, 1));
                if let Some(group) = run.last_mut().filter(|_| ends_word && near) {
                    group.cross = Some(end);
                }
                false
            }
            Glyph::Joint => {
                between = widened(Gap::Joint);
                true
            }
            Glyph::Dot => {
                between = widened(Gap::Dot);
                true
            }
            Glyph::Pause => {
                between = widened(Gap::Pause);
                true
            }
            Glyph::Other => false,
        };
        if !goes_on || run.is_empty() || between.is_some_and(|(_, length)| length > WIDEST_GAP) {
            finish(&mut run, &mut between, &mut each);
        }
    }
    finish(&mut run, &mut between, &mut each);
}

fn finish(run: &mut SmallVec<[Group; 8]>, between: &mut Option<(Gap, usize)>, each: &mut impl FnMut(&[Group])) {
    if !run.is_empty() {
        each(run);
        run.clear();
    }
    *between = None;
}
