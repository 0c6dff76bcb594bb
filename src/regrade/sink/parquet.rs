//! Verdicts as Parquet: threads encode whole row groups, which are then appended to a file as they are.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, StringBuilder};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;

use super::{Shape, Was, io_error, label_now};
use crate::regrade::grading::Regraded;
use crate::wire::CallHead;
use crate::wire::columns::{VerdictColumns, schema};

/// The encoded columns of a row group.
pub(super) type Columns = Vec<ArrowColumnChunk>;

/// What makes row groups of one schema.
#[derive(Debug)]
pub struct Groups {
    shape: Shape,
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
}

fn properties() -> WriterProperties {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("callgrade ", env!("CARGO_PKG_VERSION")).to_owned())
        .build()
}

impl Groups {
    pub(super) fn new(shape: Shape) -> io::Result<Self> {
        let mut fields: Vec<Arc<Field>> = schema(shape.extent).fields().iter().cloned().collect();
        if shape.compared {
            let text = ["before_label", "before_rule_id", "before_script_version"];
            fields.extend(text.map(|name| Arc::new(Field::new(name, DataType::Utf8, true))));
            fields.push(Arc::new(Field::new("changed", DataType::Boolean, true)));
        }
        let schema = Arc::new(Schema::new(fields));
        let writer = ArrowWriter::try_new(io::sink(), Arc::clone(&schema), Some(properties())).map_err(io_error)?;
        let (_, factory) = writer.into_serialized_writer().map_err(io_error)?;
        Ok(Self { shape, schema, factory })
    }

    pub(super) fn create(&self, file: File) -> io::Result<PartFile> {
        let writer = ArrowWriter::try_new(file, Arc::clone(&self.schema), Some(properties())).map_err(io_error)?;
        let (writer, _) = writer.into_serialized_writer().map_err(io_error)?;
        Ok(PartFile { writer })
    }

    /// Copies the row groups of files as they are.
    pub(super) fn join(&self, parts: &[PathBuf], to: &Path) -> io::Result<()> {
        let mut out = self.create(File::create(to)?)?;
        for part in parts {
            let file = File::open(part)?;
            let metadata = Arc::new(SerializedFileReader::new(file.try_clone()?).map_err(io_error)?.metadata().clone());
            for group in metadata.row_groups() {
                let mut row_group = out.writer.next_row_group().map_err(io_error)?;
                for column in group.columns() {
                    let (_, bytes) = column.byte_range();
                    let close = ColumnCloseResult {
                        bytes_written: bytes,
                        rows_written: u64::try_from(group.num_rows()).unwrap_or(0),
                        metadata: column.clone(),
                        bloom_filter: None,
                        column_index: None,
                        offset_index: None,
                    };
                    row_group.append_column(&file, close).map_err(io_error)?;
                }
                row_group.close().map_err(io_error)?;
            }
        }
        out.close()
    }
}

/// A file being written.
pub struct PartFile {
    writer: SerializedFileWriter<File>,
}

impl PartFile {
    pub(super) fn append(&mut self, columns: Columns) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(io_error)?;
        for column in columns {
            column.append_to_row_group(&mut group).map_err(io_error)?;
        }
        group.close().map_err(io_error)?;
        Ok(())
    }

    pub(super) fn close(self) -> io::Result<()> {
        self.writer.into_inner().map_err(io_error)?.sync_all()
    }
}

/// Rows being put into columns.
#[derive(Debug)]
pub struct ParquetEncoder {
    groups: Arc<Groups>,
    verdicts: VerdictColumns,
    was: [StringBuilder; 3],
    changed: BooleanBuilder,
}

impl ParquetEncoder {
    pub(super) fn new(groups: Arc<Groups>) -> Self {
        let verdicts = VerdictColumns::new(groups.shape.extent);
        Self { groups, verdicts, was: std::array::from_fn(|_| StringBuilder::new()), changed: BooleanBuilder::new() }
    }

    pub(super) fn rows(&self) -> usize {
        self.verdicts.len()
    }

    pub(super) fn push(&mut self, call: &Regraded) {
        let head = CallHead { call_id: &call.call_id, revision: 1, notices: &call.notices };
        let rejections = call.rejections.iter().map(|rejection| (rejection.seq, rejection.reason.as_str()));
        self.verdicts.push(head, &call.after.script, &call.after.verdict, rejections);
        if self.groups.shape.compared {
            let was = Was::of(&call.before);
            let texts = was.map(|was| [was.label, was.rule_id, was.script_version]);
            for (place, column) in self.was.iter_mut().enumerate() {
                column.append_option(texts.and_then(|texts| texts.get(place).copied()));
            }
            self.changed.append_option(was.map(|was| was.label != label_now(call)));
        }
    }

    pub(super) fn take(&mut self) -> io::Result<Columns> {
        let mut columns: Vec<ArrayRef> = self.verdicts.finish_columns();
        if self.groups.shape.compared {
            columns.extend(self.was.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
            columns.push(Arc::new(self.changed.finish()));
        }
        let mut writers = self.groups.factory.create_column_writers(0).map_err(io_error)?.into_iter();
        let mut chunks = Vec::new();
        for (field, column) in self.groups.schema.fields().iter().zip(&columns) {
            for leaf in compute_leaves(field, column).map_err(io_error)? {
                let mut writer = writers.next().ok_or_else(|| io_error("more columns than the schema has"))?;
                writer.write(&leaf).map_err(io_error)?;
                chunks.push(writer.close().map_err(io_error)?);
            }
        }
        Ok(chunks)
    }
}
