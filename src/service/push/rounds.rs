//! The task that empties the outbox, round by round: settle what has landed, look for what is due, send it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::lane::Lane;
use super::post::{Answer, Post};
use super::pusher::{Bell, EVERY, Outcome, PushOptions, now_ms};
use super::settings::PushSettings;
use crate::store::pushes::{Due, DuePush, PushCount, PushState, Settlement};
use crate::store::{Store, StoreError};

/// The least time between one look into the store and the next: what comes in between is read and settled together.
const PACE: Duration = Duration::from_millis(20);
/// The same after the store has failed.
const REST: Duration = Duration::from_secs(1);
/// How often the store is looked into though nothing was heard of it: another process may have made something due.
const POLL: Duration = Duration::from_secs(2);
/// How often the outbox is counted at most, and how many times longer than counting takes: a long one is counted more seldom.
const COUNT: Duration = Duration::from_secs(1);
const COUNT_TIMES: u32 = 50;

/// A push in flight.
#[derive(Debug)]
struct Aboard {
    tenant: Arc<str>,
    push: DuePush,
    departed: Instant,
}

/// Looks into the store: what has become of pushes is written, what is due read, perhaps all counted.
struct Look {
    settled: Result<(), StoreError>,
    due: Vec<(Arc<str>, Result<Due, StoreError>)>,
    counts: Option<Result<Vec<PushCount>, StoreError>>,
    /// How long counting took.
    counting: Duration,
}

/// Everything the task has. It alone changes it, so there are no locks.
pub(super) struct Rounds {
    store: Store,
    post: Post,
    settings: HashMap<String, Arc<PushSettings>>,
    options: PushOptions,
    bell: Arc<Bell>,
    lanes: HashMap<Arc<str>, Lane>,
    flights: JoinSet<Answer>,
    aboard: HashMap<Id, Aboard>,
    /// What became of pushes, not yet written; with whose they are.
    landed: Vec<(Arc<str>, DuePush, Settlement)>,
    /// The tenants of which a count was told.
    counted: BTreeSet<String>,
    /// When the outbox is counted next.
    count_at: Instant,
}

impl Rounds {
    pub(super) fn new(
        store: Store,
        post: Post,
        settings: HashMap<String, Arc<PushSettings>>,
        options: PushOptions,
        bell: Arc<Bell>,
    ) -> Self {
        let named = settings.iter().filter(|(tenant, _)| *tenant != EVERY);
        let lanes = named.map(|(tenant, settings)| (tenant.as_str().into(), Lane::new(Arc::clone(settings)))).collect();
        let (flights, aboard) = (JoinSet::new(), HashMap::new());
        let (landed, counted, count_at) = (Vec::new(), BTreeSet::new(), Instant::now());
        Self { store, post, settings, options, bell, lanes, flights, aboard, landed, counted, count_at }
    }

    /// Until it is told to stop.
    pub(super) async fn run(mut self, mut stopping: watch::Receiver<Option<Duration>>) {
        let mut polled = Instant::now();
        loop {
            let began = Instant::now();
            if began.duration_since(polled) >= POLL {
                polled = began;
                self.lanes.values_mut().for_each(|lane| lane.look = true);
            }
            let count = began >= self.count_at;
            let rung = std::mem::take(&mut *self.bell.tenants());
            rung.iter().for_each(|tenant| self.look_at(tenant));
            let pace = if self.round(count).await { PACE } else { REST };
            let (share, now) = (self.share(), Instant::now());
            let wake = self.lanes.values().filter_map(|lane| lane.wakes(share, now, now_ms())).min();
            // What was given up without being sent is written at once, and makes room for more.
            let wake = if self.landed.is_empty() { wake.unwrap_or(polled + POLL).min(polled + POLL) } else { began };
            tokio::select! {
                () = self.bell.rung.notified() => {}
                Some(ended) = self.flights.join_next_with_id() => self.land(ended),
                () = tokio::time::sleep_until(wake) => {}
                changed = stopping.changed() => if changed.is_err() { return },
            }
            // Nobody is left who could tell it to stop otherwise: then it ends as a crash would.
            let told = tokio::time::timeout_at(began + pace, stopping.wait_for(Option::is_some)).await;
            match told.map(|told| told.map(|told| *told)) {
                Err(_) | Ok(Ok(None)) => {}
                Ok(Ok(Some(drain))) => return self.drain(drain).await,
                Ok(Err(_)) => return,
            }
            while let Some(ended) = self.flights.try_join_next_with_id() {
                self.land(ended);
            }
        }
    }

    /// Waits for what is in flight, and writes down what became of it.
    async fn drain(mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.flights.join_next_with_id()).await {
            self.land(ended);
        }
        if !self.aboard.is_empty() {
            info!(pushes = self.aboard.len(), "pushes in flight were not answered in time; they will be sent again");
        }
        if let Err(error) = self.look(Vec::new(), false).await.settled {
            warn!(%error, "what became of pushes could not be written; they will be sent again");
        }
        // Closing a database may wait for it.
        let store = self.store;
        let _ = tokio::task::spawn_blocking(move || drop(store)).await;
    }

    /// That there may be something due for a tenant.
    fn look_at(&mut self, tenant: &str) {
        if let Some(lane) = self.lanes.get_mut(tenant) {
            lane.look = true;
        } else if let Some(settings) = self.settings.get(EVERY) {
            self.lanes.insert(tenant.into(), Lane::new(Arc::clone(settings)));
        }
    }

    /// How many pushes each tenant may have in flight: never so many that others could not have theirs.
    fn share(&self) -> usize {
        (self.options.in_flight / self.lanes.len().max(1)).clamp(1, self.options.in_flight_of_a_tenant.max(1))
    }

    /// Settles what has landed, and sends what is due where there is room; false if the store failed.
    async fn round(&mut self, count: bool) -> bool {
        let share = self.share();
        let (now, time_ms) = (Instant::now(), now_ms());
        let mut asked = Vec::new();
        for (tenant, lane) in &self.lanes {
            let room = lane.room(share, now);
            if room > 0 && lane.is_due(time_ms) {
                // The store does not know what is in flight and gives it once more.
                asked.push((Arc::clone(tenant), room + lane.taken.len()));
            }
        }
        if asked.is_empty() && self.landed.is_empty() && !count {
            return true;
        }
        let look = self.look(asked, count).await;
        if count {
            self.count_at = Instant::now() + COUNT.max(look.counting * COUNT_TIMES);
        }
        if let Err(error) = look.settled {
            warn!(%error, "what became of pushes could not be written");
            return false;
        }
        for (tenant, due) in look.due {
            match due {
                Ok(due) => self.launch(&tenant, due, share),
                Err(error) => {
                    warn!(%error, %tenant, "the outbox could not be read");
                    // Not before the next poll.
                    if let Some(lane) = self.lanes.get_mut(&tenant) {
                        (lane.look, lane.next_ms) = (false, None);
                    }
                }
            }
        }
        match look.counts {
            Some(Ok(counts)) => self.tell(&counts),
            Some(Err(error)) => warn!(%error, "the outbox could not be counted"),
            None => {}
        }
        true
    }

    /// Looks into the store on a thread that may wait. What could not be settled stays as it was.
    async fn look(&mut self, asked: Vec<(Arc<str>, usize)>, count: bool) -> Look {
        let (tenants, settlements): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.landed).into_iter().map(|(tenant, push, settlement)| (tenant, (push, settlement))).unzip();
        let settlements = Arc::new(settlements);
        let (store, settling) = (self.store.clone(), Arc::clone(&settlements));
        let looking = tokio::task::spawn_blocking(move || {
            let settled = if settling.is_empty() { Ok(()) } else { store.settle_pushes(&settling) };
            let readable = settled.is_ok();
            let due = asked.into_iter().filter(|_| readable).map(|(tenant, most)| {
                let due = store.due_pushes(&tenant, now_ms(), most);
                (tenant, due)
            });
            let due = due.collect();
            let began = Instant::now();
            let counts = (count && readable).then(|| store.push_counts());
            Look { due, counts, counting: began.elapsed(), settled }
        });
        let look = looking.await.unwrap_or_else(|error| Look {
            settled: Err(StoreError::Damaged(error.to_string())),
            due: Vec::new(),
            counts: None,
            counting: Duration::ZERO,
        });
        let settlements = Arc::unwrap_or_clone(settlements);
        match &look.settled {
            Ok(()) => {
                for (tenant, (push, _)) in tenants.iter().zip(&settlements) {
                    if let Some(lane) = self.lanes.get_mut(tenant) {
                        lane.taken.remove(&push.call);
                        lane.look = true;
                    }
                }
            }
            Err(_) => self.landed = tenants.into_iter().zip(settlements).map(|(tenant, (push, done))| (tenant, push, done)).collect(),
        }
        look
    }

    /// Sends what is due, as far as there is room.
    fn launch(&mut self, tenant: &Arc<str>, due: Due, share: usize) {
        let Some(lane) = self.lanes.get_mut(tenant) else { return };
        let now = Instant::now();
        (lane.look, lane.next_ms) = (false, due.next_ms);
        for mut push in due.pushes {
            if lane.room(share, now) == 0 {
                // Looked for again as soon as one of those in flight has landed.
                return;
            }
            if !lane.taken.insert(push.call) {
                continue;
            }
            if let Some(settlement) = lane.unsent(&push) {
                self.options.watch.tried(tenant, Outcome::GivenUp, Duration::ZERO);
                self.landed.push((Arc::clone(tenant), push, settlement));
                continue;
            }
            lane.flying += 1;
            let (post, settings) = (self.post.clone(), Arc::clone(&lane.settings));
            let (event_id, body) = (push.event_id.clone(), std::mem::take(&mut push.body));
            let flight = self.flights.spawn(async move { post.send(&settings, &event_id, body).await });
            self.aboard.insert(flight.id(), Aboard { tenant: Arc::clone(tenant), push, departed: now });
        }
    }

    /// Takes what a receiver answered.
    fn land(&mut self, ended: Result<(Id, Answer), JoinError>) {
        let (id, answer) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Answer::Nothing(error.to_string())),
        };
        let Some(Aboard { tenant, push, departed }) = self.aboard.remove(&id) else { return };
        let Some(lane) = self.lanes.get_mut(&tenant) else { return };
        let was_gone = lane.is_gone();
        let settlement = lane.answered(&push, answer, departed, &self.options.schedule, now_ms());
        if lane.is_gone() && !was_gone {
            error!(
                %tenant,
                "the receiver of pushed verdicts is gone (HTTP 410); what is to be sent to it becomes dead letters until some are resent, or the server starts anew"
            );
        }
        let (webhook_id, tries) = (&push.event_id, push.tries.saturating_add(1));
        let outcome = match &settlement {
            Settlement::Delivered => Outcome::Delivered,
            Settlement::Again(_, reason) => {
                info!(%tenant, webhook_id, tries, reason, "a verdict could not be pushed; it will be tried again");
                Outcome::Failed
            }
            Settlement::GivenUp(reason) | Settlement::NotSent(reason) => {
                warn!(%tenant, webhook_id, tries, reason, "a verdict could not be pushed and is a dead letter");
                Outcome::GivenUp
            }
        };
        self.options.watch.tried(&tenant, outcome, departed.elapsed());
        self.landed.push((tenant, push, settlement));
    }

    /// Passes the counts on, zeros too.
    fn tell(&mut self, counts: &[PushCount]) {
        for count in counts.iter().filter(|count| count.state == PushState::Pending) {
            if !self.lanes.contains_key(count.tenant.as_str()) {
                self.look_at(&count.tenant);
            }
        }
        self.counted.extend(counts.iter().map(|count| count.tenant.clone()));
        self.counted.extend(self.lanes.keys().map(|tenant| tenant.to_string()));
        for tenant in &self.counted {
            for state in [PushState::Pending, PushState::Dead] {
                let count = counts.iter().find(|count| count.tenant == *tenant && count.state == state);
                self.options.watch.counted(tenant, state, count.map_or(0, |count| count.count));
            }
        }
    }
}
