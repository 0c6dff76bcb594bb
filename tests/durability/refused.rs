//! Events that the server refused with the word to send them again: whoever does so loses none of them, however long it takes and
//! whatever came behind them meanwhile.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use callgrade::core::event::{Event, EventKind};
use callgrade::script::{Library, ScriptChoice};
use callgrade::service::quota::Quota;
use callgrade::service::tenant::{TenantSettings, Tenants};
use callgrade::service::{Patience, Service};
use callgrade::store::{Location, Store};
use callgrade::transport::ServerOptions;
use callgrade::wire::v1;

use crate::server::Talk;
use crate::support::{TestServer, block_on};

const REFUSED: &str = "not kept, send it again: the store refuses it";

fn patience() -> Patience {
    Patience { idle: Duration::from_secs(600), gap: Duration::from_millis(50), gap_events: 3, ..Patience::default() }
}

fn choice() -> ScriptChoice {
    ScriptChoice::new(Library::bundled().expect("the bundled scripts compile"), None).expect("a choice")
}

/// A server that keeps its calls in a folder, and what to break them with.
async fn keeping(folder: &Path, patience: Patience) -> (TestServer, rusqlite::Connection) {
    let store = Store::open(&Location::Directory(folder.to_owned())).expect("a store");
    let (linger, metrics) = (Duration::from_micros(500), Arc::default());
    let service = Service::keeping(choice(), Tenants::default(), patience, store, linger, metrics, Box::new(|_, _, _| ()));
    let server = TestServer::start_service(service.expect("the store answers"), ServerOptions::default()).await;
    (server, rusqlite::Connection::open(folder.join("callgrade.db")).expect("it opens"))
}

/// Has the database refuse an event.
fn refuse(database: &rusqlite::Connection, seq: u32) {
    let trigger = format!("CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.seq = {seq} BEGIN SELECT RAISE(ABORT, 'no'); END");
    database.execute_batch(&trigger).expect("it is made");
}

fn refuse_no_more(database: &rusqlite::Connection) {
    database.execute_batch("DROP TRIGGER refuse").expect("it is gone");
}

fn silence(seq: u32) -> Event {
    Event { at_ms: seq * 1_000, kind: if seq == 1 { EventKind::Answered } else { EventKind::Silence(100) } }
}

async fn send(talk: &Talk, seqs: &[u32]) {
    for seq in seqs {
        talk.send("c", *seq, &silence(*seq)).await;
    }
}

/// The last event that is kept with all before it, and those that wait, once these do.
async fn waits(server: &TestServer, expected: &[u32]) -> u32 {
    loop {
        let state = server.client().await.get_call_state(v1::GetCallStateRequest { call_id: "c".to_owned() }).await;
        match state {
            Ok(state) if state.get_ref().ahead == expected => return state.get_ref().last_seq,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

fn kept(folder: &Path) -> Vec<u32> {
    let store = Store::open(&Location::Directory(folder.to_owned())).expect("the store opens");
    store.find("default", &["c"]).expect("it is read")[0].events.iter().map(|row| row.seq).collect()
}

/// Many times as long as a gap is waited for.
const LONG: Duration = Duration::from_millis(800);

#[test]
fn a_gap_of_refused_events_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let (server, database) = keeping(folder.path(), patience()).await;
        let mut talk = Talk::open(&server).await;
        send(&talk, &[1]).await;
        assert_eq!(talk.ack().await, 1);
        refuse(&database, 2);
        send(&talk, &[2]).await;
        assert_eq!(talk.rejection().await, (2, REFUSED.to_owned()));
        refuse_no_more(&database);
        send(&talk, &[3]).await;
        assert_eq!(waits(&server, &[3]).await, 1);
        tokio::time::sleep(LONG).await;
        assert_eq!(waits(&server, &[3]).await, 1, "the gap was given up");
        send(&talk, &[4, 5, 6]).await;
        let behind = "not kept, send it again: event 2 was refused and has not come again";
        assert_eq!(talk.rejection().await, (6, behind.to_owned()), "no more wait than may");
        send(&talk, &[2]).await;
        assert_eq!(talk.ack().await, 5);
        send(&talk, &[6]).await;
        assert_eq!(talk.ack().await, 6);
    });
    assert_eq!(kept(folder.path()), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn each_event_that_a_failure_takes_along_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let (server, database) = keeping(folder.path(), Patience { gap: Duration::from_secs(600), ..patience() }).await;
        let mut talk = Talk::open(&server).await;
        send(&talk, &[1]).await;
        assert_eq!(talk.ack().await, 1);
        send(&talk, &[3, 5]).await;
        waits(&server, &[3, 5]).await;
        refuse(&database, 2);
        send(&talk, &[2]).await;
        let mut refused = [talk.rejection().await, talk.rejection().await, talk.rejection().await];
        refused.sort();
        assert_eq!(refused, [2, 3, 5].map(|seq| (seq, REFUSED.to_owned())));
        refuse_no_more(&database);
        // Those alone that were refused, in any order.
        send(&talk, &[5, 3, 2]).await;
        assert_eq!(talk.ack().await, 3);
        assert_eq!(waits(&server, &[5]).await, 3);
        send(&talk, &[4]).await;
        assert_eq!(talk.ack().await, 5);
    });
    assert_eq!(kept(folder.path()), [1, 2, 3, 4, 5]);
}

#[test]
fn nothing_is_acknowledged_past_a_refused_event_even_when_its_call_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let (server, database) = keeping(folder.path(), Patience { idle: Duration::from_secs(3), ..patience() }).await;
        let mut talk = Talk::open(&server).await;
        send(&talk, &[1]).await;
        assert_eq!(talk.ack().await, 1);
        refuse(&database, 2);
        send(&talk, &[2]).await;
        assert_eq!(talk.rejection().await, (2, REFUSED.to_owned()));
        refuse_no_more(&database);
        send(&talk, &[3]).await;
        assert_eq!(talk.ack().await, 1, "3 is kept, and 2 is not");
        let verdict = talk.verdict().await;
        assert_eq!((verdict.r#final, verdict.ended_by.as_str()), (true, "idle"));
        assert_eq!(verdict.notices, ["event 2 has not come; graded without"]);
        assert_eq!(waits(&server, &[]).await, 1);
        send(&talk, &[3]).await;
        assert_eq!(talk.ack().await, 1);
        send(&talk, &[2]).await;
        assert_eq!(talk.ack().await, 3);
    });
    assert_eq!(kept(folder.path()), [1, 2, 3]);
}

#[test]
fn a_call_that_could_not_be_looked_up_waits_for_its_first_event() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let (server, database) = keeping(folder.path(), patience()).await;
        let mut talk = Talk::open(&server).await;
        database.execute_batch("ALTER TABLE calls RENAME TO gone").expect("it is renamed");
        send(&talk, &[1]).await;
        assert_eq!(talk.rejection().await, (1, REFUSED.to_owned()));
        database.execute_batch("ALTER TABLE gone RENAME TO calls").expect("it is renamed");
        send(&talk, &[2]).await;
        waits(&server, &[2]).await;
        tokio::time::sleep(LONG).await;
        assert_eq!(waits(&server, &[2]).await, 0, "the gap was given up");
        send(&talk, &[1]).await;
        assert_eq!(talk.ack().await, 2);
    });
    assert_eq!(kept(folder.path()), [1, 2]);
}

#[test]
fn a_call_that_found_no_room_waits_for_its_first_event() {
    block_on(async {
        let quota = Quota { live_calls: Some(1), ..Quota::default() };
        let tenants = Tenants::new(HashMap::new(), TenantSettings { quota, ..TenantSettings::default() });
        let server = TestServer::start_service(Service::forgetting(choice(), tenants, patience()), ServerOptions::default()).await;
        let mut talk = Talk::open(&server).await;
        talk.send("first", 1, &silence(1)).await;
        assert_eq!(talk.ack().await, 1);
        send(&talk, &[1]).await;
        assert_eq!(talk.rejection().await.0, 1);
        talk.send("first", 2, &Event { at_ms: 2_000, kind: EventKind::Hangup(Box::default()) }).await;
        assert_eq!(talk.ack().await, 2);
        assert!(talk.verdict().await.r#final);
        send(&talk, &[2]).await;
        waits(&server, &[2]).await;
        tokio::time::sleep(LONG).await;
        assert_eq!(waits(&server, &[2]).await, 0, "the gap was given up");
        send(&talk, &[1]).await;
        assert_eq!(talk.ack().await, 2);
    });
}
