//! The tables, and how an older program's become this one's.

use super::{Database, StoreError};

/// The words in which databases differ.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// For each placeholder of [`MIGRATIONS`], what stands there.
    pub words: &'static [(&'static str, &'static str)],
    /// A statement that keeps other processes' migrations waiting until the transaction ends; empty where writing does so anyway.
    pub alone: &'static str,
    /// The condition that a column of bytes holds others.
    pub holds: fn(column: &str, bytes: &str) -> String,
}

/// Each version's statements, in order: the first makes version 1 of an empty database. Never changed once released; what comes
/// later is added at the end. `{bytes}` is a string of bytes, `{serial}` a number that counts itself, `{clustered}` the wish that a
/// table lies in the order of its key.
pub const MIGRATIONS: &[&str] = &[
    "
-- A call's head, written once with its first event. Times are milliseconds since 1970.
CREATE TABLE calls (
  id BIGINT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  call_id TEXT NOT NULL,
  script_id TEXT NOT NULL,
  script_version TEXT NOT NULL,
  started_s BIGINT,
  started_nanos BIGINT,
  time_zone TEXT NOT NULL,
  began_ms BIGINT NOT NULL,
  received_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX calls_name ON calls (tenant, call_id);
CREATE INDEX calls_began ON calls (tenant, began_ms, id);
-- What came, by its place in the call. kind 0: body is a CallEvent; 1: it was rejected, body is why.
CREATE TABLE events (
  call BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  received_ms BIGINT NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (call, seq)
) {clustered};
-- Where a call stands.
CREATE TABLE standings (
  call BIGINT NOT NULL PRIMARY KEY,
  label TEXT NOT NULL,
  rule TEXT NOT NULL,
  revision BIGINT NOT NULL,
  ended_by TEXT NOT NULL,
  ended_ms BIGINT
);
CREATE INDEX standings_ended ON standings (ended_ms);
-- Final verdicts, each revision.
CREATE TABLE verdicts (
  call BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  made_ms BIGINT NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (call, revision)
) {clustered};
CREATE TABLE attributes (
  call BIGINT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (call, name)
) {clustered};
CREATE INDEX attributes_value ON attributes (name, value, call);
-- Keyed hashes of the personal numbers that were masked.
CREATE TABLE numbers (
  call BIGINT NOT NULL,
  fingerprint {bytes} NOT NULL,
  PRIMARY KEY (call, fingerprint)
) {clustered};
CREATE INDEX numbers_fingerprint ON numbers (fingerprint, call);
-- Script versions; tenant is empty for those that came with the server's files.
CREATE TABLE bundles (
  tenant TEXT NOT NULL,
  script_id TEXT NOT NULL,
  version TEXT NOT NULL,
  stored_ms BIGINT NOT NULL,
  stored_by TEXT NOT NULL,
  note TEXT NOT NULL,
  files {bytes} NOT NULL,
  PRIMARY KEY (tenant, script_id, version)
);
-- Which version was made active when; the last of a script counts.
CREATE TABLE activations (
  turn {serial},
  tenant TEXT NOT NULL,
  script_id TEXT NOT NULL,
  version TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  made_by TEXT NOT NULL
);
CREATE INDEX activations_script ON activations (tenant, script_id, turn);
-- API keys: the hash of the secret, never the secret.
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  role TEXT NOT NULL,
  hash {bytes} NOT NULL,
  name TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  revoked_ms BIGINT
);
CREATE TABLE audit (
  number {serial},
  tenant TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  who TEXT NOT NULL,
  action TEXT NOT NULL,
  what TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (tenant, at_ms);
-- What the server made up for itself, such as the key of the fingerprints.
CREATE TABLE secrets (
  name TEXT NOT NULL PRIMARY KEY,
  value {bytes} NOT NULL
);
-- Verdicts still to be pushed. state 0: to be sent at due_ms; 1: given up, kept as a dead letter.
CREATE TABLE pushes (
  number {serial},
  tenant TEXT NOT NULL,
  call BIGINT NOT NULL,
  call_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  made_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  state BIGINT NOT NULL,
  error TEXT NOT NULL,
  body {bytes} NOT NULL
);
CREATE INDEX pushes_due ON pushes (tenant, state, due_ms, number);
CREATE INDEX pushes_call ON pushes (call, number);
",
    "
-- Calls that were deleted, until the server that may have been writing them at that moment has let go of them.
CREATE TABLE deletions (
  call BIGINT NOT NULL PRIMARY KEY
);
",
    "
-- Kept for a re-grading, not published.
ALTER TABLE bundles ADD COLUMN draft BIGINT NOT NULL DEFAULT 0;
-- Jobs that grade kept calls anew. state 0: queued; 1: running; 2: done; 3: cancelled; 4: failed; 5: being removed. The cursor is the
-- last call that was read, done how many results there are.
CREATE TABLE regrades (
  number {serial},
  id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  request_id TEXT NOT NULL,
  fingerprint {bytes} NOT NULL,
  head {bytes} NOT NULL,
  state BIGINT NOT NULL,
  asked_ms BIGINT NOT NULL,
  began_ms BIGINT,
  ended_ms BIGINT,
  calls BIGINT NOT NULL,
  live BIGINT NOT NULL,
  done BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  cursor_began_ms BIGINT,
  cursor_call BIGINT,
  error TEXT NOT NULL
);
CREATE UNIQUE INDEX regrades_id ON regrades (id);
CREATE UNIQUE INDEX regrades_request ON regrades (tenant, request_id) WHERE request_id <> '';
CREATE INDEX regrades_tenant ON regrades (tenant, number);
CREATE INDEX regrades_state ON regrades (state, number);
-- What a job's results come to, as of its cursor.
CREATE TABLE regrade_diffs (
  regrade BIGINT NOT NULL PRIMARY KEY,
  body {bytes} NOT NULL
);
-- A job's results, in the order in which they were found. kind 0: the same; 1: another rule; 2: another label; 3: rejected.
CREATE TABLE regraded (
  regrade BIGINT NOT NULL,
  place BIGINT NOT NULL,
  call BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  compared BIGINT NOT NULL,
  before_label TEXT NOT NULL,
  label TEXT NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (regrade, place)
) {clustered};
CREATE INDEX regraded_call ON regraded (call);
CREATE INDEX regraded_changed ON regraded (regrade, place) WHERE kind > 0;
",
];

/// The version that this program writes.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings a database's tables to [`VERSION`], each version in one transaction.
///
/// # Errors
/// The database cannot be reached, or a newer program has written it.
pub fn migrate(database: &dyn Database) -> Result<(), StoreError> {
    loop {
        let mut found = 0;
        database.write(&mut |sql| {
            if !database.dialect().alone.is_empty() {
                sql.query(database.dialect().alone, &[], &mut |_| Ok(true))?;
            }
            sql.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)", &[])?;
            found = 0;
            sql.query("SELECT version FROM schema_version", &[], &mut |row| {
                found = row.value(0).int();
                Ok(false)
            })?;
            let Some(statements) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found)) else { return Ok(()) };
            let mut text = (*statements).to_owned();
            for (placeholder, word) in database.dialect().words {
                text = text.replace(placeholder, word);
            }
            for statement in text.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
                sql.run(statement, &[])?;
            }
            sql.run("DELETE FROM schema_version", &[])?;
            sql.run("INSERT INTO schema_version (version) VALUES ($1)", &[(found + 1).into()])?;
            Ok(())
        })?;
        if found > VERSION {
            return Err(StoreError::Newer(found, VERSION, database.place()));
        }
        if found == VERSION {
            return Ok(());
        }
    }
}
