//! `callgrade script lint|show|test|train|publish|list|activate|rollback`.

mod train;
mod versions;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::paint::{Role, paint};
use super::table::Table;
use super::{Outcome, REJECTED};
use crate::config::Lang;
use crate::core::lexicon::{EntryKind, Lexicon};
use crate::core::script::{Script, Target, Trigger};
use crate::script::{Bundle, Severity, case, compile, lint};

/// Prints a line; a reader that has gone away is an error, which ends the command quietly.
fn say(line: impl std::fmt::Display) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(anstream::stdout().lock(), "{line}")
}

#[derive(Debug, Args)]
pub(super) struct ScriptArgs {
    #[command(subcommand)]
    command: ScriptCommand,
}

#[derive(Debug, Subcommand)]
enum ScriptCommand {
    /// Look for what is wrong or odd: file, line and column, with a caret
    Lint(Which),
    /// The flow, the rules and the lists
    Show(Which),
    /// Run the scripts' own cases
    Test(Which),
    /// Learn from the examples: writes each script's model.txt
    Train(train::TrainArgs),
    /// Keep a script as a version in a server's store
    Publish(versions::PublishArgs),
    /// The versions that a server's store keeps, newest first
    List(versions::ListArgs),
    /// Grade calls that begin from now on with a version, without a restart of the server
    Activate(versions::ActivateArgs),
    /// Activate the version that was active before
    Rollback(versions::RollbackArgs),
}

#[derive(Debug, Args)]
struct Which {
    /// Folder of scripts to use in place of the bundled ones
    #[arg(long, value_name = "DIR")]
    scripts: Option<PathBuf>,
    /// Ids of scripts, or folders of scripts; all if none is given
    #[arg(value_name = "ID|DIR")]
    which: Vec<String>,
}

impl Which {
    fn bundles(&self) -> anyhow::Result<Vec<Bundle>> {
        let read = |folder: &Path| Bundle::read_all(folder).map_err(anyhow::Error::from);
        let all = match &self.scripts {
            None => Bundle::bundled(),
            Some(folder) => read(folder)?,
        };
        if self.which.is_empty() {
            return Ok(all);
        }
        let mut chosen = Vec::new();
        for name in &self.which {
            match all.iter().find(|bundle| bundle.name == *name) {
                Some(bundle) => chosen.push(bundle.clone()),
                None if Path::new(name).is_dir() => chosen.extend(read(Path::new(name))?),
                None => {
                    let known: Vec<&str> = all.iter().map(|bundle| bundle.name.as_str()).collect();
                    anyhow::bail!("no script and no folder {name:?}; there are {}", known.join(", "));
                }
            }
        }
        Ok(chosen)
    }
}

pub(super) fn run(args: &ScriptArgs, lang: Lang) -> Outcome {
    match &args.command {
        ScriptCommand::Lint(which) => lint_all(&which.bundles()?, lang),
        ScriptCommand::Show(which) => show_all(&which.bundles()?, lang),
        ScriptCommand::Test(which) => test_all(&which.bundles()?, lang),
        ScriptCommand::Train(args) => train::run(args, lang),
        ScriptCommand::Publish(args) => versions::publish(args, lang),
        ScriptCommand::List(args) => versions::list(args, lang),
        ScriptCommand::Activate(args) => versions::activate(args, lang),
        ScriptCommand::Rollback(args) => versions::rollback(args, lang),
    }
}

fn lint_all(bundles: &[Bundle], lang: Lang) -> Outcome {
    let colour = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let (mut errors, mut warnings) = (0, 0);
    for bundle in bundles {
        for diagnostic in lint::lint(bundle) {
            match diagnostic.severity {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
            }
            say(format_args!("{}\n", diagnostic.render(colour)))?;
        }
    }
    let names: Vec<&str> = bundles.iter().map(|bundle| bundle.name.as_str()).collect();
    let names = names.join(", ");
    say(format_args!(
        "{}",
        lang.pick(format!("{names}：{errors} 个错误，{warnings} 个提醒"), format!("{names}: errors: {errors}, warnings: {warnings}"))
    ))?;
    Ok(if errors > 0 { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
}

fn test_all(bundles: &[Bundle], lang: Lang) -> Outcome {
    let (mut passed, mut failed) = (0, 0);
    for bundle in bundles {
        let script = compile(bundle)?;
        for (path, text) in bundle.files.iter().filter(|(path, _)| path.starts_with("cases/")) {
            let cases = match case::parse(text) {
                Ok(cases) => cases,
                Err(reason) => {
                    failed += 1;
                    say(format_args!("{} {}/{path}: {reason}", paint(Role::Bad, "✗"), bundle.name))?;
                    continue;
                }
            };
            for case in cases {
                let differences = case.run(&script).unwrap_or_else(|error| vec![error.to_string()]);
                if differences.is_empty() {
                    passed += 1;
                    continue;
                }
                failed += 1;
                say(format_args!("{} {}/{path}: {}", paint(Role::Bad, "✗"), bundle.name, case.name))?;
                differences.iter().try_for_each(|difference| say(format_args!("    {difference}")))?;
            }
        }
    }
    say(format_args!("{}", lang.pick(format!("通过 {passed} 例，不通过 {failed} 例"), format!("{passed} cases passed, {failed} failed"))))?;
    Ok(if failed > 0 { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
}

fn show_all(bundles: &[Bundle], lang: Lang) -> Outcome {
    for bundle in bundles {
        let script = compile(bundle)?;
        show(&script, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(script: &Script, lang: Lang) -> std::io::Result<()> {
    say(format_args!("{} {}@{}", paint(Role::Head, &script.title), script.id, script.version))?;
    say(format_args!("\n{}", paint(Role::Head, lang.pick("流程", "Flow"))))?;
    for node in &script.nodes {
        let place = node.main.map_or(lang.pick("主流程之外", "off the main flow").to_owned(), |place| {
            format!("{} {}", lang.pick("主流程", "main flow"), place + 1)
        });
        say(format_args!("  {} {}  {}", paint(Role::Question, &node.id), node.title, paint(Role::Faint, &place)))?;
        if !node.prompt.is_empty() {
            say(format_args!("    {}", node.prompt))?;
        }
        for (trigger, targets) in &node.branches {
            let targets: Vec<&str> = targets.iter().map(|target| target_name(script, *target, lang)).collect();
            say(format_args!("    {} → {}", trigger_name(script, *trigger, lang), targets.join(lang.pick("，再 → ", ", then → "))))?;
        }
    }
    say(format_args!("\n{}", paint(Role::Head, lang.pick("规则", "Rules"))))?;
    let mut rules = Table::new(&lang.pick(["规则", "等级", "标准的话", "条件"], ["rule", "label", "the standard's words", "condition"]));
    for rule in &script.rules {
        let label = script.labels.get(rule.label).map_or("", |label| &label.id);
        let catch_all = if rule.catch_all { lang.pick("（兜底）", " (catch-all)") } else { "" };
        rules.row(vec![rule.id.to_string(), label.to_owned(), format!("{}{catch_all}", rule.words), rule.condition.source.to_string()]);
    }
    rules.lines().iter().try_for_each(|line| say(format_args!("  {line}")))?;
    say(format_args!("\n{}", paint(Role::Head, lang.pick("词表", "Lists"))))?;
    let mut lists = Table::new(&lang.pick(["词表", "名称", "词", "例外", "正则"], ["list", "title", "phrases", "exceptions", "patterns"]));
    for lexicon in [&script.customer, &script.boundaries, &script.robot] {
        list_rows(script, lexicon).into_iter().for_each(|row| lists.row(row));
    }
    lists.lines().iter().try_for_each(|line| say(format_args!("  {line}")))?;
    say("")?;
    Ok(())
}

fn list_rows(script: &Script, lexicon: &Lexicon) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (number, list) in lexicon.lists().iter().enumerate() {
        let count = |kind: EntryKind, exception: bool| {
            lexicon
                .entries()
                .iter()
                .filter(|e| usize::from(e.list) == number && e.exception == exception && (exception || e.kind == kind))
                .count()
                .to_string()
        };
        let title = script.concepts.iter().find(|concept| concept.id == list.name).map_or("", |concept| &concept.title);
        rows.push(vec![
            list.name.to_string(),
            title.to_owned(),
            count(EntryKind::Phrase, false),
            count(EntryKind::Phrase, true),
            count(EntryKind::Pattern, false),
        ]);
    }
    rows
}

fn trigger_name(script: &Script, trigger: Trigger, lang: Lang) -> String {
    match trigger {
        Trigger::Concept(index) => {
            script.concept(index).map_or(String::new(), |concept| lang.pick(&concept.title, &concept.id).to_string())
        }
        Trigger::Question => lang.pick("意向问题", "question").to_owned(),
        Trigger::Silence => lang.pick("静音", "silence").to_owned(),
        Trigger::Any => lang.pick("其他", "anything else").to_owned(),
    }
}

fn target_name(script: &Script, target: Target, lang: Lang) -> &str {
    match target {
        Target::Node(index) => script.node(index).map_or("", |node| &node.id),
        Target::Repeat => lang.pick("重复", "repeat"),
        Target::Answer => lang.pick("作答后再走本节点分支", "answer, then this node's branches again"),
    }
}
