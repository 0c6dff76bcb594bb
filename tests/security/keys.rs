//! `callgrade keys`, and a server that learns of keys while it runs.

use callgrade::service::access::{KeyRecord, KeyRing, Role};
use callgrade::store::keys::KeyRow;
use callgrade::store::{Location, Store, StoreError};

use super::start::Server;
use super::{eventually, new_key};
use crate::support::{block_on, callgrade, stderr, stdout};

/// The status of a request with a key.
fn status(server: &Server, key: Option<&str>) -> u16 {
    let header = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    let answer = server.ask(&format!("GET /v1/scripts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n"));
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

fn becomes(server: &Server, key: Option<&str>, expected: u16) {
    block_on(eventually(&format!("{expected}"), async || (status(server, key) == expected).then_some(())));
}

#[test]
fn keys_are_made_listed_and_revoked_while_a_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("data");
    let store = store.to_str().expect("a path");
    let server = Server::start(&["--store", store]);
    assert_eq!(status(&server, None), 200, "there is no key yet");

    let made = callgrade(&["keys", "create", "--store", store, "--tenant", "north", "--role", "ingest", "--name", "线路三"], b"");
    let key = stdout(&made).trim_end().to_owned();
    let id = key.split('_').nth(1).expect("an id").to_owned();
    assert_eq!(stderr(&made), format!("callgrade: key {id} of tenant north for ingest; it is shown this once only\n"));
    becomes(&server, None, 401);
    becomes(&server, Some(&key), 200);

    let list = stdout(&callgrade(&["keys", "list", "--store", store], b""));
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines[0], "id          tenant  role    created               revoked  name");
    assert!(lines[1].starts_with(&format!("{id}  north   ingest  20")) && lines[1].ends_with("  -        线路三"), "{list}");
    assert_eq!(lines.len(), 2);

    let revoked = callgrade(&["keys", "revoke", "--store", store, &id], b"");
    assert_eq!((revoked.status.code(), stderr(&revoked)), (Some(0), format!("callgrade: key {id} of tenant north is revoked\n")));
    becomes(&server, Some(&key), 401);
    assert_eq!(status(&server, None), 401, "a server that has had a key stays closed");
    let again = callgrade(&["keys", "revoke", "--store", store, &id], b"");
    assert_eq!(again.status.code(), Some(0));
    assert!(stderr(&again).starts_with(&format!("callgrade: key {id} of tenant north was revoked before, 20")), "{}", stderr(&again));
    drop(server);

    let kept = Store::open(&Location::parse(store)).expect("the store");
    let log: Vec<(String, String, String)> =
        kept.audit_log("north", 10).expect("the log").into_iter().map(|row| (row.who, row.action, row.what)).collect();
    let entry = |action: &str| ("cli".to_owned(), action.to_owned(), format!("{id} (ingest)"));
    assert_eq!(log, [entry("revoke key"), entry("create key")]);
    drop(kept);
    let secret = key.rsplit('_').next().expect("a secret").as_bytes();
    for file in std::fs::read_dir(store).expect("the directory") {
        let file = file.expect("a file").path();
        let bytes = std::fs::read(&file).expect("its bytes");
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{} holds the secret", file.display());
    }
}

#[test]
fn what_keys_is_asked_wrongly_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("data");
    let store = store.to_str().expect("a path");
    let told = |arguments: &[&str]| {
        let output = callgrade(&[&["keys"], arguments, &["--store", store]].concat(), b"");
        (output.status.code().expect("a code"), stderr(&output).lines().next().unwrap_or_default().to_owned())
    };
    let nowhere =
        format!("callgrade: there is no store in {store}: --store names the data directory of a server, or the URL of a PostgreSQL");
    assert_eq!(told(&["list"]), (2, nowhere.clone()));
    assert_eq!(told(&["revoke", "x"]), (2, nowhere));
    let name = "callgrade: \"North\" is no tenant's name: 1 to 64 of a-z, 0-9, _ and -".to_owned();
    assert_eq!(told(&["create", "--tenant", "North", "--role", "qa"]), (2, name));
    let role = "error: invalid value 'root' for '--role <ROLE>': there is no role \"root\"; there are ingest, qa and admin".to_owned();
    assert_eq!(told(&["create", "--tenant", "north", "--role", "root"]), (2, role));
    assert_eq!(told(&["create", "--tenant", "north", "--role", "qa"]).0, 0);
    assert_eq!(told(&["revoke", "x"]), (1, "callgrade: there is no key \"x\"".to_owned()));
}

#[test]
fn a_key_that_cannot_be_read_is_no_reason_to_open_the_doors() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("a store");
    let good = new_key("north", Role::Qa).record;
    store.put_key(&KeyRow::from(&good), "cli").expect("kept");
    let ring = KeyRing::default();
    ring.read(&store).expect("good keys");
    assert_eq!(store.keys().expect("keys").into_iter().map(KeyRecord::try_from).collect::<Vec<_>>(), [Ok(good.clone())]);
    let newer = KeyRow { id: "ffff".to_owned(), role: "auditor".to_owned(), ..KeyRow::from(&good) };
    store.put_key(&newer, "cli").expect("kept");
    let told = "key ffff: there is no role \"auditor\"; there are ingest, qa and admin".to_owned();
    assert_eq!(ring.read(&store), Err(StoreError::Damaged(told)));
    assert!(!ring.is_empty(), "the keys read before stay in force");
}
