//! Check digits: of bank cards (ISO/IEC 7812-1, Luhn) and of ID cards (ISO 7064 MOD 11-2, as GB 11643 has it); and dates.

/// Whether the last digit checks the others by Luhn's formula.
pub(super) fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match u32::from(*digit) {
            digit if place % 2 == 0 => digit,
            digit if digit > 4 => digit * 2 - 9,
            digit => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The check character that belongs to 17 digits of an ID card.
pub(super) fn id_check(digits: &[u8]) -> char {
    // The weight of the place i from the right, check character included, is 2 to the i.
    let sum = digits.iter().fold(0, |sum, digit| (sum + u32::from(*digit)) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        check => char::from_digit(check, 10).unwrap_or_default(),
    }
}

/// Whether year, month and day are a day of the calendar.
pub(super) fn is_date(year: u32, month: u32, day: u32) -> bool {
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    #[test]
    fn check_digits_of_published_examples() {
        for card in ["4111111111111111", "378282246310005", "6011000990139424", "79927398713"] {
            assert!(is_luhn(&digits(card)), "{card}");
            let mut wrong = digits(card);
            wrong[3] = (wrong[3] + 1) % 10;
            assert!(!is_luhn(&wrong), "{card}");
        }
        // GB 11643-1999.
        assert_eq!(id_check(&digits("11010519491231002")), 'X');
        assert_eq!(id_check(&digits("44052418800101001")), '4');
    }

    #[test]
    fn days_of_the_calendar() {
        assert!(is_date(2000, 2, 29) && is_date(1996, 2, 29) && !is_date(1900, 2, 29) && !is_date(2001, 2, 29));
        assert!(is_date(1949, 12, 31) && !is_date(1949, 4, 31) && !is_date(1949, 13, 1) && !is_date(1949, 0, 1) && !is_date(1949, 1, 0));
    }
}
