//! The thread that runs the jobs, one page after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prost::Message;

use super::behind::{self, Courtesy, Writer};
use super::page::{Job, PAGE};
use super::{Pace, RegradingError, Shared, lock, request};
use crate::core::script::Script;
use crate::regrade::diff::Diff;
use crate::regrade::grading::{Against, Grading};
use crate::script::{Library, ScriptChoice};
use crate::service::Stage;
use crate::service::intake::wall_ms;
use crate::service::versions::Actor;
use crate::store::records::Filter;
use crate::store::regraded::PageKept;
use crate::store::regrades::{RegradeCounts, RegradeRow, RegradeState};
use crate::store::{Store, StoreError};
use crate::wire::v1;

/// How long a store that does not answer is left alone.
const RETRY: Duration = Duration::from_secs(2);
/// How often it is looked which jobs were kept long enough.
const SWEEP: Duration = Duration::from_secs(3_600);
/// Results of a removed job that are deleted in one transaction.
const BATCH: usize = 500;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// How long a start waits for what the journal is writing.
const SETTLE: Duration = Duration::from_secs(10);

/// Starts the thread.
pub(super) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, StoreError> {
    // Before the priority is lowered: a thread begins with that of the one that starts it.
    let writer = Writer::start()?;
    let worker = Worker { shared, writer, courtesy: Courtesy::default(), job: None, swept: None };
    std::thread::Builder::new()
        .name("regrade".to_owned())
        .spawn(move || {
            behind::lower_priority();
            worker.run();
        })
        .map_err(|error| StoreError::Unavailable(format!("no thread for re-gradings: {error}")))
}

struct Worker {
    shared: Arc<Shared>,
    writer: Writer,
    courtesy: Courtesy,
    /// The job that runs, as far as its last page was kept.
    job: Option<Job>,
    /// When it was last looked which jobs were kept long enough.
    swept: Option<Instant>,
}

impl Worker {
    fn run(mut self) {
        self.shared.changed();
        let mut told = false;
        while !self.stopping() {
            match self.step() {
                Ok(true) => told = false,
                Ok(false) => {
                    told = false;
                    self.shared.rest(SWEEP);
                }
                Err(error) => {
                    // Whether the last page was kept is not known: the store is asked.
                    self.leave();
                    if !told {
                        tracing::error!("re-gradings wait for the store: {error}");
                        told = true;
                    }
                    self.shared.rest(RETRY);
                }
            }
        }
    }

    fn stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Relaxed) || self.shared.service.readiness.stage() == Stage::Draining
    }

    /// Has the store write at everybody's priority.
    fn write<T: Send + 'static>(&self, work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        let store = self.shared.store.clone();
        self.writer.have(move || work(&store))
    }

    /// Does a little; false if there is nothing to do.
    fn step(&mut self) -> Result<bool, StoreError> {
        self.sweep()?;
        let purged = self.write(|store| store.purge_regrades(BATCH))?;
        if self.job.is_none() {
            self.job = self.open()?;
        }
        let Some(job) = &mut self.job else {
            if purged {
                self.give_way(Duration::ZERO);
            }
            return Ok(purged);
        };
        let (number, before, page_begun) = (job.number, job.counts.done, Instant::now());
        // No more than a second's worth, so that a slow job hears soon that it is cancelled.
        let most = self.shared.options.rate.map_or(PAGE, |rate| PAGE.min(rate.get() as usize));
        let page = job.next_page(&self.shared.store, most, wall_ms())?;
        let (calls, last) = (job.counts.done - before, page.done_ms.is_some());
        let begun = Instant::now();
        match self.write(move |store| store.keep_regraded(number, &page)) {
            // It would be refused again, and no other job would ever have its turn.
            Err(error @ (StoreError::Refused(_) | StoreError::Damaged(_))) => {
                self.leave();
                self.fail(number, &RegradingError::Store(error))?;
            }
            Err(error) => return Err(error),
            Ok(PageKept::Kept) => {
                self.shared.service.metrics.regraded(calls);
                lock(&self.shared.pace).iter_mut().for_each(|pace| pace.calls += calls);
                self.shared.tell();
                if last {
                    tracing::info!(regrade = number, "re-grading done");
                    self.leave();
                    self.shared.changed();
                }
                self.give_way(begun.elapsed());
                self.keep_to_rate(calls, page_begun.elapsed());
            }
            // Somebody has ended it, or deleted some of the calls: what the store has now is what counts.
            Ok(PageKept::Stopped | PageKept::Gone(_)) => {
                self.leave();
                self.keep_to_rate(calls, page_begun.elapsed());
            }
        }
        Ok(true)
    }

    fn leave(&mut self) {
        self.job = None;
        *lock(&self.shared.pace) = None;
    }

    /// Leaves store and processor to live calls for a while.
    fn give_way(&mut self, wrote: Duration) {
        let service = Arc::clone(&self.shared.service);
        let Some(journal) = &service.journal else { return };
        let rest = self.courtesy.rest(journal.load(), wrote);
        if !rest.is_zero() {
            self.pause(rest);
        }
        let begun = Instant::now();
        while behind::overburdened(journal) && begun.elapsed() < behind::PATIENCE && !self.stopping() {
            self.pause(behind::LOOK);
        }
    }

    /// Waits after so many calls until they took as long as the operator wants them to.
    fn keep_to_rate(&self, calls: u64, took: Duration) {
        if let Some(rate) = self.shared.options.rate {
            self.pause(Duration::from_secs_f64(calls as f64 / f64::from(rate.get())).saturating_sub(took));
        }
    }

    /// Sleeps, unless the server stops.
    fn pause(&self, time: Duration) {
        let begun = Instant::now();
        while let Some(left) = time.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            if self.stopping() {
                return;
            }
            std::thread::sleep(left.min(behind::LOOK));
        }
    }

    /// Removes the jobs that were kept long enough, every so often.
    fn sweep(&mut self) -> Result<(), StoreError> {
        if self.swept.is_some_and(|at| at.elapsed() < SWEEP) {
            return Ok(());
        }
        if let Some(days) = self.shared.options.retention_days {
            let now_ms = wall_ms();
            let moment = now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS));
            let entry = move |row: &RegradeRow| {
                let actor = Actor { tenant: &row.asked.tenant, who: "retention", at_ms: now_ms };
                actor.entry("delete", format!("re-grading {}, which ended over {days} days ago", row.asked.id))
            };
            if self.write(move |store| store.expire_regrades(moment, &entry))? > 0 {
                self.shared.changed();
            }
        }
        self.swept = Some(Instant::now());
        Ok(())
    }

    /// The job to go on with.
    fn open(&self) -> Result<Option<Job>, StoreError> {
        while let Some(row) = self.shared.store.next_regrade()? {
            if self.stopping() {
                return Ok(None);
            }
            let number = row.number;
            let error = match self.prepare(row) {
                Ok(Some(job)) => {
                    *lock(&self.shared.pace) = Some(Pace { regrade: number, since: Instant::now(), calls: 0 });
                    self.shared.changed();
                    return Ok(Some(job));
                }
                // It was ended meanwhile.
                Ok(None) => continue,
                Err(RegradingError::Store(error)) if !matches!(error, StoreError::Damaged(_)) => return Err(error),
                Err(error) => error,
            };
            self.fail(number, &error)?;
        }
        Ok(None)
    }

    /// Ends a job that cannot go on.
    fn fail(&self, number: i64, error: &RegradingError) -> Result<(), StoreError> {
        tracing::error!(regrade = number, "a re-grading cannot go on: {error}");
        let told = match error {
            // Where the store is, is nobody's business.
            RegradingError::Store(error) => error.kind().to_owned(),
            // Not every database takes every character.
            error => error.to_string().replace('\0', ""),
        };
        self.write(move |store| store.end_regrade(number, RegradeState::Failed, &told, wall_ms(), None))?;
        self.shared.changed();
        Ok(())
    }

    /// What is needed to run a job; `None` if it was ended meanwhile.
    fn prepare(&self, row: RegradeRow) -> Result<Option<Job>, RegradingError> {
        let damaged = |error: prost::DecodeError| StoreError::Damaged(format!("re-grading {}: {error}", row.asked.id));
        let head = v1::Regrade::decode(row.asked.head.as_slice()).map_err(damaged)?;
        let version = |version: &str| self.shared.scripts.version(&row.asked.tenant, &head.script_id, version);
        let against = match head.against() {
            v1::Against::Version => Against::Version(only(version(&head.against_version)?)?),
            v1::Against::Nothing => Against::Nothing,
            v1::Against::Unspecified | v1::Against::StoredLabels => Against::Stored,
        };
        let grading = Grading { scripts: only(version(&head.script_version)?)?, against };
        let filter = request::calls(&head, row.asked.asked_ms)?;
        let mut counts = row.counts;
        if row.state == RegradeState::Queued {
            counts = self.count(&row.asked.tenant, &filter)?;
            let number = row.number;
            if !self.write(move |store| store.begin_regrade(number, wall_ms(), counts))? {
                return Ok(None);
            }
        }
        let sum = self.shared.store.regrade_diff(row.number)?;
        let diff = Diff::from_message(&v1::RegradeDiff::decode(sum.as_slice()).map_err(damaged)?);
        let tenant = self.shared.service.tenants.of(&row.asked.tenant);
        Ok(Some(Job { number: row.number, tenant, filter, script_id: head.script_id, grading, counts, cursor: row.cursor, diff }))
    }

    /// What there is to grade, and what is left out because it is live.
    fn count(&self, tenant: &str, filter: &Filter) -> Result<RegradeCounts, StoreError> {
        // A call that ended just before the job was asked for may be on its way to the store.
        if let Some(generation) = self.shared.service.journal.as_ref().and_then(|journal| journal.latest()) {
            let begun = Instant::now();
            while !generation.is_settled() && begun.elapsed() < SETTLE && !self.stopping() {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let calls = self.shared.store.count(tenant, filter)?;
        let live = self.shared.store.count(tenant, &Filter { ended: Some(false), ..filter.clone() })?;
        Ok(RegradeCounts { calls, live, ..RegradeCounts::default() })
    }
}

/// One version for all calls.
fn only(script: Arc<Script>) -> Result<ScriptChoice, RegradingError> {
    let name = format!("{}@{}", script.id, script.version);
    ScriptChoice::new(Library::default().with(script), Some(name)).map_err(|error| RegradingError::Version(error.into()))
}
