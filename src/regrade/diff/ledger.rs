//! The sums of one script's calls, by ids: what is merged, kept and told.

use std::collections::BTreeMap;

use super::capped::Capped;
use super::outcome::{OTHERS, Outcome, cut};
use crate::core::script::Script;
use crate::wire::v1;

/// Most pairs of labels and rules, before and after, of which account is kept.
const MOST_TRANSITIONS: usize = 10_000;
/// Most versions.
const MOST_VERSIONS: usize = 100;
/// Most phrases.
pub(super) const MOST_KEYWORDS: usize = 10_000;
/// Most pairs of labels that have examples.
const MOST_EXAMPLES: usize = 100;
/// Changed calls that are shown of a pair of labels.
pub(super) const MOST_CALLS: usize = 20;

/// Calls that went from one rule to another, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Passed {
    pub(super) calls: u64,
    pub(super) causes: v1::Causes,
}

impl Passed {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.causes.rules += other.causes.rules;
        self.causes.signals += other.causes.signals;
        self.causes.both += other.causes.both;
        self.causes.unknown += other.causes.unknown;
    }
}

/// How far calls came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) calls: u64,
    pub(super) completion_millionths: u64,
}

impl Flow {
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.completion_millionths += other.completion_millionths;
    }
}

/// A node of the main flow and how many calls entered it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) before: u64,
    pub(super) after: u64,
}

/// What was found in words on one side only. What the dialer reports comes last: a script's own phrases are so many and no more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Keyword {
    pub(super) reported: bool,
    pub(super) length: usize,
    pub(super) phrase: String,
    pub(super) category: String,
    pub(super) how: i32,
    pub(super) gained: bool,
}

impl Keyword {
    pub(super) fn new(category: &str, phrase: &str, how: i32, gained: bool) -> Self {
        let (phrase, category) = (cut(phrase), cut(category));
        Self { reported: how == i32::from(v1::Match::Reported), length: phrase.len(), phrase, category, how, gained }
    }
}

/// The two sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// Something of each side.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Both<T> {
    pub(super) before: T,
    pub(super) after: T,
}

impl<T> Both<T> {
    pub(super) fn of(&mut self, side: Side) -> &mut T {
        match side {
            Side::Before => &mut self.before,
            Side::After => &mut self.after,
        }
    }
}

/// Versions and the calls each graded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Versions {
    /// By script id and version, the shorter version first.
    pub(super) kept: Capped<(usize, String, String), u64>,
    pub(super) others: u64,
}

impl Default for Versions {
    fn default() -> Self {
        Self { kept: Capped::new(MOST_VERSIONS), others: 0 }
    }
}

impl Versions {
    pub(super) fn add(&mut self, script_id: &str, version: &str, calls: u64) {
        if version == OTHERS {
            self.others += calls;
        } else {
            let version = cut(version);
            let out = self.kept.update((version.len(), version, script_id.to_owned()), |kept| *kept += calls);
            self.others += out.map_or(0, |(_, calls)| calls);
        }
    }
}

/// The sums of the calls that one script grades now. All of it adds up: the ledger of a run is that of its parts merged in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ledger {
    pub(super) title: String,
    /// Labels that scripts declare: id, title.
    pub(super) labels: Vec<(String, String)>,
    pub(super) rules: Both<Vec<(String, v1::RuleText)>>,
    pub(super) versions: Both<Versions>,
    pub(super) transitions: Capped<(Outcome, Outcome), Passed>,
    /// By what they are now, the calls whose label before is one of too many.
    pub(super) others: BTreeMap<Outcome, Passed>,
    /// By what they are now, the calls of which nothing is known of before.
    pub(super) uncompared: BTreeMap<Outcome, u64>,
    pub(super) flow: Both<Flow>,
    pub(super) nodes: Vec<Node>,
    /// By labels before and after, the calls whose label a keyword changed.
    pub(super) keywords: Capped<Keyword, BTreeMap<(String, String), u64>>,
    pub(super) other_keywords: u64,
    pub(super) examples: Capped<(Outcome, Outcome), Vec<v1::ChangedCall>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            title: String::new(),
            labels: Vec::new(),
            rules: Both::default(),
            versions: Both::default(),
            transitions: Capped::new(MOST_TRANSITIONS),
            others: BTreeMap::new(),
            uncompared: BTreeMap::new(),
            flow: Both::default(),
            nodes: Vec::new(),
            keywords: Capped::new(MOST_KEYWORDS),
            other_keywords: 0,
            examples: Capped::new(MOST_EXAMPLES),
        }
    }
}

impl Ledger {
    /// Of no calls of a script.
    pub(super) fn of(script: &Script) -> Self {
        Self { title: script.title.to_string(), ..Self::default() }
    }

    /// Takes the names that a script has for what is counted; of two of one id the first stays.
    pub(super) fn declare(&mut self, side: Side, script: &Script) {
        for label in &script.labels {
            self.label(&label.id, &label.title);
        }
        for rule in &script.rules {
            let text = v1::RuleText {
                label: script.labels.get(rule.label).map_or(String::new(), |label| label.id.to_string()),
                when: rule.condition.source.to_string(),
                words: rule.words.to_string(),
                catch_all: rule.catch_all,
            };
            self.rule(side, &rule.id, text);
        }
        for node in script.main_flow.iter().filter_map(|&node| script.node(node)) {
            self.node(&node.id, &node.title);
        }
    }

    pub(super) fn label(&mut self, id: &str, title: &str) {
        if !self.labels.iter().any(|(known, _)| known == id) {
            self.labels.push((id.to_owned(), title.to_owned()));
        }
    }

    pub(super) fn rule(&mut self, side: Side, id: &str, text: v1::RuleText) {
        let rules = self.rules.of(side);
        if !rules.iter().any(|(known, _)| known == id) {
            rules.push((id.to_owned(), text));
        }
    }

    /// The sums of a node.
    pub(super) fn node(&mut self, id: &str, title: &str) -> &mut Node {
        let place = self.nodes.iter().position(|node| node.id == id).unwrap_or_else(|| {
            self.nodes.push(Node { id: id.to_owned(), title: title.to_owned(), ..Node::default() });
            self.nodes.len() - 1
        });
        &mut self.nodes[place]
    }

    pub(super) fn passed(&mut self, before: Outcome, after: Outcome, passed: Passed) {
        let out = if before.label == OTHERS {
            Some(((before, after), passed))
        } else {
            self.transitions.update((before, after), |kept| kept.add(passed))
        };
        if let Some(((_, after), passed)) = out {
            self.others.entry(after).or_default().add(passed);
        }
    }

    pub(super) fn alone(&mut self, after: Outcome, calls: u64) {
        *self.uncompared.entry(after).or_default() += calls;
    }

    /// Counts a keyword that changed calls from one label to another.
    pub(super) fn keyword(&mut self, keyword: Keyword, before: &str, after: &str, calls: u64) {
        let out = self.keywords.update(keyword, |kept| *kept.entry((before.to_owned(), after.to_owned())).or_default() += calls);
        self.other_keywords += out.map_or(0, |(_, transitions)| transitions.values().sum());
    }

    /// Shows a changed call, unless there are enough of its kind.
    pub(super) fn example(&mut self, before: &str, after: &str, call: &v1::ChangedCall) {
        let key = (Outcome::new(before, ""), Outcome::new(after, ""));
        if self.examples.get(&key).is_none_or(|calls| calls.len() < MOST_CALLS) {
            // What is pushed out is no longer shown, and no sum.
            let _ = self.examples.update(key, |calls| calls.push(call.clone()));
        }
    }

    /// Takes in the sums of the calls that come after these.
    pub(super) fn merge(&mut self, later: Self) {
        if self.title.is_empty() {
            self.title = later.title;
        }
        later.labels.iter().for_each(|(id, title)| self.label(id, title));
        let Both { before, after } = later.rules;
        before.into_iter().for_each(|(id, text)| self.rule(Side::Before, &id, text));
        after.into_iter().for_each(|(id, text)| self.rule(Side::After, &id, text));
        let Both { before, after } = later.versions;
        for (side, versions) in [(Side::Before, before), (Side::After, after)] {
            let sums = self.versions.of(side);
            versions.kept.into_iter().for_each(|((_, version, script), calls)| sums.add(&script, &version, calls));
            sums.others += versions.others;
        }
        later.transitions.into_iter().for_each(|((before, after), passed)| self.passed(before, after, passed));
        later.others.into_iter().for_each(|(after, passed)| self.others.entry(after).or_default().add(passed));
        later.uncompared.into_iter().for_each(|(after, calls)| self.alone(after, calls));
        self.flow.before.add(later.flow.before);
        self.flow.after.add(later.flow.after);
        for node in later.nodes {
            let sums = self.node(&node.id, &node.title);
            sums.before += node.before;
            sums.after += node.after;
        }
        for (keyword, transitions) in later.keywords.into_iter() {
            for ((before, after), calls) in transitions {
                self.keyword(keyword.clone(), &before, &after, calls);
            }
        }
        self.other_keywords += later.other_keywords;
        for ((before, after), calls) in later.examples.into_iter() {
            calls.iter().for_each(|call| self.example(&before.label, &after.label, call));
        }
    }
}
