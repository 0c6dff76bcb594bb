//! Personal numbers in text: telephone numbers, ID cards and bank cards, written or spoken, masked before anything reads them.
//!
//! | kind | what counts |
//! | --- | --- |
//! | telephone | Chinese mobile numbers, with or without +86, 0086, 86 or the trunk 0; landlines with their area code; any other number of 8 to 15 digits behind a `+`. 400, 800 and other service numbers are nobody's own and stay, and so do landlines without area code, which nothing tells from an amount |
//! | ID card | 18 characters with province, date and check character (GB 11643, ISO 7064 MOD 11-2); the old ones of 15 digits with province and date |
//! | bank card | 13 to 19 digits with an issuer's beginning and the check digit of Luhn (ISO/IEC 7812) |
//!
//! Digits are ASCII, full-width or Chinese as people read them out (幺 一, 零 〇 洞, 两 二, 拐, 勾), in groups as people write
//! them, and of spoken ones with the pauses and hesitations of a recogniser's text. A group of digits that is longer than a kind
//! holds none: what is inside an order number is not looked for. A number in several utterances is not seen, nor one that is
//! keyed in one key an event.
//!
//! Every digit but the first becomes `*`, one character for one, so that evidence keeps its places. The first stays because an
//! utterance that is nothing but a number is a turn, and one without letter, digit or Han character is none; it tells what half
//! a billion mobile numbers have in common. A call's id is never masked: it must not be a telephone number.

mod call;
mod checks;
mod context;
mod digits;
mod key;
mod kinds;
#[cfg(test)]
mod tests;

use smallvec::SmallVec;

pub(in crate::ingest) use call::masked_document;
pub use call::{find_in_event, mask_attributes, mask_event, mask_json, mask_wire_event};
pub use key::MaskKey;

use digits::{Glyph, Group, glyph};

/// What kind of number was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NumberKind {
    /// A telephone number.
    Phone,
    /// An ID card.
    IdCard,
    /// A bank card.
    BankCard,
}

impl NumberKind {
    /// The name used in commands and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::IdCard => "id_card",
            Self::BankCard => "bank_card",
        }
    }
}

/// A number as it was found, before it was masked. It is what masking hides: it belongs in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Number {
    /// What it is.
    pub kind: NumberKind,
    /// Its digits, the same however it was written: a Chinese telephone number without its country, a landline with the 0 of its
    /// area code, another country's with the country and no `+`; an ID card of 18 characters, `X` in upper case, also an old one.
    pub digits: String,
}

/// Shows the kind and how many digits, so that no number gets into a log by way of an error.
impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Number({}, {} digits)", self.kind.as_str(), self.digits.len())
    }
}

impl Number {
    /// The telephone number that a text is about, if there is exactly one.
    #[must_use]
    pub fn phone(text: &str) -> Option<Self> {
        let mut numbers: SmallVec<[Self; 2]> = SmallVec::new();
        mask(text, &mut |number| numbers.push(number));
        match numbers.as_slice() {
            [only] if only.kind == NumberKind::Phone => numbers.pop(),
            _ => None,
        }
    }
}

/// The shortest number is one of 8 digits behind a `+`.
const SHORTEST: usize = 8;

/// The text with its personal numbers masked, each told to `found`; `None` where there are none.
///
/// # Examples
/// ```
/// use callgrade::ingest::mask::mask;
///
/// let masked = mask("我电话是一三八，零零一三，八零零零", &mut |number| assert_eq!(number.digits, "13800138000"));
/// assert_eq!(masked.as_deref(), Some("我电话是一**，****，****"));
/// assert_eq!(mask("一共三百八十块，13800个", &mut |_| {}), None);
/// ```
pub fn mask(text: &str, found: &mut dyn FnMut(Number)) -> Option<String> {
    // Nearly every text ends here.
    if !digits::may_have_run(text, SHORTEST) {
        return None;
    }
    let mut spans: SmallVec<[(usize, usize); 4]> = SmallVec::new();
    digits::runs(text, |run| numbers_of(text, run, &mut spans, found));
    if spans.is_empty() { None } else { Some(starred(text, &spans)) }
}

/// The numbers of a run of groups, from left to right, each as long as it can be.
fn numbers_of(text: &str, run: &[Group], spans: &mut SmallVec<[(usize, usize); 4]>, found: &mut dyn FnMut(Number)) {
    let mut from = 0;
    while from < run.len() {
        let masked_to = spans.last().map_or(0, |(_, end)| *end);
        match kinds::number_at(text, run, from, masked_to) {
            Some(at) => {
                spans.push(at.span);
                found(at.number);
                from = at.next;
            }
            None => from += 1,
        }
    }
}

/// The text with every digit of the spans but their first as `*`.
fn starred(text: &str, spans: &[(usize, usize)]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for &(start, end) in spans {
        masked.push_str(text.get(done..start).unwrap_or_default());
        let mut first = true;
        for c in text.get(start..end).unwrap_or_default().chars() {
            match glyph(c) {
                Glyph::Digit(_) if first => {
                    first = false;
                    masked.push(c);
                }
                Glyph::Digit(_) | Glyph::Cross => masked.push('*'),
                _ => masked.push(c),
            }
        }
        done = end;
    }
    masked.push_str(text.get(done..).unwrap_or_default());
    masked
}
