//! The columns of what a whole verdict has beside its label: evidence, nodes, what comes next, what is to be told.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, ListArray};
use arrow_buffer::{NullBufferBuilder, OffsetBufferBuilder};
use arrow_schema::{DataType, Field, Fields, TimeUnit};

use super::{Texts, field, list, push_texts, structs};
use crate::core::callback::Callback;
use crate::core::script::Script;
use crate::core::verdict::{EndedBy, Evidence, NodeProgress, Verdict};
use crate::wire::v1;
use crate::wire::verdict::{CallHead, moment, speaker_of};

pub(super) fn evidence_fields() -> Fields {
    use DataType::{Float64, Int32, Utf8};
    let names = |names: &[&str], kind: DataType| names.iter().map(|name| field(name, kind.clone())).collect::<Vec<Field>>();
    let mut fields = names(&["event", "start", "end"], Int32);
    fields.extend(names(&["speaker", "signal", "category", "phrase", "match"], Utf8));
    fields.push(field("score", Float64));
    fields.push(list("grams", Utf8));
    fields.into()
}

pub(super) fn node_fields() -> Fields {
    use DataType::{Boolean, Float64, Utf8};
    Fields::from(vec![field("node_id", Utf8), field("progress", Float64), field("recognised", Boolean), field("similarity", Float64)])
}

pub(super) fn follow_up_fields() -> Fields {
    Fields::from(vec![field("action", DataType::Utf8), field("within_hours", DataType::Int32), field("note", DataType::Utf8)])
}

fn moment_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(super) fn callback_fields() -> Fields {
    Fields::from(vec![field("at", moment_type()), field("words", DataType::Utf8), field("event", DataType::Int32)])
}

pub(super) fn rejection_fields() -> Fields {
    Fields::from(vec![field("seq", DataType::Int32), field("reason", DataType::Utf8)])
}

/// Lists of structs: how many of these are in each row.
#[derive(Debug)]
struct Lists {
    offsets: OffsetBufferBuilder<i32>,
    present: NullBufferBuilder,
}

impl Default for Lists {
    fn default() -> Self {
        Self { offsets: OffsetBufferBuilder::new(0), present: NullBufferBuilder::new(0) }
    }
}

impl Lists {
    fn push(&mut self, items: usize) {
        self.offsets.push_length(items);
        self.present.append_non_null();
    }

    fn push_null(&mut self) {
        self.offsets.push_length(0);
        self.present.append_null();
    }

    fn finish(&mut self, fields: Fields, columns: Vec<ArrayRef>) -> ArrayRef {
        let Self { offsets, mut present } = std::mem::take(self);
        let items = structs(fields.clone(), columns, None);
        let item = Arc::new(field("item", DataType::Struct(fields)));
        Arc::new(ListArray::new(item, offsets.finish(), items, present.finish()))
    }
}

/// What a whole verdict has beside its label.
#[derive(Debug)]
pub(super) struct Rest {
    evidence: EvidenceColumns,
    nodes: NodeColumns,
    ended: BooleanBuilder,
    revision: Int32Builder,
    follow_up: FollowUpColumns,
    callback: CallbackColumns,
    ended_by: StringBuilder,
    notices: Texts,
    rejections: RejectionColumns,
    error: StringBuilder,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            evidence: EvidenceColumns::default(),
            nodes: NodeColumns::default(),
            ended: BooleanBuilder::new(),
            revision: Int32Builder::new(),
            follow_up: FollowUpColumns::default(),
            callback: CallbackColumns::default(),
            ended_by: StringBuilder::new(),
            notices: Texts::new(StringBuilder::new()),
            rejections: RejectionColumns::default(),
            error: StringBuilder::new(),
        }
    }
}

impl Rest {
    pub(super) fn push<'a>(
        &mut self,
        head: CallHead<'_>,
        script: &Script,
        verdict: &Verdict,
        rejections: impl IntoIterator<Item = (u32, &'a str)>,
    ) {
        self.evidence.push(script, &verdict.evidence);
        self.nodes.push(script, &verdict.nodes);
        self.ended.append_value(verdict.ended_by.is_some());
        self.revision.append_value(head.revision.cast_signed());
        self.follow_up.push(script, verdict);
        self.callback.push(verdict.callback.as_ref());
        self.ended_by.append_value(verdict.ended_by.map_or("", EndedBy::as_str));
        push_texts(&mut self.notices, head.notices.iter().chain(&verdict.notices).map(String::as_str));
        self.rejections.push(rejections);
        self.error.append_null();
    }

    pub(super) fn push_null(&mut self, reason: &str) {
        self.evidence.lists.push_null();
        self.nodes.lists.push_null();
        self.ended.append_null();
        self.revision.append_null();
        self.follow_up.push_null();
        self.callback.push(None);
        self.ended_by.append_null();
        self.notices.append(false);
        self.rejections.lists.push_null();
        self.error.append_value(reason);
    }

    pub(super) fn finish(&mut self) -> [ArrayRef; 10] {
        [
            self.evidence.finish(),
            self.nodes.finish(),
            Arc::new(self.ended.finish()),
            Arc::new(self.revision.finish()),
            self.follow_up.finish(),
            self.callback.finish(),
            Arc::new(self.ended_by.finish()),
            Arc::new(self.notices.finish()),
            self.rejections.finish(),
            Arc::new(self.error.finish()),
        ]
    }
}

#[derive(Debug)]
struct EvidenceColumns {
    lists: Lists,
    numbers: [Int32Builder; 3],
    texts: [StringBuilder; 5],
    score: Float64Builder,
    grams: Texts,
}

impl Default for EvidenceColumns {
    fn default() -> Self {
        Self {
            lists: Lists::default(),
            numbers: std::array::from_fn(|_| Int32Builder::new()),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            score: Float64Builder::new(),
            grams: Texts::new(StringBuilder::new()),
        }
    }
}

impl EvidenceColumns {
    fn push(&mut self, script: &Script, evidence: &[Evidence]) {
        self.lists.push(evidence.len());
        for item in evidence {
            let numbers = [item.event, item.start, item.end];
            self.numbers.iter_mut().zip(numbers).for_each(|(column, number)| column.append_value(number.cast_signed()));
            let texts = [
                speaker_of(item.speaker).as_str_name(),
                item.signal,
                item.category.id(script),
                item.phrase.text(script),
                v1::Match::from(item.how).as_str_name(),
            ];
            self.texts.iter_mut().zip(texts).for_each(|(column, text)| column.append_value(text));
            self.score.append_value(item.phrase.score());
            push_texts(&mut self.grams, item.phrase.grams().iter().map(String::as_str));
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let mut columns: Vec<ArrayRef> = self.numbers.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        columns.extend(self.texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend([Arc::new(self.score.finish()) as ArrayRef, Arc::new(self.grams.finish())]);
        self.lists.finish(evidence_fields(), columns)
    }
}

#[derive(Debug, Default)]
struct NodeColumns {
    lists: Lists,
    node_id: StringBuilder,
    progress: Float64Builder,
    recognised: BooleanBuilder,
    similarity: Float64Builder,
}

impl NodeColumns {
    fn push(&mut self, script: &Script, nodes: &[NodeProgress]) {
        self.lists.push(nodes.len());
        for progress in nodes {
            self.node_id.append_value(script.node(progress.node).map_or("", |node| &node.id));
            self.progress.append_value(progress.progress);
            self.recognised.append_value(progress.recognised);
            self.similarity.append_value(progress.similarity);
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.node_id.finish()),
            Arc::new(self.progress.finish()),
            Arc::new(self.recognised.finish()),
            Arc::new(self.similarity.finish()),
        ];
        self.lists.finish(node_fields(), columns)
    }
}

#[derive(Debug)]
struct FollowUpColumns {
    present: NullBufferBuilder,
    action: StringBuilder,
    within_hours: Int32Builder,
    note: StringBuilder,
}

impl Default for FollowUpColumns {
    fn default() -> Self {
        Self {
            present: NullBufferBuilder::new(0),
            action: StringBuilder::new(),
            within_hours: Int32Builder::new(),
            note: StringBuilder::new(),
        }
    }
}

impl FollowUpColumns {
    fn push(&mut self, script: &Script, verdict: &Verdict) {
        let Some(step) = verdict.next_step(script) else { return self.push_null() };
        self.present.append_non_null();
        self.action.append_value(step.action);
        self.within_hours.append_value(step.within_hours.cast_signed());
        self.note.append_value(&step.note);
    }

    fn push_null(&mut self) {
        self.present.append_null();
        self.action.append_null();
        self.within_hours.append_null();
        self.note.append_null();
    }

    fn finish(&mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> =
            vec![Arc::new(self.action.finish()), Arc::new(self.within_hours.finish()), Arc::new(self.note.finish())];
        structs(follow_up_fields(), columns, self.present.finish())
    }
}

#[derive(Debug)]
struct CallbackColumns {
    present: NullBufferBuilder,
    at: TimestampMicrosecondBuilder,
    words: StringBuilder,
    event: Int32Builder,
}

impl Default for CallbackColumns {
    fn default() -> Self {
        let at = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        Self { present: NullBufferBuilder::new(0), at, words: StringBuilder::new(), event: Int32Builder::new() }
    }
}

impl CallbackColumns {
    fn push(&mut self, callback: Option<&Callback>) {
        self.present.append(callback.is_some());
        let at = callback.and_then(|callback| callback.at.as_ref()).map(moment);
        self.at.append_option(at.map(|(seconds, nanos)| seconds.saturating_mul(1_000_000).saturating_add(i64::from(nanos) / 1_000)));
        self.words.append_option(callback.map(|callback| &*callback.words));
        self.event.append_option(callback.map(|callback| callback.event.cast_signed()));
    }

    fn finish(&mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![Arc::new(self.at.finish()), Arc::new(self.words.finish()), Arc::new(self.event.finish())];
        structs(callback_fields(), columns, self.present.finish())
    }
}

#[derive(Debug, Default)]
struct RejectionColumns {
    lists: Lists,
    seq: Int32Builder,
    reason: StringBuilder,
}

impl RejectionColumns {
    fn push<'a>(&mut self, rejections: impl IntoIterator<Item = (u32, &'a str)>) {
        let mut count = 0;
        for (seq, reason) in rejections {
            self.seq.append_value(seq.cast_signed());
            self.reason.append_value(reason);
            count += 1;
        }
        self.lists.push(count);
    }

    fn finish(&mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![Arc::new(self.seq.finish()), Arc::new(self.reason.finish())];
        self.lists.finish(rejection_fields(), columns)
    }
}
