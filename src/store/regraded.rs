//! What jobs found that grade kept calls anew: a result for each call.
//!
//! The results of a page of calls are written together with how far the job has come, so that whoever goes on with it after a crash
//! finds both or neither.

use std::collections::HashSet;

use super::records::{CHUNK, Cursor, places};
use super::regrades::{RegradeCounts, RegradeState, stored};
use super::sql::{Column, Insert, Sql, Value};
use super::{Store, StoreError};

/// What became of a call, in the order of what there is to say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegradedKind {
    /// Nothing changed, or nothing was known of before.
    Same,
    /// Another rule gives the same label.
    Rule,
    /// The label is another.
    Label,
    /// It could not be graded.
    Rejected,
}

impl RegradedKind {
    /// All of them, in the order of their numbers.
    pub const ALL: &[Self] = &[Self::Same, Self::Rule, Self::Label, Self::Rejected];

    fn of(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place)).copied().unwrap_or(Self::Rejected)
    }
}

/// A call's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegradedRow {
    /// Its place among the job's results, from 0.
    pub place: i64,
    /// The call's number.
    pub call: i64,
    /// What became of it.
    pub kind: RegradedKind,
    /// The label it had; `None`: not known.
    pub before_label: Option<String>,
    /// The label it has.
    pub label: String,
    /// All there is to say of it, as who reads it has it.
    pub body: Vec<u8>,
}

/// What goes into one transaction: a page's results, and how far the job has come with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegradedPage {
    /// The results.
    pub rows: Vec<RegradedRow>,
    /// The job's counts with them.
    pub counts: RegradeCounts,
    /// The last call that was read; `None`: as before.
    pub cursor: Option<Cursor>,
    /// What all its results come to.
    pub diff: Vec<u8>,
    /// When it ended, if this is the last page.
    pub done_ms: Option<i64>,
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageKept {
    /// It is kept.
    Kept,
    /// The job does not run any more; nothing was written.
    Stopped,
    /// These calls have been deleted meanwhile; nothing was written.
    Gone(HashSet<i64>),
}

/// Which results to list. What is empty does not filter; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegradedFilter {
    /// Any of these.
    pub kinds: Vec<RegradedKind>,
    /// The label was this.
    pub before_label: Option<String>,
    /// The label is this.
    pub label: Option<String>,
}

const REGRADED: Insert =
    Insert { table: "regraded", columns: &["regrade", "place", "call", "kind", "compared", "before_label", "label", "body"], conflict: "" };

/// Those of some calls that are not there.
fn gone(sql: &mut dyn Sql, calls: &[i64]) -> Result<HashSet<i64>, StoreError> {
    let mut gone: HashSet<i64> = calls.iter().copied().collect();
    let text = format!("SELECT id FROM calls WHERE id IN ({})", places(1));
    for chunk in calls.chunks(CHUNK) {
        let Some(last) = chunk.last() else { continue };
        let values: Vec<Value<'_>> = chunk.iter().chain(std::iter::repeat(last)).take(CHUNK).map(|call| Value::Int(*call)).collect();
        sql.query(&text, &values, &mut |row| {
            gone.remove(&row.value(0).int());
            Ok(true)
        })?;
    }
    Ok(gone)
}

fn columns(regrade: i64, rows: &[RegradedRow]) -> Vec<Column<'_>> {
    vec![
        Column::Int(vec![regrade; rows.len()]),
        Column::Int(rows.iter().map(|row| row.place).collect()),
        Column::Int(rows.iter().map(|row| row.call).collect()),
        Column::Int(rows.iter().map(|row| row.kind as i64).collect()),
        Column::Int(rows.iter().map(|row| row.before_label.is_some().into()).collect()),
        Column::Text(rows.iter().map(|row| row.before_label.as_deref().unwrap_or_default()).collect()),
        Column::Text(rows.iter().map(|row| row.label.as_str()).collect()),
        Column::Bytes(rows.iter().map(|row| row.body.as_slice()).collect()),
    ]
}

impl Store {
    /// Keeps a page's results and how far the job has come with them, all or nothing.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn keep_regraded(&self, regrade: i64, page: &RegradedPage) -> Result<PageKept, StoreError> {
        let calls: Vec<i64> = page.rows.iter().map(|row| row.call).collect();
        let text = "UPDATE regrades SET calls = $2, done = $3, changed = $4, rejected = $5, cursor_began_ms = COALESCE($6, cursor_began_ms), \
                    cursor_call = COALESCE($7, cursor_call), state = $8, ended_ms = $9 WHERE number = $1 AND state = 1";
        let state = if page.done_ms.is_some() { RegradeState::Done } else { RegradeState::Running };
        let values = [
            regrade.into(),
            stored(page.counts.calls),
            stored(page.counts.done),
            stored(page.counts.changed),
            stored(page.counts.rejected),
            page.cursor.map(|cursor| cursor.began_ms).into(),
            page.cursor.map(|cursor| cursor.id).into(),
            state.number().into(),
            page.done_ms.into(),
        ];
        let diff = "INSERT INTO regrade_diffs (regrade, body) VALUES ($1, $2) ON CONFLICT (regrade) DO UPDATE SET body = excluded.body";
        self.write(|sql| {
            let gone = gone(sql, &calls)?;
            if !gone.is_empty() {
                return Ok(PageKept::Gone(gone));
            }
            if sql.run(text, &values)? == 0 {
                return Ok(PageKept::Stopped);
            }
            sql.run(diff, &[regrade.into(), Value::Bytes(&page.diff)])?;
            if !page.rows.is_empty() {
                sql.insert(&[(REGRADED, columns(regrade, &page.rows))])?;
            }
            Ok(PageKept::Kept)
        })
    }

    /// A job's results by filter, in the order of their places, from behind one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn regraded(&self, regrade: i64, filter: &RegradedFilter, after: Option<i64>, most: usize) -> Result<Vec<RegradedRow>, StoreError> {
        let mut text =
            "SELECT place, call, kind, compared, before_label, label, body FROM regraded WHERE regrade = $1 AND place > $2".to_owned();
        let mut values = vec![Value::Int(regrade), Value::Int(after.unwrap_or(-1)), Value::Int(i64::try_from(most).unwrap_or(i64::MAX))];
        if !filter.kinds.is_empty() {
            // In these words the index of what changed is known to hold them all.
            if !filter.kinds.contains(&RegradedKind::Same) {
                text.push_str(" AND kind > 0");
            }
            let kinds: Vec<String> = filter.kinds.iter().map(|kind| (*kind as i64).to_string()).collect();
            text.push_str(&format!(" AND kind IN ({})", kinds.join(", ")));
        }
        if let Some(label) = &filter.before_label {
            values.push(Value::Text(label));
            text.push_str(&format!(" AND compared = 1 AND before_label = ${}", values.len()));
        }
        if let Some(label) = &filter.label {
            values.push(Value::Text(label));
            // What could not be graded has no label, which is not the same as that no rule holds.
            text.push_str(&format!(" AND kind < 3 AND label = ${}", values.len()));
        }
        text.push_str(" ORDER BY place LIMIT $3");
        self.read(|sql| {
            let mut found = Vec::new();
            sql.query(&text, &values, &mut |row| {
                found.push(RegradedRow {
                    place: row.value(0).int(),
                    call: row.value(1).int(),
                    kind: RegradedKind::of(row.value(2).int()),
                    before_label: (row.value(3).int() != 0).then(|| row.value(4).text().to_owned()),
                    label: row.value(5).text().to_owned(),
                    body: row.value(6).bytes().to_vec(),
                });
                Ok(true)
            })?;
            Ok(found)
        })
    }
}
