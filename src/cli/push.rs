//! `callgrade push list|resend`: the outbox of verdicts to be pushed.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::store::{StoreOptions, now_ms};
use super::table::Table;
use super::{Outcome, REJECTED};
use crate::store::pushes::{PushEntry, PushState};

#[derive(Debug, Args)]
pub(super) struct PushArgs {
    #[command(subcommand)]
    command: PushCommand,
}

#[derive(Debug, Subcommand)]
enum PushCommand {
    /// What is in the outbox: verdicts still to be pushed, and dead letters
    List(ListArgs),
    /// Send again, from the first try on: what was given up, or what waits for its next try
    Resend(ResendArgs),
}

/// Which outbox.
#[derive(Debug, Args)]
struct Outbox {
    #[command(flatten)]
    store: StoreOptions,
    /// Only what is this tenant's
    #[arg(long, value_name = "TENANT", default_value = "", hide_default_value = true)]
    tenant: String,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    outbox: Outbox,
    /// Only dead letters
    #[arg(long)]
    dead: bool,
    /// Format of the output
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

#[derive(Debug, Args)]
struct ResendArgs {
    #[command(flatten)]
    outbox: Outbox,
    /// Every dead letter
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Ids as `callgrade push list` shows them
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Table,
    /// One JSON object a line
    Json,
}

/// Entries that are read at a time.
const PAGE: usize = 500;

pub(super) fn run(args: &PushArgs) -> Outcome {
    match &args.command {
        PushCommand::List(args) => list(args),
        PushCommand::Resend(args) => resend(args),
    }
}

/// An entry as JSON has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    id: &'a str,
    tenant: &'a str,
    call_id: &'a str,
    state: &'static str,
    tries: u32,
    made_at: String,
    /// When it is sent next; none of a dead letter.
    due_at: Option<String>,
    error: &'a str,
}

impl<'a> Listed<'a> {
    fn new(entry: &'a PushEntry) -> Self {
        Self {
            id: &entry.event_id,
            tenant: &entry.tenant,
            call_id: &entry.call_id,
            state: entry.state.as_str(),
            tries: entry.tries,
            made_at: moment(entry.made_ms),
            due_at: (entry.state == PushState::Pending).then(|| moment(entry.due_ms)),
            error: &entry.error,
        }
    }
}

fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

fn list(args: &ListArgs) -> Outcome {
    let store = args.outbox.store.open()?;
    let state = args.dead.then_some(PushState::Dead);
    let mut stdout = std::io::BufWriter::new(anstream::stdout().lock());
    let (mut after, mut headed) = (0, false);
    loop {
        let page = store.pushes(&args.outbox.tenant, state, after, PAGE)?;
        let mut table = Table::new(&["id", "tenant", "call", "state", "tries", "made", "next try", "error"]);
        for entry in &page {
            after = entry.number;
            let listed = Listed::new(entry);
            match args.output {
                Output::Json => writeln!(stdout, "{}", serde_json::to_string(&listed)?)?,
                Output::Table => table.row(vec![
                    listed.id.to_owned(),
                    listed.tenant.to_owned(),
                    listed.call_id.to_owned(),
                    listed.state.to_owned(),
                    listed.tries.to_string(),
                    listed.made_at,
                    listed.due_at.unwrap_or_default(),
                    listed.error.to_owned(),
                ]),
            }
        }
        if args.output == Output::Table {
            // Page by page, each as wide as it needs: an outbox may be long. The head comes once.
            for line in table.lines().iter().skip(usize::from(headed)) {
                writeln!(stdout, "{line}")?;
            }
            headed = true;
        }
        if page.len() < PAGE {
            break;
        }
    }
    stdout.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn resend(args: &ResendArgs) -> Outcome {
    let store = args.outbox.store.open()?;
    let now_ms = now_ms();
    let tenant = &args.outbox.tenant;
    let (mut resent, mut missing) = (0, Vec::new());
    if args.all {
        resent = store.resend_dead_pushes(tenant, now_ms)?;
    }
    for id in &args.ids {
        if store.resend_push(tenant, id, now_ms)? {
            resent += 1;
        } else {
            missing.push(id);
        }
    }
    writeln!(anstream::stdout().lock(), "to be sent again: {resent}")?;
    for id in &missing {
        anstream::eprintln!("callgrade: there is no push {id:?} in the outbox");
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REJECTED) })
}
