//! The state as signals and node progress.

use super::{Tracker, invite_of, refusing};
use crate::core::script::{ConceptSet, NodeIndex, Script};
use crate::core::signal::Signals;
use crate::core::verdict::NodeProgress;

impl Tracker {
    /// The facts so far.
    pub(crate) fn signals(&self, script: &Script) -> Signals {
        let connected = self.answered_ms.is_some() && self.carrier.is_none();
        let until = self.end.map_or(self.last_ms, |end| end.at_ms);
        let mut signals = Signals {
            connected,
            ended: self.end.is_some(),
            dial_result: if connected { None } else { self.carrier.or(self.not_connected) },
            answered_by: if self.carrier.is_some() { None } else { self.answered_by },
            talk_s: match self.answered_ms {
                Some(answered) if connected => f64::from(until.saturating_sub(answered)) / 1000.0,
                _ => 0.0,
            },
            customer_turns: self.turns.len() as u32,
            robot_turns: self.robot_turns,
            hits: vec![0; script.category_count],
            completion: self.completion(script),
            reached: self.reached.to_vec(),
            last_node: self.last_node,
            hung_up_by: self.end.and_then(|end| end.party),
            no_input: self.no_input,
            transferred: self.transferred,
            ..Signals::default()
        };
        let refusing = refusing(script);
        let mut streak = 0;
        let mut all = ConceptSet::default();
        for turn in &self.turns {
            all = all.union(turn.concepts);
            for concept in turn.concepts.iter() {
                if let Some(hits) = signals.hits.get_mut(usize::from(concept)) {
                    *hits += 1;
                }
            }
            if let Some(outcome) = turn.invite_open.then(|| invite_of(script, turn)).flatten() {
                signals.invite = Some(outcome);
            }
            if !turn.content {
                if let Some(hits) = script.known.filler.and_then(|filler| signals.hits.get_mut(usize::from(filler))) {
                    *hits += 1;
                }
                continue;
            }
            signals.content_turns += 1;
            let refuses = turn.concepts.meets(refusing);
            signals.last_refused = refuses;
            if refuses {
                signals.refusals += 1;
                streak += 1;
                signals.refusal_streak = signals.refusal_streak.max(streak);
            } else {
                streak = 0;
            }
        }
        signals.asked = script.questions_of(all);
        if self.outcome.is_some() {
            signals.invite = self.outcome;
        }
        signals
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
