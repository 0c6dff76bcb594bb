//! The real server, talked to by a client that is not ours: Python's grpcio, with stubs made from reflection alone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that does not outlive its test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut process = crate::support::program()
            .args(["serve", "--listen", "127.0.0.1:0", "--gap-ms", "300", "--idle-ms", "3000"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("callgrade starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its stdout is ours")).read_line(&mut line).expect("it says where it listens");
        let address = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("its first line is {line:?}")).to_owned();
        Self { process, address }
    }

    /// Its exit code, once it has gone; `None` if it was killed, or does not go.
    fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait().expect("it can be waited for") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_python_client_made_from_reflection() {
    let Some(python) = std::env::var_os("CALLGRADE_PYTHON") else {
        println!("skipped: python client (CALLGRADE_PYTHON is not set; make test sets it)");
        return;
    };
    let mut server = Server::start();
    let output = Command::new(&python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/client"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("CALLGRADE_ADDR", &server.address)
        .env("CALLGRADE_PID", server.process.id().to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let told = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{told}");
    println!("{told}");
    // Its last test sends SIGTERM.
    assert_eq!(server.exit_code(), Some(0), "the server's exit code");
}
