//! What a job says is what `classify` says, by whichever version and against whatever it is held.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use callgrade::wire::v1;
use tonic::Code;
use tonic_types::StatusExt;

use super::{calls, classified, done, edited, exported, keep, more_questions, of_script, regrading, request, verdicts};
use crate::records::{Program, asking, call, run};
use crate::support::postgres::shared_database;
use crate::support::{block_on, script, write_bundle};

/// Calls of all scripts, some with personal numbers.
fn some() -> Vec<v1::Call> {
    let mut all = calls(260);
    for number in 0..5 {
        let more = format!("你打我电话一三八一二三四五六七{number}，或者1381234567{number}，怎么收费");
        all.push(call(&format!("number-{number}"), &more, &[("phone", &format!("1381234567{number}"))]));
    }
    all
}

fn a_job_grades_as_classify_does(store: &Path) {
    let all = some();
    let expected = classified(&[], &all);
    assert_eq!(expected.len(), all.len());
    block_on(async {
        let server = Program::serve(store, &[]);
        keep(&server, &all).await;
        for id in ["telemarketing", "broadband"] {
            let (regrade, diff) = done(&server, request(id)).await;
            let found = exported(&server, &regrade.regrade_id).await;
            let found_verdicts = verdicts(&found);
            let expected = of_script(&expected, id);
            assert!(expected.len() > 50, "{id}: {}", expected.len());
            assert_eq!(found_verdicts.len(), expected.len());
            for (call, verdict) in expected {
                assert_eq!(&found_verdicts[call], verdict, "{call}");
            }
            assert_eq!(regrade.script_version, script(id).version.to_string());
            let calls = found.len() as u64;
            let progress = regrade.progress.expect("progress");
            let expected = v1::RegradeProgress { calls, done: calls, ..v1::RegradeProgress::default() };
            assert_eq!(progress, expected, "nothing changed, nothing was left out");
            assert_eq!((diff.calls, diff.compared, diff.changed, diff.rule_changed), (calls, calls, 0, 0));
            let told: HashSet<(v1::RegradedKind, bool)> =
                found.iter().map(|call| (call.kind(), call.before_label.as_ref() == Some(&call.label))).collect();
            assert_eq!(told, HashSet::from([(v1::RegradedKind::Same, true)]));
        }
        let text = exported(&server, &done(&server, request("telemarketing")).await.0.regrade_id).await;
        let text = format!("{text:?}");
        assert!(text.contains("number-3") && !text.contains("1381234567"), "numbers are masked");
    });
}

#[test]
fn a_job_grades_as_classify_does_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    a_job_grades_as_classify_does(folder.path());
}

#[test]
fn a_job_grades_as_classify_does_on_postgresql() {
    if let Some(url) = shared_database("a_job_grades_as_classify_does_on_postgresql") {
        a_job_grades_as_classify_does(Path::new(&url));
    }
}

/// Whose label or rule is another: by call, the labels before and now.
fn differ<'a>(
    before: &BTreeMap<&'a str, &'a v1::Verdict>,
    now: &BTreeMap<&'a str, &'a v1::Verdict>,
) -> BTreeMap<&'a str, (&'a str, &'a str)> {
    let differ = now.iter().filter(|(call, now)| (&now.label, &now.rule_id) != (&before[*call].label, &before[*call].rule_id));
    differ.map(|(call, now)| (*call, (before[call].label.as_str(), now.label.as_str()))).collect()
}

/// Checks what a job says that changed from one version to the other.
fn check(found: &[v1::RegradedCall], diff: &v1::RegradeDiff, before: &BTreeMap<&str, &v1::Verdict>, now: &BTreeMap<&str, &v1::Verdict>) {
    let expected = differ(before, now);
    let labels = expected.values().filter(|(before, now)| before != now).count() as u64;
    assert!(labels >= 3, "the change changes something: {expected:?}");
    let changed: BTreeMap<&str, (&str, &str)> = found
        .iter()
        .filter(|call| matches!(call.kind(), v1::RegradedKind::Label | v1::RegradedKind::Rule))
        .map(|call| (call.call_id.as_str(), (call.before_label.as_deref().expect("it is known"), call.label.as_str())))
        .collect();
    assert_eq!(changed, expected);
    assert_eq!((diff.calls, diff.changed, diff.rule_changed), (now.len() as u64, labels, expected.len() as u64 - labels));
    for call in found {
        assert_eq!(call.changed.is_some(), expected.contains_key(call.call_id.as_str()), "{}", call.call_id);
        let told = call.changed.as_ref().and_then(|changed| changed.after.as_ref());
        assert!(told.is_none_or(|after| after.label == call.label && after.rule_id == call.rule_id), "{call:?}");
        assert_eq!(call.before_rule_id, before[call.call_id.as_str()].rule_id);
    }
    let examples: Vec<&str> = diff
        .scripts
        .iter()
        .flat_map(|script| &script.examples)
        .flat_map(|examples| &examples.calls)
        .map(|call| call.call_id.as_str())
        .collect();
    assert!(!examples.is_empty() && examples.iter().all(|call| expected.contains_key(call)), "{examples:?}");
}

#[test]
fn versions_are_held_against_each_other_and_against_stored_labels() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, files) = (folder.path().join("data"), folder.path().join("files"));
    let bundle = edited();
    write_bundle(&bundle, &files);
    let all = calls(260);
    let (old, new) = (classified(&[], &all), classified(&["--scripts", &files.display().to_string()], &some_of(&all)));
    let (old, new) = (of_script(&old, "telemarketing"), of_script(&new, "telemarketing"));
    block_on(async {
        let server = Program::serve(&data, &[]);
        keep(&server, &all).await;
        let published = run(&data, &["script", "publish", &files.join("telemarketing").display().to_string()]);
        assert_eq!(published, format!("published telemarketing@{}\n", bundle.version()));
        let version = bundle.version();
        for (against, against_version) in [
            (v1::Against::Unspecified, String::new()),
            (v1::Against::StoredLabels, String::new()),
            (v1::Against::Version, String::new()),
            (v1::Against::Version, script("telemarketing").version[..8].to_owned()),
        ] {
            let asked = v1::StartRegradeRequest {
                script_version: version[..6].to_owned(),
                against: against.into(),
                against_version,
                ..request("telemarketing")
            };
            let (regrade, diff) = done(&server, asked).await;
            assert_eq!((regrade.script_version.as_str(), regrade.draft), (version.as_str(), false));
            let found = exported(&server, &regrade.regrade_id).await;
            let told = verdicts(&found);
            assert_eq!(told.iter().map(|(call, verdict)| (call.as_str(), verdict)).collect::<BTreeMap<_, _>>(), new);
            check(&found, &diff, &old, &new);
            let full = if against == v1::Against::Version { script("telemarketing").version.to_string() } else { String::new() };
            assert_eq!(regrade.against_version, full);
            assert_eq!(regrade.progress.expect("progress").changed, diff.changed);
        }
        // The other way about, with nothing to be held against.
        let asked = v1::StartRegradeRequest { against: v1::Against::Nothing.into(), ..request("telemarketing") };
        let (regrade, diff) = done(&server, asked).await;
        assert_eq!((diff.calls, diff.compared), (old.len() as u64, 0));
        let found = exported(&server, &regrade.regrade_id).await;
        assert!(found.iter().all(|call| call.before_label.is_none() && call.kind() == v1::RegradedKind::Same && call.changed.is_none()));
    });
}

/// Those of the script whose files are in the folder.
fn some_of(all: &[v1::Call]) -> Vec<v1::Call> {
    all.iter().filter(|call| call.script_id == "telemarketing").cloned().collect()
}

#[test]
fn a_draft_is_tried_on_kept_calls_and_its_verdicts_can_be_given_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, files) = (folder.path().join("data"), folder.path().join("files"));
    let bundle = edited();
    write_bundle(&bundle, &files);
    let mut all = some_of(&calls(260));
    all.push(call("sesame", "芝麻开门", &[]));
    let (old, new) = (classified(&[], &all), classified(&["--scripts", &files.display().to_string()], &all));
    let (old, new) = (of_script(&old, "telemarketing"), of_script(&new, "telemarketing"));
    block_on(async {
        let server = Program::serve(&data, &[]);
        keep(&server, &all).await;
        let (path, text) = more_questions();
        let asked = v1::StartRegradeRequest {
            draft: [(path, text)].into(),
            note: "more questions".to_owned(),
            against: v1::Against::Version.into(),
            ..request("telemarketing")
        };
        let (regrade, diff) = done(&server, asked).await;
        assert_eq!((regrade.script_version.as_str(), regrade.draft, regrade.note.as_str()), (&*bundle.version(), true, "more questions"));
        let found = exported(&server, &regrade.regrade_id).await;
        check(&found, &diff, &old, &new);
        let keywords: Vec<&str> = diff.scripts[0].keywords.iter().map(|keyword| keyword.phrase.as_str()).collect();
        assert!(keywords.contains(&"你们") && keywords.contains(&"芝麻开门"), "{keywords:?}");

        // It is kept, grades nothing by itself, and what it said is said again.
        let listed = run(&data, &["script", "list", "telemarketing"]);
        let draft = listed.lines().find(|line| line.contains(&bundle.version())).expect("the draft");
        assert!(draft.contains(" draft ") && draft.contains("more questions"), "{listed}");
        assert_eq!(server.grade(call("after", "芝麻开门", &[])).await.script_version, script("telemarketing").version.to_string());
        let named = format!("telemarketing@{}", bundle.version());
        let again = classified(&["--script", &named, "--store", &data.display().to_string()], &all);
        assert_eq!(verdicts(&found), again);

        // One that cannot be compiled is refused, with every finding, and leaves nothing.
        let yaml = bundle.files["script.yaml"].replace("questions >= 2", "qestions >= 2");
        let wrong = v1::StartRegradeRequest { draft: [("script.yaml".to_owned(), yaml)].into(), ..request("telemarketing") };
        let status = regrading(&server).await.start_regrade(wrong).await.expect_err("it is refused");
        let violations = status.get_details_bad_request().expect("details").field_violations;
        assert_eq!((status.code(), violations[0].field.as_str()), (Code::InvalidArgument, "files[\"script.yaml\"]"));
        assert!(violations.len() > 1, "every finding");
        let removed =
            v1::StartRegradeRequest { draft: [("keywords/none.txt".to_owned(), String::new())].into(), ..request("telemarketing") };
        let status = regrading(&server).await.start_regrade(removed).await.expect_err("it is refused");
        let version = &script("telemarketing").version;
        assert_eq!(
            status.message(),
            format!("draft[\"keywords/none.txt\"] is empty, which removes the file, and version {version} has none of that path")
        );
        for (path, hint) in [("keyword/refuse.txt", "did you mean `keywords/refuse.txt`?"), ("../model.txt", "did you mean `model.txt`?")] {
            let stray = v1::StartRegradeRequest { draft: [(path.to_owned(), "不要\n".to_owned())].into(), ..request("telemarketing") };
            let status = regrading(&server).await.start_regrade(stray).await.expect_err("it is refused");
            let told = format!("the script has no {path}, and nothing would read it; {hint}");
            let violations = status.get_details_bad_request().expect("details").field_violations;
            assert_eq!((status.message(), violations[0].field.as_str()), (told.as_str(), "draft"));
        }
        let jobs = regrading(&server).await.list_regrades(v1::ListRegradesRequest::default()).await.expect("a list").into_inner().regrades;
        assert_eq!(jobs.len(), 1);

        // A draft that is activated is a version like any other.
        run(&data, &["script", "activate", &named]);
        let listed = run(&data, &["script", "list", "telemarketing"]);
        let active = listed.lines().find(|line| line.contains(&bundle.version())).expect("the version");
        assert!(active.contains(" yes "), "{listed}");
        let log = run(&data, &["audit"]);
        for told in ["draft", "regrade", "(a draft) against version ", ", calls: script telemarketing"] {
            assert!(log.contains(told), "{told}: {log}");
        }
    });
}

#[test]
fn a_live_call_is_left_out_and_an_event_that_was_rejected_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        let mut live = asking("我考虑一下");
        live.pop();
        server.stream("live", 1, &live).await;
        // One of its events is wrong, and it ends.
        let mut broken = asking("怎么收费");
        let end = broken.pop().expect("its end");
        server.stream("broken", 1, &broken).await;
        let mut wrong = crate::support::stream_message("broken", "", 5, &end);
        wrong.event = Some(v1::CallEvent {
            event: Some(v1::call_event::Event::Hangup(v1::Hangup { by: 99, ..v1::Hangup::default() })),
            ..v1::CallEvent::default()
        });
        let mut answers = server.grading().await.stream_calls(tokio_stream::iter([wrong])).await.expect("a stream").into_inner();
        while answers.message().await.expect("no error").is_some() {}
        server.stream("broken", 6, &[end]).await;
        let (regrade, diff) = done(&server, request("telemarketing")).await;
        let progress = regrade.progress.expect("progress");
        assert_eq!((progress.calls, progress.done, progress.live, diff.calls), (1, 1, 1, 1));
        let found = exported(&server, &regrade.regrade_id).await;
        let verdict = found[0].verdict.as_ref().expect("a verdict");
        assert_eq!((found[0].call_id.as_str(), found[0].kind()), ("broken", v1::RegradedKind::Same));
        assert_eq!(verdict.notices, ["event 5 rejected: unknown value 99 of by"]);
        // What the same call gives as it is exported.
        let request = v1::GetCallRequest { call_id: "broken".to_owned(), history: false };
        let kept = server.records().await.get_call(request).await.expect("it is kept").into_inner().call.and_then(|kept| kept.call);
        let again = classified(&[], &[kept.expect("a call")]);
        assert_eq!(v1::Verdict { notices: Vec::new(), ..verdict.clone() }, again["broken"]);
    });
}
