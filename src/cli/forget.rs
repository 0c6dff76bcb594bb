//! `callgrade forget`: deletes what is kept of somebody.

use std::process::ExitCode;

use clap::Args;

use super::store::{StoreOptions, TenantOption, told};
use super::table::{Table, cut};
use super::{Outcome, REJECTED};
use crate::config::Lang;
use crate::ingest::mask::{MaskKey, Number, mask};
use crate::store::Store;
use crate::store::records::{CallHead, Cursor, Filter};

/// Calls read, or deleted in one transaction, at one time.
const BATCH: usize = 200;

#[derive(Debug, Args)]
pub(super) struct ForgetArgs {
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    tenant: TenantOption,
    #[command(flatten)]
    which: Which,
    /// Delete; without it, only show what would be deleted
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The call of this id
    #[arg(long, value_name = "ID")]
    call: Option<String>,
    /// Every call in which this telephone number occurred, however it was written
    #[arg(long, value_name = "NUMBER", value_parser = phone)]
    phone: Option<Number>,
    /// Every call with an attribute of this value
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    attribute: Option<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn phone(text: &str) -> Result<Number, String> {
    Number::phone(text).ok_or_else(|| "it is no telephone number that is masked".to_owned())
}

impl Which {
    fn calls(&self, store: &Store, tenant: &str) -> anyhow::Result<Vec<CallHead>> {
        if let Some(call) = &self.call {
            return Ok(store.find(tenant, &[call])?.into_iter().map(|call| call.head).collect());
        }
        if let Some(number) = &self.phone {
            let fingerprint = MaskKey::new(&store.mask_key()?).fingerprint(number);
            return Ok(store.with_number(tenant, &fingerprint)?);
        }
        let attributes = self.attribute.iter().cloned().collect();
        let filter = Filter { attributes, ..Filter::default() };
        let mut found: Vec<CallHead> = Vec::new();
        loop {
            let after = found.last().map(|head| Cursor { began_ms: head.began_ms, id: head.id });
            let more = store.list(tenant, &filter, after, BATCH)?;
            if more.is_empty() {
                return Ok(found);
            }
            found.extend(more);
        }
    }

    /// How the audit log tells by what it was found: of what may be personal, only the name.
    fn reason(&self) -> String {
        match &self.attribute {
            Some((name, _)) => format!(", forgotten by attribute {name}"),
            None if self.phone.is_some() => ", forgotten by telephone number".to_owned(),
            None => ", forgotten by its id".to_owned(),
        }
    }
}

pub(super) fn run(args: &ForgetArgs, lang: Lang) -> Outcome {
    use std::io::Write;
    let store = args.store.open()?;
    let calls = args.which.calls(&store, &args.tenant.tenant)?;
    if calls.is_empty() {
        let masked = args.which.attribute.as_ref().is_some_and(|(_, value)| mask(value, &mut |_| ()).is_some());
        let hint = lang.pick(
            "；存下的内容里这样的号码已打码，按号码找用 --phone",
            "; numbers like this are masked in what is kept: --phone finds them",
        );
        eprintln!("callgrade: {}{}", lang.pick("没有这样的通话", "there is no such call"), if masked { hint } else { "" });
        return Ok(ExitCode::from(REJECTED));
    }
    let mut table = Table::new(&lang.pick(["通话", "话术", "等级", "开始"], ["call", "script", "label", "began"]));
    for head in &calls {
        table.row(vec![cut(&head.call_id, 36), head.script_id.clone(), head.label.clone(), told(head.began_ms)]);
    }
    let mut out = anstream::stdout().lock();
    table.lines().iter().try_for_each(|line| writeln!(out, "{line}"))?;
    let count = calls.len();
    if !args.yes {
        let en = format!("calls: {count}; nothing is deleted without --yes");
        writeln!(out, "{}", lang.pick(format!("{count} 通；加 --yes 才会删除"), en))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (actor, reason) = (args.tenant.actor(), args.which.reason());
    for batch in calls.chunks(BATCH) {
        let numbers: Vec<i64> = batch.iter().map(|head| head.id).collect();
        let entries: Vec<_> = batch.iter().map(|head| actor.entry("delete", format!("call {}{reason}", head.call_id))).collect();
        store.delete(&numbers, &entries)?;
    }
    writeln!(out, "{}", lang.pick(format!("已删除 {count} 通"), format!("calls deleted: {count}")))?;
    Ok(ExitCode::SUCCESS)
}
