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
pub(crate) struct Characters([u64; 16]);

impl Characters {
    pub(crate) fn of(characters: impl Iterator<Item = u16>) -> Self {
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
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |met, (left, right)| met | left & right) != 0
    }

    /// Makes it the set of these characters.
    pub(crate) fn fill(&mut self, characters: impl Iterator<Item = u16>) {
        *self = Self::of(characters);
    }

    #[inline]
    pub(crate) fn may_hold(&self, ch: u16) -> bool {
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
    /// Go on at the first; if that fails, at the second.
    Split(u32, u32),
    Jump(u32),
    TextStart,
    TextEnd,
    Match,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    instructions: Box<[Instruction]>,
    /// The characters a match may begin with; `None`: anything, or nothing.
    first: Option<Characters>,
}

/// What running a program at a place came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It matches up to here.
    Match(usize),
    No,
    /// It took too long to tell.
    GaveUp,
}

impl Program {
    /// Compiles a pattern; `None` if it is beyond this machine.
    pub(crate) fn compile(pattern: &str) -> Option<Self> {
        let hir = regex_syntax::parse(pattern).ok()?;
        let mut compiler = Compiler { instructions: Vec::new() };
        compiler.add(&hir)?;
        compiler.push(Instruction::Match)?;
        Some(Self { instructions: compiler.instructions.into(), first: beginnings(&hir) })
    }

    /// Whether a match may begin with a character.
    #[inline]
    pub(crate) fn may_begin(&self, ch: u16) -> bool {
        self.first.as_ref().is_none_or(|first| first.may_hold(ch))
    }

    /// Runs at one place of `text`; `stack` is memory to use.
    pub(crate) fn run(&self, text: &[u16], at: usize, stack: &mut Vec<(u32, u32)>) -> Ran {
        stack.clear();
        let (mut pc, mut here) = (0u32, at);
        let mut steps = 0;
        loop {
            steps += 1;
            if steps > MOST_STEPS {
                return Ran::GaveUp;
            }
            let goes_on = match self.instructions.get(pc as usize) {
                Some(Instruction::Char(ch)) => {
                    text.get(here) == Some(ch) && {
                        here += 1;
                        pc += 1;
                        true
                    }
                }
                Some(Instruction::Set(set)) => {
                    text.get(here).is_some_and(|&ch| holds(set, ch)) && {
                        here += 1;
                        pc += 1;
                        true
                    }
                }
                Some(Instruction::Peek(set)) => {
                    text.get(here).is_some_and(|&ch| set.may_hold(ch)) && {
                        pc += 1;
                        true
                    }
                }
                Some(Instruction::Split(first, second)) => {
                    stack.push((*second, here as u32));
                    pc = *first;
                    true
                }
                Some(Instruction::Jump(to)) => {
                    pc = *to;
                    true
                }
                Some(Instruction::TextStart) => {
                    here == 0 && {
                        pc += 1;
                        true
                    }
                }
                Some(Instruction::TextEnd) => {
                    here == text.len() && {
                        pc += 1;
                        true
                    }
                }
                Some(Instruction::Match) => return Ran::Match(here),
                None => return Ran::No,
            };
            if !goes_on {
                let Some((next, place)) = stack.pop() else { return Ran::No };
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

    fn add(&mut self, hir: &Hir) -> Option<()> {
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
            HirKind::Capture(capture) => self.add(&capture.sub)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.add(part)?;
                }
            }
            HirKind::Alternation(parts) => {
                if let Some(first) = beginnings(hir) {
                    self.push(Instruction::Peek(Box::new(first)))?;
                }
                self.alternation(parts)?;
            }
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
        }
        Some(())
    }

    fn alternation(&mut self, parts: &[Hir]) -> Option<()> {
        let mut ends = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            if number + 1 == parts.len() {
                self.add(part)?;
                break;
            }
            let split = self.push(Instruction::Jump(0))?;
            self.add(part)?;
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
            self.add(&repetition.sub)?;
        }
        let split = |more: u32, done: u32| if repetition.greedy { Instruction::Split(more, done) } else { Instruction::Split(done, more) };
        match repetition.max {
            None => {
                let at = self.push(Instruction::Jump(0))?;
                self.add(&repetition.sub)?;
                self.push(Instruction::Jump(at as u32))?;
                let done = self.here();
                self.set(at, split(at as u32 + 1, done));
            }
            Some(max) => {
                let mut splits = Vec::new();
                for _ in repetition.min..max {
                    splits.push(self.push(Instruction::Jump(0))?);
                    self.add(&repetition.sub)?;
                }
                let done = self.here();
                splits.into_iter().for_each(|at| self.set(at, split(at as u32 + 1, done)));
            }
        }
        Some(())
    }
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

    /// All matches, as the regex crate's `find_iter` gives them.
    fn find_all(pattern: &str, text: &str) -> Vec<(usize, usize)> {
        let program = Program::compile(pattern).expect("a program");
        let text: Vec<u16> = text.encode_utf16().collect();
        let (mut at, mut found, mut stack) = (0, Vec::new(), Vec::new());
        while at < text.len() {
            match program.run(&text, at, &mut stack) {
                Ran::Match(end) if end > at && program.may_begin(text[at]) => {
                    found.push((at, end));
                    at = end;
                }
                Ran::GaveUp => panic!("gave up"),
                Ran::Match(end) if end > at => panic!("{pattern} matches at {at} though it may not begin there"),
                _ => at += 1,
            }
        }
        found
    }

    /// Every pattern of the bundled scripts over what people say, against the regex crate.
    #[test]
    fn it_finds_what_the_regex_crate_finds() {
        let sayings = [
            "你们这个是怎么收费的 一个月多少钱啊",
            "没有这个需求 不好意思啊 我们暂时没有打算",
            "明天下午三点以后打给我吧 我现在在开会",
            "能不能先给我发个资料到微信上看看",
            "我这个号码你是从哪里弄来的 别再给我打了",
            "短信也别发 微信也别加 不需要",
            "你们公司在哪里啊 有多少人",
            "给我装一个吧 什么时候能来",
            "",
            " ",
            "可以 行 好 没问题 不过就是现在不行",
            "家里已经装了移动的宽带了 去年办的",
            "效果怎么样 一千个电话能出几个意向客户",
            "您看明天方便吗我让顾问给您打个电话",
            "封号了怎么办 谁负责赔",
            "嗯那个没有不行啊",
            "等会儿等会儿你慢点说",
        ];
        let mut checked = 0;
        for script in crate::script::Library::bundled().unwrap().iter() {
            for entry in script
                .customer
                .entries()
                .iter()
                .chain(script.robot.entries())
                .filter(|e| e.kind == crate::core::lexicon::EntryKind::Pattern)
            {
                let regex = regex::Regex::new(&entry.text).unwrap();
                if Program::compile(&entry.text).is_none() {
                    continue;
                }
                for text in sayings {
                    let of = |byte: usize| text[..byte].encode_utf16().count();
                    let expected: Vec<(usize, usize)> =
                        regex.find_iter(text).filter(|m| !m.is_empty()).map(|m| (of(m.start()), of(m.end()))).collect();
                    assert_eq!(find_all(&entry.text, text), expected, "/{}/ over {text}", entry.text);
                    checked += 1;
                }
            }
        }
        assert!(checked > 3_000, "{checked}");
    }

    #[test]
    fn what_is_beyond_it_is_left_alone() {
        assert!(Program::compile("(a*)+").is_none());
        assert!(Program::compile(r"\bword").is_none());
        assert!(Program::compile("(x{1,100}){1,100}").is_none());
        let program = Program::compile("(a|aa)+b").expect("a program");
        let text: Vec<u16> = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".encode_utf16().collect();
        assert_eq!(program.run(&text, 0, &mut Vec::new()), Ran::GaveUp);
    }
}
