//! The command line. One file per subcommand; what people read is in Chinese or English.
//!
//! Exit codes: 0 all went well; 1 something of the input was rejected, or a check failed; 2 the command could not run.

mod audit;
mod backup;
mod classify;
mod config;
mod demo;
mod eval;
mod explain;
mod forget;
mod help;
mod input;
mod keys;
mod loadgen;
mod page;
mod paint;
mod push;
mod records;
mod regrade;
mod script;
mod serve;
mod store;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self as settings, Lang, Settled, Unsettled};
use crate::ingest::Limits;
use crate::script::Library;
use crate::script::ScriptChoice;
use crate::service::versions::Scripts;

/// What went wrong with a command as a whole; what is wrong with its input is reported while it runs.
pub(crate) type Outcome = anyhow::Result<ExitCode>;

/// Something of the input was rejected, or a check failed.
pub(crate) const REJECTED: u8 = 1;
/// The command could not run.
const CANNOT_RUN: u8 = 2;

#[derive(Debug, Parser)]
#[command(name = "callgrade", version, about = "Grades robot-dialer calls: events in, an intent label A–F out, with the evidence for it")]
struct Cli {
    /// Language of what people read; from LC_ALL, LC_MESSAGES or LANG if not given
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Grade recorded calls, one verdict a line
    Classify(classify::ClassifyArgs),
    /// Show one call as a person reads it: why this label, and why not a better one
    Explain(explain::ExplainArgs),
    /// Grade recorded calls anew, millions of them, and show what that changes
    Regrade(Box<regrade::RegradeArgs>),
    /// Measure how well calls are read, against what people say of them
    Eval(eval::EvalArgs),
    /// Check, show, test and publish talk scripts
    Script(script::ScriptArgs),
    /// Grade live calls over gRPC, gRPC-web and HTTP/JSON
    Serve(Box<serve::ServeArgs>),
    /// Show the settings in force, and where each is from
    Config(Box<config::ConfigArgs>),
    /// Make, list and revoke the API keys of a server's tenants
    Keys(keys::KeysArgs),
    /// Show the outbox of verdicts to be pushed, and send what was given up again
    Push(push::PushArgs),
    /// Read the calls that a server keeps
    Records(records::RecordsArgs),
    /// Delete what is kept of somebody: by call, telephone number or attribute
    Forget(forget::ForgetArgs),
    /// Copy a server's store to a file, while the server runs
    Backup(backup::BackupArgs),
    /// Who published, activated, exported and deleted what
    Audit(audit::AuditArgs),
    /// Start the service and stream sample calls through it
    Demo(demo::DemoArgs),
    /// Stream synthetic calls to a server, and measure how it bears them
    Loadgen(loadgen::LoadgenArgs),
}

/// Where settings are beside the command line. A command that has this takes those of the server's settings that it has too
/// from the environment and the file.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigOptions {
    /// File of settings (TOML); each long option is a key, and CALLGRADE_LONG_OPTION a variable over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Which scripts to grade with.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScriptOptions {
    /// Script for calls that name none; ID@VERSION also fixes the version for the calls of that script
    #[arg(long, value_name = "ID[@VERSION]")]
    script: Option<String>,
    /// Folder of scripts to use in place of the bundled ones
    #[arg(long, value_name = "DIR")]
    scripts: Option<PathBuf>,
}

impl ScriptOptions {
    pub(crate) fn library(&self) -> anyhow::Result<Library> {
        match &self.scripts {
            None => Ok(Library::bundled()?),
            Some(folder) => Ok(Library::read(folder)?),
        }
    }

    pub(crate) fn choice(&self) -> anyhow::Result<ScriptChoice> {
        Ok(ScriptChoice::new(self.library()?, self.script.clone())?)
    }
}

/// Script versions that a server keeps.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeptVersions {
    /// Data directory or PostgreSQL URL of a server: where --script ID@VERSION finds versions that the folder does not have
    #[arg(long, value_name = "DIR|URL", value_parser = store::place)]
    store: Option<String>,
    /// Whose versions
    #[arg(long, value_name = "NAME", default_value = "default", requires = "store")]
    tenant: String,
}

impl KeptVersions {
    /// Where they are, if that is given.
    pub(crate) fn place(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// Whose they are.
    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The choice that the options make, with the version they name from the store if the folder does not have it.
    pub(crate) fn choice(&self, scripts: &ScriptOptions) -> anyhow::Result<ScriptChoice> {
        let (Some(place), Some((id, version))) = (&self.store, scripts.script.as_deref().and_then(|name| name.split_once('@'))) else {
            return scripts.choice();
        };
        let library = scripts.library()?;
        let versions = Scripts::open(ScriptChoice::default(), store::open(place)?, store::now_ms())?;
        let library = match library.get(&format!("{id}@{version}")) {
            Ok(_) => library,
            Err(_) => library.with(versions.version(&self.tenant, id, version)?),
        };
        Ok(ScriptChoice::new(library, scripts.script.clone())?)
    }
}

/// What a call may bring.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LimitOptions {
    /// Most bytes of an utterance's text
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().utterance_bytes, help_heading = "Limits")]
    max_utterance_bytes: usize,
    /// Most events of a call
    #[arg(long, value_name = "EVENTS", default_value_t = Limits::default().call_events, help_heading = "Limits")]
    max_call_events: usize,
}

impl LimitOptions {
    pub(crate) fn limits(self) -> Limits {
        Limits { utterance_bytes: self.max_utterance_bytes, call_events: self.max_call_events, ..Limits::default() }
    }
}

/// What a file may bring.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct FileLimitOptions {
    #[command(flatten)]
    limits: LimitOptions,
    /// Most bytes of a line of a file
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().line_bytes, help_heading = "Limits")]
    max_line_bytes: usize,
}

impl FileLimitOptions {
    pub(crate) fn limits(self) -> Limits {
        Limits { line_bytes: self.max_line_bytes, ..self.limits.limits() }
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let ambient = Lang::from_environment();
    // The language must be known before the help is written in it.
    let asked = std::env::args().skip_while(|arg| arg != "--lang" && !arg.starts_with("--lang="));
    let lang = help::asked_language(asked).unwrap_or(ambient);
    let command = help::localise(Cli::command(), lang);
    let settled = match settings::settle(command, "serve", std::env::args_os().collect(), &settings::environment()) {
        Ok(settled) => settled,
        Err(Unsettled::CommandLine(error)) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { CANNOT_RUN } else { 0 });
        }
        Err(Unsettled::Config(error)) => {
            anstream::eprintln!("callgrade: {error}");
            return ExitCode::from(CANNOT_RUN);
        }
    };
    let outcome = match Cli::from_arg_matches(&settled.matches) {
        Ok(cli) => run(cli.command, cli.lang.unwrap_or(lang), &settled),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("callgrade: {error:#}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

fn run(command: Command, lang: Lang, settled: &Settled) -> Outcome {
    match command {
        Command::Classify(args) => classify::run(&args, lang),
        Command::Explain(args) => explain::run(&args, lang),
        Command::Regrade(args) => regrade::run(&args, lang),
        Command::Eval(args) => eval::run(&args, lang),
        Command::Script(args) => script::run(&args, lang),
        Command::Serve(args) => serve::run(&args, settled),
        Command::Config(args) => config::run(&args, settled, lang),
        Command::Keys(args) => keys::run(&args),
        Command::Push(args) => push::run(&args),
        Command::Records(args) => records::run(&args, lang),
        Command::Forget(args) => forget::run(&args, lang),
        Command::Backup(args) => backup::run(&args, lang),
        Command::Audit(args) => audit::run(&args, lang),
        Command::Demo(args) => demo::run(&args, lang),
        Command::Loadgen(args) => loadgen::run(&args, lang),
    }
}

/// Whoever read our output has seen enough: `callgrade classify … | head`.
fn closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
