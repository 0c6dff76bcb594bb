//! What holds of every transaction, of migrations, and of the one server that a store has.

use callgrade::store::schema::VERSION;
use callgrade::store::{Store, StoreError};

use super::rows::simple;
use super::{Fresh, TABLES, count, number, on_both, refused};

on_both!(
    an_empty_database_is_brought_to_this_version,
    stores_opened_at_the_same_time_migrate_once,
    a_newer_schema_is_refused,
    work_that_fails_leaves_nothing,
    a_panic_leaves_nothing_and_no_harm,
    a_refused_statement_leaves_nothing_and_no_harm,
    reading_sees_one_moment,
    reading_changes_nothing,
    one_server_has_a_store,
    many_read_while_one_writes,
);

fn an_empty_database_is_brought_to_this_version(fresh: &Fresh) {
    let store = fresh.open();
    assert!(TABLES.iter().all(|table| count(&store, table) == 0));
    assert_eq!((number(&store, "SELECT version FROM schema_version"), count(&store, "schema_version")), (VERSION, 1));
    // The first version of the tables is brought to the newest, with what is in them.
    store.commit(&mut simple(1, "t", "c", "A", None)).expect("it is written");
    let older = store.write(|sql| {
        for table in ["deletions", "regrades", "regrade_diffs", "regraded"] {
            sql.run(&format!("DROP TABLE {table}"), &[])?;
        }
        sql.run("ALTER TABLE bundles DROP COLUMN draft", &[])?;
        sql.run("UPDATE schema_version SET version = 1", &[])
    });
    assert_eq!(older, Ok(1));
    drop(store);
    let store = fresh.open();
    assert_eq!(number(&store, "SELECT version FROM schema_version"), VERSION);
    assert_eq!((count(&store, "deletions"), count(&store, "calls")), (0, 1));
}

fn stores_opened_at_the_same_time_migrate_once(fresh: &Fresh) {
    let opened: Vec<_> = std::thread::scope(|scope| {
        let opening: Vec<_> = (0..6).map(|_| scope.spawn(|| Store::open(&fresh.location))).collect();
        opening.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for store in opened {
        assert_eq!(count(&store.expect("it opens"), "schema_version"), 1);
    }
}

fn a_newer_schema_is_refused(fresh: &Fresh) {
    let store = fresh.open();
    let newer = VERSION + 3;
    store.write(|sql| sql.run("UPDATE schema_version SET version = $1", &[newer.into()])).expect("a newer program was here");
    let place = store.place();
    drop(store);
    assert_eq!(
        refused(Store::open(&fresh.location)),
        format!(
            "{place} has schema version {newer}, and this program knows versions up to {VERSION}: a newer callgrade has written it; use that one"
        )
    );
}

fn work_that_fails_leaves_nothing(fresh: &Fresh) {
    let store = fresh.open();
    let failed = store.write(|sql| {
        sql.run("INSERT INTO audit (tenant, at_ms, who, action, what) VALUES ('t', 1, '', '', '')", &[])?;
        Err::<(), _>(StoreError::Damaged("on purpose".to_owned()))
    });
    assert_eq!(failed, Err(StoreError::Damaged("on purpose".to_owned())));
    assert_eq!(count(&store, "audit"), 0);
    store.commit(&mut simple(1, "t", "c", "", None)).expect("the next one goes through");
}

fn a_panic_leaves_nothing_and_no_harm(fresh: &Fresh) {
    let store = fresh.open();
    let panicked = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            store.write(|sql| {
                sql.run("INSERT INTO audit (tenant, at_ms, who, action, what) VALUES ('t', 1, '', '', '')", &[])?;
                std::panic::resume_unwind(Box::new("on purpose"));
                #[allow(unreachable_code)]
                Ok(())
            })
        });
        writing.join().is_err()
    });
    assert!(panicked);
    assert_eq!(count(&store, "audit"), 0);
    store.commit(&mut simple(1, "t", "c", "", None)).expect("the next one goes through");
}

fn a_refused_statement_leaves_nothing_and_no_harm(fresh: &Fresh) {
    let store = fresh.open();
    let failed = store.write(|sql| {
        sql.run("INSERT INTO audit (tenant, at_ms, who, action, what) VALUES ('t', 1, '', '', '')", &[])?;
        sql.run("INSERT INTO nowhere (x) VALUES (1)", &[])
    });
    assert!(matches!(failed, Err(StoreError::Refused(_))), "{failed:?}");
    assert!(matches!(store.read(|sql| sql.query("SELECT nothing FROM nowhere", &[], &mut |_| Ok(true))), Err(StoreError::Refused(_))));
    assert_eq!(count(&store, "audit"), 0);
    store.commit(&mut simple(1, "t", "c", "", None)).expect("the next one goes through");
}

fn reading_sees_one_moment(fresh: &Fresh) {
    let (store, other) = (fresh.open(), fresh.open());
    store.commit(&mut simple(1, "t", "c1", "", None)).expect("it is written");
    let counts = store.read(|sql| {
        let mut counts = Vec::new();
        for id in 2..=3 {
            sql.query("SELECT COUNT(*) FROM calls", &[], &mut |row| {
                counts.push(row.value(0).int());
                Ok(true)
            })?;
            other.commit(&mut simple(id, "t", &format!("c{id}"), "", None))?;
        }
        Ok(counts)
    });
    assert_eq!(counts, Ok(vec![1, 1]));
    assert_eq!(count(&store, "calls"), 3);
}

fn reading_changes_nothing(fresh: &Fresh) {
    let store = fresh.open();
    let tried = store.read(|sql| sql.run("INSERT INTO secrets (name, value) VALUES ('x', $1)", &[(&b"y"[..]).into()]));
    assert!(matches!(tried, Err(StoreError::ReadOnly(_) | StoreError::Refused(_))), "{tried:?}");
    assert_eq!(count(&store, "secrets"), 0);
    store.mask_key().expect("writing goes on");
}

fn one_server_has_a_store(fresh: &Fresh) {
    let (store, other) = (fresh.open(), fresh.open());
    store.claim().expect("nobody else has it");
    store.claim().expect("it has it already");
    assert_eq!(refused(other.claim()), format!("{} is in use by another callgrade server", store.place()));
    other.commit(&mut simple(1, "t", "c", "", None)).expect("the command line may write beside it");
    let taken = format!("{} is in use by another callgrade server", store.place());
    drop(store);
    // PostgreSQL gives the lock back when it has seen that who had it is gone.
    while let Err(error) = other.claim() {
        assert_eq!(error.to_string(), taken);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn many_read_while_one_writes(fresh: &Fresh) {
    let store = fresh.open();
    std::thread::scope(|scope| {
        for reader in 0..40 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..5 {
                    let (calls, standings) = store
                        .read(|sql| {
                            let mut counts = [0; 2];
                            for (place, table) in ["calls", "standings"].iter().enumerate() {
                                sql.query(&format!("SELECT COUNT(*) FROM {table}"), &[], &mut |row| {
                                    counts[place] = row.value(0).int();
                                    Ok(true)
                                })?;
                            }
                            Ok((counts[0], counts[1]))
                        })
                        .expect("it is read");
                    assert_eq!(calls, standings, "reader {reader} sees whole groups");
                }
            });
        }
        for id in 1..=50 {
            store.commit(&mut simple(id, "t", &format!("c{id}"), "", None)).expect("it is written");
        }
    });
    assert_eq!(count(&store, "calls"), 50);
}
