//! The tables of tenants in the file of settings.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::{ConfigError, Origin};

/// What the file says of tenants: `[tenants.NAME]`, `[tenants.default]` for that of servers without keys, and `[tenants."*"]`
/// for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenants(BTreeMap<String, Tenant>);

/// What one tenant may do and wants; what is `None` is as the server's own settings have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tenant {
    /// Whether numbers of persons are masked.
    pub mask: Option<bool>,
    /// Most calls live at one time.
    pub max_live_calls: Option<NonZeroUsize>,
    /// Most streams open at one time.
    pub max_streams: Option<NonZeroUsize>,
    /// Most requests in a second.
    pub max_requests_per_second: Option<NonZeroU32>,
    /// Most bytes of an utterance's text.
    pub max_utterance_bytes: Option<NonZeroUsize>,
    /// Most events of a call.
    pub max_call_events: Option<NonZeroUsize>,
    /// Most bytes of a message.
    pub max_message_bytes: Option<NonZeroUsize>,
    /// Days after which a call is deleted.
    pub retention_days: Option<NonZeroU32>,
    /// IANA name of the time zone of calls that name none.
    #[serde(default, deserialize_with = "time_zone")]
    pub time_zone: Option<String>,
    /// Where verdicts are pushed.
    pub push: Option<Push>,
}

/// Where and how a tenant's verdicts are pushed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Push {
    /// `http` or `https`.
    #[serde(deserialize_with = "url")]
    pub url: String,
    /// What the messages are signed with.
    pub secret: WebhookSecret,
    /// Only verdicts with these labels; `None` for all.
    #[serde(default, deserialize_with = "labels")]
    pub labels: Option<Vec<String>>,
    /// Whether provisional verdicts are pushed too.
    #[serde(default)]
    pub provisional: bool,
}

/// The key of a webhook's signatures, as [Standard Webhooks](https://www.standardwebhooks.com) has it: `whsec_` and 24 to 64
/// bytes in base64. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// Reads one.
    ///
    /// # Errors
    /// It is none; the text is not part of the reason.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "not a webhook's secret: whsec_ and 24 to 64 bytes in base64 are wanted";
        let key = text.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
        key.filter(|key| (24..=64).contains(&key.len())).map(Self).ok_or(WANTED)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl<'de> Deserialize<'de> for WebhookSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

fn time_zone<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(from)?;
    jiff::tz::TimeZone::get(&name).map_err(|_| D::Error::custom(format!("there is no time zone {name:?}")))?;
    Ok(Some(name))
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let uri = text.parse::<http::Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    uri.map(|_| text).ok_or_else(|| D::Error::custom("not a URL that begins with http:// or https://"))
}

fn labels<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    let labels = Vec::<String>::deserialize(from)?;
    if labels.is_empty() || labels.iter().any(String::is_empty) {
        return Err(D::Error::custom("a list of labels is wanted; leave it out for all"));
    }
    Ok(Some(labels))
}

/// A tenant's name: 1 to 64 of `a`–`z`, `0`–`9`, `_` and `-`.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

impl Tenants {
    /// The table of what holds for every tenant whose own does not say otherwise.
    pub const EVERY: &str = "*";

    /// Reads the table of tables; `place` tells where a span of the file is.
    pub(super) fn read(tables: Spanned<DeValue<'_>>, place: &dyn Fn(Range<usize>) -> Origin) -> Result<Self, ConfigError> {
        let at = tables.span();
        let DeValue::Table(tables) = tables.into_inner() else {
            return Err(ConfigError::Wrong(place(at), "tenants is no table; write [tenants.NAME]".to_owned()));
        };
        let mut tenants = BTreeMap::new();
        for (name, table) in tables {
            let (at, name) = (name.span(), name.into_inner().into_owned());
            if name != Self::EVERY && !is_name(&name) {
                let reason = format!("{name:?} is no tenant's name: 1 to 64 of a-z, 0-9, _ and - are wanted, or \"*\" for all");
                return Err(ConfigError::Wrong(place(at), reason));
            }
            let tenant = serde_path_to_error::deserialize(ValueDeserializer::from(table)).map_err(|error| {
                let path = match error.path().to_string() {
                    path if path == "." => format!("tenants.{name}"),
                    path => format!("tenants.{name}.{path}"),
                };
                let error = error.into_inner();
                ConfigError::Wrong(place(error.span().unwrap_or(at)), format!("{path}: {}", error.message()))
            })?;
            tenants.insert(name, tenant);
        }
        Ok(Self(tenants))
    }

    /// What holds for a tenant: its own table's settings, and those for all where it has none.
    #[must_use]
    pub fn of(&self, name: &str) -> Tenant {
        let every = self.0.get(Self::EVERY).cloned().unwrap_or_default();
        let Some(own) = self.0.get(name).cloned() else { return every };
        Tenant {
            mask: own.mask.or(every.mask),
            max_live_calls: own.max_live_calls.or(every.max_live_calls),
            max_streams: own.max_streams.or(every.max_streams),
            max_requests_per_second: own.max_requests_per_second.or(every.max_requests_per_second),
            max_utterance_bytes: own.max_utterance_bytes.or(every.max_utterance_bytes),
            max_call_events: own.max_call_events.or(every.max_call_events),
            max_message_bytes: own.max_message_bytes.or(every.max_message_bytes),
            retention_days: own.retention_days.or(every.retention_days),
            time_zone: own.time_zone.or(every.time_zone),
            push: own.push.or(every.push),
        }
    }

    /// The tables as they stand, by name; `*` is that for all.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tenant)> {
        self.0.iter().map(|(name, tenant)| (name.as_str(), tenant))
    }
}

impl Tenant {
    /// What the table sets, as a person reads it: no secret.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        fn put(out: &mut Vec<(&'static str, String)>, key: &'static str, value: Option<impl ToString>) {
            out.extend(value.map(|value| (key, value.to_string())));
        }
        let Self { mask, max_live_calls, max_streams, max_requests_per_second, .. } = self;
        let Self { max_utterance_bytes, max_call_events, max_message_bytes, retention_days, time_zone, push, .. } = self;
        let mut out = Vec::new();
        put(&mut out, "mask", *mask);
        put(&mut out, "max-live-calls", *max_live_calls);
        put(&mut out, "max-streams", *max_streams);
        put(&mut out, "max-requests-per-second", *max_requests_per_second);
        put(&mut out, "max-utterance-bytes", *max_utterance_bytes);
        put(&mut out, "max-call-events", *max_call_events);
        put(&mut out, "max-message-bytes", *max_message_bytes);
        put(&mut out, "retention-days", *retention_days);
        put(&mut out, "time-zone", time_zone.as_ref());
        if let Some(Push { url, secret: _, labels, provisional }) = push {
            // What stands behind the path may be a token.
            let shown = url.split_once('?').map_or_else(|| url.clone(), |(place, _)| format!("{place}?{}", super::secrecy::HIDDEN));
            put(&mut out, "push.url", Some(super::without_passwords(&shown)));
            put(&mut out, "push.secret", Some(super::secrecy::HIDDEN));
            put(&mut out, "push.labels", labels.as_ref().map(|labels| labels.join(",")));
            put(&mut out, "push.provisional", Some(provisional));
        }
        out
    }
}
