//! A bundle's keyword lists and cues, compiled into the two lexicons.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::{Compiler, Declared, SCRIPT, bytes};
use crate::core::event::Answerer;
use crate::core::lexicon::{Entry, Lexicon, List, PatternError};
use crate::core::scope::{Boundary, Cue};
use crate::core::script::{Ask, Concept, ConceptIndex, CustomerList, RobotList};
use crate::script::diagnostic::Severity;
use crate::script::list;
use crate::script::spec::{LexiconSpec, ScriptSpec};

/// Shortest clause of a prompt that identifies its node.
const PROMPT_CLAUSE: usize = 5;

const ROBOT_LISTS: [(&str, RobotList); 5] = [
    ("robot/offer.txt", RobotList::Asks(Ask::Offer)),
    ("robot/question.txt", RobotList::Asks(Ask::Fact)),
    ("robot/open.txt", RobotList::Asks(Ask::Open)),
    ("robot/contact.txt", RobotList::Contact),
    ("robot/farewell.txt", RobotList::Farewell),
];

/// A lexicon being put together.
#[derive(Default)]
struct Lists {
    lists: Vec<List>,
    entries: Vec<Entry>,
    /// Where each entry stands: file, bytes.
    places: Vec<(String, Range<usize>)>,
}

impl Lists {
    fn open(&mut self, name: &str, group: u16, pinyin: bool) -> u16 {
        self.lists.push(List { name: name.into(), group, pinyin, aside: false, cue: false });
        (self.lists.len() - 1) as u16
    }

    fn add(&mut self, list: u16, line: list::Line, file: &str) {
        let list::Line { text, kind, at_start, at_end, exception, span } = line;
        self.entries.push(Entry { list, text: text.into(), kind, at_start, at_end, exception });
        self.places.push((file.to_owned(), span));
    }
}

impl Compiler<'_> {
    pub(super) fn customer_lexicon(
        &mut self,
        spec: &LexiconSpec,
        concepts: &[Concept],
        declared: &Declared,
    ) -> Option<(Lexicon, Vec<CustomerList>)> {
        let mut lists = Lists::default();
        let mut meaning = Vec::new();
        let mut groups: FxHashMap<ConceptIndex, u16> = FxHashMap::default();
        for (number, opposites) in spec.opposite.iter().enumerate() {
            for name in opposites {
                if let Some(concept) = self.resolve(name, &declared.concepts, "category or question") {
                    groups.insert(concept, 1000 + number as u16);
                }
            }
        }
        const QUESTIONS: u16 = 2000;
        for (index, concept) in (0u8..).zip(concepts) {
            let own = if concept.question { QUESTIONS } else { u16::from(index) };
            let group = groups.get(&index).copied().unwrap_or(own);
            let declared = spec.categories.keys().chain(spec.questions.keys()).find(|id| id.value == *concept.id).map(bytes);
            self.open_list(&format!("{}.txt", concept.id), declared, group, &mut lists);
            meaning.push(CustomerList::Concept(index));
        }
        let helpers = [
            ("answer/yes.txt", CustomerList::Yes),
            ("answer/goodbye.txt", CustomerList::Goodbye),
            ("answer/time.txt", CustomerList::Time),
            ("answer/assent.txt", CustomerList::Assent),
            ("answer/dissent.txt", CustomerList::Dissent),
            ("machine/switchboard.txt", CustomerList::Machine(Answerer::Switchboard)),
            ("machine/voicemail.txt", CustomerList::Machine(Answerer::Voicemail)),
            ("machine/assistant.txt", CustomerList::Machine(Answerer::Assistant)),
        ];
        for (group, (file, what)) in (3000u16..).zip(helpers) {
            self.open_list(file, None, group, &mut lists);
            meaning.push(what);
        }
        for (group, cue) in (3100u16..).zip(Cue::ALL) {
            self.open_list(&scope_file(cue.as_str()), None, group, &mut lists);
            meaning.push(CustomerList::Scope(cue));
            if let Some(list) = lists.lists.last_mut() {
                list.cue = true;
            }
        }
        // Small talk competes with no other list, unless the script has it so.
        let filler = concepts.iter().position(|concept| &*concept.id == "filler");
        if filler.is_none_or(|filler| !groups.keys().any(|&concept| usize::from(concept) == filler)) {
            for (number, list) in lists.lists.iter_mut().enumerate() {
                list.aside = Some(number) == filler || matches!(meaning.get(number), Some(CustomerList::Yes | CustomerList::Goodbye));
            }
        }
        let known: Vec<String> = lists
            .lists
            .iter()
            .map(|list| format!("keywords/{}.txt", list.name))
            .chain(ROBOT_LISTS.iter().map(|(file, _)| format!("keywords/{file}")))
            .chain(Boundary::ALL.iter().map(|boundary| format!("keywords/{}", scope_file(boundary.as_str()))))
            .collect();
        let stray: Vec<String> =
            self.bundle.files.keys().filter(|path| path.starts_with("keywords/") && !known.contains(path)).cloned().collect();
        for path in stray {
            let help = Some("declare it under `lexicon` in script.yaml, or remove the file".to_owned());
            self.report(Severity::Warning, "stray-list", "no category or question uses this list".to_owned(), &path, 0..0, help);
        }
        Some((self.lexicon(lists)?, meaning))
    }

    /// What ends the scope of a cue.
    pub(super) fn boundary_lexicon(&mut self) -> Option<Lexicon> {
        let mut lists = Lists::default();
        for (group, boundary) in (0u16..).zip(Boundary::ALL) {
            self.open_list(&scope_file(boundary.as_str()), None, group, &mut lists);
        }
        self.lexicon(lists)
    }

    pub(super) fn robot_lexicon(&mut self, spec: &ScriptSpec) -> Option<(Lexicon, Vec<RobotList>)> {
        let mut lists = Lists::default();
        let mut meaning = Vec::new();
        for (group, (file, what)) in (0u16..).zip(ROBOT_LISTS) {
            self.open_list(file, None, group, &mut lists);
            meaning.push(what);
        }
        for (index, node) in (0u8..).zip(&spec.flow.nodes) {
            let list = lists.open(&format!("cues/{}", node.id.value), 100 + u16::from(index), false);
            meaning.push(RobotList::Cue(index));
            for cue in &node.cues {
                match list::line(cue.value.trim(), bytes(cue)) {
                    Ok(line) => lists.add(list, line, SCRIPT),
                    Err(reason) => self.error("bad-phrase", reason, SCRIPT, bytes(cue), None),
                }
            }
            if let Some(prompt) = &node.prompt {
                for clause in clauses(&prompt.value) {
                    if let Ok(line) = list::line(clause, bytes(prompt)) {
                        lists.add(list, line, SCRIPT);
                    }
                }
            }
        }
        // A line whose node is told needs no cues.
        for (list, what) in lists.lists.iter_mut().zip(&meaning) {
            list.aside = matches!(what, RobotList::Cue(_));
        }
        Some((self.lexicon(lists)?, meaning))
    }

    /// Adds a list file; one that is declared, at these bytes of `script.yaml`, must be there.
    fn open_list(&mut self, file: &str, declared: Option<Range<usize>>, group: u16, lists: &mut Lists) {
        let path = format!("keywords/{file}");
        let text = self.bundle.files.get(&path).cloned();
        if let (None, Some(declared)) = (&text, declared) {
            let message = format!("the lexicon declares `{}`, but there is no {path}", file.trim_end_matches(".txt"));
            self.error("missing-list", message, SCRIPT, declared, Some(format!("write {path}, one phrase a line")));
        }
        let parsed = list::parse(text.as_deref().unwrap_or_default());
        for (span, reason) in parsed.faults {
            self.error("bad-phrase", reason, &path, span, None);
        }
        let list = lists.open(file.trim_end_matches(".txt"), group, parsed.pinyin);
        for line in parsed.lines {
            lists.add(list, line, &path);
        }
    }

    fn lexicon(&mut self, lists: Lists) -> Option<Lexicon> {
        let Lists { lists, entries, places } = lists;
        match Lexicon::new(lists, entries) {
            Ok(lexicon) => Some(lexicon),
            Err(errors) => {
                for PatternError { entry, reason } in errors {
                    let (file, span) = places.get(entry).cloned().unwrap_or_default();
                    let help = reason.contains("too large").then(|| "make it shorter, or its repetitions smaller".to_owned());
                    self.error("bad-pattern", format!("this pattern cannot be used: {reason}"), &file, span, help);
                }
                None
            }
        }
    }
}

/// The file of cues or boundaries.
fn scope_file(name: &str) -> String {
    format!("scope/{name}.txt")
}

/// The clauses of a prompt that are long enough to identify it, variables left out.
fn clauses(prompt: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    prompt
        .split(move |c: char| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => return depth == 0 && !c.is_alphanumeric(),
            }
            true
        })
        .filter(|clause| clause.chars().filter(|c| c.is_alphanumeric()).count() >= PROMPT_CLAUSE && !clause.is_ascii())
}
