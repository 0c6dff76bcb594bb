//! Lists that exclude each other: phrases that stand in both, or inside one another.

use rustc_hash::FxHashMap;

use super::keywords::{ListFile, marked};
use super::{Linter, line_of};
use crate::core::lexicon::EntryKind;
use crate::script::list::Line;

/// Examples told of one pair of lists.
const MOST_EXAMPLES: usize = 5;

/// A phrase inside another: both by list and line.
type Inside = ((usize, usize), (usize, usize));

impl Linter<'_> {
    /// `inside-opposite`, `two-meanings`.
    pub(super) fn opposites(&mut self) {
        let lists = self.lists();
        // Phrases by what is matched.
        let mut phrases: FxHashMap<&str, Vec<(usize, usize)>> = FxHashMap::default();
        for (number, list) in lists.iter().enumerate() {
            for (line, key) in
                list.lines.iter().zip(&list.keys).enumerate().filter(|(_, (line, _))| counts(line)).map(|(at, (_, key))| (at, key))
            {
                phrases.entry(key).or_default().push((number, line));
            }
        }
        self.both(&lists, &phrases);
        self.inside(&lists, &phrases);
    }

    fn both(&mut self, lists: &[ListFile], phrases: &FxHashMap<&str, Vec<(usize, usize)>>) {
        for (number, list) in lists.iter().enumerate() {
            for (line, key) in list.lines.iter().zip(&list.keys).filter(|(line, _)| counts(line)) {
                let rivals =
                    phrases.get(key.as_str()).into_iter().flatten().filter_map(|&(other, at)| Some((other, lists.get(other)?, at)));
                let first = rivals
                    .filter(|(other, rival, _)| *other < number && rival.group == list.group)
                    .find_map(|(_, rival, at)| Some((rival, rival.lines.get(at)?)));
                if let Some((rival, theirs)) = first {
                    let at = line_of(self.text(&rival.path), theirs.span.start);
                    let message = format!("`{}` also stands in `{}` (line {at}), which excludes `{}`", marked(line), rival.name, list.name);
                    self.warn("two-meanings", &list.path, line.span.clone(), message, "keep it in the one it means");
                }
            }
        }
    }

    fn inside(&mut self, lists: &[ListFile], phrases: &FxHashMap<&str, Vec<(usize, usize)>>) {
        let declared: Vec<&str> = self.spec.lexicon.opposite.iter().flatten().map(|name| name.value.as_str()).collect();
        let longest = phrases.keys().map(|key| key.chars().count()).max().unwrap_or_default();
        let mut pairs: FxHashMap<(usize, usize), Vec<Inside>> = FxHashMap::default();
        for (number, list) in lists.iter().enumerate().filter(|(_, list)| declared.contains(&list.name.as_str())) {
            for (at, (line, key)) in list.lines.iter().zip(&list.keys).enumerate().filter(|(_, (line, _))| counts(line)) {
                for (part, begins, ends) in parts(key, longest) {
                    for &(inner, inner_at) in phrases.get(part).into_iter().flatten() {
                        let Some((other, phrase)) = lists.get(inner).and_then(|other| Some((other, other.lines.get(inner_at)?))) else {
                            continue;
                        };
                        let can_stand = (!phrase.at_start || begins) && (!phrase.at_end || ends);
                        if inner != number && other.group == list.group && can_stand && line.kind == EntryKind::Phrase {
                            pairs.entry((inner, number)).or_default().push(((inner, inner_at), (number, at)));
                        }
                    }
                }
            }
        }
        let mut pairs: Vec<((usize, usize), Vec<Inside>)> = pairs.into_iter().collect();
        pairs.sort_unstable_by_key(|(pair, _)| *pair);
        for ((inner, outer), mut found) in pairs {
            found.sort_unstable();
            found.dedup();
            let (Some(inner), Some(outer)) = (lists.get(inner), lists.get(outer)) else { continue };
            let text = self.text(&inner.path);
            let examples: Vec<String> = found
                .iter()
                .filter_map(|((_, part), (_, whole))| Some((inner.lines.get(*part)?, outer.lines.get(*whole)?)))
                .map(|(part, whole)| format!("{} (line {}) in {}", marked(part), line_of(text, part.span.start), marked(whole)))
                .take(MOST_EXAMPLES)
                .collect();
            let more = if found.len() > examples.len() { ", …" } else { "" };
            let place = found.first().and_then(|((_, part), _)| inner.lines.get(*part)).map(|line| line.span.clone()).unwrap_or_default();
            let times = if found.len() == 1 { "once".to_owned() } else { format!("{} times", found.len()) };
            let message = format!(
                "a phrase of `{}` lies inside one of its opposite `{}`, {times}: {}{more}",
                inner.name,
                outer.name,
                examples.join(", ")
            );
            self.warn(
                "inside-opposite",
                &inner.path,
                place,
                message,
                "there the longer phrase counts; remove a phrase where it should not",
            );
        }
    }
}

fn counts(line: &Line) -> bool {
    line.kind == EntryKind::Phrase && !line.exception
}

/// What lies strictly inside a phrase, and whether it begins and ends it.
fn parts(key: &str, longest: usize) -> impl Iterator<Item = (&str, bool, bool)> {
    let places: Vec<usize> = key.char_indices().map(|(at, _)| at).chain([key.len()]).collect();
    let count = places.len() - 1;
    let ends = move |first: usize| (first + 1..=count.min(first + longest)).map(move |last| (first, last));
    (0..count)
        .flat_map(ends)
        .filter(move |&(first, last)| last - first < count)
        .filter_map(move |(first, last)| Some((key.get(*places.get(first)?..*places.get(last)?)?, first == 0, last == count)))
}
