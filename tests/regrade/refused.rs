//! Command lines that would not do what they seem to, and how a run says how it went.

use std::process::Stdio;

use super::call;
use crate::support::{callgrade, program, stderr, stdout};

#[test]
fn options_that_do_not_go_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (calls, out) = (at("calls.jsonl"), at("out"));
    std::fs::write(&calls, call("one", "好", "")).expect("a file");
    let of_store = |options: &str| format!("{options} chooses among the calls of --store, not of files; leave it out, or the files");
    let of_versions = "with files --store is only where versions (ID@VERSION) are found, and none is named; leave it out, or the files";
    let other = |against: &str, script: &str| {
        format!(
            "--against {against} is of another script than --script {script}; compare with a version of the same script, or with stored"
        )
    };
    let no_draft =
        |name: &str, more: &str| format!("{name}: neither a version of that name (hexadecimal) nor a draft at that path was found{more}");
    let with_store = "; versions that a server keeps are found with --store";
    let nameless = "telemarketing@: behind the @ stands a version, or the path of a draft".to_owned();
    let missing = format!("telemarketing@{}", at("missing"));
    let store = at("store");
    for (args, text) in [
        (vec!["--label", "A"], of_store("--label")),
        (vec!["--rule", "A1", "--text", "好"], of_store("--rule, --text")),
        (
            vec!["--from", "2026-03-01T09:00:00Z", "--before", "2026-03-02T09:00:00Z", "--attribute", "a=b"],
            of_store("--from, --before, --attribute"),
        ),
        (vec!["--store", &store], of_versions.to_owned()),
        (vec!["--store", &store, "--script", "telemarketing", "--against", "stored"], of_versions.to_owned()),
        (vec!["--script", "telemarketing", "--against", "broadband"], other("broadband", "telemarketing")),
        (vec!["--script", "telemarketing@nope", "--against", "broadband@abc"], other("broadband@abc", "telemarketing@nope")),
        (vec!["--script", "telemarketing@nope"], no_draft("telemarketing@nope", with_store)),
        (vec!["--script", "telemarketing", "--against", &missing], no_draft(&missing, with_store)),
        (vec!["--script", "telemarketing@"], nameless.clone()),
        (vec!["--against", "telemarketing@"], nameless),
        (vec!["--whole", "--output", "csv"], "--whole does not fit into CSV; use Parquet or JSON lines".to_owned()),
    ] {
        let output = callgrade(&[&["regrade", &calls, "--out", &out], args.as_slice()].concat(), b"");
        assert_eq!((output.status.code(), stderr(&output)), (Some(2), format!("callgrade: {text}\n")), "{args:?}");
        assert!(!folder.path().join("out").exists(), "{args:?}");
    }
    let output = callgrade(&["regrade", "--out", &out, "--store", &store, "--script", "telemarketing@nope"], b"");
    assert_eq!(stderr(&output), format!("callgrade: {}\n", no_draft("telemarketing@nope", "")));
    // Versions are looked for in the store, so that stays.
    let output = callgrade(&["regrade", &calls, "--out", &out, "--store", &store, "--script", "telemarketing@abcdef"], b"");
    assert!(stderr(&output).starts_with(&format!("callgrade: there is no store in {store}")), "{}", stderr(&output));
}

#[test]
fn standard_input_and_pipes() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out").display().to_string();
    for input in ["-", "/dev/stdin", "/dev/null"] {
        let output = callgrade(&["regrade", input, "--out", &out], call("one", "好", "").as_bytes());
        let text = "neither a file nor a folder; a run reads files, not standard input or pipes, for it may be stopped and go on: save the calls first";
        assert_eq!((output.status.code(), stderr(&output)), (Some(2), format!("callgrade: {input}: {text}\n")));
    }
}

#[test]
fn no_call_with_a_label_to_compare_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("none.jsonl"), call("one", "好", "")).expect("a file");
    std::fs::write(at("some.jsonl"), [call("one", "好", ""), call("two", "好", r#","label":"A""#)].join("\n")).expect("a file");
    std::fs::write(at("empty.jsonl"), "").expect("a file");
    let run = |input: &str, more: &[&str]| {
        let output = callgrade(&[&["regrade", &at(input), "--out", &at("out"), "--against", "stored"], more].concat(), b"");
        (output.status.code(), stderr(&output), stdout(&output))
    };
    for more in ["--overwrite", "--resume"] {
        let (code, told, shown) = run("none.jsonl", &[more]);
        assert_eq!((code, told.as_str()), (Some(1), "callgrade: no call came with a label to compare with\n"), "{more}");
        assert!(shown.starts_with("1 call graded; there are no labels before to compare with\n"), "{shown}");
        assert!(folder.path().join("out/report.html").exists());
    }
    for input in ["some.jsonl", "empty.jsonl"] {
        let (code, told, _) = run(input, &["--overwrite"]);
        assert_eq!((code, told.as_str()), (Some(0), ""), "{input}");
    }
}

#[test]
fn who_stops_reading_learns_how_it_went() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("calls.jsonl"), [&call("one", "好", ""), "no call"].join("\n")).expect("a file");
    let mut command = program();
    command.arg("regrade").arg(at("calls.jsonl")).arg("--out").arg(at("out")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let rejects = at("out/rejects.jsonl");
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), format!("callgrade: rejections: 1, in {}\n", rejects.display())));
}

#[test]
fn drafts_with_files_that_nothing_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("calls.jsonl"), call("one", "好", "")).expect("a file");
    let run = |draft: &str| {
        let script = format!("telemarketing@{}", at(draft).display());
        let text = |name: &str| at(name).display().to_string();
        let output = callgrade(&["regrade", &text("calls.jsonl"), "--out", &text("out"), "--overwrite", "--script", &script], b"");
        (output.status.code(), stderr(&output).replace(&format!("callgrade: {script}: "), ""))
    };
    let kinds = "a script is script.yaml, keywords/*.txt, examples/*.txt, model.txt and cases/*.yaml";
    let meant = |path: &str| format!("did you mean `{path}`?");
    for (path, hint) in [
        ("keyword/refuse.txt", meant("keywords/refuse.txt")),
        ("refuse.txt", meant("keywords/refuse.txt")),
        ("keywords/refus.txt", meant("refuse.txt")),
        ("keywords/scope/negaton.txt", meant("negation.txt")),
        ("notes/other.yaml", kinds.to_owned()),
    ] {
        let told = format!("the script has no {path}, and nothing would read it; {hint}\n");
        std::fs::write(at("draft.json"), serde_json::json!({path: "不要\n"}).to_string()).expect("a file");
        assert_eq!(run("draft.json"), (Some(2), told.clone()), "{path}");
        let draft = tempfile::tempdir_in(folder.path()).expect("a folder");
        let file = draft.path().join("draft").join(path);
        std::fs::create_dir_all(file.parent().expect("its folder")).expect("a folder");
        std::fs::write(file, "不要\n").expect("a file");
        let name = draft.path().join("draft").strip_prefix(folder.path()).expect("it lies there").display().to_string();
        assert_eq!(run(&name), (Some(2), told), "{path}");
    }
    for path in ["../x", "keywords/../x.txt", "/keywords/refuse.txt", "../notes.md"] {
        std::fs::write(at("draft.json"), serde_json::json!({path: "不要\n"}).to_string()).expect("a file");
        let (code, told) = run("draft.json");
        assert!(code == Some(2) && told.starts_with(&format!("the script has no {path}, and nothing would read it; ")), "{told}");
    }
    // A list that is declared, and what changes nothing.
    let files = callgrade::script::bundled("telemarketing").expect("the script").files.clone();
    let yaml = files["script.yaml"].replacen("categories: {", "categories: {greeting: 招呼, ", 1);
    let yaml =
        if yaml == files["script.yaml"] { yaml.replacen("  categories:\n", "  categories:\n    greeting: 招呼\n", 1) } else { yaml };
    assert_ne!(yaml, files["script.yaml"]);
    let more =
        serde_json::json!({"script.yaml": yaml, "keywords/greeting.txt": "你好\n", "README.md": "a list more", "cases/more.yaml": "[]\n"});
    std::fs::write(at("draft.json"), more.to_string()).expect("a file");
    assert_eq!(run("draft.json"), (Some(0), String::new()));
}
