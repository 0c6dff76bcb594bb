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

/// A folded character's code for "expands to several characters": take the slow path.
pub(crate) const EXPANDS: u16 = 0xFFFF;
/// A folded character's code for "leaves no trace": zero-width marks, variation selectors, combining marks.
pub(crate) const VANISHES: u16 = 0xFFFE;
/// The syllable of a character that has none.
pub(crate) const NO_SYLLABLE: u16 = 0;

/// The tables, indexed by the code of a character of the Basic Multilingual Plane.
pub(crate) struct Tables {
    /// The folded character, or [`EXPANDS`] or [`VANISHES`].
    pub(crate) fold: Box<[u16]>,
    /// The toneless syllable's number, [`NO_SYLLABLE`] where there is none. Homophones share a number.
    pub(crate) syllable: Box<[u16]>,
}

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
                (Some(s), None) if (s as u32) < 0xFFFE => s,
                _ => c,
            }
        };
        let mut fold = vec![0u16; 0x1_0000];
        let mut syllable = vec![NO_SYLLABLE; 0x1_0000];
        let mut numbers: FxHashMap<&'static str, u16> = FxHashMap::default();
        for (code, (fold, syllable)) in fold.iter_mut().zip(&mut syllable).enumerate() {
            let Some(c) = u32::try_from(code).ok().and_then(char::from_u32) else {
                *fold = VANISHES;
                continue;
            };
            *fold = fold_char(c, &simplify);
            if let Some(folded) = char::from_u32(u32::from(*fold)).filter(|_| *fold < VANISHES)
                && let Some(sound) = folded.to_pinyin()
            {
                let next = u16::try_from(numbers.len() + 1).unwrap_or(NO_SYLLABLE);
                *syllable = *numbers.entry(sound.plain()).or_insert(next);
            }
        }
        Self { fold: fold.into(), syllable: syllable.into() }
    }

    /// The folded form of any character, as the characters it turns into.
    pub(crate) fn fold_slow(&self, c: char) -> impl Iterator<Item = char> + '_ {
        std::iter::once(c).nfkc().flat_map(char::to_lowercase).filter_map(|c| match u16::try_from(c as u32) {
            Ok(code) => match self.fold.get(usize::from(code)) {
                Some(&VANISHES) => None,
                Some(&EXPANDS) | None => Some(c),
                Some(&folded) => char::from_u32(u32::from(folded)),
            },
            Err(_) => Some(c),
        })
    }
}

fn fold_char(c: char, simplify: &impl Fn(char) -> char) -> u16 {
    if is_combining_mark(c) || is_invisible(c) {
        return VANISHES;
    }
    let mut folded = std::iter::once(c).nfkc().flat_map(char::to_lowercase);
    match (folded.next(), folded.next()) {
        (Some(one), None) => u16::try_from(simplify(one) as u32).unwrap_or(EXPANDS),
        _ => EXPANDS,
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
        let code = TABLES.fold[c as usize];
        (code < VANISHES).then(|| char::from_u32(u32::from(code)).unwrap())
    }

    #[test]
    fn width_case_and_script_fold_to_one_form() {
        for (from, to) in [('Ａ', 'a'), ('５', '5'), ('話', '话'), ('費', '费'), ('不', '不'), ('Ⅷ', 'x')] {
            if from == 'Ⅷ' {
                assert_eq!(TABLES.fold[from as usize], EXPANDS, "a numeral of several letters expands");
            } else {
                assert_eq!(fold(from), Some(to), "{from}");
            }
        }
        assert_eq!(TABLES.fold['\u{200B}' as usize], VANISHES);
    }

    #[test]
    fn homophones_share_a_syllable() {
        let of = |c: char| TABLES.syllable[c as usize];
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
