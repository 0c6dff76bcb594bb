//! Patterns run over a text's units by a small backtracking machine.
//!
//! A list's patterns are short alternatives with short gaps, tried at a few places of a short text: there the general
//! engine's start-up costs more than the search. Leftmost-first, as the regex crate has it; a pattern that needs more steps
//! than it is worth is left to that crate, so no text can make this slow.

use regex_syntax::hir::Hir;

mod compile;

use compile::{Compiler, beginnings, reverse};

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
        (usize::from(ch >> 6 & 15), 1 << (ch & 63))
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
