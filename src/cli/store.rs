//! Which store, and whose part of it.

use clap::Args;

pub(super) use crate::service::intake::wall_ms as now_ms;
use crate::service::tenant::DEFAULT;
use crate::service::versions::Actor;
use crate::store::{DEFAULT_LOCATION, Location, Store};

/// How the audit log names the command line.
pub(super) const WHO: &str = "cli";

/// Which store.
#[derive(Debug, Clone, Args)]
pub(super) struct StoreOptions {
    /// Where the server keeps its calls: its data directory (SQLite), or the postgres:// URL of a PostgreSQL
    #[arg(long, value_name = "DIR|URL", default_value = DEFAULT_LOCATION)]
    store: String,
}

impl StoreOptions {
    /// Opens a store that is there: a name misspelt makes no new one.
    pub(super) fn open(&self) -> anyhow::Result<Store> {
        open(&self.store)
    }

    /// Opens a store, or makes it.
    pub(super) fn open_or_make(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&Location::parse(&self.store))?)
    }
}

/// Opens a store that is there.
pub(super) fn open(place: &str) -> anyhow::Result<Store> {
    let location = Location::parse(place);
    if !location.is_there() {
        anyhow::bail!("there is no store in {place}: --store names the data directory of a server, or the URL of a PostgreSQL");
    }
    Ok(Store::open(&location)?)
}

/// Whose part of it.
#[derive(Debug, Clone, Args)]
pub(super) struct TenantOption {
    /// Whose calls and scripts
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    pub(super) tenant: String,
}

impl TenantOption {
    /// Who does what this command does.
    pub(super) fn actor(&self) -> Actor<'_> {
        Actor { tenant: &self.tenant, who: WHO, at_ms: now_ms() }
    }
}

/// A moment in milliseconds as people read it.
pub(super) fn told(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
