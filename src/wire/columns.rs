//! Verdicts as Arrow columns: the contract's `Verdict`, field by field under its own names, one row a call.
//!
//! Counts are 32-bit signed, for not every engine has unsigned ones; moments are microseconds in UTC; enums have the names of proto3
//! JSON. A call that was rejected is a row with nothing but `call_id` and, in `error`, why.

mod rest;
mod signals;

use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, BooleanBuilder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};

use self::rest::{Rest, callback_fields, evidence_fields, follow_up_fields, node_fields, rejection_fields};
use self::signals::{SignalColumns, signal_fields};
use super::CallHead;
use crate::core::script::Script;
use crate::core::verdict::Verdict;

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
        self.label.append_value(script.label_id(verdict.label));
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

fn structs(fields: Fields, columns: Vec<ArrayRef>, present: Option<NullBuffer>) -> ArrayRef {
    Arc::new(StructArray::new(fields, columns, present))
}
