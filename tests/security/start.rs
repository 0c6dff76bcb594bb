//! How the real program starts: where it listens, and what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::tls::{Authority, Files};
use crate::support::{callgrade, stderr};

/// A server that does not outlive its test.
pub(super) struct Server {
    process: Child,
    address: String,
}

impl Server {
    pub(super) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_callgrade"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("callgrade starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its stdout is ours")).read_line(&mut line).expect("it says where it listens");
        let address = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("its first line is {line:?}")).to_owned();
        Self { process, address }
    }

    /// What a request is answered, as it stands on the wire.
    pub(super) fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer
    }

    /// Ends it; what it said on stderr.
    fn stop(mut self) -> String {
        // An error means that it has gone already.
        let _ = self.process.kill();
        let mut told = String::new();
        self.process.stderr.take().expect("its stderr is ours").read_to_string(&mut told).expect("text");
        told
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors mean that it has gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const EVERYWHERE: [&str; 5] = ["serve", "--store", "none", "--listen", "0.0.0.0:0"];

/// What the program says last when it does not start, the port left out.
fn refusal(arguments: &[&str]) -> String {
    let output = callgrade(&[&EVERYWHERE, arguments].concat(), b"");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    let port = regex::Regex::new(r"0\.0\.0\.0:\d+").expect("a pattern");
    let told = stderr(&output);
    port.replace(told.lines().last().unwrap_or_default(), "ADDR").into_owned()
}

const TLS: &str = "TLS (--tls-cert and --tls-key)";
const KEYS: &str =
    "API keys (callgrade keys create), tokens (--jwt-jwks, --jwt-key or --jwt-secret-file) or client certificates (--tls-client-ca)";

#[test]
fn it_does_not_listen_where_others_can_reach_it_without_tls_and_keys() {
    let (authority, files) = (Authority::new(), Files::new());
    let tls = files.pair(&authority.issue("localhost"));
    let secret = files.write("secret", &"s".repeat(32));
    let [cert, key, secret] = [&tls.cert, &tls.key, &secret].map(|path| path.to_str().expect("a path"));
    let told = |lacks: &str| {
        format!("callgrade: will not listen on ADDR, where others can reach it, without {lacks}; --insecure does it all the same")
    };
    assert_eq!(refusal(&[]), told(&format!("{TLS}, and without {KEYS}")));
    assert_eq!(refusal(&["--jwt-secret-file", secret]), told(TLS));
    assert_eq!(refusal(&["--tls-cert", cert, "--tls-key", key]), told(KEYS));
    assert_eq!(
        refusal(&["--tls-cert", cert, "--tls-key", secret]),
        format!("callgrade: {secret} holds no private key in PEM"),
        "files are read before anything listens"
    );
    assert_eq!(refusal(&["--jwt-key", secret]), format!("callgrade: {secret} is no public key in PEM: RSA, EC P-256 or Ed25519"));
}

#[test]
fn on_loopback_it_says_that_everyone_is_let_in() {
    let server = Server::start(&["--store", "none"]);
    let address = server.address.clone();
    let told = server.stop();
    let notice = format!("there are no keys and no tokens: whoever on this machine connects to {address} may do everything");
    assert!(told.lines().any(|line| line.contains(&notice)), "{told}");
    let files = Files::new();
    let secret = files.write("secret", &"s".repeat(32));
    let told = Server::start(&["--store", "none", "--jwt-secret-file", secret.to_str().expect("a path")]).stop();
    assert!(!told.contains("there are no keys"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_hangup_does_not_end_it() {
    let server = Server::start(&["--store", "none"]);
    let told = Command::new("sh").args(["-c", &format!("kill -HUP {}", server.process.id())]).status().expect("a shell");
    assert!(told.success());
    // Were it to end, it would be before it answers: the signal is there first.
    for _ in 0..3 {
        let answer = server.ask("GET /v1/scripts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}
