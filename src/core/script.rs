//! A talk script, checked and compiled: what the robot says, what the customer's words mean, which rule gives which label.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::call::Start;
use super::event::Answerer;
use super::learned::Model;
use super::lexicon::{Lexicon, ListId};
use super::rule::{Condition, Rules};
use super::scope::{Boundary, Cue};

mod concepts;
mod serial;

pub use concepts::ConceptSet;
pub(crate) use serial::Serial;

/// A node's number in its script.
pub type NodeIndex = u8;
/// A category's or trigger question's number in its script.
pub type ConceptIndex = u8;
/// Most categories and trigger questions together.
pub const MOST_CONCEPTS: usize = 128;
/// Most nodes.
pub const MOST_NODES: usize = 250;

/// A lexicon category or a trigger question.
#[derive(Debug, Clone)]
pub struct Concept {
    /// Its id, as in verdicts and list files.
    pub id: Box<str>,
    /// What QA staff call it.
    pub title: Box<str>,
    /// A trigger question; else a category.
    pub question: bool,
}

/// The categories that the engine itself gives a meaning to; `None` where the script declares none of that name.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "each is the category of its name")]
pub struct WellKnown {
    pub affirm: Option<ConceptIndex>,
    pub deny: Option<ConceptIndex>,
    pub refuse: Option<ConceptIndex>,
    pub do_not_call: Option<ConceptIndex>,
    pub contact: Option<ConceptIndex>,
    pub filler: Option<ConceptIndex>,
    pub identity: Option<ConceptIndex>,
    pub busy: Option<ConceptIndex>,
    pub not_available: Option<ConceptIndex>,
}

/// What a robot's line asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ask {
    /// Nothing.
    #[default]
    None,
    /// Whether the customer wants something: yes affirms, no refuses.
    Offer,
    /// A yes/no question of fact: yes affirms, no denies.
    Fact,
    /// Something that yes or no does not answer.
    Open,
}

/// What a list of the customer lexicon stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerList {
    /// A category or trigger question.
    Concept(ConceptIndex),
    /// Words that mean yes only as an answer.
    Yes,
    /// Thanks and goodbyes, which refuse in place of an answer to an offer.
    Goodbye,
    /// Words of assent that open a turn: yes, unless the rest of it says what the yes is worth.
    Assent,
    /// Words that open a turn and say no: no, unless something was offered or the rest says more.
    Dissent,
    /// Naming a time.
    Time,
    /// Words that no person says: whose they are.
    Machine(Answerer),
    /// Words that tell whether others beside them are really said.
    Scope(Cue),
}

/// What a list of the robot lexicon stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RobotList {
    /// Makes the line's last clause this kind of question.
    Asks(Ask),
    /// Proposes a text message, WeChat or material.
    Contact,
    /// Takes leave.
    Farewell,
    /// Identifies a node.
    Cue(NodeIndex),
}

/// Where a branch leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To a node.
    Node(NodeIndex),
    /// The same prompt again.
    Repeat,
    /// An off-flow answer, after which this node's branches hold again.
    Answer,
}

/// What a branch listens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// A category or trigger question.
    Concept(ConceptIndex),
    /// Any trigger question not named.
    Question,
    /// The customer says nothing.
    Silence,
    /// Everything not named.
    Any,
}

/// A step of the talk script.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id.
    pub id: Box<str>,
    /// What QA staff call it.
    pub title: Box<str>,
    /// Its place in the main flow, if it is part of it.
    pub main: Option<usize>,
    /// Its share of completion.
    pub weight: f64,
    /// It makes the invite.
    pub invite: bool,
    /// It progresses only once this node was entered.
    pub after: Option<NodeIndex>,
    /// What its prompt asks, where the words do not tell.
    pub asks: Ask,
    /// Its prompt, variables unfilled.
    pub prompt: Box<str>,
    /// What the customer's answer leads to: the first time, the second, …
    pub branches: Vec<(Trigger, Vec<Target>)>,
}

/// What to do after a call.
#[derive(Debug, Clone)]
pub struct FollowUpRule {
    /// When.
    pub condition: Condition,
    /// `call`, `redial`, `none` or `never`.
    pub action: Box<str>,
    /// Within this many hours, 0 if not said.
    pub within_hours: u32,
    /// A word on it.
    pub note: Box<str>,
}

/// A label the script declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// `A`.
    pub id: Box<str>,
    /// What it means.
    pub title: Box<str>,
}

/// A script, ready to grade.
#[derive(Debug)]
pub struct Script {
    /// Tells it from every other in this process.
    pub(crate) serial: Serial,
    /// Its id, `telemarketing`.
    pub id: Box<str>,
    /// What QA staff call it.
    pub title: Box<str>,
    /// Content hash of the bundle: the same files, the same version.
    pub version: Box<str>,
    /// Labels, best first.
    pub labels: Vec<Label>,
    /// Characters a robot speaks in a second, where a line's duration is not given.
    pub speaking_rate: f64,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// The nodes of the main flow, in its order.
    pub main_flow: Vec<NodeIndex>,
    /// Categories, then trigger questions.
    pub concepts: Vec<Concept>,
    /// How many of `concepts` are categories.
    pub category_count: usize,
    /// The categories with a meaning of their own.
    pub known: WellKnown,
    /// What customers say.
    pub customer: Lexicon,
    /// What each list of `customer` stands for.
    pub customer_lists: Vec<CustomerList>,
    /// What was learned from examples, if the script has any.
    pub learned: Option<Model>,
    /// What ends the scope of a cue: read only where there is one.
    pub boundaries: Lexicon,
    /// What each list of `boundaries` stands for.
    pub boundary_lists: Vec<Boundary>,
    /// What robots say.
    pub robot: Lexicon,
    /// What each list of `robot` stands for.
    pub robot_lists: Vec<RobotList>,
    /// Label rules, in the order they are tried.
    pub rules: Rules,
    /// Follow-up rules, in the order they are tried.
    pub follow_up: Vec<FollowUpRule>,
    /// Foreign node ids.
    pub node_aliases: FxHashMap<Box<str>, NodeIndex>,
    /// Foreign categories and intentions.
    pub concept_aliases: FxHashMap<Box<str>, ConceptIndex>,
    /// The bundle's files, as they were: path → text.
    pub files: BTreeMap<String, String>,
    /// What every call begins with, found when the first does.
    pub(crate) start: OnceLock<Start>,
}

impl Script {
    /// The id of a label by its place; empty where there is none, as while no rule holds.
    #[must_use]
    pub fn label_id(&self, label: Option<usize>) -> &str {
        label.and_then(|label| self.labels.get(label)).map_or("", |label| &label.id)
    }

    /// The id of a rule by its place; empty where there is none.
    #[must_use]
    pub fn rule_id(&self, rule: Option<usize>) -> &str {
        rule.and_then(|rule| self.rules.get(rule)).map_or("", |rule| &rule.id)
    }

    /// A node by number.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(usize::from(index))
    }

    /// What a node's prompt asks where its words do not tell, and whether its answers lead on.
    #[must_use]
    pub fn asks_of(&self, node: Option<NodeIndex>) -> (Ask, bool) {
        node.and_then(|node| self.node(node)).map_or((Ask::None, false), |node| (node.asks, !node.branches.is_empty()))
    }

    /// The node that an id means, the script's own or an alias.
    #[must_use]
    pub fn node_of(&self, id: &str) -> Option<NodeIndex> {
        self.nodes
            .iter()
            .position(|node| *node.id == *id)
            .and_then(|index| NodeIndex::try_from(index).ok())
            .or_else(|| self.node_aliases.get(id).copied())
    }

    /// The category or question that an id means, the script's own or an alias.
    #[must_use]
    pub fn concept_of(&self, id: &str) -> Option<ConceptIndex> {
        self.concepts
            .iter()
            .position(|concept| *concept.id == *id)
            .and_then(|index| ConceptIndex::try_from(index).ok())
            .or_else(|| self.concept_aliases.get(id).copied())
    }

    /// A category or question by number.
    #[must_use]
    pub fn concept(&self, index: ConceptIndex) -> Option<&Concept> {
        self.concepts.get(usize::from(index))
    }

    /// The categories, with their numbers.
    pub fn categories(&self) -> impl Iterator<Item = (ConceptIndex, &Concept)> {
        (0u8..).zip(self.concepts.iter()).take(self.category_count)
    }

    /// Whether a concept is a trigger question.
    #[must_use]
    pub fn is_question(&self, index: ConceptIndex) -> bool {
        usize::from(index) >= self.category_count && usize::from(index) < self.concepts.len()
    }

    /// The trigger questions of a set.
    #[must_use]
    pub fn questions_of(&self, set: ConceptSet) -> ConceptSet {
        set.intersection(ConceptSet::between(self.category_count, self.concepts.len()))
    }

    /// The categories of a set.
    #[must_use]
    pub fn categories_of(&self, set: ConceptSet) -> ConceptSet {
        set.intersection(ConceptSet::between(0, self.category_count))
    }

    /// The ids of a set, in declared order.
    pub fn names_of(&self, set: ConceptSet) -> impl Iterator<Item = &str> {
        set.iter().filter_map(|index| self.concept(index)).map(|concept| &*concept.id)
    }

    /// What a list of the customer lexicon stands for.
    #[must_use]
    pub fn customer_list(&self, list: ListId) -> Option<CustomerList> {
        self.customer_lists.get(usize::from(list)).copied()
    }

    /// What a list of the robot lexicon stands for.
    #[must_use]
    pub fn robot_list(&self, list: ListId) -> Option<RobotList> {
        self.robot_lists.get(usize::from(list)).copied()
    }

    /// Whether the script has an invite node.
    #[must_use]
    pub fn has_invite(&self) -> bool {
        self.nodes.iter().any(|node| node.invite)
    }

    /// Where a node's branches lead after the customer's words of `concepts` (`None`: silence), the `count`th time, from 1.
    #[must_use]
    pub fn targets(&self, node: NodeIndex, concepts: Option<ConceptSet>, count: usize) -> SmallVec<[Target; 2]> {
        let Some(node) = self.node(node) else { return SmallVec::new() };
        let nth = |targets: &[Target]| targets.get(count.max(1) - 1).or(targets.last()).copied();
        let named = |trigger: Trigger| node.branches.iter().find(|(t, _)| *t == trigger).and_then(|(_, targets)| nth(targets));
        let Some(concepts) = concepts else { return named(Trigger::Silence).into_iter().collect() };
        let mut targets: SmallVec<[Target; 2]> = concepts
            .iter()
            .filter_map(|concept| {
                named(Trigger::Concept(concept)).or_else(|| if self.is_question(concept) { named(Trigger::Question) } else { None })
            })
            .collect();
        if targets.is_empty() {
            targets.extend(named(Trigger::Any));
        }
        targets.dedup();
        targets
    }
}
