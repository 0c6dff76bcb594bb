//! What the tests share: a call builder, the bundled cases, a real server on a free port, the real program.

pub mod postgres;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

use callgrade::core::event::{Event, EventKind, Hangup, Party, Speaker, Utterance};
use callgrade::core::script::Script;
use callgrade::ingest::Limits;
use callgrade::script::{Bundle, Library, case};
use callgrade::service::{Outbox, Patience, ScriptChoice, Service, StreamEvent, Told, tenant};
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
}

impl TestServer {
    pub async fn start(patience: Patience, limits: Limits) -> Self {
        Self::start_with(Library::bundled().expect("the bundled scripts compile"), patience, limits).await
    }

    /// With scripts of its own.
    pub async fn start_with(library: Library, patience: Patience, limits: Limits) -> Self {
        let scripts = ScriptChoice::new(library, None).expect("a choice");
        let service = Service::new(scripts, limits, patience);
        let (listener, address) = transport::listen("127.0.0.1:0").await.expect("a free port");
        let (stop, stopped) = oneshot::channel();
        let serving = transport::serve(service, listener, ServerOptions::default(), async {
            let _ = stopped.await;
        });
        let done = tokio::spawn(async { serving.await.expect("the server runs") });
        Self { address: address.to_string(), stop: Some(stop), done: Some(done) }
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

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
}

/// Writes a script's files into a folder of scripts.
pub fn write_bundle(bundle: &Bundle, folder: &Path) {
    for (path, text) in &bundle.files {
        let file = folder.join(&bundle.name).join(path);
        std::fs::create_dir_all(file.parent().expect("its folder")).expect("the folder is made");
        std::fs::write(file, text).expect("the file is written");
    }
}

/// Runs the real program.
pub fn callgrade(args: &[&str], input: &[u8]) -> Output {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_callgrade"))
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
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
