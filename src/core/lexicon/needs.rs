//! What a pattern cannot match without: literals that let most texts skip it.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};
use rustc_hash::FxHashMap;

/// Most alternatives worth looking for.
const MOST: usize = 768;
/// What is worth looking for of a part.
const WORTH: Most = Most { literals: MOST, members: MOST, repeated: 4 };
/// What one more alternative costs, in the terms of [`chance`]: memory, and caches it pushes something out of.
const KEEP: f64 = 1e-6;
/// Farthest from an anchor that a literal is looked for: farther it says little, and looking is no longer cheap.
const FARTHEST: usize = 32;
/// What a character's frequency is taken for that no list has: rare, but not impossible.
const RARE: f64 = 0.0005;

/// A pattern cut at its rarest literals.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// Its ways to match; empty where one of them has no literal to be found by.
    pub(super) ways: Vec<WayCut>,
    /// Most characters of a match; `None`: no bound.
    pub(super) longest: Option<usize>,
}

/// One way to match: before, one of the anchors, and the rest.
#[derive(Debug)]
pub(super) struct WayCut {
    /// What stands before the anchor.
    pub(super) before: Hir,
    /// A match holds one of these behind it.
    pub(super) anchors: Vec<String>,
    /// What else a match holds, what is quickest looked for first.
    pub(super) needs: Vec<Need>,
}

/// Literals of which a match holds one near its anchor.
#[derive(Debug)]
pub(super) struct Need {
    pub(super) literals: Vec<String>,
    pub(super) side: Side,
    /// Fewest characters from the anchor's beginning to the literal's.
    pub(super) nearest: usize,
    /// Most characters from the anchor's beginning to the literal's.
    pub(super) within: usize,
}

/// On which side of an anchor something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    Behind,
}

/// Cuts `pattern` where texts hold it most rarely, going by how frequent characters are.
pub(super) fn cut(pattern: &str, frequencies: &FxHashMap<u16, f64>) -> Cut {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Cut::default() };
    let longest = most_characters(&hir);
    let ways: Option<Vec<WayCut>> = ways_of(&hir).into_iter().map(|way| cut_way(way, frequencies)).collect();
    Cut { ways: ways.unwrap_or_default(), longest }
}

/// Whether nothing must occur in a match of `pattern`, so that it has to be tried on every text.
pub(crate) fn needs_nothing(pattern: &str) -> bool {
    cut(pattern, &FxHashMap::default()).ways.is_empty()
}

/// The alternatives at the top.
fn ways_of(hir: &Hir) -> Vec<&Hir> {
    match hir.kind() {
        HirKind::Capture(capture) => ways_of(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().collect(),
        _ => vec![hir],
    }
}

fn cut_way(way: &Hir, frequencies: &FxHashMap<u16, f64>) -> Option<WayCut> {
    let mut parts = Vec::new();
    flatten(way, &mut parts);
    let mut best: Option<(f64, std::ops::Range<usize>, Vec<String>)> = None;
    for from in 0..parts.len() {
        let mut literals = vec![String::new()];
        let mut consider = |to: usize, literals: &[String]| {
            let cost = literals.iter().map(|literal| KEEP + chance(literal, frequencies)).sum::<f64>();
            if literals.iter().all(|literal| is_findable(literal)) && best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, from..to + 1, literals.to_vec()));
            }
        };
        for (to, part) in parts.iter().enumerate().skip(from) {
            match expand(part, WORTH).and_then(|endings| product(&literals, &endings, MOST)) {
                Some(longer) => literals = longer,
                None => {
                    if let Some(literals) = beginnings(part).and_then(|endings| product(&literals, &endings, MOST)) {
                        consider(to, &literals);
                    }
                    break;
                }
            }
            consider(to, &literals);
        }
    }
    let (_, range, anchors) = best?;
    let (before, rest) = parts.split_at(range.start);
    let after = rest.get(range.len()..).unwrap_or_default();
    let up_to_anchor = |place: usize, part: &Hir| {
        let between = before.get(place + 1..).unwrap_or_default().iter();
        most_of(between.skip_while(|next| repeats(next, part)))
    };
    let from_anchor = |place: usize| most_of(parts.iter().take(range.end + place).skip(range.start));
    let before_anchor = |(place, part)| need(part, Side::Before, up_to_anchor(place, part)?, 0);
    let behind_anchor = |(place, part)| need(part, Side::Behind, from_anchor(place)?, shortest(&anchors));
    let mut needs: Vec<Need> = before.iter().enumerate().filter_map(before_anchor).collect();
    needs.extend(after.iter().enumerate().filter_map(behind_anchor));
    needs.sort_by_key(|need| need.literals.len() * need.within);
    Some(WayCut { before: Hir::concat(before.to_vec()), anchors, needs })
}

/// What a part needs that is `distance` characters at most from the anchor, and `behind` at least.
fn need(part: &Hir, side: Side, distance: usize, behind: usize) -> Option<Need> {
    let (literals, reach) = required(part, side)?;
    let within = distance + reach?;
    let nearest = if side == Side::Before { shortest(&literals) } else { behind };
    (within <= FARTHEST && literals.iter().all(|literal| is_findable(literal))).then_some(Need { literals, side, nearest, within })
}

/// Characters of the shortest.
fn shortest(literals: &[String]) -> usize {
    literals.iter().map(|literal| literal.chars().count()).min().unwrap_or_default()
}

/// Whether `next` is more of the same: then a match holds `part` right before what follows both.
fn repeats(next: &Hir, part: &Hir) -> bool {
    match next.kind() {
        HirKind::Repetition(repetition) => match repetition.sub.kind() {
            HirKind::Capture(capture) => *capture.sub == *part,
            _ => *repetition.sub == *part,
        },
        _ => false,
    }
}

/// Most characters of all parts together.
fn most_of<'a>(parts: impl Iterator<Item = &'a Hir>) -> Option<usize> {
    parts.map(most_characters).sum()
}

/// How likely a text has a literal at some place, were characters independent.
fn chance(literal: &str, frequencies: &FxHashMap<u16, f64>) -> f64 {
    literal.encode_utf16().map(|ch| frequencies.get(&ch).copied().unwrap_or(RARE)).product()
}

/// A literal that has no letter or digit, or a space, leaves no unit to be found.
fn is_findable(literal: &str) -> bool {
    !literal.is_empty() && literal.chars().all(|c| c.is_alphanumeric() && u16::try_from(c as u32).is_ok())
}

/// A pattern's parts in their order; what is repeated at least once, once by itself.
fn flatten(hir: &Hir, parts: &mut Vec<Hir>) {
    match hir.kind() {
        HirKind::Concat(subs) => subs.iter().for_each(|sub| flatten(sub, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        HirKind::Repetition(repetition) if (1..=4).contains(&repetition.min) => {
            (0..repetition.min).for_each(|_| flatten(&repetition.sub, parts));
            let rest = Repetition { min: 0, max: repetition.max.map(|max| max - repetition.min), ..repetition.clone() };
            if rest.max != Some(0) {
                parts.push(Hir::repetition(rest));
            }
        }
        _ => parts.push(hir.clone()),
    }
}

/// How much is worth writing out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// Literals in all.
    pub(super) literals: usize,
    /// Members of a class.
    pub(super) members: usize,
    /// Repetitions of a part.
    pub(super) repeated: u32,
}

/// All that a part matches, in the order the regex crate prefers it, if it is not too much.
pub(super) fn expand(hir: &Hir, most: Most) -> Option<Vec<String>> {
    let all = match hir.kind() {
        HirKind::Empty => vec![String::new()],
        HirKind::Literal(literal) => vec![std::str::from_utf8(&literal.0).ok()?.to_owned()],
        HirKind::Class(class) => members(class, most.members)?,
        HirKind::Look(_) => return None,
        HirKind::Capture(capture) => expand(&capture.sub, most)?,
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![String::new()], |all, part| product(&all, &expand(part, most)?, most.literals))?
        }
        HirKind::Alternation(parts) => union(parts, |part| expand(part, most))?,
        HirKind::Repetition(repetition) => {
            let once = expand(&repetition.sub, most)?;
            let times = repetition.max.filter(|max| *max <= most.repeated)?;
            // From the last time back: what may follow it, and the choice to stop before it.
            let mut all = vec![String::new()];
            for time in (0..times).rev() {
                all = product(&once, &all, most.literals)?;
                if time >= repetition.min {
                    let place = if repetition.greedy { all.len() } else { 0 };
                    all.insert(place, String::new());
                }
            }
            all
        }
    };
    (all.len() <= most.literals).then_some(all)
}

/// What any of these parts comes to.
fn union(parts: &[Hir], of: impl Fn(&Hir) -> Option<Vec<String>>) -> Option<Vec<String>> {
    let all: Option<Vec<Vec<String>>> = parts.iter().map(of).collect();
    all.map(|all| all.concat())
}

/// Literals of which every match of a part begins with one.
fn beginnings(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            let findable: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
            (!findable.is_empty()).then(|| vec![findable])
        }
        HirKind::Class(class) => members(class, MOST),
        HirKind::Capture(capture) => beginnings(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min >= 1 => beginnings(&repetition.sub),
        HirKind::Alternation(parts) => {
            let mut all = union(parts, beginnings)?;
            all.sort();
            all.dedup();
            (all.len() <= MOST).then_some(all)
        }
        HirKind::Concat(parts) => {
            let (first, rest) = parts.split_first()?;
            match expand(first, WORTH).filter(|all| all.iter().all(|literal| is_findable(literal))) {
                Some(first) => beginnings(&Hir::concat(rest.to_vec())).and_then(|endings| product(&first, &endings, MOST)).or(Some(first)),
                None => beginnings(first),
            }
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

fn product(beginnings: &[String], endings: &[String], most: usize) -> Option<Vec<String>> {
    if beginnings.len() * endings.len() > most {
        return None;
    }
    Some(beginnings.iter().flat_map(|beginning| endings.iter().map(move |ending| format!("{beginning}{ending}"))).collect())
}

/// Most characters a match has.
fn most_characters(hir: &Hir) -> Option<usize> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Literal(literal) => Some(std::str::from_utf8(&literal.0).map_or(literal.0.len(), |text| text.chars().count())),
        HirKind::Class(_) => Some(1),
        HirKind::Capture(capture) => most_characters(&capture.sub),
        HirKind::Repetition(repetition) => Some(most_characters(&repetition.sub)? * repetition.max? as usize),
        HirKind::Concat(parts) => most_of(parts.iter()),
        HirKind::Alternation(parts) => parts.iter().map(most_characters).try_fold(0, |most, part| Some(most.max(part?))),
    }
}

/// Literals of which every match of a part holds one, and the most characters between its beginning and the part's side that looks
/// to the anchor: for what stands before that, the part's end.
fn required(hir: &Hir, side: Side) -> Option<(Vec<String>, Option<usize>)> {
    let own = |length: usize| Some(if side == Side::Before { length } else { 0 });
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            Some((vec![text.to_owned()], own(text.chars().count())))
        }
        HirKind::Class(class) => Some((members(class, MOST)?, own(1))),
        HirKind::Capture(capture) => required(&capture.sub, side),
        HirKind::Repetition(repetition) if repetition.min >= 1 => required(&repetition.sub, side),
        HirKind::Concat(parts) => {
            let of_part = |(place, part): (usize, &Hir)| {
                let (literals, reach) = required(part, side)?;
                let between = match side {
                    Side::Before => parts.get(place + 1..),
                    Side::Behind => parts.get(..place),
                };
                Some((literals, reach.zip(most_of(between.unwrap_or_default().iter())).map(|(reach, between)| reach + between)))
            };
            parts.iter().enumerate().filter_map(of_part).max_by_key(|(literals, reach)| (reach.is_some(), worth(literals)))
        }
        HirKind::Alternation(parts) => {
            let each: Vec<(Vec<String>, Option<usize>)> = parts.iter().map(|part| required(part, side)).collect::<Option<_>>()?;
            let farthest = each.iter().try_fold(0, |most: usize, (_, reach)| Some(most.max((*reach)?)));
            let all = each.into_iter().flat_map(|(literals, _)| literals).collect::<Vec<String>>();
            (all.len() <= MOST).then_some((all, farthest))
        }
        _ => None,
    }
}

/// The longer its shortest literal and the fewer its alternatives, the rarer a set fires.
fn worth(literals: &[String]) -> (usize, std::cmp::Reverse<usize>) {
    (shortest(literals), std::cmp::Reverse(literals.len()))
}

fn members(class: &Class, most: usize) -> Option<Vec<String>> {
    let Class::Unicode(class) = class else { return None };
    let size: usize = class.iter().map(|range| range.len()).sum();
    if size > most {
        return None;
    }
    Some(class.iter().flat_map(|range| range.start()..=range.end()).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frequencies() -> FxHashMap<u16, f64> {
        "没有不我你的一".encode_utf16().map(|ch| (ch, 0.02)).collect()
    }

    #[test]
    fn a_pattern_is_cut_at_what_is_rarest() {
        type Expected<'a> = (&'a [&'a str], &'a [&'a [&'a str]]);
        let cases: &[(&str, Expected<'_>)] = &[
            ("没.{0,3}(兴趣|需求)", (&["兴趣", "需求"], &[&["没"]])),
            ("[没冇]有?钱", (&["冇有钱", "冇钱", "没有钱", "没钱"], &[])),
            ("没(兴趣).{2}(我|你)", (&["没兴趣"], &[&["你", "我"]])),
            ("[^ ]{0,8}(可以|行)(吗|么)", (&["可以么", "可以吗", "行么", "行吗"], &[])),
            (
                "[^ ]{0,8}(可以|行)(的)?(吗|不$|不 )",
                (&["可以不", "可以吗", "可以的不", "可以的吗", "行不", "行吗", "行的不", "行的吗"], &[]),
            ),
            ("(没)+钱", (&["钱"], &[&["没"]])),
        ];
        for (pattern, (anchors, needs)) in cases {
            let cut = cut(pattern, &frequencies());
            let [way] = cut.ways.as_slice() else { panic!("{pattern}: one way") };
            let sorted = |list: &Vec<String>| {
                let mut list = list.clone();
                list.sort();
                list
            };
            assert_eq!(sorted(&way.anchors), *anchors, "{pattern}");
            assert_eq!(way.needs.iter().map(|need| sorted(&need.literals)).collect::<Vec<_>>(), *needs, "{pattern}");
        }
    }

    #[test]
    fn what_a_match_needs_is_known_to_be_near() {
        for (pattern, expected) in [
            ("没有?.{0,3}(兴趣|需求)", &[(Side::Before, 5)][..]),
            ("(今天|下个?月|[0-9]+点(钟|半)?)来?兴趣", &[(Side::Before, 3)]),
            ("兴趣(不|也不|还是不).{0,4}(我|你们)", &[(Side::Behind, 2), (Side::Behind, 9)]),
            ("(没|这个)+兴趣", &[(Side::Before, 2)]),
            ("没.*兴趣.{0,40}我", &[]),
        ] {
            let cut = cut(pattern, &frequencies());
            let [way] = cut.ways.as_slice() else { panic!("{pattern}: one way") };
            let near: Vec<(Side, usize)> = way.needs.iter().map(|need| (need.side, need.within)).collect();
            assert_eq!(near, expected, "{pattern}");
        }
    }

    #[test]
    fn every_alternative_has_an_anchor_or_none_does() {
        assert_eq!(cut("打.*|接", &frequencies()).ways.len(), 2);
        for pattern in [".{2,4}", "(需要)?", "打|.*"] {
            assert!(needs_nothing(pattern), "{pattern}");
        }
    }

    #[test]
    fn the_length_of_a_match_is_bounded_where_the_pattern_is() {
        assert_eq!(cut("没.{0,3}(钱|时间)", &frequencies()).longest, Some(6));
        assert_eq!(cut("没.*钱", &frequencies()).longest, None);
    }
}
