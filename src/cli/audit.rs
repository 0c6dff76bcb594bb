//! `callgrade audit`: who did what to scripts, calls and keys.

use std::process::ExitCode;

use clap::Args;

use super::Outcome;
use super::store::{StoreOptions, told};
use super::table::Table;
use crate::config::Lang;

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    store: StoreOptions,
    /// Whose entries; of every tenant if not given
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    tenant: String,
    /// Most entries, the newest first; 0: any number
    #[arg(long, value_name = "ENTRIES", default_value_t = 100)]
    limit: usize,
}

pub(super) fn run(args: &AuditArgs, lang: Lang) -> Outcome {
    use std::io::Write;
    let most = if args.limit == 0 { usize::MAX } else { args.limit };
    // One more tells whether there are more.
    let mut entries = args.store.open()?.audit_log(&args.tenant, most.saturating_add(1))?;
    let more = entries.len() > most;
    entries.truncate(most);
    let mut table = Table::new(&lang.pick(["时间", "租户", "谁", "做了什么", "对象"], ["when", "tenant", "who", "what", "to what"]));
    for entry in entries {
        let who = if entry.who.is_empty() { "-".to_owned() } else { entry.who };
        table.row(vec![told(entry.at_ms), entry.tenant, who, entry.action, entry.what]);
    }
    let mut out = anstream::stdout().lock();
    table.lines().iter().try_for_each(|line| writeln!(out, "{line}"))?;
    if more {
        let en = format!("there are more entries than these {most}: --limit");
        anstream::eprintln!("callgrade: {}", lang.pick(format!("不止这 {most} 条：--limit"), en));
    }
    Ok(ExitCode::SUCCESS)
}
