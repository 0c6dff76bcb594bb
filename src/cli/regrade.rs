//! `callgrade regrade`: recorded calls graded anew, and what that changes.

mod drafts;
mod fits;
mod page;
mod places;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest, Sha256};

use self::places::{Begun, Out};
use super::input::ReadOptions;
use super::records::WhichCalls;
use super::{KeptVersions, Outcome, REJECTED, store};
use crate::config::Lang;
use crate::regrade::grading::{Against, Grading};
use crate::regrade::run::{Plan, Progress, run as regrade};
use crate::regrade::sink::{Output, Shape, Sink};
use crate::regrade::source::kept::Kept;
use crate::regrade::source::{Files, Position, Source};
use crate::script::ScriptChoice;
use crate::service::records::{check_names, filter};
use crate::service::versions::Scripts;
use crate::wire::columns::Extent;
use crate::wire::v1;

/// The exit code of a run that was stopped (128 and SIGINT, as shells have it).
const STOPPED: u8 = 130;

#[derive(Debug, Args)]
pub(super) struct RegradeArgs {
    /// Script to grade with: ID, ID@VERSION, or ID@DRAFT, where DRAFT is a folder of a script, one of its files, or JSON of path and text
    #[arg(long, value_name = "ID[@VERSION|@DRAFT]")]
    script: Option<String>,
    /// Compare with another version, named as with --script, or with the labels stored in the input
    #[arg(long, value_name = "stored|ID[@VERSION|@DRAFT]")]
    against: Option<String>,
    /// Folder of scripts to use in place of the bundled ones
    #[arg(long, value_name = "DIR")]
    scripts: Option<PathBuf>,
    /// Folder of the result, or one file of verdicts (.parquet, .jsonl or .csv) with the rest beside it
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,
    /// Format of the verdicts; by the name of the file, else Parquet
    #[arg(long, value_enum)]
    output: Option<Output>,
    /// Parquet: whole verdicts, with evidence, nodes and follow-up, as classify --output arrow gives them
    #[arg(long)]
    whole: bool,
    /// Go on where a run stopped that had the same input, scripts and options
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Replace what an earlier run left
    #[arg(long)]
    overwrite: bool,
    /// Threads that grade; as many as there are cores if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Seconds after which what was done is put on disk: as much is done again after a crash
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    checkpoint: f64,
    /// Most changed calls that are shown in the terminal, of each pair of labels; the report and the files have more
    #[arg(long, value_name = "CALLS", default_value_t = 2)]
    examples: usize,
    #[command(flatten)]
    input: ReadOptions,
    #[command(flatten)]
    kept: KeptVersions,
    #[command(flatten)]
    which: WhichCalls,
    /// Files of calls, and folders of them: JSON lines (also .gz, .zst), Parquet, vCon; without any, the ended calls of --store
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
}

pub(super) fn run(args: &RegradeArgs, lang: Lang) -> Outcome {
    let out = Out::of(&args.out, args.output)?;
    fits::check(args, out.output, lang)?;
    out.spares(&args.inputs, lang)?;
    let scripts = drafts::choice(args.script.as_deref(), &args.scripts, &args.kept)?;
    let against = match args.against.as_deref() {
        None => Against::Nothing,
        Some("stored") => Against::Stored,
        Some(name) => Against::Version(drafts::choice(Some(name), &args.scripts, &args.kept)?),
    };
    let compared = !matches!(against, Against::Nothing);
    let extent = if args.whole { Extent::Whole } else { Extent::Label };
    let shape = Shape { output: out.output, extent, compared };
    let reading = args.input.reading(false);
    let grading = Grading { scripts, against };

    let mut source = source(args, &out, Position::default())?;
    let fingerprint = fingerprint(&grading, shape, args, &*source);
    let state = match out.begin(&fingerprint, args.resume, args.overwrite, lang)? {
        Begun::Anew(state) => state,
        Begun::Again(state) => {
            source = self::source(args, &out, state.position.clone())?;
            state
        }
        Begun::Done(diff, rejected) => return report(&diff, rejected, args, lang),
    };
    for passed in source.passed() {
        eprintln!(
            "callgrade: {}",
            lang.pick(
                format!("跳过 {}：是重新评级的结果，不是通话", passed.display()),
                format!("{} is passed over: the result of a re-grading, not calls", passed.display())
            )
        );
    }
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let checkpoint = Duration::try_from_secs_f64(args.checkpoint).context("--checkpoint")?;
    let plan =
        Plan { grading, reading, sink: Sink::new(shape)?, extension: out.output.extension(), threads, places: out.places(), checkpoint };
    let stop = stop_on_signal()?;
    let bar = progress_bar(source.weight(), state.weight, lang);
    let from = (state.graded, std::time::Instant::now());
    let state = regrade(&plan, &mut *source, state, &stop, |progress| show(&bar, progress, from, lang));
    bar.finish_and_clear();
    let state = state.map_err(|error| anyhow::anyhow!("{}: {error}", args.out.display()))?;
    if !state.done {
        eprintln!(
            "callgrade: {}",
            lang.pick(
                format!("已停下，评了 {} 通；加 --resume 接着评", state.graded),
                format!("stopped with {} calls graded; --resume goes on", state.graded)
            )
        );
        return Ok(ExitCode::from(STOPPED));
    }
    out.finish(&plan.sink, &state, compared, &page::render(&state.diff, lang))?;
    report(&state.diff, state.rejected, args, lang)
}

/// Where the calls come from.
fn source(args: &RegradeArgs, out: &Out, from: Position) -> anyhow::Result<Box<dyn Source>> {
    if !args.inputs.is_empty() {
        return Ok(Box::new(Files::open(&args.inputs, args.input.reading(false), from, &out.full())?));
    }
    let Some(place) = args.kept.place() else {
        anyhow::bail!("give files of calls, or --store for those that a server keeps");
    };
    let script = args.script.as_deref().and_then(|name| name.split('@').next()).unwrap_or_default();
    let asked = v1::CallFilter { script_id: script.to_owned(), r#final: Some(true), ..args.which.filter() };
    let (store, tenant) = (store::open(place)?, args.kept.tenant());
    let scripts = Scripts::open(ScriptChoice::default(), store.clone(), store::now_ms())?;
    check_names(&store, &scripts, tenant, &v1::CallFilter { script_id: String::new(), ..asked.clone() })?;
    Ok(Box::new(Kept::open(store, tenant, filter(&asked)?, from)?))
}

/// What tells this run from others.
fn fingerprint(grading: &Grading, shape: Shape, args: &RegradeArgs, source: &dyn Source) -> String {
    let versions = |scripts: &ScriptChoice| {
        let versions: Vec<String> = scripts.library().iter().map(|script| format!("{}@{}", script.id, script.version)).collect();
        format!("{versions:?} {:?}", scripts.fallback())
    };
    let before = match &grading.against {
        Against::Nothing => "nothing".to_owned(),
        Against::Stored => "stored".to_owned(),
        Against::Version(scripts) => versions(scripts),
    };
    let told = format!("{} {before} {shape:?} {:?} {}", versions(&grading.scripts), args.input, source.fingerprint());
    Sha256::digest(told.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Shows what came of it.
fn report(diff: &v1::RegradeDiff, rejected: u64, args: &RegradeArgs, lang: Lang) -> Outcome {
    let mut stdout = anstream::AutoStream::auto(io::stdout().lock());
    let shown = stdout.write_all(text::render(diff, args.examples, lang).as_bytes()).and_then(|()| stdout.flush());
    match shown {
        // Whoever read it has seen enough, and still wants to know how it went.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    let mut code = ExitCode::SUCCESS;
    if args.against.as_deref() == Some("stored") && diff.calls > 0 && diff.compared == 0 {
        eprintln!("callgrade: {}", lang.pick("没有一通通话带着可比的等级", "no call came with a label to compare with"));
        code = ExitCode::from(REJECTED);
    }
    if rejected > 0 {
        let place = places::rejects(&args.out);
        eprintln!(
            "callgrade: {}",
            lang.pick(format!("拒收 {rejected} 处，见 {}", place.display()), format!("rejections: {rejected}, in {}", place.display()))
        );
        code = ExitCode::from(REJECTED);
    }
    Ok(code)
}

/// Set by the first Ctrl-C, or a request to end; the second ends the program at once, which loses no more than the last half minute.
fn stop_on_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut terminate = {
        let _inside = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
                if told.swap(true, Ordering::Relaxed) {
                    std::process::exit(STOPPED.into());
                }
            }
        });
    })?;
    Ok(stop)
}

fn progress_bar(weight: u64, done: u64, lang: Lang) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(weight), ProgressDrawTarget::stderr());
    let template = lang.pick("{bar:30} {percent}% {msg}，还需 {eta}", "{bar:30} {percent}% {msg}, {eta} left");
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_position(done);
    bar.reset_eta();
    bar
}

fn show(bar: &ProgressBar, progress: &Progress, (before, begun): (u64, std::time::Instant), lang: Lang) {
    if bar.is_hidden() {
        return;
    }
    let rate = (progress.graded - before) as f64 / begun.elapsed().as_secs_f64().max(0.001);
    let Progress { graded, rejected, changed, weight } = *progress;
    bar.set_message(lang.pick(
        format!("{graded} 通，每秒 {rate:.0} 通，变 {changed}，拒收 {rejected}"),
        format!("{graded} calls, {rate:.0} a second, {changed} changed, {rejected} rejected"),
    ));
    bar.set_position(weight);
}

/// A path with more at its end.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
