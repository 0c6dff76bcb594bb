//! The pass over a text that cuts it.

use super::{Break, Gap, Unit, Units, points};
use crate::core::text::fold::{Class, Info, TABLES, Wide};

/// A unit for characters outside the Basic Multilingual Plane that do not fold into it; no phrase contains it.
const ASTRAL: u16 = 0xFFFD;

impl Units {
    /// Cuts `text`, reusing the memory of `self`.
    pub(crate) fn cut(&mut self, text: &str) {
        let tables = &*TABLES;
        let wide = tables.wide();
        let mut cutter = Cutter::new(self, text.len() / 3);
        let mut rest = text.as_bytes();
        loop {
            rest = cutter.take_run(wide, rest);
            if let Some((info, behind)) = wide.first(rest)
                && info.class() != Class::Expands
            {
                cutter.take(info);
                rest = behind;
                continue;
            }
            let Some(c) = text.get(text.len() - rest.len()..).and_then(|rest| rest.chars().next()) else { break };
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            match tables.of(c) {
                info if info.class() == Class::Expands => cutter.expand(c),
                info => cutter.take(info),
            }
        }
        let (length, symbols) = (cutter.length, cutter.symbols);
        self.list.truncate(length);
        self.words = length as u32 - symbols;
    }
}

/// A text being cut.
struct Cutter<'a> {
    /// Longer than what was cut so far, so that a unit is written without asking for memory.
    list: &'a mut Vec<Unit>,
    /// Units so far.
    length: usize,
    breaks: &'a mut Vec<Break>,
    /// Of the next character, as in [`Break`].
    shift: u32,
    symbols: u32,
    /// The last unit's character.
    previous: u16,
    /// What precedes the next unit.
    gap: Gap,
}

impl<'a> Cutter<'a> {
    /// With room for some units.
    fn new(units: &'a mut Units, expected: usize) -> Self {
        let Units { list, breaks, .. } = units;
        list.clear();
        list.resize(expected + 4, Unit::NONE);
        breaks.clear();
        Self { list, length: 0, breaks, shift: 0, symbols: 0, previous: 0, gap: Gap::Sentence }
    }

    /// Takes the letters and Han characters at the beginning of `text` that do not repeat the one before and have no part in a
    /// hesitation, and the punctuation between them: nearly all of a text. Gives what is left.
    fn take_run<'t>(&mut self, wide: Wide<'_>, text: &'t [u8]) -> &'t [u8] {
        let (mut length, mut previous) = (self.length, self.previous);
        let slots = self.list.as_mut_slice();
        let mut rest = text;
        loop {
            let begun = length;
            while let Some((info, behind)) = wide.first(rest)
                && info.0 & (Info::CLASSES | Info::PAUSES) == 0
                && info.ch() != previous
                && let Some(slot) = slots.get_mut(length)
            {
                *slot = Unit(Info(info.0));
                previous = info.ch();
                length += 1;
                rest = behind;
            }
            if begun < length
                && let Some(first) = slots.get_mut(begun)
            {
                *first = first.behind(std::mem::replace(&mut self.gap, Gap::None));
            }
            let Some((info, behind)) = wide.first(rest) else { break };
            let Some(opens) = gap_of(info.class()) else { break };
            self.shift = self.shift.wrapping_add(1);
            self.gap = self.gap.max(opens);
            note(self.breaks, length, self.shift);
            rest = behind;
        }
        (self.length, self.previous) = (length, previous);
        rest
    }

    /// Takes any character that does not expand.
    fn take(&mut self, info: Info) {
        match info.class() {
            Class::Word | Class::Symbol => self.push(info),
            class => self.leave_out(gap_of(class).unwrap_or(Gap::Dropped)),
        }
    }

    /// Takes what a character expands to: all of it stands where the character does.
    #[inline(never)]
    fn expand(&mut self, c: char) {
        let at = self.at();
        for part in TABLES.fold_slow(c) {
            let info = match TABLES.of_folded(u16::try_from(part as u32).unwrap_or(ASTRAL)) {
                info if info.class() == Class::Expands => TABLES.of_folded(ASTRAL),
                info => info,
            };
            self.go_on_at(at);
            match info.class() {
                Class::Word | Class::Symbol => self.push(info.as_folded()),
                class => self.open(gap_of(class).unwrap_or(Gap::Dropped)),
            }
        }
        self.go_on_at(at + 1);
    }

    /// The place of the next character in the text.
    fn at(&self) -> u32 {
        self.shift.wrapping_add(self.length as u32)
    }

    fn push(&mut self, info: Info) {
        let ch = info.ch();
        self.symbols += u32::from(!info.is_word());
        let mut passable = info.pauses() || ch == self.previous;
        if ch == '个' as u16 {
            passable = ch == self.previous;
            if points(self.previous)
                && let Some(pointer) = self.length.checked_sub(1).and_then(|last| self.list.get_mut(last))
            {
                *pointer = pointer.begins_hesitation();
            }
        }
        self.previous = ch;
        if self.length == self.list.len() {
            self.list.resize(2 * self.length, Unit::NONE);
        }
        if let Some(slot) = self.list.get_mut(self.length) {
            *slot = Unit::new(info, std::mem::replace(&mut self.gap, Gap::None), passable);
            self.length += 1;
        }
    }

    /// Leaves a character out that makes a gap.
    fn leave_out(&mut self, gap: Gap) {
        self.shift = self.shift.wrapping_add(1);
        self.open(gap);
    }

    fn open(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
        self.note_break();
    }

    /// The next unit is to stand for the character at `at`.
    fn go_on_at(&mut self, at: u32) {
        let shift = at.wrapping_sub(self.length as u32);
        if shift != self.shift {
            self.shift = shift;
            self.note_break();
        }
    }

    fn note_break(&mut self) {
        note(self.breaks, self.length, self.shift);
    }
}

/// The gap that punctuation makes.
#[inline]
const fn gap_of(class: Class) -> Option<Gap> {
    match class {
        Class::Clause => Some(Gap::Clause),
        Class::Sentence => Some(Gap::Sentence),
        Class::Word | Class::Symbol | Class::Vanishes | Class::Expands => None,
    }
}

/// From the unit at `length` on the text is `shift` ahead.
fn note(breaks: &mut Vec<Break>, length: usize, shift: u32) {
    let here = Break { unit: length as u32, shift };
    match breaks.last_mut() {
        Some(last) if last.unit == here.unit => *last = here,
        _ => breaks.push(here),
    }
}
