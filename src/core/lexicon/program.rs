//! Patterns run over a text's units by a small backtracking machine.
//!
//! A list's patterns are short alternatives with short gaps, tried at a few places of a short text: there the general
//! engine's start-up costs more than the search. Leftmost-first, as the regex crate has it; a pattern that needs more steps
//! than it is worth is left to that crate, so no text can make this slow.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Most instructions of a program: a pattern beyond is left to the regex crate.
const MOST_INSTRUCTIONS: usize = 4_000;
/// Most steps at one place of a text.
const MOST_STEPS: u32 = 4_000;

/// A set of characters, give or take: no false "no".
#[derive(Debug, Clone, Default)]
pub(super) struct Characters([u64; 16]);

impl Characters {
    pub(super) fn of(characters: impl Iterator<Item = u16>) -> Self {
        let mut set = Self([0; 16]);
        for ch in characters {
            let (word, bit) = Self::place(ch);
            if let Some(word) = set.0.get_mut(word) {
                *word |= bit;
            }
        }
        set
    }

    fn place(ch: u16) -> (usize, u64) {
        let hash = ch.wrapping_mul(0x9E37) >> 6;
        (usize::from(hash >> 6), 1 << (hash & 63))
    }

    /// Whether the two sets may share one.
    #[inline]
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |met, (left, right)| met | left & right) != 0
    }

    #[inline]
    pub(super) fn may_hold(&self, ch: u16) -> bool {
        let (word, bit) = Self::place(ch);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

#[derive(Debug, Clone)]
enum Instruction {
    Char(u16),
    /// Go on only if the next character may be one of these: spares trying alternatives one by one.
    Peek(Box<Characters>),
    /// Any of these ranges, sorted.
    Set(Box<[(u16, u16)]>),
    /// One of these words, the first that serves.
    Words(Box<Words>),
    /// As many of these characters as serve, within bounds; what follows may only begin with one of those, if any are told.
    Gap(Box<Gap>),
    /// Go on at the first; if that fails, at the second.
    Split(u32, u32),
    Jump(u32),
    TextStart,
    TextEnd,
    Match,
}

/// Words in the direction they are read, in the order of preference.
#[derive(Debug, Clone, Default)]
struct Words {
    /// Of each word; 0: the word is empty.
    firsts: Vec<u16>,
    rests: Vec<Box<[u16]>>,
}

impl Words {
    fn new(words: Vec<Vec<u16>>) -> Self {
        let mut all = Self::default();
        for word in words {
            let (first, rest) = word.split_first().map_or((0, &[][..]), |(first, rest)| (*first, rest));
            all.firsts.push(first);
            all.rests.push(rest.into());
        }
        all
    }
}

#[derive(Debug, Clone)]
struct Gap {
    set: Box<[(u16, u16)]>,
    min: u32,
    max: u32,
    then: Option<Characters>,
    /// Nothing follows: only the longest counts.
    last: bool,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Program {
    instructions: Box<[Instruction]>,
    /// The characters a match may begin with; `None`: anything, or nothing.
    first: Option<Characters>,
}

/// What running a program at a place came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// It matches up to here.
    Match(usize),
    No,
    /// It took too long to tell.
    GaveUp,
}

impl Program {
    /// Compiles a pattern; `None` if it is beyond this machine.
    pub(super) fn compile(pattern: &str) -> Option<Self> {
        Self::of(&regex_syntax::parse(pattern).ok()?)
    }

    /// Compiles a part of a pattern to be read from its end to its beginning.
    pub(super) fn compile_back(hir: &Hir) -> Option<Self> {
        Self::of(&reverse(hir)?)
    }

    fn of(hir: &Hir) -> Option<Self> {
        let mut compiler = Compiler { instructions: Vec::new() };
        compiler.add(hir, true)?;
        compiler.push(Instruction::Match)?;
        Some(Self { instructions: compiler.instructions.into(), first: beginnings(hir) })
    }

    /// Whether a match may begin with a character.
    #[inline]
    pub(super) fn may_begin(&self, ch: u16) -> bool {
        self.first.as_ref().is_none_or(|first| first.may_hold(ch))
    }

    /// Runs at one place of `text`, as the regex crate would; `stack` is memory to use.
    pub(super) fn run(&self, text: &[u16], at: usize, stack: &mut Vec<(u32, u32)>) -> Ran {
        self.search::<false>(text, at, 0, stack)
    }

    /// Runs a program made by [`compile_back`](Self::compile_back) from `at` backwards, and tells the leftmost place, not before
    /// `bound`, where a match would begin.
    pub(super) fn run_back(&self, text: &[u16], at: usize, bound: usize, stack: &mut Vec<(u32, u32)>) -> Ran {
        self.search::<true>(text, at, bound, stack)
    }

    /// Forth, the first match by the pattern's preference; back, the longest.
    fn search<const BACK: bool>(&self, text: &[u16], at: usize, bound: usize, stack: &mut Vec<(u32, u32)>) -> Ran {
        let next = |here: usize| {
            if !BACK {
                text.get(here).copied()
            } else if here > bound {
                text.get(here - 1).copied()
            } else {
                None
            }
        };
        let step = |here: usize| if BACK { here.wrapping_sub(1) } else { here + 1 };
        stack.clear();
        let (mut pc, mut here) = (0u32, at);
        let mut farthest = None;
        let mut steps = 0;
        loop {
            steps += 1;
            if steps > MOST_STEPS {
                return Ran::GaveUp;
            }
            let goes_on = match self.instructions.get(pc as usize) {
                Some(Instruction::Char(ch)) => {
                    next(here) == Some(*ch) && {
                        here = step(here);
                        true
                    }
                }
                Some(Instruction::Set(set)) => {
                    next(here).is_some_and(|ch| holds(set, ch)) && {
                        here = step(here);
                        true
                    }
                }
                Some(Instruction::Words(words)) => {
                    let follows = next(here).unwrap_or_default();
                    for (number, &first) in words.firsts.iter().enumerate().rev() {
                        if first != follows && first != 0 {
                            continue;
                        }
                        let mut place = if first == 0 { here } else { step(here) };
                        let rest = words.rests.get(number).map_or(&[][..], |rest| rest);
                        let all = first == 0
                            || follows != 0
                                && rest.iter().all(|&ch| {
                                    let goes_on = next(place) == Some(ch);
                                    place = step(place);
                                    goes_on
                                });
                        if all {
                            stack.push((pc + 1, place as u32));
                        }
                    }
                    false
                }
                Some(Instruction::Gap(gap)) => {
                    let mut place = here;
                    for length in 0..=gap.max {
                        let follows = next(place);
                        let goes_on = length < gap.max && follows.is_some_and(|ch| holds(&gap.set, ch));
                        if length >= gap.min
                            && !(gap.last && goes_on)
                            && gap.then.as_ref().is_none_or(|then| follows.is_some_and(|ch| then.may_hold(ch)))
                        {
                            stack.push((pc + 1, place as u32));
                        }
                        if !goes_on {
                            break;
                        }
                        place = step(place);
                    }
                    false
                }
                Some(Instruction::Peek(set)) => next(here).is_some_and(|ch| set.may_hold(ch)),
                Some(Instruction::Split(first, second)) => {
                    stack.push((*second, here as u32));
                    pc = *first;
                    continue;
                }
                Some(Instruction::Jump(to)) => {
                    pc = *to;
                    continue;
                }
                Some(Instruction::TextStart) => here == 0,
                Some(Instruction::TextEnd) => here == text.len(),
                Some(Instruction::Match) if BACK => {
                    farthest = Some(farthest.map_or(here, |farthest: usize| farthest.min(here)));
                    if here <= bound {
                        return Ran::Match(here);
                    }
                    false
                }
                Some(Instruction::Match) => return Ran::Match(here),
                None => return Ran::No,
            };
            if goes_on {
                pc += 1;
            } else {
                let Some((next, place)) = stack.pop() else { return farthest.map_or(Ran::No, Ran::Match) };
                pc = next;
                here = place as usize;
            }
        }
    }
}

#[inline]
fn holds(set: &[(u16, u16)], ch: u16) -> bool {
    if set.len() <= 4 {
        return set.iter().any(|&(from, to)| from <= ch && ch <= to);
    }
    let at = set.partition_point(|&(_, to)| to < ch);
    set.get(at).is_some_and(|&(from, _)| from <= ch)
}

/// A pattern that matches what `hir` does, last character first. An assertion keeps its place in the text.
fn reverse(hir: &Hir) -> Option<Hir> {
    Some(match hir.kind() {
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Literal(literal) => Hir::literal(std::str::from_utf8(&literal.0).ok()?.chars().rev().collect::<String>().into_bytes()),
        HirKind::Capture(capture) => reverse(&capture.sub)?,
        HirKind::Concat(parts) => Hir::concat(parts.iter().rev().map(reverse).collect::<Option<_>>()?),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(reverse).collect::<Option<_>>()?),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition { sub: Box::new(reverse(&repetition.sub)?), ..repetition.clone() }),
    })
}

struct Compiler {
    instructions: Vec<Instruction>,
}

impl Compiler {
    fn push(&mut self, instruction: Instruction) -> Option<usize> {
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
    fn add(&mut self, hir: &Hir, last: bool) -> Option<()> {
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

/// Most words of one instruction.
const MOST_WORDS: usize = 96;

/// All that a part matches, in the order the regex crate prefers it, if it is not much.
fn words(hir: &Hir) -> Option<Vec<Vec<u16>>> {
    let all = match hir.kind() {
        HirKind::Empty => vec![Vec::new()],
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            vec![text.chars().map(|c| u16::try_from(c as u32).ok()).collect::<Option<_>>()?]
        }
        HirKind::Class(class) => {
            let ranges = ranges(class)?;
            let size: usize = ranges.iter().map(|(from, to)| usize::from(to - from) + 1).sum();
            // A set is looked up faster than that many words.
            if size > 4 {
                return None;
            }
            ranges.into_iter().flat_map(|(from, to)| from..=to).map(|ch| vec![ch]).collect()
        }
        HirKind::Look(_) => return None,
        HirKind::Capture(capture) => words(&capture.sub)?,
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |all: Vec<Vec<u16>>, part| {
            let endings = words(part)?;
            (all.len() * endings.len() <= MOST_WORDS).then(|| {
                all.iter().flat_map(|beginning| endings.iter().map(move |ending| [beginning.as_slice(), ending].concat())).collect()
            })
        })?,
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(words(part)?);
            }
            all
        }
        HirKind::Repetition(repetition) => {
            if repetition.min != 0 || repetition.max != Some(1) {
                return None;
            }
            let mut all = words(&repetition.sub)?;
            all.push(Vec::new());
            if !repetition.greedy {
                all.rotate_right(1);
            }
            all
        }
    };
    (all.len() <= MOST_WORDS).then_some(all)
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
fn beginnings(hir: &Hir) -> Option<Characters> {
    const MOST: usize = 256;
    let mut ranges = Vec::new();
    let known = first_of(hir, &mut ranges);
    let count: usize = ranges.iter().map(|(from, to)| usize::from(to - from) + 1).sum();
    (known && count <= MOST).then(|| Characters::of(ranges.into_iter().flat_map(|(from, to)| from..=to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_it_is_left_alone() {
        assert!(Program::compile("(a*)+").is_none());
        assert!(Program::compile(r"\bword").is_none());
        assert!(Program::compile("(x{1,100}){1,100}").is_none());
        let program = Program::compile("(a|aa)+b").expect("a program");
        let text: Vec<u16> = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".encode_utf16().collect();
        assert_eq!(program.run(&text, 0, &mut Vec::new()), Ran::GaveUp);
    }

    #[test]
    fn backwards_it_finds_the_leftmost_beginning() {
        let hir = regex_syntax::parse("(^| |我们?)[^ ]{0,3}(不|并不)").unwrap();
        let program = Program::compile_back(&hir).expect("a program");
        let text: Vec<u16> = "是 我们这并不要".encode_utf16().collect();
        assert_eq!(program.run_back(&text, 7, 0, &mut Vec::new()), Ran::Match(1));
        assert_eq!(program.run_back(&text, 7, 3, &mut Vec::new()), Ran::No);
        assert_eq!(program.run_back(&text, 6, 0, &mut Vec::new()), Ran::No);
    }
}
