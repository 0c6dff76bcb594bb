//! The dialogs of a vCon and what was said in them, wherever it is written.

use serde_json::Value;

use super::content::{self, Object, text};
use super::time::{Moment, moment};
use super::transcript::{self, At, Segment, Who};

/// Types of analyses that hold transcripts, in lower case.
const TRANSCRIPTS: [&str; 5] = ["transcript", "diarized", "transcription", "wtf_transcription", "wtf-transcription"];

/// What a dialog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words, or sound of them.
    Conversation,
    /// It never came to one.
    Incomplete,
    /// The robot handed the call over.
    Transfer,
    /// Something else.
    Other,
}

/// A dialog.
#[derive(Debug, Clone)]
pub(super) struct Dialog<'a> {
    pub(super) kind: Kind,
    pub(super) start: Option<i64>,
    pub(super) duration_ms: Option<f64>,
    /// The parties, one an entry or, of a recording with several channels, a channel.
    pub(super) parties: Vec<Vec<usize>>,
    pub(super) object: &'a Object,
    /// Its words are known, be they none.
    pub(super) heard: bool,
}

/// Something said: in which dialog, by whom, when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) dialog: Option<usize>,
    pub(super) who: Who,
    pub(super) text: String,
    /// Milliseconds since 1970.
    pub(super) at: Option<i64>,
    pub(super) duration_ms: Option<f64>,
}

/// What was said in one go: the text dialogs, or a transcript.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) start: Option<i64>,
    pub(super) said: Vec<Said>,
}

fn objects<'a>(vcon: &'a Object, key: &str, notices: &mut Vec<String>) -> Vec<Option<&'a Object>> {
    match vcon.get(key) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().map(Value::as_object).collect(),
        Some(_) => {
            notices.push(format!("{key}: not an array; ignored"));
            Vec::new()
        }
    }
}

/// A moment that a field names; what is none is told.
pub(super) fn moment_of(object: &Object, key: &str, place: &str, notices: &mut Vec<String>) -> Option<i64> {
    let value = object.get(key).filter(|value| !value.is_null() && value.as_str() != Some(""))?;
    match moment(value) {
        Some(Moment { ms, local }) => {
            if local {
                notices.push(format!("{place}{key} has no offset from UTC; read as UTC"));
            }
            Some(ms)
        }
        None => {
            notices.push(format!("{place}{key} is no date: {value}; ignored"));
            None
        }
    }
}

/// The dialogs, each at its index; what is no dialog is told and empty.
pub(super) fn dialogs<'a>(vcon: &'a Object, notices: &mut Vec<String>) -> Vec<Option<Dialog<'a>>> {
    let list = objects(vcon, "dialog", notices);
    let read = |(index, object): (usize, Option<&'a Object>)| {
        let Some(object) = object else {
            notices.push(format!("dialog {index}: not an object; ignored"));
            return None;
        };
        let kind = text(object, "type").unwrap_or_default().to_ascii_lowercase();
        let kind = match kind.as_str() {
            "text" | "recording" | "audio" | "video" => Kind::Conversation,
            "incomplete" => Kind::Incomplete,
            "transfer" => Kind::Transfer,
            _ => {
                // A recording-set only groups others.
                if kind != "recording-set" {
                    notices.push(format!("dialog {index}: unknown type {kind:?}; ignored"));
                }
                Kind::Other
            }
        };
        let seconds = object.get("duration").and_then(Value::as_f64).filter(|seconds| *seconds > 0.0);
        Some(Dialog {
            kind,
            start: moment_of(object, "start", &format!("dialog {index}: "), notices),
            duration_ms: seconds.map(|seconds| seconds * 1000.0),
            parties: parties(object),
            object,
            heard: false,
        })
    };
    list.into_iter().enumerate().map(read).collect()
}

fn index(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|index| usize::try_from(index).ok())
}

fn parties(object: &Object) -> Vec<Vec<usize>> {
    let one = |value: &Value| match value {
        Value::Array(list) => list.iter().filter_map(index).collect(),
        value => index(value).into_iter().collect::<Vec<_>>(),
    };
    match object.get("parties") {
        Some(Value::Array(list)) => list.iter().map(one).collect(),
        Some(value) => vec![one(value)],
        None => Vec::new(),
    }
}

impl Dialog<'_> {
    /// Who began it, or of text who wrote it: the first party unless another is named.
    fn originator(&self) -> Who {
        let named = self.object.get("originator").and_then(index);
        named.or_else(|| self.parties.iter().flatten().next().copied()).map_or(Who::Nobody, Who::Party)
    }

    /// The only party, where there is one alone.
    fn alone(&self) -> Option<usize> {
        match self.parties.as_slice() {
            [only] => {
                if let [party] = only.as_slice() {
                    Some(*party)
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}

/// What was said: text dialogs' own words, and transcripts of the others.
pub(super) fn conversations(vcon: &Object, dialogs: &mut [Option<Dialog<'_>>], notices: &mut Vec<String>) -> Vec<Conversation> {
    let mut written = Conversation::default();
    for (index, dialog) in dialogs.iter_mut().enumerate() {
        let Some(dialog) = dialog.as_mut().filter(|dialog| dialog.kind == Kind::Conversation) else { continue };
        let is_text = text(dialog.object, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("text"));
        if !is_text {
            continue;
        }
        match content::words(dialog.object) {
            Ok(Some(text)) => {
                dialog.heard = true;
                written.start = written.start.or(dialog.start);
                let duration_ms = dialog.duration_ms;
                written.said.push(Said { dialog: Some(index), who: dialog.originator(), text, at: dialog.start, duration_ms });
            }
            Ok(None) => {}
            Err(reason) => notices.push(format!("dialog {index}: {reason}; ignored")),
        }
    }
    let mut all = transcripts(vcon, dialogs, notices);
    if !written.said.is_empty() {
        all.push(written);
    }
    for (index, dialog) in dialogs.iter().enumerate() {
        if dialog.as_ref().is_some_and(|dialog| dialog.kind == Kind::Conversation && !dialog.heard) {
            notices.push(format!("dialog {index}: neither text nor a transcript; nothing is known of what was said"));
        }
    }
    all
}

/// Of every dialog without words of its own the transcript that tells most.
fn transcripts(vcon: &Object, dialogs: &mut [Option<Dialog<'_>>], notices: &mut Vec<String>) -> Vec<Conversation> {
    let every: Vec<usize> = (0..dialogs.len()).filter(|&index| is_conversation(dialogs, index)).collect();
    // `None`: of every dialog.
    let mut found: Vec<(u8, Option<Vec<usize>>, Vec<Segment>)> = Vec::new();
    let mut without_dialog = false;
    for (place, analysis) in objects(vcon, "analysis", notices).into_iter().enumerate() {
        let is_transcript =
            |analysis: &Object| text(analysis, "type").is_some_and(|kind| TRANSCRIPTS.contains(&kind.to_ascii_lowercase().as_str()));
        let Some(analysis) = analysis.filter(|analysis| is_transcript(analysis)) else { continue };
        let of: Option<Vec<usize>> = analysis.get("dialog").map(|of| match of {
            Value::Array(list) => list.iter().filter_map(index).filter(|index| is_conversation(dialogs, *index)).collect(),
            of => index(of).into_iter().filter(|index| is_conversation(dialogs, *index)).collect(),
        });
        let duration_ms = of.as_deref().unwrap_or(&every).first().and_then(|&index| dialogs.get(index)?.as_ref()?.duration_ms);
        match content::document(analysis) {
            Ok(Some(body)) => match transcript::read(&body, duration_ms) {
                Some(transcript) => found.push((transcript.worth(), of, transcript.0)),
                None => notices.push(format!("analysis {place}: a transcript of no known shape; ignored")),
            },
            Ok(None) => notices.push(format!("analysis {place}: a transcript without a body; it is not fetched from elsewhere")),
            Err(reason) => notices.push(format!("analysis {place}: {reason}; ignored")),
        }
    }
    // Of equals the first.
    found.sort_by_key(|(worth, ..)| std::cmp::Reverse(*worth));
    let mut all = Vec::new();
    for (_, of, segments) in found {
        let of = of.as_deref().unwrap_or(&every);
        let taken = of.iter().any(|&index| dialogs.get(index).is_some_and(|dialog| dialog.as_ref().is_some_and(|dialog| dialog.heard)));
        // A transcript of no dialog counts where there is no other.
        if taken || of.is_empty() && (without_dialog || !all.is_empty() || dialogs.iter().flatten().any(|dialog| dialog.heard)) {
            continue;
        }
        without_dialog |= of.is_empty();
        for &index in of {
            if let Some(Some(dialog)) = dialogs.get_mut(index) {
                dialog.heard = true;
            }
        }
        let first = of.first().copied();
        let dialog = first.and_then(|index| dialogs.get(index)?.as_ref());
        all.push(conversation(first, dialog, segments));
    }
    all
}

fn is_conversation(dialogs: &[Option<Dialog<'_>>], index: usize) -> bool {
    dialogs.get(index).is_some_and(|dialog| dialog.as_ref().is_some_and(|dialog| dialog.kind == Kind::Conversation))
}

fn conversation(index: Option<usize>, dialog: Option<&Dialog<'_>>, segments: Vec<Segment>) -> Conversation {
    let start = dialog.and_then(|dialog| dialog.start);
    let said = segments.into_iter().map(|segment| {
        let who = match (segment.who, dialog) {
            // A recording for each party, or a channel.
            (Who::Nobody, Some(dialog)) => dialog.alone().map_or(Who::Nobody, Who::Party),
            (Who::Channel(channel), Some(dialog)) => match dialog.parties.get(channel).map(Vec::as_slice) {
                Some([party]) => Who::Party(*party),
                _ => Who::Channel(channel),
            },
            (who, _) => who,
        };
        let at = match segment.start {
            At::Unknown => None,
            At::Offset(ms) => Some(start.unwrap_or_default().saturating_add(ms as i64)),
            At::Moment(ms) => Some(ms),
        };
        Said { dialog: index, who, text: segment.text, at, duration_ms: segment.duration_ms }
    });
    let said: Vec<Said> = said.filter(|said| !said.text.is_empty()).collect();
    Conversation { start: start.or_else(|| said.iter().find_map(|said| said.at)), said }
}
