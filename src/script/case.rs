//! Case files: the smallest calls that prove a rule or a sentence of the contract. They are tests, and examples to read.

mod callback;
mod differences;

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::core::call::CallState;
use crate::core::event::{Answerer, DialReport, DialResult, Event, EventKind, Hangup, Keyword, Outcome, Party, Speaker, Utterance};
use crate::core::script::Script;

/// A call and what is expected of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name, unique in the script.
    pub name: String,
    /// When dialing began, in RFC 3339.
    started_at: Option<String>,
    /// IANA time zone.
    time_zone: Option<String>,
    events: Vec<EventSpec>,
    /// What is expected; what is not named is not checked.
    pub expect: Expectation,
}

/// What is expected of a verdict.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    /// The label; `""`: none.
    pub label: Option<String>,
    /// The rule.
    pub rule: Option<String>,
    /// The rule's words.
    pub reason: Option<String>,
    /// Other rules that hold, in order.
    pub also_matched: Option<Vec<String>>,
    /// A catch-all decided.
    pub fallback: Option<bool>,
    /// Never to be called again.
    pub do_not_call: Option<bool>,
    signals: IndexMap<String, SignalSpec>,
    follow_up: Option<FollowUpSpec>,
    callback: Option<callback::CallbackSpec>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowUpSpec {
    action: Option<String>,
    within_hours: Option<u32>,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum SignalSpec {
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<String>),
    Map(IndexMap<String, f64>),
}

impl fmt::Display for SignalSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::List(items) => write!(f, "[{}]", items.join(", ")),
            Self::Map(map) => write!(f, "{map:?}"),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum EventSpec {
    /// `- answered`
    Bare(String),
    /// `- robot: …`
    Kind(IndexMap<String, serde_json::Value>),
}

/// A case that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseError {
    /// The case.
    pub case: String,
    /// Which event, from 1; 0: the call's head.
    pub event: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.event {
            0 => write!(f, "case {:?}: {}", self.case, self.reason),
            event => write!(f, "case {:?}, event {event}: {}", self.case, self.reason),
        }
    }
}

impl std::error::Error for CaseError {}

/// Reads a case file.
///
/// # Errors
/// What the YAML reader says, with line and column.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    serde_saphyr::from_str::<Vec<Case>>(text).map_err(|error| error.without_snippet().to_string())
}

/// Silence between two utterances whose times are not given, in milliseconds.
const PAUSE_MS: f64 = 200.0;
/// When calls are answered that do not say when, in milliseconds.
const ANSWERED_MS: f64 = 8_000.0;

impl Case {
    /// Its events, times filled in: what has none begins 0.2 s after what was before it ended.
    ///
    /// # Errors
    /// An event that means nothing.
    pub fn events(&self, speaking_rate: f64) -> Result<Vec<Event>, CaseError> {
        let mut clock = 0.0f64;
        let mut events = Vec::new();
        for (number, spec) in self.events.iter().enumerate() {
            let wrong = |reason: String| CaseError { case: self.name.clone(), event: number + 1, reason };
            events.push(event(spec, speaking_rate, &mut clock).map_err(wrong)?);
        }
        Ok(events)
    }

    /// Runs it on a script; the differences from what is expected, none if it holds.
    ///
    /// # Errors
    /// An event, or a start, that means nothing.
    pub fn run(&self, script: &std::sync::Arc<Script>) -> Result<Vec<String>, CaseError> {
        let clock = self.clock().map_err(|reason| CaseError { case: self.name.clone(), event: 0, reason })?;
        let verdict = CallState::replay_at(script, clock, self.events(script.speaking_rate)?);
        Ok(self.expect.differences(script, &verdict))
    }
}

struct Fields<'a> {
    value: &'a serde_json::Value,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    fn new(value: &'a serde_json::Value) -> Self {
        Self { value, known: Vec::new() }
    }

    fn get(&mut self, name: &'static str) -> Option<&'a serde_json::Value> {
        self.known.push(name);
        self.value.get(name)
    }

    fn text(&mut self, name: &'static str) -> Result<Option<&'a str>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| format!("`{name}` is text")),
        }
    }

    fn number(&mut self, name: &'static str) -> Result<Option<f64>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("`{name}` is a number")),
        }
    }

    fn done(self) -> Result<(), String> {
        let serde_json::Value::Object(map) = self.value else { return Ok(()) };
        match map.keys().find(|key| !self.known.contains(&key.as_str())) {
            Some(stray) => Err(format!("unknown field `{stray}`; there are {}", self.known.join(", "))),
            None => Ok(()),
        }
    }
}

/// Milliseconds of a number of seconds.
fn ms(seconds: f64) -> u32 {
    (seconds * 1000.0).round() as u32
}

fn event(spec: &EventSpec, rate: f64, clock: &mut f64) -> Result<Event, String> {
    let null = serde_json::Value::Null;
    let (kind, value) = match spec {
        EventSpec::Bare(kind) => (kind.as_str(), &null),
        EventSpec::Kind(map) => match map.iter().collect::<Vec<_>>().as_slice() {
            [(kind, value)] => (kind.as_str(), *value),
            _ => return Err("an event is one thing: `- robot: …`".to_owned()),
        },
    };
    let mut fields = Fields::new(value);
    let named = |name: &str, all: &[&str]| format!("unknown {name}; there are {}", all.join(", "));
    let own = value.as_str();
    let mut length_ms = 0.0;
    let kind = match kind {
        "answered" => {
            if *clock == 0.0 {
                *clock = ANSWERED_MS;
            }
            EventKind::Answered
        }
        "answered_by" => {
            let who = own.or(fields.text("by")?).ok_or("who answered?")?;
            match Answerer::from_name(who) {
                Some(answerer) => EventKind::AnsweredBy(Some(answerer)),
                None if who == "unknown" => EventKind::AnsweredBy(None),
                None => return Err(named(who, &Answerer::ALL.iter().map(|a| a.as_str()).collect::<Vec<_>>())),
            }
        }
        "robot" | "customer" | "agent" => {
            let speaker = Speaker::from_name(kind).ok_or("who speaks?")?;
            let text = own.or(fields.text("text")?).unwrap_or_default();
            let duration_ms = fields.number("duration")?.map_or(0, ms);
            let played = fields.number("played")?;
            let spoken = text.chars().filter(|c| c.is_alphanumeric()).count() as f64 / rate * 1000.0;
            length_ms = if duration_ms > 0 { f64::from(duration_ms) } else { spoken } * played.unwrap_or(1.0) + PAUSE_MS;
            EventKind::Utterance(Utterance {
                speaker,
                text: text.into(),
                duration_ms,
                node_id: fields.text("node")?.unwrap_or_default().into(),
                played,
                utterance_id: fields.text("id")?.unwrap_or_default().into(),
                interim: fields.get("interim").is_some_and(|interim| interim == true),
            })
        }
        "silence" => {
            let seconds = value.as_f64().map_or_else(|| fields.number("duration"), |seconds| Ok(Some(seconds)))?.unwrap_or(0.0);
            *clock += seconds * 1000.0;
            EventKind::Silence(ms(seconds))
        }
        "node" => EventKind::NodeEntered(own.or(fields.text("id")?).ok_or("which node?")?.into()),
        "keyword" => EventKind::KeywordTriggered(Box::new(Keyword {
            category: own.or(fields.text("category")?).ok_or("which category?")?.into(),
            keyword: fields.text("keyword")?.unwrap_or_default().into(),
            utterance_id: fields.text("id")?.unwrap_or_default().into(),
        })),
        "refused" => EventKind::Refused(fields.text("id")?.map(Into::into)),
        "invite" => {
            let outcome = own.or(fields.text("outcome")?).ok_or("which outcome?")?;
            EventKind::InviteOutcome(Outcome::from_name(outcome).ok_or_else(|| named(outcome, &["accepted", "declined"]))?)
        }
        "transferred" => EventKind::Transferred(own.or(fields.text("to")?).unwrap_or_default().into()),
        "dtmf" => EventKind::Dtmf(own.or(fields.text("digits")?).unwrap_or_default().into()),
        "hangup" => {
            let by = match own.or(fields.text("by")?) {
                None => None,
                Some(by) => {
                    Some(Party::from_name(by).ok_or_else(|| named(by, &Party::ALL.iter().map(|p| p.as_str()).collect::<Vec<_>>()))?)
                }
            };
            EventKind::Hangup(Box::new(Hangup { by, report: report(&mut fields)? }))
        }
        "not_connected" => EventKind::NotConnected(Box::new(report(&mut fields)?)),
        other => return Err(format!("unknown event `{other}`")),
    };
    let at = fields.number("at")?.map_or(*clock, |at| at * 1000.0);
    fields.done()?;
    *clock = clock.max(at + length_ms);
    Ok(Event { at_ms: at.round() as u32, kind })
}

fn report(fields: &mut Fields<'_>) -> Result<DialReport, String> {
    let result = match fields.text("result")? {
        None => None,
        Some(name) => Some(DialResult::from_name(name).ok_or_else(|| format!("unknown dial result {name}"))?),
    };
    Ok(DialReport {
        result,
        sip_code: fields.number("sip")?.unwrap_or(0.0) as u32,
        q850_cause: fields.number("q850")?.unwrap_or(0.0) as u32,
        hangup_cause: fields.text("cause")?.unwrap_or_default().into(),
        announcement: fields.text("announcement")?.unwrap_or_default().into(),
        number_state: fields.number("number_state")?.unwrap_or(0.0) as u32,
    })
}
