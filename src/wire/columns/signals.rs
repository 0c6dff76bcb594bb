//! The columns of signals.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int32Builder, MapBuilder, MapFieldNames, StringBuilder};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::{DataType, Field, Fields};

use super::{Texts, field, list, push_texts, structs};
use crate::core::script::Script;
use crate::core::verdict::Verdict;

fn hits_type() -> DataType {
    let entries = Fields::from(vec![Field::new("key", DataType::Utf8, false), field("value", DataType::Int32)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

pub(super) fn signal_fields() -> Fields {
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

/// The columns of signals.
#[derive(Debug)]
pub(super) struct SignalColumns {
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
    pub(super) fn push(&mut self, script: &Script, verdict: &Verdict) {
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

    pub(super) fn push_null(&mut self) {
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

    pub(super) fn finish(&mut self) -> ArrayRef {
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
