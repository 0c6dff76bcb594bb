//! Parquet files: a piece is a row group.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;

use super::SourceError;
use crate::ingest::arrow::{ArrowCalls, Form, first_other, last_id, may_be_left_out, reads};
use crate::ingest::guard::decoded;
use crate::ingest::recorded::{Given, Reading};

/// Rows decoded at a time.
const BATCH: usize = 1_024;
/// Rows that cannot be decoded before the rest of a row group is given up: what a damaged page costs is bounded.
const MOST_BROKEN: usize = 100;

/// A Parquet file of calls.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    form: Form,
    /// Only the call's id.
    ids: ProjectionMask,
}

impl Table {
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let failed = |reason: String| SourceError::Parquet(path.to_owned(), reason);
        let file = File::open(path).map_err(|error| SourceError::Path(path.to_owned(), error))?;
        let metadata = decoded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(failed)?;
        // Also tells what is wrong with the columns, before anything is graded.
        let form = ArrowCalls::new(metadata.schema(), crate::ingest::Limits::default()).map_err(|error| failed(error.to_string()))?.form();
        let ids = leaves(metadata.parquet_schema(), |_, path| path == ["call_id"]);
        Ok(Self { path: path.to_owned(), form, ids, metadata })
    }

    /// A row group of it; `None` behind the last.
    pub(super) fn group(self: Arc<Self>, group: usize) -> Option<Group> {
        (group < self.metadata.metadata().num_row_groups()).then_some(Group { table: self, group })
    }

    fn rows(&self, group: usize) -> usize {
        self.metadata.metadata().row_groups().get(group).map_or(0, |group| usize::try_from(group.num_rows()).unwrap_or(0))
    }

    /// The columns of a row group that are read. Most kinds of events are rare and most of their fields null: what by the statistics holds
    /// nothing need not be decoded, for a column that is not there holds nothing either.
    fn columns(&self, group: usize) -> ProjectionMask {
        let group = self.metadata.metadata().row_groups().get(group);
        let is_empty = |place: usize| group.and_then(|group| group.columns().get(place)).is_some_and(is_empty);
        leaves(self.metadata.parquet_schema(), |place, path| {
            reads(self.form, path) && !(may_be_left_out(self.form, path) && is_empty(place))
        })
    }

    /// Reads some rows of a row group, or all of them.
    fn batches(
        &self,
        group: usize,
        columns: &ProjectionMask,
        rows: Option<Range<usize>>,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        // Opened anew: threads that share a file share its place.
        let file = File::open(&self.path)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(columns.clone())
            .with_batch_size(BATCH);
        match rows {
            None => builder.build(),
            Some(rows) => {
                let selected = vec![RowSelector::skip(rows.start), RowSelector::select(rows.len())];
                builder.with_row_selection(RowSelection::from(selected)).build()
            }
        }
    }
}

/// The leaf columns that are wanted, by their place and path.
fn leaves(schema: &SchemaDescriptor, wanted: impl Fn(usize, &[String]) -> bool) -> ProjectionMask {
    let columns = schema.columns().iter().enumerate();
    ProjectionMask::leaves(schema, columns.filter(|(place, column)| wanted(*place, column.path().parts())).map(|(place, _)| place))
}

/// Whether the statistics say that a column holds nothing but nulls.
fn is_empty(column: &ColumnChunkMetaData) -> bool {
    let nulls = column.statistics().and_then(Statistics::null_count_opt);
    nulls.is_some_and(|nulls| u64::try_from(column.num_values()) == Ok(nulls))
}

/// A row group of a file.
#[derive(Debug)]
pub(super) struct Group {
    table: Arc<Table>,
    group: usize,
}

impl Group {
    /// Its bytes in the file.
    pub(super) fn weight(&self) -> u64 {
        let groups = self.table.metadata.metadata().row_groups();
        groups.get(self.group).map_or(0, |group| u64::try_from(group.compressed_size()).unwrap_or(0))
    }

    /// Reads its calls. A call of the flat form belongs to the row group in which it begins.
    pub(super) fn read(&self, reading: &Reading, give: &mut dyn FnMut(Given)) {
        let first: usize = (0..self.group).map(|group| self.table.rows(group)).sum();
        // Not told of each row.
        if let Err(error) = File::open(&self.table.path) {
            return give(Given::fault(first + 1, format!("row group {}: {error}", self.group)));
        }
        match Rows::new(&self.table, reading, first, give) {
            Ok(mut rows) => match self.table.form {
                Form::Nested => {
                    rows.all(self.group);
                    rows.finish();
                }
                Form::Flat => {
                    if let Err(reason) = rows.own(self.group) {
                        (rows.give)(Given::fault(first + 1, format!("row group {}: {reason}", self.group)));
                    }
                }
            },
            Err(reason) => give(Given::fault(first + 1, format!("row group {}: {reason}", self.group))),
        }
    }
}

/// The rows of a row group on their way to calls.
struct Rows<'a> {
    table: &'a Table,
    reading: &'a Reading,
    calls: ArrowCalls,
    give: &'a mut dyn FnMut(Given),
    broken: usize,
}

impl<'a> Rows<'a> {
    /// `first`: rows of the file before.
    fn new(table: &'a Table, reading: &'a Reading, first: usize, give: &'a mut dyn FnMut(Given)) -> Result<Self, String> {
        let mut calls = ArrowCalls::new(table.metadata.schema(), reading.limits).map_err(|error| error.to_string())?;
        calls.pass(first as u64);
        Ok(Self { table, reading, calls, give, broken: 0 })
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let Self { reading, calls, give, .. } = self;
        let outcome = calls.read(batch, &mut |row, call| give(reading.given(row as usize, call)));
        outcome.map_err(|error| error.to_string())
    }

    fn finish(&mut self) {
        let Self { reading, calls, give, .. } = self;
        calls.finish(&mut |row, call| give(reading.given(row as usize, call)));
    }

    /// Takes all rows of a row group.
    fn all(&mut self, group: usize) {
        let rows = self.table.rows(group);
        self.range(group, 0..rows, true);
    }

    /// Takes some rows; where one cannot be decoded, all but that one.
    fn range(&mut self, group: usize, rows: Range<usize>, whole: bool) {
        let mut at = rows.start;
        let outcome = (|| {
            let mut batches = decoded(|| self.table.batches(group, &self.table.columns(group), (!whole).then(|| rows.clone())))?;
            while let Some(batch) = decoded(|| batches.next().transpose())? {
                self.take(&batch)?;
                at += batch.num_rows();
            }
            Ok::<(), String>(())
        })();
        // A file may hold fewer rows than it says.
        let Err(reason) = outcome else { return };
        let left = at..rows.end;
        if left.len() <= 1 || self.broken >= MOST_BROKEN {
            self.broken += 1;
            let row = usize::try_from(self.calls.rows()).unwrap_or(usize::MAX).saturating_add(1);
            let lost = if left.len() > 1 { format!("this and {} rows behind it: {reason}", left.len() - 1) } else { reason };
            (self.give)(Given::fault(row, lost));
            self.calls.pass(left.len() as u64);
            return;
        }
        let half = left.start + left.len().min(BATCH) / 2;
        self.range(group, left.start..half.max(left.start + 1), false);
        self.range(group, half.max(left.start + 1)..left.end, false);
    }

    /// Takes the calls that begin in a row group of the flat form, with those of their rows that lie beyond it.
    fn own(&mut self, group: usize) -> Result<(), String> {
        let before = match group.checked_sub(1) {
            Some(before) => self.last_id(before)?,
            None => None,
        };
        let rows = self.table.rows(group);
        let from = match before.filter(|id| !id.is_empty()) {
            Some(id) => self.boundary(group, &id)?,
            None => 0,
        };
        if from >= rows {
            return Ok(());
        }
        self.calls.pass(from as u64);
        self.range(group, from..rows, from == 0);
        let mut next = group + 1;
        while let Some(id) = self.calls.open_call().map(str::to_owned).filter(|id| !id.is_empty()) {
            if next >= self.table.metadata.metadata().num_row_groups() {
                break;
            }
            let end = self.boundary(next, &id)?;
            if end > 0 {
                self.range(next, 0..end, false);
            }
            if end < self.table.rows(next) {
                break;
            }
            next += 1;
        }
        self.finish();
        Ok(())
    }

    /// The first row of a row group that is of another call.
    fn boundary(&self, group: usize, call_id: &str) -> Result<usize, String> {
        let mut at = 0;
        let mut batches = decoded(|| self.table.batches(group, &self.table.ids, None))?;
        while let Some(batch) = decoded(|| batches.next().transpose())? {
            if let Some(other) = first_other(&batch, call_id).map_err(|error| error.to_string())? {
                return Ok(at + other);
            }
            at += batch.num_rows();
        }
        Ok(at)
    }

    /// The id in the last row of a row group.
    fn last_id(&self, group: usize) -> Result<Option<String>, String> {
        let rows = self.table.rows(group);
        let Some(last) = rows.checked_sub(1) else { return Ok(None) };
        let mut batches = decoded(|| self.table.batches(group, &self.table.ids, Some(last..rows)))?;
        match decoded(|| batches.next().transpose())? {
            Some(batch) => last_id(&batch).map_err(|error| error.to_string()),
            None => Ok(None),
        }
    }
}
