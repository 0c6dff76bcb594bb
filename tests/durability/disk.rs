//! Disks that fill up and disks that turn read-only: small file systems of our own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use callgrade::store::{Location, Store};

use super::load::{Dialled, calls};
use super::process::Process;
use super::{check, dialling, refusals, text};
use crate::support::{block_on, callgrade, get, stderr};

/// A file system in memory, unmounted when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// Of so many kibibytes; `None` where mounting is not allowed.
    fn mount(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }

    fn remount(&self, options: &str) {
        let remounted = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(self.0.path()).status().expect("mount runs");
        assert!(remounted.success());
    }

    /// Leaves so many bytes free; the file that takes the others.
    fn fill(&self, free: u64) -> PathBuf {
        let filler = self.path().join("filler");
        let mut file = std::fs::File::create(&filler).expect("a file");
        while file.write_all(&[1; 64 << 10]).is_ok() {}
        file.set_len(file.metadata().expect("its length").len() - free).expect("it is cut");
        filler
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.0.path()).status();
    }
}

/// A server whose store has little room left, calls that need more, and the file that takes the rest.
fn nearly_full(disk: &Disk) -> (Process, Arc<Vec<Dialled>>, PathBuf) {
    (Process::start(&text(disk.path()), &[]), Arc::new(calls(600)), disk.fill(512 << 10))
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let Some(disk) = Disk::mount(65_536) else {
        println!("skipped: a_full_disk_refuses_and_recovers (mounting a tmpfs is not allowed)");
        return;
    };
    let (server, calls, filler) = nearly_full(&disk);
    block_on(async {
        let (progress, dialling) = dialling(&server, &calls);
        refusals(&progress, 20).await;
        assert!(progress.acked.load(Ordering::Relaxed) > 0, "something found room");
        readyz(&server, &unready()).await;
        std::fs::remove_file(filler).expect("space returns");
        dialling.await.expect("the calls are sent");
        readyz(&server, &ready()).await;
    });
    server.kill();
    check(&Store::open(&Location::Directory(disk.path().to_owned())).expect("the store opens"), &calls);
}

#[test]
fn a_server_without_calls_finds_out_that_there_is_room_again() {
    let Some(disk) = Disk::mount(65_536) else {
        println!("skipped: a_server_without_calls_finds_out_that_there_is_room_again (mounting a tmpfs is not allowed)");
        return;
    };
    let (server, calls, filler) = nearly_full(&disk);
    block_on(async {
        // Where much found no room, little may have: dialled again until even what the server tries by itself, each second, finds none.
        loop {
            let (progress, dialling) = dialling(&server, &calls);
            refusals(&progress, 1).await;
            // Whoever sends goes away, as behind a load balancer that hears of it.
            dialling.abort();
            tokio::time::sleep(Duration::from_secs(2)).await;
            if get(&server.address, "/readyz").await == unready() {
                break;
            }
        }
        std::fs::remove_file(filler).expect("space returns");
        readyz(&server, &ready()).await;
    });
    server.kill();
}

/// What `/readyz` answers while the disk is full.
fn unready() -> (u16, String) {
    (503, r#"{"reason":"the disk is full","status":"unavailable"}"#.to_owned())
}

/// What it answers otherwise.
fn ready() -> (u16, String) {
    (200, r#"{"status":"ok"}"#.to_owned())
}

/// Waits until `/readyz` answers so.
async fn readyz(server: &Process, wanted: &(u16, String)) {
    let begun = Instant::now();
    loop {
        let told = get(&server.address, "/readyz").await;
        if told == *wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{told:?} and not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_read_only_disk_is_told_of_at_the_start() {
    let Some(disk) = Disk::mount(65_536) else {
        println!("skipped: a_read_only_disk_is_told_of_at_the_start (mounting a tmpfs is not allowed)");
        return;
    };
    Process::start(&text(disk.path()), &[]).kill();
    disk.remount("ro");
    let output = callgrade(&["serve", "--listen", "127.0.0.1:0", "--store", &text(disk.path())], b"");
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(
        told.starts_with("callgrade: the store is read-only (") || told.starts_with("callgrade: the store cannot be reached ("),
        "{told}"
    );
    disk.remount("rw");
    Process::start(&text(disk.path()), &[]).kill();
}
