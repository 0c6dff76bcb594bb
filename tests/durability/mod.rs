//! Nothing acknowledged is lost and no verdict is doubled, whatever is killed: real servers, real processes, real disks.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use callgrade::script::{Library, ScriptChoice};
use callgrade::service::journal::OnCommit;
use callgrade::service::tenant::Tenants;
use callgrade::service::{Patience, Service, Stage};
use callgrade::store::records::Filter;
use callgrade::store::{Location, Store};
use callgrade::transport::{self, ServerOptions};
use callgrade::wire::v1;
use callgrade::wire::v1::stream_calls_response::Response;
use prost::Message;

use crate::support::postgres::PostgresServer;
use crate::support::{NEVER, block_on, callgrade, comparable, program, stdout, stream_message};

mod disk;
mod load;
mod process;
mod refused;
mod sync;

use load::{Dialled, Progress, calls, dial, jsonl};
use process::{Process, kill_at_start};

/// What `classify` says of the calls, by id.
fn classified(calls: &[Dialled]) -> BTreeMap<String, v1::Verdict> {
    let output = callgrade(&["classify", "-"], &jsonl(calls));
    assert!(output.status.success());
    let verdict = |line: &str| serde_json::from_str::<v1::Verdict>(line).expect("a verdict");
    stdout(&output).lines().map(verdict).map(|verdict| (verdict.call_id.clone(), verdict)).collect()
}

/// Every event is in the store, and each call has one final verdict, the one that `classify` gives.
fn check(store: &Store, calls: &[Dialled]) {
    let expected = classified(calls);
    assert_eq!(expected.len(), calls.len());
    let ids: Vec<&str> = calls.iter().map(|call| call.call_id.as_str()).collect();
    let kept = store.find("default", &ids).expect("the store is read");
    assert_eq!(kept.len(), calls.len(), "every call is kept once");
    let kept: BTreeMap<&str, _> = kept.iter().map(|call| (&*call.head.call_id, call)).collect();
    for call in calls {
        let stored = kept[call.call_id.as_str()];
        let seqs: Vec<u32> = stored.events.iter().map(|row| row.seq).collect();
        assert_eq!(seqs, (1..=call.events.len() as u32).collect::<Vec<u32>>(), "{}: its events", call.call_id);
        let history = store.history(stored.head.id).expect("the store is read");
        let verdicts: Vec<v1::Verdict> = history.iter().map(|body| v1::Verdict::decode(&**body).expect("a verdict")).collect();
        assert_eq!(verdicts.iter().map(|verdict| verdict.revision).collect::<Vec<u32>>(), [1], "{}: its final verdicts", call.call_id);
        assert_eq!(comparable(&verdicts[0]), comparable(&expected[&call.call_id]), "{}", call.call_id);
        assert_eq!(stored.head.label, expected[&call.call_id].label, "{}", call.call_id);
    }
}

/// A number that is different at each run, for moments of killing.
fn chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

#[test]
fn nothing_is_lost_when_the_server_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    // While it makes its tables, and while it finds them made.
    for _ in 0..4 {
        kill_at_start(folder.path(), Duration::from_millis(chance() % 60));
    }
    let store = folder.path().to_string_lossy().into_owned();
    let calls = Arc::new(calls(2_000));
    killed(&calls, &store, 10, |_| Victim::Server);
    check(&Store::open(&Location::Directory(folder.path().to_owned())).expect("the store opens"), &calls);
}

#[test]
fn nothing_is_lost_when_postgresql_is_killed() {
    let Some(mut postgres) = PostgresServer::start() else {
        println!("skipped: nothing_is_lost_when_postgresql_is_killed (PostgreSQL is not installed)");
        return;
    };
    let url = postgres.database("killed");
    let calls = Arc::new(calls(2_000));
    killed(&calls, &url, 10, |kill| match kill % 3 {
        // Under a server that goes on, and together with it.
        0 => {
            postgres.kill();
            postgres.run();
            Victim::Nobody
        }
        1 => {
            postgres.kill();
            postgres.run();
            Victim::Server
        }
        _ => Victim::Server,
    });
    check(&Store::open(&Location::Postgres(url)).expect("the store opens"), &calls);
}

/// Who is killed.
enum Victim {
    Server,
    /// Somebody else has been.
    Nobody,
}

/// Sends the calls over two streams and strikes so many times, each time after another share of the events.
fn killed(calls: &Arc<Vec<Dialled>>, store: &str, kills: usize, mut strike: impl FnMut(usize) -> Victim) {
    let total: usize = calls.iter().map(|call| call.events.len()).sum();
    let mut server = Process::start(store, &[]);
    let progress = Arc::new(Progress::default());
    progress.address.lock().expect("an address").clone_from(&server.address);
    block_on(async {
        let half = calls.len() / 2;
        let dialling: Vec<_> = [0, 1]
            .into_iter()
            .map(|part| {
                let (calls, progress) = (Arc::clone(calls), Arc::clone(&progress));
                let range = if part == 0 { 0..half } else { half..calls.len() };
                tokio::spawn(async move { dial(&calls[range], progress, part).await })
            })
            .collect();
        for kill in 1..=kills {
            let step = total / (kills + 1);
            let at = kill * step - (chance() as usize % (step / 2));
            progress.until("events are acknowledged", || progress.acked.load(Ordering::Relaxed) >= at).await;
            if let Victim::Server = tokio::task::block_in_place(|| strike(kill)) {
                // Its port may be somebody else's by the time a dialer tries it again.
                progress.address.lock().expect("an address").clear();
                server.kill();
                server = Process::start(store, &[]);
                progress.address.lock().expect("an address").clone_from(&server.address);
            }
        }
        for dialled in dialling {
            dialled.await.expect("the calls are sent");
        }
        drop(server);
    });
    let heard = progress.finals.lock().expect("verdicts");
    assert!(heard.values().all(|revisions| revisions.len() == 1), "a call was heard to end twice");
    assert_eq!(progress.acked.load(Ordering::Relaxed), total);
}

#[test]
fn live_calls_go_on_where_they_stood() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_string_lossy().into_owned();
    let call = &calls(1)[0];
    let (first, rest) = call.events.split_at(call.events.len() - 1);
    let state = |server: &Process| {
        block_on(async {
            let mut client = v1::grading_client::GradingClient::connect(format!("http://{}", server.address)).await.expect("it answers");
            client.get_call_state(v1::GetCallStateRequest { call_id: "call-0".to_owned() }).await.map(tonic::Response::into_inner)
        })
    };
    let server = Process::start(&store, &[]);
    assert_eq!(state(&server).expect_err("no call yet").code(), tonic::Code::NotFound);
    let progress = Arc::new(Progress::default());
    progress.address.lock().expect("an address").clone_from(&server.address);
    let part = [Dialled { call_id: call.call_id.clone(), script_id: call.script_id.clone(), events: first.to_vec() }];
    block_on(dial(&part, Arc::clone(&progress), 0));
    let before = state(&server).expect("the call");
    assert_eq!((before.last_seq, before.r#final, before.revision), (first.len() as u32, false, 0));
    server.kill();
    // Idle time has run on while nobody was there.
    let server = Process::start(&store, &[]);
    assert_eq!(state(&server).expect("the call"), before);
    let whole = [Dialled { call_id: call.call_id.clone(), script_id: call.script_id.clone(), events: [first, rest].concat() }];
    progress.address.lock().expect("an address").clone_from(&server.address);
    block_on(dial(&whole, Arc::clone(&progress), 2));
    let after = state(&server).expect("the call");
    assert_eq!((after.last_seq, after.r#final, after.revision), (whole[0].events.len() as u32, true, 1));
    server.kill();
    check(&Store::open(&Location::Directory(folder.path().to_owned())).expect("the store opens"), &whole);
}

#[test]
fn idle_time_runs_on_while_the_server_is_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_string_lossy().into_owned();
    let server = Process::start(&store, &[]);
    let call = calls(1).remove(0);
    let part = [Dialled { events: call.events[..1].to_vec(), ..call }];
    let progress = Arc::new(Progress::default());
    progress.address.lock().expect("an address").clone_from(&server.address);
    block_on(dial(&part, Arc::clone(&progress), 0));
    server.kill();
    std::thread::sleep(Duration::from_millis(300));
    let _server = Process::start(&store, &["--idle-ms", "200"]);
    let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("the store opens");
    let ended = || store.find("default", &["call-0"]).expect("the store is read")[0].head.clone();
    let begun = std::time::Instant::now();
    while ended().ended_ms.is_none() {
        assert!(begun.elapsed() < NEVER / 10, "the idle call was not ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(ended().ended_by, "idle");
    assert_eq!(store.history(ended().id).expect("the store is read").len(), 1);
}

#[test]
fn a_server_that_waits_for_a_store_is_stopped_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = Process::start(&text(folder.path()), &[]);
    let mut second = program();
    second.args(["serve", "--listen", "127.0.0.1:0", "--store"]).arg(folder.path());
    let mut second = second.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the server starts");
    let mut said = std::io::BufReader::new(second.stderr.take().expect("what it says"));
    let mut line = String::new();
    while !line.contains("waiting for it to go") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut said, &mut line).expect("a line") > 0, "it has ended");
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&second), rustix::process::Signal::TERM).expect("it waits");
    let output = second.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""));
}

#[test]
fn two_servers_do_not_share_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_string_lossy().into_owned();
    let _first = Process::start(&store, &[]);
    let output = callgrade(&["serve", "--listen", "127.0.0.1:0", "--store", &store], b"");
    assert_eq!(output.status.code(), Some(2));
    let (told, in_use) = (crate::support::stderr(&output), format!("{store} is in use by another callgrade server"));
    assert!(told.contains(&format!("{in_use}; waiting for it to go")), "{told}");
    assert!(told.ends_with(&format!("\ncallgrade: {in_use}\n")), "{told}");
}

#[test]
fn a_server_whose_store_is_removed_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let store = folder.path().join("store");
    let server = Process::start_logging(&store.display().to_string(), std::fs::File::create(&log).expect("a file"));
    std::fs::remove_dir_all(&store).expect("it is removed");
    assert_eq!(server.end(), Some(2));
    let told = std::fs::read_to_string(&log).expect("its log");
    let said = format!("the server cannot go on: {} has been removed: what it takes would be lost with it", store.display());
    assert!(told.contains(&said), "{told}");
}

#[test]
fn a_server_whose_store_another_has_taken_over_ends() {
    let Some(mut postgres) = PostgresServer::start() else {
        println!("skipped: a_server_whose_store_another_has_taken_over_ends (PostgreSQL is not installed)");
        return;
    };
    let url = postgres.database("taken");
    let location = Location::Postgres(url.clone());
    let mut log = tempfile::NamedTempFile::new().expect("a file");
    let server = Process::start_logging(&url, log.reopen().expect("the file"));
    // It asks for its lock again every so often: whoever comes in between has it.
    let other = loop {
        postgres.kill();
        postgres.run();
        let other = Store::open(&location).expect("the store opens");
        if other.claim().is_ok() {
            break other;
        }
    };
    assert_eq!(server.end(), Some(2));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut log, &mut said).expect("the log");
    let place = other.place();
    let reason = format!("another server has taken the store over: {place} is in use by another callgrade server");
    assert!(said.contains(&format!("the server cannot go on and ends: {reason}")), "{said}");
    assert!(said.ends_with(&format!("callgrade: the server cannot go on: {reason}\n")), "{said}");
}

#[test]
fn a_server_whose_journal_has_ended_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("a store");
        let scripts = ScriptChoice::new(Library::bundled().expect("the bundled scripts compile"), None).expect("a choice");
        let fault: OnCommit = Box::new(|_, _, _| panic!("a fault"));
        let (linger, metrics) = (Duration::ZERO, Arc::default());
        let service = Service::keeping(scripts, Tenants::default(), Patience::default(), store, linger, metrics, fault).expect("a service");
        let (listener, address) = transport::listen("127.0.0.1:0").await.expect("a free port");
        let serving = tokio::spawn(transport::serve(Arc::clone(&service), listener, ServerOptions::default(), std::future::pending()));
        let mut client = v1::grading_client::GradingClient::connect(format!("http://{address}")).await.expect("it answers");
        let call = &calls(1)[0];
        let first = stream_message(&call.call_id, &call.script_id, 1, &call.events[0]);
        let requests = tokio_stream::StreamExt::chain(tokio_stream::once(first), tokio_stream::pending());
        let mut answers = client.stream_calls(requests).await.expect("a stream").into_inner();
        // It may have been written, and nobody knows: it is not acknowledged.
        while let Ok(Some(answer)) = answers.message().await {
            let Some(Response::Rejection(rejection)) = answer.response else { panic!("{answer:?}") };
            assert_eq!(rejection.status.expect("a status").message, "not kept, send it again: the store cannot be reached");
        }
        let ended = serving.await.expect("it ends").expect_err("not as it was told to");
        assert_eq!(ended.to_string(), "the server cannot go on: its journal has ended by a fault of the program");
        assert_eq!(service.readiness.stage(), Stage::Draining);
    });
}

#[test]
fn what_no_database_takes_is_refused_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_string_lossy().into_owned();
    let server = Process::start(&store, &["--idle-ms", "300", "--gap-ms", "200"]);
    let event = v1::CallEvent { at_ms: 1, event: Some(v1::call_event::Event::Hangup(v1::Hangup::default())) };
    let request = |call_id: &str, value: &str| v1::StreamCallsRequest {
        call_id: call_id.to_owned(),
        seq: 1,
        event: Some(event.clone()),
        script_id: "telemarketing".to_owned(),
        attributes: [("line".to_owned(), value.to_owned())].into(),
        ..v1::StreamCallsRequest::default()
    };
    let told = block_on(async {
        let mut client = v1::grading_client::GradingClient::connect(format!("http://{}", server.address)).await.expect("it answers");
        let nowhere = |call_id: &str, seq: u32| v1::StreamCallsRequest { seq, ..request(call_id, "1") };
        let long = "长".repeat(200);
        let requests = tokio_stream::iter([
            request("nul\0", "1"),
            request(&long, "1"),
            nowhere("from-0", 0),
            nowhere("too-far", u32::MAX),
            nowhere("ahead", 2),
            request("fine", "a\0b"),
        ]);
        let mut answers = client.stream_calls(requests).await.expect("a stream").into_inner();
        let mut told = Vec::new();
        while let Some(answer) = answers.message().await.expect("no error") {
            match answer.response {
                Some(Response::Rejection(rejection)) => told.push(rejection.status.expect("a status").message),
                Some(Response::Ack(ack)) => told.push(format!("{} {}", ack.call_id, ack.seq)),
                Some(Response::Verdict(_)) | None => {}
            }
        }
        told
    });
    assert_eq!(
        told,
        [
            "the call_id holds a NUL character",
            "the call_id has 600 bytes, more than 512",
            "seq counts from 1",
            "seq 4294967295 is beyond the last there can be",
            "fine 1",
            "ahead 2",
        ]
    );
    // Longer than a call may be idle: what has begun without an event ends without a trace.
    std::thread::sleep(Duration::from_millis(1_500));
    server.kill();
    let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("the store opens");
    let calls = store.list("default", &Filter::default(), None, 10).expect("the store is read");
    let mut kept: Vec<&str> = calls.iter().map(|call| &*call.call_id).collect();
    kept.sort_unstable();
    assert_eq!(kept, ["ahead", "fine"]);
    assert!(store.history(0).expect("the store is read").is_empty(), "no verdict is nobody's");
    let number = store.find("default", &["fine"]).expect("the store is read")[0].head.id;
    assert_eq!(store.attributes(&[number]).expect("the store is read")[&number]["line"], "a\u{FFFD}b");
}

/// Dials calls in the background.
fn dialling(server: &Process, calls: &Arc<Vec<Dialled>>) -> (Arc<Progress>, tokio::task::JoinHandle<()>) {
    let progress = Arc::new(Progress::default());
    progress.address.lock().expect("an address").clone_from(&server.address);
    let (calls, shared) = (Arc::clone(calls), Arc::clone(&progress));
    (progress, tokio::spawn(async move { dial(&calls, shared, 0).await }))
}

/// Waits until so many events were refused.
async fn refusals(progress: &Progress, count: usize) {
    progress.until("events are refused", || progress.refused.load(Ordering::Relaxed) >= count).await;
}

/// A folder as the command line takes it.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
