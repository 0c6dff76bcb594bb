//! Numbers up to 99, as they are spoken: in figures or in Chinese, 两三 and 三四 for a number that is left open.

use super::letters::Letters;

/// A number in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// Its value; of two in a row (三四点) the first.
    pub(super) value: u8,
    /// Past its last letter.
    pub(super) end: usize,
    /// Two neighbours in a row: 两三天.
    pub(super) open: bool,
    /// Written in figures.
    pub(super) figures: bool,
}

/// Whether the letter before `from` is part of a number too: what begins there is the rest of one.
pub(super) fn within_number(letters: &Letters, from: usize) -> bool {
    letters.before(from).is_some_and(|before| digit(before).is_some() || "十百千万".contains(before))
}

/// The number that begins at `from`.
pub(super) fn number(letters: &Letters, from: usize) -> Option<Number> {
    figures(letters, from).or_else(|| chinese(letters, from))
}

fn figures(letters: &Letters, from: usize) -> Option<Number> {
    let mut value = 0u32;
    let mut end = from;
    while let Some(digit) = letters.at(end).and_then(|ch| ch.to_digit(10)) {
        if end > from && letters.begins_clause(end) {
            break;
        }
        value = value.saturating_mul(10).saturating_add(digit);
        end += 1;
    }
    let value = u8::try_from(value).ok().filter(|value| *value < 100 && end > from)?;
    Some(Number { value, end, open: false, figures: true })
}

fn chinese(letters: &Letters, from: usize) -> Option<Number> {
    let told = |value: u8, end: usize, open: bool| Some(Number { value, end, open, figures: false });
    let at = |index: usize| letters.at(index).filter(|ch| !ch.is_ascii_digit()).and_then(digit);
    let first = at(from);
    if letters.at(from) == Some('十') || first.is_some_and(|tens| tens > 0) && letters.at(from + 1) == Some('十') {
        let (tens, end) = first.map_or((1, from + 1), |tens| (tens, from + 2));
        return match at(end) {
            // 十一二点: eleven or twelve.
            Some(ones) if at(end + 1) == Some(ones + 1) && ones > 0 => told(tens * 10 + ones, end + 2, true),
            Some(ones) if ones > 0 => told(tens * 10 + ones, end + 1, false),
            _ => told(tens * 10, end, false),
        };
    }
    let first = first?;
    match at(from + 1) {
        // 零五分
        Some(ones) if first == 0 => told(ones, from + 2, false),
        Some(second) if second == first + 1 || first == 3 && second == 5 => told(first, from + 2, true),
        // A stutter: 三三点.
        Some(second) if second == first => told(first, from + 2, false),
        _ => told(first, from + 1, false),
    }
}

/// The value of a numeral from 0 to 9, in figures or in Chinese.
pub(super) fn digit(ch: char) -> Option<u8> {
    Some(match ch {
        '0'..='9' => ch as u8 - b'0',
        '零' | '〇' => 0,
        '一' => 1,
        '二' | '两' | '俩' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_they_are_spoken() {
        for (text, value, end, open) in [
            ("三", 3, 1, false),
            ("两点", 2, 1, false),
            ("十", 10, 1, false),
            ("十二", 12, 2, false),
            ("二十", 20, 2, false),
            ("三十一号", 31, 3, false),
            ("15点", 15, 2, false),
            ("１５", 15, 2, false),
            ("零五", 5, 2, false),
            ("三四点", 3, 2, true),
            ("十一二点", 11, 3, true),
            ("三三点", 3, 2, false),
        ] {
            let found = number(&Letters::new(text), 0).unwrap();
            assert_eq!((found.value, found.end, found.open), (value, end, open), "{text}");
        }
        for text in ["点", "123", "几", ""] {
            assert_eq!(number(&Letters::new(text), 0), None, "{text}");
        }
    }
}
