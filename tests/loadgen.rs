//! `callgrade loadgen`, the real program against the real server.

use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use callgrade::store::records::Filter;
use callgrade::store::{Location, Store};
use serde_json::Value;

use crate::security::tls::{Authority, Files};
use crate::support::{RunningServer, block_on, callgrade, get, program, stderr, stdout};

fn loadgen(server: &str, args: &[&str]) -> Output {
    callgrade(&[&["loadgen", "--server", server], args].concat(), b"")
}

fn http(server: &RunningServer) -> String {
    format!("http://{}", server.address)
}

/// A server that keeps its calls.
fn keeping(store: &str, more: &[&str]) -> RunningServer {
    RunningServer::start_with(program().args(["serve", "--listen", "127.0.0.1:0", "--store", store]).args(more))
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|error| panic!("{error}: {}\n{}", stdout(output), stderr(output)))
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().expect("counts").values().map(|count| count.as_u64().expect("a count")).sum()
}

#[test]
fn what_it_counts_is_what_the_server_keeps() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_string_lossy().into_owned();
    let server = keeping(&store, &[]);
    let load = ["--calls-per-second", "100", "--speed", "0", "--streams", "2", "--duration", "2s", "--prefix", "sizing"];
    let output = loadgen(&http(&server), &[&load[..], &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = json(&output);
    let count = |place: &str| report.pointer(place).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {place} in {report}"));
    let calls = count("/calls/begun");
    assert!(calls > 0, "{report}");
    assert_eq!((count("/calls/ended"), count("/calls/refused"), count("/calls/lost")), (calls, 0, 0), "{report}");
    assert_eq!(count("/events/sent"), count("/events/acknowledged"), "{report}");
    assert_eq!(sum(&report["labels"]), calls, "{report}");
    assert_eq!(count("/acknowledgementMs/count"), count("/events/sent"));
    assert_eq!(count("/finalVerdictMs/count"), calls);
    assert!(report["acknowledgementMs"]["p50"].as_f64() <= report["acknowledgementMs"]["max"].as_f64());
    // What the server says of itself, and what it has kept.
    let (_, metrics) = block_on(get(&server.address, "/metrics"));
    let told = metrics.lines().find_map(|line| line.strip_prefix("callgrade_acks_total ")).expect("the metric");
    assert_eq!(told, count("/events/acknowledged").to_string());
    let kept = Store::open(&Location::Directory(folder.path().to_owned())).expect("the store opens");
    let ours = Filter { attributes: [("loadgen".to_owned(), "sizing".to_owned())].into(), ended: Some(true), ..Filter::default() };
    let heads = kept.list("default", &ours, None, usize::MAX >> 2).expect("the calls are listed");
    assert_eq!(heads.len() as u64, calls);
    assert!(heads.iter().all(|head| head.call_id.starts_with("sizing-") && head.revision == 1));
    let scripts: BTreeSet<&str> = heads.iter().map(|head| head.script_id.as_str()).collect();
    assert_eq!(scripts, BTreeSet::from(["broadband", "telemarketing"]));
}

#[test]
fn calls_follow_each_other_as_they_end_and_are_hung_up_when_time_is_over() {
    let server = RunningServer::start(&[]);
    let load =
        ["--calls-per-second", "0", "--speed", "0", "--concurrency", "8", "--streams", "3", "--script", "broadband", "--duration", "1"];
    let output = loadgen(&http(&server), &load);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = stdout(&output);
    for line in [
        "call ids      load-",
        "rejections    none",
        " 0 late, 0 refused, 0 lost",
        "event to acknowledgement  ",
        "hangup to final verdict   ",
    ] {
        assert!(table.contains(line), "{line} is not in\n{table}");
    }
    assert!(stdout(&loadgen(&http(&server), &[&load[..], &["--lang", "zh"]].concat())).contains("被拒 0，丢失 0"));
    // Paced as in life a call takes longer than these do.
    let paced = ["--calls-per-second", "20", "--duration", "1s", "--output", "json"];
    let report = json(&loadgen(&http(&server), &paced));
    assert_eq!(report["calls"]["begun"], report["calls"]["ended"], "{report}");
    assert!(report["calls"]["hungUp"].as_u64() > Some(0), "{report}");
}

#[test]
fn what_the_server_refuses_is_told_by_its_code() {
    let server = RunningServer::start(&["--max-live-calls", "1"]);
    let load = ["--calls-per-second", "100", "--streams", "1", "--duration", "1s", "--output", "json"];
    let output = loadgen(&http(&server), &load);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report = json(&output);
    assert!(report["calls"]["refused"].as_u64() > Some(0), "{report}");
    assert_eq!(report["calls"]["lost"], 0, "{report}");
    let codes: Vec<&String> = report["rejections"].as_object().expect("codes").keys().collect();
    assert_eq!(codes, ["RESOURCE_EXHAUSTED"], "{report}");
}

#[test]
fn calls_of_a_server_that_dies_are_lost() {
    let server = RunningServer::start(&[]);
    let load = program()
        .args(["loadgen", "--server", &http(&server), "--calls-per-second", "50", "--streams", "1", "--duration", "10m"])
        .args(["--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("callgrade starts");
    let begun = Instant::now();
    while !block_on(get(&server.address, "/metrics"))
        .1
        .lines()
        .any(|line| line.starts_with("callgrade_acks_total ") && !line.ends_with(" 0"))
    {
        assert!(begun.elapsed() < Duration::from_secs(60), "no event is acknowledged");
        std::thread::sleep(Duration::from_millis(50));
    }
    server.signal("KILL");
    let output = load.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report = json(&output);
    assert!(report["calls"]["lost"].as_u64() > Some(0), "{report}");
    assert_eq!(report["brokenStreams"], 1);
    assert!(stderr(&output).contains("callgrade: a stream broke: "), "{}", stderr(&output));
}

#[test]
fn keys_are_shown_and_tls_is_spoken() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_string_lossy().into_owned();
    let made = callgrade(&["keys", "create", "--store", &store, "--tenant", "default", "--role", "ingest"], b"");
    assert!(made.status.success(), "{}", stderr(&made));
    let (authority, files) = (Authority::new(), Files::new());
    let pair = files.pair(&authority.issue("localhost"));
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let server = keeping(&store, &["--tls-cert", &path(&pair.cert), "--tls-key", &path(&pair.key)]);
    let url = format!("https://localhost:{}", server.address.rsplit_once(':').expect("a port").1);
    let trusted = path(&files.write("ca.pem", &authority.pem));
    let load = ["--calls-per-second", "50", "--speed", "0", "--streams", "2", "--duration", "1s", "--ca", &trusted];
    let output = loadgen(&url, &load);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(stderr(&output).starts_with(&format!("callgrade: {url}, stream 1 of 2: UNAUTHENTICATED: ")), "{}", stderr(&output));
    let key = format!("@{}", path(&files.write("key", &stdout(&made))));
    let output = loadgen(&url, &[&load[..], &["--key", &key]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let untrusted = loadgen(&url, &["--key", &key]);
    assert_eq!(untrusted.status.code(), Some(2), "{}", stdout(&untrusted));
}

#[test]
fn what_cannot_be_is_told() {
    for (args, expected) in [
        (vec!["--server", "nowhere:1"], "callgrade: --server is a URL, http://HOST:PORT or https://HOST:PORT\n"),
        (vec!["--speed=-1"], "callgrade: --speed is 0 or more\n"),
        (vec!["--calls-per-second=-1"], "callgrade: --calls-per-second is 0 or more\n"),
        (vec!["--streams", "0"], "callgrade: --streams is 1 to 1000\n"),
        (
            vec!["--streams", "9", "--concurrency", "8"],
            "callgrade: --concurrency is at least --streams: each stream has a call of its own\n",
        ),
        (vec!["--script", "nope"], "callgrade: unknown script \"nope\"; there are broadband, telemarketing\n"),
        (vec!["--key", "@/nowhere/key"], "callgrade: /nowhere/key: No such file or directory (os error 2)\n"),
        (vec!["--ca", "/dev/null"], "callgrade: /dev/null: no certificate in it\n"),
    ] {
        let output = callgrade(&[&["loadgen"], &args[..]].concat(), b"");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(2), expected), "{args:?}");
    }
    let output = callgrade(&["loadgen", "--duration", "soon"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no length of time, such as 90s, 5m or 1h30m"), "{}", stderr(&output));
}
