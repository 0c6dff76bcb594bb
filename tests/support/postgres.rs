//! A private PostgreSQL: from Debian's package, on a free port of 127.0.0.1, with a data directory of its own that is gone when it is.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Runs the server and stays with it: once the test that holds its standard input is gone, however it went, stops it and removes its
/// folder; told a word, kills it as a crash would and leaves the folder.
const GUARD: &str = r#"
folder=$1; shift
"$@" >>"$folder/log" 2>&1 &
server=$!
echo "$server"
if read -r _; then kill -KILL "$server"; wait "$server"; else kill -QUIT "$server"; wait "$server"; rm -rf "$folder"; fi
"#;

/// How long a start may take, recovery of a crashed one included.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of its own.
pub struct PostgresServer {
    folder: PathBuf,
    binaries: PathBuf,
    account: Option<(u32, u32)>,
    pub port: u16,
    guard: Option<Child>,
}

/// The newest PostgreSQL of Debian's packages.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, path)| path.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

/// PostgreSQL refuses to run as root: whom it runs as instead, user and group.
fn account() -> Option<(u32, u32)> {
    let status = std::fs::read_to_string("/proc/self/status").expect("what we are");
    let root = status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    let accounts = std::fs::read_to_string("/etc/passwd").expect("the accounts");
    let of = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    root.then(|| of("postgres").or_else(|| of("nobody")).expect("an account that is not root's"))
}

impl PostgresServer {
    /// Starts one; `None` where PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let binaries = binaries()?;
        let account = account();
        let folder = tempfile::Builder::new().prefix("callgrade-postgres-").tempdir().expect("a folder").keep();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
        if let Some((user, group)) = account {
            chown(&folder, Some(user), Some(group)).expect("it is theirs");
        }
        let mut server = Self { folder, binaries, account, port: 0, guard: None };
        let made = server
            .command("initdb")
            .arg("--pgdata")
            .arg(server.folder.join("data"))
            .args(["--username=callgrade", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"])
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        server.run();
        Some(server)
    }

    /// A program of PostgreSQL's, as whom it runs.
    fn command(&self, program: &str) -> Command {
        self.as_account(Command::new(self.binaries.join(program)))
    }

    fn as_account(&self, mut command: Command) -> Command {
        command.current_dir(&self.folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts it on its data, which it recovers first where it was killed.
    pub fn run(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let mut guard = self.as_account(Command::new("/bin/sh"));
            guard
                .args(["-c", GUARD, "sh"])
                .arg(&self.folder)
                .arg(self.binaries.join("postgres"))
                .arg("-D")
                .arg(self.folder.join("data"))
                .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on"])
                .args(["-c", &format!("unix_socket_directories={}", self.folder.display())])
                .args(["-c", "max_connections=200"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .process_group(0);
            let mut guard = guard.spawn().expect("a shell");
            let mut number = String::new();
            BufReader::new(guard.stdout.take().expect("its output")).read_line(&mut number).expect("the server's number");
            let running = || {
                let state = std::fs::read_to_string(Path::new("/proc").join(number.trim()).join("stat")).unwrap_or_default();
                state.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z') && !rest.is_empty())
            };
            while running() && begun.elapsed() < PATIENCE {
                if postgres::Client::connect(&self.url("postgres"), postgres::NoTls).is_ok() {
                    self.guard = Some(guard);
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // It went: of one that was killed, children may have been left for a moment, and it does not start beside them.
            let mut stdin = guard.stdin.take().expect("its input");
            let _ = std::io::Write::write_all(&mut stdin, b"killed\n");
            let _ = guard.wait();
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL does not start: {}", self.log());
    }

    /// Has it answer by TLS, too, with this certificate and key, from its next start on.
    pub fn certify(&self, certificate: &str, key: &str) {
        use std::io::Write;
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let file = self.folder.join("data").join(name);
            std::fs::write(&file, text).expect("it is written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
            if let Some((user, group)) = self.account {
                chown(&file, Some(user), Some(group)).expect("it is theirs");
            }
        }
        let settings = std::fs::File::options().append(true).open(self.folder.join("data/postgresql.conf"));
        settings.expect("its settings").write_all(b"\nssl = on\n").expect("they are written");
    }

    /// Kills it as a crash would: no goodbye to anyone, nothing written that was not.
    pub fn kill(&mut self) {
        let mut guard = self.guard.take().expect("it runs");
        let mut stdin = guard.stdin.take().expect("its input");
        std::io::Write::write_all(&mut stdin, b"killed\n").expect("it is told");
        guard.wait().expect("it is gone");
    }

    /// What it says of itself.
    pub fn log(&self) -> String {
        let mut log = String::new();
        let _ = std::fs::File::open(self.folder.join("log")).and_then(|mut file| file.read_to_string(&mut log));
        log
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://callgrade@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database; its URL.
    pub fn database(&self, name: &str) -> String {
        let mut client = postgres::Client::connect(&self.url("postgres"), postgres::NoTls).expect("it answers");
        client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).expect("the database is made");
        self.url(name)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        match self.guard.take() {
            Some(mut guard) => {
                drop(guard.stdin.take());
                let _ = guard.wait();
            }
            None => drop(std::fs::remove_dir_all(&self.folder)),
        }
    }
}

/// The URL of a new database of the server that all tests share; `None`, with a word, where PostgreSQL is not installed.
pub fn shared_database(test: &str) -> Option<String> {
    static SHARED: OnceLock<Option<PostgresServer>> = OnceLock::new();
    static DATABASES: Mutex<u32> = Mutex::new(0);
    let Some(server) = SHARED.get_or_init(PostgresServer::start) else {
        println!("skipped: {test} (PostgreSQL is not installed)");
        return None;
    };
    let number = {
        let mut made = DATABASES.lock().expect("a count");
        *made += 1;
        *made
    };
    Some(server.database(&format!("test_{number}")))
}
