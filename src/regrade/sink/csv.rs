//! Verdicts as comma-separated values (RFC 4180): signals as columns, lists joined by spaces, categories hit as `refuse=2 busy=1`.

use super::{Was, label_now};
use crate::regrade::grading::Regraded;

const HEAD: [&str; 33] = [
    "call_id",
    "script_id",
    "script_version",
    "label",
    "rule_id",
    "reason",
    "fallback",
    "also_matched",
    "do_not_call",
    "model_hash",
    "connected",
    "ended",
    "dial_result",
    "answered_by",
    "machine",
    "talk_s",
    "customer_turns",
    "content_turns",
    "robot_turns",
    "silent",
    "questions",
    "asked",
    "refusals",
    "refusal_streak",
    "last_refused",
    "hits",
    "invite",
    "completion",
    "reached",
    "last_node",
    "hung_up_by",
    "no_input",
    "transferred",
];
const BEFORE: [&str; 4] = ["before_label", "before_rule_id", "before_script_version", "changed"];

pub(super) fn head(compared: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let before = if compared { &BEFORE[..] } else { &[] };
    write(&mut out, HEAD.iter().chain(before).map(|name| (*name).to_owned()));
    out
}

fn write(out: &mut Vec<u8>, fields: impl Iterator<Item = String>) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    // Written to memory.
    let _ = writer.write_record(fields.map(String::into_bytes));
    let _ = writer.flush();
}

pub(super) fn row(call: &Regraded, compared: bool, out: &mut Vec<u8>) {
    let (script, verdict) = (&call.after.script, &call.after.verdict);
    let signals = &verdict.signals;
    let rule = verdict.rule.and_then(|rule| script.rules.get(rule));
    let node = |index: u8| script.node(index).map_or(String::new(), |node| node.id.to_string());
    let also: Vec<&str> = verdict.also_matched.iter().filter_map(|&rule| script.rules.get(rule)).map(|rule| &*rule.id).collect();
    let hits = script.categories().zip(&signals.hits).filter(|(_, hits)| **hits > 0);
    let hits: Vec<String> = hits.map(|((_, concept), hits)| format!("{}={hits}", concept.id)).collect();
    let mut fields = vec![
        call.call_id.clone(),
        script.id.to_string(),
        script.version.to_string(),
        label_now(call).to_owned(),
        rule.map_or(String::new(), |rule| rule.id.to_string()),
        rule.map_or(String::new(), |rule| rule.words.to_string()),
        verdict.fallback.to_string(),
        also.join(" "),
        verdict.do_not_call.to_string(),
        script.learned.as_ref().map_or(String::new(), |model| model.hash.to_string()),
        signals.connected.to_string(),
        signals.ended.to_string(),
        signals.dial_result_str().to_owned(),
        signals.answered_by_str().to_owned(),
        signals.machine().to_string(),
        signals.talk_s.to_string(),
        signals.customer_turns.to_string(),
        signals.content_turns.to_string(),
        signals.robot_turns.to_string(),
        signals.silent().to_string(),
        signals.questions().to_string(),
        script.names_of(signals.asked).collect::<Vec<&str>>().join(" "),
        signals.refusals.to_string(),
        signals.refusal_streak.to_string(),
        signals.last_refused.to_string(),
        hits.join(" "),
        signals.invite_str().to_owned(),
        signals.completion.to_string(),
        signals.reached.iter().map(|&index| node(index)).collect::<Vec<String>>().join(" "),
        signals.last_node.map(node).unwrap_or_default(),
        signals.hung_up_by_str().to_owned(),
        signals.no_input.to_string(),
        signals.transferred.to_string(),
    ];
    if compared {
        let was = Was::of(&call.before);
        let known = was.unwrap_or_default();
        fields.extend([known.label.to_owned(), known.rule_id.to_owned(), known.script_version.to_owned()]);
        fields.push(was.map_or(String::new(), |was| (was.label != label_now(call)).to_string()));
    }
    write(out, fields.into_iter());
}
