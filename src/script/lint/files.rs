//! Files that nothing reads, and cases that cannot be run or are missing.

use std::ops::Range;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::Linter;
use crate::script::case::Case;
use crate::script::cel::suggest;
use crate::script::compile::{self, SCRIPT, bytes};
use crate::script::train::{MODEL, is_examples};

/// A case, for the places of what it names.
#[derive(Debug, Deserialize)]
struct CasePlaces {
    name: Spanned<String>,
    #[serde(default)]
    events: Vec<Spanned<IgnoredAny>>,
    #[serde(default)]
    expect: ExpectPlaces,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExpectPlaces {
    label: Option<Spanned<String>>,
    rule: Option<Spanned<String>>,
    also_matched: Vec<Spanned<String>>,
}

impl Linter<'_> {
    /// `bad-case`, `duplicate-case`, `no-case`, `stray-file`, `unknown-label`, `unknown-rule`.
    pub(super) fn files(&mut self) {
        let bundle = self.bundle;
        let mut shown: Vec<String> = Vec::new();
        let mut names: FxHashMap<String, String> = FxHashMap::default();
        for (path, text) in &bundle.files {
            let is_case = path.starts_with("cases/") && path.ends_with(".yaml");
            // A stray file among the lists or examples has been told of as such.
            let told = path.starts_with("keywords/") || is_examples(path);
            let known = path == SCRIPT || path == MODEL || path.ends_with(".md") || told;
            if is_case {
                self.case_file(path, text, &mut names, &mut shown);
            } else if !known {
                let help = "a script is script.yaml, keywords/*.txt, examples/*.txt, model.txt and cases/*.yaml";
                self.warn("stray-file", path, 0..0, "nothing reads this file".to_owned(), help);
            }
        }
        for rule in &self.spec.rules {
            if !shown.contains(&rule.id.value) {
                let message = format!("no case expects rule `{}`", rule.id.value);
                let help = format!("write cases/{}.yaml, the smallest call that it decides", rule.id.value);
                self.warn_script("no-case", bytes(&rule.id), message, &help);
            }
        }
    }

    fn case_file(&mut self, path: &str, text: &str, names: &mut FxHashMap<String, String>, shown: &mut Vec<String>) {
        let read =
            serde_saphyr::from_str::<Vec<Case>>(text).and_then(|cases| Ok((cases, serde_saphyr::from_str::<Vec<CasePlaces>>(text)?)));
        let (cases, places) = match read {
            Ok(read) => read,
            Err(error) => {
                let (message, span, help) = compile::place::yaml_error(&error, text);
                self.warn("bad-case", path, span, message, help.as_deref().unwrap_or_default());
                return;
            }
        };
        let rate = self.script.speaking_rate;
        for (case, place) in cases.iter().zip(&places) {
            if let Some(other) = names.insert(case.name.clone(), path.to_owned()) {
                let message = format!("a case of this name is already in {other}");
                self.warn("duplicate-case", path, bytes(&place.name), message, "give each its own name");
            }
            if let Err(error) = case.events(rate) {
                let span = place.events.get(error.event - 1).map_or_else(|| bytes(&place.name), |event| first_line(text, bytes(event)));
                self.warn("bad-case", path, span, error.reason, "");
            }
            self.expectation(path, &place.expect);
            shown.extend(case.expect.rule.clone());
        }
    }

    fn expectation(&mut self, path: &str, expect: &ExpectPlaces) {
        let spec = self.spec;
        let rules: Vec<&str> = spec.rules.iter().map(|rule| rule.id.value.as_str()).collect();
        let labels: Vec<&str> = spec.labels.iter().map(|label| label.id.value.as_str()).collect();
        // A case may expect that nothing decides: rule `none`, label "".
        for rule in expect.rule.iter().filter(|rule| rule.value != "none").chain(&expect.also_matched) {
            if !rules.contains(&rule.value.as_str()) {
                let message = format!("the script has no rule `{}`", rule.value);
                self.warn("unknown-rule", path, bytes(rule), message, &suggest(&rule.value, &rules).unwrap_or_default());
            }
        }
        if let Some(label) = expect.label.as_ref().filter(|label| !label.value.is_empty() && !labels.contains(&label.value.as_str())) {
            let message = format!("the script declares no label `{}`", label.value);
            self.warn("unknown-label", path, bytes(label), message, &suggest(&label.value, &labels).unwrap_or_default());
        }
    }
}

/// The first line of a span.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let length = text.get(span.clone()).and_then(|part| part.find('\n'));
    span.start..length.map_or(span.end, |length| span.start + length)
}
