//! Runs that are stopped or killed go on where they were: every call once, nothing missing.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{call, labels, records};
use crate::support::tables::{nested, write_parquet};
use crate::support::{program, stderr};

/// So many that a run is met in the middle.
const CALLS: usize = 6_000;

/// Calls that differ.
fn table(path: &Path) {
    const WORDS: [&str; 5] = ["多少钱", "不需要", "加我微信吧", "我在开会", "嗯，你说"];
    let lines: Vec<String> = (0..CALLS).map(|number| call(&format!("call-{number:05}"), WORDS[number % 5], "")).collect();
    write_parquet(path, &[nested(&records(lines.join("\n").as_bytes()))], 50);
}

fn start(input: &Path, out: &Path, more: &[&str]) -> Child {
    let mut command = program();
    command.arg("regrade").arg(input).arg("--out").arg(out).args(["--checkpoint", "0"]).args(more);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Waits until so many files of verdicts are whole, or the run is over.
fn parts(child: &mut Child, out: &Path, count: usize) -> bool {
    let begun = Instant::now();
    loop {
        let parts = std::fs::read_dir(out.join("verdicts")).map_or(0, |entries| {
            entries.filter_map(Result::ok).filter(|entry| entry.file_name().to_string_lossy().starts_with("part-")).count()
        });
        if parts >= count {
            return true;
        }
        if child.try_wait().expect("it is ours").is_some() {
            return false;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no verdicts come");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// All verdicts of a run, by its files' order.
fn found(out: &Path) -> Vec<[String; 3]> {
    let mut parts: Vec<_> = std::fs::read_dir(out.join("verdicts")).expect("verdicts").map(|entry| entry.expect("a file").path()).collect();
    parts.sort();
    labels(&parts.iter().map(std::path::PathBuf::as_path).collect::<Vec<&Path>>())
}

#[test]
fn killed_and_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("calls.parquet");
    table(&input);
    let whole = folder.path().join("whole");
    assert!(start(&input, &whole, &["--against", "telemarketing"]).wait().expect("it runs").success());
    let out = folder.path().join("out");
    let mut kills = 0;
    for kill in 1.. {
        let resume: &[&str] = if kill == 1 { &["--against", "telemarketing"] } else { &["--against", "telemarketing", "--resume"] };
        let mut child = start(&input, &out, resume);
        if !parts(&mut child, &out, kill * 12) {
            let output = child.wait_with_output().expect("it runs");
            assert!(output.status.success(), "{}", stderr(&output));
            break;
        }
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        kills += 1;
    }
    assert!(kills >= 3, "it was killed {kills} times");
    assert_eq!(found(&out), found(&whole));
    assert_eq!(found(&out).len(), CALLS);
    let diff = |out: &Path| std::fs::read_to_string(out.join("diff.json")).expect("the diff");
    assert_eq!(diff(&out), diff(&whole));
}

#[test]
fn stopped_and_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("calls.parquet");
    table(&input);
    let out = folder.path().join("out");
    let mut child = start(&input, &out, &[]);
    assert!(parts(&mut child, &out, 3), "it is over too soon");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let graded = found(&out).len();
    assert!((50..CALLS).contains(&graded));
    assert_eq!(stderr(&output), format!("callgrade: stopped with {graded} calls graded; --resume goes on\n"));
    assert!(start(&input, &out, &["--resume"]).wait().expect("it runs").success());
    let ids: Vec<String> = found(&out).into_iter().map(|[id, _, _]| id).collect();
    assert_eq!(ids, (0..CALLS).map(|number| format!("call-{number:05}")).collect::<Vec<String>>());
}
