//! How a verdict differs from what a case expects.

use super::{Expectation, SignalSpec};
use crate::core::script::Script;
use crate::core::verdict::{EndedBy, Verdict};

impl Expectation {
    /// How a verdict differs from what is expected, a line each; empty if it does not.
    #[must_use]
    pub fn differences(&self, script: &Script, verdict: &Verdict) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, expected: String, got: String| {
            if expected != got {
                differences.push(format!("{what}: expected {expected}, got {got}"));
            }
        };
        let rule = verdict.rule.and_then(|rule| script.rules.get(rule));
        let label = script.label_id(verdict.label);
        if let Some(expected) = &self.label {
            compare("label", format!("{expected:?}"), format!("{label:?}"));
        }
        if let Some(expected) = &self.rule {
            compare("rule", expected.clone(), rule.map_or("none", |rule| &rule.id).to_owned());
        }
        if let Some(expected) = &self.reason {
            compare("reason", format!("{expected:?}"), format!("{:?}", rule.map_or("", |rule| &rule.words)));
        }
        if let Some(expected) = &self.also_matched {
            let got: Vec<&str> = verdict.also_matched.iter().filter_map(|&rule| script.rules.get(rule)).map(|rule| &*rule.id).collect();
            compare("also_matched", format!("{expected:?}"), format!("{got:?}"));
        }
        if let Some(expected) = self.fallback {
            compare("fallback", expected.to_string(), verdict.fallback.to_string());
        }
        if let Some(expected) = self.do_not_call {
            compare("do_not_call", expected.to_string(), verdict.do_not_call.to_string());
        }
        for (name, expected) in &self.signals {
            for (what, expected, got) in signal_differences(script, verdict, name, expected) {
                compare(&what, expected, got);
            }
        }
        if let Some(expected) = &self.follow_up {
            let got = verdict.next_step(script);
            let (action, hours, note) = got.as_ref().map_or(("", 0, ""), |step| (step.action, step.within_hours, &*step.note));
            if let Some(expected) = &expected.action {
                compare("follow_up.action", expected.clone(), action.to_owned());
            }
            if let Some(expected) = expected.within_hours {
                compare("follow_up.within_hours", expected.to_string(), hours.to_string());
            }
            if let Some(expected) = &expected.note {
                compare("follow_up.note", expected.clone(), note.to_owned());
            }
        }
        for (what, expected, got) in self.callback.iter().flat_map(|expected| expected.differences(verdict.callback.as_ref())) {
            differences.push(format!("{what}: expected {expected}, got {got}"));
        }
        differences
    }
}

fn signal_differences(script: &Script, verdict: &Verdict, name: &str, expected: &SignalSpec) -> Vec<(String, String, String)> {
    let signals = &verdict.signals;
    let bool = |value: bool| SignalSpec::Bool(value);
    let count = |value: u32| SignalSpec::Number(value.into());
    let text = |value: &str| SignalSpec::Text(value.to_owned());
    let node = |index: u8| script.node(index).map_or(String::new(), |node| node.id.to_string());
    let got = match name {
        "connected" => bool(signals.connected),
        "ended" => bool(signals.ended),
        "dial_result" => text(signals.dial_result_str()),
        "answered_by" => text(signals.answered_by_str()),
        "machine" => bool(signals.machine()),
        "talk_s" => SignalSpec::Number(signals.talk_s),
        "customer_turns" => count(signals.customer_turns),
        "content_turns" => count(signals.content_turns),
        "robot_turns" => count(signals.robot_turns),
        "silent" => bool(signals.silent()),
        "questions" => count(signals.questions()),
        "asked" => SignalSpec::List(script.names_of(signals.asked).map(str::to_owned).collect()),
        "refusals" => count(signals.refusals),
        "refusal_streak" => count(signals.refusal_streak),
        "last_refused" => bool(signals.last_refused),
        "invite" => text(signals.invite_str()),
        "completion" => SignalSpec::Number(signals.completion),
        "reached" => SignalSpec::List(signals.reached.iter().map(|&index| node(index)).collect()),
        "last_node" => text(&signals.last_node.map(node).unwrap_or_default()),
        "hung_up_by" => text(signals.hung_up_by_str()),
        "no_input" => count(signals.no_input),
        "transferred" => bool(signals.transferred),
        "ended_by" => text(verdict.ended_by.map_or("", EndedBy::as_str)),
        "hits" => {
            let SignalSpec::Map(expected) = expected else {
                return vec![("signals.hits".to_owned(), "a map".to_owned(), "something else".to_owned())];
            };
            let of = |category: &str| {
                let place = script.categories().find(|(_, concept)| &*concept.id == category).map(|(index, _)| usize::from(index));
                place.and_then(|place| signals.hits.get(place)).map_or("no such category".to_owned(), u32::to_string)
            };
            return expected
                .iter()
                .map(|(category, count)| (format!("signals.hits.{category}"), count.to_string(), of(category)))
                .collect();
        }
        other => return vec![(format!("signals.{other}"), "a signal".to_owned(), "no such signal".to_owned())],
    };
    let sorted = |value: &SignalSpec| match value {
        SignalSpec::List(items) if name == "asked" => {
            let mut items = items.clone();
            items.sort();
            SignalSpec::List(items)
        }
        other => other.clone(),
    };
    let (expected, got) = (sorted(expected), sorted(&got));
    if expected == got { Vec::new() } else { vec![(format!("signals.{name}"), expected.to_string(), got.to_string())] }
}
