//! What the tests share: a call builder, the bundled cases, a real server on a free port, the real program.

pub mod postgres;
pub mod tables;

use std::ffi::OsStr;
use std::future::Future;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use callgrade::core::event::{Event, EventKind, Hangup, Party, Speaker, Utterance};
use callgrade::core::script::Script;
use callgrade::ingest::Limits;
use callgrade::script::ScriptChoice;
use callgrade::script::{Bundle, Library, case};
use callgrade::service::tenant::Tenants;
use callgrade::service::{Outbox, Patience, Service, StreamEvent, Told, tenant};
use callgrade::store::{Location, Store};
use callgrade::transport::{self, ServerOptions};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use tokio::sync::oneshot;
use tonic::transport::Channel;

pub fn script(id: &str) -> Arc<Script> {
    Library::bundled().expect("the bundled scripts compile").get(id).expect("a bundled script")
}

/// Every case of every bundled script: script, case.
pub fn all_cases() -> &'static [(Arc<Script>, case::Case)] {
    static CASES: OnceLock<Vec<(Arc<Script>, case::Case)>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut all = Vec::new();
        for script in Library::bundled().expect("the bundled scripts compile").iter() {
            for (path, text) in script.files.iter().filter(|(path, _)| path.starts_with("cases/")) {
                let cases = case::parse(text).unwrap_or_else(|error| panic!("{}/{path}: {error}", script.id));
                all.extend(cases.into_iter().map(|case| (Arc::clone(script), case)));
            }
        }
        all
    })
}

pub fn events_of(script: &Script, case: &case::Case) -> Vec<Event> {
    case.events(script.speaking_rate).unwrap_or_else(|error| panic!("{error}"))
}

/// A development file at `$CALLGRADE_DATA`, else beside the project.
pub fn data(file: &str) -> Option<PathBuf> {
    let folder =
        std::env::var_os("CALLGRADE_DATA").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    Some(folder.join(file)).filter(|path| path.exists())
}

/// Builds a call line by line, each utterance after the one before.
#[derive(Clone, Default)]
pub struct CallBuilder {
    events: Vec<Event>,
    at_ms: u32,
}

impl CallBuilder {
    pub fn new() -> Self {
        Self { events: Vec::new(), at_ms: 8_000 }
    }

    pub fn event(mut self, kind: EventKind) -> Self {
        self.events.push(Event { at_ms: self.at_ms, kind });
        self
    }

    pub fn answered(self) -> Self {
        self.event(EventKind::Answered)
    }

    pub fn says(mut self, speaker: Speaker, node: &str, text: &str) -> Self {
        let duration_ms = (text.chars().count() as f64 / 4.5 * 1000.0) as u32;
        self.events.push(Event { at_ms: self.at_ms, kind: EventKind::Utterance(utterance(speaker, node, text, duration_ms)) });
        self.at_ms += duration_ms + 200;
        self
    }

    pub fn robot(self, node: &str, text: &str) -> Self {
        self.says(Speaker::Robot, node, text)
    }

    pub fn customer(self, text: &str) -> Self {
        self.says(Speaker::Customer, "", text)
    }

    pub fn hangup(self, by: Party) -> Self {
        self.event(EventKind::Hangup(Box::new(Hangup { by: Some(by), ..Hangup::default() })))
    }

    pub fn build(self) -> Vec<Event> {
        self.events
    }
}

pub fn utterance(speaker: Speaker, node: &str, text: &str, duration_ms: u32) -> Utterance {
    Utterance { speaker, text: text.into(), duration_ms, node_id: node.into(), played: None, utterance_id: "".into(), interim: false }
}

/// A case's call, head and all.
pub fn case_message(call_id: &str, script: &Script, case: &case::Case) -> v1::Call {
    let (started_at, time_zone) = head_of(case);
    v1::Call { started_at, time_zone, ..call_message(call_id, &script.id, &events_of(script, case)) }
}

/// When a case's call began and in which time zone, as the wire has it.
pub fn head_of(case: &case::Case) -> (Option<pbjson_types::Timestamp>, String) {
    let started_at = case.started_at().unwrap_or_else(|error| panic!("{error}"));
    (started_at.map(|(seconds, nanos)| pbjson_types::Timestamp { seconds, nanos }), case.time_zone().to_owned())
}

pub fn call_message(call_id: &str, script_id: &str, events: &[Event]) -> v1::Call {
    v1::Call {
        call_id: call_id.to_owned(),
        script_id: script_id.to_owned(),
        events: events.iter().map(callgrade::wire::event).collect(),
        ..v1::Call::default()
    }
}

/// A stream's message; the first of a call names the script.
pub fn stream_message(call_id: &str, script_id: &str, seq: u32, event: &Event) -> v1::StreamCallsRequest {
    v1::StreamCallsRequest {
        call_id: call_id.to_owned(),
        seq,
        event: Some(callgrade::wire::event(event)),
        script_id: if seq == 1 { script_id.to_owned() } else { String::new() },
        ..v1::StreamCallsRequest::default()
    }
}

/// Takes events in one by one, over one stream; what is told of them.
pub fn take_in(service: &Arc<Service>, owner: &Arc<Outbox>, events: impl IntoIterator<Item = StreamEvent>) -> Vec<Told> {
    let tenant = service.tenants.of(tenant::DEFAULT);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut told = Vec::new();
        for event in events {
            told.extend(service.take_in(&tenant, Some(owner), vec![event]).await);
        }
        told
    })
}

/// The verdict of a call as of now.
pub fn verdict(service: &Service, call_id: &str) -> Option<v1::Verdict> {
    service.verdict(&service.tenants.of(tenant::DEFAULT), call_id).ok()
}

/// Equality of verdicts as the contract has it: without `revision`, `notices` and `ended_by`.
pub fn comparable(verdict: &v1::Verdict) -> v1::Verdict {
    v1::Verdict { revision: 0, notices: Vec::new(), ended_by: String::new(), ..verdict.clone() }
}

/// A real server on a free port.
pub struct TestServer {
    pub address: String,
    stop: Option<oneshot::Sender<()>>,
    done: Option<tokio::task::JoinHandle<()>>,
    /// Where it keeps its calls.
    folder: Option<tempfile::TempDir>,
}

impl TestServer {
    pub async fn start(patience: Patience, limits: Limits) -> Self {
        Self::start_with(Library::bundled().expect("the bundled scripts compile"), patience, limits).await
    }

    /// With scripts of its own.
    pub async fn start_with(library: Library, patience: Patience, limits: Limits) -> Self {
        let scripts = ScriptChoice::new(library, None).expect("a choice");
        Self::start_service(Service::new(scripts, limits, patience), ServerOptions::default()).await
    }

    /// With tenants and options of its own.
    pub async fn start_guarded(tenants: Tenants, options: ServerOptions) -> Self {
        let scripts = ScriptChoice::new(Library::bundled().expect("the bundled scripts compile"), None).expect("a choice");
        Self::start_service(Service::forgetting(scripts, tenants, Patience::default()), options).await
    }

    /// With options of its own, and a store.
    pub async fn start_keeping(options: ServerOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scripts = ScriptChoice::new(Library::bundled().expect("the bundled scripts compile"), None).expect("a choice");
        let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("a store");
        let (linger, metrics) = (Duration::from_micros(500), Arc::default());
        let service = Service::keeping(scripts, Tenants::default(), Patience::default(), store, linger, metrics, Box::new(|_, _, _| ()));
        let mut server = Self::start_service(service.expect("the store answers"), options).await;
        server.folder = Some(folder);
        server
    }

    /// Of a service and with options of its own.
    pub async fn start_service(service: Arc<Service>, options: ServerOptions) -> Self {
        let (listener, address) = transport::listen("127.0.0.1:0").await.expect("a free port");
        let (stop, stopped) = oneshot::channel();
        let serving = transport::serve(service, listener, options, async {
            let _ = stopped.await;
        });
        let done = tokio::spawn(async { serving.await.expect("the server runs") });
        Self { address: address.to_string(), stop: Some(stop), done: Some(done), folder: None }
    }

    pub async fn client(&self) -> GradingClient<Channel> {
        GradingClient::connect(format!("http://{}", self.address)).await.expect("the server answers")
    }

    pub fn tell_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    pub async fn stopped(&mut self) {
        self.tell_to_stop();
        if let Some(done) = self.done.take() {
            done.await.expect("the server ends");
        }
    }
}

/// Longer than anything that a test waits for: what has not come by then never will.
pub const NEVER: Duration = Duration::from_secs(600);

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    match runtime.block_on(async { tokio::time::timeout(NEVER, future).await }) {
        Ok(done) => done,
        Err(_) => {
            // It may wait for what hangs.
            runtime.shutdown_background();
            panic!("waited in vain for {NEVER:?}");
        }
    }
}

/// Waits until it holds. What never does fails the test in the end, and nothing depends on how long it takes.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < NEVER / 10, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A process's exit code once it has ended by itself; `None` if it was killed, or has to be because it does not end.
pub fn exit_code(process: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(status) = process.try_wait().expect("it can be waited for") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    process.kill().expect("it is ours");
    process.wait().expect("it ends");
    None
}

/// Python, to be ended with its stack told should it hang.
pub fn python(python: &OsStr) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal", "ABRT", &NEVER.as_secs().to_string()]).arg(python);
    command.env("PYTHONFAULTHANDLER", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Writes a script's files into a folder of scripts.
pub fn write_bundle(bundle: &Bundle, folder: &Path) {
    for (path, text) in &bundle.files {
        let file = folder.join(&bundle.name).join(path);
        std::fs::create_dir_all(file.parent().expect("its folder")).expect("the folder is made");
        std::fs::write(file, text).expect("the file is written");
    }
}

/// The real program, with no setting from the environment that the tests run in.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callgrade"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CALLGRADE_")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
    command
}

/// Runs the real program.
pub fn callgrade(args: &[&str], input: &[u8]) -> Output {
    use std::io::Write;
    let mut child =
        program().args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("its input was written");
    output
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asks a server over HTTP/1.1; the status, and the body.
pub async fn get(address: &str, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut connection = tokio::net::TcpStream::connect(address).await.expect("the server listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
}

/// `callgrade serve` as a process, which does not outlive its test.
pub struct RunningServer {
    process: Child,
    pub address: String,
    log: Option<std::thread::JoinHandle<String>>,
}

impl RunningServer {
    /// On a free port, keeping nothing.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(program().args(["serve", "--listen", "127.0.0.1:0", "--store", "none"]).args(arguments))
    }

    /// A command that serves, and says where on its first line.
    pub fn start_with(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("callgrade starts");
        let mut errors = process.stderr.take().expect("its stderr is ours");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).expect("its log is text");
            log
        });
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its stdout is ours")).read_line(&mut line).expect("it says where it listens");
        let address = line.trim_end().strip_prefix("listening on ").map(str::to_owned);
        let mut server = Self { process, address: address.unwrap_or_default(), log: Some(log) };
        if server.address.is_empty() {
            panic!("its first line is {line:?}: {}", server.log());
        }
        server
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "{name} was sent");
    }

    /// Its exit code, once it has gone; `None` if it was killed, or does not go.
    pub fn exit_code(&mut self) -> Option<i32> {
        exit_code(&mut self.process)
    }

    /// What it wrote to standard error, once it has gone.
    pub fn log(&mut self) -> String {
        self.log.take().and_then(|log| log.join().ok()).unwrap_or_default()
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // An error means that it has gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
