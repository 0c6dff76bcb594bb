//! Script versions: those of the server's files and those that tenants have published, and which of them grades the calls that begin.

mod error;
mod kept;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use pbjson_types::Timestamp;

pub use self::error::VersionError;

use self::kept::{load, row};
use crate::core::script::Script;
use crate::script::{Bundle, ScriptChoice, ScriptError, compile};
use crate::store::audit::AuditRow;
use crate::store::scripts::{ActivationRow, BundleRow};
use crate::store::{Store, StoreError};
use crate::wire::v1;

mod draft;

/// Fewest characters of a hash that name a version.
const SHORTEST: usize = 6;
/// Most characters of a note.
const NOTE_CHARS: usize = 1_000;
/// Compiled versions kept beside the active ones: more are asked for only where old calls of many versions are read.
const COMPILED: usize = 64;

/// Who does something, for whom, and when: what the audit log says.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Whose calls and scripts.
    pub tenant: &'a str,
    /// The key's or token's subject, or `cli`.
    pub who: &'a str,
    /// In milliseconds since 1970.
    pub at_ms: i64,
}

impl Actor<'_> {
    /// The audit log's entry of something done.
    #[must_use]
    pub fn entry(&self, action: &str, what: String) -> AuditRow {
        AuditRow { tenant: self.tenant.to_owned(), at_ms: self.at_ms, who: self.who.to_owned(), action: action.to_owned(), what }
    }
}

/// What tenants have activated.
#[derive(Debug, Default)]
struct Active {
    /// By tenant and script.
    scripts: HashMap<String, HashMap<String, Arc<Script>>>,
    /// How many activations the store had when it was read.
    count: i64,
}

/// A version's place among those compiled: whose it is, script, hash.
type Key = (String, String, String);

/// The scripts there are, for each tenant.
#[derive(Debug)]
pub struct Scripts {
    choice: ScriptChoice,
    store: Store,
    active: RwLock<Active>,
    compiled: Mutex<HashMap<Key, Arc<Script>>>,
    /// Held while activations are read, so that what was read first is not put in place last.
    refreshing: Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scripts {
    /// Over the server's files and a store, in which the files' versions are kept from now on.
    ///
    /// # Errors
    /// The store cannot be read or written, or an active version is not what it says it is.
    pub fn open(choice: ScriptChoice, store: Store, at_ms: i64) -> Result<Self, VersionError> {
        for script in choice.library().iter() {
            let kept = store.bundle("", &script.id, &script.version)?;
            if kept.is_empty() {
                store.put_bundle(&row("", &script.id, &script.version, &script.files, ("", "", at_ms)), None)?;
            }
        }
        let scripts = Self { choice, store, active: RwLock::default(), compiled: Mutex::default(), refreshing: Mutex::default() };
        if let Some(complaint) = scripts.refresh()?.into_iter().next() {
            return Err(StoreError::Damaged(complaint).into());
        }
        Ok(scripts)
    }

    /// The server's own choice.
    #[must_use]
    pub fn choice(&self) -> &ScriptChoice {
        &self.choice
    }

    /// The script that grades a call of a tenant that begins now and names `id`: the one that the server was told to use for it by
    /// `ID@VERSION`, else the one that the tenant has activated, else the one of the server's files.
    ///
    /// # Errors
    /// There is none of that id, or the call names none and there is no fallback.
    pub fn of(&self, tenant: &str, id: &str) -> Result<Arc<Script>, ScriptError> {
        let (fallback, pinned) = match self.choice.fallback() {
            Some(name) => name.split_once('@').map_or((name, false), |(id, _)| (id, true)),
            None => ("", false),
        };
        let id = if id.is_empty() { fallback } else { id };
        if pinned && id == fallback {
            return self.choice.of(id);
        }
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        match active.scripts.get(tenant) {
            None => self.choice.of(id),
            Some(own) => match own.get(id) {
                Some(script) => Ok(Arc::clone(script)),
                None => self.choice.of(id).map_err(|error| match error {
                    ScriptError::Unknown(id, mut known) => {
                        known.extend(own.keys().cloned());
                        known.sort();
                        ScriptError::Unknown(id, known)
                    }
                    error => error,
                }),
            },
        }
    }

    /// The scripts that grade a tenant's calls, by id.
    #[must_use]
    pub fn all(&self, tenant: &str) -> Vec<Arc<Script>> {
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let files = self.choice.library().iter().map(|script| (script.id.to_string(), Arc::clone(script)));
        let mut scripts: BTreeMap<String, Arc<Script>> = files.collect();
        let own = active.scripts.get(tenant).into_iter().flatten();
        scripts.extend(own.map(|(id, script)| (id.clone(), Arc::clone(script))));
        scripts.into_values().collect()
    }

    /// A version of a script that a tenant may use: from memory, else compiled from the store. The hash may be cut short to its first
    /// six characters.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn version(&self, tenant: &str, id: &str, version: &str) -> Result<Arc<Script>, VersionError> {
        // Its content names it: whoever else has published the same has published the same.
        if let Some(script) = self.choice.library().iter().find(|script| *script.id == *id && *script.version == *version) {
            return Ok(Arc::clone(script));
        }
        for owner in [tenant, ""] {
            if let Some(script) = lock(&self.compiled).get(&(owner.to_owned(), id.to_owned(), version.to_owned())) {
                return Ok(Arc::clone(script));
            }
        }
        let row = self.find(tenant, id, version)?;
        if row.version != version {
            return self.version(tenant, id, &row.version);
        }
        let script = load(&row)?;
        self.remember((row.tenant, row.script_id, row.version), &script);
        Ok(script)
    }

    /// Keeps a compiled version beside the active ones.
    fn remember(&self, key: Key, script: &Arc<Script>) {
        let mut compiled = lock(&self.compiled);
        if compiled.len() >= COMPILED {
            compiled.clear();
        }
        compiled.insert(key, Arc::clone(script));
    }

    /// The one version whose hash begins so.
    fn find(&self, tenant: &str, id: &str, version: &str) -> Result<BundleRow, VersionError> {
        if version.len() < SHORTEST {
            let reason = format!("version {version:?} is too short to name one: give at least its first {SHORTEST} characters");
            return Err(VersionError::Invalid("version", reason));
        }
        // The tenant's own first: the same of everyone's is the same.
        let found = self.store.bundle(tenant, id, version)?;
        let mut versions: Vec<&str> = found.iter().map(|row| row.version.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        if let [first, _, ..] = versions.as_slice() {
            let reason = format!("version {version:?} of script {id:?} is not one but {}: {first}, …", versions.len());
            return Err(VersionError::Invalid("version", reason));
        }
        match found.into_iter().next() {
            Some(row) => Ok(row),
            None => Err(VersionError::Script(self.missing(tenant, id, version)?)),
        }
    }

    /// Why there is no such version.
    fn missing(&self, tenant: &str, id: &str, version: &str) -> Result<ScriptError, StoreError> {
        let rows = self.store.bundles(tenant, "")?;
        let there: Vec<String> = rows.iter().filter(|row| row.script_id == id).map(|row| row.version.clone()).collect();
        if there.is_empty() {
            let mut known: Vec<String> = rows.into_iter().map(|row| row.script_id).collect();
            known.sort();
            known.dedup();
            return Ok(ScriptError::Unknown(id.to_owned(), known));
        }
        Ok(ScriptError::Version(id.to_owned(), version.to_owned(), there.join(", ")))
    }

    /// Keeps a bundle as a tenant's version, once it compiles.
    ///
    /// # Errors
    /// It does not, with every finding; or it cannot be kept.
    pub fn publish(
        &self,
        actor: Actor<'_>,
        id: &str,
        files: BTreeMap<String, String>,
        note: &str,
        activate: bool,
    ) -> Result<v1::ScriptVersion, VersionError> {
        if id.is_empty() {
            return Err(VersionError::Invalid("script_id", "script_id is empty".to_owned()));
        }
        check_note(note)?;
        let script = compile(&Bundle::from_files(id, files)).map_err(VersionError::Load)?;
        let row = row(actor.tenant, &script.id, &script.version, &script.files, (actor.who, note, actor.at_ms));
        self.store.put_bundle(&row, Some(&actor.entry("publish", format!("{id}@{}", script.version))))?;
        if activate {
            return self.activate(actor, id, &script.version);
        }
        self.describe(actor.tenant, id, &script.version)
    }

    /// Makes a version the tenant's active one: calls that begin from now on are graded with it.
    ///
    /// # Errors
    /// There is none, it cannot be read, or the store cannot be written.
    pub fn activate(&self, actor: Actor<'_>, id: &str, version: &str) -> Result<v1::ScriptVersion, VersionError> {
        let full = self.version(actor.tenant, id, version)?.version.to_string();
        self.make_active(actor, id, &full, "activate")
    }

    /// Takes the last activation back: the version that was active before it is active again, which may be that of the server's files.
    ///
    /// # Errors
    /// There is no activation, or the store cannot be written.
    pub fn rollback(&self, actor: Actor<'_>, id: &str) -> Result<v1::ScriptVersion, VersionError> {
        let all = self.store.activations()?;
        let mut own = all.iter().rev().filter(|row| row.tenant == actor.tenant && row.script_id == id);
        let current = own.next().ok_or_else(|| VersionError::NothingBefore(id.to_owned()))?;
        let before = own.find(|row| row.version != current.version).map_or("", |row| row.version.as_str());
        if before == current.version {
            return Err(VersionError::NothingBefore(id.to_owned()));
        }
        if !before.is_empty() {
            self.version(actor.tenant, id, before)?;
        }
        self.make_active(actor, id, before, "rollback")
    }

    fn make_active(&self, actor: Actor<'_>, id: &str, version: &str, action: &str) -> Result<v1::ScriptVersion, VersionError> {
        let row = ActivationRow {
            tenant: actor.tenant.to_owned(),
            script_id: id.to_owned(),
            version: version.to_owned(),
            at_ms: actor.at_ms,
            made_by: actor.who.to_owned(),
        };
        let what = if version.is_empty() { format!("{id} (the server's files)") } else { format!("{id}@{version}") };
        self.store.activate(&row, &actor.entry(action, what))?;
        self.refresh()?;
        if version.is_empty() {
            let files = self.choice.library().get(id).map_or(String::new(), |script| script.version.to_string());
            if files.is_empty() {
                return Ok(v1::ScriptVersion { script_id: id.to_owned(), active: true, ..v1::ScriptVersion::default() });
            }
            return self.describe(actor.tenant, id, &files);
        }
        self.describe(actor.tenant, id, version)
    }

    /// The versions that a tenant may use, newest first; of one script, or of all.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self, tenant: &str, id: &str) -> Result<Vec<v1::ScriptVersion>, VersionError> {
        let mut versions: Vec<v1::ScriptVersion> = Vec::new();
        for row in self.store.bundles(tenant, id)? {
            // A tenant that has published what the server has too sees its own.
            match versions.iter_mut().find(|known| known.script_id == row.script_id && known.version == row.version) {
                None => versions.push(self.told(tenant, row)),
                Some(known) if !row.tenant.is_empty() => *known = self.told(tenant, row),
                Some(_) => {}
            }
        }
        Ok(versions)
    }

    fn describe(&self, tenant: &str, id: &str, version: &str) -> Result<v1::ScriptVersion, VersionError> {
        Ok(self.told(tenant, self.find(tenant, id, version)?))
    }

    fn told(&self, tenant: &str, row: BundleRow) -> v1::ScriptVersion {
        let active = self.of(tenant, &row.script_id).is_ok_and(|script| *script.version == *row.version);
        v1::ScriptVersion {
            script_id: row.script_id,
            version: row.version,
            stored_at: Some(timestamp(row.stored_ms)),
            stored_by: row.stored_by,
            note: row.note,
            active,
            draft: row.draft,
        }
    }

    /// Reads what was activated since it was last read, by whatever process. What is wrong with it is answered, and leaves the version
    /// before it active. To be called every second or so.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn refresh(&self) -> Result<Vec<String>, StoreError> {
        let _refreshing = lock(&self.refreshing);
        let count = self.store.activation_count()?;
        if count == self.active.read().unwrap_or_else(PoisonError::into_inner).count {
            return Ok(Vec::new());
        }
        let rows = self.store.activations()?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let last: BTreeMap<(String, String), String> = rows.into_iter().map(|row| ((row.tenant, row.script_id), row.version)).collect();
        let mut scripts: HashMap<String, HashMap<String, Arc<Script>>> = HashMap::new();
        let mut complaints = Vec::new();
        for ((tenant, id), version) in last {
            if version.is_empty() {
                continue;
            }
            let script = match self.version(&tenant, &id, &version) {
                Ok(script) => Some(script),
                Err(VersionError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
                Err(error) => {
                    complaints.push(format!("tenant {tenant}: script {id}@{version} cannot be active: {error}"));
                    let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
                    active.scripts.get(&tenant).and_then(|own| own.get(&id)).cloned()
                }
            };
            if let Some(script) = script {
                scripts.entry(tenant).or_default().insert(id, script);
            }
        }
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Active { scripts, count };
        Ok(complaints)
    }

    /// Where what tenants have activated outranks the server's files: to be told when it starts.
    #[must_use]
    pub fn outranked(&self) -> Vec<String> {
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        for (tenant, own) in &active.scripts {
            for (id, script) in own {
                let Ok(files) = self.choice.library().get(id) else { continue };
                if files.version != script.version {
                    let (active, there) = (&script.version, &files.version);
                    told.push(format!("tenant {tenant}: script {id} is version {active}, as activated; this server's files have {there}"));
                }
            }
        }
        told.sort();
        told
    }
}

/// Whether a note can be kept.
///
/// # Errors
/// It is too long, or has a NUL character.
pub(super) fn check_note(note: &str) -> Result<(), VersionError> {
    if note.chars().count() > NOTE_CHARS {
        let reason = format!("the note has {} characters, more than {NOTE_CHARS}", note.chars().count());
        return Err(VersionError::Invalid("note", reason));
    }
    if note.contains('\0') {
        return Err(VersionError::Invalid("note", "the note has a NUL character".to_owned()));
    }
    Ok(())
}

/// A moment in milliseconds as the contract has it.
pub(super) fn timestamp(ms: i64) -> Timestamp {
    Timestamp { seconds: ms.div_euclid(1_000), nanos: (ms.rem_euclid(1_000) * 1_000_000) as i32 }
}
