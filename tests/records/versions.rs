//! Script versions: published, activated and taken back while a server runs.

use std::path::Path;
use std::time::{Duration, Instant};

use callgrade::script::Bundle;
use callgrade::wire::v1;
use tonic::Code;
use tonic_types::StatusExt;

use super::{Program, asking, call, fails, run};
use crate::support::{NEVER, block_on, comparable, script, stderr, stdout, write_bundle};

/// The bundled script, with one price question more.
fn edited(note: &str) -> Bundle {
    let mut bundle = Bundle::bundled().into_iter().find(|bundle| bundle.name == "telemarketing").expect("it is bundled");
    let list = bundle.files.get_mut("keywords/price.txt").expect("its list");
    list.push_str(&format!("\n{note}\n"));
    bundle
}

/// Writes it as a folder, and says where.
fn folder_of(bundle: &Bundle, folder: &Path) -> String {
    write_bundle(bundle, folder);
    folder.join(&bundle.name).display().to_string()
}

#[test]
fn a_version_activated_beside_a_running_server_grades_the_calls_that_begin_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, files) = (folder.path().join("data"), folder.path().join("files"));
    let old = script("telemarketing").version.to_string();
    let bundle = edited("芝麻开门");
    let new = bundle.version();
    block_on(async {
        let server = Program::serve(&data, &[]);
        let begun = asking("芝麻开门吧");
        server.stream("begun", 1, &begun[..3]).await;
        let published = run(&data, &["script", "publish", &folder_of(&bundle, &files), "--note", "芝麻"]);
        assert_eq!(published, format!("published telemarketing@{new}\n"));
        assert_eq!(server.grade(call("c1", "芝麻开门吧", &[])).await.script_version, old, "published is not active");
        assert_eq!(run(&data, &["script", "activate", &format!("telemarketing@{}", &new[..6])]), format!("telemarketing@{new}, active\n"));
        let waited = Instant::now();
        let mut number = 2;
        let verdict = loop {
            let verdict = server.grade(call(&format!("c{number}"), "芝麻开门吧", &[])).await;
            if verdict.script_version == new {
                break verdict;
            }
            assert!(waited.elapsed() < NEVER / 10, "the server does not notice");
            number += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(verdict.signals.as_ref().map(|signals| signals.asked.clone()), Some(vec!["price".to_owned()]));
        server.stream("begun", 4, &begun[3..]).await;
        let get = |id: &str| v1::GetCallRequest { call_id: id.to_owned(), history: false };
        let kept = server.records().await.get_call(get("begun")).await.expect("it is kept").into_inner().call.expect("a call");
        assert_eq!(kept.verdict.expect("a verdict").script_version, old, "a call that has begun keeps its version");

        let listed = run(&data, &["script", "list", "telemarketing"]);
        let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["script", "version", "active", "stored", "by", "note"]);
        assert_eq!((lines[1][1], lines[1][2], lines[1][5], lines[1][6]), (new.as_str(), "yes", "cli", "芝麻"), "{listed}");
        assert_eq!((lines[2][1], lines[2][2]), (old.as_str(), "-"), "{listed}");

        // After a restart the files are outranked, and it is said. A call that lives goes on with the version it began with.
        server.stream("lives", 1, &begun[..3]).await;
        drop(server);
        let server = Program::serve(&data, &[]);
        server.stream("lives", 4, &begun[3..]).await;
        let lives = server.records().await.get_call(get("lives")).await.expect("it is kept").into_inner().call.expect("a call");
        assert_eq!(lives.verdict.expect("a verdict").script_version, new);
        let scripts = server.grading().await.list_scripts(v1::ListScriptsRequest {}).await.expect("a list").into_inner().scripts;
        assert!(scripts.iter().any(|script| script.version == new) && scripts.iter().all(|script| script.version != old));
        let asked = v1::GetScriptRequest { script_id: "telemarketing".to_owned(), version: old[..8].to_owned() };
        let got = server.grading().await.get_script(asked).await.expect("it is kept").into_inner();
        assert_eq!(got.summary.map(|summary| summary.version), Some(old.clone()));
        let said = server.kill();
        let expected = format!("tenant default: script telemarketing is version {new}, as activated; this server's files have {old}");
        assert!(said.contains(&expected), "{said}");

        // An old verdict again, from the store alone.
        let exported = run(&data, &["records", "export", "--version", &new, "--text", "芝麻", "--final", "true"]);
        let kept: v1::KeptCall = serde_json::from_str(exported.lines().next().expect("a call")).expect("proto3 JSON");
        let line = serde_json::to_vec(&kept.call).expect("JSON");
        let place = data.display().to_string();
        let which = format!("telemarketing@{new}");
        let output = crate::support::callgrade(&["classify", "--store", &place, "--script", &which], &line);
        assert!(output.status.success(), "{}", stderr(&output));
        let again: v1::Verdict = serde_json::from_str(&stdout(&output)).expect("a verdict");
        assert_eq!(comparable(&again), comparable(&kept.verdict.expect("a verdict")));
        let page = crate::support::callgrade(&["explain", "-", &again.call_id, "--store", &place, "--script", &which], &line);
        assert!(page.status.success() && stdout(&page).contains("芝麻开门"), "{}", stderr(&page));
        let output = crate::support::callgrade(&["classify", "--store", &place, "--script", "telemarketing@000000"], &line);
        let said = format!("callgrade: script \"telemarketing\" has no version \"000000\"; there is {new}, {old}\n");
        assert_eq!((output.status.code(), stderr(&output)), (Some(2), said));

        assert_eq!(
            run(&data, &["script", "rollback", "telemarketing"]),
            "telemarketing: the server's files again\n",
            "the version before the first activation is that of the files"
        );
        let server = Program::serve(&data, &[]);
        assert_eq!(server.grade(call("back", "芝麻开门吧", &[])).await.script_version, old);
        assert!(!server.kill().contains("as activated"), "nothing is outranked");
    });
}

#[test]
fn what_was_published_before_is_told_and_what_there_is_none_of_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let next = folder_of(&edited("芝麻开门"), &folder.path().join("next"));
    let first = run(&data, &["script", "publish", &next, "--note", "first"]);
    assert!(first.starts_with("published telemarketing@"), "{first}");
    let again = run(&data, &["script", "publish", &next, "--note", "second"]);
    assert!(again.starts_with("telemarketing@") && again.contains(" (published before, 20"), "{again}");
    assert!(again.ends_with(", with the same content; its note stays)\n"), "{again}");
    let listed = run(&data, &["script", "list", "telemarketing"]);
    assert!(listed.contains("first") && !listed.contains("second"), "{listed}");
    let told = "callgrade: unknown script \"nope\"; there are telemarketing\n";
    assert_eq!(fails(&data, &["script", "list", "nope"]), (Some(1), told.to_owned()));
}

#[test]
fn versions_over_grpc() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        let (first, second) = (edited("芝麻开门"), edited("芝麻关门"));
        let publish = |bundle: &Bundle, activate| v1::PublishScriptRequest {
            script_id: bundle.name.clone(),
            files: bundle.files.clone(),
            activate,
            note: String::new(),
        };
        let version = |bundle: &Bundle| bundle.version();
        let graded = async |id: &str| server.grade(call(id, "芝麻关门吧", &[])).await.script_version;
        let kept = server.scripts().await.publish_script(publish(&first, true)).await.expect("it is kept").into_inner();
        let told = kept.version.expect("a version");
        assert_eq!((told.version.clone(), told.active, told.stored_by.as_str()), (version(&first), true, "anyone"));
        assert_eq!(graded("c1").await, version(&first), "at once");
        server.scripts().await.publish_script(publish(&second, true)).await.expect("it is kept");
        assert_eq!(graded("c2").await, version(&second));
        let rollback = v1::RollbackScriptRequest { script_id: "telemarketing".to_owned() };
        let back = server.scripts().await.rollback_script(rollback.clone()).await.expect("it is back").into_inner();
        assert_eq!(back.version.map(|told| (told.version, told.active)), Some((version(&first), true)));
        assert_eq!(graded("c3").await, version(&first));
        let activate = v1::ActivateScriptRequest { script_id: "telemarketing".to_owned(), version: version(&second) };
        server.scripts().await.activate_script(activate).await.expect("it is active");
        assert_eq!(graded("c4").await, version(&second));
        let asked = v1::ListScriptVersionsRequest { script_id: "telemarketing".to_owned() };
        let listed = server.scripts().await.list_script_versions(asked).await.expect("a list").into_inner().versions;
        let told: Vec<(String, bool)> = listed.into_iter().map(|told| (told.version, told.active)).collect();
        assert_eq!(told, [(version(&second), true), (version(&first), false), (script("telemarketing").version.to_string(), false)]);

        let mut wrong = edited("x");
        let yaml = wrong.files.get_mut("script.yaml").expect("the script");
        *yaml = yaml.replace("questions >= 2", "qestions >= 2");
        let status = server.scripts().await.publish_script(publish(&wrong, true)).await.expect_err("it is refused");
        let violations = status.get_details_bad_request().expect("details").field_violations;
        assert_eq!((status.code(), violations[0].field.as_str()), (Code::InvalidArgument, "files[\"script.yaml\"]"));
        assert!(status.message().starts_with("the script cannot be used:\ntelemarketing/script.yaml:"), "{}", status.message());
        assert!(violations.len() > 1 && violations.iter().all(|found| status.message().contains(&found.description)), "every finding");
        assert_eq!(graded("c5").await, version(&second), "what is refused changes nothing");
        for (request, code, expected) in [
            (
                "telemarketing@abc",
                Code::InvalidArgument,
                "version \"abc\" is too short to name one: give at least its first 6 characters".to_owned(),
            ),
            ("nobody@abcdef", Code::NotFound, "unknown script \"nobody\"; there are broadband, telemarketing".to_owned()),
        ] {
            let (id, version) = request.split_once('@').expect("both");
            let request = v1::ActivateScriptRequest { script_id: id.to_owned(), version: version.to_owned() };
            let status = server.scripts().await.activate_script(request).await.expect_err("it is refused");
            assert_eq!((status.code(), status.message()), (code, expected.as_str()));
        }
        let none = v1::RollbackScriptRequest { script_id: "broadband".to_owned() };
        let status = server.scripts().await.rollback_script(none).await.expect_err("it is refused");
        let expected = "script \"broadband\": no version was activated that could be taken back";
        assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, expected));
        let long = v1::PublishScriptRequest { note: "长".repeat(1_001), ..publish(&first, false) };
        let status = server.scripts().await.publish_script(long).await.expect_err("it is refused");
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "the note has 1001 characters, more than 1000"));
        let nameless = v1::PublishScriptRequest { script_id: String::new(), ..publish(&first, false) };
        assert_eq!(server.scripts().await.publish_script(nameless).await.expect_err("it is refused").message(), "script_id is empty");
        let audit = run(folder.path(), &["audit"]);
        let told: Vec<&str> = audit.lines().skip(1).filter_map(|line| line.split_whitespace().nth(4)).collect();
        assert_eq!(told, ["activate", "rollback", "activate", "publish", "activate", "publish"], "{audit}");
    });
}

#[test]
fn a_version_that_the_server_was_told_to_use_outranks_what_is_activated() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, files) = (folder.path().join("data"), folder.path().join("files"));
    let bundle = edited("芝麻开门");
    run(&data, &["script", "publish", &folder_of(&bundle, &files), "--activate"]);
    let pinned = format!("telemarketing@{}", script("telemarketing").version);
    block_on(async {
        let server = Program::serve(&data, &["--script", &pinned]);
        assert_eq!(server.grade(call("c1", "芝麻开门吧", &[])).await.script_version, *script("telemarketing").version);
    });
    let broken = files.join("telemarketing/script.yaml");
    std::fs::write(&broken, "id: telemarketing\n").expect("it is written");
    let (code, said) = fails(&data, &["script", "publish", &files.join("telemarketing").display().to_string()]);
    assert!(code == Some(2) && said.contains("telemarketing/script.yaml"), "{said}");
    let empty = fails(&data, &["script", "publish", &folder.path().display().to_string()]);
    let expected = format!("callgrade: {}: no script here; a script is a folder with a script.yaml\n", folder.path().display());
    assert_eq!(empty, (Some(2), expected));
}
