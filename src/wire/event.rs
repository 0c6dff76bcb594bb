//! From the core's event to its message: what is kept of events that came over another wire.

use super::v1;
use crate::core::event::{Event, EventKind};

/// An event as the wire has it, with the recogniser's confidence in an utterance, which the core does not know.
#[must_use]
pub fn heard_event(event: &Event, confidence: Option<f64>) -> v1::CallEvent {
    let mut message = self::event(event);
    if let Some(v1::call_event::Event::Utterance(utterance)) = &mut message.event {
        utterance.confidence = confidence;
    }
    message
}

/// An event as the wire has it. What the core does not know, the recogniser's confidence, is left out.
#[must_use]
pub fn event(event: &Event) -> v1::CallEvent {
    use v1::call_event::Event as Wire;
    let place = |at: Option<usize>| at.map_or(0, |at| at as i32 + 1);
    let wire = match &event.kind {
        EventKind::Answered => Some(Wire::Answered(v1::Answered {})),
        EventKind::NotConnected(report) => Some(Wire::NotConnected(v1::NotConnected {
            result: place(report.result.map(|result| result as usize)),
            sip_code: report.sip_code,
            q850_cause: report.q850_cause,
            hangup_cause: report.hangup_cause.to_string(),
            announcement: report.announcement.to_string(),
            number_state: report.number_state,
        })),
        EventKind::AnsweredBy(by) => Some(Wire::AnsweredBy(v1::AnsweredBy { answerer: place(by.map(|by| by as usize)) })),
        EventKind::Utterance(utterance) => Some(Wire::Utterance(v1::Utterance {
            speaker: place(Some(utterance.speaker as usize)),
            text: utterance.text.to_string(),
            duration_ms: utterance.duration_ms,
            node_id: utterance.node_id.to_string(),
            played: utterance.played,
            utterance_id: utterance.utterance_id.to_string(),
            interim: utterance.interim,
            confidence: None,
        })),
        EventKind::NodeEntered(id) => Some(Wire::NodeEntered(v1::NodeEntered { node_id: id.to_string() })),
        EventKind::Silence(duration_ms) => Some(Wire::Silence(v1::Silence { duration_ms: *duration_ms })),
        EventKind::KeywordTriggered(keyword) => Some(Wire::KeywordTriggered(v1::KeywordTriggered {
            category: keyword.category.to_string(),
            keyword: keyword.keyword.to_string(),
            utterance_id: keyword.utterance_id.to_string(),
        })),
        EventKind::Refused(id) => Some(Wire::Refused(v1::Refused { utterance_id: id.as_deref().unwrap_or_default().to_owned() })),
        EventKind::InviteOutcome(outcome) => Some(Wire::InviteOutcome(v1::InviteOutcome { outcome: place(Some(*outcome as usize)) })),
        EventKind::Hangup(hangup) => Some(Wire::Hangup(v1::Hangup {
            by: place(hangup.by.map(|by| by as usize)),
            q850_cause: hangup.report.q850_cause,
            sip_code: hangup.report.sip_code,
            hangup_cause: hangup.report.hangup_cause.to_string(),
        })),
        EventKind::Dtmf(digits) => Some(Wire::Dtmf(v1::Dtmf { digits: digits.to_string() })),
        EventKind::Transferred(to) => Some(Wire::Transferred(v1::Transferred { to: to.to_string() })),
        EventKind::Unknown => None,
    };
    v1::CallEvent { at_ms: event.at_ms, event: wire }
}
