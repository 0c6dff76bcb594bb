//! How jobs keep out of the way of live calls.
//!
//! The thread that grades has the lowest priority, and so may be kept from the processor for as long as there is other work. Whoever
//! writes to the store keeps all others from it meanwhile; if that were the thread of the lowest priority, live calls would wait for
//! it while it waits for a processor. So it hands what it writes to a [`Writer`], a thread of everybody's priority, and only ever
//! waits itself. Between pages it rests, the longer the more there is to do for live calls.

use std::sync::mpsc::{Sender, channel, sync_channel};
use std::time::Duration;

use crate::service::journal::{Journal, Load};
use crate::store::StoreError;

/// The lowest priority there is.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// Gives the calling thread the lowest priority. On Linux niceness is a thread's own, whatever POSIX says of processes; elsewhere it
/// is the whole process's, and left alone.
pub(super) fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!("calls are graded anew at the priority of live ones: {error}");
    }
}

type Task = Box<dyn FnOnce() + Send>;

/// A thread that does what must not be done at the lowest priority.
#[derive(Debug)]
pub(super) struct Writer {
    tasks: Sender<Task>,
}

impl Writer {
    /// Starts it, at the caller's priority; it ends when this is dropped.
    pub(super) fn start() -> Result<Self, StoreError> {
        let (tasks, given) = channel::<Task>();
        std::thread::Builder::new()
            .name("regrade-writer".to_owned())
            .spawn(move || given.into_iter().for_each(|task| task()))
            .map_err(|error| StoreError::Unavailable(format!("no thread for re-gradings to write: {error}")))?;
        Ok(Self { tasks })
    }

    /// Has something done, and waits for it.
    pub(super) fn have<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        let (done, waiting) = sync_channel(1);
        // An error means that the thread has panicked; then there is no answer either.
        let _ = self.tasks.send(Box::new(move || drop(done.send(work()))));
        waiting.recv().unwrap_or_else(|_| Err(StoreError::Unavailable("what re-gradings write was not written".to_owned())))
    }
}

/// Rows that wait in the journal when it does not keep up.
const DEEP: usize = 4_000;
/// A commit of the journal that takes so long keeps live calls waiting.
const SLOW: Duration = Duration::from_millis(100);
/// Of the time that live calls need the store a job takes one part in so many.
const SHARE: u32 = 5;
/// The shortest rest while there are live calls,
const SHORTEST: Duration = Duration::from_millis(5);
/// and the longest for what a page's writing took.
const LONGEST: Duration = Duration::from_millis(250);
/// How long a job waits at most for a journal that does not keep up, so that it ends some day.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks meanwhile.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// What a job knows of live calls.
#[derive(Debug, Default)]
pub(super) struct Courtesy {
    /// Groups that the journal had written when it last looked.
    commits: u64,
}

impl Courtesy {
    /// How long to rest after a page whose writing took so long: not at all if the journal has written nothing since the last.
    pub(super) fn rest(&mut self, load: Load, wrote: Duration) -> Duration {
        let idle = load.commits == self.commits && load.waiting == 0;
        self.commits = load.commits;
        if idle { Duration::ZERO } else { (wrote * (SHARE - 1)).clamp(SHORTEST, LONGEST) }
    }
}

/// Whether the journal does not keep up with live calls.
pub(super) fn overburdened(journal: &Journal) -> bool {
    let load = journal.load();
    load.waiting > DEEP || load.waiting > 0 && load.last > SLOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_rests_only_while_there_are_live_calls() {
        let mut courtesy = Courtesy::default();
        let load = |waiting, commits| Load { waiting, commits, last: Duration::from_millis(3) };
        let ms = Duration::from_millis;
        assert_eq!(courtesy.rest(load(0, 0), ms(10)), Duration::ZERO);
        assert_eq!(courtesy.rest(load(0, 4), ms(10)), ms(40), "four groups came meanwhile");
        assert_eq!(courtesy.rest(load(0, 4), ms(10)), Duration::ZERO, "and none since");
        assert_eq!(courtesy.rest(load(7, 4), ms(10)), ms(40), "but one is waited for");
        assert_eq!(courtesy.rest(load(7, 5), Duration::ZERO), SHORTEST);
        assert_eq!(courtesy.rest(load(7, 6), ms(1_000)), LONGEST);
    }

    #[test]
    fn what_is_given_to_the_writer_is_done_in_order_and_answered() {
        let writer = Writer::start().expect("a thread");
        let name = writer.have(|| Ok(std::thread::current().name().map(str::to_owned))).expect("an answer");
        assert_eq!(name.as_deref(), Some("regrade-writer"));
        assert_eq!(writer.have(|| Err::<(), _>(StoreError::Full("x".to_owned()))), Err(StoreError::Full("x".to_owned())));
        let panicked = writer.have(|| -> Result<(), StoreError> { std::panic::resume_unwind(Box::new("on purpose")) });
        assert!(matches!(panicked, Err(StoreError::Unavailable(_))), "{panicked:?}");
        assert!(matches!(writer.have(|| Ok(())), Err(StoreError::Unavailable(_))), "it does not wait for a thread that is gone");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_priority_is_the_threads_own() {
        let niceness = || rustix::process::nice(0).expect("it can be asked");
        let before = niceness();
        let lowered = std::thread::spawn(move || {
            lower_priority();
            niceness()
        });
        assert_eq!(lowered.join().expect("no panic"), 19);
        assert_eq!(niceness(), before);
    }
}
