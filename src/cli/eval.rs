//! `callgrade eval`: how well calls and utterances are read, against what people say of them.

mod page;
mod text;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::input::{self, Given, ReadOptions};
use super::{Outcome, REJECTED, ScriptOptions};
use crate::config::Lang;
use crate::eval::calls::{self, Recorded};
use crate::eval::gold::{self, GoldCall, GoldUtterance};
use crate::eval::{Options, Report, utterances};

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    #[command(flatten)]
    scripts: ScriptOptions,
    #[command(flatten)]
    input: ReadOptions,
    /// Recorded calls to measure, with --gold
    #[arg(long, value_name = "FILE", requires = "gold", conflicts_with = "utterances", required_unless_present = "utterances")]
    calls: Option<PathBuf>,
    /// What people say of the calls, one JSON object a line
    #[arg(long, value_name = "FILE", requires = "calls", conflicts_with = "utterances")]
    gold: Option<PathBuf>,
    /// Single utterances with their category, one JSON object a line
    #[arg(long, value_name = "FILE")]
    utterances: Option<PathBuf>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Keep this share of the items from the eye, 0 to 1: measured apart, their errors not shown
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    set_aside: f64,
    /// Show the errors of the items set aside too
    #[arg(long, requires = "set_aside")]
    show_set_aside: bool,
    /// Categories whose mean F1 is wanted, separated by commas; all that the file uses if not given
    #[arg(long = "macro", value_name = "IDS", value_delimiter = ',', conflicts_with = "calls")]
    macro_over: Vec<String>,
    /// Most errors to show as text; 0 for none
    #[arg(long, value_name = "N", default_value_t = 50)]
    errors: usize,
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For the terminal
    Text,
    /// All figures and errors, as one JSON object
    Json,
    /// A page with plots, complete in one file
    Html,
}

pub(super) fn run(args: &EvalArgs, lang: Lang) -> Outcome {
    anyhow::ensure!((0.0..=1.0).contains(&args.set_aside), "--set-aside is a share from 0 to 1, not {}", args.set_aside);
    let options = Options { set_aside: args.set_aside, show_set_aside: args.show_set_aside, macro_over: args.macro_over.clone() };
    let mut rejected = 0;
    let report = match (&args.calls, &args.gold, &args.utterances) {
        (Some(calls), Some(gold), _) => of_calls(args, calls, gold, &options, &mut rejected)?,
        (_, _, Some(file)) => of_utterances(args, file, &options, &mut rejected)?,
        _ => anyhow::bail!("--calls FILE --gold FILE, or --utterances FILE"),
    };
    if report.parts.first().is_none_or(|whole| whole.items == 0) {
        anyhow::bail!(lang.pick("没有可以衡量的内容", "there is nothing to measure"));
    }
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    match args.output {
        Output::Text => out.write_all(text::render(&report, args.errors, lang).as_bytes())?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Output::Html => out.write_all(page::render(&report, lang).as_bytes())?,
    }
    out.flush()?;
    Ok(if rejected > 0 { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
}

fn of_calls(args: &EvalArgs, path: &Path, gold: &Path, options: &Options, rejected: &mut usize) -> anyhow::Result<Report> {
    let scripts = args.scripts.choice()?;
    let gold: Vec<GoldCall> = gold_of(gold, rejected)?.into_iter().map(|(_, gold)| gold).collect();
    let name = path.display().to_string();
    let source = input::open(path).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    let mut recorded = BTreeMap::new();
    let mut complain = |line: usize, what: &dyn std::fmt::Display| {
        *rejected += 1;
        eprintln!("callgrade: {name}:{line}: {what}");
    };
    input::read(
        source,
        &args.input.reading(false),
        |_| {},
        |given| {
            match given {
                Given::Fault(fault) => complain(fault.line, &fault.rejection),
                Given::Call(item) => {
                    item.record.rejections.iter().for_each(|rejection| complain(item.line, rejection));
                    match scripts.of(&item.record.script_id) {
                        Ok(script) => {
                            recorded.insert(item.record.call_id, Recorded { script, events: item.record.events });
                        }
                        Err(error) => complain(item.line, &format!("call {:?}: {error}", item.record.call_id)),
                    }
                }
            }
            Ok(true)
        },
    )
    .with_context(|| name.clone())?;
    Ok(calls::measure(&recorded, &gold, options))
}

fn of_utterances(args: &EvalArgs, path: &Path, options: &Options, rejected: &mut usize) -> anyhow::Result<Report> {
    let scripts = args.scripts.choice()?;
    // A list of utterances names no script: the one asked for, else the first there is.
    let script = match scripts.of("") {
        Ok(script) => script,
        Err(_) => scripts
            .library()
            .get("telemarketing")
            .or_else(|_| scripts.of(scripts.library().iter().next().map_or("", |script| &script.id)))?,
    };
    for id in &options.macro_over {
        anyhow::ensure!(script.concept_of(id).is_some(), "--macro: script {:?} has no category or question {id:?}", &*script.id);
    }
    let gold: Vec<(usize, GoldUtterance)> = gold_of(path, rejected)?;
    Ok(utterances::measure(&script, &gold, options))
}

/// Reads a file of what people say; a line that cannot be read is told and left out.
fn gold_of<T: for<'a> serde::Deserialize<'a>>(path: &Path, rejected: &mut usize) -> anyhow::Result<Vec<(usize, T)>> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let mut source = input::open(path).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    source.read_to_end(&mut bytes).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    let gold::Lines { items, faults } = gold::read(&String::from_utf8_lossy(&bytes));
    *rejected += faults.len();
    for (line, reason) in faults {
        eprintln!("callgrade: {name}:{line}: {reason}");
    }
    Ok(items)
}
