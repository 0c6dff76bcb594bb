//! What is odd in a bundle that loads: rules that never decide, nodes nobody reaches, phrases that do nothing.
//!
//! Every finding has a stable code; [`CODES`] says what each means. A finding never keeps a bundle from grading.

use std::ops::Range;
use std::sync::Arc;

use super::bundle::Bundle;
use super::compile::{self, Compiled, SCRIPT};
use super::diagnostic::{Diagnostic, Severity};
use super::spec::ScriptSpec;
use crate::core::script::Script;

mod examples;
mod files;
mod flow;
mod keywords;
mod logic;
mod opposites;
mod rules;
mod terms;

/// Every code that lint gives, with what it means; load errors have codes of their own.
pub const CODES: &[(&str, &str)] = &[
    ("after-catch-all", "A rule stands after a catch-all. It is tried before it all the same, so the order misleads."),
    ("after-later", "A node progresses only after one that comes later in the main flow."),
    ("after-unreachable", "A node progresses only after one that the flow never reaches, so never."),
    ("always-true", "A rule's condition always holds, so the rules after it never decide."),
    ("bad-case", "A case file cannot be read, or an event of a case means nothing."),
    ("dead-end", "The robot asks, or the main flow goes on, but no answer leads anywhere."),
    ("duplicate-case", "Two cases have the same name."),
    ("duplicate-cue", "A node lists a cue twice."),
    ("duplicate-example", "A file of examples holds an utterance twice, or as an example and as a counterexample."),
    ("duplicate-phrase", "A list holds a phrase twice, perhaps in another width, case or script of the same characters."),
    ("empty-list", "A list file holds no phrase."),
    ("few-examples", "A category has too few examples: nothing is learned from them."),
    ("inside-opposite", "Phrases of one category lie inside phrases of an opposite one. There the longer ones count."),
    ("main-order", "The branches never lead from one main-flow node to the one that follows it."),
    ("never-true", "A condition contradicts itself: it never holds."),
    ("no-any", "A node's branches leave answers that lead nowhere: they have no `any`."),
    ("no-case", "No case shows when a rule decides."),
    ("no-catch-all", "The script has no catch-all, so a call can end without a label."),
    ("no-cues", "A node has neither cues nor a prompt that could identify it; only a node id tells it."),
    ("no-label-rule", "No rule gives a label that the script declares."),
    ("no-model", "There are examples, but no model was trained from them, so they find nothing."),
    ("no-words", "A rule lacks the standard's words, which verdicts give as the reason."),
    ("redundant", "A phrase with `^` or `$` stands beside the same phrase without, which finds it anyway."),
    ("shadowed", "A rule never decides: whenever it holds, rules tried before it do."),
    ("shadowed-follow-up", "A follow-up is never chosen: whenever it holds, those before it do."),
    ("shared-cue", "The same cue identifies two nodes, so it identifies neither."),
    ("short-phrase", "A phrase of one character, found inside many words that mean something else."),
    ("silent-cycle", "The robot goes round in a circle without a word from the customer."),
    ("slow-pattern", "A pattern has no characters that each of its matches holds, so it runs on every text."),
    ("stale-model", "The model was trained from other examples than these."),
    ("stray-examples", "A file of examples that no category or question declares."),
    ("stray-file", "A file that nothing reads."),
    ("stray-list", "A list file that no category or question declares."),
    ("two-meanings", "The same phrase stands in two lists that exclude each other; only one of them counts."),
    ("unknown-label", "A case expects a label that the script does not declare."),
    ("unknown-rule", "A case expects a rule that the script does not have."),
    ("unreachable-node", "No branch leads to a node from where the flow starts."),
    ("useless-alias", "An alias is spelled like a name of the script's own, so it is never used."),
    ("useless-exception", "An exception inside which nothing of its list is ever found."),
];

/// Looks a bundle through. Findings come by file and place; of a bundle that does not load, only why it does not.
#[must_use]
pub fn lint(bundle: &Bundle) -> Vec<Diagnostic> {
    let mut diagnostics = match compile::compile_with_warnings(bundle) {
        Err(error) => error.diagnostics,
        Ok(Compiled { script, spec, warnings }) => {
            let mut linter = Linter { bundle, script, spec: &spec, diagnostics: warnings };
            linter.rules();
            linter.flow();
            linter.keywords();
            linter.opposites();
            linter.cues();
            linter.examples();
            linter.files();
            linter.diagnostics
        }
    };
    diagnostics.sort_by(|a, b| (a.severity, &a.file, a.span.start, a.code).cmp(&(b.severity, &b.file, b.span.start, b.code)));
    diagnostics
}

/// A bundle that loads, and what was found in it so far.
struct Linter<'a> {
    bundle: &'a Bundle,
    script: Arc<Script>,
    spec: &'a ScriptSpec,
    diagnostics: Vec<Diagnostic>,
}

impl Linter<'_> {
    fn warn(&mut self, code: &'static str, path: &str, span: Range<usize>, message: String, help: &str) {
        let text = self.bundle.files.get(path).cloned().unwrap_or_default();
        let file = format!("{}/{path}", self.bundle.name);
        let span = compile::place::trimmed(&text, span);
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.diagnostics.push(Diagnostic { severity: Severity::Warning, code, message, file, span, help, text });
    }

    /// As [`warn`](Self::warn), of `script.yaml`.
    fn warn_script(&mut self, code: &'static str, span: Range<usize>, message: String, help: &str) {
        self.warn(code, SCRIPT, span, message, help);
    }

    /// The text of a file.
    fn text(&self, path: &str) -> &str {
        self.bundle.files.get(path).map_or("", String::as_str)
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

/// `a`, `b` and `c`.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
