//! Verdicts pushed: the outbox, and real receivers that fail on purpose.

mod command;
mod event;
mod failures;
mod order;
mod outbox;
mod receiver;
mod serve;
mod tenants;
mod tls;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callgrade::service::push::{News, Outcome, PushOptions, PushSettings, Pusher, Schedule, Watch};
use callgrade::store::calls::{Group, PushRow};
use callgrade::store::pushes::{PushEntry, PushState};
use callgrade::store::{Location, Store};
use callgrade::wire::v1;

use crate::support::{block_on, until};

/// The secret of the receivers, `whsec_` left out.
const SECRET: &[u8] = b"twenty-four bytes are it";

fn open(folder: &Path) -> Store {
    Store::open(&Location::Directory(folder.to_owned())).expect("the store opens")
}

fn settings(url: &str) -> PushSettings {
    PushSettings::new(url, vec![SECRET.to_vec()], Vec::new(), true).expect("good settings")
}

/// The receivers of tenants.
fn receivers(urls: &[(&str, &str)]) -> HashMap<String, PushSettings> {
    urls.iter().map(|(tenant, url)| ((*tenant).to_owned(), settings(url))).collect()
}

/// A try is repeated at once, and often; a receiver that does not answer is waited for much longer than any test runs.
fn quick() -> PushOptions {
    let schedule = Schedule::new(vec![Duration::from_millis(10); 50]);
    PushOptions { schedule, timeout: Duration::from_secs(600), ..PushOptions::default() }
}

/// A verdict's row: the `turn`th provisional one of a call, or, from 1000 on, a final revision.
fn row(tenant: &str, call: i64, turn: u32) -> PushRow {
    let revision = turn.saturating_sub(999);
    let verdict =
        v1::Verdict { call_id: format!("call-{call}"), label: "B".to_owned(), revision, r#final: revision > 0, ..v1::Verdict::default() };
    let tenant = tenant.into();
    let news = News { tenant: &tenant, call, turn, heard: false, made_ms: 1_800_000_000_000, verdict: &verdict };
    // Due long ago: it is made with the time of the verdict.
    let row = settings("http://localhost/").row(&news).expect("it is wanted");
    PushRow { made_ms: 1_000 + i64::from(turn), ..row }
}

fn put(store: &Store, rows: Vec<PushRow>) {
    store.commit(&mut Group { pushes: rows, ..Group::default() }).expect("the rows are written");
}

fn entries(store: &Store) -> Vec<PushEntry> {
    store.pushes("", None, 0, 10_000).expect("the outbox is read")
}

fn dead(store: &Store) -> Vec<PushEntry> {
    store.pushes("", Some(PushState::Dead), 0, 10_000).expect("the outbox is read")
}

fn start(store: &Store, settings: HashMap<String, PushSettings>, options: PushOptions) -> Pusher {
    Pusher::start(store.clone(), settings, options).expect("the task starts")
}

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Told {
    outcomes: Mutex<Vec<(String, Outcome)>>,
    counts: Mutex<HashMap<(String, PushState), u64>>,
}

impl Watch for Told {
    fn tried(&self, tenant: &str, outcome: Outcome, _: Duration) {
        self.outcomes.lock().unwrap().push((tenant.to_owned(), outcome));
    }

    fn counted(&self, tenant: &str, state: PushState, count: u64) {
        self.counts.lock().unwrap().insert((tenant.to_owned(), state), count);
    }
}

impl Told {
    fn options(self: &Arc<Self>, options: PushOptions) -> PushOptions {
        PushOptions { watch: Arc::clone(self) as Arc<dyn Watch>, ..options }
    }

    fn times(&self, tenant: &str, outcome: Outcome) -> usize {
        self.outcomes.lock().unwrap().iter().filter(|(of, what)| of == tenant && *what == outcome).count()
    }
}
