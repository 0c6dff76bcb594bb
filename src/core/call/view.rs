//! A call for those who read it.

use super::CallState;
use crate::core::script::{ConceptSet, NodeIndex};
use crate::core::tracker::LineFact;

/// What a turn of the customer holds, for those who read a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnView {
    /// What it hits.
    pub concepts: ConceptSet,
    /// It holds more than filler.
    pub content: bool,
}

/// A line of the robot, for those who read a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineView {
    /// The event.
    pub event: u32,
    /// Its node; `None` off the flow.
    pub node: Option<NodeIndex>,
    /// The node was told from the words.
    pub recognised: bool,
    /// How sure that is, 0 to 1.
    pub similarity: f32,
    /// The branches of the node before lead elsewhere.
    pub off_script: bool,
}

impl CallState {
    /// What each customer turn holds, in order.
    #[must_use]
    pub fn turns(&self) -> Vec<TurnView> {
        self.tracker.turns.iter().map(|turn| TurnView { concepts: turn.concepts, content: turn.content }).collect()
    }

    /// The turn that a customer's utterance belongs to, if it counts.
    #[must_use]
    pub fn turn_of(&self, event: u32) -> Option<usize> {
        self.tracker.spoken.iter().find(|spoken| spoken.event == event).map(|spoken| spoken.turn as usize)
    }

    /// The robot's lines, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<LineView> {
        let view = |line: &LineFact| LineView {
            event: line.event,
            node: line.node,
            recognised: line.recognised,
            similarity: line.similarity,
            off_script: line.off_script,
        };
        self.tracker.lines.iter().map(view).collect()
    }
}
