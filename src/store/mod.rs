//! What is kept: calls with their events and verdicts, script versions, keys, pushes still to be made, the audit log,
//! re-gradings.
//!
//! Everything is written once, in SQL that both databases speak, over the small trait [`Database`]: [`sqlite`] is a file in a data
//! directory and needs nothing, [`postgres`] is a server named by its URL. What a [`Database::write`] has answered is on disk.
//!
//! - [`calls`]: the rows of calls, written in groups. [`records`]: reading them back. [`scripts`]: bundles and which is active.
//! - [`keys`]: API keys. [`audit`]: who did what.
//! - [`pushes`]: the outbox of verdicts to be pushed. [`regrades`]: jobs that grade kept calls anew; [`regraded`]: their results.
//! - [`schema`]: the tables, versioned.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub mod audit;
pub mod calls;
pub mod keys;
pub mod postgres;
pub mod pushes;
pub mod records;
pub mod regraded;
pub mod regrades;
pub mod schema;
pub mod scripts;
mod secrets;
pub mod sql;
pub mod sqlite;

use sql::{Sql, Value};

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The disk is full.
    Full(String),
    /// The disk, or the database, is read-only.
    ReadOnly(String),
    /// It cannot be reached or does not answer.
    Unavailable(String),
    /// A newer program has written it: the version found, the newest this program knows, where.
    Newer(i64, i64, String),
    /// Another server is using it.
    InUse(String),
    /// It refuses the statement.
    Refused(String),
    /// What it holds cannot be read.
    Damaged(String),
    /// A copy of it cannot be written.
    Copy(String),
}

impl StoreError {
    /// What is wrong, in words that tell nobody where the store is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Full(_) => "the disk is full",
            Self::ReadOnly(_) => "the store is read-only",
            Self::Unavailable(_) => "the store cannot be reached",
            Self::Newer(..) => "a newer callgrade has written the store",
            Self::InUse(_) => "another callgrade server has the store",
            Self::Refused(_) => "the store refuses it",
            Self::Damaged(_) => "the store holds what cannot be read",
            Self::Copy(_) => "a copy of the store cannot be written",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(reason) => write!(f, "the disk is full ({reason})"),
            Self::ReadOnly(reason) => write!(f, "the store is read-only ({reason})"),
            Self::Unavailable(reason) => write!(f, "the store cannot be reached ({reason})"),
            Self::Newer(found, known, place) => write!(
                f,
                "{place} has schema version {found}, and this program knows versions up to {known}: a newer callgrade has written it; use that one"
            ),
            Self::InUse(place) => write!(f, "{place} is in use by another callgrade server"),
            Self::Refused(reason) => write!(f, "the store refuses ({reason})"),
            Self::Damaged(reason) => write!(f, "the store holds what cannot be read ({reason})"),
            Self::Copy(reason) => write!(f, "the copy cannot be written ({reason})"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What is done in one transaction.
pub type Work<'a> = dyn FnMut(&mut dyn Sql) -> Result<(), StoreError> + 'a;

/// A database: all that is different between one and another.
pub trait Database: Send + Sync + fmt::Debug {
    /// Does the work in one transaction: all of it is durable when this returns, or nothing of it has happened.
    ///
    /// # Errors
    /// The work failed, or could not be made durable. After [`StoreError::Unavailable`] it may have happened all the same.
    fn write(&self, work: &mut Work<'_>) -> Result<(), StoreError>;

    /// Reads, of one moment.
    ///
    /// # Errors
    /// The work failed, or the database cannot be reached.
    fn read(&self, work: &mut Work<'_>) -> Result<(), StoreError>;

    /// Makes this process the only server of the database until it ends.
    ///
    /// # Errors
    /// Another one is.
    fn claim(&self) -> Result<(), StoreError>;

    /// Writes a copy of one moment to a file, while others go on.
    ///
    /// # Errors
    /// It cannot be written, or the file is there already.
    fn backup(&self, file: &Path) -> Result<(), StoreError>;

    /// The words of the tables for this database, see [`schema`].
    fn dialect(&self) -> schema::Dialect;

    /// Where it is, without secrets.
    fn place(&self) -> String;

    /// Whether it is still there under its name.
    fn is_in_place(&self) -> bool {
        true
    }
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// SQLite, in this data directory.
    Directory(PathBuf),
    /// PostgreSQL, at this URL.
    Postgres(String),
}

/// The data directory of servers that name none.
pub const DEFAULT_LOCATION: &str = "callgrade-data";

impl Location {
    /// Reads `postgres://…` or `postgresql://…` as a server's URL, all else as a directory.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(text.to_owned())
        } else {
            Self::Directory(PathBuf::from(text))
        }
    }
}

impl Location {
    /// Whether there is a store already; of a server that is for its connection to tell.
    ///
    /// # Errors
    /// It cannot be seen: somebody else's directory.
    pub fn is_there(&self) -> Result<bool, StoreError> {
        match self {
            Self::Directory(folder) => {
                folder.join(sqlite::FILE).try_exists().map_err(|error| StoreError::Unavailable(format!("{}: {error}", folder.display())))
            }
            Self::Postgres(_) => Ok(true),
        }
    }
}

/// What stands in the store for a moment to try whether it can be written, and how many bytes it has: more than a group of events
/// takes, for a group that found no room leaves behind the little that it had found.
const TRIAL: &str = "trial";
const TRIAL_BYTES: usize = 1 << 20;

/// The store, whichever database is behind it.
#[derive(Debug, Clone)]
pub struct Store {
    database: Arc<dyn Database>,
}

impl Store {
    /// Opens a store, makes its tables if it is new, and brings those of an older program up to date.
    ///
    /// # Errors
    /// It cannot be opened, or a newer program has written it.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let database: Arc<dyn Database> = match location {
            Location::Directory(folder) => Arc::new(sqlite::Sqlite::open(folder)?),
            Location::Postgres(url) => Arc::new(postgres::Postgres::open(url)?),
        };
        schema::migrate(&*database)?;
        Ok(Self { database })
    }

    /// Makes this process the only server of the store until it ends.
    ///
    /// # Errors
    /// Another one is.
    pub fn claim(&self) -> Result<(), StoreError> {
        self.database.claim()
    }

    /// Whether it is still where it was opened: what is written to a file whose name is gone is gone with the process.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.database.is_in_place()
    }

    /// Tries whether what is written becomes durable: writes something that takes room, and removes it again.
    ///
    /// # Errors
    /// It does not.
    pub fn try_writing(&self) -> Result<(), StoreError> {
        // Random, so that it takes the room that it seems to.
        let mut bytes = vec![0; TRIAL_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| StoreError::Unavailable(format!("no random numbers: {error}")))?;
        let keep = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.write(|sql| sql.run(keep, &[Value::Text(TRIAL), Value::Bytes(&bytes)]).map(drop))?;
        self.write(|sql| sql.run("DELETE FROM secrets WHERE name = $1", &[Value::Text(TRIAL)]).map(drop))
    }

    /// Where it is, without secrets.
    #[must_use]
    pub fn place(&self) -> String {
        self.database.place()
    }

    /// The words of its database.
    pub(crate) fn dialect(&self) -> schema::Dialect {
        self.database.dialect()
    }

    /// Writes a copy of one moment to a file, while others go on.
    ///
    /// # Errors
    /// It cannot be written, or is there already.
    pub fn backup(&self, file: &Path) -> Result<(), StoreError> {
        self.database.backup(file)
    }

    /// Does the work in one durable transaction.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn write<T>(&self, mut work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut result = None;
        self.database.write(&mut |sql| {
            result = Some(work(sql)?);
            Ok(())
        })?;
        result.ok_or_else(|| StoreError::Damaged("the transaction did nothing".to_owned()))
    }

    /// Reads, of one moment.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn read<T>(&self, mut work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut result = None;
        self.database.read(&mut |sql| {
            result = Some(work(sql)?);
            Ok(())
        })?;
        result.ok_or_else(|| StoreError::Damaged("nothing was read".to_owned()))
    }
}
