//! `callgrade config`: the settings in force, and where each is from.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Outcome;
use super::paint::{Role, paint};
use super::serve::ServeArgs;
use super::table::Table;
use crate::config::{Lang, Origin, Settled};

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(super) fn run(args: &ConfigArgs, settled: &Settled, lang: Lang) -> Outcome {
    let mut out = anstream::stdout().lock();
    match args.output {
        Output::Text => text(settled, lang).iter().try_for_each(|line| writeln!(out, "{line}"))?,
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&json(settled))?)?,
    }
    for variable in &settled.unused {
        anstream::eprintln!("callgrade: {}", unused(variable, lang));
    }
    Ok(ExitCode::SUCCESS)
}

/// That a variable, which may be a misspelt one, sets nothing.
pub(super) fn unused(variable: &str, lang: Lang) -> String {
    lang.pick(format!("{variable} 不对应任何设置"), format!("{variable} is the variable of no setting"))
}

/// Every setting of every tenant's table: the tenant, the key, the value.
fn tenants(settled: &Settled) -> Vec<(String, &'static str, String)> {
    let tables = settled.file.iter().flat_map(|file| file.tenants.iter());
    tables.flat_map(|(name, tenant)| tenant.settings().into_iter().map(move |(key, value)| (name.to_owned(), key, value))).collect()
}

fn text(settled: &Settled, lang: Lang) -> Vec<String> {
    let mut table = Table::new(&lang.pick(["设置", "值", "来自"], ["setting", "value", "from"]));
    for setting in &settled.in_force {
        let from = match &setting.origin {
            Origin::Default => lang.pick("默认", "default").to_owned(),
            origin => origin.to_string(),
        };
        table.row(vec![setting.key.clone(), setting.value.clone().unwrap_or_else(|| "—".to_owned()), from]);
    }
    let path = settled.file.as_ref().map(|file| file.path.display().to_string()).unwrap_or_default();
    for (tenant, key, value) in tenants(settled) {
        table.row(vec![format!("tenants.{tenant}.{key}"), value, path.clone()]);
    }
    let mut lines = table.lines();
    if let Some(head) = lines.first_mut() {
        *head = paint(Role::Head, head);
    }
    lines
}

fn json(settled: &Settled) -> serde_json::Value {
    let settings = settled.in_force.iter().map(|setting| {
        let (from, place) = match &setting.origin {
            Origin::Flag(_) => ("flag", json!(setting.origin.to_string())),
            Origin::Environment(variable) => ("environment", json!(variable)),
            Origin::File(..) => ("file", json!(setting.origin.to_string())),
            Origin::Default => ("default", json!(null)),
        };
        json!({"setting": setting.key, "value": setting.value, "from": from, "place": place})
    });
    let tenants = tenants(settled).into_iter().map(|(tenant, key, value)| json!({"tenant": tenant, "setting": key, "value": value}));
    json!({"settings": settings.collect::<Vec<_>>(), "tenants": tenants.collect::<Vec<_>>()})
}
