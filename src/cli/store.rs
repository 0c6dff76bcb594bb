//! Which store, and whose part of it.

use clap::Args;

use super::ConfigOptions;
use crate::service::access;
pub(super) use crate::service::intake::wall_ms as now_ms;
use crate::service::tenant::DEFAULT;
use crate::service::versions::Actor;
use crate::store::{DEFAULT_LOCATION, Location, Store};

/// How a server is told to keep nothing.
pub(super) const NO_STORE: &str = "none";

/// How the audit log names the command line.
pub(super) const WHO: &str = "cli";

/// Which store: that of the server, if environment and file of settings are the server's.
#[derive(Debug, Clone, Args)]
pub(super) struct StoreOptions {
    #[command(flatten)]
    config: ConfigOptions,
    /// Where the server keeps its calls: its data directory (SQLite), or the postgres:// URL of a PostgreSQL
    #[arg(long, value_name = "DIR|URL", default_value = DEFAULT_LOCATION, value_parser = place)]
    store: String,
}

impl StoreOptions {
    /// Opens a store that is there: a name misspelt makes no new one.
    pub(super) fn open(&self) -> anyhow::Result<Store> {
        open(&self.store)
    }

    /// Opens a store, or makes it.
    pub(super) fn open_or_make(&self) -> anyhow::Result<Store> {
        if self.store == NO_STORE {
            return Err(no_store());
        }
        let location = Location::parse(&self.store);
        let there = location.is_there()?;
        let store = Store::open(&location)?;
        if !there {
            anstream::eprintln!("callgrade: made a new store in {}", store.place());
        }
        Ok(store)
    }
}

/// Where a store is: a directory, or a PostgreSQL URL. A URL of anything else would be taken for a directory, and data be where nobody looks
/// for them.
///
/// # Errors
/// It is neither.
pub(super) fn place(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        _ if text.is_empty() => Err("a directory, or the URL of a PostgreSQL, is wanted".to_owned()),
        Some((scheme, _)) if scheme != "postgres" && scheme != "postgresql" => {
            Err(format!("a store is a directory or a postgres:// URL; {scheme}:// is neither"))
        }
        _ => Ok(text.to_owned()),
    }
}

fn no_store() -> anyhow::Error {
    anyhow::anyhow!("--store is none: a server that keeps nothing has no store")
}

/// Opens a store that is there.
pub(super) fn open(place: &str) -> anyhow::Result<Store> {
    if place == NO_STORE {
        return Err(no_store());
    }
    let location = Location::parse(place);
    if !location.is_there()? {
        anyhow::bail!("there is no store in {place}: --store names the data directory of a server, or the URL of a PostgreSQL");
    }
    Ok(Store::open(&location)?)
}

/// Whose part of it.
#[derive(Debug, Clone, Args)]
pub(super) struct TenantOption {
    /// Whose calls and scripts
    #[arg(long, value_name = "NAME", default_value = DEFAULT, value_parser = tenant)]
    pub(super) tenant: String,
}

impl TenantOption {
    /// Who does what this command does.
    pub(super) fn actor(&self) -> Actor<'_> {
        Actor { tenant: &self.tenant, who: WHO, at_ms: now_ms() }
    }
}

fn tenant(name: &str) -> Result<String, String> {
    access::tenant(name).map(|name| name.to_string())
}

/// A moment in milliseconds as people read it.
pub(super) fn told(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
