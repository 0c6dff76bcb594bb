//! Keyword lists, each by itself: phrases twice, phrases that do nothing or too much.

use rustc_hash::FxHashMap;

use super::{Linter, line_of};
use crate::core::lexicon::{Entry, EntryKind, Lexicon, List, Scratch, needs_nothing};
use crate::core::script::CustomerList;
use crate::core::text::units::Units;
use crate::script::list::{self, Line};

/// A list file, read.
pub(super) struct ListFile {
    /// Its name without folder and ending, as in `script.yaml`.
    pub(super) name: String,
    /// Its path in the bundle.
    pub(super) path: String,
    pub(super) lines: Vec<Line>,
    /// Each line's phrase as it is matched, or its pattern.
    pub(super) keys: Vec<String>,
    /// Lists of one group exclude each other.
    pub(super) group: u16,
    pub(super) pinyin: bool,
    /// A category but `filler`, or a trigger question.
    pub(super) concept: bool,
}

impl Linter<'_> {
    /// Every list file that the script uses and the bundle has.
    pub(super) fn lists(&self) -> Vec<ListFile> {
        let script = &self.script;
        let mut units = Units::default();
        let customer = script.customer.lists().iter().zip(script.customer_lists.iter().map(Some));
        let robot = script.robot.lists().iter().filter(|list| list.name.starts_with("robot/")).map(|list| (list, None));
        let mut files = Vec::new();
        let boundaries = script.boundaries.lists().iter().map(|list| (list, None));
        for (list, meaning) in customer.chain(boundaries).chain(robot) {
            let path = format!("keywords/{}.txt", list.name);
            let Some(text) = self.bundle.files.get(&path) else { continue };
            let lines = list::parse(text).lines;
            let keys = lines.iter().map(|line| key(line, &mut units)).collect();
            let concept = matches!(meaning, Some(CustomerList::Concept(concept)) if Some(*concept) != script.known.filler);
            files.push(ListFile { name: list.name.to_string(), path, lines, keys, group: list.group, pinyin: list.pinyin, concept });
        }
        files
    }

    /// `duplicate-phrase`, `empty-list`, `redundant`, `short-phrase`, `slow-pattern`, `useless-exception`.
    pub(super) fn keywords(&mut self) {
        for list in self.lists() {
            if !list.lines.iter().any(|line| !line.exception) {
                let message = format!("the list `{}` holds no phrase: nothing is ever found by it", list.name);
                self.warn("empty-list", &list.path, 0..0, message, "add phrases, one a line");
            }
            self.twice(&list);
            self.too_short(&list);
            self.exceptions(&list);
        }
    }

    fn twice(&mut self, list: &ListFile) {
        let mut seen: FxHashMap<(bool, &str), Vec<&Line>> = FxHashMap::default();
        for (line, key) in list.lines.iter().zip(&list.keys) {
            seen.entry((line.exception, key.as_str())).or_default().push(line);
        }
        let text = self.text(&list.path).to_owned();
        for (line, key) in list.lines.iter().zip(&list.keys) {
            let Some(alike) = seen.get(&(line.exception, key.as_str())).filter(|alike| alike.len() > 1) else { continue };
            let same = |other: &&&Line| other.at_start == line.at_start && other.at_end == line.at_end;
            let wider = |other: &&&Line| (line.at_start || !other.at_start) && (line.at_end || !other.at_end) && !same(other);
            if let Some(first) = alike.iter().find(same).filter(|first| first.span.start < line.span.start) {
                let like = if first.text == line.text { String::new() } else { format!(" as `{}`", first.text) };
                let message = format!("`{}` is already listed{like} on line {}", marked(line), line_of(&text, first.span.start));
                let help = if like.is_empty() { "remove one of them" } else { "remove one of them: both are matched alike" };
                self.warn("duplicate-phrase", &list.path, line.span.clone(), message, help);
            } else if let Some(wider) = alike.iter().find(wider) {
                let message =
                    format!("`{}` is found by `{}` anyway (line {})", marked(line), marked(wider), line_of(&text, wider.span.start));
                let help = "remove it, or give the other its `^` or `$` too";
                self.warn("redundant", &list.path, line.span.clone(), message, help);
            }
        }
    }

    fn too_short(&mut self, list: &ListFile) {
        for (line, key) in list.lines.iter().zip(&list.keys) {
            if line.kind == EntryKind::Pattern {
                if needs_nothing(&line.text) {
                    let message = format!("`/{}/` has nothing that each of its matches holds: it runs on every text", line.text);
                    self.warn("slow-pattern", &list.path, line.span.clone(), message, "give it two characters that every match holds");
                }
            } else if list.concept && !line.exception && !line.at_start && !line.at_end && key.chars().count() == 1 {
                let message = format!("`{}` is one character: it is found inside many other words", line.text);
                let help = format!("write `^{}$` if it stands alone, or the words it is part of", line.text);
                self.warn("short-phrase", &list.path, line.span.clone(), message, &help);
            }
        }
    }

    /// Reads each exception with its own list: what finds nothing there excepts nothing.
    fn exceptions(&mut self, list: &ListFile) {
        if !list.lines.iter().any(|line| line.exception && line.kind == EntryKind::Phrase) {
            return;
        }
        let phrases = list.lines.iter().filter(|line| !line.exception).map(|line| Entry {
            list: 0,
            text: line.text.as_str().into(),
            kind: line.kind,
            at_start: line.at_start,
            at_end: line.at_end,
            exception: false,
        });
        let alone = List { name: list.name.as_str().into(), group: 0, pinyin: list.pinyin, aside: false, cue: false };
        let Ok(lexicon) = Lexicon::new(vec![alone], phrases.collect()) else { return };
        let mut scratch = Scratch::default();
        for line in list.lines.iter().filter(|line| line.exception && line.kind == EntryKind::Phrase) {
            // In a text that a recogniser has cut up, every character begins and ends a clause: `^` and `$` hold there.
            let cut_up: String = line.text.chars().flat_map(|c| [c, ' ']).collect();
            if lexicon.read(&line.text, &mut scratch).is_empty() && lexicon.read(&cut_up, &mut scratch).is_empty() {
                let message = format!("nothing of this list is found in the exception `{}`", line.text);
                let help = "remove it, or list the phrase it is an exception to; an exception concerns its own list only";
                self.warn("useless-exception", &list.path, line.span.clone(), message, help);
            }
        }
    }
}

/// A line as it is matched: a phrase folded, a pattern between slashes.
pub(super) fn key(line: &Line, units: &mut Units) -> String {
    if line.kind == EntryKind::Pattern {
        return format!("/{}/", line.text);
    }
    units.cut(&line.text);
    units.list.iter().map(|unit| char::from_u32(u32::from(unit.ch())).unwrap_or('\u{FFFD}')).collect()
}

/// A line as written, with its marks.
pub(super) fn marked(line: &Line) -> String {
    let Line { text, kind, at_start, at_end, exception, .. } = line;
    let mark = |set: bool, mark: &'static str| if set { mark } else { "" };
    let slash = mark(*kind == EntryKind::Pattern, "/");
    format!("{}{slash}{}{text}{}{slash}", mark(*exception, "!"), mark(*at_start, "^"), mark(*at_end, "$"))
}
