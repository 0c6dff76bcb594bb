//! Kept calls graded anew, as jobs of real servers.

mod crash;
mod http;
mod jobs;
mod tenants;
mod versions;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callgrade::script::Bundle;
use callgrade::wire::v1;
use callgrade::wire::v1::regrading_client::RegradingClient;
use tonic::transport::Channel;

use crate::records::Program;
use crate::support::{all_cases, callgrade, case_message, stdout};

/// Far longer than any job here should take.
const LONG: Duration = Duration::from_secs(300);
/// Calls that are brought in at one time.
const TOGETHER: usize = 16;

/// Whole calls with the turns that the scripts' cases take, so many, of all scripts mixed.
fn calls(count: usize) -> Vec<v1::Call> {
    let cases = all_cases();
    (0..count)
        .map(|number| {
            let (script, case) = &cases[number * 7_919 % cases.len()];
            case_message(&format!("call-{number}"), script, case)
        })
        .collect()
}

/// The calls as a file has them.
fn jsonl(calls: &[v1::Call]) -> Vec<u8> {
    calls.iter().flat_map(|call| [serde_json::to_vec(call).expect("JSON"), b"\n".to_vec()].concat()).collect()
}

/// What `classify` says of calls, by id.
fn classified(args: &[&str], calls: &[v1::Call]) -> BTreeMap<String, v1::Verdict> {
    let output = callgrade(&[&["classify", "--mask", "-"], args].concat(), &jsonl(calls));
    assert!(output.status.success(), "{}", crate::support::stderr(&output));
    let verdicts = stdout(&output).lines().map(|line| serde_json::from_str::<v1::Verdict>(line).expect("a verdict")).collect::<Vec<_>>();
    verdicts.into_iter().map(|verdict| (verdict.call_id.clone(), verdict)).collect()
}

/// Has a server keep calls.
async fn keep(server: &Program, calls: &[v1::Call]) {
    let grading = server.grading().await;
    for some in calls.chunks(TOGETHER) {
        let graded: Vec<_> = some
            .iter()
            .map(|call| {
                let (mut grading, call) = (grading.clone(), Some(call.clone()));
                tokio::spawn(async move { grading.grade_call(v1::GradeCallRequest { call }).await })
            })
            .collect();
        for graded in graded {
            graded.await.expect("no panic").expect("it is kept");
        }
    }
}

async fn regrading(server: &Program) -> RegradingClient<Channel> {
    RegradingClient::new(server.channel().await)
}

/// A request that grades a script's calls with its active version.
fn request(script_id: &str) -> v1::StartRegradeRequest {
    v1::StartRegradeRequest { script_id: script_id.to_owned(), ..v1::StartRegradeRequest::default() }
}

async fn start(server: &Program, request: v1::StartRegradeRequest) -> v1::Regrade {
    regrading(server).await.start_regrade(request).await.expect("it is asked for").into_inner().regrade.expect("a job")
}

async fn get(server: &Program, id: &str) -> v1::GetRegradeResponse {
    let request = v1::GetRegradeRequest { regrade_id: id.to_owned() };
    regrading(server).await.get_regrade(request).await.expect("the job").into_inner()
}

/// A job once it has ended.
async fn ended(server: &Program, id: &str) -> (v1::Regrade, v1::RegradeDiff) {
    let waited = Instant::now();
    loop {
        let answer = get(server, id).await;
        let regrade = answer.regrade.expect("a job");
        if regrade.ended_at.is_some() {
            return (regrade, answer.diff.expect("what changed"));
        }
        assert!(waited.elapsed() < LONG, "it does not end: {regrade:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A job from its start to its end, which is a good one.
async fn done(server: &Program, request: v1::StartRegradeRequest) -> (v1::Regrade, v1::RegradeDiff) {
    let (regrade, diff) = ended(server, &start(server, request).await.regrade_id).await;
    assert_eq!((regrade.state(), regrade.error.as_str()), (v1::RegradeState::Done, ""));
    (regrade, diff)
}

/// All that a job has found.
async fn exported(server: &Program, id: &str) -> Vec<v1::RegradedCall> {
    let request = v1::ExportRegradeRequest { regrade_id: id.to_owned() };
    let mut answers = regrading(server).await.export_regrade(request).await.expect("an export").into_inner();
    let mut calls = Vec::new();
    while let Some(answer) = answers.message().await.expect("no error") {
        calls.push(answer.call.expect("a call"));
    }
    calls
}

/// Verdicts by call; each call once.
fn verdicts(calls: &[v1::RegradedCall]) -> BTreeMap<String, v1::Verdict> {
    let verdicts: BTreeMap<String, v1::Verdict> =
        calls.iter().map(|call| (call.call_id.clone(), call.verdict.clone().expect("a verdict"))).collect();
    assert_eq!(verdicts.len(), calls.len(), "each call once");
    verdicts
}

/// Of `verdicts`, those by a script.
fn of_script<'a>(verdicts: &'a BTreeMap<String, v1::Verdict>, script: &str) -> BTreeMap<&'a str, &'a v1::Verdict> {
    verdicts.iter().filter(|(_, verdict)| verdict.script_id == script).map(|(id, verdict)| (id.as_str(), verdict)).collect()
}

/// A list of questions about effects with more phrases in it: its path, and its text.
fn more_questions() -> (String, String) {
    let bundle = Bundle::bundled().into_iter().find(|bundle| bundle.name == "telemarketing").expect("it is bundled");
    let path = "keywords/effect.txt";
    (path.to_owned(), format!("{}\n我再想想\n芝麻开门\n你们\n", bundle.files[path]))
}

/// The bundled script with those.
fn edited() -> Bundle {
    let mut bundle = Bundle::bundled().into_iter().find(|bundle| bundle.name == "telemarketing").expect("it is bundled");
    let (path, text) = more_questions();
    bundle.files.insert(path, text);
    bundle
}
