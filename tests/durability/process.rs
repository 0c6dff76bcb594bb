//! The real server as a process, to be killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::exit_code;

/// A server that does not outlive its test.
pub struct Process {
    child: Child,
    pub address: String,
}

impl Process {
    /// Starts it and waits until it listens.
    pub fn start(store: &str, more: &[&str]) -> Self {
        Self::try_start(store, more).unwrap_or_else(|line| panic!("the server's first line is {line:?}"))
    }

    /// Starts it, on the same terms; what it said in place of its address.
    pub fn try_start(store: &str, more: &[&str]) -> Result<Self, String> {
        let mut child = command(store, more).stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        match line.trim_end().strip_prefix("listening on ") {
            Some(address) => Ok(Self { address: address.to_owned(), child }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(line)
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts it with all that it says on standard error going into a file.
    pub fn start_logging(store: &str, log: std::fs::File) -> Self {
        let mut child = command(store, &[]).stdout(Stdio::piped()).stderr(log).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let address = line.trim_end().strip_prefix("listening on ").expect("its address").to_owned();
        Self { child, address }
    }

    /// Waits until it ends by itself; its exit code, `None` if it does not end.
    pub fn end(mut self) -> Option<i32> {
        exit_code(&mut self.child)
    }

    /// Ends it as a crash does.
    pub fn kill(mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(store: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callgrade"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", store]).args(more).stderr(Stdio::null());
    command
}

/// Starts a server and kills it `after` that, wherever it has come to.
pub fn kill_at_start(store: &Path, after: Duration) {
    let mut child = command(&store.to_string_lossy(), &[]).stdout(Stdio::null()).spawn().expect("the server starts");
    std::thread::sleep(after);
    child.kill().expect("it is there");
    child.wait().expect("it ends");
}
