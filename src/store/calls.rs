//! The rows of calls, written in groups: one transaction for the events of many calls.

mod rows;

use std::collections::{HashMap, HashSet};

pub use self::rows::{CallRow, EventKind, EventRow, PushRow, StandingRow, VerdictRow};

use super::audit::{self, AuditRow};
use super::sql::{Column, Insert, Sql};
use super::{Store, StoreError};

/// What goes into one transaction.
#[derive(Debug, Default)]
pub struct Group {
    /// Calls that begin.
    pub calls: Vec<CallRow>,
    /// Events, of any calls.
    pub events: Vec<EventRow>,
    /// Where calls stand; of a call's the last counts.
    pub standings: Vec<StandingRow>,
    /// Final verdicts.
    pub verdicts: Vec<VerdictRow>,
    /// Keyed hashes of masked numbers: call, hash.
    pub numbers: Vec<(i64, [u8; 16])>,
    /// Verdicts to be pushed.
    pub pushes: Vec<PushRow>,
}

const CALLS: Insert = Insert {
    table: "calls",
    columns: &[
        "id",
        "tenant",
        "call_id",
        "script_id",
        "script_version",
        "started_s",
        "started_nanos",
        "time_zone",
        "began_ms",
        "received_ms",
    ],
    conflict: "",
};
const EVENTS: Insert =
    Insert { table: "events", columns: &["call", "seq", "kind", "received_ms", "body"], conflict: "ON CONFLICT (call, seq) DO NOTHING" };
const STANDINGS: Insert = Insert {
    table: "standings",
    columns: &["call", "label", "rule", "revision", "ended_by", "ended_ms"],
    conflict: "ON CONFLICT (call) DO UPDATE SET label = excluded.label, rule = excluded.rule, revision = excluded.revision, \
               ended_by = excluded.ended_by, ended_ms = COALESCE(standings.ended_ms, excluded.ended_ms)",
};
const VERDICTS: Insert = Insert { table: "verdicts", columns: &["call", "revision", "made_ms", "body"], conflict: "" };
const ATTRIBUTES: Insert =
    Insert { table: "attributes", columns: &["call", "name", "value"], conflict: "ON CONFLICT (call, name) DO NOTHING" };
const NUMBERS: Insert =
    Insert { table: "numbers", columns: &["call", "fingerprint"], conflict: "ON CONFLICT (call, fingerprint) DO NOTHING" };
const PUSHES: Insert = Insert {
    table: "pushes",
    columns: &["tenant", "call", "call_id", "event_id", "made_ms", "due_ms", "tries", "state", "error", "body"],
    conflict: "",
};

impl Group {
    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len() + self.events.len() + self.standings.len() + self.verdicts.len() + self.numbers.len() + self.pushes.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes another's rows over, which leaves it empty but with its room.
    pub fn append(&mut self, other: &mut Self) {
        self.calls.append(&mut other.calls);
        self.events.append(&mut other.events);
        self.standings.append(&mut other.standings);
        self.verdicts.append(&mut other.verdicts);
        self.numbers.append(&mut other.numbers);
        self.pushes.append(&mut other.pushes);
    }

    /// Drops its rows and keeps its room.
    pub fn clear(&mut self) {
        self.calls.clear();
        self.events.clear();
        self.standings.clear();
        self.verdicts.clear();
        self.numbers.clear();
        self.pushes.clear();
    }

    /// The numbers of the calls it is about, and of each its events here.
    #[must_use]
    pub fn events_by_call(&self) -> HashMap<i64, Vec<u32>> {
        let calls = self.calls.iter().map(|row| row.id).chain(self.standings.iter().map(|row| row.call));
        let mut numbers: HashMap<i64, Vec<u32>> = calls.map(|call| (call, Vec::new())).collect();
        self.events.iter().for_each(|row| numbers.entry(row.call).or_default().push(row.seq));
        numbers
    }

    /// Puts rows into the order of their keys, so that neighbours are written to the same page.
    fn sort(&mut self) {
        self.events.sort_unstable_by_key(|row| (row.call, row.seq));
        let mut seen = HashSet::with_capacity(self.standings.len());
        self.standings.reverse();
        self.standings.retain(|row| seen.insert(row.call));
        self.standings.sort_unstable_by_key(|row| row.call);
    }

    /// Its rows by table, and in them by column; `again` where some of them may be there already.
    fn tables(&self, again: bool) -> Vec<(Insert, Vec<Column<'_>>)> {
        let once = |insert: Insert| if again { insert } else { Insert { conflict: "", ..insert } };
        let mut tables = Vec::new();
        if !self.calls.is_empty() {
            let rows = &self.calls;
            let columns = vec![
                Column::Int(rows.iter().map(|row| row.id).collect()),
                Column::Text(rows.iter().map(|row| &*row.tenant).collect()),
                Column::Text(rows.iter().map(|row| &*row.call_id).collect()),
                Column::Text(rows.iter().map(|row| &*row.script_id).collect()),
                Column::Text(rows.iter().map(|row| &*row.script_version).collect()),
                Column::OptionalInt(rows.iter().map(|row| row.started.map(|(seconds, _)| seconds)).collect()),
                Column::OptionalInt(rows.iter().map(|row| row.started.map(|(_, nanos)| nanos.into())).collect()),
                Column::Text(rows.iter().map(|row| &*row.time_zone).collect()),
                Column::Int(rows.iter().map(|row| row.began_ms).collect()),
                Column::Int(rows.iter().map(|row| row.received_ms).collect()),
            ];
            tables.push((CALLS, columns));
            let told: Vec<(i64, &(String, String))> =
                rows.iter().flat_map(|row| row.attributes.iter().map(|attribute| (row.id, attribute))).collect();
            if !told.is_empty() {
                let columns = vec![
                    Column::Int(told.iter().map(|(call, _)| *call).collect()),
                    Column::Text(told.iter().map(|(_, (name, _))| name.as_str()).collect()),
                    Column::Text(told.iter().map(|(_, (_, value))| value.as_str()).collect()),
                ];
                tables.push((once(ATTRIBUTES), columns));
            }
        }
        if !self.events.is_empty() {
            let rows = &self.events;
            let columns = vec![
                Column::Int(rows.iter().map(|row| row.call).collect()),
                Column::Int(rows.iter().map(|row| row.seq.into()).collect()),
                Column::Int(rows.iter().map(|row| row.kind.number()).collect()),
                Column::Int(rows.iter().map(|row| row.received_ms).collect()),
                Column::Bytes(rows.iter().map(|row| &*row.body).collect()),
            ];
            tables.push((once(EVENTS), columns));
        }
        if !self.standings.is_empty() {
            let rows = &self.standings;
            let columns = vec![
                Column::Int(rows.iter().map(|row| row.call).collect()),
                Column::Text(rows.iter().map(|row| &*row.label).collect()),
                Column::Text(rows.iter().map(|row| &*row.rule).collect()),
                Column::Int(rows.iter().map(|row| row.revision.into()).collect()),
                Column::Text(rows.iter().map(|row| &*row.ended_by).collect()),
                Column::OptionalInt(rows.iter().map(|row| row.ended_ms).collect()),
            ];
            tables.push((STANDINGS, columns));
        }
        if !self.verdicts.is_empty() {
            let rows = &self.verdicts;
            let columns = vec![
                Column::Int(rows.iter().map(|row| row.call).collect()),
                Column::Int(rows.iter().map(|row| row.revision.into()).collect()),
                Column::Int(rows.iter().map(|row| row.made_ms).collect()),
                Column::Bytes(rows.iter().map(|row| &*row.body).collect()),
            ];
            tables.push((VERDICTS, columns));
        }
        if !self.numbers.is_empty() {
            let columns = vec![
                Column::Int(self.numbers.iter().map(|(call, _)| *call).collect()),
                Column::Bytes(self.numbers.iter().map(|(_, fingerprint)| &fingerprint[..]).collect()),
            ];
            tables.push((NUMBERS, columns));
        }
        if !self.pushes.is_empty() {
            let rows = &self.pushes;
            let zeros = vec![0; rows.len()];
            let columns = vec![
                Column::Text(rows.iter().map(|row| &*row.tenant).collect()),
                Column::Int(rows.iter().map(|row| row.call).collect()),
                Column::Text(rows.iter().map(|row| &*row.call_id).collect()),
                Column::Text(rows.iter().map(|row| &*row.event_id).collect()),
                Column::Int(rows.iter().map(|row| row.made_ms).collect()),
                Column::Int(rows.iter().map(|row| row.made_ms).collect()),
                Column::Int(zeros.clone()),
                Column::Int(zeros),
                Column::Text(vec![""; rows.len()]),
                Column::Bytes(rows.iter().map(|row| &*row.body).collect()),
            ];
            tables.push((PUSHES, columns));
        }
        tables
    }
}

/// The tables that hold what is kept of a call, and the column that names it.
const OF_A_CALL: &[(&str, &str)] = &[
    ("events", "call"),
    ("verdicts", "call"),
    ("attributes", "call"),
    ("numbers", "call"),
    ("pushes", "call"),
    ("regraded", "call"),
    ("standings", "call"),
    ("calls", "id"),
];

impl Store {
    /// Writes a group in one durable transaction.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write); and a text holds a NUL character, which PostgreSQL keeps in none: see
    /// [`CallRow::keepable`].
    pub fn commit(&self, group: &mut Group) -> Result<(), StoreError> {
        if !group.calls.iter().all(CallRow::keepable) {
            return Err(StoreError::Refused("text with a NUL character".to_owned()));
        }
        group.sort();
        // Nearly always all of it is new, and PostgreSQL takes twice as long to insert what may not be.
        let new = group.tables(false);
        match self.write(|sql| sql.insert(&new)) {
            Err(StoreError::Refused(_)) => {
                let again = group.tables(true);
                self.write(|sql| sql.insert(&again))
            }
            result => result,
        }
    }

    /// The first call number that is free.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_call(&self) -> Result<i64, StoreError> {
        self.read(|sql| {
            let mut last = 0;
            // A deleted call's number is not given away while a server may still write under it.
            for table in ["SELECT MAX(id) FROM calls", "SELECT MAX(call) FROM deletions"] {
                sql.query(table, &[], &mut |row| {
                    last = last.max(row.value(0).int());
                    Ok(false)
                })?;
            }
            Ok(last + 1)
        })
    }

    /// Removes all that is kept of some calls, in one durable transaction with the audit log's entries of it.
    ///
    /// A server may have a call in memory and write of it once more: that it was deleted is told by [`deletions`](Self::deletions)
    /// until [`settle`](Self::settle).
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn delete(&self, calls: &[i64], entries: &[AuditRow]) -> Result<(), StoreError> {
        self.write(|sql| {
            for call in calls {
                remove(sql, *call)?;
                sql.run("INSERT INTO deletions (call) VALUES ($1) ON CONFLICT (call) DO NOTHING", &[(*call).into()])?;
            }
            entries.iter().try_for_each(|entry| audit::insert(sql, entry))
        })
    }

    /// The numbers of calls that were deleted, which the server has not let go of yet.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn deletions(&self) -> Result<Vec<i64>, StoreError> {
        self.read(|sql| {
            let mut found = Vec::new();
            sql.query("SELECT call FROM deletions ORDER BY call", &[], &mut |row| {
                found.push(row.value(0).int());
                Ok(true)
            })?;
            Ok(found)
        })
    }

    /// For the server to say that it has let go of deleted calls and writes of them no more: what it may have written after they were
    /// deleted is removed.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn settle(&self, calls: &[i64]) -> Result<(), StoreError> {
        self.write(|sql| {
            for call in calls {
                remove(sql, *call)?;
                sql.run("DELETE FROM deletions WHERE call = $1", &[(*call).into()])?;
            }
            Ok(())
        })
    }
}

fn remove(sql: &mut dyn Sql, call: i64) -> Result<(), StoreError> {
    OF_A_CALL.iter().try_for_each(|(table, column)| sql.run(&format!("DELETE FROM {table} WHERE {column} = $1"), &[call.into()]).map(drop))
}
