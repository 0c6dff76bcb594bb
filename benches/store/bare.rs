//! A loop that writes rows in groups, and does nothing else: no calls, no verdicts, no network. The same tables and settings as the
//! server's, and of each database the fastest way there is to insert a group that keeps to SQL.

use std::time::Instant;

use callgrade::store::{Location, Store};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, NoTls, Statement};
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior};

/// Tables that the calls of the benchmark have rows in: name, columns, which of them are texts and bytes, of each row when it is
/// written: with the call's first event, or with its last.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    kinds: &'static [&'static str],
    at_end: bool,
}

const EVENTS: Table = Table {
    name: "events",
    columns: &["call", "seq", "kind", "received_ms", "body"],
    kinds: &["bigint", "bigint", "bigint", "bigint", "bytea"],
    at_end: false,
};

const OTHERS: [Table; 3] = [
    Table {
        name: "calls",
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
        kinds: &["bigint", "text", "text", "text", "text", "bigint", "bigint", "text", "bigint", "bigint"],
        at_end: false,
    },
    Table {
        name: "standings",
        columns: &["call", "label", "rule", "revision", "ended_by", "ended_ms"],
        kinds: &["bigint", "text", "text", "bigint", "text", "bigint"],
        at_end: true,
    },
    Table {
        name: "verdicts",
        columns: &["call", "revision", "made_ms", "body"],
        kinds: &["bigint", "bigint", "bigint", "bytea"],
        at_end: true,
    },
];

/// The tables by their places in a [`Row`].
fn table(place: usize) -> &'static Table {
    if place == 0 { &EVENTS } else { &OTHERS[place - 1] }
}

struct Row {
    table: usize,
    values: Vec<Value>,
}

/// Rows as a server wrote them, in the order in which they came about.
pub struct Rows(Vec<Row>);

impl Rows {
    /// Reads those of the calls whose ids are like this.
    pub fn read(place: &str, like: &str) -> Self {
        let mut source = Source::open(place);
        let mut keyed = Vec::new();
        for number in 0..=OTHERS.len() {
            let Table { name, columns, at_end, .. } = table(number);
            let calls = format!("SELECT id FROM calls WHERE call_id LIKE '{like}'");
            for values in source.all(&format!("SELECT {} FROM {name} WHERE {} IN ({calls})", columns.join(", "), columns[0]), table(number))
            {
                let Value::Integer(call) = values[0] else { panic!("a call has a number") };
                let seq = match (number, &values[1]) {
                    (0, Value::Integer(seq)) => *seq,
                    _ if *at_end => i64::MAX,
                    _ => 0,
                };
                keyed.push(((seq, call), Row { table: number, values }));
            }
        }
        // Event by event over all calls, as they were streamed; the last and what it led to together.
        let last = keyed.iter().filter(|((seq, _), _)| *seq < i64::MAX).map(|((seq, _), _)| *seq).max().unwrap_or_default();
        keyed.sort_by_key(|((seq, call), row)| ((*seq).clamp(1, last), *call, if *seq == 0 { 0 } else { row.table + 1 }));
        Self(keyed.into_iter().map(|(_, row)| row).collect())
    }

    pub fn events(&self) -> usize {
        self.0.iter().filter(|row| row.table == 0).count()
    }
}

/// Where rows are read from as they are.
enum Source {
    Sqlite(Connection),
    Postgres(Client),
}

impl Source {
    fn open(place: &str) -> Self {
        match Location::parse(place) {
            Location::Directory(folder) => Self::Sqlite(sqlite(&folder)),
            Location::Postgres(url) => Self::Postgres(Client::connect(&url, NoTls).expect("it answers")),
        }
    }

    fn all(&mut self, sql: &str, table: &Table) -> Vec<Vec<Value>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).expect("SQL");
                let row = |row: &rusqlite::Row<'_>| (0..table.columns.len()).map(|column| row.get(column)).collect();
                statement.query_map([], row).expect("rows").map(|row: rusqlite::Result<Vec<Value>>| row.expect("a row")).collect()
            }
            Self::Postgres(client) => {
                let rows = client.query(sql, &[]).expect("rows");
                let value = |row: &postgres::Row, column: usize| match table.kinds[column] {
                    "bigint" => row.get::<_, Option<i64>>(column).map_or(Value::Null, Value::Integer),
                    "text" => Value::Text(row.get(column)),
                    _ => Value::Blob(row.get(column)),
                };
                rows.iter().map(|row| (0..table.columns.len()).map(|column| value(row, column)).collect()).collect()
            }
        }
    }
}

/// A connection with the server's settings.
fn sqlite(folder: &std::path::Path) -> Connection {
    let connection = Connection::open(folder.join("callgrade.db")).expect("it opens");
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).expect("WAL");
    for (pragma, value) in [("cache_size", -65_536), ("wal_autocheckpoint", 4_000)] {
        connection.pragma_update(None, pragma, value).expect("a pragma");
    }
    connection.pragma_update(None, "synchronous", "FULL").expect("a pragma");
    connection
}

/// The bare loop's store.
pub struct Bare {
    source: Source,
    /// Of each table, for PostgreSQL.
    ready: Vec<Statement>,
}

impl Bare {
    /// Opens a store, with the server's tables.
    pub fn open(place: &str) -> Self {
        Store::open(&Location::parse(place)).expect("its tables are made");
        let mut source = Source::open(place);
        let ready = match &mut source {
            Source::Sqlite(_) => Vec::new(),
            Source::Postgres(client) => {
                client.batch_execute("SET synchronous_commit = on").expect("a setting");
                (0..=OTHERS.len()).map(|place| client.prepare(&insert(table(place), true)).expect("SQL")).collect()
            }
        };
        Self { source, ready }
    }

    /// Writes rows in groups of a size, each durable before the next; how many seconds it took.
    pub fn write(&mut self, rows: &Rows, size: usize) -> f64 {
        let begun = Instant::now();
        for group in rows.0.chunks(size) {
            match &mut self.source {
                Source::Sqlite(connection) => {
                    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).expect("a transaction");
                    {
                        let mut statements: Vec<_> = (0..=OTHERS.len())
                            .map(|place| transaction.prepare_cached(&insert(table(place), false)).expect("SQL"))
                            .collect();
                        for row in group {
                            statements[row.table].execute(rusqlite::params_from_iter(&row.values)).expect("it is inserted");
                        }
                    }
                    transaction.commit().expect("it is durable");
                }
                Source::Postgres(client) => {
                    let mut transaction = client.transaction().expect("a transaction");
                    for place in 0..=OTHERS.len() {
                        let of_table: Vec<&Row> = group.iter().filter(|row| row.table == place).collect();
                        if of_table.is_empty() {
                            continue;
                        }
                        let columns: Vec<Box<dyn ToSql + Sync + '_>> =
                            table(place).kinds.iter().enumerate().map(|(column, kind)| array(&of_table, column, kind)).collect();
                        let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| &**column).collect();
                        transaction.execute(&self.ready[place], &columns).expect("they are inserted");
                    }
                    transaction.commit().expect("it is durable");
                }
            }
        }
        begun.elapsed().as_secs_f64()
    }

    /// Reads every column of every event in the order of their keys; how many there are, and how many seconds it took.
    pub fn scan(&mut self) -> (usize, f64) {
        let begun = Instant::now();
        let (mut count, mut bytes) = (0, 0);
        let sql = format!("SELECT {} FROM events ORDER BY call, seq", EVENTS.columns.join(", "));
        match &mut self.source {
            Source::Sqlite(connection) => {
                let mut statement = connection.prepare(&sql).expect("SQL");
                let mut rows = statement.query([]).expect("rows");
                while let Some(row) = rows.next().expect("a row") {
                    let numbers: i64 = (0..4).map(|column| row.get::<_, i64>(column).expect("a number") & 1).sum();
                    bytes += row.get_ref(4).expect("a body").as_blob().expect("bytes").len() + numbers as usize;
                    count += 1;
                }
            }
            Source::Postgres(client) => {
                let mut rows = client.query_raw(&sql, std::iter::empty::<i64>()).expect("rows");
                while let Some(row) = rows.next().expect("a row") {
                    let numbers: i64 = (0..4).map(|column| row.get::<_, i64>(column) & 1).sum();
                    bytes += row.get::<_, &[u8]>(4).len() + numbers as usize;
                    count += 1;
                }
            }
        }
        std::hint::black_box(bytes);
        (count, begun.elapsed().as_secs_f64())
    }
}

/// The statement that inserts a row, or of PostgreSQL a group's rows column by column.
fn insert(table: &Table, arrays: bool) -> String {
    let Table { name, columns, kinds, .. } = table;
    let places: Vec<String> =
        (1..).zip(*kinds).map(|(place, kind)| if arrays { format!("${place}::{kind}[]") } else { format!("?{place}") }).collect();
    let (names, places) = (columns.join(", "), places.join(", "));
    if arrays {
        format!("INSERT INTO {name} ({names}) SELECT * FROM unnest({places})")
    } else {
        format!("INSERT INTO {name} ({names}) VALUES ({places})")
    }
}

fn array<'a>(rows: &[&'a Row], column: usize, kind: &str) -> Box<dyn ToSql + Sync + 'a> {
    let values = rows.iter().map(|row| &row.values[column]);
    match kind {
        "bigint" => Box::new(values.map(|value| if let Value::Integer(value) = value { Some(*value) } else { None }).collect::<Vec<_>>()),
        "text" => Box::new(values.map(|value| if let Value::Text(value) = value { value.as_str() } else { "" }).collect::<Vec<_>>()),
        _ => Box::new(values.map(|value| if let Value::Blob(value) = value { value.as_slice() } else { &[] }).collect::<Vec<_>>()),
    }
}
