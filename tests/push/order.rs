//! Order within a call, and what a process leaves to the next.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callgrade::service::push::PushOptions;
use tokio::sync::Notify;

use super::receiver::{Receiver, Reply};
use super::{block_on, entries, open, put, quick, receivers, row, start, until};

#[test]
fn a_calls_verdicts_come_in_order_whatever_fails_and_none_is_left_out() {
    const CALLS: i64 = 30;
    const TURNS: u32 = 5;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let count = AtomicUsize::new(0);
        // Three of seven tries fail, whichever they are.
        let receiver = Receiver::start(move |_, _| match count.fetch_add(1, Ordering::SeqCst) % 7 {
            0 | 3 | 4 => Reply::Status(500),
            _ => Reply::Status(202),
        })
        .await;
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        for turn in 1..=TURNS {
            put(&store, (1..=CALLS).map(|call| row("t", call, if turn == TURNS { 1_000 } else { turn })).collect());
            pusher.notify("t");
        }
        until("the outbox is empty", || entries(&store).is_empty()).await;
        pusher.stop(Duration::from_secs(30)).await;
        let mut taken: HashMap<String, Vec<String>> = HashMap::new();
        for arrival in receiver.taken() {
            let kind = arrival.id.rsplit_once('-').unwrap().0.split_once('-').unwrap().1.to_owned();
            taken.entry(arrival.call().to_owned()).or_default().push(kind);
        }
        assert_eq!(receiver.overtaken(), [""; 0], "never two of one call at one time");
        assert_eq!(taken.len(), CALLS as usize);
        for (call, turns) in taken {
            assert_eq!(turns, ["live-1", "live-2", "live-3", "live-4", "final-1"], "{call}");
        }
    });
}

#[test]
fn connections_are_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let receiver = Receiver::good().await;
        put(&store, (1..=40).map(|call| row("t", call, 1_000)).collect());
        let options = PushOptions { in_flight_of_a_tenant: 2, ..quick() };
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), options);
        until("the outbox is empty", || entries(&store).is_empty()).await;
        let mut peers: Vec<_> = receiver.arrivals().iter().map(|arrival| arrival.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        assert!(peers.len() < 20, "{} connections for 40 pushes", peers.len());
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn what_a_process_leaves_unconfirmed_is_sent_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let first = block_on(async {
        let store = open(folder.path());
        let never = Arc::new(Notify::new());
        let receiver = Receiver::start(move |_, _| Reply::Hang(Arc::clone(&never))).await;
        put(&store, vec![row("t", 1, 1_000), row("t", 2, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("both came", || receiver.arrivals().len() == 2).await;
        // As in a crash: nobody tells it to stop.
        drop(pusher);
        receiver.arrivals()
    });
    let store = open(folder.path());
    assert_eq!(entries(&store).len(), 2);
    block_on(async {
        let receiver = Receiver::good().await;
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("the outbox is empty", || entries(&store).is_empty()).await;
        pusher.stop(Duration::from_secs(30)).await;
        let ids = |arrivals: &[super::receiver::Arrival]| {
            let mut ids: Vec<String> = arrivals.iter().map(|arrival| arrival.id.clone()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&receiver.arrivals()), ids(&first), "receivers can tell that it is the same");
    });
}

#[test]
fn told_to_stop_it_waits_for_what_is_in_flight_and_sends_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let release = Arc::new(Notify::new());
        let held = Arc::clone(&release);
        let receiver = Receiver::start(move |_, _| Reply::Hang(Arc::clone(&held))).await;
        put(&store, vec![row("t", 1, 1), row("t", 1, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("the first came", || receiver.arrivals().len() == 1).await;
        let stopping = pusher.stop(Duration::from_secs(60));
        let answering = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            release.notify_one();
        };
        tokio::join!(stopping, answering);
        let left = entries(&store);
        assert_eq!((left.len(), left[0].tries), (1, 0), "the first was confirmed, the second not begun");
        assert!(left[0].event_id.starts_with("1-final-1-"), "{}", left[0].event_id);
        assert_eq!(receiver.taken().len(), 1);
    });
}

#[test]
fn stopping_ends_in_time_though_the_receiver_never_answers() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let never = Arc::new(Notify::new());
        let receiver = Receiver::start(move |_, _| Reply::Hang(Arc::clone(&never))).await;
        put(&store, vec![row("t", 1, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("it came", || receiver.arrivals().len() == 1).await;
        pusher.stop(Duration::from_millis(50)).await;
        assert_eq!(entries(&store)[0].tries, 0, "whether it was taken is not known: it is sent again");
    });
}
