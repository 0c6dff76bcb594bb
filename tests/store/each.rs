//! What only one of the two databases does.

use std::os::unix::fs::PermissionsExt;

use callgrade::store::{Location, Store};
use rcgen::{CertificateParams, KeyPair};

use super::rows::{event, simple};
use super::{Fresh, count, number, refused};
use crate::support::postgres::PostgresServer;
use callgrade::store::calls::Group;

#[test]
fn a_backup_is_a_store_of_one_moment_that_only_its_owner_reads() {
    let fresh = Fresh::sqlite();
    let store = fresh.open();
    store.claim().expect("as a server has it");
    store.commit(&mut simple(1, "t", "c", "A", None)).expect("it is written");
    let key = store.mask_key().expect("a key");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("callgrade.db");
    // While the server goes on writing.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for seq in 2..200 {
                store.commit(&mut Group { events: vec![event(1, seq, "on")], ..Group::default() }).expect("it is written");
            }
        });
        fresh.open().backup(&file).expect("it is written");
    });
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    let copy = Store::open(&Location::Directory(folder.path().to_owned())).expect("it opens");
    assert_eq!((count(&copy, "calls"), copy.mask_key()), (1, Ok(key)));
    assert!(count(&copy, "events") >= 1);
    assert_eq!(refused(store.backup(&file)), format!("the copy cannot be written ({} is there already)", file.display()));
}

/// Commits so many groups of a mebibyte each.
fn write(store: &Store, seqs: std::ops::Range<u32>) {
    let body = "x".repeat(1 << 20);
    for seq in seqs {
        store.commit(&mut Group { events: vec![event(1, seq, &body)], ..Group::default() }).expect("it is written");
    }
}

/// How often its WAL has begun anew, as the WAL's head counts it (SQLite's file format, 4.1); `None` while it is empty.
fn times_begun(store: &Store) -> Option<u32> {
    let mut head = [0; 16];
    let mut wal = std::fs::File::open(std::path::Path::new(&store.place()).join("callgrade.db-wal")).expect("it is there");
    std::io::Read::read_exact(&mut wal, &mut head).ok()?;
    Some(u32::from_be_bytes([head[12], head[13], head[14], head[15]]))
}

#[test]
fn the_wal_of_a_server_is_written_to_its_file_while_it_grows_and_begins_anew() {
    let fresh = Fresh::sqlite();
    let store = fresh.open();
    store.claim().expect("as a server has it");
    store.commit(&mut simple(1, "t", "c", "A", None)).expect("it is written");
    let bytes = |file: &str| std::fs::metadata(std::path::Path::new(&store.place()).join(file)).expect("it is there").len();
    // Less than SQLite would wait for by itself.
    write(&store, 2..14);
    while bytes("callgrade.db") < 4 << 20 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Without a pause, so that the WAL never comes to its end by itself.
    let mut times = Vec::from_iter(times_begun(&store));
    let mut seq = 14;
    // Twice: the first time it may have come to its end in the pause.
    while times.len() < 3 {
        write(&store, seq..seq + 1);
        seq += 1;
        let wal = bytes("callgrade.db-wal");
        assert!(wal < 512 << 20, "{wal} bytes");
        times.extend(times_begun(&store).filter(|time| Some(time) != times.last()));
    }
    let events = i64::from(seq - 1);
    assert_eq!(count(&store, "events"), events);
    drop(store);
    assert_eq!(count(&fresh.open(), "events"), events);
}

#[test]
fn a_data_directory_is_its_owners() {
    let fresh = Fresh::sqlite();
    let store = fresh.open();
    let mode = std::fs::metadata(store.place()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn what_is_kept_is_its_owners_in_a_folder_that_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
    let store = Store::open(&Location::Directory(folder.path().to_owned())).expect("it opens");
    store.commit(&mut simple(1, "t", "c", "A", None)).expect("it is written");
    for file in ["callgrade.db", "callgrade.db-wal", "callgrade.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(file)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn what_is_no_database_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("callgrade.db");
    std::fs::write(&file, "this is a letter, and no database at all\n".repeat(100)).expect("it is written");
    let reason = refused(Store::open(&Location::Directory(folder.path().to_owned())));
    assert_eq!(reason, format!("the store holds what cannot be read ({}: file is not a database)", file.display()));
    let place = file.join("deeper");
    let reason = refused(Store::open(&Location::Directory(place.clone())));
    assert_eq!(reason, format!("the store cannot be reached ({}: Not a directory (os error 20))", place.display()));
}

#[test]
fn a_killed_postgresql_is_told_and_gone_on_with_when_it_is_back() {
    let Some(mut server) = PostgresServer::start() else {
        println!("skipped: store::a_killed_postgresql_is_told_and_gone_on_with_when_it_is_back (PostgreSQL is not installed)");
        return;
    };
    let store = Store::open(&Location::parse(&server.database("calls"))).expect("it opens");
    store.claim().expect("nobody else has it");
    store.commit(&mut simple(1, "t", "c1", "A", None)).expect("it is written");
    assert_eq!(count(&store, "calls"), 1);
    server.kill();
    let place = format!("postgres://127.0.0.1:{}/calls", server.port);
    assert_eq!(store.place(), place);
    let reason = refused(store.commit(&mut simple(2, "t", "c2", "A", None)));
    assert!(reason.starts_with(&format!("the store cannot be reached ({place}: ")), "{reason}");
    assert!(refused(store.next_call()).starts_with("the store cannot be reached"));
    server.run();
    store.commit(&mut simple(2, "t", "c2", "A", None)).expect("it is written");
    assert_eq!((count(&store, "calls"), store.next_call()), (2, Ok(3)), "what was acknowledged is there");
    store.claim().expect("its lock went with the connection, and is had again");
    server.kill();
    server.run();
    // The connections were not told.
    assert_eq!(count(&store, "calls"), 2);
    store.commit(&mut simple(3, "t", "c3", "A", None)).expect("it is written");
}

#[test]
fn a_server_whose_postgresql_another_has_taken_over_writes_no_more() {
    let Some(mut server) = PostgresServer::start() else {
        println!("skipped: store::a_server_whose_postgresql_another_has_taken_over_writes_no_more (PostgreSQL is not installed)");
        return;
    };
    let location = Location::parse(&server.database("calls"));
    let (first, second) = (Store::open(&location).expect("it opens"), Store::open(&location).expect("it opens"));
    first.claim().expect("nobody else has it");
    first.commit(&mut simple(1, "t", "c1", "A", None)).expect("it is written");
    server.kill();
    server.run();
    second.claim().expect("nobody has it any more");
    let taken = format!("{} is in use by another callgrade server", first.place());
    assert_eq!(refused(first.commit(&mut simple(2, "t", "c2", "A", None))), taken);
    assert_eq!(refused(first.claim()), taken);
    assert_eq!(count(&first, "calls"), 1, "it may still read");
    drop(second);
    // PostgreSQL gives the lock back when it has seen that who had it is gone.
    while let Err(error) = first.commit(&mut simple(2, "t", "c2", "A", None)) {
        assert_eq!(error.to_string(), taken);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(count(&first, "calls"), 2);
}

#[test]
fn tls_to_a_postgresql_means_that_its_certificate_is_verified() {
    let Some(mut server) = PostgresServer::start() else {
        println!("skipped: store::tls_to_a_postgresql_means_that_its_certificate_is_verified (PostgreSQL is not installed)");
        return;
    };
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).and_then(|params| params.self_signed(&key)).expect("a certificate");
    server.certify(&certificate.pem(), &key.serialize_pem());
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, others) = (folder.path().join("our own.pem"), folder.path().join("others.pem"));
    std::fs::write(&ours, certificate.pem()).expect("it is written");
    let another = KeyPair::generate().expect("a key");
    let other = CertificateParams::new(["127.0.0.1".to_owned()]).and_then(|params| params.self_signed(&another)).expect("a certificate");
    std::fs::write(&others, other.pem()).expect("it is written");
    let url = server.database("calls");
    let with = |query: String| Store::open(&Location::parse(&format!("{url}?{query}")));
    let reason = refused(with("sslmode=require".to_owned()));
    assert!(reason.starts_with("the store cannot be reached") && reason.contains("TLS"), "it speaks none yet: {reason}");
    server.kill();
    server.run();
    let encrypted = "SELECT CASE WHEN ssl THEN 1 ELSE 0 END FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let file = ours.display().to_string().replace(' ', "%20");
    for query in [format!("sslrootcert={file}"), format!("sslmode=verify-full&sslrootcert={file}")] {
        let store = with(query.clone()).expect("it opens");
        assert_eq!(number(&store, encrypted), 1, "{query}");
    }
    assert_eq!(number(&with(String::new()).expect("it opens"), encrypted), 0, "nobody asked for it");
    for query in [format!("sslrootcert={}", others.display()), "sslmode=require".to_owned()] {
        let reason = refused(with(query.clone()));
        assert!(reason.contains("TLS"), "{query}: {reason}");
    }
    let nothing = folder.path().join("nothing.pem");
    std::fs::write(&nothing, "").expect("it is written");
    assert_eq!(
        refused(with(format!("sslrootcert={}", nothing.display()))),
        format!("the store refuses (sslrootcert {}: no certificate in it)", nothing.display())
    );
}

#[test]
fn a_postgresql_that_is_not_there_is_told_without_its_password() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    let reason = refused(Store::open(&Location::parse(&format!("postgres://someone:secret@127.0.0.1:{port}/calls"))));
    assert!(reason.starts_with(&format!("the store cannot be reached (postgres://127.0.0.1:{port}/calls: ")), "{reason}");
    assert!(!reason.contains("secret"), "{reason}");
    let reason = refused(Store::open(&Location::parse("postgres://127.0.0.1:none/calls")));
    assert_eq!(reason, "the store refuses (not a PostgreSQL URL: invalid connection string: invalid value for option `port`)");
    let Some(url) = crate::support::postgres::shared_database("store::postgresql_keeps_its_own_backups") else { return };
    let store = Store::open(&Location::parse(&url)).expect("it opens");
    let reason = refused(store.backup(std::path::Path::new("/nowhere")));
    assert_eq!(
        reason,
        format!("the store refuses ({}: PostgreSQL has its own backup: pg_dump, or a base backup with its WAL)", store.place())
    );
}
