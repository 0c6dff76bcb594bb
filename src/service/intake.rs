//! Taking events in: from a door to their calls, and what is told of them once it is durable.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, RwLockReadGuard};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use smallvec::SmallVec;

use super::event::{StreamEvent, check_id, check_seq};
use super::journal::Generation;
use super::live::{Key, Outbox, Shard, TOGETHER, key, place};
use super::session::{Answers, Context, Keeping, Offered, Session, closed};
use super::tenant::Tenant;
use super::told::{Answer, Told};
use super::{Refusal, Service};
use crate::core::recall::Reading;
use crate::store::StoreError;
use crate::store::calls::Group;

mod shares;
mod unknown;

pub use shares::{Messages, Share, Shares};

/// Now, in milliseconds since 1970.
#[must_use]
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What events led to. Nothing of it may be told before [`settled`](Self::settled).
#[derive(Debug, Default)]
pub struct Taken {
    told: Vec<Told>,
    /// Up to where in `told` a generation answers for it, in order.
    spans: Vec<(usize, Arc<Generation>)>,
    /// Calls that wait for an earlier event, or that may have waited and do not.
    pub waits: Vec<(Arc<str>, bool)>,
    /// Events of calls that are not in memory: the store must be asked for them first.
    pub(super) unknown: Vec<StreamEvent>,
}

impl Taken {
    /// What is to be told, once it is durable. What could not be made so is refused in its place.
    pub async fn settled(self) -> Vec<Told> {
        let Self { told, spans, .. } = self;
        let mut from = 0;
        let mut failed: Vec<(std::ops::Range<usize>, StoreError)> = Vec::new();
        for (to, generation) in spans {
            if let Err(error) = generation.durable().await {
                failed.push((from..to, error));
            }
            from = to;
        }
        if failed.is_empty() {
            return told;
        }
        let failure = |at: usize| failed.iter().find(|(span, _)| span.contains(&at)).map(|(_, error)| error);
        let mut settled = Vec::with_capacity(told.len());
        for (at, told) in told.into_iter().enumerate() {
            match failure(at) {
                None => settled.push(told),
                Some(error) => settled.extend(told.refuse(&Refusal::Store(error.clone()))),
            }
        }
        settled
    }

    /// Adds what came of later events.
    pub fn append(&mut self, later: Self) {
        let before = self.told.len();
        self.told.extend(later.told);
        self.spans.extend(later.spans.into_iter().map(|(to, generation)| (to + before, generation)));
        self.waits.extend(later.waits);
        self.unknown.extend(later.unknown);
    }

    /// Whether any of it is not settled yet.
    #[must_use]
    pub fn must_wait(&self) -> bool {
        self.spans.iter().any(|(_, generation)| !generation.is_settled())
    }
}

/// Events being taken in together, of one tenant and over one stream.
pub struct Intake<'a> {
    service: &'a Service,
    _gate: RwLockReadGuard<'a, ()>,
    tenant: &'a Arc<Tenant>,
    owner: Option<&'a Arc<Outbox>>,
    now: Instant,
    wall_ms: i64,
    /// Calls that are known not to be in the store.
    absent: Option<&'a HashSet<String>>,
    rows: Group,
    taken: Taken,
}

impl<'a> Intake<'a> {
    /// Takes an event in. `wary` where a call of the stream waits already.
    fn take(&mut self, event: StreamEvent, wary: bool) {
        let key = key(self.tenant, &event.call_id);
        let mut shard = self.service.live.shard(&key);
        self.take_one(&mut shard, &key, event, Reading::None, wary);
    }

    /// A message that is none.
    fn refuse(&mut self, reason: String) {
        self.taken.told.push(Told::refused(0, Refusal::Invalid(reason)));
    }

    /// Takes messages in, in the order in which they came. `wary` where a call of the stream waits already.
    pub fn take_each(&mut self, messages: &Messages, wary: bool) {
        for message in messages.iter() {
            match StreamEvent::read(message, self.service.journal.is_some()) {
                Ok(event) => self.take(event, wary),
                Err(reason) => self.refuse(reason),
            }
        }
    }

    /// Takes in a share of many messages.
    ///
    /// They are taken in together, for they are of as many calls that lie somewhere in the memory: what is looked at of all of them is
    /// fetched first.
    pub fn take_share(&mut self, Share { place: here, messages }: &Share, wary: bool) {
        let (service, tenant) = (self.service, self.tenant);
        let mut strays = Vec::new();
        let mut events = Vec::with_capacity(TOGETHER);
        let mut messages = messages.iter().peekable();
        while messages.peek().is_some() {
            for message in messages.by_ref().take(TOGETHER) {
                match StreamEvent::read(message, service.journal.is_some()) {
                    Ok(event) if place(event.call_id.as_bytes()) == *here => events.push(event),
                    Ok(event) => strays.push(event),
                    Err(reason) => self.refuse(reason),
                }
            }
            let keys: SmallVec<[Key; TOGETHER]> = events.iter().map(|event| key(tenant, &event.call_id)).collect();
            let mut shard = service.live.shard_at(*here);
            let readings = shard.prepare(keys.iter().zip(&events));
            for ((key, reading), event) in keys.iter().zip(readings).zip(events.drain(..)) {
                self.take_one(&mut shard, key, event, reading, wary);
            }
        }
        // No shard is held any more: theirs may be any.
        strays.into_iter().for_each(|event| self.take(event, wary));
    }

    /// Takes an event in, of a call that the shard holds or is to hold.
    fn take_one(&mut self, shard: &mut Shard, key: &Key, event: StreamEvent, reading: Reading, wary: bool) {
        let Self { service, tenant, .. } = *self;
        let StreamEvent { call_id, seq, mut head, event: mut offered, mut body } = event;
        if call_id.is_empty() {
            self.taken.told.push(Told::refused(seq, Refusal::Invalid("the event has no call_id".to_owned())));
            return;
        }
        if service.journal.is_some()
            && let Err(reason) = check_id(&call_id)
        {
            self.taken.told.push(Told::refused(seq, Refusal::Invalid(reason)));
            return;
        }
        if let Err(reason) = check_seq(seq) {
            // Before anything begins that would have no event.
            self.taken.told.push(Told::new(call_id, Answer::refused(seq, Refusal::Invalid(reason))));
            return;
        }
        let cut = head.as_mut().filter(|_| service.journal.is_some()).map(|head| head.make_keepable()).unwrap_or_default();
        let Shard { calls, schedule } = shard;
        let session = match calls.get_mut(key) {
            Some(session) => session,
            None if service.journal.is_some() && !self.absent.is_some_and(|absent| absent.contains(&call_id)) => {
                self.taken.unknown.push(StreamEvent { call_id, seq, head, event: offered, body });
                return;
            }
            None => {
                let room = match tenant.admit_call() {
                    Ok(room) => room,
                    Err(over) => {
                        service.live.send_back(key.clone(), [seq], self.now);
                        self.taken.told.push(Told::new(call_id, Answer::refused(seq, Refusal::Over(over))));
                        return;
                    }
                };
                let mut session = Session::new(Arc::clone(tenant), Arc::from(call_id.as_str()), self.now);
                session.room = Some(room);
                session.send_back(service.live.take_sent_back(key));
                calls.entry(key.clone()).or_insert(Box::new(session))
            }
        };
        let numbers = service.masked(tenant, head.as_deref_mut(), &mut offered, &mut body);
        let script_id = head.as_ref().map_or("", |head| &head.script_id);
        if !session.begun() && (seq == 1 || !script_id.is_empty()) {
            match service.script(tenant, script_id) {
                Ok(script) => session.begin(script),
                Err(error) => session.bar(Refusal::Script(error)),
            }
        }
        cut.into_iter().for_each(|notice| session.notice(notice));
        // Another stream may hear of the call so far, and wait for its gap.
        let mut other = None;
        let mut returned = false;
        match self.owner {
            Some(owner) if !session.owned_by(owner) => {
                other = session.owner.upgrade();
                session.owner = Arc::downgrade(owner);
                returned = true;
            }
            Some(_) => {}
            None => other = session.owner.upgrade(),
        }
        let mut answers =
            if self.owner.is_none() && other.is_some() { Answers::new() } else { Answers::from_vec(std::mem::take(&mut session.owed)) };
        let call_number = || service.journal.as_ref().map_or(0, |journal| journal.call_number());
        let keeping = service.journal.as_ref().map(|_| Keeping { rows: &mut self.rows, numbers: &call_number, wall_ms: self.wall_ms });
        let mut cx = Context { now: self.now, patience: &service.live.patience, metrics: &service.metrics, returned, keeping };
        let event = offered.unwrap_or_else(|| Err("the message has no event".to_owned()));
        let offered = Offered { event, body, reading, numbers };
        if let Err(fault) = catch_unwind(AssertUnwindSafe(|| session.take(seq, head, offered, &mut cx, &mut answers))) {
            // What is left of the call would answer for an event that is not kept. It comes back as the store has it.
            self.rows = Group::default();
            calls.remove(key);
            if service.journal.is_some() {
                service.live.note_evicted(std::iter::once((Arc::clone(&tenant.name), Arc::from(call_id.as_str()))));
            }
            resume_unwind(fault);
        }
        let gapped = session.gapped();
        let waited = (gapped || wary || !self.taken.waits.is_empty()).then(|| Arc::clone(&session.call_id));
        if let Some(other) = other {
            other.push(&session.call_id);
        }
        // Under the shard's lock: the journal has a call's rows in the order in which they came about.
        let generation = service.journal.as_ref().filter(|_| !self.rows.is_empty()).map(|journal| journal.append(&mut self.rows));
        // Of what was kept before, duplicates and what was owed, the youngest group answers for all.
        let generation = generation.or_else(|| service.journal.as_ref()?.latest());
        schedule.note(key, session, &service.live.patience);
        self.taken.waits.extend(waited.map(|call| (call, gapped)));
        told(call_id, answers, &mut self.taken.told);
        self.answered(generation);
    }

    fn answered(&mut self, generation: Option<Arc<Generation>>) {
        let Some(generation) = generation else { return };
        let to = self.taken.told.len();
        match self.taken.spans.last_mut() {
            Some((end, last)) if Arc::ptr_eq(last, &generation) => *end = to,
            _ => self.taken.spans.push((to, generation)),
        }
    }

    /// What came of them.
    #[must_use]
    pub fn taken(self) -> Taken {
        self.taken
    }
}

impl Service {
    /// Begins to take events in that came at `now`.
    pub fn intake<'a>(&'a self, now: Instant, tenant: &'a Arc<Tenant>, owner: Option<&'a Arc<Outbox>>) -> Intake<'a> {
        let (gate, _) = self.live.open_gate();
        let (rows, taken) = (Group::default(), Taken::default());
        Intake { service: self, _gate: gate, tenant, owner, now, wall_ms: wall_ms(), absent: None, rows, taken }
    }

    /// Takes events of one call, or of several, in and waits until what they led to is durable.
    pub async fn take_in(self: &Arc<Self>, tenant: &Arc<Tenant>, owner: Option<&Arc<Outbox>>, events: Vec<StreamEvent>) -> Vec<Told> {
        let taken = self.take(Instant::now(), tenant, owner, events);
        self.complete(tenant, owner, taken, false).await.settled().await
    }

    /// Takes events in that came at `now`, but for those of calls that the store must be asked for.
    pub fn take(&self, now: Instant, tenant: &Arc<Tenant>, owner: Option<&Arc<Outbox>>, events: Vec<StreamEvent>) -> Taken {
        let mut intake = self.intake(now, tenant, owner);
        events.into_iter().for_each(|event| intake.take(event, false));
        intake.taken()
    }

    /// What a call's owner has not been told yet, and whether the call still waits for an earlier event. A stream that no
    /// longer hears of the call is told the call's last word to it at most and has nothing to wait for.
    pub fn owed(&self, tenant: &Tenant, call_id: &str, owner: &Arc<Outbox>) -> (Taken, bool) {
        // While calls are being taken out it is not known yet what became of their rows.
        let (_gate, _) = self.live.open_gate();
        let key = key(tenant, call_id);
        let mut answers = Answers::from_vec(owner.last_words(call_id));
        let mut shard = self.live.shard(&key);
        let mut gapped = false;
        if let Some(session) = shard.calls.get_mut(&key).filter(|session| session.owned_by(owner)) {
            answers.extend(std::mem::take(&mut session.owed));
            gapped = session.gapped();
            if !session.begun() && !gapped {
                shard.calls.remove(&key);
            }
        }
        let mut taken = Taken::default();
        told(call_id.to_owned(), answers, &mut taken.told);
        let to = taken.told.len();
        taken.spans.extend(self.journal.as_ref().and_then(|journal| journal.latest()).map(|generation| (to, generation)));
        drop(shard);
        (taken, gapped)
    }

    /// Does what is due now: gaps given up, idle calls ended, ended ones forgotten. To be called every so often.
    pub fn tick(&self, now: Instant) {
        let (_gate, _) = self.live.open_gate();
        let numbers = || self.journal.as_ref().map_or(0, |journal| journal.call_number());
        let mut rows = Group::default();
        let wall_ms = wall_ms();
        for mut shard in self.live.shards() {
            while let Some(key) = shard.due(now) {
                let Some(session) = shard.calls.get_mut(&key) else { continue };
                if session.due(&self.live.patience) <= now {
                    let keeping = self.journal.as_ref().map(|_| Keeping { rows: &mut rows, numbers: &numbers, wall_ms });
                    let mut cx = Context { now, patience: &self.live.patience, metrics: &self.metrics, returned: false, keeping };
                    let over = session.expire(&mut cx);
                    if let Some(journal) = self.journal.as_ref().filter(|_| !rows.is_empty()) {
                        // Whoever is told of it waits for the youngest group.
                        let _ = journal.append(&mut rows);
                    }
                    if over {
                        if let Some(mut gone) = shard.calls.remove(&key) {
                            gone.say_goodbye(&closed());
                        }
                        continue;
                    }
                    if !session.owed.is_empty()
                        && let Some(owner) = session.owner.upgrade()
                    {
                        owner.push(&session.call_id);
                    }
                }
                shard.schedule(&key, &self.live.patience);
            }
        }
    }

    /// Hands back a stream's live calls before a server goes that keeps nothing: each one's verdict as of now, with a word on that.
    #[must_use]
    pub fn hand_back(&self, owner: &Arc<Outbox>) -> Vec<Told> {
        let mut handed = Vec::new();
        if self.journal.is_some() {
            return handed;
        }
        let now = Instant::now();
        for mut shard in self.live.shards() {
            for session in shard.calls.values_mut() {
                if session.owned_by(owner) && session.is_live() {
                    session.notice("the server is shutting down and keeps no live state: send this call again from event 1".to_owned());
                    let call_id = session.call_id.to_string();
                    handed.extend(session.verdict(now).map(|graded| Told::new(call_id, Answer::Verdict(graded))));
                }
            }
        }
        handed
    }
}

/// Tells what an event led to; the last answer, most often the only one, takes the call's id along.
fn told(call_id: String, mut answers: Answers, told: &mut Vec<Told>) {
    let Some(last) = answers.pop() else { return };
    for answer in answers {
        told.push(Told::new(call_id.clone(), answer));
    }
    told.push(Told::new(call_id, last));
}
