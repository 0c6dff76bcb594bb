//! What a pattern cannot match without: literals that let most texts skip it.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Most alternatives worth looking for.
const MOST: usize = 64;

/// Literals of which every match of `pattern` contains at least one; `None` if there is no such set, or the pattern
/// does not parse.
pub(crate) fn required_literals(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let literals = required(&hir)?;
    // A literal that has no letter or digit leaves no unit to be found.
    literals.iter().all(|literal| literal.chars().any(char::is_alphanumeric) && !literal.contains(' ')).then_some(literals)
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
    use super::required_literals;

    #[test]
    fn the_rarest_literals_are_chosen() {
        for (pattern, expected) in [
            ("没.{0,3}(兴趣|需求)", Some(vec!["兴趣", "需求"])),
            ("[没冇]有?钱", Some(vec!["钱"])),
            ("不(用|要)+谢谢", Some(vec!["谢谢"])),
            ("(打|call).*", Some(vec!["打", "call"])),
            (".{2,4}", None),
            ("(需要)?", None),
        ] {
            let found = required_literals(pattern);
            let found: Option<Vec<&str>> = found.as_ref().map(|all| all.iter().map(String::as_str).collect());
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
