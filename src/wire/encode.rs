//! A stream's most frequent answers written straight as bytes of `StreamCallsResponse`.
//!
//! The generated messages own their texts: a verdict would be some eighty small strings, made to be copied once and dropped.
//! What is written here decodes to what [`super::verdict`] gives; a property test holds the two together.

use std::cell::RefCell;

use super::{CallHead, moment, speaker_of, v1};
use crate::core::script::{NodeIndex, Script};
use crate::core::verdict::{EndedBy, Evidence, NodeProgress, Verdict};

/// Appends a `StreamCallsResponse` with an `Ack`.
pub fn ack(call_id: &str, seq: u32, out: &mut Vec<u8>) {
    nested(out, 1, |out| {
        text(out, 1, call_id);
        number(out, 2, seq);
    });
}

/// Appends a `StreamCallsResponse` with a `Verdict` that is written already.
pub fn verdict_response(verdict: &[u8], out: &mut Vec<u8>) {
    nested(out, 2, |out| out.extend_from_slice(verdict));
}

/// Appends a `Verdict`.
pub fn verdict(script: &Script, head: CallHead<'_>, verdict: &Verdict, out: &mut Vec<u8>) {
    text(out, 1, head.call_id);
    text(out, 2, &script.id);
    text(out, 3, &script.version);
    text(out, 4, script.label_id(verdict.label));
    if let Some(rule) = verdict.rule.and_then(|rule| script.rules.get(rule)) {
        text(out, 5, &rule.id);
        text(out, 6, &rule.words);
    }
    nested(out, 7, |out| signals(script, verdict, out));
    for item in &verdict.evidence {
        nested(out, 8, |out| evidence(script, item, out));
    }
    for progress in &verdict.nodes {
        nested(out, 9, |out| node_progress(script, progress, out));
    }
    for rule in verdict.also_matched.iter().filter_map(|&rule| script.rules.get(rule)) {
        item(out, 10, &rule.id);
    }
    flag(out, 11, verdict.fallback);
    flag(out, 12, verdict.ended_by.is_some());
    number(out, 13, head.revision);
    if let Some(step) = verdict.next_step(script) {
        nested(out, 14, |out| {
            text(out, 1, step.action);
            number(out, 2, step.within_hours);
            text(out, 3, &step.note);
        });
    }
    flag(out, 15, verdict.do_not_call);
    if let Some(callback) = &verdict.callback {
        nested(out, 16, |out| {
            if let Some((seconds, nanos)) = callback.at.as_ref().map(moment) {
                nested(out, 1, |out| {
                    whole(out, 1, seconds);
                    number(out, 2, nanos.unsigned_abs());
                });
            }
            text(out, 2, &callback.words);
            number(out, 3, callback.event);
        });
    }
    text(out, 17, verdict.ended_by.map_or("", EndedBy::as_str));
    for notice in head.notices.iter().chain(&verdict.notices) {
        item(out, 18, notice);
    }
    if let Some(model) = &script.learned {
        text(out, 19, &model.hash);
    }
}

fn signals(script: &Script, verdict: &Verdict, out: &mut Vec<u8>) {
    let signals = &verdict.signals;
    flag(out, 1, signals.connected);
    flag(out, 2, signals.ended);
    text(out, 3, signals.dial_result_str());
    text(out, 4, signals.answered_by_str());
    flag(out, 5, signals.machine());
    double(out, 6, signals.talk_s);
    number(out, 7, signals.customer_turns);
    number(out, 8, signals.content_turns);
    number(out, 9, signals.robot_turns);
    flag(out, 10, signals.silent());
    number(out, 11, signals.questions());
    for asked in script.names_of(signals.asked) {
        item(out, 12, asked);
    }
    number(out, 13, signals.refusals);
    number(out, 14, signals.refusal_streak);
    flag(out, 15, signals.last_refused);
    hits(script, &signals.hits, out);
    text(out, 17, signals.invite_str());
    double(out, 18, signals.completion);
    for &reached in &signals.reached {
        item(out, 19, node_id(script, reached));
    }
    text(out, 20, signals.last_node.map_or("", |last| node_id(script, last)));
    text(out, 21, signals.hung_up_by_str());
    number(out, 22, signals.no_input);
    flag(out, 23, signals.transferred);
}

/// The entries of a script's categories, as they are where nothing hits them: most of them in most verdicts.
#[derive(Default)]
struct NoHits {
    script: Option<u64>,
    bytes: Vec<u8>,
    /// Where each entry ends.
    ends: Vec<usize>,
}

impl NoHits {
    fn of(script: &Script) -> Self {
        let mut none = Self { script: Some(script.serial.number()), ..Self::default() };
        for (_, concept) in script.categories() {
            entry(&concept.id, 0, &mut none.bytes);
            none.ends.push(none.bytes.len());
        }
        none
    }

    /// Where each entry begins and ends.
    fn entries(&self) -> impl Iterator<Item = (usize, usize)> {
        std::iter::once(0).chain(self.ends.iter().copied()).zip(self.ends.iter().copied())
    }
}

/// An entry of `Signals.hits`.
fn entry(category: &str, hits: u32, out: &mut Vec<u8>) {
    nested(out, 16, |out| {
        text(out, 1, category);
        number(out, 2, hits);
    });
}

fn hits(script: &Script, hits: &[u32], out: &mut Vec<u8>) {
    thread_local! {
        /// Of the script whose verdict the thread wrote last: most often it is the next one's, too.
        static NONE: RefCell<NoHits> = RefCell::default();
    }
    NONE.with_borrow_mut(|none| {
        if none.script != Some(script.serial.number()) {
            *none = NoHits::of(script);
        }
        let mut from = 0;
        for (((_, concept), &hits), (begin, end)) in script.categories().zip(hits).zip(none.entries()) {
            if hits > 0 {
                out.extend_from_slice(none.bytes.get(from..begin).unwrap_or_default());
                entry(&concept.id, hits, out);
                from = end;
            }
        }
        out.extend_from_slice(none.bytes.get(from..).unwrap_or_default());
    });
}

fn evidence(script: &Script, evidence: &Evidence, out: &mut Vec<u8>) {
    number(out, 1, evidence.event);
    number(out, 2, evidence.start);
    number(out, 3, evidence.end);
    choice(out, 4, speaker_of(evidence.speaker).into());
    text(out, 5, evidence.signal);
    text(out, 6, evidence.category.id(script));
    text(out, 7, evidence.phrase.text(script));
    choice(out, 8, v1::Match::from(evidence.how).into());
    double(out, 9, evidence.phrase.score());
    for gram in evidence.phrase.grams() {
        item(out, 10, &gram);
    }
}

fn node_progress(script: &Script, progress: &NodeProgress, out: &mut Vec<u8>) {
    text(out, 1, node_id(script, progress.node));
    double(out, 2, progress.progress);
    flag(out, 3, progress.recognised);
    double(out, 4, progress.similarity);
}

fn node_id(script: &Script, index: NodeIndex) -> &str {
    script.node(index).map_or("", |node| &node.id)
}

// The wire format of protobuf, as far as it is used here. As in proto3, a field at its default is not written.

fn varint(out: &mut Vec<u8>, value: u32) {
    long_varint(out, value.into());
}

fn long_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;

fn key(out: &mut Vec<u8>, tag: u32, kind: u32) {
    varint(out, tag << 3 | kind);
}

fn number(out: &mut Vec<u8>, tag: u32, value: u32) {
    match (tag, value) {
        (_, 0) => {}
        (0..16, 1..0x80) => out.extend_from_slice(&[(tag << 3 | VARINT) as u8, value as u8]),
        _ => {
            key(out, tag, VARINT);
            varint(out, value);
        }
    }
}

/// A signed number as `int64` has it: a negative one takes ten bytes.
fn whole(out: &mut Vec<u8>, tag: u32, value: i64) {
    if value != 0 {
        key(out, tag, VARINT);
        long_varint(out, value.cast_unsigned());
    }
}

/// An enum's value; those of this contract are not negative.
fn choice(out: &mut Vec<u8>, tag: u32, value: i32) {
    number(out, tag, value.unsigned_abs());
}

fn flag(out: &mut Vec<u8>, tag: u32, value: bool) {
    number(out, tag, value.into());
}

/// As prost has it, only positive zero is the default.
fn double(out: &mut Vec<u8>, tag: u32, value: f64) {
    if value.to_bits() != 0 {
        key(out, tag, FIXED64);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn text(out: &mut Vec<u8>, tag: u32, value: &str) {
    if !value.is_empty() {
        item(out, tag, value);
    }
}

/// A text of a list, written even if it is empty.
fn item(out: &mut Vec<u8>, tag: u32, value: &str) {
    match (tag, value.len()) {
        // As nearly all are: one byte each.
        (0..16, length @ 0..0x80) => out.extend_from_slice(&[(tag << 3 | LENGTH) as u8, length as u8]),
        (_, length) => {
            key(out, tag, LENGTH);
            varint(out, length as u32);
        }
    }
    out.extend_from_slice(value.as_bytes());
}

/// A message within: most are so short that their length is one byte, which is left free and filled in; a longer one moves up.
fn nested(out: &mut Vec<u8>, tag: u32, write: impl FnOnce(&mut Vec<u8>)) {
    key(out, tag, LENGTH);
    let at = out.len();
    out.push(0);
    write(out);
    let mut length = out.len() - at - 1;
    if let (0..0x80, Some(place)) = (length, out.get_mut(at)) {
        *place = length as u8;
        return;
    }
    let mut bytes = [0u8; 5];
    let mut count = 0;
    for byte in &mut bytes {
        *byte = length as u8 & 0x7f | if length >= 0x80 { 0x80 } else { 0 };
        count += 1;
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    let bytes = bytes.get(..count).unwrap_or_default();
    let end = out.len();
    out.resize(end + count - 1, 0);
    out.copy_within(at + 1..end, at + count);
    if let Some(place) = out.get_mut(at..at + count) {
        place.copy_from_slice(bytes);
    }
}
