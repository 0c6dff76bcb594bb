//! Tenants: whose calls they are, and what holds for them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::push::PushSettings;
use super::quota::{Quota, Usage};
use crate::ingest::Limits;

/// The tenant of servers without keys.
pub const DEFAULT: &str = "default";

/// What holds for a tenant's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSettings {
    /// What a call may bring.
    pub limits: Limits,
    /// How much the tenant may have at one time.
    pub quota: Quota,
    /// Personal numbers are masked before anything else is done with them.
    pub mask: bool,
    /// The time zone of calls that name none; empty: Asia/Shanghai.
    pub time_zone: String,
    /// Where and which verdicts are pushed; `None`: none.
    pub push: Option<Arc<PushSettings>>,
    /// Calls are forgotten this many days after they ended; `None`: never.
    pub retention_days: Option<u32>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self { limits: Limits::default(), quota: Quota::default(), mask: true, time_zone: String::new(), push: None, retention_days: None }
    }
}

/// A tenant.
#[derive(Debug)]
pub struct Tenant {
    /// Its place in the register: short, so that a million calls can carry it.
    pub(super) number: u32,
    /// Its name.
    pub name: Arc<str>,
    /// What holds for it.
    pub settings: TenantSettings,
    pub(super) usage: Usage,
}

/// The tenants met so far.
#[derive(Debug, Default)]
pub struct Tenants {
    settings: HashMap<String, TenantSettings>,
    others: TenantSettings,
    met: RwLock<HashMap<Arc<str>, Arc<Tenant>>>,
}

impl Tenants {
    /// Those whose settings are named, and what holds for all others.
    #[must_use]
    pub fn new(settings: HashMap<String, TenantSettings>, others: TenantSettings) -> Self {
        Self { settings, others, met: RwLock::default() }
    }

    /// The tenant of a name.
    pub fn of(&self, name: &str) -> Arc<Tenant> {
        if let Some(tenant) = self.met.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(tenant);
        }
        let mut met = self.met.write().unwrap_or_else(PoisonError::into_inner);
        let number = u32::try_from(met.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = Arc::from(name);
        let tenant = met.entry(Arc::clone(&name)).or_insert_with(|| {
            let settings = self.settings.get(&*name).unwrap_or(&self.others).clone();
            let usage = Usage::new(&settings.quota);
            Arc::new(Tenant { number, name, settings, usage })
        });
        Arc::clone(tenant)
    }

    /// Where verdicts are pushed, by tenant; `*` for those that are not named.
    pub fn pushed(&self) -> impl Iterator<Item = (&str, &PushSettings)> {
        let named = self.settings.iter().map(|(name, settings)| (name.as_str(), settings));
        named.chain([("*", &self.others)]).filter_map(|(name, settings)| Some((name, settings.push.as_deref()?)))
    }

    /// The largest message that any tenant may send.
    #[must_use]
    pub fn most_message_bytes(&self) -> usize {
        let named = self.settings.values().map(|settings| settings.limits.message_bytes);
        named.chain([self.others.limits.message_bytes]).max().unwrap_or_default()
    }
}
