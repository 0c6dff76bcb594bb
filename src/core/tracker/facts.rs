//! The state as signals and node progress.

use smallvec::SmallVec;

use super::{Tracker, invite_of, refusing};
use crate::core::script::{ConceptSet, NodeIndex, Script};
use crate::core::signal::{Signals, Variable, Variables};
use crate::core::verdict::NodeProgress;

impl Tracker {
    /// The facts so far.
    pub(crate) fn signals(&self, script: &Script) -> Signals {
        let mut signals = Signals::default();
        self.update_values(script, &mut signals);
        self.update_reached(&mut signals);
        self.update_turns(script, &mut signals);
        self.update_invite(&mut signals);
        signals
    }

    /// Brings the facts up to date in place, and says which changed. Of what the customer's turns add up to nothing is looked
    /// at while no turn was touched.
    pub(crate) fn update(&mut self, script: &Script, signals: &mut Signals) -> Variables {
        let before = Signals { hits: Vec::new(), reached: Vec::new(), ..*signals };
        self.update_values(script, signals);
        let reached = std::mem::take(&mut self.reached_touched) && self.update_reached(signals);
        let hits = std::mem::take(&mut self.turns_touched) && self.update_turns(script, signals);
        self.update_invite(signals);
        let mut changed = Variables::changed_values(&before, signals);
        if reached {
            changed.insert(Variable::Reached);
        }
        if hits {
            changed.insert(Variable::Hits);
        }
        changed
    }

    /// What is kept as it is, or follows from the time.
    fn update_values(&self, script: &Script, signals: &mut Signals) {
        let connected = self.answered_ms.is_some() && self.carrier.is_none();
        let until = self.end.map_or(self.last_ms, |end| end.at_ms);
        signals.connected = connected;
        signals.ended = self.end.is_some();
        signals.dial_result = if connected { None } else { self.carrier.or(self.not_connected) };
        signals.answered_by = if self.carrier.is_some() { None } else { self.answered_by };
        signals.talk_s = match self.answered_ms {
            Some(answered) if connected => f64::from(until.saturating_sub(answered)) / 1000.0,
            _ => 0.0,
        };
        signals.customer_turns = self.turns.len() as u32;
        signals.robot_turns = self.robot_turns;
        signals.completion = self.completion(script);
        signals.last_node = self.last_node;
        signals.hung_up_by = self.end.and_then(|end| end.party);
        signals.no_input = self.no_input;
        signals.transferred = self.transferred;
    }

    /// Whether the nodes reached are others than before.
    fn update_reached(&self, signals: &mut Signals) -> bool {
        let differs = *signals.reached != *self.reached;
        if differs {
            signals.reached.clear();
            signals.reached.extend_from_slice(&self.reached);
        }
        differs
    }

    /// The dialer's word on the invite outranks the turns'.
    fn update_invite(&self, signals: &mut Signals) {
        if self.outcome.is_some() {
            signals.invite = self.outcome;
        }
    }

    /// What the customer's turns add up to; whether the hits are others than before.
    fn update_turns(&self, script: &Script, signals: &mut Signals) -> bool {
        let refusing = refusing(script);
        let mut counted: SmallVec<[u32; 32]> = smallvec::smallvec![0; script.category_count];
        let mut all = ConceptSet::default();
        let (mut content, mut refusals, mut streak, mut longest) = (0, 0, 0, 0);
        signals.invite = None;
        signals.last_refused = false;
        for turn in &self.turns {
            all = all.union(turn.concepts);
            let filler = if turn.content { None } else { script.known.filler };
            for concept in turn.concepts.iter().chain(filler) {
                if let Some(hits) = counted.get_mut(usize::from(concept)) {
                    *hits += 1;
                }
            }
            if let Some(outcome) = turn.invite_open.then(|| invite_of(script, turn)).flatten() {
                signals.invite = Some(outcome);
            }
            if !turn.content {
                continue;
            }
            content += 1;
            signals.last_refused = turn.concepts.meets(refusing);
            streak = if signals.last_refused { streak + 1 } else { 0 };
            refusals += u32::from(signals.last_refused);
            longest = longest.max(streak);
        }
        (signals.content_turns, signals.refusals, signals.refusal_streak) = (content, refusals, longest);
        signals.asked = script.questions_of(all);
        let differs = *signals.hits != *counted;
        if differs {
            signals.hits.clear();
            signals.hits.extend_from_slice(&counted);
        }
        differs
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
