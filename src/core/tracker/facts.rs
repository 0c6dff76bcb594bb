//! The state as signals and node progress.

use smallvec::SmallVec;

use super::{Tracker, Turn, invite_of, refusing};
use crate::core::script::{ConceptSet, NodeIndex, Script};
use crate::core::signal::{SignalSet, Signals, Variable};
use crate::core::verdict::NodeProgress;

/// How far the turns are not as they were when the facts were last brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touched {
    Not,
    /// The last one then, and those since.
    Last,
    Any,
}

/// The turns that the hits count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    turns: usize,
    /// What the last of them counted for.
    last: ConceptSet,
}

/// Gives a fact its value, and notes whether that is another.
fn put<T: PartialEq>(fact: &mut T, value: T, variable: Variable, changed: &mut SignalSet) {
    if *fact != value {
        *fact = value;
        changed.variables.insert(variable);
    }
}

impl Tracker {
    /// The facts so far.
    pub(crate) fn signals(&self, script: &Script) -> Signals {
        let (mut signals, mut changed) = (Signals::default(), SignalSet::default());
        self.update_values(script, &mut signals, &mut changed);
        self.update_reached(&mut signals, &mut changed);
        self.count(script, &mut signals, &mut changed);
        self.add_up(script, &mut signals, &mut changed);
        signals
    }

    /// Brings the facts up to date in place, and says which may have changed. Of what the customer's turns add up to nothing is looked
    /// at while no turn was touched.
    pub(crate) fn update(&mut self, script: &Script, signals: &mut Signals) -> SignalSet {
        let mut changed = SignalSet::default();
        self.update_values(script, signals, &mut changed);
        if std::mem::take(&mut self.reached_touched) {
            self.update_reached(signals, &mut changed);
        }
        match std::mem::replace(&mut self.touched, Touched::Not) {
            Touched::Not => {
                // The dialer's word on the invite outranks the turns'.
                if self.outcome.is_some() {
                    put(&mut signals.invite, self.outcome, Variable::Invite, &mut changed);
                }
                return changed;
            }
            Touched::Last => self.count_on(script, signals, &mut changed),
            Touched::Any => self.count(script, signals, &mut changed),
        }
        let last = self.turns.last().map(|turn| counts_for(script, turn)).unwrap_or_default();
        self.counted = Counted { turns: self.turns.len(), last };
        self.add_up(script, signals, &mut changed);
        changed
    }

    /// What is kept as it is, or follows from the time.
    fn update_values(&self, script: &Script, signals: &mut Signals, changed: &mut SignalSet) {
        let connected = self.answered_ms.is_some() && self.carrier.is_none();
        let until = self.end.map_or(self.last_ms, |end| end.at_ms);
        let talk_s = match self.answered_ms {
            Some(answered) if connected => f64::from(until.saturating_sub(answered)) / 1000.0,
            _ => 0.0,
        };
        let (machine, silent) = (signals.machine(), signals.silent());
        put(&mut signals.connected, connected, Variable::Connected, changed);
        put(&mut signals.ended, self.end.is_some(), Variable::Ended, changed);
        let dial_result = if connected { None } else { self.carrier.or(self.not_connected) };
        put(&mut signals.dial_result, dial_result, Variable::DialResult, changed);
        let answered_by = if self.carrier.is_some() { None } else { self.answered_by };
        put(&mut signals.answered_by, answered_by, Variable::AnsweredBy, changed);
        if changed.variables.contains(Variable::Connected) {
            // Where a value is not known, its name depends on whether someone picked up.
            changed.variables.insert(Variable::DialResult);
            changed.variables.insert(Variable::AnsweredBy);
        }
        put(&mut signals.talk_s, talk_s, Variable::TalkS, changed);
        put(&mut signals.customer_turns, self.turns.len() as u32, Variable::CustomerTurns, changed);
        put(&mut signals.robot_turns, self.robot_turns, Variable::RobotTurns, changed);
        put(&mut signals.completion, self.completion(script), Variable::Completion, changed);
        put(&mut signals.last_node, self.last_node, Variable::LastNode, changed);
        put(&mut signals.hung_up_by, self.end.and_then(|end| end.party), Variable::HungUpBy, changed);
        put(&mut signals.no_input, self.no_input, Variable::NoInput, changed);
        put(&mut signals.transferred, self.transferred, Variable::Transferred, changed);
        if machine != signals.machine() {
            changed.variables.insert(Variable::Machine);
        }
        if silent != signals.silent() {
            changed.variables.insert(Variable::Silent);
        }
    }

    fn update_reached(&self, signals: &mut Signals, changed: &mut SignalSet) {
        if *signals.reached != *self.reached {
            signals.reached.clear();
            signals.reached.extend_from_slice(&self.reached);
            changed.variables.insert(Variable::Reached);
        }
    }

    /// Counts how many of the customer's turns hit each category.
    fn count(&self, script: &Script, signals: &mut Signals, changed: &mut SignalSet) {
        let mut counted: SmallVec<[u32; 32]> = smallvec::smallvec![0; script.category_count];
        self.turns.iter().for_each(|turn| more(&mut counted, counts_for(script, turn)));
        if *signals.hits != *counted {
            let (before, after) = (signals.hits.iter().chain(std::iter::repeat(&0)), &counted);
            changed
                .categories
                .extend((0..).zip(before.zip(after)).filter(|(_, (before, after))| before != after).map(|(category, _)| category));
            signals.hits.clear();
            signals.hits.extend_from_slice(&counted);
            changed.variables.insert(Variable::Hits);
        }
    }

    /// Counts on: of the turns that were counted only the last may count for others than it did.
    fn count_on(&self, script: &Script, signals: &mut Signals, changed: &mut SignalSet) {
        let Counted { turns, last: before } = self.counted;
        let since = self.turns.get(turns..).unwrap_or_default();
        let last = turns.checked_sub(1).and_then(|last| self.turns.get(last));
        let last = last.map(|turn| counts_for(script, turn)).unwrap_or_default();
        for concept in before.without(last).iter() {
            if let Some(hits) = signals.hits.get_mut(usize::from(concept)) {
                *hits = hits.saturating_sub(1);
            }
        }
        let mut hit = before.without(last).union(last.without(before));
        more(&mut signals.hits, last.without(before));
        for turn in since {
            let counts = counts_for(script, turn);
            more(&mut signals.hits, counts);
            hit = hit.union(counts);
        }
        if !hit.is_empty() {
            changed.variables.insert(Variable::Hits);
            changed.categories = changed.categories.union(hit);
        }
    }

    /// What the customer's turns add up to, but for the hits.
    fn add_up(&self, script: &Script, signals: &mut Signals, changed: &mut SignalSet) {
        let refusing = refusing(script);
        let mut all = ConceptSet::default();
        let (mut content, mut refusals, mut streak, mut longest) = (0, 0, 0, 0);
        let (mut invite, mut last_refused) = (None, false);
        for turn in &self.turns {
            all = all.union(turn.concepts);
            if turn.invite_open {
                invite = invite_of(script, turn).or(invite);
            }
            if turn.content {
                content += 1;
                last_refused = turn.concepts.meets(refusing);
                streak = if last_refused { streak + 1 } else { 0 };
                refusals += u32::from(last_refused);
                longest = longest.max(streak);
            }
        }
        put(&mut signals.content_turns, content, Variable::ContentTurns, changed);
        put(&mut signals.refusals, refusals, Variable::Refusals, changed);
        put(&mut signals.refusal_streak, longest, Variable::RefusalStreak, changed);
        put(&mut signals.last_refused, last_refused, Variable::LastRefused, changed);
        put(&mut signals.invite, self.outcome.or(invite), Variable::Invite, changed);
        put(&mut signals.asked, script.questions_of(all), Variable::Asked, changed);
        if changed.variables.contains(Variable::Asked) {
            changed.variables.insert(Variable::Questions);
        }
    }

    /// Main-flow nodes, how far each got.
    pub(crate) fn nodes(&self, script: &Script) -> Vec<NodeProgress> {
        let open = self.open_share(script);
        script
            .main_flow
            .iter()
            .zip(&self.progress)
            .map(|(&node, progress)| NodeProgress {
                node,
                progress: round(match open {
                    Some((at, share)) if at == node => progress.share.max(share),
                    _ => progress.share,
                }),
                recognised: progress.recognised,
                similarity: round(f64::from(progress.similarity)),
            })
            .collect()
    }

    /// The share of the line being said, while the call is live.
    pub(super) fn open_share(&self, script: &Script) -> Option<(NodeIndex, f64)> {
        let line = self.line.as_ref().filter(|line| !line.closed)?;
        let node = line.node?;
        if script.node(node)?.after.is_some_and(|after| !self.has_entered(script, after)) {
            return None;
        }
        Some((node, line.share(self.end.map_or(self.last_ms, |end| end.at_ms))?))
    }

    pub(super) fn completion(&self, script: &Script) -> f64 {
        let open = self.open_share(script);
        let mut total = 0.0;
        let mut done = 0.0;
        for (&index, progress) in script.main_flow.iter().zip(&self.progress) {
            let weight = script.node(index).map_or(0.0, |node| node.weight);
            let share = match open {
                Some((at, share)) if at == index => progress.share.max(share),
                _ => progress.share,
            };
            total += weight;
            done += weight * share;
        }
        if total > 0.0 { round(done / total) } else { 0.0 }
    }
}

/// To 6 decimals, as the contract has it.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The categories that a turn is counted for.
fn counts_for(script: &Script, turn: &Turn) -> ConceptSet {
    let filler = if turn.content { None } else { script.known.filler };
    script.categories_of(turn.concepts.union(filler.into_iter().collect()))
}

/// One more for each of some categories.
fn more(hits: &mut [u32], categories: ConceptSet) {
    for category in categories.iter() {
        if let Some(hits) = hits.get_mut(usize::from(category)) {
            *hits += 1;
        }
    }
}
