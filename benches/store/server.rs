//! A real server, and what it says of itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// `callgrade serve`, killed when dropped.
pub struct Server {
    process: Child,
    pub address: String,
}

impl Server {
    /// Starts it and waits until it listens.
    pub fn start(store: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callgrade"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CALLGRADE_")) {
            command.env_remove(name);
        }
        let mut process = command
            .args(["serve", "--listen", "127.0.0.1:0", "--store", store, "--log", "error", "--max-live-calls", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("callgrade starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let address = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("its first line is {line:?}")).to_owned();
        Self { process, address }
    }

    /// Ends it as a crash does.
    pub fn kill(self) {
        drop(self);
    }

    fn metrics(&self) -> String {
        let mut connection = TcpStream::connect(&self.address).expect("it listens");
        write!(connection, "GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address).expect("it is asked");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// One of its metrics.
    pub fn metric(&self, name: &str) -> f64 {
        let metrics = self.metrics();
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or_else(|| panic!("no {name} in {metrics}"))
    }

    /// Groups that it has committed, and their rows.
    pub fn commits(&self) -> (u64, u64) {
        (self.metric("callgrade_commit_rows_count") as u64, self.metric("callgrade_commit_rows_sum") as u64)
    }

    /// Groups committed since, and their rows.
    pub fn commits_since(&self, groups: u64, rows: u64) -> (u64, u64) {
        let (all, all_rows) = self.commits();
        (all - groups, all_rows - rows)
    }

    /// Its resident memory in bytes.
    pub fn resident(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse::<usize>().ok());
        kib.expect("its memory") * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
