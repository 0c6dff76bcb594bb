//! PostgreSQL, by URL. `synchronous_commit` is on for every connection, so that a commit has been written to the server's disk.

mod tls;

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{ToSql, Type};
use postgres::{Client, Config, IsolationLevel, NoTls, Statement, Transaction};

use tokio_postgres_rustls::MakeRustlsConnect;

use super::schema::Dialect;
use super::sql::{Column, Insert, Row, Sql, Value};
use super::{Database, StoreError, Work};

/// The number of the advisory lock that a server holds: "callgrade" has no meaning to PostgreSQL, so any will do.
const LOCK: i64 = 0x6361_6c6c_6772;
/// Settings of each connection. All that we ask has an index. A plan that PostgreSQL made while a table was nearly empty, and keeps
/// until the table is analysed, would have it read the whole of what has since grown, once for every few calls.
const SESSION: &str = "SET synchronous_commit = on; SET client_min_messages = warning; SET enable_seqscan = off";
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Statements kept ready on a connection. Those of lists have as many texts as there are kinds of filters: over this, all are made anew.
const STATEMENTS: usize = 128;
/// Most connections that read at one time: a PostgreSQL lets in a hundred by default, and there are others than us.
const READERS: usize = 16;

/// A PostgreSQL server.
pub struct Postgres {
    config: Config,
    /// How connections are made, if by TLS.
    tls: Option<MakeRustlsConnect>,
    place: String,
    writer: Mutex<Option<Connection>>,
    readers: Readers,
    /// Holds the lock for as long as it lives; `None` until it is asked for.
    claim: Mutex<Option<Client>>,
}

/// A connection, and the statements that its server has ready.
struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

/// The connections that read, each lent to one reading at a time.
#[derive(Default)]
struct Readers {
    /// Those that nobody reads with, and how many are lent.
    state: Mutex<(Vec<Connection>, usize)>,
    returned: Condvar,
}

impl Readers {
    /// A connection, or leave to make one; waits while too many are lent.
    fn lend(&self) -> Option<Connection> {
        let mut state = self.returned.wait_while(lock(&self.state), |(_, lent)| *lent >= READERS).unwrap_or_else(PoisonError::into_inner);
        state.1 += 1;
        state.0.pop()
    }

    /// Takes one back; `None`: it was of no use any more.
    fn take_back(&self, connection: Option<Connection>) {
        let mut state = lock(&self.state);
        state.1 = state.1.saturating_sub(1);
        state.0.extend(connection);
        drop(state);
        self.returned.notify_one();
    }
}

/// Lends a connection out, and sees that the place is free again even where the reading panics.
struct Lent<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.readers.take_back(self.connection.take());
    }
}

/// What became of a transaction that failed.
enum Failure {
    /// It did not begin: nothing of it has happened.
    NotBegun(StoreError),
    /// It began.
    Begun(StoreError),
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("place", &self.place).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Postgres {
    /// Connects to the server of a URL.
    ///
    /// # Errors
    /// The URL is none, or the server does not answer.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let (url, authorities) = tls::take(url);
        let mut config = Config::from_str(&url).map_err(|error| StoreError::Refused(format!("not a PostgreSQL URL: {}", told(&error))))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        // A server that vanishes without a word is given up soon, not when TCP does.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(PATIENCE * 3);
        }
        config.keepalives_idle(PATIENCE).keepalives_interval(PATIENCE / 2).keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("callgrade");
        }
        let tls = tls::connector(&mut config, authorities)?;
        let place = place(&config);
        let postgres = Self { config, tls, place, writer: Mutex::default(), readers: Readers::default(), claim: Mutex::default() };
        *lock(&postgres.writer) = Some(postgres.connect()?);
        Ok(postgres)
    }

    /// A connection that writes. A server's own has the lock still: one that has been started anew meanwhile may have given it to
    /// another, whose rows are not to be mixed with ours.
    fn connect_writer(&self) -> Result<Connection, StoreError> {
        if lock(&self.claim).is_some() {
            self.claim()?;
        }
        self.connect()
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let connected = match &self.tls {
            None => self.config.connect(NoTls),
            Some(tls) => self.config.connect(tls.clone()),
        };
        let mut client = connected.map_err(|error| self.error(&error))?;
        client.batch_execute(SESSION).map_err(|error| self.error(&error))?;
        Ok(Connection { client, statements: HashMap::new() })
    }

    /// Does the work in one transaction, on a connection kept from before if it still stands: that it does not, because the server was
    /// started anew, is often found out only here, and then nothing has happened yet that cannot be done on a new one.
    fn transact(&self, kept: &mut Option<Connection>, reading: bool, work: &mut Work<'_>) -> Result<(), StoreError> {
        if let Some(connection) = kept.as_mut().filter(|connection| !connection.client.is_closed()) {
            match self.attempt(connection, reading, work) {
                Err(Failure::NotBegun(_)) => {}
                Err(Failure::Begun(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        *kept = None;
        let made = if reading { self.connect() } else { self.connect_writer() };
        match self.attempt(kept.insert(made?), reading, work) {
            Err(Failure::NotBegun(error) | Failure::Begun(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    fn attempt(&self, connection: &mut Connection, reading: bool, work: &mut Work<'_>) -> Result<(), Failure> {
        let Connection { client, statements } = connection;
        // By default PostgreSQL shows each statement of a transaction a moment of its own.
        let level = if reading { IsolationLevel::RepeatableRead } else { IsolationLevel::ReadCommitted };
        let transaction = client
            .build_transaction()
            .isolation_level(level)
            .read_only(reading)
            .start()
            .map_err(|error| Failure::NotBegun(self.error(&error)))?;
        let mut session = Session { postgres: self, transaction, statements };
        work(&mut session).map_err(Failure::Begun)?;
        session.transaction.commit().map_err(|error| Failure::Begun(self.error(&error)))
    }

    fn error(&self, error: &postgres::Error) -> StoreError {
        let reason = match error.as_db_error() {
            Some(error) => format!("{}: {}", self.place, error.message()),
            None => format!("{}: {}", self.place, told(error)),
        };
        match error.code() {
            Some(code) if *code == SqlState::DISK_FULL => StoreError::Full(reason),
            Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnly(reason),
            Some(code) if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => StoreError::Damaged(reason),
            // Class 08: the connection; 40: others were in the way; 53: resources; 57: an operator; 58: the system.
            Some(code) if ["08", "40", "53", "57", "58", "XX"].iter().any(|class| code.code().starts_with(class)) => {
                StoreError::Unavailable(reason)
            }
            Some(_) => StoreError::Refused(reason),
            None => StoreError::Unavailable(reason),
        }
    }
}

/// An error with its cause, without which it says only what was not done.
fn told(error: &postgres::Error) -> String {
    let text = error.to_string();
    match std::error::Error::source(error).map(ToString::to_string) {
        Some(cause) if !text.contains(&cause) => format!("{text}: {cause}"),
        _ => text,
    }
}

/// Where a server is, without its password.
fn place(config: &Config) -> String {
    let host = config.get_hosts().first().map_or_else(String::new, |host| match host {
        postgres::config::Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        postgres::config::Host::Unix(path) => path.display().to_string(),
    });
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgres://{host}:{port}/{}", config.get_dbname().unwrap_or_default())
}

impl Database for Postgres {
    fn write(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let result = self.transact(&mut writer, false, work);
        if matches!(result, Err(StoreError::Unavailable(_))) {
            *writer = None;
        }
        result
    }

    fn read(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut lent = Lent { readers: &self.readers, connection: None };
        lent.connection = self.readers.lend();
        let result = self.transact(&mut lent.connection, true, work);
        if matches!(result, Err(StoreError::Unavailable(_))) {
            lent.connection = None;
        }
        result
    }

    fn claim(&self) -> Result<(), StoreError> {
        let mut claim = lock(&self.claim);
        if let Some(client) = claim.as_mut()
            && client.is_valid(PATIENCE).is_ok()
        {
            return Ok(());
        }
        let mut client = self.connect()?.client;
        let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).map_err(|error| self.error(&error))?;
        if !row.get::<_, bool>(0) {
            return Err(StoreError::InUse(self.place.clone()));
        }
        *claim = Some(client);
        Ok(())
    }

    fn backup(&self, _: &Path) -> Result<(), StoreError> {
        Err(StoreError::Refused(format!("{}: PostgreSQL has its own backup: pg_dump, or a base backup with its WAL", self.place)))
    }

    fn dialect(&self) -> Dialect {
        Dialect {
            words: &[("{bytes}", "BYTEA"), ("{serial}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"), ("{clustered}", "")],
            alone: "SELECT pg_advisory_xact_lock(109318457518)",
            holds: |column, bytes| format!("position({bytes}::bytea in {column}) > 0"),
        }
    }

    fn place(&self) -> String {
        self.place.clone()
    }
}

/// A connection in a transaction.
struct Session<'a> {
    postgres: &'a Postgres,
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<String, Statement>,
}

impl Session<'_> {
    /// The statement of a text, made ready once for the connection.
    fn statement(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(ready) = self.statements.get(sql) {
            return Ok(ready.clone());
        }
        let made = self.transaction.prepare(sql).map_err(|error| self.postgres.error(&error))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), made.clone());
        Ok(made)
    }
}

/// A value as the wire has it.
fn parameter<'a>(value: &'a Value<'_>) -> &'a (dyn ToSql + Sync) {
    match value {
        Value::Null => &None::<i64>,
        Value::Int(value) => value,
        Value::Text(value) => value,
        Value::Bytes(value) => value,
    }
}

impl Row for postgres::Row {
    fn value(&self, column: usize) -> Value<'_> {
        let Some(kind) = self.columns().get(column).map(|column| column.type_().clone()) else { return Value::Null };
        match kind {
            Type::INT8 => self.try_get::<_, Option<i64>>(column).ok().flatten().map_or(Value::Null, Value::Int),
            Type::INT4 => self.try_get::<_, Option<i32>>(column).ok().flatten().map_or(Value::Null, |value| Value::Int(value.into())),
            Type::TEXT => self.try_get::<_, Option<&str>>(column).ok().flatten().map_or(Value::Null, Value::Text),
            Type::BYTEA => self.try_get::<_, Option<&[u8]>>(column).ok().flatten().map_or(Value::Null, Value::Bytes),
            _ => Value::Null,
        }
    }
}

impl Sql for Session<'_> {
    fn run(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let values: Vec<_> = values.iter().map(parameter).collect();
        let statement = self.statement(sql)?;
        self.transaction.execute(&statement, &values).map_err(|error| self.postgres.error(&error))
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let values: Vec<_> = values.iter().map(parameter).collect();
        let statement = self.statement(sql)?;
        let mut rows = self.transaction.query_raw(&statement, values).map_err(|error| self.postgres.error(&error))?;
        while let Some(row) = rows.next().map_err(|error| self.postgres.error(&error))? {
            if !each(&row)? {
                break;
            }
        }
        Ok(())
    }

    fn insert(&mut self, tables: &[(Insert, Vec<Column<'_>>)]) -> Result<(), StoreError> {
        let Some((last, before)) = tables.split_last() else { return Ok(()) };
        // One statement, and one answer to wait for, whatever the number of tables.
        let mut next = 1;
        let before: Vec<String> = before.iter().map(|table| format!("in_{} AS ({})", table.0.table, insertion(table, &mut next))).collect();
        let with = if before.is_empty() { String::new() } else { format!("WITH {} ", before.join(", ")) };
        let sql = with + &insertion(last, &mut next);
        let values: Vec<&(dyn ToSql + Sync)> = tables
            .iter()
            .flat_map(|(_, columns)| columns)
            .map(|column| match column {
                Column::Int(values) => values as &(dyn ToSql + Sync),
                Column::OptionalInt(values) => values,
                Column::Text(values) => values,
                Column::Bytes(values) => values,
            })
            .collect();
        let statement = self.statement(&sql)?;
        self.transaction.execute(&statement, &values).map_err(|error| self.postgres.error(&error))?;
        Ok(())
    }
}

/// What inserts into a table, its columns as arrays; `next` is the number of the next parameter.
fn insertion((into, columns): &(Insert, Vec<Column<'_>>), next: &mut usize) -> String {
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
