//! Signals of two script versions held against each other: by name, for each numbers categories, questions and nodes its own way.

use std::collections::BTreeMap;

use crate::core::rule::{Expr, Facts};
use crate::core::script::{NodeIndex, Script};
use crate::core::signal::{Signals, Variable};
use crate::wire::v1;

/// The signals that differ, as a person reads them.
pub(super) fn differing(before: (&Script, &Signals), after: (&Script, &Signals)) -> Vec<v1::SignalChange> {
    let mut changes = Vec::new();
    let facts = |(script, signals)| Facts { script, signals, label: "" };
    for (name, variable) in Variable::SIGNALS {
        if *variable == Variable::Hits {
            hits(before, after, &mut changes);
            continue;
        }
        let shown = |side| Expr::Variable(*variable).show(facts(side));
        let (before, after) = (shown(before), shown(after));
        if before != after {
            changes.push(v1::SignalChange { name: (*name).to_owned(), before, after });
        }
    }
    changes
}

/// The categories whose hits differ; one that a version does not declare has no number there, which counts only where the other has hits.
fn hits(before: (&Script, &Signals), after: (&Script, &Signals), changes: &mut Vec<v1::SignalChange>) {
    let (was, is) = (hits_of(before), hits_of(after));
    for category in was.keys().chain(is.keys().filter(|category| !was.contains_key(*category))) {
        let (was, is) = (was.get(category).copied(), is.get(category).copied());
        if was.unwrap_or_default() != is.unwrap_or_default() {
            let shown = |hits: Option<u32>| hits.map_or(String::new(), |hits| hits.to_string());
            changes.push(v1::SignalChange { name: format!("hits[{category:?}]"), before: shown(was), after: shown(is) });
        }
    }
}

fn hits_of<'a>((script, signals): (&'a Script, &'a Signals)) -> BTreeMap<&'a str, u32> {
    script.categories().map(|(_, concept)| &*concept.id).zip(signals.hits.iter().copied()).collect()
}

/// The same signals as another version numbers them; what it does not declare is left out.
pub(super) fn in_terms_of(script: &Script, (from, signals): (&Script, &Signals)) -> Signals {
    let hits = hits_of((from, signals));
    let node = |index: NodeIndex| {
        let id = &from.node(index)?.id;
        script.nodes.iter().position(|node| node.id == *id).and_then(|place| NodeIndex::try_from(place).ok())
    };
    let concept = |id: &str| script.concepts.iter().position(|concept| &*concept.id == id).and_then(|place| u8::try_from(place).ok());
    Signals {
        asked: from.names_of(signals.asked).filter_map(concept).collect(),
        hits: script.categories().map(|(_, concept)| hits.get(&*concept.id).copied().unwrap_or_default()).collect(),
        reached: signals.reached.iter().filter_map(|&index| node(index)).collect(),
        last_node: signals.last_node.and_then(node),
        ..signals.clone()
    }
}
