//! README.md: its commands print what it shows. What it and CONTRIBUTING.md name is there.
//!
//! In a `console` block `…` alone on a line stands for lines left out, elsewhere for part of a line; `$ echo $?` shows how the
//! command before it exits, which without it is 0. The blocks are one session, in a copy of the scripts and examples, with a
//! server where they expect one, which keeps its calls where its reader's would.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use callgrade::core::signal::Variable;
use callgrade::script::lint;
use regex::Regex;

use crate::support::{RunningServer, callgrade, program, script, stdout};

const README: &str = include_str!("../README.md");
const CONTRIBUTING: &str = include_str!("../CONTRIBUTING.md");
/// Where the document's server listens.
const ADDRESS: &str = "127.0.0.1:50051";
/// What takes long, or never ends, and has tests of its own.
const NOT_RUN: [&str; 8] = [
    "make ",
    "callgrade serve",
    "callgrade demo",
    "callgrade script train",
    "callgrade push",
    "callgrade loadgen",
    "python3 -m zipfile",
    "spark-submit",
];
/// A server takes up to a second to learn of what a command has done; a reader would not see it, a test may.
const LEARNS: Duration = Duration::from_secs(60);

/// A command of the document, and what it shows.
struct Step<'a> {
    line: usize,
    command: String,
    shown: Vec<&'a str>,
    exit: i32,
}

/// The fenced blocks of a language, each with the number of its first line.
fn blocks(language: &str) -> Vec<(usize, Vec<&'static str>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize, Vec<&str>)> = None;
    for (number, line) in (1..).zip(README.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(name)) => open = Some((name, number + 1, Vec::new())),
            (Some(_), Some(_)) => blocks.extend(open.take().filter(|(name, ..)| *name == language).map(|(_, at, lines)| (at, lines))),
            (Some((.., lines)), None) => lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block that does not end");
    blocks
}

fn steps() -> Vec<Step<'static>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (first, lines) in blocks("console") {
        let mut lines = (first..).zip(lines);
        while let Some((line, text)) = lines.next() {
            let Some(command) = text.strip_prefix("$ ") else {
                steps.last_mut().unwrap_or_else(|| panic!("line {line}: output of no command")).shown.push(text);
                continue;
            };
            let mut command = command.to_owned();
            if command == "echo $?" {
                let (_, code) = lines.next().expect("an exit code");
                steps.last_mut().expect("a command before").exit = code.parse().expect("an exit code");
                continue;
            }
            if command.ends_with("<<'END'") {
                for (_, text) in lines.by_ref() {
                    command.push('\n');
                    command.push_str(text);
                    if text == "END" {
                        break;
                    }
                }
            }
            steps.push(Step { line, command, shown: Vec::new(), exit: 0 });
        }
    }
    steps
}

/// Whether a text is as a pattern shows it, `…` standing for anything.
fn is_as_shown(text: &str, shown: &str) -> bool {
    let pieces: Vec<String> = shown.split('…').map(regex::escape).collect();
    Regex::new(&format!("^(?s:{})$", pieces.join(".*"))).expect("a pattern").is_match(text)
}

/// Compares lines with those shown; what differs.
fn compare(lines: &[&str], shown: &[&str]) -> Result<(), String> {
    let mut at = 0;
    let mut left_out = false;
    for wanted in shown {
        if *wanted == "…" {
            left_out = true;
            continue;
        }
        let ahead = if left_out { lines.len() } else { (at + 1).min(lines.len()) };
        let found = (at..ahead).find(|place| lines.get(*place).is_some_and(|line| is_as_shown(line.trim_end(), wanted.trim_end())));
        at = found.ok_or_else(|| format!("not there: {wanted}\n      instead: {}", lines.get(at).unwrap_or(&"(the end)")))? + 1;
        left_out = false;
    }
    match lines.get(at) {
        Some(line) if !left_out => Err(format!("not shown: {line}")),
        _ => Ok(()),
    }
}

/// Runs a command of the document as its reader would.
fn run(folder: &Path, command: &str) -> (i32, String) {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_callgrade"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", program.parent().expect("its folder").display());
    let mut shell = Command::new("sh");
    std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CALLGRADE_")).for_each(|(name, _)| {
        shell.env_remove(name);
    });
    let output = shell
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("LC_ALL", "C")
        .env("PYTHONUTF8", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // As if it were installed.
        .env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("python/src"))
        .output()
        .expect("a shell");
    (output.status.code().unwrap_or(-1), stdout(&output))
}

#[test]
fn commands_print_what_the_readme_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    // What is read back is what curl has sent.
    if run(folder.path(), "curl --version").0 != 0 {
        println!("skipped: commands_print_what_the_readme_shows (curl is not installed)");
        return;
    }
    let root = env!("CARGO_MANIFEST_DIR");
    assert_eq!(run(folder.path(), &format!("cp -r '{root}/scripts' '{root}/examples' .")), (0, String::new()));
    let server = RunningServer::start_with(program().args(["serve", "--listen", "127.0.0.1:0"]).current_dir(folder.path()));
    let address = server.address.as_str();
    for (_, program) in blocks("python") {
        // Named in its first line, if there are several.
        let name = program.first().and_then(|line| line.strip_prefix("# ")).filter(|name| name.ends_with(".py")).unwrap_or("live.py");
        std::fs::write(folder.path().join(name), program.join("\n").replace(ADDRESS, address)).expect("the program is written");
    }
    let python = std::env::var("CALLGRADE_PYTHON").ok();
    let mut ran = 0;
    let mut wrong = Vec::new();
    for step in steps() {
        let mut command = step.command.replace(ADDRESS, address);
        if NOT_RUN.iter().any(|start| command.starts_with(start)) {
            continue;
        }
        if let Some(arguments) = command.strip_prefix("python ") {
            let Some(python) = &python else {
                println!("skipped: {command} (CALLGRADE_PYTHON is not set; make test sets it)");
                continue;
            };
            command = format!("'{python}' {arguments}");
        }
        let begun = Instant::now();
        let mut differs = differences(folder.path(), &command, &step);
        while !differs.is_empty() && command.starts_with("curl ") && begun.elapsed() < LEARNS {
            std::thread::sleep(Duration::from_millis(100));
            differs = differences(folder.path(), &command, &step);
        }
        wrong.extend(differs.iter().map(|what| format!("README.md:{}: $ {}\n    {what}", step.line, step.command)));
        ran += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran >= 8, "only {ran} commands of README.md were found");
}

/// Runs a command; how what it prints and how it exits differ from what is shown.
fn differences(folder: &Path, command: &str, step: &Step<'_>) -> Vec<String> {
    let (exit, output) = run(folder, command);
    let lines: Vec<&str> = output.trim_end().lines().collect();
    let shown = step.shown.iter().rposition(|line| !line.is_empty()).map_or(&[][..], |last| &step.shown[..=last]);
    let mut differs = compare(&lines, shown).err().into_iter().collect::<Vec<_>>();
    if exit != step.exit {
        differs.push(format!("exits with {exit}, not {}", step.exit));
    }
    differs
}

#[test]
fn the_annotated_verdict_is_what_the_call_gets() {
    let call = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calls.jsonl")).expect("the sample calls");
    let call = call.lines().find(|line| line.contains("\"w1-007\"")).expect("the call");
    let verdict = stdout(&callgrade(&["classify"], call.as_bytes()));
    let (_, shown) = blocks("jsonc").pop().expect("the verdict");
    let shown: String = shown.iter().map(|line| line.split("  //").next().unwrap_or_default()).collect();
    // Spaces do not matter, and a comma beside what is left out belongs to it.
    let bare: String = shown.split_whitespace().collect();
    let bare = bare.replace(",…", "…");
    assert!(is_as_shown(&verdict.split_whitespace().collect::<String>(), &bare), "{bare}\nis not\n{verdict}");
}

/// The inline code of a document, blocks left out.
fn spans(document: &str) -> Vec<String> {
    let span = Regex::new("`([^`\n]+)`").expect("a pattern");
    let fence = Regex::new("(?ms)^```.*?^```$").expect("a pattern");
    let prose = fence.replace_all(document, "");
    span.captures_iter(&prose).map(|found| found[1].to_owned()).collect()
}

/// The README's code: inline, and the commands of blocks.
fn code() -> Vec<String> {
    spans(README).into_iter().chain(steps().into_iter().map(|step| step.command)).collect()
}

/// Every command of the program, those of commands too, with its help.
fn commands() -> Vec<(Vec<String>, String)> {
    let mut commands = vec![Vec::new()];
    let mut helps = Vec::new();
    while let Some(command) = commands.pop() {
        let asked: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = stdout(&callgrade(&asked, b""));
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names =
            listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
        commands.extend(names.filter(|name| *name != "help").map(|name| [&command[..], &[name.to_owned()]].concat()));
        helps.push((command, help));
    }
    helps
}

#[test]
fn flags_are_those_of_the_program() {
    let flag = Regex::new("--[a-z][a-z-]*").expect("a pattern");
    let flags = |text: &str| -> BTreeSet<String> { flag.find_iter(text).map(|found| found.as_str().to_owned()).collect() };
    let mut there = BTreeSet::new();
    let commands = commands();
    for command in [&["script", "publish"][..], &["records", "list"], &["forget"], &["push", "resend"]] {
        assert!(commands.iter().any(|(known, _)| known == command), "{command:?} is not found");
    }
    for (_, help) in &commands {
        there.append(&mut flags(help));
    }
    let ours = |code: &String| code.starts_with("callgrade ") || code.starts_with("--") || code.starts_with("make demo");
    let named: BTreeSet<String> = code().iter().filter(|code| ours(code)).flat_map(|code| flags(code)).collect();
    assert_eq!(named.difference(&there).collect::<Vec<_>>(), [""; 0], "README.md names flags that there are not");
    for common in ["--help", "--version"] {
        there.remove(common);
    }
    assert_eq!(there.difference(&named).collect::<Vec<_>>(), [""; 0], "README.md leaves flags out");
}

#[test]
fn targets_and_files_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = std::fs::read_to_string(root.join("Makefile")).expect("the Makefile");
    let mut missing = Vec::new();
    for code in code().into_iter().chain(spans(CONTRIBUTING)) {
        if let Some(target) = code.strip_prefix("make ") {
            let target = target.split(' ').next().unwrap_or_default();
            if !makefile.lines().any(|line| line.starts_with(&format!("{target}:"))) {
                missing.push(code);
            }
            continue;
        }
        let first = code.split('/').next().unwrap_or_default();
        let script = root.join("scripts/telemarketing");
        let folders = match first {
            "scripts" | "src" | "proto" | "tests" => vec![root.to_owned()],
            "keywords" | "cases" => vec![script],
            // Of sample calls, or of utterances to learn from.
            "examples" => vec![root.to_owned(), script],
            _ => continue,
        };
        if !code.contains([' ', '<', '分']) && !folders.iter().any(|folder| folder.join(&code).exists()) {
            missing.push(code);
        }
    }
    let link = Regex::new(r"\]\(([^)#]+)\)").expect("a pattern");
    let links = [README, CONTRIBUTING].into_iter().flat_map(|document| link.captures_iter(document)).map(|found| found[1].to_owned());
    missing.extend(links.filter(|to| !to.starts_with("https://") && !root.join(to).exists()));
    assert!(missing.is_empty(), "the documents name what is not there: {missing:?}");
}

#[test]
fn links_into_the_document_lead_to_its_headings() {
    let slug = |heading: &str| -> String {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect()
    };
    let headings: BTreeSet<String> =
        README.lines().filter_map(|line| line.strip_prefix("##")).map(|line| slug(line.trim_start_matches('#').trim())).collect();
    let link = Regex::new(r"\]\(#([^)]+)\)").expect("a pattern");
    for found in link.captures_iter(README) {
        assert!(headings.contains(&found[1]), "{} is none of {headings:?}", &found[1]);
    }
}

#[test]
fn the_standards_are_those_of_the_scripts() {
    for id in ["telemarketing", "broadband"] {
        for rule in &script(id).rules {
            let (label, fallback) = (&script(id).labels[rule.label].id, if rule.catch_all { "（兜底）" } else { "" });
            let condition = rule.condition.source.replace('|', "\\|");
            let row = format!("| {} | {label} | {}{fallback} | `{condition}` |", rule.id, rule.words);
            assert!(README.contains(&row), "{id}: README.md lacks the row\n{row}");
        }
    }
}

#[test]
fn signals_and_warnings_are_all_named() {
    let signals = Variable::SIGNALS.iter().map(|(name, _)| *name);
    for name in signals.chain(lint::CODES.iter().map(|(code, _)| *code)) {
        assert!(README.contains(&format!("`{name}`")), "README.md lacks {name}");
    }
}
