//! The core's verdict as the contract's message.

use jiff::Zoned;

use crate::core::callback::Callback;
use crate::core::event::Speaker;
use crate::core::lexicon::Match;
use crate::core::script::Script;
use crate::core::verdict::{EndedBy, Evidence, Verdict};

use super::v1;

/// What a verdict says of its call beyond what the events tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallHead<'a> {
    /// The dialer's id.
    pub call_id: &'a str,
    /// 0 while provisional, 1 when final, one more for each change after.
    pub revision: u32,
    /// What was put right or left out before the core saw it.
    pub notices: &'a [String],
}

/// The message of a verdict.
#[must_use]
pub fn verdict(script: &Script, head: CallHead<'_>, verdict: &Verdict) -> v1::Verdict {
    let rule = verdict.rule.and_then(|rule| script.rules.get(rule));
    let node = |index: u8| script.node(index).map_or(String::new(), |node| node.id.to_string());
    v1::Verdict {
        call_id: head.call_id.to_owned(),
        script_id: script.id.to_string(),
        script_version: script.version.to_string(),
        label: script.label_id(verdict.label).to_owned(),
        rule_id: rule.map_or(String::new(), |rule| rule.id.to_string()),
        reason: rule.map_or(String::new(), |rule| rule.words.to_string()),
        signals: Some(signals(script, verdict)),
        evidence: verdict.evidence.iter().map(|item| evidence(script, item)).collect(),
        nodes: verdict
            .nodes
            .iter()
            .map(|progress| v1::NodeProgress {
                node_id: node(progress.node),
                progress: progress.progress,
                recognised: progress.recognised,
                similarity: progress.similarity,
            })
            .collect(),
        also_matched: verdict.also_matched.iter().filter_map(|&rule| script.rules.get(rule)).map(|rule| rule.id.to_string()).collect(),
        fallback: verdict.fallback,
        r#final: verdict.ended_by.is_some(),
        revision: head.revision,
        follow_up: verdict.next_step(script).map(|step| v1::FollowUp {
            action: step.action.to_owned(),
            within_hours: step.within_hours,
            note: step.note.into_owned(),
        }),
        do_not_call: verdict.do_not_call,
        callback: verdict.callback.as_ref().map(callback),
        ended_by: verdict.ended_by.map_or("", EndedBy::as_str).to_owned(),
        notices: head.notices.iter().chain(&verdict.notices).cloned().collect(),
        model_hash: script.learned.as_ref().map_or(String::new(), |model| model.hash.to_string()),
    }
}

fn callback(callback: &Callback) -> v1::Callback {
    let at = callback.at.as_ref().map(moment).map(|(seconds, nanos)| pbjson_types::Timestamp { seconds, nanos });
    v1::Callback { at, words: callback.words.to_string(), event: callback.event }
}

/// Seconds and nanoseconds as `google.protobuf.Timestamp` has them: nanoseconds count forward, also before 1970.
pub(super) fn moment(at: &Zoned) -> (i64, i32) {
    let at = at.timestamp();
    match at.subsec_nanosecond() {
        nanos if nanos < 0 => (at.as_second() - 1, nanos + 1_000_000_000),
        nanos => (at.as_second(), nanos),
    }
}

fn signals(script: &Script, verdict: &Verdict) -> v1::Signals {
    let signals = &verdict.signals;
    let node = |index: u8| script.node(index).map_or(String::new(), |node| node.id.to_string());
    v1::Signals {
        connected: signals.connected,
        ended: signals.ended,
        dial_result: signals.dial_result_str().to_owned(),
        answered_by: signals.answered_by_str().to_owned(),
        machine: signals.machine(),
        talk_s: signals.talk_s,
        customer_turns: signals.customer_turns,
        content_turns: signals.content_turns,
        robot_turns: signals.robot_turns,
        silent: signals.silent(),
        questions: signals.questions(),
        asked: script.names_of(signals.asked).map(str::to_owned).collect(),
        refusals: signals.refusals,
        refusal_streak: signals.refusal_streak,
        last_refused: signals.last_refused,
        hits: script.categories().zip(&signals.hits).map(|((_, concept), hits)| (concept.id.to_string(), *hits)).collect(),
        invite: signals.invite_str().to_owned(),
        completion: signals.completion,
        reached: signals.reached.iter().map(|&index| node(index)).collect(),
        last_node: signals.last_node.map(node).unwrap_or_default(),
        hung_up_by: signals.hung_up_by_str().to_owned(),
        no_input: signals.no_input,
        transferred: signals.transferred,
    }
}

/// The message of a piece of evidence.
#[must_use]
pub fn evidence(script: &Script, evidence: &Evidence) -> v1::Evidence {
    v1::Evidence {
        event: evidence.event,
        start: evidence.start,
        end: evidence.end,
        speaker: speaker_of(evidence.speaker).into(),
        signal: evidence.signal.to_owned(),
        category: evidence.category.id(script).to_owned(),
        phrase: evidence.phrase.text(script).to_owned(),
        r#match: v1::Match::from(evidence.how).into(),
        score: evidence.phrase.score(),
        grams: evidence.phrase.grams(),
    }
}

pub(super) fn speaker_of(speaker: Option<Speaker>) -> v1::Speaker {
    match speaker {
        None => v1::Speaker::Unspecified,
        Some(Speaker::Robot) => v1::Speaker::Robot,
        Some(Speaker::Customer) => v1::Speaker::Customer,
        Some(Speaker::Agent) => v1::Speaker::Agent,
    }
}

impl From<Match> for v1::Match {
    fn from(how: Match) -> Self {
        match how {
            Match::Exact => Self::Exact,
            Match::Normalised => Self::Normalised,
            Match::Pinyin => Self::Pinyin,
            Match::Pattern => Self::Pattern,
            Match::Learned => Self::Learned,
            Match::Context => Self::Context,
            Match::Reported => Self::Reported,
        }
    }
}
