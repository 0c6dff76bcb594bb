//! What a pattern cannot match without: literals that let most texts skip it.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Most alternatives worth looking for.
const MOST: usize = 64;

/// What every match of a pattern holds, and how long it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Sets of literals: a match holds at least one of each.
    pub(crate) groups: Vec<Vec<String>>,
    /// Most characters of a match; `None`: no bound.
    pub(crate) longest: Option<usize>,
}

/// What matches of `pattern` need.
pub(crate) fn needs(pattern: &str) -> Needs {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Needs::default() };
    let mut groups = Vec::new();
    collect(&hir, &mut groups);
    // A literal that has no letter or digit leaves no unit to be found.
    groups.retain(|group| group.iter().all(|literal| literal.chars().any(char::is_alphanumeric) && !literal.contains(' ')));
    Needs { groups, longest: most_characters(&hir) }
}

/// Whether nothing must occur in a match of `pattern`, so that it has to be tried on every text.
pub(crate) fn needs_nothing(pattern: &str) -> bool {
    needs(pattern).groups.is_empty()
}

/// Most characters a match has.
fn most_characters(hir: &Hir) -> Option<usize> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Literal(literal) => Some(std::str::from_utf8(&literal.0).map_or(literal.0.len(), |text| text.chars().count())),
        HirKind::Class(_) => Some(1),
        HirKind::Capture(capture) => most_characters(&capture.sub),
        HirKind::Repetition(repetition) => Some(most_characters(&repetition.sub)? * repetition.max? as usize),
        HirKind::Concat(parts) => parts.iter().map(most_characters).sum(),
        HirKind::Alternation(parts) => parts.iter().map(most_characters).try_fold(0, |most, part| Some(most.max(part?))),
    }
}

fn collect(hir: &Hir, groups: &mut Vec<Vec<String>>) {
    match hir.kind() {
        HirKind::Concat(parts) => parts.iter().for_each(|part| collect(part, groups)),
        HirKind::Capture(capture) => collect(&capture.sub, groups),
        HirKind::Repetition(repetition) if repetition.min >= 1 => collect(&repetition.sub, groups),
        _ => groups.extend(required(hir)),
    }
}

fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![std::str::from_utf8(&literal.0).ok()?.to_owned()]),
        HirKind::Class(class) => alternatives_of(class),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min >= 1 => required(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(|literals| worth(literals)),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(required(part)?);
            }
            (all.len() <= MOST).then_some(all)
        }
        _ => None,
    }
}

/// The longer its shortest literal and the fewer its alternatives, the rarer a set fires.
fn worth(literals: &[String]) -> (usize, std::cmp::Reverse<usize>) {
    (literals.iter().map(|literal| literal.chars().count()).min().unwrap_or_default(), std::cmp::Reverse(literals.len()))
}

fn alternatives_of(class: &Class) -> Option<Vec<String>> {
    let Class::Unicode(class) = class else { return None };
    let size: usize = class.iter().map(|range| range.len()).sum();
    if size > MOST {
        return None;
    }
    Some(class.iter().flat_map(|range| range.start()..=range.end()).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::needs;

    #[test]
    fn every_part_that_must_occur_is_known() {
        let cases: &[(&str, &[&[&str]])] = &[
            ("没.{0,3}(兴趣|需求)", &[&["没"], &["兴趣", "需求"]]),
            ("[没冇]有?钱", &[&["冇", "没"], &["钱"]]),
            ("不(用|要)+谢谢", &[&["不"], &["用", "要"], &["谢谢"]]),
            ("(打|call).*", &[&["打", "call"]]),
            (".{2,4}", &[]),
            ("(需要)?", &[]),
        ];
        for (pattern, expected) in cases {
            let mut found = needs(pattern).groups;
            found.iter_mut().for_each(|group| group.sort());
            let mut expected: Vec<Vec<&str>> = expected.iter().map(|group| group.to_vec()).collect();
            expected.iter_mut().for_each(|group| group.sort());
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn the_length_of_a_match_is_bounded_where_the_pattern_is() {
        assert_eq!(needs("没.{0,3}(钱|时间)").longest, Some(6));
        assert_eq!(needs("没.*钱").longest, None);
    }
}
