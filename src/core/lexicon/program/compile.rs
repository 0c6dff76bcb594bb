//! From a regular expression to the machine's instructions.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::super::needs::{Most, expand};
use super::{Characters, Gap, Instruction, Words};

/// Most instructions of a program: a pattern beyond is left to the regex crate.
const MOST_INSTRUCTIONS: usize = 4_000;

/// A pattern that matches what `hir` does, last character first. An assertion keeps its place in the text.
pub(super) fn reverse(hir: &Hir) -> Option<Hir> {
    Some(match hir.kind() {
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Literal(literal) => Hir::literal(std::str::from_utf8(&literal.0).ok()?.chars().rev().collect::<String>().into_bytes()),
        HirKind::Capture(capture) => reverse(&capture.sub)?,
        HirKind::Concat(parts) => Hir::concat(parts.iter().rev().map(reverse).collect::<Option<_>>()?),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(reverse).collect::<Option<_>>()?),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition { sub: Box::new(reverse(&repetition.sub)?), ..repetition.clone() }),
    })
}

/// Instructions being put together.
pub(super) struct Compiler {
    pub(super) instructions: Vec<Instruction>,
}

impl Compiler {
    pub(super) fn push(&mut self, instruction: Instruction) -> Option<usize> {
        if self.instructions.len() >= MOST_INSTRUCTIONS {
            return None;
        }
        self.instructions.push(instruction);
        Some(self.instructions.len() - 1)
    }

    fn here(&self) -> u32 {
        self.instructions.len() as u32
    }

    fn set(&mut self, at: usize, instruction: Instruction) {
        if let Some(slot) = self.instructions.get_mut(at) {
            *slot = instruction;
        }
    }

    /// Adds a part; `last`: nothing follows it.
    pub(super) fn add(&mut self, hir: &Hir, last: bool) -> Option<()> {
        if let Some(words) = words(hir).filter(|words| words.len() > 1) {
            self.push(Instruction::Words(Box::new(Words::new(words))))?;
            return Some(());
        }
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                for c in std::str::from_utf8(&literal.0).ok()?.chars() {
                    self.push(Instruction::Char(u16::try_from(c as u32).ok()?))?;
                }
            }
            HirKind::Class(class) => {
                self.push(Instruction::Set(ranges(class)?.into()))?;
            }
            HirKind::Look(Look::Start) => {
                self.push(Instruction::TextStart)?;
            }
            HirKind::Look(Look::End) => {
                self.push(Instruction::TextEnd)?;
            }
            HirKind::Look(_) => return None,
            HirKind::Capture(capture) => self.add(&capture.sub, last)?,
            HirKind::Concat(parts) => {
                for (number, part) in parts.iter().enumerate() {
                    let rest = parts.get(number + 1..).unwrap_or_default();
                    match gap(part, rest, last) {
                        Some(gap) => {
                            self.push(Instruction::Gap(Box::new(gap)))?;
                        }
                        None => self.add(part, last && rest.is_empty())?,
                    }
                }
            }
            HirKind::Alternation(parts) => {
                if let Some(first) = beginnings(hir) {
                    self.push(Instruction::Peek(Box::new(first)))?;
                }
                self.alternation(parts, last)?;
            }
            HirKind::Repetition(repetition) => match gap(hir, &[], last) {
                Some(gap) => {
                    self.push(Instruction::Gap(Box::new(gap)))?;
                }
                None => self.repetition(repetition)?,
            },
        }
        Some(())
    }

    fn alternation(&mut self, parts: &[Hir], last: bool) -> Option<()> {
        let mut ends = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            if number + 1 == parts.len() {
                self.add(part, last)?;
                break;
            }
            let split = self.push(Instruction::Jump(0))?;
            self.add(part, last)?;
            ends.push(self.push(Instruction::Jump(0))?);
            self.set(split, Instruction::Split(split as u32 + 1, self.here()));
        }
        let end = self.here();
        ends.into_iter().for_each(|at| self.set(at, Instruction::Jump(end)));
        Some(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Option<()> {
        // What may match nothing could go round for ever.
        if repetition.max.is_none() && repetition.sub.properties().minimum_len().unwrap_or(0) == 0 {
            return None;
        }
        for _ in 0..repetition.min {
            self.add(&repetition.sub, false)?;
        }
        let split = |more: u32, done: u32| if repetition.greedy { Instruction::Split(more, done) } else { Instruction::Split(done, more) };
        match repetition.max {
            None => {
                let at = self.push(Instruction::Jump(0))?;
                self.add(&repetition.sub, false)?;
                self.push(Instruction::Jump(at as u32))?;
                let done = self.here();
                self.set(at, split(at as u32 + 1, done));
            }
            Some(max) => {
                let mut splits = Vec::new();
                for _ in repetition.min..max {
                    splits.push(self.push(Instruction::Jump(0))?);
                    self.add(&repetition.sub, false)?;
                }
                let done = self.here();
                splits.into_iter().for_each(|at| self.set(at, split(at as u32 + 1, done)));
            }
        }
        Some(())
    }
}

/// What one instruction holds: a larger class is looked up faster as a set, a part repeated more often is a loop.
const MOST_WORDS: Most = Most { literals: 96, members: 4, repeated: 1 };

/// All that a part matches, in the order the regex crate prefers it, if it is not much.
fn words(hir: &Hir) -> Option<Vec<Vec<u16>>> {
    let symbols = |word: String| word.chars().map(|c| u16::try_from(c as u32).ok()).collect();
    expand(hir, MOST_WORDS)?.into_iter().map(symbols).collect()
}

/// A part that passes over some characters, before `rest`; `last`: behind that nothing follows.
fn gap(part: &Hir, rest: &[Hir], last: bool) -> Option<Gap> {
    let HirKind::Repetition(repetition) = part.kind() else { return None };
    let (HirKind::Class(class), true, Some(max @ 2..=255)) = (repetition.sub.kind(), repetition.greedy, repetition.max) else {
        return None;
    };
    Some(Gap {
        set: ranges(class)?.into(),
        min: repetition.min,
        max,
        then: beginnings(&Hir::concat(rest.to_vec())),
        last: last && rest.is_empty(),
    })
}

/// The class's ranges as far as units reach.
fn ranges(class: &Class) -> Option<Vec<(u16, u16)>> {
    let Class::Unicode(class) = class else { return None };
    let reach = |c: char| u16::try_from(c as u32).unwrap_or(u16::MAX);
    Some(class.iter().filter(|range| (range.start() as u32) <= 0xFFFF).map(|range| (reach(range.start()), reach(range.end()))).collect())
}

/// Collects what a match may begin with; `false` where it may begin with anything or be empty.
fn first_of(hir: &Hir, first: &mut Vec<(u16, u16)>) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => {
            let c = std::str::from_utf8(&literal.0).ok().and_then(|text| text.chars().next()).and_then(|c| u16::try_from(c as u32).ok());
            first.extend(c.map(|c| (c, c)));
            c.is_some()
        }
        HirKind::Class(class) => ranges(class).map(|ranges| first.extend(ranges)).is_some(),
        HirKind::Capture(capture) => first_of(&capture.sub, first),
        HirKind::Repetition(repetition) => first_of(&repetition.sub, first) && repetition.min > 0,
        HirKind::Alternation(parts) => parts.iter().all(|part| first_of(part, first)),
        HirKind::Concat(parts) => {
            for part in parts {
                if first_of(part, first) {
                    return true;
                }
                // Something optional: what follows may come first too. An assertion or nothing says no more.
                if !matches!(part.kind(), HirKind::Repetition(_)) && !is_optional(part) {
                    return false;
                }
            }
            false
        }
    }
}

/// Whether a part may be left out without asserting anything.
fn is_optional(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => is_optional(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min == 0 && repetition.sub.properties().look_set().is_empty(),
        _ => false,
    }
}

/// The characters a match may begin with, where they are not most.
pub(super) fn beginnings(hir: &Hir) -> Option<Characters> {
    const MOST: usize = 256;
    let mut ranges = Vec::new();
    let known = first_of(hir, &mut ranges);
    let count: usize = ranges.iter().map(|(from, to)| usize::from(to - from) + 1).sum();
    (known && count <= MOST).then(|| Characters::of(ranges.into_iter().flat_map(|(from, to)| from..=to)))
}
