//! Calls read back: those that are still open, one by its name, many by filter.

mod query;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use self::query::Query;
use super::calls::{EventKind, EventRow};
use super::sql::{Row, Sql, Value};
use super::{Store, StoreError};

/// A call's head and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHead {
    /// The call's number in the store.
    pub id: i64,
    /// Whose call it is.
    pub tenant: Arc<str>,
    /// The dialer's id.
    pub call_id: Arc<str>,
    /// The script it is graded with,
    pub script_id: String,
    /// and the version.
    pub script_version: String,
    /// When dialing began: seconds and nanoseconds since 1970.
    pub started: Option<(i64, i32)>,
    /// IANA time zone, as told.
    pub time_zone: String,
    /// When it began, in milliseconds since 1970.
    pub began_ms: i64,
    /// When its first event came.
    pub received_ms: i64,
    /// The label; empty while no rule holds.
    pub label: String,
    /// The rule that gave it.
    pub rule: String,
    /// Of the last final verdict; 0 while there is none.
    pub revision: u32,
    /// How it ended; empty while live.
    pub ended_by: String,
    /// When it was found to have ended.
    pub ended_ms: Option<i64>,
}

/// A call as it is kept.
#[derive(Debug, Clone)]
pub struct StoredCall {
    /// Its head.
    pub head: CallHead,
    /// Its events, by their place.
    pub events: Vec<EventRow>,
}

/// Which calls to list. What is empty does not filter; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The script.
    pub script_id: String,
    /// Its version.
    pub script_version: String,
    /// Any of these labels.
    pub labels: Vec<String>,
    /// The rule.
    pub rule: String,
    /// Began at this moment or later, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Began earlier than this moment.
    pub before_ms: Option<i64>,
    /// Each with exactly this value.
    pub attributes: BTreeMap<String, String>,
    /// Some event holds these characters.
    pub text: String,
    /// Ended, or not,
    pub ended: Option<bool>,
    /// as of this moment, in milliseconds since 1970; without one, as of now.
    pub at_ms: Option<i64>,
}

/// Where a page ends: the last call's beginning and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// When the call began, in milliseconds since 1970.
    pub began_ms: i64,
    /// Its number.
    pub id: i64,
}

const HEAD: &str = "SELECT c.id, c.tenant, c.call_id, c.script_id, c.script_version, c.started_s, c.started_nanos, c.time_zone, \
                    c.began_ms, c.received_ms, s.label, s.rule, s.revision, s.ended_by, s.ended_ms \
                    FROM calls c JOIN standings s ON s.call = c.id";
const COUNT: &str = "SELECT COUNT(*) FROM calls c JOIN standings s ON s.call = c.id";

/// Names or numbers asked for by one statement: one text for any count, the last repeated.
pub(super) const CHUNK: usize = 64;

fn head(row: &dyn Row) -> CallHead {
    let nanos = i32::try_from(row.value(6).int()).unwrap_or_default();
    CallHead {
        id: row.value(0).int(),
        tenant: row.value(1).text().into(),
        call_id: row.value(2).text().into(),
        script_id: row.value(3).text().to_owned(),
        script_version: row.value(4).text().to_owned(),
        started: row.value(5).optional_int().map(|seconds| (seconds, nanos)),
        time_zone: row.value(7).text().to_owned(),
        began_ms: row.value(8).int(),
        received_ms: row.value(9).int(),
        label: row.value(10).text().to_owned(),
        rule: row.value(11).text().to_owned(),
        revision: u32::try_from(row.value(12).int()).unwrap_or_default(),
        ended_by: row.value(13).text().to_owned(),
        ended_ms: row.value(14).optional_int(),
    }
}

fn heads(sql: &mut dyn Sql, text: &str, values: &[Value<'_>]) -> Result<Vec<CallHead>, StoreError> {
    let mut found = Vec::new();
    sql.query(text, values, &mut |row| {
        found.push(head(row));
        Ok(true)
    })?;
    Ok(found)
}

/// `$from, $from+1, …`: a chunk's placeholders.
pub(super) fn places(from: usize) -> String {
    (from..from + CHUNK).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

/// The numbers of those of a chunk's calls that there are. Each is looked up by itself: of a list of names PostgreSQL, while it has no
/// statistics, thinks that reading all of the tenant's calls is quicker.
fn numbers(sql: &mut dyn Sql, tenant: &str, call_ids: &[&str]) -> Result<Vec<i64>, StoreError> {
    let Some(last) = call_ids.last() else { return Ok(Vec::new()) };
    let names = (2..2 + CHUNK).map(|place| format!("(${place})")).collect::<Vec<_>>().join(", ");
    let text = format!("SELECT (SELECT id FROM calls WHERE tenant = $1 AND call_id = n.column1) FROM (VALUES {names}) AS n");
    let mut values = vec![Value::Text(tenant)];
    values.extend(call_ids.iter().chain(std::iter::repeat(last)).take(CHUNK).map(|id| Value::Text(id)));
    let mut found = Vec::new();
    sql.query(&text, &values, &mut |row| {
        found.extend(row.value(0).optional_int());
        Ok(true)
    })?;
    Ok(found)
}

/// The events of a chunk of calls, in order of call and place. Where the calls lie close together, as open ones do, those of calls
/// between them come along: one stretch is read several times faster than as many places.
fn events(sql: &mut dyn Sql, calls: &[i64], each: &mut dyn FnMut(EventRow)) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (calls.first(), calls.last()) else { return Ok(()) };
    let close = calls.len() > 1 && last - first < calls.len() as i64 * 2;
    let (which, values) = if close {
        ("call BETWEEN $1 AND $2".to_owned(), vec![Value::Int(*first), Value::Int(*last)])
    } else {
        let values = calls.iter().chain(std::iter::repeat(last)).take(CHUNK).map(|call| Value::Int(*call));
        (format!("call IN ({})", places(1)), values.collect())
    };
    let text = format!("SELECT call, seq, kind, received_ms, body FROM events WHERE {which} ORDER BY call, seq");
    sql.query(&text, &values, &mut |row| {
        each(EventRow {
            call: row.value(0).int(),
            seq: u32::try_from(row.value(1).int()).unwrap_or_default(),
            kind: EventKind::of(row.value(2).int()),
            received_ms: row.value(3).int(),
            body: Bytes::copy_from_slice(row.value(4).bytes()),
        });
        Ok(true)
    })
}

/// Hands over each head with its events. The heads are in the order of their numbers.
fn whole(sql: &mut dyn Sql, heads: Vec<CallHead>, each: &mut dyn FnMut(StoredCall)) -> Result<(), StoreError> {
    let mut heads = heads.into_iter().peekable();
    while heads.peek().is_some() {
        let mut chunk: Vec<StoredCall> = heads.by_ref().take(CHUNK).map(|head| StoredCall { head, events: Vec::new() }).collect();
        let numbers: Vec<i64> = chunk.iter().map(|call| call.head.id).collect();
        let mut at = 0;
        events(sql, &numbers, &mut |row| {
            while chunk.get(at).is_some_and(|call| call.head.id < row.call) {
                at += 1;
            }
            if let Some(call) = chunk.get_mut(at).filter(|call| call.head.id == row.call) {
                call.events.push(row);
            }
        })?;
        chunk.into_iter().for_each(&mut *each);
    }
    Ok(())
}

impl Store {
    /// The calls of these names that are kept, with their events.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn find(&self, tenant: &str, call_ids: &[&str]) -> Result<Vec<StoredCall>, StoreError> {
        self.read(|sql| {
            let mut found = Vec::new();
            let text = format!("{HEAD} WHERE c.id IN ({}) ORDER BY c.id", places(1));
            for chunk in call_ids.chunks(CHUNK) {
                let numbers = numbers(sql, tenant, chunk)?;
                // Nearly always none: it is asked of every call that begins.
                let Some(last) = numbers.last() else { continue };
                let values: Vec<Value<'_>> = numbers.iter().chain(std::iter::repeat(last)).take(CHUNK).map(|id| Value::Int(*id)).collect();
                let heads = heads(sql, &text, &values)?;
                whole(sql, heads, &mut |call| found.push(call))?;
            }
            Ok(found)
        })
    }

    /// Calls with their events, in the order in which their heads are given.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn with_events(&self, heads: &[CallHead]) -> Result<Vec<StoredCall>, StoreError> {
        let mut ordered = heads.to_vec();
        ordered.sort_by_key(|head| head.id);
        self.read(|sql| {
            let mut found = BTreeMap::new();
            whole(sql, ordered.clone(), &mut |call| {
                found.insert(call.head.id, call);
            })?;
            Ok(heads.iter().filter_map(|head| found.remove(&head.id)).collect())
        })
    }

    /// Hands over every call that is live, or ended at this moment or later, with its events.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_calls(&self, ended_since_ms: i64, each: &mut dyn FnMut(StoredCall)) -> Result<(), StoreError> {
        self.read(|sql| {
            let mut open = heads(sql, &format!("{HEAD} WHERE s.ended_ms IS NULL"), &[])?;
            open.extend(heads(sql, &format!("{HEAD} WHERE s.ended_ms >= $1"), &[ended_since_ms.into()])?);
            open.sort_by_key(|head| head.id);
            whole(sql, open, each)
        })
    }

    /// A tenant's calls by filter, newest first, from behind a page's end.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self, tenant: &str, filter: &Filter, after: Option<Cursor>, most: usize) -> Result<Vec<CallHead>, StoreError> {
        let mut query = self.filtered(HEAD, tenant, filter);
        if let Some(after) = after {
            query.also("(c.began_ms, c.id) < (?, ?)", &[Value::Int(after.began_ms), Value::Int(after.id)]);
        }
        let Query { mut text, mut values } = query;
        values.push(Value::Int(i64::try_from(most).unwrap_or(i64::MAX)));
        text.push_str(&format!(" ORDER BY c.began_ms DESC, c.id DESC LIMIT ${}", values.len()));
        self.read(|sql| heads(sql, &text, &values))
    }

    /// How many of a tenant's calls a filter lets through, as far as the store can tell: where characters are asked for, those whose
    /// events hold them anywhere.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn count(&self, tenant: &str, filter: &Filter) -> Result<u64, StoreError> {
        let Query { text, values } = self.filtered(COUNT, tenant, filter);
        self.read(|sql| {
            let mut count = 0;
            sql.query(&text, &values, &mut |row| {
                count = row.value(0).int().unsigned_abs();
                Ok(false)
            })?;
            Ok(count)
        })
    }

    /// What is asked of a tenant's calls, with a filter's conditions.
    fn filtered<'a>(&self, asked: &str, tenant: &'a str, filter: &'a Filter) -> Query<'a> {
        let mut query = Query { text: format!("{asked} WHERE c.tenant = $1"), values: vec![Value::Text(tenant)] };
        for (column, value) in [("c.script_id", &filter.script_id), ("c.script_version", &filter.script_version), ("s.rule", &filter.rule)]
        {
            if !value.is_empty() {
                query.also(&format!("{column} = ?"), &[Value::Text(value)]);
            }
        }
        if !filter.labels.is_empty() {
            let labels: Vec<Value<'_>> = filter.labels.iter().map(|label| Value::Text(label)).collect();
            query.also(&format!("s.label IN ({})", vec!["?"; labels.len()].join(", ")), &labels);
        }
        if let Some(from) = filter.from_ms {
            query.also("c.began_ms >= ?", &[Value::Int(from)]);
        }
        if let Some(before) = filter.before_ms {
            query.also("c.began_ms < ?", &[Value::Int(before)]);
        }
        match (filter.ended, filter.at_ms) {
            (Some(true), None) => query.also("s.ended_ms IS NOT NULL", &[]),
            (Some(false), None) => query.also("s.ended_ms IS NULL", &[]),
            // No bare column: by the index of those that ended, each page would be sorted out of all calls.
            (Some(true), Some(at)) => query.also("s.ended_ms + 0 <= ?", &[Value::Int(at)]),
            (Some(false), Some(at)) => {
                query.also("(s.ended_ms IS NULL OR s.ended_ms + 0 > ?) AND c.received_ms <= ?", &[Value::Int(at), Value::Int(at)]);
            }
            (None, _) => {}
        }
        for (name, value) in &filter.attributes {
            let condition = "EXISTS (SELECT 1 FROM attributes a WHERE a.call = c.id AND a.name = ? AND a.value = ?)";
            query.also(condition, &[Value::Text(name), Value::Text(value)]);
        }
        if !filter.text.is_empty() {
            let holds = (self.dialect().holds)("e.body", "?");
            let condition = format!("EXISTS (SELECT 1 FROM events e WHERE e.call = c.id AND e.kind = 0 AND {holds})");
            query.also(&condition, &[Value::Bytes(filter.text.as_bytes())]);
        }
        query
    }

    /// The attributes of calls, by call and name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn attributes(&self, calls: &[i64]) -> Result<BTreeMap<i64, BTreeMap<String, String>>, StoreError> {
        self.read(|sql| {
            let mut found: BTreeMap<i64, BTreeMap<String, String>> = BTreeMap::new();
            let text = format!("SELECT call, name, value FROM attributes WHERE call IN ({})", places(1));
            for chunk in calls.chunks(CHUNK) {
                let Some(last) = chunk.last() else { continue };
                let values: Vec<Value<'_>> =
                    chunk.iter().chain(std::iter::repeat(last)).take(CHUNK).map(|call| Value::Int(*call)).collect();
                sql.query(&text, &values, &mut |row| {
                    let of_call = found.entry(row.value(0).int()).or_default();
                    of_call.insert(row.value(1).text().to_owned(), row.value(2).text().to_owned());
                    Ok(true)
                })?;
            }
            Ok(found)
        })
    }

    /// A call's final verdicts, the first first, each the bytes of its message.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn history(&self, call: i64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|sql| {
            let mut bodies = Vec::new();
            sql.query("SELECT body FROM verdicts WHERE call = $1 ORDER BY revision", &[call.into()], &mut |row| {
                bodies.push(row.value(0).bytes().to_vec());
                Ok(true)
            })?;
            Ok(bodies)
        })
    }

    /// A tenant's calls that a masked number was in, by the number's keyed hash.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn with_number(&self, tenant: &str, fingerprint: &[u8]) -> Result<Vec<CallHead>, StoreError> {
        let text = format!("{HEAD} JOIN numbers n ON n.call = c.id WHERE c.tenant = $1 AND n.fingerprint = $2 ORDER BY c.id");
        self.read(|sql| heads(sql, &text, &[Value::Text(tenant), Value::Bytes(fingerprint)]))
    }

    /// A tenant's calls that ended before a moment, the oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn ended_before(&self, tenant: &str, moment_ms: i64, most: usize) -> Result<Vec<CallHead>, StoreError> {
        let text = format!("{HEAD} WHERE c.tenant = $1 AND s.ended_ms < $2 ORDER BY c.id LIMIT $3");
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read(|sql| heads(sql, &text, &[Value::Text(tenant), moment_ms.into(), most.into()]))
    }

    /// The tenants that have calls.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tenants(&self) -> Result<Vec<String>, StoreError> {
        self.read(|sql| {
            let mut names = Vec::new();
            sql.query("SELECT DISTINCT tenant FROM calls ORDER BY tenant", &[], &mut |row| {
                names.push(row.value(0).text().to_owned());
                Ok(true)
            })?;
            Ok(names)
        })
    }
}
