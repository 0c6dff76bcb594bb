//! Receivers that fail, and what comes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use callgrade::service::push::{Outcome, PushOptions, Schedule};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::receiver::{Receiver, Reply};
use super::{Told, block_on, dead, entries, open, put, quick, receivers, row, start, until};

/// Fails the first tries of a push with these replies, then takes it.
fn at_first(replies: Vec<Reply>) -> impl Fn(&super::receiver::Arrival, usize) -> Reply + Send + Sync + 'static {
    move |_, before| replies.get(before).cloned().unwrap_or(Reply::Status(200))
}

#[test]
fn what_fails_is_sent_again_as_it_was_until_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let replies = [500, 503, 404, 502, 408].map(Reply::Status).to_vec();
        let receiver = Receiver::start(at_first(replies)).await;
        let told = Arc::new(Told::default());
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), told.options(quick()));
        put(&store, vec![row("t", 1, 1_000)]);
        pusher.notify("t");
        until("the outbox is empty", || entries(&store).is_empty()).await;
        pusher.stop(Duration::from_secs(30)).await;
        let arrivals = receiver.arrivals();
        assert_eq!(arrivals.len(), 6);
        assert_eq!(receiver.taken().len(), 1);
        assert!(arrivals.iter().all(|arrival| arrival.id == arrivals[0].id && arrival.body == arrivals[0].body));
        assert_eq!((told.times("t", Outcome::Failed), told.times("t", Outcome::Delivered)), (5, 1));
        let agent = arrivals[0].headers["user-agent"].to_str().unwrap();
        assert!(agent.starts_with("callgrade/"), "{agent}");
    });
}

#[test]
fn retry_after_is_honoured_and_the_receiver_is_left_alone_until_then() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let receiver = Receiver::start(|arrival, _| match arrival.call() {
            "call-1" => Reply::With(429, "retry-after", "3600".to_owned()),
            _ => Reply::Status(200),
        })
        .await;
        put(&store, vec![row("t", 1, 1_000)]);
        let before = jiff::Timestamp::now().as_millisecond();
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("it was refused", || entries(&store)[0].tries == 1).await;
        let entry = entries(&store).remove(0);
        assert_eq!(entry.error, "HTTP 429 Too Many Requests");
        assert!(entry.due_ms >= before + 3_600_000, "{} after {before}", entry.due_ms);
        put(&store, vec![row("t", 2, 1_000)]);
        pusher.notify("t");
        // Ten rounds in which it would have been sent.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(receiver.arrivals().len(), 1);
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn a_short_retry_after_is_over_soon() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT".to_owned();
        let replies = vec![Reply::With(503, "retry-after", "1".to_owned()), Reply::With(429, "retry-after", date)];
        let receiver = Receiver::start(at_first(replies)).await;
        put(&store, vec![row("t", 1, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("the outbox is empty", || entries(&store).is_empty()).await;
        assert_eq!(receiver.arrivals().len(), 3);
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn a_receiver_that_does_not_answer_in_time_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let never = Arc::new(Notify::new());
        let receiver = Receiver::start(move |_, _| Reply::Hang(Arc::clone(&never))).await;
        put(&store, vec![row("t", 1, 1_000)]);
        let options = PushOptions { timeout: Duration::from_secs(3), schedule: Schedule::new(Vec::new()), ..quick() };
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), options);
        until("it is given up", || dead(&store).len() == 1).await;
        assert_eq!(dead(&store)[0].error, "no answer within 3000 ms");
        assert_eq!(receiver.arrivals().len(), 1);
        pusher.stop(Duration::from_secs(30)).await;
    });
}

/// Reads a request and answers it with these bytes before it closes; a call for each answer.
async fn raw(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut requests = 0;
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
            // The body ends with the verdict's last brace.
            while !got.ends_with(b"}}") {
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "the request is cut");
                got.extend_from_slice(&buffer[..read]);
            }
            requests += 1;
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        requests
    });
    (url, task)
}

#[test]
fn who_closes_before_the_status_has_not_taken_it_and_who_closes_after_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let cut = ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-le", "what is this\r\n\r\n"];
        let whole = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":";
        let (url, task) = raw(cut.into_iter().chain([whole]).collect()).await;
        let told = Arc::new(Told::default());
        put(&store, vec![row("t", 1, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &url)]), told.options(quick()));
        assert_eq!(task.await.unwrap(), 5);
        until("the outbox is empty", || entries(&store).is_empty()).await;
        assert_eq!((told.times("t", Outcome::Failed), told.times("t", Outcome::Delivered)), (4, 1));
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn nobody_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        // A port that was free may be another test's by then; nobody but root listens on this one (RFC 1078).
        let url = "http://127.0.0.1:1/".to_owned();
        put(&store, vec![row("t", 1, 1_000)]);
        let schedule = Schedule::new(vec![Duration::from_millis(5)]);
        let pusher = start(&store, receivers(&[("t", &url)]), PushOptions { schedule, ..quick() });
        until("it is given up", || dead(&store).len() == 1).await;
        let entry = dead(&store).remove(0);
        assert_eq!(entry.tries, 2);
        assert!(entry.error.contains("Connection refused"), "{}", entry.error);
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn a_redirect_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let other = Receiver::good().await;
        let there = other.url.clone();
        let receiver = Receiver::start(move |_, _| Reply::With(307, "location", there.clone())).await;
        put(&store, vec![row("t", 1, 1_000)]);
        let options = PushOptions { schedule: Schedule::new(Vec::new()), ..quick() };
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), options);
        until("it is given up", || dead(&store).len() == 1).await;
        assert_eq!(dead(&store)[0].error, "HTTP 307 Temporary Redirect");
        assert_eq!((receiver.arrivals().len(), other.arrivals().len()), (1, 0));
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn a_receiver_that_is_gone_is_sent_nothing_more_until_somebody_resends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let back = Arc::new(AtomicBool::new(false));
        let is_back = Arc::clone(&back);
        let receiver = Receiver::start(move |_, _| Reply::Status(if is_back.load(Ordering::SeqCst) { 200 } else { 410 })).await;
        let told = Arc::new(Told::default());
        put(&store, vec![row("t", 1, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), told.options(quick()));
        until("it was refused", || dead(&store).len() == 1).await;
        assert_eq!((dead(&store)[0].tries, &*dead(&store)[0].error), (1, "HTTP 410 Gone"));
        // Two of one call, and more than are given up at one time.
        put(&store, (2..100).map(|call| row("t", call, 1_000)).chain([row("t", 2, 1_001)]).collect());
        pusher.notify("t");
        until("all are dead letters", || dead(&store).len() == 100).await;
        let unsent = dead(&store).remove(50);
        assert_eq!((unsent.tries, &*unsent.error), (0, "HTTP 410 Gone was answered to one before it"));
        assert_eq!((receiver.arrivals().len(), told.times("t", Outcome::GivenUp)), (1, 100));
        // It is asked once more, not a hundred times.
        let now_ms = || jiff::Timestamp::now().as_millisecond();
        assert_eq!(store.resend_dead_pushes("", now_ms()).unwrap(), 100);
        until("it was refused again", || receiver.arrivals().len() == 2 && dead(&store).len() == 100).await;
        back.store(true, Ordering::SeqCst);
        assert_eq!(store.resend_dead_pushes("", now_ms()).unwrap(), 100);
        until("the outbox is empty", || entries(&store).is_empty()).await;
        assert_eq!(receiver.arrivals().len(), 102);
        put(&store, vec![row("t", 200, 1_000)]);
        pusher.notify("t");
        until("the next is sent again, too", || receiver.arrivals().len() == 103).await;
        pusher.stop(Duration::from_secs(30)).await;
    });
}

#[test]
fn a_receiver_that_was_gone_is_asked_again_by_the_next_server() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 410 } else { 200 })).await;
        put(&store, vec![row("t", 1, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("it was refused", || dead(&store).len() == 1).await;
        pusher.stop(Duration::from_secs(30)).await;
        put(&store, vec![row("t", 2, 1_000)]);
        let receiver = Receiver::start(|_, _| Reply::Status(200)).await;
        let pusher = start(&store, receivers(&[("t", &receiver.url)]), quick());
        until("what came since is sent", || receiver.taken().len() == 1).await;
        until("the dead letter alone is left", || entries(&store).len() == 1 && dead(&store).len() == 1).await;
        pusher.stop(Duration::from_secs(30)).await;
    });
}
