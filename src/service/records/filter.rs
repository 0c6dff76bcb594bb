//! Which calls are asked for: filters, and the page tokens that go with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pbjson_types::Timestamp;
use prost::Message;
use sha2::{Digest, Sha256};

use super::RecordsError;
use crate::core::script::Script;
use crate::service::versions::Scripts;
use crate::store::records::{Cursor, Filter};
use crate::store::{Store, StoreError};
use crate::wire::v1;

/// Bytes of a page token that stand for the filter.
const FILTER_BYTES: usize = 8;

/// A moment in whole milliseconds, such that what is not before it is not before them.
fn milliseconds(field: &'static str, at: &Timestamp) -> Result<i64, RecordsError> {
    if !(0..1_000_000_000).contains(&at.nanos) {
        return Err(RecordsError::Invalid(field, format!("{field} is no moment: its nanos are {}", at.nanos)));
    }
    Ok(at.seconds.saturating_mul(1_000).saturating_add((i64::from(at.nanos) + 999_999) / 1_000_000))
}

/// A filter as the store takes it.
///
/// # Errors
/// A field of it is wrong.
pub fn filter(asked: &v1::CallFilter) -> Result<Filter, RecordsError> {
    let attributes = asked.attributes.iter().flat_map(|(name, value)| [("filter.attributes", name), ("filter.attributes", value)]);
    let texts =
        [("filter.script_id", &asked.script_id), ("filter.script_version", &asked.script_version), ("filter.rule_id", &asked.rule_id)];
    let labels = asked.labels.iter().map(|label| ("filter.labels", label));
    for (field, text) in texts.into_iter().chain(labels).chain(attributes) {
        if text.contains('\0') {
            return Err(RecordsError::Invalid(field, format!("{field} has a NUL character")));
        }
    }
    Ok(Filter {
        script_id: asked.script_id.clone(),
        script_version: asked.script_version.clone(),
        labels: asked.labels.clone(),
        rule: asked.rule_id.clone(),
        from_ms: asked.from.as_ref().map(|at| milliseconds("filter.from", at)).transpose()?,
        before_ms: asked.before.as_ref().map(|at| milliseconds("filter.before", at)).transpose()?,
        attributes: asked.attributes.clone(),
        text: asked.text.clone(),
        ended: asked.r#final,
        at_ms: None,
    })
}

/// Refuses what nothing can be found by: a script, rule or label that no script and no kept call has. It is misspelt, and an empty answer
/// would not tell.
///
/// # Errors
/// A name is unknown, or the store cannot be read.
pub fn check_names(store: &Store, scripts: &Scripts, tenant: &str, asked: &v1::CallFilter) -> Result<(), RecordsError> {
    let of = |name: &str, field: fn(&mut Filter) -> &mut String| {
        let mut alone = Filter::default();
        name.clone_into(field(&mut alone));
        alone
    };
    if !asked.script_version.is_empty() {
        let alone = of(&asked.script_version, |filter| &mut filter.script_version);
        let kept = || Ok::<_, StoreError>(store.bundles(tenant, "")?.iter().any(|row| row.version == asked.script_version));
        if store.list(tenant, &alone, None, 1)?.is_empty() && !kept()? {
            let reason = format!("there is no version {:?}: no kept script and no kept call has it; give it whole", asked.script_version);
            return Err(RecordsError::Invalid("filter.script_version", reason));
        }
    }
    let labels = asked.labels.iter().map(|label| (Named::Label, label, Filter { labels: vec![label.clone()], ..Filter::default() }));
    let script = (Named::Script, &asked.script_id, of(&asked.script_id, |filter| &mut filter.script_id));
    let rule = (Named::Rule, &asked.rule_id, of(&asked.rule_id, |filter| &mut filter.rule));
    for (named, name, alone) in [script, rule].into_iter().chain(labels).filter(|(_, name, _)| !name.is_empty()) {
        let mut known = named.names(&scripts.all(tenant));
        // A call may have been graded by a version that is not in use any more, or not yet be there.
        if known.contains(name) || !store.list(tenant, &alone, None, 1)?.is_empty() {
            continue;
        }
        known.extend(named.names(&scripts.newest(tenant)?));
        if known.contains(name) {
            continue;
        }
        let known: Vec<String> = known.into_iter().collect();
        let reason = format!("there is no {} {name:?}: no script and no kept call has it; there are {}", named.word(), known.join(", "));
        return Err(RecordsError::Invalid(named.field(), reason));
    }
    Ok(())
}

/// What a filter names that scripts have.
#[derive(Clone, Copy)]
enum Named {
    Script,
    Rule,
    Label,
}

impl Named {
    fn word(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Rule => "rule",
            Self::Label => "label",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Script => "filter.script_id",
            Self::Rule => "filter.rule_id",
            Self::Label => "filter.labels",
        }
    }

    /// Those of scripts.
    fn names(self, scripts: &[Arc<Script>]) -> BTreeSet<String> {
        let names = |script: &Arc<Script>| -> Vec<String> {
            match self {
                Self::Script => vec![script.id.to_string()],
                Self::Rule => script.rules.iter().map(|rule| rule.id.to_string()).collect(),
                Self::Label => script.labels.iter().map(|label| label.id.to_string()).collect(),
            }
        };
        scripts.iter().flat_map(names).collect()
    }
}

/// What of a filter stands for it in page tokens, so that none is used with another.
fn stands_for(tenant: &str, asked: &v1::CallFilter) -> [u8; FILTER_BYTES] {
    let mut hash = Sha256::new();
    hash.update((tenant.len() as u64).to_be_bytes());
    hash.update(tenant.as_bytes());
    hash.update(asked.encode_to_vec());
    let mut first = [0; FILTER_BYTES];
    first.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    first
}

pub(super) fn token(cursor: Cursor, tenant: &str, asked: &v1::CallFilter) -> String {
    let parts = [&cursor.began_ms.to_be_bytes()[..], &cursor.id.to_be_bytes(), &stands_for(tenant, asked)];
    URL_SAFE_NO_PAD.encode(parts.concat())
}

pub(super) fn read_token(token: &str, tenant: &str, asked: &v1::CallFilter) -> Result<Cursor, RecordsError> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (began_ms, rest) = bytes.split_first_chunk::<8>()?;
        let (id, rest) = rest.split_first_chunk::<8>()?;
        (rest == stands_for(tenant, asked)).then(|| Cursor { began_ms: i64::from_be_bytes(*began_ms), id: i64::from_be_bytes(*id) })
    };
    let wrong = || RecordsError::Invalid("page_token", "page_token is none that was given with this filter".to_owned());
    read().ok_or_else(wrong)
}

/// A filter for the audit log: of what may be personal, only that it was given.
pub(in crate::service) fn described(asked: &v1::CallFilter) -> String {
    let mut parts = Vec::new();
    let mut part = |name: &str, value: &str| {
        if !value.is_empty() {
            parts.push(format!("{name} {value}"));
        }
    };
    part("script", &asked.script_id);
    part("version", &asked.script_version);
    part("label", &asked.labels.join(" or "));
    part("rule", &asked.rule_id);
    part("from", &moment(asked.from.as_ref()));
    part("before", &moment(asked.before.as_ref()));
    part("with attributes", &asked.attributes.keys().cloned().collect::<Vec<_>>().join(", "));
    part("with", if asked.text.is_empty() { "" } else { "certain words" });
    part("that are", asked.r#final.map_or("", |ended| if ended { "final" } else { "live" }));
    if parts.is_empty() { "all calls".to_owned() } else { format!("calls: {}", parts.join("; ")) }
}

fn moment(at: Option<&Timestamp>) -> String {
    let at = at.and_then(|at| jiff::Timestamp::new(at.seconds, at.nanos).ok());
    at.map_or(String::new(), |at| at.to_string())
}
