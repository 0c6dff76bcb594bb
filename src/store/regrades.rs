//! Jobs that grade kept calls anew: what is asked of them, and how far they have come. A job that is removed is hidden at once; its
//! [results](super::regraded) go batch by batch.

use super::audit::{self, AuditRow};
use super::records::Cursor;
use super::sql::{Row, Sql, Value};
use super::{Store, StoreError};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegradeState {
    /// It waits for others.
    Queued,
    /// It grades.
    Running,
    /// It has graded all there was.
    Done,
    /// Somebody has ended it.
    Cancelled,
    /// It could not go on.
    Failed,
}

impl RegradeState {
    /// All of them, in the order of their numbers.
    pub const ALL: &[Self] = &[Self::Queued, Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    pub(super) fn number(self) -> i64 {
        self as i64
    }

    fn of(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place)).copied().unwrap_or(Self::Failed)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// The state of a job that is being removed. It is none that anybody sees.
const REMOVED: i64 = 5;

/// How many calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RegradeCounts {
    /// To be graded, counted when the job began.
    pub calls: u64,
    /// Left out, because they had not ended.
    pub live: u64,
    /// That have a result.
    pub done: u64,
    /// Of those, with another label.
    pub changed: u64,
    /// Of those, that could not be graded.
    pub rejected: u64,
}

/// A job that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRegrade {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// What tells repetitions of the request; empty: nothing does.
    pub request_id: String,
    /// What stands for the whole request.
    pub fingerprint: Vec<u8>,
    /// What is asked, as who reads it has it.
    pub head: Vec<u8>,
    /// When, in milliseconds since 1970.
    pub asked_ms: i64,
}

/// A job as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegradeRow {
    /// Its number, in the order in which they were asked for.
    pub number: i64,
    /// What was asked.
    pub asked: NewRegrade,
    /// Where it stands.
    pub state: RegradeState,
    /// When it began.
    pub began_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// How far it has come.
    pub counts: RegradeCounts,
    /// The last call that was read.
    pub cursor: Option<Cursor>,
    /// Why it failed.
    pub error: String,
}

/// What became of a request for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is queued.
    New(RegradeRow),
    /// There is one of the same request id.
    Known(RegradeRow),
    /// The tenant has too many in the queue.
    TooMany,
}

const JOB: &str = "SELECT number, id, tenant, request_id, fingerprint, head, state, asked_ms, began_ms, ended_ms, \
                   calls, live, done, changed, rejected, cursor_began_ms, cursor_call, error FROM regrades";
/// The queued job whose tenant has waited longest since one of its own began; of a tenant's, the first.
const NEXT: &str =
    "state = 0 ORDER BY (SELECT COALESCE(MAX(b.began_ms), 0) FROM regrades b WHERE b.tenant = regrades.tenant), number LIMIT 1";
fn count(value: Value<'_>) -> u64 {
    value.int().unsigned_abs()
}

pub(super) fn stored(count: u64) -> Value<'static> {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn job(row: &dyn Row) -> RegradeRow {
    let cursor = row.value(15).optional_int().zip(row.value(16).optional_int());
    RegradeRow {
        number: row.value(0).int(),
        asked: NewRegrade {
            id: row.value(1).text().to_owned(),
            tenant: row.value(2).text().to_owned(),
            request_id: row.value(3).text().to_owned(),
            fingerprint: row.value(4).bytes().to_vec(),
            head: row.value(5).bytes().to_vec(),
            asked_ms: row.value(7).int(),
        },
        state: RegradeState::of(row.value(6).int()),
        began_ms: row.value(8).optional_int(),
        ended_ms: row.value(9).optional_int(),
        counts: RegradeCounts {
            calls: count(row.value(10)),
            live: count(row.value(11)),
            done: count(row.value(12)),
            changed: count(row.value(13)),
            rejected: count(row.value(14)),
        },
        cursor: cursor.map(|(began_ms, id)| Cursor { began_ms, id }),
        error: row.value(17).text().to_owned(),
    }
}

fn jobs(sql: &mut dyn Sql, which: &str, values: &[Value<'_>]) -> Result<Vec<RegradeRow>, StoreError> {
    let mut found = Vec::new();
    sql.query(&format!("{JOB} WHERE {which}"), values, &mut |row| {
        found.push(job(row));
        Ok(true)
    })?;
    Ok(found)
}

fn number(sql: &mut dyn Sql, text: &str, values: &[Value<'_>]) -> Result<i64, StoreError> {
    let mut found = 0;
    sql.query(text, values, &mut |row| {
        found = row.value(0).int();
        Ok(false)
    })?;
    Ok(found)
}

fn hide(sql: &mut dyn Sql, number: i64) -> Result<(), StoreError> {
    // Its request may be made anew.
    sql.run("UPDATE regrades SET state = $2, request_id = '' WHERE number = $1", &[number.into(), REMOVED.into()]).map(drop)
}

impl Store {
    /// Queues a job, with the audit log's entry of it, unless there is one of its request id, or the tenant has `most` in the queue.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn ask_regrade(&self, asked: &NewRegrade, most: Option<usize>, entry: &AuditRow) -> Result<Asked, StoreError> {
        let tenant = Value::Text(&asked.tenant);
        let text = "INSERT INTO regrades (id, tenant, request_id, fingerprint, head, state, asked_ms, calls, live, done, changed, rejected, \
                    error) VALUES ($1, $2, $3, $4, $5, 0, $6, 0, 0, 0, 0, 0, '')";
        let values = [
            Value::Text(&asked.id),
            tenant,
            Value::Text(&asked.request_id),
            Value::Bytes(&asked.fingerprint),
            Value::Bytes(&asked.head),
            Value::Int(asked.asked_ms),
        ];
        self.write(|sql| {
            if !asked.request_id.is_empty() {
                let known = jobs(sql, "tenant = $1 AND request_id = $2", &[tenant, Value::Text(&asked.request_id)])?;
                if let Some(known) = known.into_iter().next() {
                    return Ok(Asked::Known(known));
                }
            }
            let queued = number(sql, "SELECT COUNT(*) FROM regrades WHERE tenant = $1 AND state = 0", &[tenant])?;
            if most.is_some_and(|most| usize::try_from(queued).unwrap_or(usize::MAX) >= most) {
                return Ok(Asked::TooMany);
            }
            sql.run(text, &values)?;
            audit::insert(sql, entry)?;
            let new = jobs(sql, "id = $1", &[Value::Text(&asked.id)])?.into_iter().next();
            new.map(Asked::New).ok_or_else(|| StoreError::Damaged("what was inserted is not there".to_owned()))
        })
    }

    /// A tenant's job by its request id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn regrade_of_request(&self, tenant: &str, request_id: &str) -> Result<Option<RegradeRow>, StoreError> {
        let values = [Value::Text(tenant), Value::Text(request_id)];
        Ok(self.read(|sql| jobs(sql, "tenant = $1 AND request_id = $2 AND request_id <> ''", &values))?.into_iter().next())
    }

    /// A tenant's job.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn regrade(&self, tenant: &str, id: &str) -> Result<Option<RegradeRow>, StoreError> {
        let values = [Value::Text(tenant), Value::Text(id), REMOVED.into()];
        Ok(self.read(|sql| jobs(sql, "tenant = $1 AND id = $2 AND state <> $3", &values))?.into_iter().next())
    }

    /// A tenant's jobs, the last asked for first, from behind a number.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn regrades(&self, tenant: &str, after: Option<i64>, most: usize) -> Result<Vec<RegradeRow>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let values = [Value::Text(tenant), after.unwrap_or(i64::MAX).into(), REMOVED.into(), most.into()];
        self.read(|sql| jobs(sql, "tenant = $1 AND number < $2 AND state <> $3 ORDER BY number DESC LIMIT $4", &values))
    }

    /// The job to go on with: the one that runs, else the next that is queued.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn next_regrade(&self) -> Result<Option<RegradeRow>, StoreError> {
        self.read(|sql| {
            let running = jobs(sql, "state = 1 ORDER BY number LIMIT 1", &[])?.pop();
            Ok(match running {
                Some(running) => Some(running),
                None => jobs(sql, NEXT, &[])?.pop(),
            })
        })
    }

    /// Has a queued job run, with what is to be graded; false if it is queued no more.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn begin_regrade(&self, number: i64, at_ms: i64, counts: RegradeCounts) -> Result<bool, StoreError> {
        let text = "UPDATE regrades SET state = 1, began_ms = $2, calls = $3, live = $4 WHERE number = $1 AND state = 0";
        self.write(|sql| Ok(sql.run(text, &[number.into(), at_ms.into(), stored(counts.calls), stored(counts.live)])? > 0))
    }

    /// Ends a job that is queued or runs, with the audit log's entry of it if somebody has; false if it has ended.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn end_regrade(
        &self,
        number: i64,
        state: RegradeState,
        error: &str,
        at_ms: i64,
        entry: Option<&AuditRow>,
    ) -> Result<bool, StoreError> {
        let text = "UPDATE regrades SET state = $2, error = $3, ended_ms = $4 WHERE number = $1 AND state IN (0, 1)";
        self.write(|sql| {
            let ended = sql.run(text, &[number.into(), state.number().into(), Value::Text(error), at_ms.into()])? > 0;
            if ended {
                entry.into_iter().try_for_each(|entry| audit::insert(sql, entry))?;
            }
            Ok(ended)
        })
    }

    /// Has a job removed, with the audit log's entry of it; see [`purge_regrades`](Self::purge_regrades).
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn remove_regrade(&self, number: i64, entry: &AuditRow) -> Result<(), StoreError> {
        self.write(|sql| {
            hide(sql, number)?;
            audit::insert(sql, entry)
        })
    }

    /// Has the jobs removed that ended before a moment; `entry` makes the audit log's entry of each. How many there were.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn expire_regrades(&self, moment_ms: i64, entry: &dyn Fn(&RegradeRow) -> AuditRow) -> Result<usize, StoreError> {
        let which = "state IN (2, 3, 4) AND ended_ms < $1";
        if self.read(|sql| jobs(sql, which, &[moment_ms.into()]))?.is_empty() {
            return Ok(0);
        }
        self.write(|sql| {
            let old = jobs(sql, which, &[moment_ms.into()])?;
            for job in &old {
                hide(sql, job.number)?;
                audit::insert(sql, &entry(job))?;
            }
            Ok(old.len())
        })
    }

    /// Deletes what is left of removed jobs, at most so many results at one time; false if there was nothing left.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn purge_regrades(&self, most: usize) -> Result<bool, StoreError> {
        let removed = "SELECT COALESCE(MIN(number), 0) FROM regrades WHERE state = $1";
        let regrade = self.read(|sql| number(sql, removed, &[REMOVED.into()]))?;
        if regrade == 0 {
            return Ok(false);
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let batch =
            "DELETE FROM regraded WHERE regrade = $1 AND place IN (SELECT place FROM regraded WHERE regrade = $1 ORDER BY place LIMIT $2)";
        self.write(|sql| {
            if sql.run(batch, &[regrade.into(), most.into()])? == 0 {
                sql.run("DELETE FROM regrade_diffs WHERE regrade = $1", &[regrade.into()])?;
                sql.run("DELETE FROM regrades WHERE number = $1", &[regrade.into()])?;
            }
            Ok(true)
        })
    }

    /// What a job's results come to; empty while there are none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn regrade_diff(&self, number: i64) -> Result<Vec<u8>, StoreError> {
        self.read(|sql| {
            let mut body = Vec::new();
            sql.query("SELECT body FROM regrade_diffs WHERE regrade = $1", &[number.into()], &mut |row| {
                body = row.value(0).bytes().to_vec();
                Ok(false)
            })?;
            Ok(body)
        })
    }

    /// How many jobs there are of all tenants, by state, in the order of [`RegradeState::ALL`].
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn regrade_states(&self) -> Result<Vec<(RegradeState, u64)>, StoreError> {
        let mut states: Vec<(RegradeState, u64)> = RegradeState::ALL.iter().map(|state| (*state, 0)).collect();
        self.read(|sql| {
            sql.query("SELECT state, COUNT(*) FROM regrades GROUP BY state", &[], &mut |row| {
                if let Some((_, jobs)) = states.iter_mut().find(|(state, _)| state.number() == row.value(0).int()) {
                    *jobs = count(row.value(1));
                }
                Ok(true)
            })
        })?;
        Ok(states)
    }
}
