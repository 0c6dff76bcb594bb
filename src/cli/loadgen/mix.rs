//! The calls that are made up: those of the scripts' own cases, each up to where it ends.

use anyhow::ensure;

use crate::core::event::{Event, EventKind, Hangup};
use crate::script::{Library, case};
use crate::wire;
use crate::wire::v1;

/// A call to be dialled over and over.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) script_id: String,
    pub(super) time_zone: String,
    /// The last is its end, and no other is.
    pub(super) events: Vec<v1::CallEvent>,
}

/// What the calls are made of: of each script, its cases.
#[derive(Debug)]
pub(super) struct Mix {
    scripts: Vec<Vec<Template>>,
}

impl Mix {
    /// Of the scripts of these ids, or of all.
    pub(super) fn new(library: &Library, ids: &[String]) -> anyhow::Result<Self> {
        let chosen = match ids {
            [] => library.iter().cloned().collect(),
            ids => ids.iter().map(|id| library.get(id)).collect::<Result<Vec<_>, _>>()?,
        };
        let mut scripts = Vec::new();
        for script in chosen {
            let mut templates = Vec::new();
            for (path, text) in script.files.iter().filter(|(path, _)| path.starts_with("cases/")) {
                let cases = case::parse(text).map_err(|error| anyhow::anyhow!("{}/{path}: {error}", script.id))?;
                for case in cases {
                    templates.push(Template {
                        script_id: script.id.to_string(),
                        time_zone: case.time_zone().to_owned(),
                        events: whole(case.events(script.speaking_rate)?),
                    });
                }
            }
            ensure!(!templates.is_empty(), "script {:?} has no cases, so no calls can be made of it", script.id);
            scripts.push(templates);
        }
        Ok(Self { scripts })
    }

    /// The template of a run's call: the scripts take turns, and so do the cases of each.
    pub(super) fn template(&self, call: u64) -> &Template {
        let scripts = self.scripts.len() as u64;
        let templates = &self.scripts[(call % scripts) as usize];
        &templates[(call / scripts % templates.len() as u64) as usize]
    }
}

/// The events up to the end, which is put there where there is none.
fn whole(mut events: Vec<Event>) -> Vec<v1::CallEvent> {
    let is_end = |event: &Event| matches!(event.kind, EventKind::Hangup(_) | EventKind::NotConnected(_));
    match events.iter().position(is_end) {
        Some(end) => events.truncate(end + 1),
        None => {
            let at_ms = events.iter().map(|event| event.at_ms).max().unwrap_or_default();
            events.push(Event { at_ms, kind: EventKind::Hangup(Box::<Hangup>::default()) });
        }
    }
    events.iter().map(wire::event).collect()
}
