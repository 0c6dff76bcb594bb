//! What any reader of the file has to do: the columns that re-grading reads, decoded to record batches and dropped.

use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use callgrade::ingest::arrow::{form, reads};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use crate::common::time;

/// Rows of a batch, as re-grading reads them.
const BATCH: usize = 1_024;

/// Decodes a file with so many threads, each taking the next row group; seconds.
pub fn decode(path: &Path, threads: usize) -> f64 {
    let took = time(|| {
        let file = File::open(path).expect("the file");
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).expect("its metadata");
        let form = form(metadata.schema()).expect("calls");
        let schema = metadata.parquet_schema();
        let leaves = schema.columns().iter().enumerate().filter(|(_, column)| reads(form, column.path().parts()));
        let columns = ProjectionMask::leaves(schema, leaves.map(|(place, _)| place));
        let (groups, next) = (metadata.metadata().num_row_groups(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let groups = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|group| *group < groups);
                    for group in groups {
                        let file = File::open(path).expect("the file");
                        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
                            .with_row_groups(vec![group])
                            .with_projection(columns.clone())
                            .with_batch_size(BATCH)
                            .build();
                        for batch in batches.expect("its batches") {
                            black_box(batch.expect("rows"));
                        }
                    }
                });
            }
        });
    });
    took.as_secs_f64()
}
