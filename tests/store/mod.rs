//! The contract of the store, proven on SQLite and on PostgreSQL by the same tests.

mod calls;
mod each;
mod lists;
mod regrades;
pub mod rows;
mod scripts;

mod transactions;

use std::fmt::Debug;

use callgrade::store::{Location, Store, StoreError};

use crate::support::postgres::shared_database;

/// Where a store is made, empty, for one test.
pub struct Fresh {
    pub location: Location,
    _folder: Option<tempfile::TempDir>,
}

impl Fresh {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { location: Location::Directory(folder.path().join("data")), _folder: Some(folder) }
    }

    fn postgres(test: &str) -> Option<Self> {
        shared_database(test).map(|url| Self { location: Location::Postgres(url), _folder: None })
    }

    pub fn open(&self) -> Store {
        Store::open(&self.location).expect("the store opens")
    }
}

/// The tables that callgrade makes.
pub const TABLES: [&str; 16] = [
    "calls",
    "events",
    "standings",
    "verdicts",
    "attributes",
    "numbers",
    "bundles",
    "activations",
    "api_keys",
    "audit",
    "secrets",
    "pushes",
    "deletions",
    "regrades",
    "regrade_diffs",
    "regraded",
];

/// How many rows a table has.
pub fn count(store: &Store, table: &str) -> i64 {
    number(store, &format!("SELECT COUNT(*) FROM {table}"))
}

/// A question with a number for an answer.
pub fn number(store: &Store, text: &str) -> i64 {
    let answer = store.read(|sql| {
        let mut found = 0;
        sql.query(text, &[], &mut |row| {
            found = row.value(0).int();
            Ok(false)
        })?;
        Ok(found)
    });
    answer.expect(text)
}

pub fn refused<T: Debug>(result: Result<T, StoreError>) -> String {
    result.expect_err("it is refused").to_string()
}

/// Each test on both databases, named after it: `store::calls::on_sqlite::…`, `store::calls::on_postgres::…`.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test]
            fn $name() {
                super::$name(&crate::store::Fresh::sqlite());
            })*
        }
        mod on_postgres {
            $(#[test]
            fn $name() {
                if let Some(fresh) = crate::store::Fresh::postgres(concat!(module_path!(), "::", stringify!($name))) {
                    super::$name(&fresh);
                }
            })*
        }
    };
}
use on_both;
