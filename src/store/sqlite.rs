//! SQLite: a file in a data directory, in WAL mode with `synchronous=FULL`, so that a commit has been through `fdatasync`.

mod checkpoint;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, TransactionBehavior};

use self::checkpoint::{Checkpoints, Writer};
use super::schema::Dialect;
use super::sql::{Column, Insert, Row, Sql, Value};
use super::{Database, StoreError, Work};

/// The database's file in its directory.
pub const FILE: &str = "callgrade.db";
/// The file whose lock a server holds.
const LOCK: &str = "server.lock";
/// How long one process waits for another's transaction.
const BUSY: Duration = Duration::from_secs(20);
/// Connections for reading that are kept open.
const READERS: usize = 8;
/// Memory of each for pages, in kibibytes, which SQLite takes as a negative number.
const READER_CACHE: i32 = -8_192;
/// Statements kept ready on a connection.
const STATEMENTS: usize = 64;

/// A SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    folder: PathBuf,
    /// A server's; whoever writes a little now and then does without.
    checkpoints: Mutex<Option<Checkpoints>>,
    /// The one that writes; none after it failed in a way that may have left it unwell.
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    lock: Mutex<Option<File>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sqlite {
    /// Opens the file in a directory; makes both if need be.
    ///
    /// # Errors
    /// It cannot be opened or made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        private_folder(folder).map_err(|error| file_error(folder, &error))?;
        // Made here, for the folder may have been there, open to others; SQLite makes what is beside it alike. What goes wrong it tells.
        let _ = private_file(&folder.join(FILE));
        let sqlite = Self {
            folder: folder.to_owned(),
            checkpoints: Mutex::default(),
            writer: Arc::default(),
            readers: Mutex::default(),
            lock: Mutex::default(),
        };
        *lock(&sqlite.writer) = Some(sqlite.connect()?);
        Ok(sqlite)
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.folder.join(FILE), flags).map_err(|error| self.error(&error))?;
        connection
            .busy_timeout(BUSY)
            .and_then(|()| connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())))
            .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
            // What is deleted is overwritten, not only let go.
            .and_then(|()| connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(())))
            .and_then(|()| connection.pragma_update(None, "cache_size", -65_536))
            .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", 4_000))
            .map_err(|error| self.error(&error))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    }

    /// A connection that writes. A server's tells how far the WAL has grown, and leaves it to others to write its pages to the file.
    fn connect_writer(&self) -> Result<Connection, StoreError> {
        let mut connection = self.connect()?;
        if let Some(checkpoints) = &*lock(&self.checkpoints) {
            let growth = checkpoints.growth.clone();
            let hook = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
                growth.committed(pages.into());
                Ok(())
            };
            connection.wal_hook(Some(hook)).map_err(|error| self.error(&error))?;
        }
        Ok(connection)
    }

    /// Has what the WAL gathers written to the file by a thread from now on.
    fn start_checkpoints(&self) -> Result<(), StoreError> {
        let mut checkpoints = lock(&self.checkpoints);
        if checkpoints.is_some() {
            return Ok(());
        }
        let connection = self.connect()?;
        // It holds a turn to write while it waits for readers, so it does not.
        connection.busy_timeout(Duration::ZERO).map_err(|error| self.error(&error))?;
        let started = Checkpoints::start(connection, Arc::clone(&self.writer)).map_err(|error| file_error(&self.folder, &error))?;
        *checkpoints = Some(started);
        drop(checkpoints);
        // The next is one that tells.
        *lock(&self.writer) = None;
        Ok(())
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        let reason = format!("{}: {error}", self.folder.join(FILE).display());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full(reason),
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly(reason),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(reason),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed,
            ) => StoreError::Unavailable(reason),
            _ => StoreError::Refused(reason),
        }
    }
}

/// Makes a file that only its owner may read, if there is none: what calls say is nobody else's business.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder, if need be, that only its owner may look into.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn file_error(path: &Path, error: &std::io::Error) -> StoreError {
    let reason = format!("{}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full(reason),
        std::io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(reason),
        _ => StoreError::Unavailable(reason),
    }
}

impl Database for Sqlite {
    fn write(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let mut connection = match writer.take() {
            Some(connection) => connection,
            None => self.connect_writer()?,
        };
        let result = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| self.error(&error))?;
            work(&mut Session { sqlite: self, connection: &transaction })?;
            transaction.commit().map_err(|error| self.error(&error))
        })();
        // A connection that could not write is not trusted with the next transaction.
        if !matches!(result, Err(StoreError::Unavailable(_) | StoreError::Full(_) | StoreError::ReadOnly(_))) {
            *writer = Some(connection);
        }
        result
    }

    fn read(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let reader = lock(&self.readers).pop();
        let mut connection = match reader {
            Some(connection) => connection,
            None => {
                let connection = self.connect()?;
                let limited = connection.pragma_update(None, "query_only", true);
                limited.and_then(|()| connection.pragma_update(None, "cache_size", READER_CACHE)).map_err(|error| self.error(&error))?;
                connection
            }
        };
        let result = (|| {
            let transaction = connection.transaction().map_err(|error| self.error(&error))?;
            work(&mut Session { sqlite: self, connection: &transaction })
        })();
        let mut readers = lock(&self.readers);
        if result.is_ok() && readers.len() < READERS {
            readers.push(connection);
        }
        result
    }

    fn claim(&self) -> Result<(), StoreError> {
        let mut held = lock(&self.lock);
        if held.is_some() {
            return Ok(());
        }
        let path = self.folder.join(LOCK);
        let file =
            File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(|error| file_error(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                self.start_checkpoints()?;
                *held = Some(file);
                Ok(())
            }
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(self.place())),
            Err(std::fs::TryLockError::Error(error)) => Err(file_error(&path, &error)),
        }
    }

    fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let source = self.connect()?;
        // Into an empty file of our own making: nobody else's is written over, and only its owner reads what is in it.
        let made = private_file(file);
        made.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Copy(format!("{} is there already", file.display())),
            _ => StoreError::Copy(format!("{}: {error}", file.display())),
        })?;
        let failed = |error: &rusqlite::Error| {
            let _ = std::fs::remove_file(file);
            self.error(error)
        };
        // One statement copies one moment, compacted, while the server goes on writing.
        source.execute("VACUUM INTO ?1", [file.to_string_lossy().as_ref()]).map_err(|error| failed(&error))?;
        File::open(file).and_then(|file| file.sync_all()).map_err(|error| file_error(file, &error))?;
        // Its name, too, is to be there after a crash.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| file_error(folder, &error))
    }

    fn dialect(&self) -> Dialect {
        Dialect {
            words: &[("{bytes}", "BLOB"), ("{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT"), ("{clustered}", "WITHOUT ROWID")],
            alone: "",
            holds: |column, bytes| format!("instr({column}, {bytes}) > 0"),
        }
    }

    fn is_in_place(&self) -> bool {
        // What cannot be seen may be there.
        self.folder.join(FILE).try_exists().unwrap_or(true)
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }
}

/// A connection in a transaction.
struct Session<'a> {
    sqlite: &'a Sqlite,
    connection: &'a Connection,
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn value(&self, column: usize) -> Value<'_> {
        match self.get_ref(column) {
            Ok(ValueRef::Integer(value)) => Value::Int(value),
            Ok(ValueRef::Text(value)) => Value::Text(std::str::from_utf8(value).unwrap_or_default()),
            Ok(ValueRef::Blob(value)) => Value::Bytes(value),
            _ => Value::Null,
        }
    }
}

/// The text with `?1` for `$1`: to SQLite `$1` is a name like any other, and names are numbered as they first appear.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl Sql for Session<'_> {
    fn run(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(&numbered(sql)).map_err(|error| self.sqlite.error(&error))?;
        let touched = statement.execute(rusqlite::params_from_iter(values)).map_err(|error| self.sqlite.error(&error))?;
        Ok(touched as u64)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(&numbered(sql)).map_err(|error| self.sqlite.error(&error))?;
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(|error| self.sqlite.error(&error))?;
        while let Some(row) = rows.next().map_err(|error| self.sqlite.error(&error))? {
            if !each(row)? {
                break;
            }
        }
        Ok(())
    }

    fn insert(&mut self, tables: &[(Insert, Vec<Column<'_>>)]) -> Result<(), StoreError> {
        for (into, columns) in tables {
            let places: Vec<String> = (1..=into.columns.len()).map(|place| format!("${place}")).collect();
            let sql = format!("INSERT INTO {} ({}) VALUES ({}) {}", into.table, into.columns.join(", "), places.join(", "), into.conflict);
            let mut statement = self.connection.prepare_cached(&sql).map_err(|error| self.sqlite.error(&error))?;
            for row in 0..columns.first().map_or(0, Column::len) {
                for (place, column) in columns.iter().enumerate() {
                    statement.raw_bind_parameter(place + 1, column.value(row)).map_err(|error| self.sqlite.error(&error))?;
                }
                statement.raw_execute().map_err(|error| self.sqlite.error(&error))?;
            }
        }
        Ok(())
    }
}
