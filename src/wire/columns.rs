//! Verdicts as Arrow columns: the contract's `Verdict`, field by field under its own names, one row a call.
//!
//! Counts are 32-bit signed, for not every engine has unsigned ones; moments are microseconds in UTC; enums have the names of proto3
//! JSON. A call that was rejected is a row with nothing but `call_id` and, in `error`, why.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, Int32Builder, ListBuilder, MapBuilder, MapFieldNames, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder, OffsetBufferBuilder};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::v1;
use super::verdict::{CallHead, moment, speaker_of};
use crate::core::callback::Callback;
use crate::core::script::Script;
use crate::core::verdict::{EndedBy, Evidence, NodeProgress, Verdict};

/// How much of each verdict there is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The label, what gave it, and the signals.
    Label,
    /// All of it.
    Whole,
}

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn list(name: &str, item: DataType) -> Field {
    field(name, DataType::List(Arc::new(field("item", item))))
}

fn structure(name: &str, fields: impl Into<Fields>) -> Field {
    field(name, DataType::Struct(fields.into()))
}

fn hits_type() -> DataType {
    let entries = Fields::from(vec![Field::new("key", DataType::Utf8, false), field("value", DataType::Int32)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

fn signal_fields() -> Fields {
    use DataType::{Boolean, Float64, Int32, Utf8};
    Fields::from(vec![
        field("connected", Boolean),
        field("ended", Boolean),
        field("dial_result", Utf8),
        field("answered_by", Utf8),
        field("machine", Boolean),
        field("talk_s", Float64),
        field("customer_turns", Int32),
        field("content_turns", Int32),
        field("robot_turns", Int32),
        field("silent", Boolean),
        field("questions", Int32),
        list("asked", Utf8),
        field("refusals", Int32),
        field("refusal_streak", Int32),
        field("last_refused", Boolean),
        field("hits", hits_type()),
        field("invite", Utf8),
        field("completion", Float64),
        list("reached", Utf8),
        field("last_node", Utf8),
        field("hung_up_by", Utf8),
        field("no_input", Int32),
        field("transferred", Boolean),
    ])
}

fn evidence_fields() -> Fields {
    use DataType::{Float64, Int32, Utf8};
    let names = |names: &[&str], kind: DataType| names.iter().map(|name| field(name, kind.clone())).collect::<Vec<Field>>();
    let mut fields = names(&["event", "start", "end"], Int32);
    fields.extend(names(&["speaker", "signal", "category", "phrase", "match"], Utf8));
    fields.push(field("score", Float64));
    fields.push(list("grams", Utf8));
    fields.into()
}

fn node_fields() -> Fields {
    use DataType::{Boolean, Float64, Utf8};
    Fields::from(vec![field("node_id", Utf8), field("progress", Float64), field("recognised", Boolean), field("similarity", Float64)])
}

fn follow_up_fields() -> Fields {
    Fields::from(vec![field("action", DataType::Utf8), field("within_hours", DataType::Int32), field("note", DataType::Utf8)])
}

fn moment_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn callback_fields() -> Fields {
    Fields::from(vec![field("at", moment_type()), field("words", DataType::Utf8), field("event", DataType::Int32)])
}

fn rejection_fields() -> Fields {
    Fields::from(vec![field("seq", DataType::Int32), field("reason", DataType::Utf8)])
}

/// The columns of verdicts.
#[must_use]
pub fn schema(extent: Extent) -> SchemaRef {
    use DataType::{Boolean, Int32, Utf8};
    let mut fields: Vec<Field> =
        ["call_id", "script_id", "script_version", "label", "rule_id", "reason"].iter().map(|name| field(name, Utf8)).collect();
    fields.push(structure("signals", signal_fields()));
    fields.extend([list("also_matched", Utf8), field("fallback", Boolean), field("do_not_call", Boolean), field("model_hash", Utf8)]);
    if extent == Extent::Whole {
        let items = |name: &str, fields: Fields| list(name, DataType::Struct(fields));
        fields.extend([items("evidence", evidence_fields()), items("nodes", node_fields())]);
        fields.extend([field("final", Boolean), field("revision", Int32), structure("follow_up", follow_up_fields())]);
        fields.extend([structure("callback", callback_fields()), field("ended_by", Utf8), list("notices", Utf8)]);
        fields.extend([items("rejections", rejection_fields()), field("error", Utf8)]);
    }
    Arc::new(Schema::new(fields))
}

type Texts = ListBuilder<StringBuilder>;

fn push_texts<'a>(list: &mut Texts, texts: impl IntoIterator<Item = &'a str>) {
    for text in texts {
        list.values().append_value(text);
    }
    list.append(true);
}

/// Verdicts being put into columns.
#[derive(Debug)]
pub struct VerdictColumns {
    call_id: StringBuilder,
    script_id: StringBuilder,
    script_version: StringBuilder,
    label: StringBuilder,
    rule_id: StringBuilder,
    reason: StringBuilder,
    signals: SignalColumns,
    also_matched: Texts,
    fallback: BooleanBuilder,
    do_not_call: BooleanBuilder,
    model_hash: StringBuilder,
    rest: Option<Box<Rest>>,
}

impl VerdictColumns {
    /// Without rows.
    #[must_use]
    pub fn new(extent: Extent) -> Self {
        Self {
            call_id: StringBuilder::new(),
            script_id: StringBuilder::new(),
            script_version: StringBuilder::new(),
            label: StringBuilder::new(),
            rule_id: StringBuilder::new(),
            reason: StringBuilder::new(),
            signals: SignalColumns::default(),
            also_matched: Texts::new(StringBuilder::new()),
            fallback: BooleanBuilder::new(),
            do_not_call: BooleanBuilder::new(),
            model_hash: StringBuilder::new(),
            rest: (extent == Extent::Whole).then(Box::default),
        }
    }

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fallback.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a verdict, and the events of its call that were rejected, each with its seq.
    pub fn push<'a>(
        &mut self,
        head: CallHead<'_>,
        script: &Script,
        verdict: &Verdict,
        rejections: impl IntoIterator<Item = (u32, &'a str)>,
    ) {
        let rule = verdict.rule.and_then(|rule| script.rules.get(rule));
        self.call_id.append_value(head.call_id);
        self.script_id.append_value(&*script.id);
        self.script_version.append_value(&*script.version);
        self.label.append_value(verdict.label.and_then(|label| script.labels.get(label)).map_or("", |label| &label.id));
        self.rule_id.append_value(rule.map_or("", |rule| &rule.id));
        self.reason.append_value(rule.map_or("", |rule| &rule.words));
        self.signals.push(script, verdict);
        let also = verdict.also_matched.iter().filter_map(|&rule| script.rules.get(rule));
        push_texts(&mut self.also_matched, also.map(|rule| &*rule.id));
        self.fallback.append_value(verdict.fallback);
        self.do_not_call.append_value(verdict.do_not_call);
        self.model_hash.append_value(script.learned.as_ref().map_or("", |model| &model.hash));
        if let Some(rest) = &mut self.rest {
            rest.push(head, script, verdict, rejections);
        }
    }

    /// Adds a call that was rejected.
    pub fn push_error(&mut self, call_id: &str, reason: &str) {
        self.call_id.append_option(Some(call_id).filter(|id| !id.is_empty()));
        for texts in
            [&mut self.script_id, &mut self.script_version, &mut self.label, &mut self.rule_id, &mut self.reason, &mut self.model_hash]
        {
            texts.append_null();
        }
        self.signals.push_null();
        self.also_matched.append(false);
        self.fallback.append_null();
        self.do_not_call.append_null();
        if let Some(rest) = &mut self.rest {
            rest.push_null(reason);
        }
    }

    /// The rows, of the columns that [`schema`] lists in its order; none are left.
    pub fn finish_columns(&mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.call_id.finish()),
            Arc::new(self.script_id.finish()),
            Arc::new(self.script_version.finish()),
            Arc::new(self.label.finish()),
            Arc::new(self.rule_id.finish()),
            Arc::new(self.reason.finish()),
            self.signals.finish(),
            Arc::new(self.also_matched.finish()),
            Arc::new(self.fallback.finish()),
            Arc::new(self.do_not_call.finish()),
            Arc::new(self.model_hash.finish()),
        ];
        if let Some(rest) = &mut self.rest {
            columns.extend(rest.finish());
        }
        columns
    }

    /// The rows as a batch; none are left.
    ///
    /// # Errors
    /// Never, as long as columns and schema agree.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let extent = if self.rest.is_some() { Extent::Whole } else { Extent::Label };
        RecordBatch::try_new(schema(extent), self.finish_columns())
    }
}

/// The columns of signals.
#[derive(Debug)]
struct SignalColumns {
    present: NullBufferBuilder,
    flags: [BooleanBuilder; 6],
    texts: [StringBuilder; 5],
    counts: [Int32Builder; 7],
    talk_s: Float64Builder,
    completion: Float64Builder,
    asked: Texts,
    reached: Texts,
    hits: MapBuilder<StringBuilder, Int32Builder>,
}

impl Default for SignalColumns {
    fn default() -> Self {
        let names = MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
        Self {
            present: NullBufferBuilder::new(0),
            flags: std::array::from_fn(|_| BooleanBuilder::new()),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            counts: std::array::from_fn(|_| Int32Builder::new()),
            talk_s: Float64Builder::new(),
            completion: Float64Builder::new(),
            asked: Texts::new(StringBuilder::new()),
            reached: Texts::new(StringBuilder::new()),
            hits: MapBuilder::new(Some(names), StringBuilder::new(), Int32Builder::new()),
        }
    }
}

impl SignalColumns {
    fn push(&mut self, script: &Script, verdict: &Verdict) {
        let signals = &verdict.signals;
        let node = |index: u8| script.node(index).map_or("", |node| &*node.id);
        self.present.append_non_null();
        let flags = [signals.connected, signals.ended, signals.machine(), signals.silent(), signals.last_refused, signals.transferred];
        self.flags.iter_mut().zip(flags).for_each(|(column, flag)| column.append_value(flag));
        let last_node = signals.last_node.map(node).unwrap_or_default();
        let texts = [signals.dial_result_str(), signals.answered_by_str(), signals.invite_str(), last_node, signals.hung_up_by_str()];
        self.texts.iter_mut().zip(texts).for_each(|(column, text)| column.append_value(text));
        let counts = [
            signals.customer_turns,
            signals.content_turns,
            signals.robot_turns,
            signals.questions(),
            signals.refusals,
            signals.refusal_streak,
            signals.no_input,
        ];
        self.counts.iter_mut().zip(counts).for_each(|(column, count)| column.append_value(count.cast_signed()));
        self.talk_s.append_value(signals.talk_s);
        self.completion.append_value(signals.completion);
        push_texts(&mut self.asked, script.names_of(signals.asked));
        push_texts(&mut self.reached, signals.reached.iter().map(|&index| node(index)));
        for ((_, concept), hits) in script.categories().zip(&signals.hits) {
            self.hits.keys().append_value(&*concept.id);
            self.hits.values().append_value(hits.cast_signed());
        }
        // Keys and values are one each.
        let _ = self.hits.append(true);
    }

    fn push_null(&mut self) {
        self.present.append_null();
        self.flags.iter_mut().for_each(BooleanBuilder::append_null);
        self.texts.iter_mut().for_each(StringBuilder::append_null);
        self.counts.iter_mut().for_each(Int32Builder::append_null);
        self.talk_s.append_null();
        self.completion.append_null();
        self.asked.append(false);
        self.reached.append(false);
        let _ = self.hits.append(false);
    }

    fn finish(&mut self) -> ArrayRef {
        let [connected, ended, machine, silent, last_refused, transferred] =
            self.flags.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let [dial_result, answered_by, invite, last_node, hung_up_by] =
            self.texts.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let [customer_turns, content_turns, robot_turns, questions, refusals, refusal_streak, no_input] =
            self.counts.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let columns: Vec<ArrayRef> = vec![
            connected,
            ended,
            dial_result,
            answered_by,
            machine,
            Arc::new(self.talk_s.finish()),
            customer_turns,
            content_turns,
            robot_turns,
            silent,
            questions,
            Arc::new(self.asked.finish()),
            refusals,
            refusal_streak,
            last_refused,
            Arc::new(self.hits.finish()),
            invite,
            Arc::new(self.completion.finish()),
            Arc::new(self.reached.finish()),
            last_node,
            hung_up_by,
            no_input,
            transferred,
        ];
        structs(signal_fields(), columns, self.present.finish())
    }
}

fn structs(fields: Fields, columns: Vec<ArrayRef>, present: Option<NullBuffer>) -> ArrayRef {
    Arc::new(StructArray::new(fields, columns, present))
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
struct Rest {
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
    fn push<'a>(&mut self, head: CallHead<'_>, script: &Script, verdict: &Verdict, rejections: impl IntoIterator<Item = (u32, &'a str)>) {
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

    fn push_null(&mut self, reason: &str) {
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

    fn finish(&mut self) -> [ArrayRef; 10] {
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
