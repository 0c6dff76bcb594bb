//! `callgrade keys create|list|revoke`.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::table::Table;
use super::{Outcome, REJECTED};
use crate::service::access::{NewKey, Role, tenant};
use crate::store::keys::{KeyRow, Revoked};
use crate::store::{DEFAULT_LOCATION, Location, Store};

/// Who makes and revokes keys here, in the audit log.
const WHO: &str = "cli";

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
struct StoreOptions {
    /// Where the server keeps its calls: a data directory (SQLite), or a postgres:// URL
    #[arg(long, value_name = "DIR|URL", default_value = DEFAULT_LOCATION)]
    store: String,
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

impl StoreOptions {
    fn open(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&Location::parse(&self.store))?)
    }

    /// A store that is there already: a wrong directory is not to become a new one.
    fn open_existing(&self) -> anyhow::Result<Store> {
        if let Location::Directory(folder) = Location::parse(&self.store) {
            anyhow::ensure!(folder.is_dir(), "there is no data directory {}", folder.display());
        }
        self.open()
    }
}

pub(super) fn run(args: &KeysArgs) -> Outcome {
    match &args.command {
        KeysCommand::Create(args) => create(args),
        KeysCommand::List(store) => list(&store.open_existing()?),
        KeysCommand::Revoke(args) => revoke(&args.store.open_existing()?, &args.id),
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn create(args: &CreateArgs) -> Outcome {
    let tenant = tenant(&args.tenant).map_err(anyhow::Error::msg)?;
    let store = args.store.open()?;
    let NewKey { record, key } = NewKey::generate(tenant, args.role, &args.name, now_ms())?;
    store.put_key(&KeyRow::from(&record), WHO)?;
    // The key alone on stdout, so that a script can take it.
    writeln!(anstream::stdout(), "{key}")?;
    anstream::eprintln!("callgrade: key {} of tenant {} for {}; it is shown this once only", record.id, record.tenant, record.role);
    Ok(ExitCode::SUCCESS)
}

/// A moment as people read it, in UTC.
fn moment(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn list(store: &Store) -> Outcome {
    let mut table = Table::new(&["id", "tenant", "role", "created", "revoked", "name"]);
    for key in store.keys()? {
        let revoked = key.revoked_ms.map_or_else(|| "-".to_owned(), moment);
        table.row(vec![key.id, key.tenant, key.role, moment(key.created_ms), revoked, key.name]);
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
            let when = key.revoked_ms.map(moment).unwrap_or_default();
            anstream::eprintln!("callgrade: key {} of tenant {} was revoked before, {when}", key.id, key.tenant);
        }
        Revoked::NoKey => {
            anstream::eprintln!("callgrade: there is no key {id:?}");
            return Ok(ExitCode::from(REJECTED));
        }
    }
    Ok(ExitCode::SUCCESS)
}
