//! `callgrade records list|show|export`: the calls that are kept.

use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::store::{StoreOptions, TenantOption, now_ms, told};
use super::table::{Table, cut};
use super::{Outcome, REJECTED};
use crate::config::Lang;
use crate::script::ScriptChoice;
use crate::service::records::{NoneInMemory, Records, RecordsError};
use crate::service::versions::Scripts;
use crate::wire::v1;

#[derive(Debug, Args)]
pub(super) struct RecordsArgs {
    #[command(subcommand)]
    command: RecordsCommand,
}

#[derive(Debug, Subcommand)]
enum RecordsCommand {
    /// Calls by filter, newest first
    List(ListArgs),
    /// One call with its events, its verdict and every revision of it, in proto3 JSON
    Show(ShowArgs),
    /// Every call that a filter lets through, one a line, in proto3 JSON
    Export(ExportArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    #[command(flatten)]
    filter: FilterOptions,
    /// Most calls; 0: any number
    #[arg(long, value_name = "CALLS", default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    /// Which call
    call_id: String,
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    #[command(flatten)]
    filter: FilterOptions,
}

/// Which calls; all that is given must hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filter")]
struct FilterOptions {
    /// Graded with this script
    // Not the server's setting of this name.
    #[arg(long, id = "graded-with", value_name = "ID")]
    script: Option<String>,
    /// … and this version of it
    #[arg(long, value_name = "HASH")]
    version: Option<String>,
    #[command(flatten)]
    which: WhichCalls,
    /// Ended, or live
    #[arg(long = "final", value_name = "true|false")]
    ended: Option<bool>,
}

/// Which of the calls that are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filter")]
pub(super) struct WhichCalls {
    /// With this label; several, also with commas between them: any of them
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    label: Vec<String>,
    /// Labelled by this rule
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Began at this moment or later, such as 2026-03-01T09:00:00+08:00
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<jiff::Timestamp>,
    /// Began earlier than this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<jiff::Timestamp>,
    /// With an attribute of exactly this value; several times: all of them
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    attribute: Vec<(String, String)>,
    /// Some utterance holds these characters
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

/// A day or hour without its zone is not one moment: servers and their operators are seldom in the same.
fn moment(text: &str) -> Result<jiff::Timestamp, &'static str> {
    text.parse().map_err(|_| "not a moment with its time zone, such as 2026-03-01T09:00:00+08:00")
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl FilterOptions {
    fn filter(&self) -> v1::CallFilter {
        v1::CallFilter {
            script_id: self.script.clone().unwrap_or_default(),
            script_version: self.version.clone().unwrap_or_default(),
            r#final: self.ended,
            ..self.which.filter()
        }
    }
}

impl WhichCalls {
    /// The options that were given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let options = [
            ("--label", !self.label.is_empty()),
            ("--rule", self.rule.is_some()),
            ("--from", self.from.is_some()),
            ("--before", self.before.is_some()),
            ("--attribute", !self.attribute.is_empty()),
            ("--text", self.text.is_some()),
        ];
        options.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    pub(super) fn filter(&self) -> v1::CallFilter {
        let moment = |at: &jiff::Timestamp| {
            let ms = at.as_millisecond();
            pbjson_types::Timestamp { seconds: ms.div_euclid(1_000), nanos: (ms.rem_euclid(1_000) * 1_000_000) as i32 }
        };
        v1::CallFilter {
            labels: self.label.clone(),
            rule_id: self.rule.clone().unwrap_or_default(),
            from: self.from.as_ref().map(moment),
            before: self.before.as_ref().map(moment),
            attributes: self.attribute.iter().cloned().collect(),
            text: self.text.clone().unwrap_or_default(),
            ..v1::CallFilter::default()
        }
    }
}

fn records(store: &StoreOptions) -> anyhow::Result<Records> {
    let store = store.open()?;
    let scripts = Scripts::open(ScriptChoice::default(), store.clone(), now_ms())?;
    Ok(Records::new(store, Arc::new(scripts), Arc::new(NoneInMemory)))
}

pub(super) fn run(args: &RecordsArgs, lang: Lang) -> Outcome {
    match &args.command {
        RecordsCommand::List(args) => list(args, lang),
        RecordsCommand::Show(args) => show(args),
        RecordsCommand::Export(args) => export(args),
    }
}

fn list(args: &ListArgs, lang: Lang) -> Outcome {
    let records = records(&args.store)?;
    let mut table =
        Table::new(&lang.pick(["通话", "话术", "等级", "规则", "终评", "收到"], ["call", "script", "label", "rule", "final", "received"]));
    let mut request = v1::ListCallsRequest { filter: Some(args.filter.filter()), ..v1::ListCallsRequest::default() };
    let mut left = if args.limit == 0 { usize::MAX } else { args.limit };
    let mut more = false;
    while left > 0 {
        request.page_size = left.min(1_000) as u32;
        let page = records.list(&args.tenant.tenant, &request)?;
        left -= page.calls.len();
        for call in page.calls {
            let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
            let ended = if call.r#final { lang.pick("是", "yes") } else { lang.pick("否", "no") };
            let received = call.received_at.map_or(0, |at| at.seconds * 1_000);
            let (label, rule) = (or_none(call.label), or_none(call.rule_id));
            table.row(vec![cut(&call.call_id, 36), call.script_id, label, rule, ended.to_owned(), told(received)]);
        }
        more = !page.next_page_token.is_empty();
        if !more {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let mut out = anstream::stdout().lock();
    table.lines().iter().try_for_each(|line| writeln!(out, "{line}"))?;
    if more {
        let en = format!("there are more calls than these {}: --limit", args.limit);
        anstream::eprintln!("callgrade: {}", lang.pick(format!("不止这 {} 通：--limit", args.limit), en));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ShowArgs) -> Outcome {
    let answer = match records(&args.store)?.get(&args.tenant.tenant, &args.call_id, true) {
        Err(error @ RecordsError::NoCall(_)) => {
            eprintln!("callgrade: {error}");
            return Ok(ExitCode::from(REJECTED));
        }
        answer => answer?,
    };
    let mut out = std::io::stdout().lock();
    let call = answer.call.map(plain);
    serde_json::to_writer_pretty(&mut out, &v1::GetCallResponse { call, ..answer }).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}

fn export(args: &ExportArgs) -> Outcome {
    let mut export = records(&args.store)?.export(args.tenant.actor(), &args.filter.filter())?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    loop {
        let calls = export.next_calls()?;
        if calls.is_empty() {
            out.flush()?;
            return Ok(ExitCode::SUCCESS);
        }
        for call in calls {
            serde_json::to_writer(&mut out, &plain(call)).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
}

/// A call whose rejections tell code and reason: the details of a status, which repeat them for programs, are bytes in this JSON.
fn plain(mut call: v1::KeptCall) -> v1::KeptCall {
    call.rejections.iter_mut().filter_map(|rejection| rejection.status.as_mut()).for_each(|status| status.details.clear());
    call
}
