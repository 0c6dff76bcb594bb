//! Arrow record batches, as Parquet files and data engines bring them.
//!
//! Two forms, told apart by their columns. **Nested**: a row is a call, its events a list of structs in the column `events`.
//! **Flat**: a row is an event, in the column `kind` what it is; the rows of a call stand together, in the order of `seq` where there
//! is such a column, else as they stand. A call may cross batches.
//!
//! | column | type | |
//! | --- | --- | --- |
//! | `call_id` | text | the only one that there must be, beside `events` or `kind` |
//! | `script_id` | text | |
//! | `started_at` | timestamp of any unit, UTC where it has no zone; or text, RFC 3339 | |
//! | `time_zone` | text | IANA |
//! | `attributes` | map of text to text, or a list of structs of two | |
//! | `label`, `rule_id`, `script_version` | text | the verdict that the call brings along, to compare with |
//! | `events` | list of structs | nested only |
//! | `seq` | whole number | flat only |
//!
//! Of an event (in the struct, or beside `call_id`): `kind`, named as the contract's `CallEvent` names it (`utterance`,
//! `not_connected` …), `at_ms`, and the fields of all kinds under their own names: `speaker`, `text`, `duration_ms`, `node_id`,
//! `played`, `utterance_id`, `interim`, `category`, `keyword`, `result`, `sip_code`, `q850_cause`, `hangup_cause`, `announcement`,
//! `number_state`, `answerer`, `outcome`, `by`, `digits`, `to`. Values of enums in either case, with or without their prefix. A column
//! that is not there, and a null, is the default value; others are ignored. Text may be of any string type, dictionary or binary;
//! numbers of any width, floating ones if they are whole.

use std::fmt;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema};

mod columns;
mod events;
mod flat;

use self::columns::{Moments, Pairs, Texts};
use self::events::EventColumns;
use super::{CallRecord, Limits, Rejection, StoredLabel};

/// How calls stand in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One row a call.
    Nested,
    /// One row an event, those of a call together.
    Flat,
}

/// Why batches of a schema hold no calls that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaError {
    /// There is no such column.
    Missing(&'static str),
    /// There are neither the columns of the one form nor those of the other.
    NoForm,
    /// A column is of a type that it cannot be of.
    Type {
        /// Its name.
        column: String,
        /// The type it has.
        found: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// A column cannot be read: its name, and why.
    Column(String, String),
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "there is no column {name:?}"),
            Self::NoForm => f.write_str("there is neither a column \"events\" (a row a call) nor a column \"kind\" (a row an event)"),
            Self::Type { column, found, wanted } => write!(f, "column {column:?} is {found}; it should be {wanted}"),
            Self::Column(column, reason) => write!(f, "column {column:?}: {reason}"),
        }
    }
}

impl std::error::Error for SchemaError {}

/// What the rows of a call gave.
pub type Read = Result<CallRecord, Rejection>;

/// Reads calls from batches of one schema, in their order.
#[derive(Debug)]
pub struct ArrowCalls {
    form: Form,
    limits: Limits,
    /// Rows of the batches before.
    rows: u64,
    /// Flat: the call whose rows may go on.
    open: Option<flat::OpenCall>,
}

impl ArrowCalls {
    /// For batches of this schema.
    ///
    /// # Errors
    /// It has not the columns of either form, or one of a wrong type.
    pub fn new(schema: &Schema, limits: Limits) -> Result<Self, SchemaError> {
        let form = form(schema)?;
        let calls = Self { form, limits, rows: 0, open: None };
        // An empty batch shows what is wrong with the types before any row does.
        Columns::of(&RecordBatch::new_empty(schema.clone().into()), form)?;
        Ok(calls)
    }

    /// How calls stand in the rows.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Reads a batch; `give` gets each call with the number of its (first) row, from 1.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn read(&mut self, batch: &RecordBatch, give: &mut dyn FnMut(u64, Read)) -> Result<(), SchemaError> {
        let columns = Columns::of(batch, self.form)?;
        match &columns.events {
            Events::Nested(_, _, _) => {
                for row in 0..batch.num_rows() {
                    give(self.rows + row as u64 + 1, columns.call(row, &self.limits));
                }
            }
            Events::Flat(events, seqs) => {
                for row in 0..batch.num_rows() {
                    self.flat_row(&columns, events, seqs.as_ref(), row, give);
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Counts rows that are not read.
    pub fn pass(&mut self, rows: u64) {
        self.rows += rows;
    }

    /// Flat: the id of the call whose rows may go on.
    #[must_use]
    pub fn open_call(&self) -> Option<&str> {
        self.open.as_ref().map(flat::OpenCall::call_id)
    }

    /// There are no more batches: gives the call that was open.
    pub fn finish(&mut self, give: &mut dyn FnMut(u64, Read)) {
        if let Some(open) = self.open.take() {
            give(open.row, open.close(&self.limits));
        }
    }
}

/// Which form a schema is of.
///
/// # Errors
/// Of neither.
pub fn form(schema: &Schema) -> Result<Form, SchemaError> {
    let has = |name: &str| schema.column_with_name(name).is_some();
    match (has("call_id"), has("events"), has("kind")) {
        (false, _, _) => Err(SchemaError::Missing("call_id")),
        (true, true, _) => Ok(Form::Nested),
        (true, false, true) => Ok(Form::Flat),
        (true, false, false) => Err(SchemaError::NoForm),
    }
}

/// Whether a leaf column is read, by the path to it: a reader of files need decode no others.
#[must_use]
pub fn reads(form: Form, path: &[String]) -> bool {
    const HEAD: [&str; 9] = ["call_id", "script_id", "started_at", "time_zone", "attributes", "label", "rule_id", "script_version", "seq"];
    let Some((root, inner)) = path.split_first() else { return false };
    let event = |name: &String| events::NAMES.contains(&name.as_str());
    match form {
        Form::Nested if root == "events" => inner.iter().any(event),
        Form::Nested => HEAD.contains(&root.as_str()),
        Form::Flat => HEAD.contains(&root.as_str()) || event(root),
    }
}

/// Whether a leaf column may be left out where it holds nothing but nulls: one of an event's fields, for its kind says that there is one.
#[must_use]
pub fn may_be_left_out(form: Form, path: &[String]) -> bool {
    let field = |name: &String| events::NAMES.contains(&name.as_str()) && name != "kind";
    match (form, path.split_first()) {
        (Form::Nested, Some((root, inner))) if root == "events" => inner.iter().any(field),
        (Form::Flat, Some((root, []))) => field(root),
        _ => false,
    }
}

/// A batch's columns, found.
struct Columns {
    call_id: Option<Texts>,
    script_id: Option<Texts>,
    started_at: Option<Moments>,
    time_zone: Option<Texts>,
    attributes: Option<Pairs>,
    label: Option<Texts>,
    rule_id: Option<Texts>,
    script_version: Option<Texts>,
    events: Events,
}

enum Events {
    /// The lists, their items, and which of these are null.
    Nested(arrow_array::ListArray, EventColumns, Option<arrow_buffer::NullBuffer>),
    Flat(EventColumns, Option<columns::Numbers>),
}

impl Columns {
    fn of(batch: &RecordBatch, form: Form) -> Result<Self, SchemaError> {
        let column = |name: &str| batch.column_by_name(name);
        let texts = |name: &str| column(name).map_or(Ok(None), |found| Texts::of(found, name));
        let events = match (form, column("events")) {
            (Form::Nested, Some(events)) if *events.data_type() != DataType::Null => {
                let (lists, items) = columns::structs(events, "events")?;
                let nulls = items.nulls().cloned();
                Events::Nested(lists, EventColumns::of(|name| items.column_by_name(name), "events.")?, nulls)
            }
            // A column of nothing but nulls: calls without events.
            (Form::Nested, _) => {
                let none = arrow_array::new_null_array(&DataType::new_list(DataType::Null, true), batch.num_rows());
                Events::Nested(columns::lists(&none, "events")?, EventColumns::default(), None)
            }
            (Form::Flat, _) => {
                let seqs = column("seq").map_or(Ok(None), |found| columns::Numbers::of(found, "seq"))?;
                Events::Flat(EventColumns::of(column, "")?, seqs)
            }
        };
        Ok(Self {
            call_id: texts("call_id")?,
            script_id: texts("script_id")?,
            started_at: column("started_at").map_or(Ok(None), |found| Moments::of(found, "started_at"))?,
            time_zone: texts("time_zone")?,
            attributes: column("attributes").map_or(Ok(None), |found| Pairs::of(found, "attributes"))?,
            label: texts("label")?,
            rule_id: texts("rule_id")?,
            script_version: texts("script_version")?,
            events,
        })
    }

    /// The id of the call that a row is of or belongs to; empty: it has none.
    fn call_id(&self, row: usize) -> Result<&str, String> {
        Ok(self.call_id.as_ref().map_or(Ok(None), |ids| ids.get(row))?.unwrap_or_default())
    }

    /// A call without its events. What is wrong with the head decides no label: it is told, and the call graded all the same.
    fn head(&self, row: usize) -> Read {
        let unreadable = |call_id: &str, reason: String| Rejection { call_id: call_id.to_owned(), seq: 0, reason };
        let call_id = self.call_id(row).map_err(|reason| unreadable("", format!("call_id: {reason}")))?;
        if call_id.is_empty() {
            return Err(unreadable("", "the call has no call_id".to_owned()));
        }
        let text = |column: &Option<Texts>| -> Result<String, String> {
            Ok(column.as_ref().map_or(Ok(None), |column| column.get(row))?.unwrap_or_default().to_owned())
        };
        let script_id = text(&self.script_id).map_err(|reason| unreadable(call_id, format!("script_id: {reason}")))?;
        let mut record = CallRecord { call_id: call_id.to_owned(), script_id, ..CallRecord::default() };
        let mut notices = Vec::new();
        let mut tell = |name: &str, reason: String| notices.push(format!("{name}: {reason}; ignored"));
        match self.started_at.as_ref().map_or(Ok(None), |moments| moments.get(row)) {
            Ok(at) => record.started_at = at,
            Err(reason) => tell("started_at", reason),
        }
        match text(&self.time_zone) {
            Ok(zone) => record.time_zone = zone,
            Err(reason) => tell("time_zone", reason),
        }
        match self.attributes.as_ref().map_or(Ok(Default::default()), |pairs| pairs.get(row)) {
            Ok(attributes) => record.attributes = attributes,
            Err(reason) => tell("attributes", reason),
        }
        record.notices = notices;
        record.stored = self.stored(row).map(Box::new);
        Ok(record)
    }

    /// The verdict that a row brings along.
    fn stored(&self, row: usize) -> Option<StoredLabel> {
        let text = |column: &Option<Texts>| column.as_ref().and_then(|column| column.get(row).ok().flatten().map(str::to_owned));
        let label = text(&self.label)?;
        let (rule_id, script_version) = (text(&self.rule_id).unwrap_or_default(), text(&self.script_version).unwrap_or_default());
        Some(StoredLabel { label, rule_id, script_version })
    }

    /// A row that is a call.
    fn call(&self, row: usize, limits: &Limits) -> Read {
        let mut record = self.head(row)?;
        let Events::Nested(lists, events, nulls) = &self.events else { return Ok(record) };
        let places = columns::places(lists, row);
        record.events.reserve(places.len().min(limits.call_events));
        for (seq, place) in (1..).zip(places) {
            let event = if nulls.as_ref().is_some_and(|nulls| nulls.is_null(place)) {
                Err("an event that is null".to_owned())
            } else {
                events.event(place)
            };
            record.offer(seq, event, limits);
        }
        Ok(record)
    }
}

/// Where in a flat batch the call ends that its first row continues: the first row with another id than `call_id`.
///
/// # Errors
/// The column of ids cannot be read.
pub fn first_other(batch: &RecordBatch, call_id: &str) -> Result<Option<usize>, SchemaError> {
    let Some(ids) = ids(batch)? else { return Ok(None) };
    Ok((0..batch.num_rows()).find(|row| ids.get(*row).ok().flatten().unwrap_or_default() != call_id))
}

/// The id in the last row of a batch.
///
/// # Errors
/// The column of ids cannot be read.
pub fn last_id(batch: &RecordBatch) -> Result<Option<String>, SchemaError> {
    let (Some(ids), Some(last)) = (ids(batch)?, batch.num_rows().checked_sub(1)) else { return Ok(None) };
    Ok(Some(ids.get(last).ok().flatten().unwrap_or_default().to_owned()))
}

fn ids(batch: &RecordBatch) -> Result<Option<Texts>, SchemaError> {
    let column: &ArrayRef = batch.column_by_name("call_id").ok_or(SchemaError::Missing("call_id"))?;
    Texts::of(column, "call_id")
}
