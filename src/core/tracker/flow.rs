//! The robot's lines and the nodes of its script: which node a line belongs to, how far each got.

use smallvec::SmallVec;

use super::{Line, LineFact, Side, Sink, Step, Tracker, refusing};
use crate::core::event::Utterance;
use crate::core::reading::{Candidate, RobotReading};
use crate::core::script::{Ask, NodeIndex, Script, Target};

/// Least similarity at which a line is taken for a node's; what the branches expect needs less, what follows a question more.
const RECOGNISED: f32 = 0.34;
const RECOGNISED_EXPECTED: f32 = 0.22;
const RECOGNISED_AFTER_QUESTION: f32 = 0.5;
/// What the branches' word weighs between two nodes.
const EXPECTED_BONUS: f32 = 0.15;
/// Share of a line after which its question has been heard.
const HEARD: f64 = 0.7;

impl Tracker {
    pub(super) fn robot<S: Sink>(
        &mut self,
        script: &Script,
        ids: bool,
        step: Step<'_>,
        utterance: &Utterance,
        reading: &RobotReading,
        sink: &mut S,
    ) {
        let named = !utterance.node_id.is_empty();
        if self.muted() || !reading.words && !named {
            return;
        }
        self.close_line(script, step.at_ms);
        let told = if named { script.node_of(&utterance.node_id) } else { None };
        if named && told.is_none() && S::LISTENS {
            sink.notice(format!(
                "event {}: node {:?} is not mapped by the script; it is recognised by its words",
                step.index, utterance.node_id
            ));
        }
        let expected = self.expected(script);
        let (node, similarity, recognised) = match (told, self.entered) {
            (Some(node), _) => (Some(node), 1.0, false),
            (None, Some(node)) if !named => (Some(node), 1.0, false),
            (None, _) if !named && ids => (None, 0.0, false),
            _ => match self.recognise(script, reading, &expected) {
                Some((node, similarity)) => (Some(node), similarity, true),
                None => (None, 0.0, true),
            },
        };
        self.entered = None;
        if reading.words && self.side != Side::Robot {
            self.robot_turns += 1;
        }
        self.side = Side::Robot;
        let off_script = node.is_some_and(|node| {
            !expected.is_empty() && self.current.is_some() && self.current != Some(node) && !expected.contains(&Target::Node(node))
        });
        self.lines.push(LineFact { event: step.index, node, recognised, similarity, off_script });
        let duration_ms = if utterance.duration_ms > 0 {
            f64::from(utterance.duration_ms)
        } else {
            f64::from(reading.length) / script.speaking_rate * 1000.0
        };
        let (asks, leads_on) = script.asks_of(node);
        let ask = reading.ask.unwrap_or(asks);
        self.line = Some(Line {
            at_ms: step.at_ms,
            duration_ms,
            played: utterance.played,
            node,
            ask,
            proposes: ask == Ask::Offer || leads_on && ask != Ask::Fact && asks != Ask::Fact,
            worded: reading.ask.is_some() || !reading.words,
            contact: reading.contact,
            farewell: reading.farewell,
            closed: false,
        });
        if let Some(node) = node {
            self.enter(script, node, similarity, recognised);
            // A line without words or length tells no more than that the node was entered.
            self.unheard = (duration_ms == 0.0 && utterance.played.is_none()).then_some(node);
        }
    }

    /// Where the branches lead from the last node after what the customer said last.
    pub(super) fn expected(&self, script: &Script) -> SmallVec<[Target; 2]> {
        let Some(current) = self.current else { return SmallVec::new() };
        if self.side != Side::Customer {
            return SmallVec::new();
        }
        let Some(last) = self.turns.last() else { return SmallVec::new() };
        let refusing = refusing(script).union(script.known.deny.into_iter().collect());
        let count = if last.concepts.meets(refusing) { self.turns.iter().filter(|turn| turn.concepts.meets(refusing)).count() } else { 1 };
        script.targets(current, Some(last.concepts), count)
    }

    pub(super) fn recognise(&self, script: &Script, reading: &RobotReading, expected: &[Target]) -> Option<(NodeIndex, f32)> {
        let asked = || self.turns.last().is_some_and(|turn| !script.questions_of(turn.concepts).is_empty());
        let awaits_answer = self.side == Side::Customer && (expected.contains(&Target::Answer) || asked());
        let is_expected = |node: NodeIndex| expected.contains(&Target::Node(node)) || self.next_in_flow(script) == Some(node);
        let score = |candidate: &Candidate| candidate.similarity + if is_expected(candidate.node) { EXPECTED_BONUS } else { 0.0 };
        let best = reading.candidates.iter().max_by(|a, b| score(a).total_cmp(&score(b)).then(b.node.cmp(&a.node)))?;
        let needed = match (awaits_answer, is_expected(best.node)) {
            (true, false) => RECOGNISED_AFTER_QUESTION,
            (true, true) | (false, false) => RECOGNISED,
            (false, true) => RECOGNISED_EXPECTED,
        };
        (best.similarity >= needed).then_some((best.node, best.similarity))
    }

    /// The main-flow node after the furthest one reached.
    pub(super) fn next_in_flow(&self, script: &Script) -> Option<NodeIndex> {
        let next = match self.last_node {
            Some(node) => script.node(node)?.main? + 1,
            None => 0,
        };
        script.main_flow.get(next).copied()
    }

    pub(super) fn node_entered<S: Sink>(&mut self, script: &Script, id: &str, step: Step<'_>, sink: &mut S) {
        if self.muted() {
            return;
        }
        let Some(node) = script.node_of(id) else {
            if S::LISTENS {
                sink.notice(format!(
                    "event {}: node {id:?} is not mapped by the script; its lines are recognised by their words",
                    step.index
                ));
            }
            return;
        };
        if self.current != Some(node) {
            self.turn_closed = true;
            self.settle_unheard(script);
        }
        self.enter(script, node, 1.0, false);
        self.entered = Some(node);
        self.unheard = Some(node);
        if self.line.is_none_or(|line| line.node != Some(node)) {
            // Until its line comes, what the node asks is all that is known of what was asked.
            let asks = script.node(node).map_or(Ask::None, |node| node.asks);
            self.close_line(script, step.at_ms);
            self.line = Some(Line {
                at_ms: step.at_ms,
                duration_ms: 0.0,
                played: None,
                node: None,
                ask: asks,
                proposes: asks == Ask::Offer,
                worded: true,
                contact: false,
                farewell: false,
                closed: true,
            });
        }
    }

    pub(super) fn enter(&mut self, script: &Script, node: NodeIndex, similarity: f32, recognised: bool) {
        if self.unheard.is_some_and(|unheard| unheard != node) {
            self.settle_unheard(script);
        }
        self.unheard = None;
        self.current = Some(node);
        let Some(main) = script.node(node).and_then(|node| node.main) else { return };
        if !self.reached.contains(&node) {
            self.reached.push(node);
            self.reached_touched = true;
        }
        self.last_node = Some(node);
        self.invite_open = script.node(node).is_some_and(|node| node.invite);
        if let Some(progress) = self.progress.get_mut(main) {
            let surer = !progress.entered || similarity > progress.similarity;
            if surer {
                progress.similarity = similarity;
                progress.recognised = recognised;
            }
            progress.entered = true;
        }
    }

    /// The node known from its entering alone was delivered: the customer spoke, or another node follows.
    pub(super) fn settle_unheard(&mut self, script: &Script) {
        if let Some(node) = self.unheard.take() {
            self.advance(script, node, 1.0);
        }
    }

    pub(super) fn close_line(&mut self, script: &Script, at_ms: u32) {
        let bound = self.end.map_or(at_ms, |end| end.at_ms);
        if let Some(line) = &mut self.line
            && !line.closed
        {
            line.closed = true;
            if let (Some(node), Some(share)) = (line.node, line.share(bound)) {
                self.advance(script, node, share);
            }
        }
    }

    pub(super) fn advance(&mut self, script: &Script, node: NodeIndex, share: f64) {
        let Some(node) = script.node(node) else { return };
        if node.after.is_some_and(|after| !self.has_entered(script, after)) {
            return;
        }
        if let Some(progress) = node.main.and_then(|main| self.progress.get_mut(main)) {
            progress.share = progress.share.max(share);
        }
    }

    pub(super) fn has_entered(&self, script: &Script, node: NodeIndex) -> bool {
        script.node(node).and_then(|node| node.main).and_then(|main| self.progress.get(main)).is_some_and(|progress| progress.entered)
    }
}

impl Line {
    /// How much of it was delivered by `until`; `None` where nothing tells.
    pub(super) fn share(&self, until: u32) -> Option<f64> {
        self.played.or_else(|| {
            let elapsed = f64::from(until.saturating_sub(self.at_ms));
            (self.duration_ms > 0.0).then(|| (elapsed / self.duration_ms).min(1.0))
        })
    }

    /// Whether its question had been said when the customer spoke. Equal times are no times.
    pub(super) fn heard(&self, at_ms: u32) -> bool {
        if let Some(played) = self.played {
            return played >= HEARD;
        }
        at_ms <= self.at_ms || f64::from(at_ms - self.at_ms) >= HEARD * self.duration_ms
    }
}
