//! Cores that a stream may have beside its own.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// Threads that work for streams which have much to do at one time, one for each core. Always the same: each remembers what it has
/// read. They end with the last of those who may ask them.
#[derive(Clone)]
pub(super) struct SpareCores {
    /// Each takes work only while it waits for some.
    threads: Arc<[SyncSender<Work>]>,
}

impl fmt::Debug for SpareCores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpareCores").field("threads", &self.threads.len()).finish()
    }
}

impl SpareCores {
    /// As many as the machine has.
    pub(super) fn of_machine() -> Self {
        let start = |_| {
            let (work, asked) = sync_channel::<Work>(0);
            // Without the thread there is a core less to ask.
            std::thread::Builder::new().name("callgrade-spare".to_owned()).spawn(move || serve(&asked)).ok().map(|_| work)
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { threads: (0..cores).filter_map(start).collect() }
    }

    /// Has each thread that is free do a part of some work. An error instead of what comes of a part means that it panicked.
    pub(super) fn run_on_each<T, W>(&self, part: impl Fn() -> W) -> Vec<oneshot::Receiver<T>>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let begin = |thread: &SyncSender<Work>| {
            let (told, answer) = oneshot::channel();
            let part = part();
            let work: Work = Box::new(move || {
                // An error means that nobody waits for it any more.
                let _ = told.send(part());
            });
            thread.try_send(work).ok().map(|()| answer)
        };
        self.threads.iter().filter_map(begin).collect()
    }
}

fn serve(asked: &Receiver<Work>) {
    while let Ok(work) = asked.recv() {
        // Who waits for it is told by the silence.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}
