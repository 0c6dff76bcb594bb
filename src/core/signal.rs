//! Signals: the facts about a call that label rules are written over.

use super::event::{Answerer, DialResult, Outcome, Party};
use super::script::{ConceptSet, NodeIndex};

/// The facts about a call so far. Names and meanings are those of the contract's table of signals.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signals {
    /// Someone or something picked up.
    pub connected: bool,
    /// The call is over.
    pub ended: bool,
    /// Why nobody could be talked to; `None` while unknown, and when answered.
    pub dial_result: Option<DialResult>,
    /// Who picked up, where known.
    pub answered_by: Option<Answerer>,
    /// Seconds from answer to end, so far while live.
    pub talk_s: f64,
    /// Turns of the customer.
    pub customer_turns: u32,
    /// Turns of the customer with more than filler.
    pub content_turns: u32,
    /// Turns of the robot.
    pub robot_turns: u32,
    /// Trigger questions the customer asked.
    pub asked: ConceptSet,
    /// Customer turns that refuse.
    pub refusals: u32,
    /// Longest run of refusing turns.
    pub refusal_streak: u32,
    /// The customer's last content turn refuses.
    pub last_refused: bool,
    /// Customer turns that hit each category, in the order the script declares them.
    pub hits: Vec<u32>,
    /// How the invite stands.
    pub invite: Option<Outcome>,
    /// Share of the main flow delivered, 0 to 1, rounded to 6 decimals.
    pub completion: f64,
    /// Main-flow nodes entered, in the order of their first entry.
    pub reached: Vec<NodeIndex>,
    /// The main-flow node entered last.
    pub last_node: Option<NodeIndex>,
    /// Who hung up.
    pub hung_up_by: Option<Party>,
    /// How often the customer gave no input.
    pub no_input: u32,
    /// The call went to a human agent.
    pub transferred: bool,
}

impl Signals {
    /// `dial_result` as rules see it: `answered`, a dial result, or empty until known.
    #[must_use]
    pub fn dial_result_str(&self) -> &'static str {
        match self.dial_result {
            Some(result) => result.as_str(),
            None if self.connected => "answered",
            None => "",
        }
    }

    /// `answered_by` as rules see it: `unknown` once answered without a word who, empty before.
    #[must_use]
    pub fn answered_by_str(&self) -> &'static str {
        match self.answered_by {
            Some(answerer) => answerer.as_str(),
            None if self.connected => "unknown",
            None => "",
        }
    }

    /// Whether a machine picked up: switchboard, fax, voicemail or assistant.
    #[must_use]
    pub fn machine(&self) -> bool {
        self.answered_by.is_some_and(Answerer::is_machine)
    }

    /// Connected to no machine, and no customer turn.
    #[must_use]
    pub fn silent(&self) -> bool {
        self.connected && !self.machine() && self.customer_turns == 0
    }

    /// Distinct trigger questions asked.
    #[must_use]
    pub fn questions(&self) -> u32 {
        self.asked.len()
    }

    /// `invite` as rules see it: `none`, `accepted` or `declined`.
    #[must_use]
    pub fn invite_str(&self) -> &'static str {
        self.invite.map_or("none", Outcome::as_str)
    }

    /// `hung_up_by` as rules see it: empty while live or unknown.
    #[must_use]
    pub fn hung_up_by_str(&self) -> &'static str {
        self.hung_up_by.map_or("", Party::as_str)
    }
}

/// The variables of label rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the signal of its name")]
pub enum Variable {
    Connected,
    Ended,
    DialResult,
    AnsweredBy,
    Machine,
    TalkS,
    CustomerTurns,
    ContentTurns,
    RobotTurns,
    Silent,
    Questions,
    Asked,
    Refusals,
    RefusalStreak,
    LastRefused,
    Hits,
    Invite,
    Completion,
    Reached,
    LastNode,
    HungUpBy,
    NoInput,
    Transferred,
    /// The label given; only in follow-up conditions.
    Label,
}

impl Variable {
    /// Every signal, with its name in rules, verdicts and the contract.
    pub const SIGNALS: &'static [(&'static str, Self)] = &[
        ("connected", Self::Connected),
        ("ended", Self::Ended),
        ("dial_result", Self::DialResult),
        ("answered_by", Self::AnsweredBy),
        ("machine", Self::Machine),
        ("talk_s", Self::TalkS),
        ("customer_turns", Self::CustomerTurns),
        ("content_turns", Self::ContentTurns),
        ("robot_turns", Self::RobotTurns),
        ("silent", Self::Silent),
        ("questions", Self::Questions),
        ("asked", Self::Asked),
        ("refusals", Self::Refusals),
        ("refusal_streak", Self::RefusalStreak),
        ("last_refused", Self::LastRefused),
        ("hits", Self::Hits),
        ("invite", Self::Invite),
        ("completion", Self::Completion),
        ("reached", Self::Reached),
        ("last_node", Self::LastNode),
        ("hung_up_by", Self::HungUpBy),
        ("no_input", Self::NoInput),
        ("transferred", Self::Transferred),
    ];

    /// The name in rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::SIGNALS.iter().find(|(_, variable)| *variable == self).map_or("label", |(name, _)| name)
    }

    /// The closed set of values of a string variable, where it has one: a rule comparing it to anything else never holds.
    #[must_use]
    pub fn values(self) -> Option<Vec<&'static str>> {
        match self {
            Self::DialResult => Some(["", "answered"].into_iter().chain(DialResult::ALL.iter().map(|v| v.as_str())).collect()),
            Self::AnsweredBy => Some(["", "unknown"].into_iter().chain(Answerer::ALL.iter().map(|v| v.as_str())).collect()),
            Self::Invite => Some(["none"].into_iter().chain(Outcome::ALL.iter().map(|v| v.as_str())).collect()),
            Self::HungUpBy => Some([""].into_iter().chain(Party::ALL.iter().map(|v| v.as_str())).collect()),
            _ => None,
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Signals: those that a rule reads, or that an event may have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignalSet {
    /// The variables; `hits` where a count of it is.
    pub variables: Variables,
    /// The categories whose counts they are.
    pub categories: ConceptSet,
}

/// A set of variables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Variables(u32);

impl Variables {
    /// All of them.
    pub const ALL: Self = Self(u32::MAX);
    /// No set has more.
    pub(crate) const MOST: usize = u32::BITS as usize;

    /// Adds one.
    pub fn insert(&mut self, variable: Variable) {
        self.0 |= variable.bit();
    }

    /// Whether the two sets share one.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn contains(self, variable: Variable) -> bool {
        self.0 & variable.bit() != 0
    }

    /// All but one.
    pub(crate) fn without(self, variable: Variable) -> Self {
        Self(self.0 & !variable.bit())
    }

    /// Their numbers, each below [`MOST`](Self::MOST).
    pub(crate) fn numbers(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(next)
        })
    }
}
