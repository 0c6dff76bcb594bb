//! `callgrade keys create|list|revoke`.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::store::{StoreOptions, WHO, now_ms, told};
use super::table::Table;
use super::{Outcome, REJECTED};
use crate::service::access::{NewKey, Role, tenant};
use crate::store::Store;
use crate::store::keys::{KeyRow, Revoked};

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key and print it: the only time that it is shown
    Create(CreateArgs),
    /// All keys, revoked ones too
    List(StoreOptions),
    /// Revoke a key for good
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    #[command(flatten)]
    store: StoreOptions,
    /// Whose calls it opens: 1 to 64 of a-z, 0-9, _ and -
    #[arg(long, value_name = "TENANT")]
    tenant: String,
    /// What it may do: ingest, qa or admin, each more than those before it
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// What people call it
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    #[command(flatten)]
    store: StoreOptions,
    /// The key's id, which is in the list, and between the underscores of the key
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(args: &KeysArgs) -> Outcome {
    match &args.command {
        KeysCommand::Create(args) => create(args),
        KeysCommand::List(store) => list(&store.open()?),
        KeysCommand::Revoke(args) => revoke(&args.store.open()?, &args.id),
    }
}

fn create(args: &CreateArgs) -> Outcome {
    let tenant = tenant(&args.tenant).map_err(anyhow::Error::msg)?;
    let store = args.store.open_or_make()?;
    let NewKey { record, key } = NewKey::generate(tenant, args.role, &args.name, now_ms())?;
    store.put_key(&KeyRow::from(&record), WHO)?;
    // The key alone on stdout, so that a script can take it.
    writeln!(anstream::stdout(), "{key}")?;
    anstream::eprintln!("callgrade: key {} of tenant {} for {}; it is shown this once only", record.id, record.tenant, record.role);
    Ok(ExitCode::SUCCESS)
}

fn list(store: &Store) -> Outcome {
    let mut table = Table::new(&["id", "tenant", "role", "created", "revoked", "name"]);
    for key in store.keys()? {
        let revoked = key.revoked_ms.map_or_else(|| "-".to_owned(), told);
        table.row(vec![key.id, key.tenant, key.role, told(key.created_ms), revoked, key.name]);
    }
    let mut stdout = anstream::stdout().lock();
    for line in table.lines() {
        writeln!(stdout, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn revoke(store: &Store, id: &str) -> Outcome {
    match store.revoke_key(id, now_ms(), WHO)? {
        Revoked::Now(key) => anstream::eprintln!("callgrade: key {} of tenant {} is revoked", key.id, key.tenant),
        Revoked::Before(key) => {
            let when = key.revoked_ms.map(told).unwrap_or_default();
            anstream::eprintln!("callgrade: key {} of tenant {} was revoked before, {when}", key.id, key.tenant);
        }
        Revoked::NoKey => {
            anstream::eprintln!("callgrade: there is no key {id:?}");
            return Ok(ExitCode::from(REJECTED));
        }
    }
    Ok(ExitCode::SUCCESS)
}
