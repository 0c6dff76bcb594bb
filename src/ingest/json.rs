//! The contract's messages in proto3 JSON, read as leniently as proto3 JSON allows and a little more: either case of field
//! names, enum values with or without their prefix.

use std::fmt;

use pbjson_types::Timestamp;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::{Heard, share};
use crate::core::event::{Answerer, DialReport, DialResult, Event, EventKind, Hangup, Keyword, Outcome, Party, Speaker, Utterance};

/// Reads an event.
///
/// # Errors
/// Why it is none, naming the field.
pub fn event(json: &str) -> Result<Heard, String> {
    let wire: EventJson = read(json)?;
    let at_ms = wire.at_ms.0;
    let confidence = wire.utterance.as_ref().and_then(|utterance| utterance.confidence).map(|confidence| confidence.0);
    let mut kinds = wire.kinds()?;
    let kind = kinds.pop().unwrap_or(EventKind::Unknown);
    let event = Event { at_ms, kind };
    if kinds.is_empty() { Ok(Heard { event, confidence }) } else { Err("an event of more than one kind".to_owned()) }
}

/// Deserialises, the error naming the field and leaving out the place in a line that nobody sees.
///
/// # Errors
/// What serde says.
pub(crate) fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let told = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Err(at) if at.path().iter().next().is_some() => format!("{}: {}", at.path(), at.inner()),
            _ => error.to_string(),
        };
        told.rfind(" at line ").and_then(|at| told.get(..at)).unwrap_or(&told).to_owned()
    })
}

/// An unsigned number: JSON number or string, as proto3 JSON has it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Unsigned(pub(crate) u32);

/// A floating-point number: JSON number or string.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Float(pub(crate) f64);

struct NumberVisitor(&'static str);

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<f64, E> {
        value.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(value), &self))
    }

    fn visit_unit<E>(self) -> Result<f64, E> {
        Ok(0.0)
    }
}

impl<'de> Deserialize<'de> for Unsigned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a whole number from 0 to 4294967295";
        let value = deserializer.deserialize_any(NumberVisitor(expected))?;
        if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
            return Ok(Self(value as u32));
        }
        Err(de::Error::invalid_value(de::Unexpected::Float(value), &expected))
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor("a number")).map(Self)
    }
}

/// A moment, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = |text: &str| Timestamp::deserialize(de::IntoDeserializer::<de::value::Error>::into_deserializer(text)).ok();
        let wrong = || de::Error::custom(format_args!("{text:?} is no moment such as 2026-03-01T09:00:00+08:00"));
        read(&text).map(Self).ok_or_else(wrong)
    }
}

/// Text; `null` is no text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Text(pub(crate) Box<str>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::<Box<str>>::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// An enum value, as name or number; resolved where the enum is known, so that the error can name field and value.
#[derive(Debug, Clone, PartialEq, Default)]
enum Choice {
    #[default]
    Unset,
    Name(Box<str>),
    Number(i64),
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoiceVisitor;

        impl Visitor<'_> for ChoiceVisitor {
            type Value = Choice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a value")
            }

            fn visit_str<E>(self, value: &str) -> Result<Choice, E> {
                Ok(Choice::Name(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Choice, E> {
                Ok(Choice::Number(i64::try_from(value).unwrap_or(i64::MAX)))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Choice, E> {
                Ok(Choice::Number(value))
            }

            fn visit_unit<E>(self) -> Result<Choice, E> {
                Ok(Choice::Unset)
            }
        }

        deserializer.deserialize_any(ChoiceVisitor)
    }
}

impl Choice {
    fn resolve<T: Copy>(&self, field: &str, prefix: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<Option<T>, String> {
        match self {
            Self::Unset => Ok(None),
            Self::Number(number) => match usize::try_from(*number) {
                Ok(0) => Ok(None),
                Ok(place) if place <= all.len() => Ok(all.get(place - 1).copied()),
                _ => Err(format!("unknown value {number} of {field}")),
            },
            Self::Name(text) => named(text, field, prefix, all, name),
        }
    }
}

/// The value of a name as the contract spells it, with or without its prefix; empty, and `UNSPECIFIED`, is none.
///
/// # Errors
/// There is no such value.
pub(super) fn named<T: Copy>(
    text: &str,
    field: &str,
    prefix: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, String> {
    let bare = text.strip_prefix(prefix).unwrap_or(text);
    if bare == "UNSPECIFIED" {
        return Ok(None);
    }
    let found = all.iter().find(|value| name(**value).eq_ignore_ascii_case(bare) && bare.chars().all(|c| !c.is_lowercase()));
    found.map(|value| Some(*value)).ok_or_else(|| format!("unknown value {text:?} of {field}"))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EventJson {
    #[serde(rename = "atMs", alias = "at_ms")]
    at_ms: Unsigned,
    answered: Option<Empty>,
    #[serde(rename = "notConnected", alias = "not_connected")]
    not_connected: Option<NotConnectedJson>,
    #[serde(rename = "answeredBy", alias = "answered_by")]
    answered_by: Option<AnsweredByJson>,
    utterance: Option<UtteranceJson>,
    #[serde(rename = "nodeEntered", alias = "node_entered")]
    node_entered: Option<NodeEnteredJson>,
    silence: Option<SilenceJson>,
    #[serde(rename = "keywordTriggered", alias = "keyword_triggered")]
    keyword_triggered: Option<KeywordJson>,
    refused: Option<RefusedJson>,
    #[serde(rename = "inviteOutcome", alias = "invite_outcome")]
    invite_outcome: Option<InviteJson>,
    hangup: Option<HangupJson>,
    dtmf: Option<DtmfJson>,
    transferred: Option<TransferredJson>,
}

#[derive(Deserialize, Default)]
struct Empty {}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NotConnectedJson {
    result: Choice,
    #[serde(rename = "sipCode", alias = "sip_code")]
    sip_code: Unsigned,
    #[serde(rename = "q850Cause", alias = "q850_cause")]
    q850_cause: Unsigned,
    #[serde(rename = "hangupCause", alias = "hangup_cause")]
    hangup_cause: Text,
    announcement: Text,
    #[serde(rename = "numberState", alias = "number_state")]
    number_state: Unsigned,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AnsweredByJson {
    answerer: Choice,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct UtteranceJson {
    speaker: Choice,
    text: Text,
    #[serde(rename = "durationMs", alias = "duration_ms")]
    duration_ms: Unsigned,
    #[serde(rename = "nodeId", alias = "node_id")]
    node_id: Text,
    played: Option<Float>,
    #[serde(rename = "utteranceId", alias = "utterance_id")]
    utterance_id: Text,
    interim: Option<bool>,
    confidence: Option<Float>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeEnteredJson {
    #[serde(rename = "nodeId", alias = "node_id")]
    node_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SilenceJson {
    #[serde(rename = "durationMs", alias = "duration_ms")]
    duration_ms: Unsigned,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeywordJson {
    category: Text,
    keyword: Text,
    #[serde(rename = "utteranceId", alias = "utterance_id")]
    utterance_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RefusedJson {
    #[serde(rename = "utteranceId", alias = "utterance_id")]
    utterance_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InviteJson {
    outcome: Choice,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HangupJson {
    by: Choice,
    #[serde(rename = "q850Cause", alias = "q850_cause")]
    q850_cause: Unsigned,
    #[serde(rename = "sipCode", alias = "sip_code")]
    sip_code: Unsigned,
    #[serde(rename = "hangupCause", alias = "hangup_cause")]
    hangup_cause: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DtmfJson {
    digits: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TransferredJson {
    to: Text,
}

impl EventJson {
    /// What the event says it is: one kind, if it is right.
    fn kinds(self) -> Result<Vec<EventKind>, String> {
        let mut kinds = Vec::with_capacity(1);
        if self.answered.is_some() {
            kinds.push(EventKind::Answered);
        }
        if let Some(report) = self.not_connected {
            kinds.push(EventKind::NotConnected(Box::new(DialReport {
                result: report.result.resolve("result", "DIAL_RESULT_", DialResult::ALL, DialResult::as_str)?,
                sip_code: report.sip_code.0,
                q850_cause: report.q850_cause.0,
                hangup_cause: report.hangup_cause.0,
                announcement: report.announcement.0,
                number_state: report.number_state.0,
            })));
        }
        if let Some(by) = self.answered_by {
            kinds.push(EventKind::AnsweredBy(by.answerer.resolve("answerer", "ANSWERER_", Answerer::ALL, Answerer::as_str)?));
        }
        if let Some(utterance) = self.utterance {
            share("confidence", utterance.confidence.map(|confidence| confidence.0))?;
            let speaker = utterance.speaker.resolve("speaker", "SPEAKER_", Speaker::ALL, Speaker::as_str)?;
            kinds.push(EventKind::Utterance(Utterance {
                speaker: speaker.ok_or("the utterance names no speaker")?,
                text: utterance.text.0,
                duration_ms: utterance.duration_ms.0,
                node_id: utterance.node_id.0,
                played: utterance.played.map(|played| played.0),
                utterance_id: utterance.utterance_id.0,
                interim: utterance.interim.unwrap_or_default(),
            }));
        }
        if let Some(node) = self.node_entered {
            kinds.push(EventKind::NodeEntered(node.node_id.0));
        }
        if let Some(silence) = self.silence {
            kinds.push(EventKind::Silence(silence.duration_ms.0));
        }
        if let Some(keyword) = self.keyword_triggered {
            kinds.push(EventKind::KeywordTriggered(Box::new(Keyword {
                category: keyword.category.0,
                keyword: keyword.keyword.0,
                utterance_id: keyword.utterance_id.0,
            })));
        }
        if let Some(refused) = self.refused {
            kinds.push(EventKind::Refused(Some(refused.utterance_id.0).filter(|id| !id.is_empty())));
        }
        if let Some(invite) = self.invite_outcome {
            let outcome = invite.outcome.resolve("outcome", "OUTCOME_", Outcome::ALL, Outcome::as_str)?;
            kinds.push(EventKind::InviteOutcome(outcome.ok_or("the invite outcome is not given")?));
        }
        if let Some(hangup) = self.hangup {
            kinds.push(EventKind::Hangup(Box::new(Hangup {
                by: hangup.by.resolve("by", "PARTY_", Party::ALL, Party::as_str)?,
                report: DialReport {
                    sip_code: hangup.sip_code.0,
                    q850_cause: hangup.q850_cause.0,
                    hangup_cause: hangup.hangup_cause.0,
                    ..DialReport::default()
                },
            })));
        }
        if let Some(dtmf) = self.dtmf {
            kinds.push(EventKind::Dtmf(dtmf.digits.0));
        }
        if let Some(transferred) = self.transferred {
            kinds.push(EventKind::Transferred(transferred.to.0));
        }
        Ok(kinds)
    }
}
