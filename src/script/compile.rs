//! From a bundle's files to a script that grades: everything checked, nothing left to fail on a live call.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use serde_saphyr::Spanned;

use super::bundle::Bundle;
use super::cel::{self, Names, suggest};
use super::diagnostic::{Diagnostic, LoadError, Severity};
use super::spec::{AskSpec, LexiconSpec, NodeSpec, ScriptSpec, SettingSpec};
use crate::core::rule::{Condition, Expr, MOST_RULES, Rule, Rules};
use crate::core::scope::Boundary;
use crate::core::script::{
    Ask, Concept, ConceptIndex, FollowUpRule, Label, MOST_CONCEPTS, MOST_NODES, Node, NodeIndex, Script, Serial, Target, Trigger, WellKnown,
};

mod learned;
mod lists;
pub(super) mod place;

/// Characters a second that a robot speaks, where a script does not say.
const SPEAKING_RATE: f64 = 4.5;
/// What a follow-up may be.
const ACTIONS: [&str; 4] = ["call", "redial", "none", "never"];

/// Compiles a bundle.
///
/// # Errors
/// Everything that is wrong with it, with its place.
pub fn compile(bundle: &Bundle) -> Result<Arc<Script>, LoadError> {
    compile_with_warnings(bundle).map(|compiled| compiled.script)
}

/// A script, and what lint says more of than that it loads.
pub(crate) struct Compiled {
    pub(crate) script: Arc<Script>,
    /// `script.yaml` as written, for the places of what it declares.
    pub(crate) spec: ScriptSpec,
    /// What is odd, though nothing is wrong.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Compiles a bundle, and keeps what [`compile`] does not tell of one that loads.
pub(crate) fn compile_with_warnings(bundle: &Bundle) -> Result<Compiled, LoadError> {
    let mut compiler = Compiler { bundle, diagnostics: Vec::new() };
    let compiled = compiler.spec().and_then(|spec| Some((compiler.script(&spec)?, spec)));
    let fatal = compiler.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    match compiled {
        Some((script, spec)) if !fatal => Ok(Compiled { script: Arc::new(script), spec, warnings: compiler.diagnostics }),
        _ => Err(LoadError { diagnostics: compiler.diagnostics }),
    }
}

struct Compiler<'a> {
    bundle: &'a Bundle,
    diagnostics: Vec<Diagnostic>,
}

/// Everything in `script.yaml` that is named, by name.
#[derive(Default)]
struct Declared {
    nodes: FxHashMap<String, NodeIndex>,
    concepts: FxHashMap<String, ConceptIndex>,
    labels: FxHashMap<String, usize>,
}

/// The file that declares everything.
pub(crate) const SCRIPT: &str = "script.yaml";

impl Compiler<'_> {
    fn script(&mut self, spec: &ScriptSpec) -> Option<Script> {
        if spec.id.value != self.bundle.name {
            let message = format!("the script's id is `{}`, but its folder is `{}`", spec.id.value, self.bundle.name);
            self.error("wrong-id", message, SCRIPT, bytes(&spec.id), Some("name the folder after the id".to_owned()));
        }
        let mut declared = Declared::default();
        let labels = self.labels(spec, &mut declared);
        let (concepts, category_count) = self.concepts(&spec.lexicon, &mut declared);
        self.declare_nodes(spec, &mut declared);
        let nodes: Vec<Node> = spec.flow.nodes.iter().map(|node| self.node(node, spec, &declared)).collect();
        let main_flow = (0u8..).zip(&spec.flow.nodes).filter(|(_, node)| node.main).map(|(index, _)| index).collect();
        if let Some(start) = &spec.flow.start {
            self.resolve(start, &declared.nodes, "node");
        }
        let customer = self.customer_lexicon(&spec.lexicon, &concepts, &declared);
        let boundaries = self.boundary_lexicon();
        let robot = self.robot_lexicon(spec);
        let settings = settings(spec);
        let category_names: Vec<&str> = concepts.iter().take(category_count).map(|concept| &*concept.id).collect();
        let rules = self.rules(spec, &declared, &Names { settings: &settings, categories: &category_names, label: false });
        let follow_up = self.follow_up(spec, &Names { settings: &settings, categories: &category_names, label: true });
        let node_aliases = self.aliases(&spec.aliases.nodes, &declared.nodes, "node");
        let concept_aliases = self.aliases(&spec.aliases.categories, &declared.concepts, "category or question");
        let speaking_rate = match settings.get("speaking_rate") {
            Some(Expr::Int(rate)) => *rate as f64,
            Some(Expr::Double(rate)) => *rate,
            _ => SPEAKING_RATE,
        };
        if !(speaking_rate.is_finite() && speaking_rate > 0.0) {
            let span = spec.settings.get("speaking_rate").map(bytes).unwrap_or_default();
            self.error("wrong-value", "speaking_rate must be more than 0 characters a second".to_owned(), SCRIPT, span, None);
        }
        let learned = self.learned(&concepts);
        // Only now: everything that is wrong has been told.
        let ((customer, customer_lists), boundaries, (robot, robot_lists)) = (customer?, boundaries?, robot?);
        let known = |name: &str| declared.concepts.get(name).copied().filter(|index| usize::from(*index) < category_count);
        Some(Script {
            serial: Serial::next(),
            id: spec.id.value.as_str().into(),
            title: spec.title.as_str().into(),
            version: self.bundle.version().into(),
            labels,
            speaking_rate,
            nodes,
            main_flow,
            category_count,
            known: WellKnown {
                affirm: known("affirm"),
                deny: known("deny"),
                refuse: known("refuse"),
                do_not_call: known("do_not_call"),
                contact: known("contact"),
                filler: known("filler"),
                identity: known("identity"),
                busy: known("busy"),
                not_available: known("not_available"),
            },
            concepts,
            customer,
            customer_lists,
            learned,
            boundaries,
            boundary_lists: Boundary::ALL.to_vec(),
            robot,
            robot_lists,
            rules,
            follow_up,
            node_aliases,
            concept_aliases,
            files: self.bundle.files.clone(),
            start: OnceLock::new(),
        })
    }

    fn spec(&mut self) -> Option<ScriptSpec> {
        let Some(text) = self.bundle.files.get(SCRIPT) else {
            self.error("missing-file", "a script needs a script.yaml".to_owned(), SCRIPT, 0..0, None);
            return None;
        };
        match serde_saphyr::from_str::<ScriptSpec>(text) {
            Ok(spec) => Some(spec),
            Err(error) => {
                let (message, span, help) = place::yaml_error(&error, text);
                self.error("yaml", message, SCRIPT, span, help);
                None
            }
        }
    }

    fn labels(&mut self, spec: &ScriptSpec, declared: &mut Declared) -> Vec<Label> {
        for (place, label) in spec.labels.iter().enumerate() {
            if declared.labels.insert(label.id.value.clone(), place).is_some() {
                self.error("duplicate", format!("label `{}` is declared twice", label.id.value), SCRIPT, bytes(&label.id), None);
            }
        }
        spec.labels.iter().map(|label| Label { id: label.id.value.as_str().into(), title: label.title.as_str().into() }).collect()
    }

    fn concepts(&mut self, spec: &LexiconSpec, declared: &mut Declared) -> (Vec<Concept>, usize) {
        let mut concepts = Vec::new();
        for (question, names) in [(false, &spec.categories), (true, &spec.questions)] {
            for (id, title) in names {
                if concepts.len() >= MOST_CONCEPTS {
                    let message = format!("more than {MOST_CONCEPTS} categories and questions");
                    self.error("too-many", message, SCRIPT, bytes(id), None);
                    break;
                }
                if declared.concepts.insert(id.value.clone(), concepts.len() as u8).is_some() {
                    self.error("duplicate", format!("`{}` is both a category and a question", id.value), SCRIPT, bytes(id), None);
                }
                concepts.push(Concept { id: id.value.as_str().into(), title: title.as_str().into(), question });
            }
        }
        (concepts, spec.categories.len().min(MOST_CONCEPTS))
    }

    fn declare_nodes(&mut self, spec: &ScriptSpec, declared: &mut Declared) {
        for (index, node) in spec.flow.nodes.iter().enumerate() {
            if index >= MOST_NODES {
                self.error("too-many", format!("more than {MOST_NODES} nodes"), SCRIPT, bytes(&node.id), None);
                break;
            }
            if declared.nodes.insert(node.id.value.clone(), index as u8).is_some() {
                self.error("duplicate", format!("node `{}` is declared twice", node.id.value), SCRIPT, bytes(&node.id), None);
            }
        }
        let mut invites = spec.flow.nodes.iter().filter(|node| node.invite).skip(1);
        if let Some(second) = invites.next() {
            self.error(
                "duplicate",
                format!("`{}` is a second invite node; a script has one", second.id.value),
                SCRIPT,
                bytes(&second.id),
                None,
            );
        }
        if !spec.flow.nodes.iter().any(|node| node.main) {
            let span = spec.flow.nodes.first().map(|node| bytes(&node.id)).unwrap_or_default();
            self.error("no-main-flow", "no node is `main: true`: completion would mean nothing".to_owned(), SCRIPT, span, None);
        }
    }

    fn node(&mut self, node: &NodeSpec, spec: &ScriptSpec, declared: &Declared) -> Node {
        let weight = node.weight.as_ref().map_or(1.0, |weight| weight.value);
        if !(weight.is_finite() && weight >= 0.0) {
            let span = node.weight.as_ref().map(bytes).unwrap_or_default();
            self.error("wrong-value", format!("node `{}`: a weight is 0 or more", node.id.value), SCRIPT, span, None);
        }
        if let Some(prompt) = &node.prompt {
            self.prompt(prompt, spec);
        }
        let mut branches = Vec::new();
        for (trigger, targets) in &node.branches {
            let text = self.bundle.files.get(SCRIPT).map_or("", String::as_str);
            let targets: Vec<(&str, Range<usize>)> = place::targets(text, bytes(trigger), targets).collect();
            let Some(trigger) = self.trigger(trigger, declared) else { continue };
            branches.push((trigger, targets.into_iter().filter_map(|(target, span)| self.target(target, span, declared)).collect()));
        }
        Node {
            id: node.id.value.as_str().into(),
            title: node.title.as_str().into(),
            main: node.main.then(|| spec.flow.nodes.iter().take_while(|other| other.id != node.id).filter(|other| other.main).count()),
            weight,
            invite: node.invite,
            after: node.after.as_ref().and_then(|after| self.resolve(after, &declared.nodes, "node")),
            asks: match node.asks {
                AskSpec::Offer => Ask::Offer,
                AskSpec::Question => Ask::Fact,
                AskSpec::Open => Ask::Open,
                AskSpec::None => Ask::None,
            },
            prompt: node.prompt.as_ref().map_or("", |prompt| &prompt.value).into(),
            branches,
        }
    }

    /// Every `{variable}` of a prompt must have a default.
    fn prompt(&mut self, prompt: &Spanned<String>, spec: &ScriptSpec) {
        let mut at = 0;
        while let Some((begins, name)) = variable(&prompt.value, at) {
            at = begins + name.len() + 2;
            if !spec.variables.contains_key(name) {
                let known: Vec<&str> = spec.variables.keys().map(String::as_str).collect();
                let message = format!("the prompt names a variable `{{{name}}}` that `variables` does not declare");
                let text = self.bundle.files.get(SCRIPT).map_or("", String::as_str);
                let span = place::inside(text, bytes(prompt), &prompt.value, &(begins..at));
                self.error("unknown-variable", message, SCRIPT, span, suggest(name, &known));
            }
        }
    }

    fn trigger(&mut self, trigger: &Spanned<String>, declared: &Declared) -> Option<Trigger> {
        match trigger.value.as_str() {
            "any" => Some(Trigger::Any),
            "silence" => Some(Trigger::Silence),
            "question" => Some(Trigger::Question),
            _ => self.resolve(trigger, &declared.concepts, "category or question").map(Trigger::Concept),
        }
    }

    fn target(&mut self, target: &str, span: Range<usize>, declared: &Declared) -> Option<Target> {
        match target {
            "self" => Some(Target::Repeat),
            "answer" => Some(Target::Answer),
            _ => self.resolve_at(target, span, &declared.nodes, "node").map(Target::Node),
        }
    }

    fn resolve<T: Copy>(&mut self, name: &Spanned<String>, known: &FxHashMap<String, T>, what: &str) -> Option<T> {
        self.resolve_at(&name.value, bytes(name), known, what)
    }

    fn resolve_at<T: Copy>(&mut self, name: &str, span: Range<usize>, known: &FxHashMap<String, T>, what: &str) -> Option<T> {
        if let Some(found) = known.get(name) {
            return Some(*found);
        }
        let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
        names.sort_unstable();
        let code = if what == "node" { "unknown-node" } else { "unknown-category" };
        self.error(code, format!("there is no {what} `{name}`"), SCRIPT, span, suggest(name, &names));
        None
    }

    fn rules(&mut self, spec: &ScriptSpec, declared: &Declared, names: &Names<'_>) -> Rules {
        if let Some(excess) = spec.rules.get(MOST_RULES) {
            self.error("too-many", format!("more than {MOST_RULES} rules"), SCRIPT, bytes(&excess.id), None);
        }
        let mut seen = FxHashMap::default();
        let mut rules = Vec::new();
        for rule in &spec.rules {
            if seen.insert(rule.id.value.as_str(), ()).is_some() {
                self.error("duplicate", format!("rule `{}` is declared twice", rule.id.value), SCRIPT, bytes(&rule.id), None);
            }
            let label = declared.labels.get(&rule.label.value).copied();
            if label.is_none() {
                let known: Vec<&str> = spec.labels.iter().map(|label| label.id.value.as_str()).collect();
                let message = format!("rule `{}` gives the label `{}`, which the script does not declare", rule.id.value, rule.label.value);
                self.error("unknown-label", message, SCRIPT, bytes(&rule.label), suggest(&rule.label.value, &known));
            }
            let condition = self.condition(&rule.when, names);
            if let (Some(label), Some(condition)) = (label, condition) {
                let id = rule.id.value.as_str().into();
                rules.push(Rule { id, label, words: rule.words.as_str().into(), catch_all: rule.catch_all, condition });
            }
        }
        Rules::new(rules)
    }

    fn follow_up(&mut self, spec: &ScriptSpec, names: &Names<'_>) -> Vec<FollowUpRule> {
        let mut rules = Vec::new();
        for rule in &spec.follow_up {
            if !ACTIONS.contains(&rule.action.value.as_str()) {
                let message = format!("there is no follow-up `{}`", rule.action.value);
                self.error("unknown-action", message, SCRIPT, bytes(&rule.action), suggest(&rule.action.value, &ACTIONS));
            }
            if let Some(condition) = self.condition(&rule.when, names) {
                let (action, note) = (rule.action.value.as_str().into(), rule.note.as_str().into());
                rules.push(FollowUpRule { condition, action, within_hours: rule.within_hours, note });
            }
        }
        rules
    }

    fn condition(&mut self, source: &Spanned<String>, names: &Names<'_>) -> Option<Condition> {
        match cel::compile(&source.value, names) {
            Ok(condition) => Some(condition),
            Err(error) => {
                let text = self.bundle.files.get(SCRIPT).map_or("", String::as_str);
                let span = place::inside(text, bytes(source), &source.value, &error.span);
                self.error(error.code, error.message, SCRIPT, span, error.help);
                None
            }
        }
    }

    fn aliases<T: Copy>(
        &mut self,
        aliases: &IndexMap<Spanned<String>, Spanned<String>>,
        known: &FxHashMap<String, T>,
        what: &str,
    ) -> FxHashMap<Box<str>, T> {
        let mut map = FxHashMap::default();
        for (foreign, ours) in aliases {
            if known.contains_key(&foreign.value) {
                let message = format!("`{}` is a {what} of the script itself: the alias is never used", foreign.value);
                self.report(Severity::Warning, "useless-alias", message, SCRIPT, bytes(foreign), None);
            }
            if let Some(ours) = self.resolve(ours, known, what) {
                map.insert(foreign.value.as_str().into(), ours);
            }
        }
        map
    }

    fn error(&mut self, code: &'static str, message: String, path: &str, span: Range<usize>, help: Option<String>) {
        self.report(Severity::Error, code, message, path, span, help);
    }

    fn report(&mut self, severity: Severity, code: &'static str, message: String, path: &str, span: Range<usize>, help: Option<String>) {
        let text = self.bundle.files.get(path).cloned().unwrap_or_default();
        let file = format!("{}/{path}", self.bundle.name);
        self.diagnostics.push(Diagnostic { severity, code, message, file, span: place::trimmed(&text, span), help, text });
    }
}

/// The bytes a value takes in its file.
pub(crate) fn bytes<T>(value: &Spanned<T>) -> Range<usize> {
    super::location_bytes(&value.referenced)
}

/// The first `{variable}` of a prompt from a byte on: where its brace stands, and its name.
fn variable(prompt: &str, from: usize) -> Option<(usize, &str)> {
    let begins = from + prompt.get(from..)?.find('{')?;
    let (name, _) = prompt.get(begins + 1..)?.split_once('}')?;
    Some((begins, name))
}

fn settings(spec: &ScriptSpec) -> IndexMap<String, Expr> {
    let value = |setting: &SettingSpec| match setting {
        SettingSpec::Bool(value) => Expr::Bool(*value),
        SettingSpec::Int(value) => Expr::Int(*value),
        SettingSpec::Double(value) => Expr::Double(*value),
        SettingSpec::String(value) => Expr::String(value.as_str().into()),
    };
    spec.settings.iter().map(|(name, setting)| (name.clone(), value(&setting.value))).collect()
}
