//! `callgrade script publish|list|activate|rollback`: the versions that a server's store keeps.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::say;
use crate::cli::store::{StoreOptions, TenantOption, now_ms, told as told_at};
use crate::cli::table::Table;
use crate::cli::{Outcome, REJECTED};
use crate::config::Lang;
use crate::script::Bundle;
use crate::script::{ScriptChoice, ScriptError};
use crate::service::versions::Scripts;
use crate::wire::v1;

#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    /// Activate it, too: calls that begin from now on are graded with it
    #[arg(long)]
    activate: bool,
    /// What was changed
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    /// Folder of the script
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    /// Of which script; of all if not given
    #[arg(default_value = "", hide_default_value = true)]
    id: String,
}

#[derive(Debug, Args)]
pub(super) struct ActivateArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    /// Which; of the version at least the first six characters
    #[arg(value_name = "ID@VERSION", value_parser = versioned)]
    version: (String, String),
}

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    /// Which script
    id: String,
}

fn versioned(text: &str) -> Result<(String, String), String> {
    let (id, version) = text.split_once('@').ok_or("give ID@VERSION")?;
    Ok((id.to_owned(), version.to_owned()))
}

/// The versions of a store, whichever files its server has.
fn scripts(store: crate::store::Store) -> anyhow::Result<Scripts> {
    Ok(Scripts::open(ScriptChoice::default(), store, now_ms())?)
}

pub(super) fn publish(args: &PublishArgs, lang: Lang) -> Outcome {
    let bundle = Bundle::read(&args.folder)?;
    if !bundle.files.contains_key("script.yaml") {
        anyhow::bail!("{}: no script here; a script is a folder with a script.yaml", args.folder.display());
    }
    let scripts = scripts(args.store.open_or_make()?)?;
    // Shown with the lines they are about, where the server would tell one line each.
    crate::script::compile(&bundle)?;
    let actor = args.tenant.actor();
    let version = scripts.publish(actor, &bundle.name, bundle.files, &args.note, args.activate)?;
    let stored_ms = version.stored_at.as_ref().map_or(0, |at| at.seconds * 1_000 + i64::from(at.nanos / 1_000_000));
    let told = one(&version, lang);
    if stored_ms == actor.at_ms {
        say(format_args!("{}{told}", lang.pick("已发布 ", "published ")))?;
    } else {
        // Its content is its name, and what it was published with stays.
        let when = told_at(stored_ms);
        say(lang.pick(
            format!("{told}（{when} 已发布过，内容相同；当时的说明不变）"),
            format!("{told} (published before, {when}, with the same content; its note stays)"),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list(args: &ListArgs, lang: Lang) -> Outcome {
    let scripts = scripts(args.store.open()?)?;
    let versions = scripts.list(&args.tenant.tenant, &args.id)?;
    if versions.is_empty() && !args.id.is_empty() {
        let known: BTreeSet<String> = scripts.list(&args.tenant.tenant, "")?.into_iter().map(|version| version.script_id).collect();
        anstream::eprintln!("callgrade: {}", ScriptError::Unknown(args.id.clone(), known.into_iter().collect()));
        return Ok(ExitCode::from(REJECTED));
    }
    let mut table =
        Table::new(&lang.pick(["话术", "版本", "启用", "存入", "谁", "说明"], ["script", "version", "active", "stored", "by", "note"]));
    for version in versions {
        let active = match (version.active, version.draft) {
            (true, _) => lang.pick("是", "yes"),
            (false, true) => lang.pick("草稿", "draft"),
            (false, false) => "-",
        };
        let by =
            if version.stored_by.is_empty() { lang.pick("服务器的文件", "the server's files").to_owned() } else { version.stored_by };
        let stored = version.stored_at.map_or(0, |at| at.seconds * 1_000);
        table.row(vec![version.script_id, version.version, active.to_owned(), told_at(stored), by, version.note]);
    }
    table.lines().iter().try_for_each(say)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn activate(args: &ActivateArgs, lang: Lang) -> Outcome {
    let (id, version) = &args.version;
    let version = scripts(args.store.open()?)?.activate(args.tenant.actor(), id, version)?;
    say(one(&version, lang))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rollback(args: &RollbackArgs, lang: Lang) -> Outcome {
    let version = scripts(args.store.open()?)?.rollback(args.tenant.actor(), &args.id)?;
    say(one(&version, lang))?;
    Ok(ExitCode::SUCCESS)
}

/// A version in a line.
fn one(version: &v1::ScriptVersion, lang: Lang) -> String {
    let id = &version.script_id;
    match (version.active, version.version.as_str()) {
        (true, "") => lang.pick(format!("{id}：改用服务器的文件"), format!("{id}: the server's files again")),
        (true, hash) => lang.pick(format!("{id}@{hash}，已启用"), format!("{id}@{hash}, active")),
        (false, hash) => format!("{id}@{hash}"),
    }
}
