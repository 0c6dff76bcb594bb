//! What the WAL has gathered is written to the database's file by a thread of its own, so that no commit waits while it is.
//!
//! Commits go on meanwhile, behind what is being written, so under load the WAL never comes to its end by itself and would grow on.
//! Once it has grown far, what little is left is written while commits wait, and it begins anew.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rusqlite::Connection;

/// Pages in the WAL, of 4 KiB each, from which on they are written to the file; those that have been do not count.
const DUE: i64 = 1_000;
/// Pages from which on the WAL is to begin anew,
const LONG: i64 = 8_000;
/// and from which on its file is cut as well: a reader has kept it from beginning anew.
const FAR: i64 = 64_000;

/// The connection that writes, for those who take turns with it.
pub(super) type Writer = Arc<Mutex<Option<Connection>>>;

#[derive(Debug, Default)]
struct Wal {
    /// Pages in it as of the last commit.
    pages: i64,
    /// Of these such as are in the file, too.
    written: i64,
    stopping: bool,
}

/// How far the WAL has grown, for whoever commits and whoever writes its pages to the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Growth(Arc<(Mutex<Wal>, Condvar)>);

impl Growth {
    /// A commit has left so many pages in the WAL.
    pub(super) fn committed(&self, pages: i64) {
        let (wal, grown) = &*self.0;
        let mut wal = super::lock(wal);
        if pages < wal.pages {
            // It has begun anew.
            wal.written = 0;
        }
        wal.pages = pages;
        if pages - wal.written >= DUE {
            grown.notify_one();
        }
    }

    /// Waits until there is something to do; the pages in the WAL, or `None` at the end.
    fn due(&self) -> Option<i64> {
        let (wal, grown) = &*self.0;
        let idle = |wal: &mut Wal| !wal.stopping && wal.pages - wal.written < DUE;
        let wal = grown.wait_while(super::lock(wal), idle).unwrap_or_else(PoisonError::into_inner);
        (!wal.stopping).then_some(wal.pages)
    }

    /// Pages have been dealt with: as many are in the file, or will be tried again when there are as many more as make it worth it.
    fn dealt_with(&self, pages: i64) {
        let mut wal = super::lock(&self.0.0);
        wal.written = pages.min(wal.pages);
    }

    fn stop(&self) {
        super::lock(&self.0.0).stopping = true;
        self.0.1.notify_one();
    }
}

/// The thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Checkpoints {
    pub(super) growth: Growth,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts it, on a connection of its own.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(connection: Connection, writer: Writer) -> std::io::Result<Self> {
        let growth = Growth::default();
        let grown = growth.clone();
        let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(move || run(&connection, &writer, &grown))?;
        Ok(Self { growth, thread: Some(thread) })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.growth.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, writer: &Mutex<Option<Connection>>, growth: &Growth) {
    let mut failing = false;
    while let Some(pages) = growth.due() {
        let mut result = checkpoint(connection, "PASSIVE");
        if pages >= LONG && result.is_ok() {
            // What came meanwhile is little; commits wait for their turn here, and not by trying again and again.
            let _turn = super::lock(writer);
            result = checkpoint(connection, if pages >= FAR { "TRUNCATE" } else { "RESTART" });
        }
        if let Err(error) = &result
            && !failing
        {
            tracing::error!("what is in the store's WAL cannot be written to its file, and is kept in the WAL: {error}");
        }
        failing = result.is_err();
        growth.dealt_with(pages);
    }
}

/// Writes what nobody still reads in an older state. That readers are in the way is no error: next time they are gone.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}
