//! Protobuf messages, as gRPC brings them.

use super::{CallRecord, Heard, Limits, share};
use crate::core::event::{Answerer, DialReport, DialResult, Event, EventKind, Hangup, Keyword, Outcome, Party, Speaker, Utterance};
use crate::wire::{raw, v1};

mod plain;

pub use plain::{Plain, first_text, plain};

/// A whole call.
#[must_use]
pub fn call(call: &raw::Call, limits: &Limits) -> CallRecord {
    let mut record = CallRecord {
        call_id: raw::lossy(&call.call_id),
        script_id: raw::lossy(&call.script_id),
        started_at: call.started_at,
        time_zone: raw::lossy(&call.time_zone),
        attributes: raw::attributes(&call.attributes),
        ..CallRecord::default()
    };
    for (seq, bytes) in (1..).zip(&call.events) {
        record.offer(seq, raw::decode_event(bytes).and_then(heard), limits);
    }
    record
}

fn heard(message: v1::CallEvent) -> Result<Heard, String> {
    let confidence = match &message.event {
        Some(v1::call_event::Event::Utterance(utterance)) => utterance.confidence,
        _ => None,
    };
    Ok(Heard { event: event(message)?, confidence })
}

/// An event.
///
/// # Errors
/// A value that the contract does not know, or outside its bounds.
pub fn event(event: v1::CallEvent) -> Result<Event, String> {
    use v1::call_event::Event as Wire;
    let kind = match event.event {
        None => EventKind::Unknown,
        Some(Wire::Answered(_)) => EventKind::Answered,
        Some(Wire::NotConnected(report)) => EventKind::NotConnected(Box::new(DialReport {
            result: value("result", report.result, DialResult::ALL)?,
            sip_code: report.sip_code,
            q850_cause: report.q850_cause,
            hangup_cause: report.hangup_cause.into(),
            announcement: report.announcement.into(),
            number_state: report.number_state,
        })),
        Some(Wire::AnsweredBy(by)) => EventKind::AnsweredBy(value("answerer", by.answerer, Answerer::ALL)?),
        Some(Wire::Utterance(utterance)) => {
            share("confidence", utterance.confidence)?;
            EventKind::Utterance(Utterance {
                speaker: value("speaker", utterance.speaker, Speaker::ALL)?.ok_or("the utterance names no speaker")?,
                text: utterance.text.into(),
                duration_ms: utterance.duration_ms,
                node_id: utterance.node_id.into(),
                played: utterance.played,
                utterance_id: utterance.utterance_id.into(),
                interim: utterance.interim,
            })
        }
        Some(Wire::NodeEntered(node)) => EventKind::NodeEntered(node.node_id.into()),
        Some(Wire::Silence(silence)) => EventKind::Silence(silence.duration_ms),
        Some(Wire::KeywordTriggered(keyword)) => EventKind::KeywordTriggered(Box::new(Keyword {
            category: keyword.category.into(),
            keyword: keyword.keyword.into(),
            utterance_id: keyword.utterance_id.into(),
        })),
        Some(Wire::Refused(refused)) => {
            let id = refused.utterance_id;
            EventKind::Refused(if id.is_empty() { None } else { Some(id.into()) })
        }
        Some(Wire::InviteOutcome(invite)) => {
            EventKind::InviteOutcome(value("outcome", invite.outcome, Outcome::ALL)?.ok_or("the invite outcome is not given")?)
        }
        Some(Wire::Hangup(hangup)) => EventKind::Hangup(Box::new(Hangup {
            by: value("by", hangup.by, Party::ALL)?,
            report: DialReport {
                sip_code: hangup.sip_code,
                q850_cause: hangup.q850_cause,
                hangup_cause: hangup.hangup_cause.into(),
                ..DialReport::default()
            },
        })),
        Some(Wire::Dtmf(dtmf)) => EventKind::Dtmf(dtmf.digits.into()),
        Some(Wire::Transferred(transferred)) => EventKind::Transferred(transferred.to.into()),
    };
    Ok(Event { at_ms: event.at_ms, kind })
}

/// The value of a wire number: 0 is none, the others count from 1 in the contract's order.
fn value<T: Copy>(field: &str, number: i32, all: &[T]) -> Result<Option<T>, String> {
    match usize::try_from(number) {
        Ok(0) => Ok(None),
        Ok(number) if number <= all.len() => Ok(all.get(number - 1).copied()),
        _ => Err(format!("unknown value {number} of {field}")),
    }
}
