//! Patterns: regular expressions tried only where a literal that their matches must hold stands.
//!
//! Of a pattern's ways (alternatives at the top) each is cut in three: what comes before its rarest literals, these, what
//! comes after. The trie finds the literals; from one a small machine goes back over what comes before to where a match would
//! begin, and forth from there. What is found is what the regex crate's `find_iter` finds.

use std::ops::{Range, RangeInclusive};

use regex_automata::{Input, meta};
use rustc_hash::FxHashMap;

use super::needs::{Cut, Need, Side, cut};
use super::program::{Characters, Program, Ran};
use super::{EntryId, PATTERN_SIZE_LIMIT};
use crate::core::text::units::{Gap, Units};

/// A pattern to be tried: an anchor of it begins at the unit `at`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) pattern: u32,
    pub(super) way: u16,
    pub(super) at: u32,
}

impl Due {
    /// The way of a pattern that has no anchor.
    pub(super) const ANYWHERE: u16 = u16::MAX;
}

/// One way to match a pattern.
#[derive(Debug)]
struct Way {
    /// What stands before its anchor, read backwards; `None` where it is beyond the machine.
    before: Option<Program>,
}

/// What finds a way to match: the literals it is anchored at, and what must be near one.
#[derive(Debug)]
pub(super) struct Anchors {
    pub(super) way: u16,
    pub(super) literals: Vec<String>,
    pub(super) needs: Vec<Near>,
}

/// What a match needs near its anchor: a literal that begins with one of these characters.
#[derive(Debug)]
pub(super) struct Near {
    first: Characters,
    side: Side,
    /// Fewest and most characters between the two beginnings.
    distance: RangeInclusive<usize>,
}

impl Near {
    fn of(need: &Need) -> Self {
        let first = Characters::of(need.literals.iter().filter_map(|literal| literal.encode_utf16().next()));
        Self { first, side: need.side, distance: need.nearest..=need.within }
    }

    /// Whether it may stand near an anchor at the unit `at`. Among units nothing is farther than in the text.
    pub(super) fn is_met(&self, units: &Units, at: usize) -> bool {
        let list = units.list.as_slice();
        let (nearest, within) = (*self.distance.start(), *self.distance.end());
        let near = match self.side {
            Side::Before => list.get(at.saturating_sub(within)..(at + 1).saturating_sub(nearest)),
            Side::Behind => list.get(at + nearest..list.len().min(at + 1 + within)),
        };
        near.unwrap_or_default().iter().any(|unit| self.first.may_hold(unit.ch()))
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) entry: EntryId,
    ways: Box<[Way]>,
    /// What finds it in most texts; `None` where it is beyond that.
    program: Option<Program>,
    regex: meta::Regex,
    /// Most characters of a match, if there is a bound.
    longest: Option<usize>,
}

impl Pattern {
    /// Compiles a pattern, and tells its anchors. Without any it is to be tried on every text.
    ///
    /// # Errors
    /// It is no regular expression, or grows over [`PATTERN_SIZE_LIMIT`].
    pub(super) fn compile(text: &str, entry: EntryId, frequencies: &FxHashMap<u16, f64>) -> Result<(Self, Vec<Anchors>), String> {
        let regex = compile(text)?;
        let Cut { ways: cuts, longest } = cut(text, frequencies);
        let mut ways = Vec::new();
        let mut anchors = Vec::new();
        for (way, cut) in (0..Due::ANYWHERE).zip(cuts) {
            ways.push(Way { before: Program::compile_back(&cut.before) });
            anchors.push(Anchors { way, literals: cut.anchors, needs: cut.needs.iter().map(Near::of).collect() });
        }
        Ok((Self { entry, ways: ways.into(), program: Program::compile(text), regex, longest }, anchors))
    }

    /// Calls `found` with each match, as units; `due` are its anchors in the order of the text, or the one that stands for all of it.
    pub(super) fn find(&self, normal: &mut Normal, due: &[Due], mut found: impl FnMut(usize, usize)) {
        let Normal { text, spaces, stack, .. } = normal;
        let mut tell = |range: Range<usize>| {
            // A match that begins or ends with a space is of the units inside.
            let (start, past) = (unit_at(spaces, range.start), unit_at(spaces, range.end));
            if past > start {
                found(start, past);
            }
        };
        let behind = if due.first().is_some_and(|due| due.way == Due::ANYWHERE) {
            self.find_anywhere(text, stack, &mut tell)
        } else {
            let at = |due: &Due| place_of(spaces, due.at);
            self.find_anchored(text, due, at, stack, &mut tell)
        };
        if let Err(GaveUp { at }) = behind {
            self.find_slowly(text, at, tell);
        }
    }

    /// The leftmost match from `bound` on is the leftmost around any anchor.
    fn find_anchored(
        &self,
        text: &[u16],
        due: &[Due],
        at: impl Fn(&Due) -> usize,
        stack: &mut Vec<(u32, u32)>,
        tell: &mut impl FnMut(Range<usize>),
    ) -> Result<(), GaveUp> {
        let mut bound = 0;
        let mut due = due;
        loop {
            let mut first: Option<Range<usize>> = None;
            for due in due {
                let anchor = at(due);
                if anchor < bound {
                    continue;
                }
                if let (Some(first), Some(longest)) = (&first, self.longest)
                    && anchor > first.start + longest
                {
                    break;
                }
                let gave_up = GaveUp { at: bound };
                let way = self.ways.get(usize::from(due.way));
                let (Some(program), Some(before)) = (&self.program, way.and_then(|way| way.before.as_ref())) else { return Err(gave_up) };
                let start = match before.run_back(text, anchor, bound, stack) {
                    Ran::Match(start) => start,
                    Ran::No => continue,
                    Ran::GaveUp => return Err(gave_up),
                };
                if first.as_ref().is_some_and(|first| first.start <= start) {
                    continue;
                }
                match program.run(text, start, stack) {
                    Ran::Match(end) if end > start => first = Some(start..end),
                    Ran::Match(_) | Ran::No => {}
                    Ran::GaveUp => return Err(gave_up),
                }
            }
            let Some(range) = first else { return Ok(()) };
            bound = range.end;
            tell(range);
            while due.first().is_some_and(|due| at(due) < bound) {
                due = due.get(1..).unwrap_or_default();
            }
        }
    }

    fn find_anywhere(&self, text: &[u16], stack: &mut Vec<(u32, u32)>, tell: &mut impl FnMut(Range<usize>)) -> Result<(), GaveUp> {
        let Some(program) = &self.program else { return Err(GaveUp { at: 0 }) };
        let mut at = 0;
        while let Some(&ch) = text.get(at) {
            if !program.may_begin(ch) {
                at += 1;
                continue;
            }
            match program.run(text, at, stack) {
                Ran::Match(end) if end > at => {
                    tell(at..end);
                    at = end;
                }
                Ran::Match(_) | Ran::No => at += 1,
                Ran::GaveUp => return Err(GaveUp { at }),
            }
        }
        Ok(())
    }

    /// Finds with the regex crate's machines what the small one is not made for.
    fn find_slowly(&self, text: &[u16], from: usize, mut tell: impl FnMut(Range<usize>)) {
        let mut bytes = Vec::with_capacity(text.len());
        let mut string = String::new();
        for &ch in text {
            bytes.push(string.len());
            string.push(char::from_u32(u32::from(ch)).unwrap_or('\u{FFFD}'));
        }
        let begin = bytes.get(from).copied().unwrap_or(string.len());
        let place_at = |byte: usize| bytes.partition_point(|&before| before < byte);
        for hit in self.regex.find_iter(Input::new(&string).range(begin..)) {
            tell(place_at(hit.start())..place_at(hit.end()));
        }
    }
}

/// Compiles a list's pattern under the size limit, or says in one line why it cannot be.
fn compile(pattern: &str) -> Result<meta::Regex, String> {
    let config = meta::Config::new().nfa_size_limit(Some(PATTERN_SIZE_LIMIT)).hybrid_cache_capacity(1 << 20);
    meta::Regex::builder().configure(config).build(pattern).map_err(|error| match (error.size_limit(), error.syntax_error()) {
        (Some(limit), _) => format!("the pattern is too large: compiled it takes over {limit} bytes"),
        (None, Some(syntax)) => syntax.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        (None, None) => error.to_string(),
    })
}

/// The small machine gave up; from here on the text is still to be searched.
struct GaveUp {
    at: usize,
}

/// The text that patterns see: folded, each run of spaces and punctuation one space.
#[derive(Debug, Default)]
pub(super) struct Normal {
    text: Vec<u16>,
    /// Of each space the unit it stands before, and its place in the text, in order.
    spaces: Vec<(u32, u32)>,
    written: bool,
    stack: Vec<(u32, u32)>,
}

impl Normal {
    /// Another text is to come.
    pub(super) fn forget(&mut self) {
        self.written = false;
    }

    /// Writes the text, unless that has been done.
    pub(super) fn write(&mut self, units: &Units) {
        if std::mem::replace(&mut self.written, true) {
            return;
        }
        self.text.clear();
        self.spaces.clear();
        let least = if units.scattered() { Gap::Sentence } else { Gap::Clause };
        let list = units.list.as_slice();
        let mut written = 0;
        let mut write = |text: &mut Vec<u16>, to: usize| {
            text.extend(list.get(written..to).unwrap_or_default().iter().map(|unit| unit.ch()));
            written = to;
        };
        for index in units.gaps().filter(|&index| index > 0 && list.get(index).is_some_and(|unit| unit.gap() >= least)) {
            write(&mut self.text, index);
            self.spaces.push((index as u32, self.text.len() as u32));
            self.text.push(u16::from(b' '));
        }
        write(&mut self.text, list.len());
    }
}

/// Where a unit stands in the text.
fn place_of(spaces: &[(u32, u32)], unit: u32) -> usize {
    unit as usize + spaces.partition_point(|&(before, _)| before <= unit)
}

/// The unit that stands at a place of the text, or behind the space there.
fn unit_at(spaces: &[(u32, u32)], place: usize) -> usize {
    place - spaces.partition_point(|&(_, at)| (at as usize) < place)
}

#[cfg(test)]
mod tests {
    use crate::core::lexicon::{Entry, EntryKind, Lexicon, List, Scratch};

    const SAYINGS: &[&str] = &[
        "你们这个是怎么收费的 一个月多少钱啊",
        "没有这个需求 不好意思啊 我们暂时没有打算",
        "明天下午三点以后打给我吧 我现在在开会",
        "能不能先给我发个资料到微信上看看",
        "我这个号码你是从哪里弄来的 别再给我打了",
        "短信也别发 微信也别加 不需要",
        "你们公司在哪里啊 有多少人",
        "给我装一个吧 什么时候能来",
        "可以 行 好 没问题 不过就是现在不行",
        "家里已经装了移动的宽带了 去年办的",
        "效果怎么样 一千个电话能出几个意向客户",
        "您看明天方便吗我让顾问给您打个电话",
        "封号了怎么办 谁负责赔",
        "嗯那个没有不行啊",
        "等会儿等会儿你慢点说",
        "别打了别打了 再打我就投诉你 客户会不会投诉啊",
        "明天下午打给我 后天上午再打过来也行 三号下午四点打电话",
    ];

    /// Every pattern of the bundled scripts, by itself, over what people say, against the regex crate.
    #[test]
    fn it_finds_what_the_regex_crate_finds() {
        let mut found = 0;
        for script in crate::script::Library::bundled().unwrap().iter() {
            let entries = script.customer.entries().iter().chain(script.robot.entries());
            for entry in entries.filter(|entry| entry.kind == EntryKind::Pattern) {
                let list = List { name: "alone".into(), group: 0, pinyin: false, aside: false, cue: false };
                let entry = Entry { list: 0, exception: false, ..entry.clone() };
                let regex = regex::Regex::new(&entry.text).unwrap();
                let lexicon = Lexicon::new(vec![list], vec![entry.clone()]).unwrap();
                let mut scratch = Scratch::default();
                for text in SAYINGS {
                    let of = |byte: usize| text[..byte].chars().count() as u32;
                    // Spaces at a match's ends are no part of the hit.
                    let trimmed = regex.find_iter(text).filter_map(|m| {
                        let inner = m.as_str().trim();
                        let start = m.start() + m.as_str().len() - m.as_str().trim_start().len();
                        (!inner.is_empty()).then(|| (of(start), of(start + inner.len())))
                    });
                    let hits: Vec<(u32, u32)> = lexicon.read(text, &mut scratch).iter().map(|hit| (hit.start, hit.end)).collect();
                    assert_eq!(hits, trimmed.collect::<Vec<_>>(), "/{}/ over {text}", entry.text);
                    found += hits.len();
                }
            }
        }
        assert!(found > 40, "{found}");
    }

    #[test]
    fn patterns_beyond_the_small_machine_are_found_all_the_same() {
        let list = List { name: "alone".into(), group: 0, pinyin: false, aside: false, cue: false };
        let pattern =
            |text: &str| Entry { list: 0, text: text.into(), kind: EntryKind::Pattern, at_start: false, at_end: false, exception: false };
        for (text, said, expected) in [
            ("(a*)+要", "我要aa要了", vec![(1, 2), (2, 5)]),
            (".{2,4}", "不不不不需要", vec![(0, 4), (4, 6)]),
            ("(打|拨)[^ ]*|接.*", "别打了 不接了 啊", vec![(1, 3), (5, 9)]),
            ("(.?.?.?.?.?.?.?.?.?.?.?.?){9}要", "一二三四五六七八九十一二三四五六七八九十要", vec![(0, 21)]),
        ] {
            let lexicon = Lexicon::new(vec![list.clone()], vec![pattern(text)]).unwrap();
            let hits: Vec<(u32, u32)> = lexicon.read(said, &mut Scratch::default()).iter().map(|hit| (hit.start, hit.end)).collect();
            assert_eq!(hits, expected, "/{text}/ over {said}");
        }
    }
}
