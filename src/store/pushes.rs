//! The outbox: verdicts still to be pushed, in order for each call, and those that were given up.
//!
//! Rows come with the verdicts they announce, in the same transaction ([`Group::pushes`](super::calls::Group)). Of a call only
//! the first that is pending is ever due; the ones behind it wait until it is delivered or given up.

use bytes::Bytes;

use super::sql::{Row, Sql, Value};
use super::{Store, StoreError};

/// Where a push stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PushState {
    /// To be sent.
    Pending,
    /// Given up, kept as a dead letter.
    Dead,
}

impl PushState {
    fn number(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Dead => 1,
        }
    }

    fn of(number: i64) -> Self {
        if number == 0 { Self::Pending } else { Self::Dead }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dead => "dead",
        }
    }
}

/// A push whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePush {
    /// Its number in the outbox.
    pub number: i64,
    /// The call's number.
    pub call: i64,
    /// The dialer's id of the call.
    pub call_id: String,
    /// What receivers tell repetitions by.
    pub event_id: String,
    /// How often it was sent in vain.
    pub tries: u32,
    /// When somebody had it sent again from the first try on, in milliseconds since 1970; `None` of one that nobody did, or that was
    /// sent since.
    pub resent_ms: Option<i64>,
    /// What is sent.
    pub body: Bytes,
}

/// What is due, and what comes after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// The pushes whose turn it is, the longest due first.
    pub pushes: Vec<DuePush>,
    /// When the next becomes due by itself, in milliseconds since 1970.
    pub next_ms: Option<i64>,
}

/// What became of a push that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The receiver has it; it leaves the outbox.
    Delivered,
    /// It is sent again at a time, in milliseconds since 1970, and why.
    Again(i64, String),
    /// It becomes a dead letter, and why.
    GivenUp(String),
    /// The same, without having been sent.
    NotSent(String),
}

/// A push as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEntry {
    /// Its number in the outbox.
    pub number: i64,
    /// Whose call it is about.
    pub tenant: String,
    /// The dialer's id of the call.
    pub call_id: String,
    /// What receivers tell repetitions by.
    pub event_id: String,
    /// When the verdict was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// When it is sent next; of a dead letter, when it was sent last or would have been.
    pub due_ms: i64,
    /// How often it was sent in vain.
    pub tries: u32,
    /// Where it stands.
    pub state: PushState,
    /// Why it was not delivered; empty if it was not sent yet.
    pub error: String,
}

/// How many pushes a tenant has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushCount {
    /// The tenant.
    pub tenant: String,
    /// Where they stand.
    pub state: PushState,
    /// How many.
    pub count: u64,
}

const DUE: &str = "SELECT p.number, p.call, p.call_id, p.event_id, p.tries, p.body, p.due_ms, p.error FROM pushes p \
                   WHERE p.tenant = $1 AND p.state = 0 AND p.due_ms <= $2 AND NOT EXISTS \
                   (SELECT 1 FROM pushes e WHERE e.call = p.call AND e.number < p.number AND e.state = 0) \
                   ORDER BY p.due_ms, p.number LIMIT $3";
const NEXT: &str = "SELECT MIN(due_ms) FROM pushes WHERE tenant = $1 AND state = 0 AND due_ms > $2";
const ENTRY: &str = "SELECT number, tenant, call_id, event_id, made_ms, due_ms, tries, state, error FROM pushes";

fn entry(row: &dyn Row) -> PushEntry {
    PushEntry {
        number: row.value(0).int(),
        tenant: row.value(1).text().to_owned(),
        call_id: row.value(2).text().to_owned(),
        event_id: row.value(3).text().to_owned(),
        made_ms: row.value(4).int(),
        due_ms: row.value(5).int(),
        tries: u32::try_from(row.value(6).int()).unwrap_or(u32::MAX),
        state: PushState::of(row.value(7).int()),
        error: row.value(8).text().to_owned(),
    }
}

fn settle(sql: &mut dyn Sql, push: &DuePush, settlement: &Settlement) -> Result<(), StoreError> {
    match settlement {
        Settlement::Delivered => sql.run("DELETE FROM pushes WHERE number = $1", &[push.number.into()])?,
        Settlement::Again(due_ms, error) => {
            sql.run(
                "UPDATE pushes SET tries = tries + 1, due_ms = $2, error = $3 WHERE number = $1",
                &[push.number.into(), (*due_ms).into(), Value::Text(error)],
            )?;
            // What waits behind it is due no earlier, so that looking for what is due does not pass over it again and again.
            sql.run(
                "UPDATE pushes SET due_ms = $2 WHERE call = $3 AND number > $1 AND state = 0 AND due_ms < $2",
                &[push.number.into(), (*due_ms).into(), push.call.into()],
            )?
        }
        Settlement::GivenUp(error) => sql.run(
            "UPDATE pushes SET tries = tries + 1, state = 1, error = $2 WHERE number = $1",
            &[push.number.into(), Value::Text(error)],
        )?,
        Settlement::NotSent(error) => {
            sql.run("UPDATE pushes SET state = 1, error = $2 WHERE number = $1", &[push.number.into(), Value::Text(error)])?
        }
    };
    Ok(())
}

impl Store {
    /// What of a tenant's is due, at most so many, of each call only the first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn due_pushes(&self, tenant: &str, now_ms: i64, most: usize) -> Result<Due, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read(|sql| {
            let mut due = Due::default();
            sql.query(DUE, &[Value::Text(tenant), now_ms.into(), most.into()], &mut |row| {
                due.pushes.push(DuePush {
                    number: row.value(0).int(),
                    call: row.value(1).int(),
                    call_id: row.value(2).text().to_owned(),
                    event_id: row.value(3).text().to_owned(),
                    tries: u32::try_from(row.value(4).int()).unwrap_or(u32::MAX),
                    body: Bytes::copy_from_slice(row.value(5).bytes()),
                    // Only what had failed can be resent, and only what is resent has failed without a try.
                    resent_ms: Some(row.value(6).int()).filter(|_| row.value(4).int() == 0 && !row.value(7).text().is_empty()),
                });
                Ok(true)
            })?;
            sql.query(NEXT, &[Value::Text(tenant), now_ms.into()], &mut |row| {
                due.next_ms = row.value(0).optional_int();
                Ok(false)
            })?;
            Ok(due)
        })
    }

    /// Writes down what became of pushes, in one durable transaction. One that is no longer there, its call deleted, stays away.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn settle_pushes(&self, settled: &[(DuePush, Settlement)]) -> Result<(), StoreError> {
        self.write(|sql| settled.iter().try_for_each(|(push, settlement)| settle(sql, push, settlement)))
    }

    /// The outbox from behind a number on, of a tenant or (empty) of all, in one state or any, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn pushes(&self, tenant: &str, state: Option<PushState>, after: i64, most: usize) -> Result<Vec<PushEntry>, StoreError> {
        let text = format!("{ENTRY} WHERE (tenant = $1 OR $1 = '') AND (state = $2 OR $2 < 0) AND number > $3 ORDER BY number LIMIT $4");
        let state = state.map_or(-1, PushState::number);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read(|sql| {
            let mut found = Vec::new();
            sql.query(&text, &[Value::Text(tenant), state.into(), after.into(), most.into()], &mut |row| {
                found.push(entry(row));
                Ok(true)
            })?;
            Ok(found)
        })
    }

    /// Makes a push due now, with all its tries before it, whether it was given up or waits; false if there is none of this
    /// event id with the tenant, or (empty) with any.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn resend_push(&self, tenant: &str, event_id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let text = "UPDATE pushes SET state = 0, tries = 0, due_ms = $3 WHERE event_id = $2 AND (tenant = $1 OR $1 = '')";
        let values = [Value::Text(tenant), Value::Text(event_id), now_ms.into()];
        Ok(self.write(|sql| sql.run(text, &values))? > 0)
    }

    /// Makes every dead letter of a tenant, or (empty) of all, due now; how many there were.
    ///
    /// # Errors
    /// As [`Database::write`](super::Database::write).
    pub fn resend_dead_pushes(&self, tenant: &str, now_ms: i64) -> Result<u64, StoreError> {
        let text = "UPDATE pushes SET state = 0, tries = 0, due_ms = $2 WHERE state = 1 AND (tenant = $1 OR $1 = '')";
        self.write(|sql| sql.run(text, &[Value::Text(tenant), now_ms.into()]))
    }

    /// How many pushes are in the outbox, by tenant and state; a tenant without any is not among them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn push_counts(&self) -> Result<Vec<PushCount>, StoreError> {
        self.read(|sql| {
            let mut counts = Vec::new();
            sql.query("SELECT tenant, state, COUNT(*) FROM pushes GROUP BY tenant, state ORDER BY tenant, state", &[], &mut |row| {
                counts.push(PushCount {
                    tenant: row.value(0).text().to_owned(),
                    state: PushState::of(row.value(1).int()),
                    count: row.value(2).int().unsigned_abs(),
                });
                Ok(true)
            })?;
            Ok(counts)
        })
    }
}
