//! Tenants beside each other.

use std::sync::Arc;
use std::time::Duration;

use callgrade::service::push::PushOptions;
use callgrade::store::pushes::PushState;
use tokio::sync::Notify;

use super::receiver::{Receiver, Reply};
use super::{Told, block_on, entries, open, put, quick, receivers, row, start, until};

#[test]
fn a_receiver_that_hangs_holds_up_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let never = Arc::new(Notify::new());
        let hanging = Receiver::start(move |_, _| Reply::Hang(Arc::clone(&never))).await;
        let good = Receiver::good().await;
        put(&store, (1..=200).map(|call| row("slow", call, 1_000)).collect());
        // No more in flight in all than one tenant alone would take.
        let options = PushOptions { in_flight: 8, in_flight_of_a_tenant: 8, ..quick() };
        let pusher = start(&store, receivers(&[("slow", &hanging.url), ("quick", &good.url)]), options);
        until("the slow one has all it may", || hanging.arrivals().len() == 4).await;
        put(&store, (201..=300).map(|call| row("quick", call, 1_000)).collect());
        pusher.notify("quick");
        until("the other's have come", || entries(&store).iter().all(|entry| entry.tenant == "slow")).await;
        assert_eq!(good.taken().len(), 100);
        assert_eq!(hanging.arrivals().len(), 4, "its share, and not one more");
        assert_eq!(entries(&store).len(), 200);
        pusher.stop(Duration::ZERO).await;
    });
}

#[test]
fn a_receiver_that_fails_is_tried_with_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let never = Arc::new(Notify::new());
        // The first one fails; those after it hang, so that what is in flight can be counted.
        let receiver = Receiver::start(move |arrival, _| match arrival.call() {
            "call-1" => Reply::Status(503),
            _ => Reply::Hang(Arc::clone(&never)),
        })
        .await;
        put(&store, vec![row("t", 1, 1_000)]);
        let options = PushOptions { schedule: callgrade::service::push::Schedule::new(vec![Duration::from_secs(3_600)]), ..quick() };
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), options);
        until("it has failed", || entries(&store)[0].tries == 1).await;
        put(&store, (2..=50).map(|call| row("t", call, 1_000)).collect());
        pusher.notify("t");
        until("the next came", || receiver.arrivals().len() == 2).await;
        // Ten rounds in which more could have been sent.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(receiver.arrivals().len(), 2);
        pusher.stop(Duration::ZERO).await;
    });
}

#[test]
fn settings_for_all_and_rows_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let own = Receiver::good().await;
        put(&store, vec![row("a", 1, 1_000), row("b", 2, 1_000)]);
        let pusher = start(&store, receivers(&[("a", &own.url)]), quick());
        until("a's has come", || entries(&store).len() == 1).await;
        pusher.stop(Duration::from_secs(30)).await;
        let left = entries(&store).remove(0);
        assert_eq!((&*left.tenant, left.tries), ("b", 0), "b has no receiver, and its push waits for one");
        let every = Receiver::good().await;
        let pusher = start(&store, receivers(&[("a", &own.url), ("*", &every.url)]), quick());
        until("b's has come, found in the outbox", || entries(&store).is_empty()).await;
        put(&store, vec![row("a", 3, 1_000), row("c", 4, 1_000)]);
        pusher.notify("a");
        pusher.notify("c");
        until("c's has come, told of by its name", || entries(&store).is_empty()).await;
        pusher.stop(Duration::from_secs(30)).await;
        let calls = |receiver: &Receiver| receiver.taken().iter().map(|arrival| arrival.call().to_owned()).collect::<Vec<_>>();
        assert_eq!((calls(&own), calls(&every)), (vec!["call-1".into(), "call-3".into()], vec!["call-2".into(), "call-4".into()]));
    });
}

#[test]
fn the_outbox_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let receiver = Receiver::good().await;
        put(&store, vec![row("nobody", 1, 1_000), row("nobody", 2, 1_000)]);
        let told = Arc::new(Told::default());
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), told.options(quick()));
        let count = |tenant: &str, state| told.counts.lock().unwrap().get(&(tenant.to_owned(), state)).copied();
        let counted =
            || [("nobody", PushState::Pending), ("nobody", PushState::Dead), ("t", PushState::Pending)].map(|(of, state)| count(of, state));
        until("it is counted", || counted() == [Some(2), Some(0), Some(0)]).await;
        pusher.stop(Duration::from_secs(30)).await;
    });
}
