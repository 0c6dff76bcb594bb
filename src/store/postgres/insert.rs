//! Many rows into many tables by one statement.

use postgres::types::ToSql;

use crate::store::sql::{Column, Insert};

/// What inserts into all tables: one statement, and one answer to wait for, whatever their number.
pub(super) fn all<'rows>(tables: &'rows [(Insert, Vec<Column<'_>>)]) -> Option<(String, Vec<&'rows (dyn ToSql + Sync)>)> {
    let (last, before) = tables.split_last()?;
    let mut next = 1;
    let before: Vec<String> = before.iter().map(|table| format!("in_{} AS ({})", table.0.table, one(table, &mut next))).collect();
    let with = if before.is_empty() { String::new() } else { format!("WITH {} ", before.join(", ")) };
    let values = tables.iter().flat_map(|(_, columns)| columns).map(|column| match column {
        Column::Int(values) => values as &(dyn ToSql + Sync),
        Column::OptionalInt(values) => values,
        Column::Text(values) => values,
        Column::Bytes(values) => values,
    });
    Some((with + &one(last, &mut next), values.collect()))
}

/// What inserts into a table, its columns as arrays; `next` is the number of the next parameter.
fn one((into, columns): &(Insert, Vec<Column<'_>>), next: &mut usize) -> String {
    let places: Vec<String> = (*next..)
        .zip(columns)
        .map(|(place, column)| match column {
            Column::Int(_) | Column::OptionalInt(_) => format!("${place}::bigint[]"),
            Column::Text(_) => format!("${place}::text[]"),
            Column::Bytes(_) => format!("${place}::bytea[]"),
        })
        .collect();
    *next += columns.len();
    let Insert { table, columns, conflict } = into;
    format!("INSERT INTO {table} ({}) SELECT * FROM unnest({}) {conflict}", columns.join(", "), places.join(", "))
}
