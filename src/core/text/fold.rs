//! Character tables: what a character is folded to before matching, and how it sounds.
//!
//! Both sides of a match, the lists and the customer's words, go through the same tables, so a character-level
//! fold is enough: NFKC, lower case, traditional to simplified. Characters that normalise to several
//! (`㈱`, `ﬁ`, `½`) or lie outside the Basic Multilingual Plane take the slow path in [`super::units`].

use std::sync::LazyLock;

use ferrous_opencc::{OpenCC, config::BuiltinConfig};
use pinyin::ToPinyin;
use rustc_hash::FxHashMap;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What the tables know of a character, in one word: most characters of a call cost one load.
///
/// The character it folds to, its syllable (9 bits), its [`Class`] (3), and one bit each: it [`pauses`](Self::pauses), it folds to
/// another character; the two highest are for [`recording`](Self::recording).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Info(pub(super) u32);

/// What kind of character something folds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Class {
    /// A letter, digit or Han character.
    Word,
    /// Anything else that is visible and no punctuation: `+`, `%`, emoji.
    Symbol,
    /// A space, or punctuation inside a sentence.
    Clause,
    /// The end of a sentence.
    Sentence,
    /// Leaves no trace: zero-width marks, variation selectors, combining marks.
    Vanishes,
    /// Expands to several characters: take the slow path.
    Expands,
}

/// The syllable of a character that has none.
pub(crate) const NO_SYLLABLE: u16 = 0;

impl Info {
    const EXPANDS: Self = Self((Class::Expands as u32) << Self::CLASS);
    const VANISHES: Self = Self((Class::Vanishes as u32) << Self::CLASS);
    /// The lowest bit of the class.
    pub(super) const CLASS: u32 = 25;
    /// The bits of the class.
    pub(super) const CLASSES: u32 = 7 << Self::CLASS;
    pub(super) const PAUSES: u32 = 1 << 28;
    pub(super) const FOLDED: u32 = 1 << 29;

    fn new(c: u16, folded: u16, sound: u16) -> Self {
        let mut word = u32::from(folded) | u32::from(sound & 0x1FF) << 16 | (class_of(folded) as u32) << Self::CLASS;
        let becomes = char::from_u32(u32::from(folded)).unwrap_or_default();
        if is_hesitation(becomes) || becomes == '个' {
            word |= Self::PAUSES;
        }
        if folded != c {
            word |= Self::FOLDED;
        }
        Self(word | u32::from(crate::core::dial::recorded(becomes)) << 30)
    }

    /// The folded character.
    #[inline]
    pub(crate) const fn ch(self) -> u16 {
        self.0 as u16
    }

    /// The toneless syllable's number, [`NO_SYLLABLE`] where there is none. Homophones share a number.
    #[inline]
    pub(crate) const fn sound(self) -> u16 {
        (self.0 >> 16 & 0x1FF) as u16
    }

    /// A letter, digit or Han character: nearly every character of a call.
    #[inline]
    pub(crate) const fn is_word(self) -> bool {
        self.0 & Self::CLASSES == 0
    }

    #[inline]
    pub(crate) const fn class(self) -> Class {
        match self.0 >> Self::CLASS & 7 {
            0 => Class::Word,
            1 => Class::Symbol,
            2 => Class::Clause,
            3 => Class::Sentence,
            4 => Class::Vanishes,
            _ => Class::Expands,
        }
    }

    /// People say it while they think: a hesitation, or 个, the end of the hesitations 那个 and 这个.
    #[inline]
    pub(crate) const fn pauses(self) -> bool {
        self.0 & Self::PAUSES != 0
    }

    /// As of a character that stands for several, or is one of those it stands for.
    #[inline]
    pub(crate) const fn as_folded(self) -> Self {
        Self(self.0 | Self::FOLDED)
    }

    /// Whether characters of which this is known, taken together, may be a carrier's recording: see [`crate::core::dial`].
    pub(crate) fn recording(infos: impl Iterator<Item = Self>) -> bool {
        infos.fold(0, |all, info| all | info.0) >> 30 == 3
    }
}

/// The tables, indexed by the code of a character of the Basic Multilingual Plane.
pub(crate) struct Tables(Box<[Info]>);

/// The one instance; built in a few milliseconds at first use.
pub(crate) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::build);

impl Tables {
    fn build() -> Self {
        let t2s = OpenCC::from_config(BuiltinConfig::T2s).ok();
        let simplify = |c: char| -> char {
            let (true, Some(opencc)) = (is_han(c), t2s.as_ref()) else { return c };
            let out = opencc.convert(c.encode_utf8(&mut [0; 4]));
            let mut chars = out.chars();
            match (chars.next(), chars.next()) {
                (Some(s), None) if (s as u32) <= 0xFFFF => s,
                _ => c,
            }
        };
        let mut numbers: FxHashMap<&'static str, u16> = FxHashMap::default();
        let mut info = |code: u16| -> Info {
            let Some(c) = char::from_u32(code.into()) else { return Info::VANISHES };
            if is_combining_mark(c) || is_invisible(c) {
                return Info::VANISHES;
            }
            let Some(folded) = fold_char(c, &simplify) else { return Info::EXPANDS };
            let sound = match char::from_u32(folded.into()).and_then(|c| c.to_pinyin()) {
                Some(sound) => {
                    let next = u16::try_from(numbers.len() + 1).unwrap_or(NO_SYLLABLE);
                    *numbers.entry(sound.plain()).or_insert(next)
                }
                None => NO_SYLLABLE,
            };
            Info::new(code, folded, sound)
        };
        let table: Box<[Info]> = (0..=u16::MAX).map(&mut info).collect();
        debug_assert!(numbers.len() <= 0x1FF, "a syllable's number has nine bits");
        Self(table)
    }

    /// What is known of a character; beyond the Basic Multilingual Plane, that it takes the slow path.
    #[inline]
    pub(crate) fn of(&self, c: char) -> Info {
        self.0.get(c as usize).copied().unwrap_or(Info::EXPANDS)
    }

    /// What is known of the characters that UTF-8 writes in three bytes.
    pub(crate) fn wide(&self) -> Wide<'_> {
        Wide(self.0.get(Wide::FIRST..).unwrap_or_default())
    }

    /// As [`of`](Self::of), of a folded character.
    #[inline]
    pub(crate) fn of_folded(&self, ch: u16) -> Info {
        self.0.get(usize::from(ch)).copied().unwrap_or(Info::EXPANDS)
    }

    /// The folded form of a character that expands, as the characters it turns into.
    pub(crate) fn fold_slow(&self, c: char) -> impl Iterator<Item = char> + '_ {
        std::iter::once(c).nfkc().flat_map(char::to_lowercase).filter_map(|c| match self.of(c) {
            info if info.class() == Class::Vanishes => None,
            info if info.class() == Class::Expands => Some(c),
            info => char::from_u32(info.ch().into()),
        })
    }
}

/// The part of the tables for characters that UTF-8 writes in three bytes: all Han characters of the Basic Multilingual Plane and
/// Chinese punctuation.
#[derive(Clone, Copy)]
pub(crate) struct Wide<'a>(&'a [Info]);

impl Wide<'_> {
    /// The first such character.
    const FIRST: usize = 0x800;
    /// What the three bytes of character 0 would come to, were it written so.
    const ZERO: usize = 0xE0 << 12 | 0x80 << 6 | 0x80;

    /// What is known of the character that a text's `bytes` begin with, and what follows it; `None` if it is not written in three
    /// bytes.
    #[inline(always)]
    pub(crate) fn first<'t>(&self, bytes: &'t [u8]) -> Option<(Info, &'t [u8])> {
        let [first, second, third, behind @ ..] = bytes else { return None };
        let code = (usize::from(*first) << 12) + (usize::from(*second) << 6) + usize::from(*third);
        // Of shorter and longer characters' bytes this makes a number beyond the table.
        let info = self.0.get(code.wrapping_sub(Self::ZERO + Self::FIRST))?;
        Some((*info, behind))
    }
}

/// The one character of the Basic Multilingual Plane that a character folds to; `None` where there is no such one.
fn fold_char(c: char, simplify: &impl Fn(char) -> char) -> Option<u16> {
    let mut folded = std::iter::once(c).nfkc().flat_map(char::to_lowercase);
    match (folded.next(), folded.next()) {
        (Some(one), None) => u16::try_from(simplify(one) as u32).ok(),
        _ => None,
    }
}

/// A character that people say while they think.
pub(crate) fn is_hesitation(c: char) -> bool {
    matches!(c, '嗯' | '呃' | '啊' | '额' | '哎' | '唉' | '诶' | '哦' | '噢' | '喔')
}

fn class_of(ch: u16) -> Class {
    let Some(c) = char::from_u32(u32::from(ch)) else { return Class::Symbol };
    match c {
        '。' | '？' | '！' | '；' | '?' | '!' | ';' | '\n' | '\r' | '…' => Class::Sentence,
        '+' | '%' | '=' | '<' | '>' | '$' | '^' | '\u{FFFD}' => Class::Symbol,
        _ if c.is_alphanumeric() => Class::Word,
        _ if c.is_ascii() || c.is_whitespace() || c.is_control() => Class::Clause,
        '\u{00A1}'..='\u{00BF}'
        | '\u{2010}'..='\u{206F}'
        | '\u{3001}'..='\u{303F}'
        | '\u{30FB}'
        | '\u{FE10}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FFEF}' => Class::Clause,
        _ => Class::Symbol,
    }
}

/// Format characters that recognisers and editors leave in text: zero-width spaces and joiners, direction marks, BOM.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Whether `c` is a Han character of the Basic Multilingual Plane.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{3007}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(c: char) -> Option<char> {
        let info = TABLES.of(c);
        (info.class() < Class::Vanishes).then(|| char::from_u32(info.ch().into()).unwrap())
    }

    #[test]
    fn width_case_and_script_fold_to_one_form() {
        for (from, to) in [('Ａ', 'a'), ('５', '5'), ('話', '话'), ('費', '费'), ('不', '不')] {
            assert_eq!(fold(from), Some(to), "{from}");
        }
        assert_eq!(TABLES.of('Ⅷ').class(), Class::Expands, "a numeral of several letters expands");
        assert_eq!(TABLES.of('\u{200B}').class(), Class::Vanishes);
    }

    #[test]
    fn characters_of_three_bytes_are_told_from_their_bytes() {
        let wide = TABLES.wide();
        for c in ('\0'..=char::MAX).step_by(7).chain("\u{7FF}\u{800}不\u{FFFF}\u{10000}".chars()) {
            let mut bytes = [0xBF; 7];
            let length = c.encode_utf8(&mut bytes).len();
            for behind in [0x00, 0x80, 0xBF, 0xC2, 0xE4, 0xF4] {
                bytes[length..].fill(behind);
                let info = wide.first(&bytes[..length.max(3)]).map(|(info, _)| info);
                assert_eq!(info, (length == 3).then(|| TABLES.of(c)), "{c:?}, {behind:x}");
            }
        }
    }

    #[test]
    fn homophones_share_a_syllable() {
        let of = |c: char| TABLES.of(c).sound();
        assert_eq!(of('需'), of('须'));
        assert_eq!(of('微'), of('围'));
        assert_eq!(of('在'), of('再'));
        assert_ne!(of('需'), of('要'));
        assert_eq!(of('a'), NO_SYLLABLE);
    }

    #[test]
    fn slow_folding_expands() {
        assert_eq!(TABLES.fold_slow('㎏').collect::<String>(), "kg");
        assert_eq!(TABLES.fold_slow('\u{FEFF}').count(), 0);
    }
}
