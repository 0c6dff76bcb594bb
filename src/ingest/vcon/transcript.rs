//! Transcripts in the shapes that recognisers write them in; the draft leaves theirs open.
//!
//! One reader serves all: lists of segments (WTF, Whisper, Deepgram, AssemblyAI, Rev and what people write by hand), words
//! told apart by speaker, text with a speaker's name before each line, and plain text. Where a body holds several, that
//! which tells most of who spoke and when is taken.

use serde_json::Value;

use super::content::{Object, scalar};
use super::lines;
use super::time::{LEAST_EPOCH_S, clock, moment};

/// Who speaks, as far as the transcript says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// An index into the parties.
    Party(usize),
    /// A channel of the recording.
    Channel(usize),
    /// A name, perhaps only a recogniser's number.
    Label(String),
    /// Nobody is named.
    Nobody,
}

/// When something begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum At {
    /// Not told.
    Unknown,
    /// Milliseconds since the dialog began.
    Offset(f64),
    /// Milliseconds since 1970.
    Moment(i64),
}

/// Something said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    pub(super) who: Who,
    pub(super) text: String,
    pub(super) start: At,
    /// How long it lasted, where known.
    pub(super) duration_ms: Option<f64>,
}

/// What was said, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Transcript(pub(super) Vec<Segment>);

impl Transcript {
    /// How much it tells: who spoke before when, several segments before one.
    pub(super) fn worth(&self) -> u8 {
        let named = self.0.iter().any(|segment| segment.who != Who::Nobody);
        let timed = self.0.iter().any(|segment| segment.start != At::Unknown);
        u8::from(named) * 4 + u8::from(timed) * 2 + u8::from(self.0.len() > 1)
    }
}

/// Deepest nesting that a transcript is looked for in.
const DEEPEST: usize = 6;
/// Seconds of silence between words of one speaker from which they are two utterances.
const PAUSE_S: f64 = 1.0;
/// Where transcripts keep their segments or text, the best first.
const HOLDERS: [&str; 21] = [
    "utterances",
    "segments",
    "paragraphs",
    "turns",
    "messages",
    "dialog",
    "dialogue",
    "conversation",
    "monologues",
    "entries",
    "items",
    "channels",
    "alternatives",
    "results",
    "transcript",
    "transcription",
    "transcripts",
    "words",
    "text",
    "content",
    "body",
];
const WHO: [&str; 11] = [
    "speaker",
    "participant",
    "speaker_label",
    "speakerLabel",
    "speaker_name",
    "speaker_id",
    "speakerId",
    "role",
    "name",
    "from",
    "sender",
];
const TEXT: [&str; 7] = ["text", "message", "transcript", "content", "utterance", "sentence", "body"];
/// Of moments and offsets, in seconds or whatever the transcript as a whole turns out to count in.
const START: [&str; 8] = ["start", "start_time", "startTime", "timestamp", "offset", "begin", "time", "ts"];
const START_MS: [&str; 4] = ["start_ms", "startMs", "at_ms", "offset_ms"];
const END: [&str; 5] = ["end", "end_time", "endTime", "end_ts", "stop"];
const END_MS: [&str; 2] = ["end_ms", "endMs"];

/// Reads a transcript's body; `None` if it has no known shape. The dialog's duration, if known, tells seconds from
/// milliseconds.
pub(super) fn read(body: &Value, duration_ms: Option<f64>) -> Option<Transcript> {
    let mut transcript = find(body, 0)?;
    in_milliseconds(&mut transcript, duration_ms);
    Some(transcript)
}

fn find(value: &Value, depth: usize) -> Option<Transcript> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::String(text) => Some(lines::read(text)),
        Value::Array(list) => of_list(list, depth),
        Value::Object(object) => {
            let mut best: Option<Transcript> = None;
            for (key, value) in HOLDERS.iter().filter_map(|key| Some((*key, object.get(*key)?))) {
                let found = match (key, value) {
                    ("channels", Value::Array(channels)) => of_channels(channels, depth),
                    // The others are guesses at the same words.
                    ("alternatives", Value::Array(list)) => list.first().and_then(|first| find(first, depth + 1)),
                    ("words", Value::Array(words)) => of_words(words),
                    _ => find(value, depth + 1),
                };
                if let Some(found) = found.filter(|found| best.as_ref().is_none_or(|best| found.worth() > best.worth())) {
                    best = Some(found);
                }
            }
            best
        }
        _ => None,
    }
}

fn of_list(list: &[Value], depth: usize) -> Option<Transcript> {
    if list.is_empty() {
        return Some(Transcript::default());
    }
    if list.iter().all(Value::is_string) {
        let lines: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        return Some(lines::of(&lines));
    }
    if list.iter().any(|item| item.get("word").is_some()) {
        return of_words(list);
    }
    let segments: Vec<Segment> = list.iter().filter_map(Value::as_object).filter_map(segment).collect();
    if !segments.is_empty() {
        return Some(Transcript(segments));
    }
    match list {
        [only] => find(only, depth + 1),
        _ => None,
    }
}

/// One transcript a channel, interleaved.
fn of_channels(channels: &[Value], depth: usize) -> Option<Transcript> {
    let mut all = Vec::new();
    for (number, channel) in channels.iter().enumerate() {
        let mut of_channel = find(channel, depth + 1)?;
        if channels.len() > 1 {
            of_channel.0.iter_mut().for_each(|segment| segment.who = Who::Channel(number));
        }
        all.extend(of_channel.0);
    }
    let offset = |segment: &Segment| if let At::Offset(ms) = segment.start { ms } else { 0.0 };
    all.sort_by(|a, b| offset(a).total_cmp(&offset(b)));
    Some(Transcript(all))
}

/// A segment, or `None` if it holds no text.
fn segment(object: &Object) -> Option<Segment> {
    let text = TEXT.iter().find_map(|key| object.get(*key)).and_then(Value::as_str).map(|text| text.trim().to_owned());
    let text = text.or_else(|| parts(object))?;
    let (start, end) = (start(object), number(object, &END).or_else(|| number(object, &END_MS)));
    let lasted = number(object, &["duration", "dur"]).or_else(|| number(object, &["duration_ms", "durationMs"]));
    let (first, last) = inner_times(object);
    let start = match (start, first) {
        (At::Unknown, Some(first)) => At::Offset(first),
        (start, _) => start,
    };
    let until = |end: f64| if let At::Offset(start) = start { Some(end - start) } else { None };
    let duration_ms = lasted.or_else(|| end.or(last).and_then(until)).filter(|ms| *ms > 0.0);
    Some(Segment { who: who(object), text, start, duration_ms })
}

/// Text in pieces: Deepgram's sentences, Rev's elements, words.
fn parts(object: &Object) -> Option<String> {
    let list = ["sentences", "elements", "words", "tokens"].iter().find_map(|key| object.get(*key)?.as_array())?;
    let mut text = String::new();
    for piece in list {
        let piece = ["text", "value", "punctuated_word", "word"].iter().find_map(|key| piece.get(*key)?.as_str());
        append(&mut text, piece.unwrap_or_default());
    }
    Some(text)
}

/// Where the pieces of a segment begin and end.
fn inner_times(object: &Object) -> (Option<f64>, Option<f64>) {
    let list = ["sentences", "elements", "words"].iter().find_map(|key| object.get(*key)?.as_array());
    let pieces = || list.into_iter().flatten().filter_map(Value::as_object);
    let first = pieces().find_map(|piece| number(piece, &START));
    (first, pieces().rev().find_map(|piece| number(piece, &END)))
}

/// Words with times, put together while the speaker stays and makes no pause. Without speakers they tell less than the text.
fn of_words(words: &[Value]) -> Option<Transcript> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut ended = f64::NEG_INFINITY;
    for word in words.iter().filter_map(Value::as_object) {
        let Some(text) = ["punctuated_word", "word", "text"].iter().find_map(|key| word.get(*key)?.as_str()) else { continue };
        let (who, start) = (who(word), start(word));
        let begins = if let At::Offset(ms) = start { ms } else { ended };
        let end = number(word, &END).unwrap_or(begins);
        match segments.last_mut() {
            Some(last) if last.who == who && begins - ended < PAUSE_S => {
                append(&mut last.text, text);
                if let At::Offset(start) = last.start {
                    last.duration_ms = Some(end - start);
                }
            }
            _ => {
                segments.push(Segment { who, text: text.trim().to_owned(), start, duration_ms: Some(end - begins).filter(|ms| *ms > 0.0) })
            }
        }
        ended = end;
    }
    segments.iter().any(|segment| segment.who != Who::Nobody).then_some(Transcript(segments))
}

/// Adds a piece of text, after a space only between those of scripts that use it.
fn append(text: &mut String, piece: &str) {
    let piece = piece.trim();
    if text.chars().next_back().is_some_and(|c| c.is_ascii()) && piece.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        text.push(' ');
    }
    text.push_str(piece);
}

fn who(object: &Object) -> Who {
    let party = ["party", "party_id", "originator"].iter().find_map(|key| object.get(*key)?.as_u64());
    if let Some(party) = party.and_then(|party| usize::try_from(party).ok()) {
        return Who::Party(party);
    }
    let label = |value: &Value| match value {
        Value::Number(number) => Some(format!("speaker {number}")),
        Value::Object(object) => ["name", "label", "id", "role"].iter().find_map(|key| object.get(*key).and_then(scalar)),
        _ => scalar(value),
    };
    if let Some(label) = WHO.iter().chain(&["party"]).find_map(|key| object.get(*key).and_then(label)) {
        return Who::Label(label);
    }
    let channel = ["channel", "channel_id"].iter().find_map(|key| object.get(*key)?.as_u64());
    channel.and_then(|channel| usize::try_from(channel).ok()).map_or(Who::Nobody, Who::Channel)
}

fn start(object: &Object) -> At {
    if let Some(offset) = number(object, &START).or_else(|| number(object, &START_MS)) {
        return At::Offset(offset);
    }
    let moments = START.iter().filter_map(|key| object.get(*key)).find_map(moment);
    moments.map_or(At::Unknown, |moment| At::Moment(moment.ms))
}

/// The number of the first key that has one. Keys in milliseconds give seconds; a clock gives them too.
fn number(object: &Object, keys: &[&str]) -> Option<f64> {
    keys.iter().find_map(|key| {
        let seconds = match object.get(*key)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => match clock(text) {
                Some(ms) => ms / 1000.0,
                None => text.trim().trim_end_matches('s').parse().ok()?,
            },
            _ => return None,
        };
        let in_ms = key.ends_with("_ms") || key.ends_with("Ms");
        let seconds = if in_ms { seconds / 1000.0 } else { seconds };
        (seconds.is_finite() && seconds >= 0.0 && (in_ms || seconds < LEAST_EPOCH_S)).then_some(seconds)
    })
}

/// Offsets are read as seconds. Some recognisers count milliseconds without saying so: whole numbers that overrun the
/// dialog ten times, or else that would have less than a character spoken in ten seconds.
fn in_milliseconds(transcript: &mut Transcript, duration_ms: Option<f64>) {
    let offsets = || transcript.0.iter().filter_map(|segment| if let At::Offset(offset) = segment.start { Some(offset) } else { None });
    let last = offsets().fold(0.0, f64::max);
    let whole = offsets().all(|offset| offset.fract() == 0.0) && last >= 100.0;
    let characters: usize = transcript.0.iter().map(|segment| segment.text.chars().count()).sum();
    let already_ms = whole
        && match duration_ms {
            Some(duration) => last * 1000.0 > duration * 10.0,
            None => (characters as f64) < last / 10.0,
        };
    let scale = if already_ms { 1.0 } else { 1000.0 };
    for segment in &mut transcript.0 {
        if let At::Offset(offset) = &mut segment.start {
            *offset *= scale;
        }
        segment.duration_ms = segment.duration_ms.map(|lasted| lasted * scale);
    }
}
