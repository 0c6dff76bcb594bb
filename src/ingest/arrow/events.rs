//! The columns that describe an event, the same in both forms.

use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array};

use super::SchemaError;
use super::columns::{Numbers, Texts, flags, reals};
use crate::core::event::{Answerer, DialReport, DialResult, Event, EventKind, Hangup, Keyword, Outcome, Party, Speaker, Utterance};
use crate::ingest::json::named;

/// The columns of events of one batch; one that is not there holds nothing.
#[derive(Debug, Default)]
pub(super) struct EventColumns {
    kind: Option<Texts>,
    at_ms: Option<Numbers>,
    speaker: Option<Texts>,
    text: Option<Texts>,
    duration_ms: Option<Numbers>,
    node_id: Option<Texts>,
    played: Option<Float64Array>,
    utterance_id: Option<Texts>,
    interim: Option<BooleanArray>,
    category: Option<Texts>,
    keyword: Option<Texts>,
    result: Option<Texts>,
    sip_code: Option<Numbers>,
    q850_cause: Option<Numbers>,
    hangup_cause: Option<Texts>,
    announcement: Option<Texts>,
    number_state: Option<Numbers>,
    answerer: Option<Texts>,
    outcome: Option<Texts>,
    by: Option<Texts>,
    digits: Option<Texts>,
    to: Option<Texts>,
}

/// The names of the columns, as the schema's documentation has them.
pub(super) const NAMES: [&str; 22] = [
    "kind",
    "at_ms",
    "speaker",
    "text",
    "duration_ms",
    "node_id",
    "played",
    "utterance_id",
    "interim",
    "category",
    "keyword",
    "result",
    "sip_code",
    "q850_cause",
    "hangup_cause",
    "announcement",
    "number_state",
    "answerer",
    "outcome",
    "by",
    "digits",
    "to",
];

impl EventColumns {
    /// Finds the columns by name; `under` goes before it in what is said of one that is wrong.
    pub(super) fn of<'a>(column: impl Fn(&str) -> Option<&'a ArrayRef>, under: &str) -> Result<Self, SchemaError> {
        let texts = |name: &str| column(name).map_or(Ok(None), |found| Texts::of(found, &format!("{under}{name}")));
        let numbers = |name: &str| column(name).map_or(Ok(None), |found| Numbers::of(found, &format!("{under}{name}")));
        Ok(Self {
            kind: texts("kind")?,
            at_ms: numbers("at_ms")?,
            speaker: texts("speaker")?,
            text: texts("text")?,
            duration_ms: numbers("duration_ms")?,
            node_id: texts("node_id")?,
            played: column("played").map_or(Ok(None), |found| reals(found, &format!("{under}played")))?,
            utterance_id: texts("utterance_id")?,
            interim: column("interim").map_or(Ok(None), |found| flags(found, &format!("{under}interim")))?,
            category: texts("category")?,
            keyword: texts("keyword")?,
            result: texts("result")?,
            sip_code: numbers("sip_code")?,
            q850_cause: numbers("q850_cause")?,
            hangup_cause: texts("hangup_cause")?,
            announcement: texts("announcement")?,
            number_state: numbers("number_state")?,
            answerer: texts("answerer")?,
            outcome: texts("outcome")?,
            by: texts("by")?,
            digits: texts("digits")?,
            to: texts("to")?,
        })
    }

    /// The event of a row.
    pub(super) fn event(&self, row: usize) -> Result<Event, String> {
        let text = |column: &Option<Texts>| -> Result<Box<str>, String> {
            Ok(column.as_ref().map_or(Ok(None), |column| column.get(row))?.unwrap_or_default().into())
        };
        let number = |column: &Option<Numbers>, name: &str| column.as_ref().map_or(Ok(0), |column| column.get(row, name));
        let at_ms = number(&self.at_ms, "at_ms")?;
        let kind = self.kind.as_ref().map_or(Ok(None), |kinds| kinds.get(row))?.unwrap_or_default();
        let report = |connected: bool| -> Result<DialReport, String> {
            Ok(DialReport {
                result: if connected {
                    None
                } else {
                    choice(&self.result, row, "result", "DIAL_RESULT_", DialResult::ALL, DialResult::as_str)?
                },
                sip_code: number(&self.sip_code, "sip_code")?,
                q850_cause: number(&self.q850_cause, "q850_cause")?,
                hangup_cause: text(&self.hangup_cause)?,
                announcement: if connected { "".into() } else { text(&self.announcement)? },
                number_state: if connected { 0 } else { number(&self.number_state, "number_state")? },
            })
        };
        let kind = match kind {
            "utterance" => {
                let speaker = choice(&self.speaker, row, "speaker", "SPEAKER_", Speaker::ALL, Speaker::as_str)?;
                EventKind::Utterance(Utterance {
                    speaker: speaker.ok_or("the utterance names no speaker")?,
                    text: text(&self.text)?,
                    duration_ms: number(&self.duration_ms, "duration_ms")?,
                    node_id: text(&self.node_id)?,
                    played: self.played.as_ref().and_then(|played| played.is_valid(row).then(|| played.value(row))),
                    utterance_id: text(&self.utterance_id)?,
                    interim: self.interim.as_ref().is_some_and(|interim| interim.is_valid(row) && interim.value(row)),
                })
            }
            "answered" => EventKind::Answered,
            "not_connected" | "notConnected" => EventKind::NotConnected(Box::new(report(false)?)),
            "answered_by" | "answeredBy" => {
                EventKind::AnsweredBy(choice(&self.answerer, row, "answerer", "ANSWERER_", Answerer::ALL, Answerer::as_str)?)
            }
            "node_entered" | "nodeEntered" => EventKind::NodeEntered(text(&self.node_id)?),
            "silence" => EventKind::Silence(number(&self.duration_ms, "duration_ms")?),
            "keyword_triggered" | "keywordTriggered" => EventKind::KeywordTriggered(Box::new(Keyword {
                category: text(&self.category)?,
                keyword: text(&self.keyword)?,
                utterance_id: text(&self.utterance_id)?,
            })),
            "refused" => EventKind::Refused(Some(text(&self.utterance_id)?).filter(|id| !id.is_empty())),
            "invite_outcome" | "inviteOutcome" => {
                let outcome = choice(&self.outcome, row, "outcome", "OUTCOME_", Outcome::ALL, Outcome::as_str)?;
                EventKind::InviteOutcome(outcome.ok_or("the invite outcome is not given")?)
            }
            "hangup" => {
                let by = choice(&self.by, row, "by", "PARTY_", Party::ALL, Party::as_str)?;
                EventKind::Hangup(Box::new(Hangup { by, report: report(true)? }))
            }
            "dtmf" => EventKind::Dtmf(text(&self.digits)?),
            "transferred" => EventKind::Transferred(text(&self.to)?),
            _ => EventKind::Unknown,
        };
        Ok(Event { at_ms, kind })
    }
}

/// The value that a column's text names, in either case, with or without its prefix.
fn choice<T: Copy>(
    column: &Option<Texts>,
    row: usize,
    field: &str,
    prefix: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, String> {
    let Some(text) = column.as_ref().map_or(Ok(None), |column| column.get(row))? else { return Ok(None) };
    if text.is_empty() {
        return Ok(None);
    }
    // As the contract spells them, and as tables do.
    if let Some(value) = all.iter().find(|value| name(**value) == text) {
        return Ok(Some(*value));
    }
    named(text, field, prefix, all, name)
}
