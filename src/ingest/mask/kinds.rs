//! Which groups of digits are a number of which kind.

use smallvec::SmallVec;

use super::checks::{id_check, is_date, is_luhn};
use super::context::{Context, is_decimal, near_money, spoken_at, width_before};
use super::digits::{Gap, Group, is_spoken_digit};
use super::{Number, NumberKind};

/// A number and where it was found.
pub(super) struct Found {
    pub(super) number: Number,
    /// Its bytes.
    pub(super) span: (usize, usize),
    /// The group to go on with.
    pub(super) next: usize,
}

/// No number has more digits: bank cards come to 19.
const LONGEST: usize = 19;

type Recognise = fn(&Stretch<'_>) -> Option<Number>;

/// The kinds, the surest first: what has a check character and a date is hardly ever anything else.
const KINDS: [Recognise; 4] = [id_card, phone, old_id_card, bank_card];

/// The number that begins with the group `from`: of the surest kind, and of that the longest. `masked_to` is where the number
/// before it ended.
pub(super) fn number_at(text: &str, run: &[Group], from: usize, masked_to: usize) -> Option<Found> {
    let mut digits = 0;
    let fitting = run.get(from..)?.iter().take_while(|group| {
        digits += group.digits.len();
        // Two more: the first and the last may belong to words.
        digits <= LONGEST + 2
    });
    let candidates: SmallVec<[(usize, Stretch<'_>); 8]> = (from..from + fitting.count())
        .rev()
        .flat_map(|to| stretches(text, run, from, to, masked_to).into_iter().map(move |stretch| (to, stretch)))
        .collect();
    KINDS.iter().find_map(|recognise| {
        candidates.iter().find_map(|(to, stretch)| {
            let number = recognise(stretch)?;
            let end = stretch.cross.filter(|_| number.kind == NumberKind::IdCard && stretch.digits.len() == 17).unwrap_or(stretch.end);
            Some(Found { number, span: (stretch.start, end), next: to + 1 })
        })
    })
}

/// Groups that may be one number.
struct Stretch<'a> {
    text: &'a str,
    start: usize,
    /// Past its last digit.
    end: usize,
    digits: SmallVec<[u8; 24]>,
    /// Digits of each group.
    lengths: SmallVec<[usize; 20]>,
    /// Past the X that follows.
    cross: Option<usize>,
    /// A digit is spoken: then it may be grouped in any way, with pauses.
    spoken: bool,
    /// What most forbids that its groups are one number.
    gap: Gap,
    context: Context,
}

/// The groups `from` to `to` as they stand; and, where a spoken digit at their end makes a word with its neighbour (一下, 第一),
/// without it.
fn stretches<'a>(text: &'a str, run: &[Group], from: usize, to: usize, masked_to: usize) -> SmallVec<[Stretch<'a>; 1]> {
    let mut all = SmallVec::new();
    let groups = run.get(from..=to).unwrap_or_default();
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return all };
    if is_decimal(text, run, from, to, masked_to) {
        return all;
    }
    let around = Context::new(text, first.start, last.end, masked_to);
    let last_width = width_before(text, last.end);
    let head = first.digits.len() > 1 && spoken_at(text, first.start) && around.word_before();
    let tail = last.digits.len() > 1 && spoken_at(text, last.end - last_width) && around.word_after();
    for (skip_head, skip_tail) in [(false, false), (false, true), (true, false), (true, true)] {
        if skip_head && !head || skip_tail && !tail {
            continue;
        }
        let mut digits: SmallVec<[u8; 24]> = groups.iter().flat_map(|group| group.digits.iter().copied()).collect();
        let mut lengths: SmallVec<[usize; 20]> = groups.iter().map(|group| group.digits.len()).collect();
        let (mut start, mut end) = (first.start, last.end);
        if skip_tail {
            digits.pop();
            end -= last_width;
            if let Some(length) = lengths.last_mut() {
                *length -= 1;
            }
        }
        if skip_head {
            digits.remove(0);
            start += text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            if let Some(length) = lengths.first_mut() {
                *length -= 1;
            }
        }
        let context = Context::new(text, start, end, masked_to);
        if lengths.contains(&0) || context.is_amount() {
            continue;
        }
        all.push(Stretch {
            text,
            start,
            end,
            digits,
            lengths,
            cross: last.cross.filter(|_| !skip_tail),
            spoken: text.get(start..end).unwrap_or_default().chars().any(is_spoken_digit),
            gap: groups.iter().skip(1).map(|group| group.gap).max().unwrap_or(Gap::Joint),
            context,
        });
    }
    all
}

impl Stretch<'_> {
    /// Grouped as one of `shapes`, or in a way that is not looked at: as one group, digit by digit, spoken.
    fn grouped(&self, lengths: &[usize], shapes: &[&[usize]]) -> bool {
        let singly = self.gap == Gap::Joint && lengths.iter().all(|length| *length == 1);
        self.spoken || lengths.len() == 1 || singly || self.gap == Gap::Joint && shapes.contains(&lengths)
    }
}

fn told(kind: NumberKind, digits: &[u8]) -> Number {
    Number { kind, digits: digits.iter().map(|digit| char::from(b'0' + digit)).collect() }
}

// ─────────────────────────────── telephone numbers ───────────────────────────────

fn phone(stretch: &Stretch<'_>) -> Option<Number> {
    let digits = stretch.digits.as_slice();
    match digits {
        [8, 6, rest @ ..] if stretch.context.plus() => chinese(stretch, rest, 2, true),
        _ if stretch.context.plus() => abroad(stretch),
        [0, 0, 8, 6, rest @ ..] => chinese(stretch, rest, 4, true),
        [8, 6, rest @ ..] => chinese(stretch, rest, 2, false),
        _ => chinese(stretch, digits, 0, false),
    }
}

/// A number of China behind a prefix of `prefix` digits; `country` says that the prefix can be nothing else.
fn chinese(stretch: &Stretch<'_>, digits: &[u8], prefix: usize, country: bool) -> Option<Number> {
    let lengths = without(&stretch.lengths, prefix)?;
    match digits {
        [1, 3..=9, ..] if digits.len() == 11 => mobile(stretch, digits, &lengths),
        // Over the trunk: 013800138000.
        [0, own @ ..] if matches!(own, [1, 3..=9, ..]) && own.len() == 11 => mobile(stretch, own, &without(&lengths, 1)?),
        [0, ..] => landline(stretch, digits, &lengths, 0),
        // +86 400 …: a service.
        [4 | 8, 0, 0, ..] => None,
        // +86 10 …, without the trunk's 0.
        [1, 0, ..] | [2..=9, ..] if country => {
            let trunked: SmallVec<[u8; 24]> = std::iter::once(0).chain(digits.iter().copied()).collect();
            landline(stretch, &trunked, &lengths, 1)
        }
        _ => None,
    }
}

/// What is left of the groups without their first digits, if anything is.
fn without(lengths: &[usize], prefix: usize) -> Option<SmallVec<[usize; 20]>> {
    let mut rest: SmallVec<[usize; 20]> = SmallVec::from_slice(lengths);
    let mut left = prefix;
    while left > 0 {
        let first = rest.first_mut()?;
        let taken = left.min(*first);
        *first -= taken;
        left -= taken;
        if *first == 0 {
            rest.remove(0);
        }
    }
    (!rest.is_empty()).then_some(rest)
}

/// How mobile numbers are grouped so that hardly anything else is: also with dots and commas between. 192.168.10.100 is not.
const MOBILE_SURE: &[&[usize]] = &[&[3, 4, 4], &[4, 4, 3], &[4, 3, 4]];
/// How they are grouped with spaces and hyphens.
#[rustfmt::skip]
const MOBILE: &[&[usize]] = &[
    &[3, 4, 4], &[4, 4, 3], &[4, 3, 4], &[3, 8], &[7, 4], &[3, 3, 5], &[5, 6], &[6, 5],
    &[3, 3, 3, 2], &[3, 2, 3, 3], &[3, 4, 2, 2], &[3, 2, 2, 2, 2],
];

fn mobile(stretch: &Stretch<'_>, digits: &[u8], lengths: &[usize]) -> Option<Number> {
    let sure = MOBILE_SURE.contains(&lengths) && (stretch.gap < Gap::Pause || !near_money(stretch.text, stretch.start, stretch.end));
    (sure || stretch.grouped(lengths, MOBILE)).then(|| told(NumberKind::Phone, digits))
}

/// A landline, `digits` with the trunk's 0; `unwritten` of them are not in the text.
fn landline(stretch: &Stretch<'_>, digits: &[u8], lengths: &[usize], unwritten: usize) -> Option<Number> {
    if stretch.context.in_word() || stretch.context.continues_identifier() {
        return None;
    }
    // 010 and 02x are areas of two digits with numbers of eight; the others have three, and numbers of seven or eight.
    let area = match digits {
        [0, 1, 0, ..] | [0, 2, ..] if digits.len() == 11 => 3,
        [0, 3..=9, ..] if matches!(digits.len(), 11 | 12) => 4,
        _ => return None,
    };
    let (own, written) = (digits.len() - area, area - unwritten);
    // A local number begins with 2 to 8. Where the area stands apart, what follows is one whatever it begins with.
    match digits.get(area) {
        Some(2..=8) => {}
        Some(1 | 9) if lengths.first() == Some(&written) => {}
        _ => return None,
    }
    let shapes: [&[usize]; 4] = [&[written, own], &[written, 4, own - 4], &[written, own - 4, 4], &[written, 2, 2, 2, 2]];
    stretch.grouped(lengths, &shapes).then(|| told(NumberKind::Phone, digits))
}

/// A number of another country, behind a `+`.
fn abroad(stretch: &Stretch<'_>) -> Option<Number> {
    let digits = stretch.digits.as_slice();
    let fits = (8..=15).contains(&digits.len()) && digits.first() != Some(&0) && stretch.gap <= Gap::Dot;
    fits.then(|| told(NumberKind::Phone, digits))
}

// ─────────────────────────────── ID cards ───────────────────────────────

/// The provinces of GB/T 2260, and 83, under which residents from Taiwan are registered.
#[rustfmt::skip]
const PROVINCES: &[u32] = &[
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81,
    82, 83, 91,
];

/// The number that digits are.
fn number_of(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(*digit))
}

/// Whether the 17 digits before the check character begin with a province and go on with a date.
fn is_id_body(body: &[u8]) -> bool {
    let part = |from: usize, to: usize| body.get(from..to).map_or(0, number_of);
    let year = part(6, 10);
    PROVINCES.contains(&part(0, 2)) && (1850..2100).contains(&year) && is_date(year, part(10, 12), part(12, 14))
}

fn id_card(stretch: &Stretch<'_>) -> Option<Number> {
    let (body, check) = match stretch.digits.as_slice() {
        digits if digits.len() == 17 && stretch.cross.is_some() => (digits, 'X'),
        [body @ .., check] if body.len() == 17 => (body, char::from(b'0' + check)),
        _ => return None,
    };
    (is_id_body(body) && id_check(body) == check).then(|| {
        let mut number = told(NumberKind::IdCard, body);
        number.digits.push(check);
        number
    })
}

/// One of before 1999: two digits of the year and no check character. It is told by the new number that took its place.
fn old_id_card(stretch: &Stretch<'_>) -> Option<Number> {
    let digits = stretch.digits.as_slice();
    if digits.len() != 15 || stretch.context.in_word() || !stretch.grouped(&stretch.lengths, &[&[6, 6, 3]]) {
        return None;
    }
    let (place, rest) = digits.split_at_checked(6)?;
    let body: SmallVec<[u8; 24]> = place.iter().chain(&[1, 9]).chain(rest).copied().collect();
    is_id_body(&body).then(|| {
        let mut number = told(NumberKind::IdCard, &body);
        number.digits.push(id_check(&body));
        number
    })
}

// ─────────────────────────────── bank cards ───────────────────────────────

fn bank_card(stretch: &Stretch<'_>) -> Option<Number> {
    let digits = stretch.digits.as_slice();
    if !(13..=LONGEST).contains(&digits.len()) || stretch.context.in_word() || !is_issued(digits) || !is_luhn(digits) {
        return None;
    }
    let (last, fours) = stretch.lengths.split_last()?;
    let in_fours = stretch.gap == Gap::Joint && (1..=4).contains(last) && fours.iter().all(|length| *length == 4);
    let shapes: [&[usize]; 3] = [&[4, 6, 5], &[4, 6, 4], &[6, digits.len() - 6]];
    (in_fours || stretch.grouped(&stretch.lengths, &shapes)).then(|| told(NumberKind::BankCard, digits))
}

/// Whether cards begin so: those of the international schemes and of China's banks. What begins otherwise is an order number or
/// a timestamp, of which one in ten has Luhn's check digit by chance.
fn is_issued(digits: &[u8]) -> bool {
    match digits {
        // Of 13 digits there were only Visa's, and there are milliseconds.
        [first, ..] if digits.len() == 13 => *first == 4,
        [3..=6 | 8 | 9, ..] | [1, 0, 3, ..] => true,
        [2, ..] => (2221..=2720).contains(&number_of(digits.get(..4).unwrap_or_default())),
        _ => false,
    }
}
