//! `callgrade classify`: recorded calls in, one verdict a line out.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::input::{self, Given, Item, ReadOptions};
use super::paint::{Role, label_role, paint};
use super::table::{Table, cut};
use super::{KeptVersions, Outcome, REJECTED, ScriptOptions};
use crate::config::Lang;
use crate::ingest::vcon;
use crate::ingest::{Fault, Rejection};
use crate::script::ScriptChoice;
use crate::service::grade;
use crate::wire::v1;

mod arrow;

#[derive(Debug, Args)]
pub(super) struct ClassifyArgs {
    #[command(flatten)]
    scripts: ScriptOptions,
    #[command(flatten)]
    kept: KeptVersions,
    #[command(flatten)]
    input: ReadOptions,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Output::Jsonl)]
    output: Output,
    /// Input files; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
}

/// Formats of verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// One verdict a line, in proto3 JSON
    Jsonl,
    /// A table for people
    Table,
    /// The vCon that was read, with the verdict as an analysis object
    Vcon,
    /// An Arrow IPC stream, a row a call; one that is rejected is a row without a verdict that says why
    Arrow,
}

/// Input of fewer bytes needs no progress bar.
const LONG_INPUT: u64 = 4 << 20;
/// Rows of a table that are laid out together, so that a long one appears as it grows.
const TABLE_ROWS: usize = 200;

pub(super) fn run(args: &ClassifyArgs, lang: Lang) -> Outcome {
    let scripts = args.kept.choice(&args.scripts)?;
    let reading = args.input.reading(args.output == Output::Vcon);
    if args.output == Output::Arrow {
        return arrow::run(&args.files, &reading, scripts, lang);
    }
    let mut report = Report { bar: progress_bar(&args.files, lang), ..Report::default() };
    let stdout = anstream::AutoStream::auto(io::stdout().lock());
    let mut writer = Writer { output: args.output, lang, scripts: &scripts, out: BufWriter::new(stdout), table: Vec::new(), headed: false };
    for path in &args.files {
        let name = path.display().to_string();
        let source = match input::open(path) {
            Ok(source) => source,
            Err(error) => {
                report.complain(&format!("{name}: {error}"));
                continue;
            }
        };
        let before = report.calls + report.rejected;
        let bar = report.bar.clone();
        let read = input::read(
            source,
            &reading,
            |bytes| bar.inc(bytes),
            |given| {
                match given {
                    Given::Fault(fault) => report.fault(&name, &fault),
                    Given::Call(item) => one(&name, *item, &scripts, &mut report, &mut writer)?,
                }
                Ok(true)
            },
        );
        match read {
            Ok(()) if report.calls + report.rejected == before => {
                report.complain(&format!("{name}: {}", lang.pick("没有通话", "no calls in it")))
            }
            Ok(()) => {}
            Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() != io::ErrorKind::BrokenPipe) => {
                report.complain(&format!("{name}: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    writer.flush_table()?;
    writer.out.flush()?;
    report.bar.finish_and_clear();
    if report.rejected > 0 {
        let Report { calls, rejected, .. } = report;
        eprintln!(
            "callgrade: {}",
            lang.pick(format!("评级 {calls} 通，拒收 {rejected} 处"), format!("calls graded: {calls}; rejections: {rejected}"))
        );
        return Ok(ExitCode::from(REJECTED));
    }
    Ok(ExitCode::SUCCESS)
}

fn one(name: &str, item: Item, scripts: &ScriptChoice, report: &mut Report, writer: &mut Writer<'_, impl Write>) -> anyhow::Result<()> {
    let Item { line, record, original } = item;
    for rejection in &record.rejections {
        report.fault(name, &Fault { line, rejection: rejection.clone() });
    }
    let call_id = record.call_id.clone();
    match grade(scripts, record) {
        Ok((verdict, _)) => {
            report.calls += 1;
            writer.write(&verdict, original)
        }
        Err(refusal) => {
            report.fault(name, &Fault { line, rejection: Rejection { call_id, seq: 0, reason: refusal.to_string() } });
            Ok(())
        }
    }
}

/// What happened, told on standard error as it happens.
struct Report {
    calls: usize,
    rejected: usize,
    bar: ProgressBar,
}

impl Default for Report {
    fn default() -> Self {
        Self { calls: 0, rejected: 0, bar: ProgressBar::hidden() }
    }
}

impl Report {
    fn fault(&mut self, name: &str, fault: &Fault) {
        let place = if fault.line == 0 { name.to_owned() } else { format!("{name}:{}", fault.line) };
        self.complain(&format!("{place}: {}", fault.rejection));
    }

    fn complain(&mut self, what: &str) {
        self.rejected += 1;
        self.bar.suspend(|| eprintln!("callgrade: {what}"));
    }
}

fn progress_bar(files: &[PathBuf], lang: Lang) -> ProgressBar {
    let total = input::total_bytes(files).filter(|total| *total >= LONG_INPUT);
    let Some(total) = total.filter(|_| io::stderr().is_terminal()) else { return ProgressBar::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = lang.pick(
        "{bar:30} {percent}% {bytes}/{total_bytes}，{bytes_per_sec}，还需 {eta}",
        "{bar:30} {percent}% {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
    );
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

struct Writer<'a, W: Write> {
    output: Output,
    lang: Lang,
    scripts: &'a ScriptChoice,
    out: W,
    table: Vec<v1::Verdict>,
    headed: bool,
}

impl<W: Write> Writer<'_, W> {
    fn write(&mut self, verdict: &v1::Verdict, original: Option<serde_json::Value>) -> anyhow::Result<()> {
        match self.output {
            Output::Jsonl => {
                serde_json::to_writer(&mut self.out, verdict).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
            Output::Table => {
                self.table.push(verdict.clone());
                if self.table.len() >= TABLE_ROWS {
                    self.flush_table()?;
                }
            }
            // Written elsewhere, whole batches at a time.
            Output::Arrow => {}
            Output::Vcon => {
                let Some(original) = original else {
                    anyhow::bail!("--output vcon writes verdicts back into vCons; call {:?} was not read from one", verdict.call_id);
                };
                serde_json::to_writer(&mut self.out, &vcon::with_verdict(&original, verdict)).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn flush_table(&mut self) -> anyhow::Result<()> {
        if self.table.is_empty() {
            return Ok(());
        }
        let verdicts = std::mem::take(&mut self.table);
        let lines = verdict_table(&verdicts, self.lang);
        let skip = usize::from(self.headed);
        self.headed = true;
        for (line, verdict) in lines.iter().zip(std::iter::once(None).chain(verdicts.iter().map(Some))).skip(skip) {
            let line = match verdict {
                None => paint(Role::Head, line),
                Some(verdict) => self.in_colour(line, verdict),
            };
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    /// The label's column in the label's colour.
    fn in_colour(&self, line: &str, verdict: &v1::Verdict) -> String {
        let script = self.scripts.library().get(&verdict.script_id).ok();
        let place = script.as_ref().and_then(|script| script.labels.iter().position(|label| *label.id == *verdict.label));
        match (place, script, line.split_once(&format!("  {}  ", verdict.label))) {
            (Some(place), Some(script), Some((before, after))) => {
                format!("{before}  {}  {after}", paint(label_role(place, script.labels.len()), &verdict.label))
            }
            _ => line.to_owned(),
        }
    }
}

/// Verdicts as a table; the first line is the head.
pub(super) fn verdict_table(verdicts: &[v1::Verdict], lang: Lang) -> Vec<String> {
    let mut table = Table::new(&lang.pick(
        ["通话", "话术", "等级", "规则", "完成度", "意向问题", "拒绝", "邀约", "跟进", "依据"],
        ["call", "script", "label", "rule", "done", "asked", "refused", "invite", "follow-up", "reason"],
    ));
    for verdict in verdicts {
        let signals = verdict.signals.clone().unwrap_or_default();
        let follow_up = verdict.follow_up.as_ref().map_or(String::new(), |follow_up| follow_up_words(follow_up, lang));
        table.row(vec![
            cut(&verdict.call_id, 36),
            verdict.script_id.clone(),
            if verdict.label.is_empty() { "-".to_owned() } else { verdict.label.clone() },
            if verdict.rule_id.is_empty() { "-".to_owned() } else { verdict.rule_id.clone() },
            format!("{:.0}%", signals.completion * 100.0),
            cut(&signals.asked.join(","), 30),
            signals.refusals.to_string(),
            match signals.invite.as_str() {
                "accepted" => lang.pick("接受", "accepted").to_owned(),
                "declined" => lang.pick("谢绝", "declined").to_owned(),
                _ => "-".to_owned(),
            },
            follow_up,
            verdict.reason.clone(),
        ]);
    }
    table.lines()
}

/// A follow-up in a few words.
pub(super) fn follow_up_words(follow_up: &v1::FollowUp, lang: Lang) -> String {
    let action = match follow_up.action.as_str() {
        "call" => lang.pick("人工回访", "call"),
        "redial" => lang.pick("重拨", "redial"),
        "never" => lang.pick("不再拨打", "never"),
        _ => lang.pick("无", "none"),
    };
    match follow_up.within_hours {
        0 => action.to_owned(),
        hours => format!("{action} ≤{hours}h"),
    }
}
