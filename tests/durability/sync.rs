//! That acknowledgements wait for the disk: the system calls of the real server, delayed and made to fail by strace. Killing a
//! server cannot show it, for the system keeps what a dead process has written.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callgrade::store::{Location, Store};

use super::load::calls;
use super::process::Process;
use super::{check, dialling, refusals, text};
use crate::support::block_on;

/// How SQLite has the disk told to keep what was written.
const SYNC: &str = "fsync,fdatasync";

/// strace at work on a process; it lets go when dropped.
struct Trace {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Trace {
    /// Follows a process's `calls` and does to them what `inject` says; `None` where strace is missing or may not trace.
    fn attach(process: u32, calls: &str, inject: &str) -> Option<Self> {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let mut child = Command::new("strace")
            .args(["-f", "-ttt", "-T", "-y", "-e", &format!("trace={calls}"), "-e", &format!("inject={inject}"), "-o"])
            .arg(log.path())
            .args(["-p", &process.to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut told = BufReader::new(child.stderr.take()?).lines();
        let line = told.next()?.ok()?;
        if line.contains("attached") {
            // It goes on talking, of each thread that comes, and would end if nobody listened.
            std::thread::spawn(move || told.count());
            return Some(Self { child, log });
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    }

    /// Lets go; what it saw.
    fn end(mut self) -> String {
        // TERM, which strace obeys by letting go; an error means that it has gone already.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        std::fs::read_to_string(self.log.path()).expect("the log")
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// When each fdatasync of the log ended well, in seconds since 1970.
fn synced(log: &str) -> Vec<f64> {
    let seconds = |line: &str| -> Option<f64> {
        if !line.contains("sync") || !line.contains("= 0") {
            return None;
        }
        let began: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        if line.contains("resumed") {
            return Some(began);
        }
        let took: f64 = line.rsplit_once('<')?.1.trim_end_matches('>').parse().ok()?;
        Some(began + took)
    };
    log.lines().filter_map(seconds).collect()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

#[test]
fn no_acknowledgement_leaves_before_its_fdatasync_has_returned() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Process::start(&text(folder.path()), &[]);
    let Some(trace) = Trace::attach(server.id(), SYNC, &format!("{SYNC}:delay_enter=400000")) else {
        println!("skipped: no_acknowledgement_leaves_before_its_fdatasync_has_returned (strace is missing or may not trace)");
        return;
    };
    let mut acknowledged = Vec::new();
    block_on(async {
        for call in calls(3) {
            let one = Arc::new(vec![super::Dialled { events: call.events[..1].to_vec(), ..call }]);
            let sent = now();
            let (progress, dialling) = dialling(&server, &one);
            dialling.await.expect("the call is sent");
            assert_eq!(progress.acked.load(Ordering::Relaxed), 1);
            acknowledged.push((sent, now()));
        }
    });
    let synced = synced(&trace.end());
    for (sent, acked) in acknowledged {
        assert!(synced.iter().any(|at| sent < *at && *at <= acked), "sent {sent}, acknowledged {acked}, on disk {synced:?}");
    }
}

#[test]
fn what_cannot_be_synced_is_never_acknowledged() {
    refused_while(SYNC, &format!("{SYNC}:error=EIO"), "what_cannot_be_synced_is_never_acknowledged");
}

#[test]
fn a_disk_that_turns_read_only_refuses_and_recovers() {
    refused_while("pwrite64", "pwrite64:error=EROFS", "a_disk_that_turns_read_only_refuses_and_recovers");
}

/// While system calls fail nothing is acknowledged; when they no longer do, all is, and the store is as it should be.
fn refused_while(calls_traced: &str, inject: &str, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Process::start(&text(folder.path()), &[]);
    let Some(trace) = Trace::attach(server.id(), calls_traced, inject) else {
        println!("skipped: {name} (strace is missing or may not trace)");
        return;
    };
    let calls = Arc::new(calls(40));
    block_on(async {
        let (progress, dialling) = dialling(&server, &calls);
        refusals(&progress, 20).await;
        assert_eq!(progress.acked.load(Ordering::Relaxed), 0, "acknowledged and not on disk");
        drop(trace);
        dialling.await.expect("the calls are sent");
        tokio::time::sleep(Duration::from_millis(1)).await;
    });
    server.kill();
    check(&Store::open(&Location::Directory(folder.path().to_owned())).expect("the store opens"), &calls);
}
