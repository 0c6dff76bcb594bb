//! Nodes that are never reached, lead nowhere or run in a circle, and cues that identify nothing.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::keywords::key;
use super::{Linter, listed};
use crate::core::lexicon::Scratch;
use crate::core::reading::read_robot;
use crate::core::script::{Ask, Node, NodeIndex, RobotList, Script, Target, Trigger};
use crate::core::text::units::Units;
use crate::script::compile::{SCRIPT, bytes, place};
use crate::script::list;
use crate::script::spec::NodeSpec;

impl Linter<'_> {
    /// `after-later`, `after-unreachable`, `dead-end`, `main-order`, `no-any`, `silent-cycle`, `unreachable-node`.
    ///
    /// A script none of whose nodes has branches leaves its flow to the dialer: then only `after-later` is looked for.
    pub(super) fn flow(&mut self) {
        let script = self.script.clone();
        let spec = self.spec;
        let start = spec.flow.start.as_ref().and_then(|start| script.node_of(&start.value)).unwrap_or_default();
        let start_id = script.node(start).map_or("", |node| &node.id);
        let has_flow = script.nodes.iter().any(|node| !node.branches.is_empty());
        let reached = if has_flow { reachable(&script, start) } else { (0u8..).take(script.nodes.len()).collect() };
        for (index, (node, written)) in (0u8..).zip(script.nodes.iter().zip(&spec.flow.nodes)) {
            let id = &node.id;
            if !reached.contains(&index) {
                let message = format!("no branch leads from `{start_id}`, where the flow starts, to node `{id}`");
                self.warn_script("unreachable-node", bytes(&written.id), message, "name it as the target of a branch, or remove it");
            }
            if has_flow {
                self.branches(&script, node, written);
                self.main_order(&script, &reached, index, written);
            }
            self.after(&script, &reached, node, written);
        }
        self.silent_cycles(&script);
    }

    fn branches(&mut self, script: &Script, node: &Node, written: &NodeSpec) {
        let id = &node.id;
        let leads = leads_on(node);
        let any = node.branches.iter().any(|(trigger, _)| *trigger == Trigger::Any);
        let last_main = script.main_flow.last().and_then(|&last| script.node(last)).is_some_and(|last| last.id == node.id);
        let asks = node.asks != Ask::None || read_robot(script, &node.prompt, false, true, &mut Scratch::default()).ask.is_some();
        // Where a call ends the robot asks nothing, and at most answers a last question.
        if leads && !any {
            let message = format!("an answer that node `{id}` does not name leads nowhere");
            self.warn_script("no-any", bytes(&written.id), message, "add a branch `any:` for everything not named");
        } else if !leads && (asks || node.main.is_some() && !last_main) {
            let why = if asks { "asks the customer something" } else { "is not the last of the main flow" };
            let message = format!("dead end: node `{id}` {why}, but no branch leads on");
            self.warn_script("dead-end", bytes(&written.id), message, "add `branches:` with what each answer leads to");
        }
    }

    fn main_order(&mut self, script: &Script, reached: &[NodeIndex], index: NodeIndex, written: &NodeSpec) {
        let place = script.main_flow.iter().position(|&main| main == index);
        let Some(before) = place.and_then(|place| script.main_flow.get(place.checked_sub(1)?)).copied() else { return };
        let Some(previous) = script.node(before) else { return };
        let leads = leads_on(previous);
        if leads && reached.contains(&before) && reached.contains(&index) && !reachable(script, before).contains(&index) {
            let message = format!("the main flow lists `{}` after `{}`, but no branches lead there from it", written.id.value, previous.id);
            self.warn_script("main-order", bytes(&written.id), message, "list the main flow in the order of the call, or add the branch");
        }
    }

    fn after(&mut self, script: &Script, reached: &[NodeIndex], node: &Node, written: &NodeSpec) {
        let (Some(after), Some(place)) = (node.after, &written.after) else { return };
        let later = |other: &Node| matches!((other.main, node.main), (Some(other), Some(own)) if other > own);
        if !reached.contains(&after) {
            let message = format!("node `{}` progresses only after `{}`, which the flow never reaches", node.id, place.value);
            self.warn_script("after-unreachable", bytes(place), message, "name a node that comes before it, or lead the flow there");
        } else if script.node(after).is_some_and(later) {
            let message = format!("node `{}` progresses only after `{}`, which comes later in the main flow", node.id, place.value);
            self.warn_script("after-later", bytes(place), message, "name a node that comes before it");
        }
    }

    /// The robot moves without the customer only on silence; how a branch ends, once its list is used up, is where it stays.
    fn silent_cycles(&mut self, script: &Script) {
        let next = |index: NodeIndex| {
            let branches = &script.node(index)?.branches;
            let (_, targets) = branches.iter().find(|(trigger, _)| *trigger == Trigger::Silence)?;
            match targets.last()? {
                Target::Node(target) if *target != index => Some(*target),
                _ => None,
            }
        };
        let mut told: Vec<NodeIndex> = Vec::new();
        for first in (0u8..).take(script.nodes.len()) {
            let mut path = vec![first];
            while let Some(at) = path.last().and_then(|&at| next(at)).filter(|at| !path.contains(at)) {
                path.push(at);
            }
            let closes = path.last().and_then(|&last| next(last)) == Some(first);
            if !closes || told.contains(&first) {
                continue;
            }
            told.extend(&path);
            path.push(first);
            let ids: Vec<&str> = path.iter().filter_map(|&index| script.node(index)).map(|node| &*node.id).collect();
            let message = format!("while the customer is silent, the robot goes round in a circle: {}", ids.join(" → "));
            let span =
                self.spec.flow.nodes.get(usize::from(first)).and_then(|node| silence_target(self.text(SCRIPT), node)).unwrap_or_default();
            self.warn_script("silent-cycle", span, message, "let one of them end the call, or repeat itself: `silence: self`");
        }
    }

    /// `duplicate-cue`, `no-cues`, `shared-cue`.
    pub(super) fn cues(&mut self) {
        let script = self.script.clone();
        let spec = self.spec;
        let mut units = Units::default();
        // A cue, or a prompt's clause, by what is matched → the node whose it is, and where.
        let mut seen: FxHashMap<String, (&str, Range<usize>)> = FxHashMap::default();
        for (index, node) in (0u8..).zip(&spec.flow.nodes) {
            let id = node.id.value.as_str();
            let identified = script.robot.entries().iter().any(|entry| script.robot_list(entry.list) == Some(RobotList::Cue(index)));
            if !identified {
                let message = format!("node `{id}` has no cues and no prompt: only a node id can tell it");
                self.warn_script("no-cues", bytes(&node.id), message, "add `cues:`, words that only this node's lines hold");
            }
            for cue in &node.cues {
                let Ok(line) = list::line(cue.value.trim(), bytes(cue)) else { continue };
                let key = key(&line, &mut units);
                match seen.get(&key).cloned() {
                    Some((other, _)) if other == id => {
                        let message = format!("node `{id}` lists the cue `{}` twice", cue.value);
                        self.warn_script("duplicate-cue", bytes(cue), message, "remove one of them");
                    }
                    Some((other, place)) => {
                        let line = super::line_of(self.text(SCRIPT), place.start);
                        let message = format!("the cue `{}` also identifies {} (line {line})", cue.value, listed([other]));
                        self.warn_script("shared-cue", bytes(cue), message, "make it longer, so that it fits one of the two");
                    }
                    None => {
                        seen.insert(key, (id, bytes(cue)));
                    }
                }
            }
        }
    }
}

/// Whether an answer leads from it to a node.
fn leads_on(node: &Node) -> bool {
    node.branches.iter().flat_map(|(_, targets)| targets).any(|target| matches!(target, Target::Node(_)))
}

/// Where the last target of a node's silence stands.
fn silence_target(text: &str, node: &NodeSpec) -> Option<Range<usize>> {
    let (trigger, targets) = node.branches.iter().find(|(trigger, _)| trigger.value == "silence")?;
    place::targets(text, bytes(trigger), targets).last().map(|(_, span)| span)
}

/// The nodes that branches lead to, from one of them on, itself included.
fn reachable(script: &Script, from: NodeIndex) -> Vec<NodeIndex> {
    let mut reached = vec![from];
    let mut place = 0;
    while let Some(node) = reached.get(place).and_then(|&index| script.node(index)) {
        for target in node.branches.iter().flat_map(|(_, targets)| targets) {
            if let Target::Node(target) = target
                && !reached.contains(target)
            {
                reached.push(*target);
            }
        }
        place += 1;
    }
    reached
}
