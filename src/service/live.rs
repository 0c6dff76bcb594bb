//! The calls being followed, spread over shards so that streams rarely wait for each other.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use tokio::sync::Notify;

use super::event::StreamEvent;
use super::sent_back::SentBack;
use super::session::Session;
use super::tenant::Tenant;
use super::told::Answer;
use super::{Patience, Refusal};
use crate::core::recall::{self, Reading};

/// Where a stream hears of calls that something happened to without an event: only their ids, each once, so that a client
/// that does not read costs no more than its calls do.
#[derive(Debug, Default)]
pub struct Outbox {
    calls: Mutex<HashSet<Arc<str>>>,
    /// What calls had still to tell that are not in memory any more: no more than they had held there.
    last_words: Mutex<HashMap<Arc<str>, Vec<Answer>>>,
    notify: Notify,
}

impl Outbox {
    pub(super) fn push(&self, call: &Arc<str>) {
        lock(&self.calls).insert(Arc::clone(call));
        self.notify.notify_one();
    }

    /// Of a call that leaves memory, with what is still to be told of it.
    pub(super) fn push_last(&self, call: &Arc<str>, words: Vec<Answer>) {
        if !words.is_empty() {
            lock(&self.last_words).entry(Arc::clone(call)).or_default().extend(words);
        }
        self.push(call);
    }

    /// What a call had still to tell when it left memory.
    pub(super) fn last_words(&self, call: &str) -> Vec<Answer> {
        lock(&self.last_words).remove(call).unwrap_or_default()
    }

    /// The calls to be asked about, as soon as there are any.
    pub async fn calls(&self) -> HashSet<Arc<str>> {
        loop {
            let notified = self.notify.notified();
            let calls = std::mem::take(&mut *lock(&self.calls));
            if !calls.is_empty() {
                return calls;
            }
            notified.await;
        }
    }
}

/// A call's name among all tenants': the tenant's number and the bytes of the call's id, which most often lie in the map itself: a
/// million calls are not in any cache.
pub(super) type Key = SmallVec<[u8; 24]>;

/// The name of a tenant's call.
pub(super) fn key(tenant: &Tenant, call_id: &str) -> Key {
    let mut key = Key::from_slice(&tenant.number.to_le_bytes());
    key.extend_from_slice(call_id.as_bytes());
    key
}

/// The call's id in a key.
fn call_of(key: &Key) -> &[u8] {
    key.get(size_of::<u32>()..).unwrap_or_default()
}

/// When calls are to be looked at, the next first.
#[derive(Debug, Default)]
pub(super) struct Schedule(BinaryHeap<Reverse<(Instant, Key)>>);

impl Schedule {
    /// Has a call looked at when something of it is due.
    pub(super) fn note(&mut self, key: &Key, session: &mut Session, patience: &Patience) {
        let due = session.due(patience);
        if session.scheduled.is_none_or(|scheduled| due < scheduled) {
            session.scheduled = Some(due);
            self.0.push(Reverse((due, key.clone())));
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) calls: HashMap<Key, Box<Session>, FxBuildHasher>,
    pub(super) schedule: Schedule,
}

impl Shard {
    /// Has a call looked at when something of it is due.
    pub(super) fn schedule(&mut self, key: &Key, patience: &Patience) {
        let Some(session) = self.calls.get_mut(key) else { return };
        self.schedule.note(key, session, patience);
    }

    /// The next call of which something is due, taken off the schedule.
    pub(super) fn due(&mut self, now: Instant) -> Option<Key> {
        self.schedule.0.peek().filter(|Reverse((due, _))| *due <= now)?;
        let Reverse((_, key)) = self.schedule.0.pop()?;
        if let Some(session) = self.calls.get_mut(&key) {
            session.scheduled = None;
        }
        Some(key)
    }

    /// Prepares to take events in: has the processor fetch what is looked at of their calls, and reads their words, of all of them side
    /// by side. Neither live calls nor what is remembered of words are in any cache.
    pub(super) fn prepare<'a>(&'a self, events: impl Iterator<Item = (&'a Key, &'a StreamEvent)>) -> SmallVec<[Reading; TOGETHER]> {
        let known = events.map(|(key, event)| (self.calls.get(key).map(Box::as_ref), event));
        let known: SmallVec<[(Option<&Session>, &StreamEvent); TOGETHER]> = known.collect();
        let sessions = || known.iter().filter_map(|(session, _)| *session);
        sessions().for_each(Session::fetch);
        sessions().for_each(Session::fetch_behind);
        let mut readings: SmallVec<[Reading; TOGETHER]> = known.iter().map(|_| Reading::None).collect();
        let words = |session: Option<&'a Session>, event: &'a StreamEvent| session?.words(event.event.as_ref()?.as_ref().ok()?);
        let unread = known.iter().zip(&mut readings).filter_map(|((session, event), reading)| Some((words(*session, event)?, reading)));
        recall::read_each(unread);
        readings.iter().for_each(Reading::fetch);
        readings
    }
}

/// Events of one shard that are taken in at one time, before others have a turn.
pub(super) const TOGETHER: usize = 32;

/// The calls being followed.
#[derive(Debug)]
pub struct LiveCalls {
    shards: Box<[Mutex<Shard>]>,
    pub(super) patience: Patience,
    /// Held open by whoever takes events in, closed while calls are taken out because they could not be written.
    gate: RwLock<()>,
    /// How often it was closed.
    epoch: AtomicU64,
    /// Calls that were taken out of memory and have not come back: tenant, id.
    evicted: Mutex<HashSet<(Arc<str>, Arc<str>)>>,
    /// Events of calls that are not in memory, which were refused with the word to send them again.
    sent_back: Mutex<SentBack>,
}

/// How many shards there are: many for a core where there are few cores, but so few that a batch of a stream holds many events of each.
pub(super) fn shard_count() -> usize {
    static COUNT: LazyLock<usize> = LazyLock::new(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (16 * cores.next_power_of_two()).min(64)
    });
    *COUNT
}

/// The place of the shard that holds a tenant's call of this id.
pub(super) fn place(call_id: &[u8]) -> usize {
    // Other bits than the shard's own map looks at.
    (FxBuildHasher.hash_one(call_id) >> 32) as usize % shard_count()
}

impl LiveCalls {
    /// None yet.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self {
            shards: (0..shard_count()).map(|_| Mutex::default()).collect(),
            patience,
            gate: RwLock::default(),
            epoch: AtomicU64::new(0),
            evicted: Mutex::default(),
            sent_back: Mutex::default(),
        }
    }

    /// The shard that holds a call.
    pub(super) fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        self.shard_at(place(call_of(key)))
    }

    /// A shard by its place.
    pub(super) fn shard_at(&self, place: usize) -> MutexGuard<'_, Shard> {
        lock(&self.shards[place % self.shards.len()])
    }

    pub(super) fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }

    /// How many calls are held, live and recently ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards().map(|shard| shard.calls.len()).sum()
    }

    /// How many calls are live, and how many are held. It looks at each: to be asked now and then.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let mut count = (0, 0);
        for shard in self.shards() {
            let live = shard.calls.values().filter(|session| session.begun() && session.is_live()).count();
            count = (count.0 + live, count.1 + shard.calls.len());
        }
        count
    }

    /// Whether none are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the calls take: all, and of these the events' own text.
    #[must_use]
    pub fn memory(&self) -> (usize, usize) {
        let mut total = (0, 0);
        for shard in self.shards() {
            for session in shard.calls.values() {
                let (all, text) = session.memory();
                total = (total.0 + all, total.1 + text);
            }
        }
        total
    }

    /// Keeps the gate open, and says how often it has been closed.
    pub(super) fn open_gate(&self) -> (RwLockReadGuard<'_, ()>, u64) {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        (gate, self.epoch.load(Ordering::Acquire))
    }

    /// How often the gate has been closed.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Waits until nobody takes events in, and keeps it so.
    pub(super) fn close_gate(&self) -> RwLockWriteGuard<'_, ()> {
        let gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        gate
    }

    /// Takes calls out of memory because events of them could not be written; calls and events by their numbers.
    pub(super) fn evict(&self, unwritten: &HashMap<i64, Vec<u32>>, refusal: &Refusal) {
        let now = Instant::now();
        let mut evicted = lock(&self.evicted);
        for mut shard in self.shards() {
            shard.calls.retain(|key, session| {
                let Some(seqs) = unwritten.get(&session.number).filter(|_| session.number != 0) else { return true };
                let back = session.fall_back(seqs, refusal);
                if !back.is_empty() {
                    self.send_back(key.clone(), back, now);
                }
                evicted.insert((Arc::clone(&session.tenant.name), Arc::clone(&session.call_id)));
                false
            });
        }
    }

    /// Notes that events of a call that is not in memory were refused with the word to send them again.
    pub(super) fn send_back(&self, key: Key, seqs: impl IntoIterator<Item = u32>, now: Instant) {
        lock(&self.sent_back).note(key, seqs, now, self.patience.idle);
    }

    /// Events of a call that comes into memory, which were refused with the word to send them again.
    pub(super) fn take_sent_back(&self, key: &Key) -> BTreeSet<u32> {
        lock(&self.sent_back).take(key)
    }

    /// The calls that were taken out of memory since this was asked last.
    pub(super) fn evicted(&self) -> HashSet<(Arc<str>, Arc<str>)> {
        std::mem::take(&mut *lock(&self.evicted))
    }

    /// Puts calls back that could not be brought back yet.
    pub(super) fn note_evicted(&self, calls: impl Iterator<Item = (Arc<str>, Arc<str>)>) {
        lock(&self.evicted).extend(calls);
    }
}

/// A thread that panicked while holding a shard left it whole: sessions are replaced, never half written.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
