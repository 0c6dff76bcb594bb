//! Examples: files that no category owns, utterances twice, too few of them.

use rustc_hash::FxHashMap;

use super::{Linter, line_of};
use crate::script::train::{self, FEWEST, OTHER, is_examples};

impl Linter<'_> {
    /// `duplicate-example`, `few-examples`, `stray-examples`.
    pub(super) fn examples(&mut self) {
        let bundle = self.bundle;
        for (path, text) in bundle.files.iter().filter(|(path, _)| is_examples(path)) {
            let Some(id) = path.strip_prefix("examples/").and_then(|file| file.strip_suffix(".txt")) else { continue };
            if path != OTHER && !self.script.concepts.iter().any(|concept| *concept.id == *id) {
                let message = format!("no category or question `{id}` is declared: nothing is learned from its examples");
                let help = "declare it in `lexicon`, rename the file, or remove it; utterances of no category go into examples/other.txt";
                self.warn("stray-examples", path, 0..0, message, help);
                continue;
            }
            let examples = train::parse(text);
            let own = examples.lines.iter().filter(|(.., counter)| !counter).count();
            if path != OTHER && !examples.off && own < FEWEST {
                let message = format!("`{id}` has {own} examples: from fewer than {FEWEST} nothing is learned");
                self.warn("few-examples", path, 0..0, message, "write more, in customers' own words, or put the words into the list");
            }
            self.repeated(path, text, &examples);
        }
    }

    fn repeated(&mut self, path: &str, text: &str, examples: &train::Examples) {
        let mut seen: FxHashMap<&str, (usize, bool)> = FxHashMap::default();
        for (span, utterance, counter) in &examples.lines {
            let Some(&(first, first_counter)) = seen.get(utterance.as_str()) else {
                seen.insert(utterance, (span.start, *counter));
                continue;
            };
            let line = line_of(text, first);
            let (message, help) = if first_counter == *counter {
                (format!("`{utterance}` already stands on line {line}: it teaches nothing more"), "remove one of them")
            } else {
                let first = if first_counter { "a counterexample" } else { "an example" };
                (format!("`{utterance}` already stands on line {line}, as {first}"), "decide which it is")
            };
            self.warn("duplicate-example", path, span.clone(), message, help);
        }
    }
}
