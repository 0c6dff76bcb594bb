//! Where clauses begin and end: what `^` and `$` before and after a phrase ask for.

use super::fold::is_hesitation;
use super::units::{Gap, Unit, Units};

/// Whether a clause begins at `start`, a hesitation or a repetition of the phrase before it aside.
pub(crate) fn starts_clause(units: &Units, start: usize, length: usize) -> bool {
    let list = units.list.as_slice();
    let mut at = start;
    loop {
        match list.get(at) {
            None => return false,
            Some(unit) if unit.gap() >= Gap::Clause => return true,
            Some(_) => {}
        }
        let Some(before) = at.checked_sub(1).and_then(|before| list.get(before)) else { return true };
        if char::from_u32(u32::from(before.ch())).is_some_and(is_hesitation) || list.get(at).is_some_and(|unit| unit.ch() == before.ch()) {
            at -= 1;
        } else if at >= length && same(list, at - length, at, length) {
            at -= length;
        } else {
            return false;
        }
    }
}

/// Whether a clause ends after `end`, a hesitation, softener or repetition aside.
pub(crate) fn ends_clause(units: &Units, end: usize, length: usize) -> bool {
    let list = units.list.as_slice();
    let mut at = end;
    loop {
        if units.gap_after(at) >= Gap::Clause {
            return true;
        }
        let (Some(here), Some(next)) = (list.get(at), list.get(at + 1)) else { return true };
        let softener = char::from_u32(u32::from(next.ch())).is_some_and(|c| is_hesitation(c) || matches!(c, '哈' | '呀' | '哟'));
        if softener || here.ch() == next.ch() {
            at += 1;
        } else if at + 1 >= length && same(list, at + 1 - length, at + 1, length) {
            at += length;
        } else {
            return false;
        }
    }
}

fn same(list: &[Unit], left: usize, right: usize, length: usize) -> bool {
    match (list.get(left..left + length), list.get(right..right + length)) {
        (Some(left), Some(right)) => left.iter().zip(right).all(|(left, right)| left.ch() == right.ch()),
        _ => false,
    }
}
