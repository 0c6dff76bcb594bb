//! Script versions, activations, the audit log, secrets.

use callgrade::store::scripts::{ActivationRow, BundleRow};

use super::rows::entry;
use super::{Fresh, count, on_both};

on_both!(
    a_version_is_kept_once_and_only_its_tenant_and_its_readers_see_it,
    a_version_is_found_by_the_beginning_of_its_hash,
    a_draft_becomes_a_version_when_it_is_published_or_activated,
    activations_are_kept_in_order,
    the_audit_log_is_read_newest_first,
    the_mask_key_is_made_once,
);

fn bundle(tenant: &str, script: &str, version: &str, stored_ms: i64) -> BundleRow {
    BundleRow {
        tenant: tenant.to_owned(),
        script_id: script.to_owned(),
        version: version.to_owned(),
        stored_ms,
        stored_by: "key-1".to_owned(),
        note: "价格问法".to_owned(),
        draft: false,
        files: vec![0, 1, 255],
    }
}

fn a_version_is_kept_once_and_only_its_tenant_and_its_readers_see_it(fresh: &Fresh) {
    let store = fresh.open();
    let first = bundle("t", "s", "aa", 1);
    store.put_bundle(&first, Some(&entry("t", "publish", "s@aa"))).expect("it is kept");
    store.put_bundle(&BundleRow { note: "again".to_owned(), stored_ms: 9, ..first.clone() }, None).expect("it is there already");
    store.put_bundle(&bundle("", "s", "bb", 2), None).expect("everyone's");
    store.put_bundle(&bundle("u", "s", "cc", 3), None).expect("another tenant's");
    store.put_bundle(&bundle("t", "r", "dd", 4), None).expect("another script");
    let versions = |tenant: &str, script: &str| -> Vec<String> {
        store.bundles(tenant, script).expect("they are listed").into_iter().map(|row| row.version).collect()
    };
    assert_eq!(versions("t", "s"), ["bb", "aa"]);
    assert_eq!(versions("t", ""), ["dd", "bb", "aa"]);
    assert_eq!(versions("u", "s"), ["cc", "bb"]);
    assert_eq!(versions("v", "r"), Vec::<String>::new());
    assert_eq!(store.bundle("t", "s", "aa"), Ok(vec![first]));
    assert_eq!(store.bundle("u", "s", "aa"), Ok(vec![]));
    assert_eq!(store.audit_log("t", 10).expect("it is told").len(), 1);
}

fn a_version_is_found_by_the_beginning_of_its_hash(fresh: &Fresh) {
    let store = fresh.open();
    for version in ["abcdef0123456789", "abcdee0123456789", "0bcdef0123456789"] {
        store.put_bundle(&bundle("t", "s", version, 1), None).expect("it is kept");
    }
    store.put_bundle(&bundle("", "s", "abcdef0123456789", 2), None).expect("it is kept");
    let found = |version: &str| -> Vec<(String, String)> {
        store.bundle("t", "s", version).expect("they are found").into_iter().map(|row| (row.tenant, row.version)).collect()
    };
    let own = ("t".to_owned(), "abcdef0123456789".to_owned());
    assert_eq!(found("abcdef"), [own.clone(), (String::new(), own.1.clone())], "the tenant's own first");
    assert_eq!(found("ABCDEF01"), found("abcdef01"));
    assert_eq!(found("abcde").len(), 3);
    for none in ["bcdef", "abcdef0123456789a", "abc%", "abc_ef", "'"] {
        assert_eq!(found(none), [], "{none}");
    }
}

fn a_draft_becomes_a_version_when_it_is_published_or_activated(fresh: &Fresh) {
    let store = fresh.open();
    let draft = |version: &str| BundleRow { draft: true, note: "tried".to_owned(), ..bundle("t", "s", version, 1) };
    for version in ["aaaaaa", "bbbbbb"] {
        store.put_bundle(&draft(version), None).expect("it is kept");
    }
    store.put_bundle(&draft("aaaaaa"), None).expect("again");
    let published = BundleRow { stored_by: "key-2".to_owned(), ..bundle("t", "s", "aaaaaa", 5) };
    let kept = |version: &str| store.bundle("t", "s", version).expect("it is found");
    assert_eq!(kept("aaaaaa"), [draft("aaaaaa")]);
    store.put_bundle(&published, None).expect("it is published");
    assert_eq!(kept("aaaaaa"), std::slice::from_ref(&published));
    store.put_bundle(&draft("aaaaaa"), None).expect("it is there already");
    assert_eq!(kept("aaaaaa"), [published]);
    let activation = ActivationRow {
        tenant: "t".to_owned(),
        script_id: "s".to_owned(),
        version: "bbbbbb".to_owned(),
        at_ms: 5,
        made_by: "cli".to_owned(),
    };
    store.activate(&activation, &entry("t", "activate", "s@bbbbbb")).expect("it is active");
    assert_eq!(kept("bbbbbb"), [BundleRow { draft: false, ..draft("bbbbbb") }]);
}

fn activations_are_kept_in_order(fresh: &Fresh) {
    let store = fresh.open();
    assert_eq!((store.activations(), store.activation_count()), (Ok(vec![]), Ok(0)));
    let row = |tenant: &str, version: &str, at_ms| ActivationRow {
        tenant: tenant.to_owned(),
        script_id: "s".to_owned(),
        version: version.to_owned(),
        at_ms,
        made_by: "cli".to_owned(),
    };
    let rows = [row("t", "bb", 5), row("u", "aa", 4), row("t", "aa", 5), row("t", "", 5)];
    for row in &rows {
        store.activate(row, &entry(&row.tenant, "activate", &row.version)).expect("it is active");
    }
    assert_eq!((store.activations(), store.activation_count()), (Ok(rows.to_vec()), Ok(4)));
    assert_eq!(store.audit_log("t", 10).expect("it is told").len(), 3);
}

fn the_audit_log_is_read_newest_first(fresh: &Fresh) {
    let store = fresh.open();
    for (tenant, what) in [("t", "1"), ("u", "2"), ("t", "3"), ("t", "4")] {
        store.audit(&entry(tenant, "export", what)).expect("it is written");
    }
    let what = |tenant: &str, most| -> Vec<String> {
        store.audit_log(tenant, most).expect("it is read").into_iter().map(|row| row.what).collect()
    };
    assert_eq!(what("t", 10), ["4", "3", "1"]);
    assert_eq!(what("t", 2), ["4", "3"]);
    assert_eq!(what("", 10), ["4", "3", "2", "1"]);
    assert_eq!(store.audit_log("u", 1), Ok(vec![entry("u", "export", "2")]));
}

fn the_mask_key_is_made_once(fresh: &Fresh) {
    let store = fresh.open();
    let key = store.mask_key().expect("a key");
    assert_ne!(key, [0; 32]);
    let stores: Vec<_> = (0..4).map(|_| fresh.open()).collect();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = stores.iter().map(|store| scope.spawn(|| store.mask_key())).collect();
        asked.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(keys.iter().all(|other| *other == Ok(key)));
    assert_eq!(count(&store, "secrets"), 1);
}
