//! The events of a call, from what a vCon says of it.

use pbjson_types::Timestamp;
use serde_json::Value;

use super::VconOptions;
use super::content::{Object, scalar, text};
use super::dialog::{Conversation, Dialog, Kind, Said, conversations, dialogs, moment_of};
use super::party::Parties;
use super::speaker::{attribute, choose_robot};
use super::time::moment;
use crate::core::event::{Answerer, DialReport, DialResult, Event, EventKind, Hangup, Party, Speaker, Utterance};
use crate::ingest::{CallRecord, Limits};

/// Characters a second where none are given, as in both bundled scripts.
const USUAL_RATE: f64 = 4.5;

/// Something that happened, in milliseconds since 1970.
type Happened = (i64, Result<EventKind, String>);

/// Fills in the events.
///
/// # Errors
/// The wanted robot party is not in the vCon.
pub(super) fn read(vcon: &Object, damaged: bool, options: &VconOptions, limits: &Limits, record: &mut CallRecord) -> Result<(), String> {
    let created = moment_of(vcon, "created_at", "", &mut record.notices);
    let mut dialogs = dialogs(vcon, &mut record.notices);
    let conversations = conversations(vcon, &mut dialogs, &mut record.notices);
    let mut parties = Parties::read(vcon);
    let wanted = options.robot_party.as_deref().map(str::trim).filter(|wanted| !wanted.is_empty());
    let all: Vec<Said> = conversations.iter().flat_map(|conversation| conversation.said.iter().cloned()).collect();
    choose_robot(&mut parties, wanted, &all, &mut record.notices)?;

    let rate = if options.speaking_rate > 0.0 { options.speaking_rate } else { USUAL_RATE };
    let mut happened = spoken(conversations, &parties, wanted, rate, created.unwrap_or_default(), &mut record.notices);
    let heard: Vec<&Dialog<'_>> = dialogs.iter().flatten().filter(|dialog| dialog.heard).collect();
    let incomplete = dialogs.iter().enumerate().filter_map(|(index, dialog)| Some((index, dialog.as_ref()?)));
    let mut incomplete: Vec<(usize, &Dialog<'_>)> = incomplete.filter(|(_, dialog)| dialog.kind == Kind::Incomplete).collect();
    incomplete.sort_by_key(|(_, dialog)| dialog.start);
    let answered = !heard.is_empty() || !happened.is_empty();
    let attempt = if answered { None } else { incomplete.pop() };
    for (index, _) in &incomplete {
        record.notices.push(format!("dialog {index}: an attempt that was not connected, beside the one that is graded; ignored"));
    }

    let first = heard.iter().copied().chain(attempt.map(|(_, dialog)| dialog)).filter_map(|dialog| dialog.start).min();
    let begun = first.into_iter().chain(happened.iter().map(|(at, _)| *at)).min().or(created);
    record.started_at = begun.map(timestamp);
    let begun = begun.unwrap_or_default();
    if let Some((index, dialog)) = attempt {
        not_connected(index, dialog, begun, &mut happened, &mut record.notices);
    } else if answered {
        happened.insert(0, (begun, Ok(EventKind::Answered)));
        let transfers = dialogs.iter().flatten().filter(|dialog| dialog.kind == Kind::Transfer);
        happened.extend(transfers.filter_map(|dialog| Some((dialog.start?, Ok(transferred(dialog, &parties))))));
        happened.extend(heard.iter().flat_map(|dialog| history(dialog)).filter_map(|(at, _, kind)| Some((at, Ok(kind?)))));
        happened.sort_by_key(|(at, _)| *at);
        happened.extend(hangup(&heard, &parties, happened.last().map_or(begun, |(at, _)| *at)));
    }
    let mut outside = false;
    for (seq, (at, kind)) in (1..).zip(happened) {
        let at_ms = u32::try_from(at.saturating_sub(begun).max(0)).unwrap_or(u32::MAX);
        outside |= at_ms == u32::MAX;
        let kind = kind.and_then(|kind| match &kind {
            EventKind::Utterance(said) if damaged && said.text.contains(char::REPLACEMENT_CHARACTER) => {
                Err("text that is not UTF-8".to_owned())
            }
            _ => Ok(kind),
        });
        record.offer(seq, kind.map(|kind| Event { at_ms, kind }), limits);
    }
    if outside {
        record.notices.push("the vCon spans more than 49 days; what is later is put at their end".to_owned());
    }
    Ok(())
}

fn timestamp(ms: i64) -> Timestamp {
    let nanos = i32::try_from(ms.rem_euclid(1000)).unwrap_or_default() * 1_000_000;
    Timestamp { seconds: ms.div_euclid(1000), nanos }
}

/// What was said, in order; text without a time follows what is before it at the rate of speech.
fn spoken(
    mut conversations: Vec<Conversation>,
    parties: &Parties,
    wanted: Option<&str>,
    rate: f64,
    created: i64,
    notices: &mut Vec<String>,
) -> Vec<Happened> {
    conversations.sort_by_key(|conversation| conversation.start);
    let mut happened = Vec::new();
    let mut untimed = 0;
    let mut now = conversations.iter().find_map(|conversation| conversation.start).unwrap_or(created);
    for conversation in conversations {
        now = conversation.start.unwrap_or(now);
        let speakers = attribute(parties, wanted, &conversation.said, notices);
        for (said, speaker) in conversation.said.into_iter().zip(speakers) {
            untimed += usize::from(said.at.is_none());
            let at = said.at.unwrap_or(now);
            let letters = said.text.chars().filter(|c| c.is_alphanumeric()).count();
            let lasts = said.duration_ms.unwrap_or(letters as f64 / rate * 1000.0).ceil();
            now = at.saturating_add(lasts as i64);
            let utterance = Utterance {
                speaker,
                text: said.text.into(),
                duration_ms: said.duration_ms.map_or(0, |ms| ms as u32),
                node_id: "".into(),
                played: None,
                utterance_id: "".into(),
                interim: false,
            };
            happened.push((at, Ok(EventKind::Utterance(utterance))));
        }
    }
    if untimed > 0 {
        let utterances = if untimed == 1 { "1 utterance has" } else { &format!("{untimed} utterances have") };
        notices.push(format!("{utterances} no time; spaced at {rate} characters a second"));
    }
    happened.sort_by_key(|(at, _)| *at);
    happened
}

/// A call that came to no conversation, by the draft's disposition.
fn not_connected(index: usize, dialog: &Dialog<'_>, begun: i64, happened: &mut Vec<Happened>, notices: &mut Vec<String>) {
    let meta = || dialog.object.get("meta").and_then(Value::as_object);
    let disposition = text(dialog.object, "disposition").or_else(|| text(meta()?, "disposition")).unwrap_or_default();
    let end = begun.saturating_add(dialog.duration_ms.unwrap_or_default() as i64);
    let hung_up = |by| Ok(EventKind::Hangup(Box::new(Hangup { by, ..Hangup::default() })));
    let result = match disposition.to_ascii_lowercase().replace(['_', ' '], "-").as_str() {
        "no-answer" | "noanswer" => Some(DialResult::NoAnswer),
        "busy" => Some(DialResult::Busy),
        // "unable to be completed due to system load"
        "congestion" | "failed" => Some(DialResult::Failed),
        // "a call or connection was made, but the party hung-up before any conversation occurred"
        "hung-up" | "hungup" => {
            happened.extend([(begun, Ok(EventKind::Answered)), (end, hung_up(Some(Party::Customer)))]);
            return;
        }
        // "a call or connection was made, the voicemail system answered, but no message was left"
        "voicemail-no-message" => {
            let voicemail = Ok(EventKind::AnsweredBy(Some(Answerer::Voicemail)));
            happened.extend([(begun, Ok(EventKind::Answered)), (begun, voicemail), (end, hung_up(Some(Party::Robot)))]);
            return;
        }
        "" => {
            notices.push(format!("dialog {index}: incomplete without a disposition"));
            None
        }
        _ => {
            notices.push(format!("dialog {index}: unknown disposition {disposition:?}"));
            None
        }
    };
    happened.push((end, Ok(EventKind::NotConnected(Box::new(DialReport { result, ..DialReport::default() })))));
}

fn transferred(dialog: &Dialog<'_>, parties: &Parties) -> EventKind {
    let target = dialog.object.get("transfer_target").map(|target| target.get(0).unwrap_or(target));
    let target = target.and_then(Value::as_u64).and_then(|target| usize::try_from(target).ok());
    EventKind::Transferred(target.map_or(String::new(), |target| parties.name(target)).into())
}

/// When who did what to the line, and the event it is if it is one by itself: a pressed key. The drafts renamed the field.
fn history<'a>(dialog: &'a Dialog<'_>) -> impl Iterator<Item = (i64, &'a Object, Option<EventKind>)> {
    let list = dialog.object.get("party_history").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    list.filter_map(|entry| {
        let key = || ["dtmf", "button"].iter().find_map(|key| entry.get(*key).and_then(scalar));
        let pressed = matches!(text(entry, "event"), Some("dtmfdown" | "keydown"));
        let at = entry.get("time").and_then(moment)?.ms;
        Some((at, entry, pressed.then(key).flatten().map(|digits| EventKind::Dtmf(digits.into()))))
    })
}

/// The end, where a dialog has one: a recording's length, or the parties' leaving, which also tells who left first.
fn hangup(heard: &[&Dialog<'_>], parties: &Parties, last: i64) -> Option<Happened> {
    let recorded = heard.iter().filter(|dialog| !dialog.object.contains_key("body") || text(dialog.object, "type") == Some("recording"));
    let lengths = recorded.filter_map(|dialog| Some(dialog.start?.saturating_add(dialog.duration_ms? as i64)));
    let mut drops: Vec<(i64, usize)> = heard
        .iter()
        .flat_map(|dialog| history(dialog))
        .filter(|(_, entry, _)| text(entry, "event") == Some("drop"))
        .filter_map(|(at, entry, _)| Some((at, usize::try_from(entry.get("party")?.as_u64()?).ok()?)))
        .collect();
    drops.sort_unstable();
    let end = lengths.chain(drops.first().map(|(at, _)| *at)).max()?;
    // Where only two talked, the first to leave ended the call.
    let by = drops.first().filter(|_| parties.len() == 2).and_then(|(_, party)| parties.speaker(*party)).map(|speaker| match speaker {
        Speaker::Robot => Party::Robot,
        Speaker::Customer => Party::Customer,
        Speaker::Agent => Party::Agent,
    });
    Some((end.max(last), Ok(EventKind::Hangup(Box::new(Hangup { by, ..Hangup::default() })))))
}
