//! Settings: what is in force, from where, and what is said of wrong ones.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{program, stderr, stdout};

/// Runs `callgrade ARGS` with a file of settings (`callgrade.toml`) and variables.
fn with(file: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("callgrade.toml"), file).expect("the file is written");
    program().args(arguments).envs(variables.iter().copied()).current_dir(folder.path()).output().expect("the program runs")
}

fn in_force(output: &Output, setting: &str) -> Value {
    let all: Value = serde_json::from_str(&stdout(output)).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let found = all["settings"].as_array().and_then(|all| all.iter().find(|it| it["setting"] == setting)).cloned();
    found.unwrap_or_else(|| panic!("{setting} is not in {all}"))
}

const JSON: &[&str] = &["config", "--config", "callgrade.toml", "--output", "json"];

#[test]
fn a_flag_is_over_a_variable_is_over_the_file() {
    let file = "# where\n\nlisten = \"127.0.0.1:1\"\nidle-ms = 5\ngap-ms = 7\n";
    let variables = [("CALLGRADE_LISTEN", "127.0.0.1:2"), ("CALLGRADE_IDLE_MS", "6")];
    let output = with(file, &variables, &[JSON, &["--listen", "127.0.0.1:3"]].concat());
    let setting = |setting: &str, value: &str, from: &str, place: Value| {
        assert_eq!(in_force(&output, setting), json!({"setting": setting, "value": value, "from": from, "place": place}));
    };
    setting("listen", "127.0.0.1:3", "flag", json!("--listen"));
    setting("idle-ms", "6", "environment", json!("CALLGRADE_IDLE_MS"));
    setting("gap-ms", "7", "file", json!("callgrade.toml:5"));
    setting("gap-events", "256", "default", Value::Null);
    assert_eq!(in_force(&output, "scripts")["value"], Value::Null);
}

#[test]
fn people_read_a_table() {
    let output = with("gap-ms = 7\n[tenants.acme]\nmask = false\n", &[], &["config", "--config", "callgrade.toml", "--listen", "[::1]:9"]);
    let lines: Vec<String> = stdout(&output).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in ["setting value from", "listen [::1]:9 --listen", "gap-ms 7 callgrade.toml:1", "tenants.acme.mask false callgrade.toml"] {
        assert!(lines.iter().any(|it| it == line), "{line} is not in {lines:#?}");
    }
}

#[test]
fn the_file_may_be_named_by_a_variable() {
    let output = with("gap-ms = 7\n", &[("CALLGRADE_CONFIG", "callgrade.toml")], &["config", "--output", "json"]);
    assert_eq!(in_force(&output, "gap-ms")["place"], "callgrade.toml:1");
}

/// Every option of `serve` but these can be a variable and a key: nobody has to think of it when one is added.
#[test]
fn every_option_of_serve_is_a_setting() {
    let help = stdout(&crate::support::callgrade(&["serve", "--help"], b""));
    let option = regex::Regex::new("(?m)^ +(?:-., )?--([a-z-]+)").expect("a pattern");
    let output = with("", &[], JSON);
    let settings: Vec<&str> = option.captures_iter(&help).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect();
    assert!(settings.len() > 8, "{settings:?}");
    for name in settings.into_iter().filter(|name| !["help", "config", "lang"].contains(name)) {
        in_force(&output, name);
    }
}

fn refused(file: &str, variables: &[(&str, &str)], said: &str) {
    for command in ["config", "serve"] {
        let output = with(file, variables, &[command, "--config", "callgrade.toml"]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{file}");
        assert_eq!(stderr(&output), format!("callgrade: {said}\n"), "{file}");
    }
}

#[test]
fn what_is_wrong_is_told_by_variable_or_file_line_and_key() {
    refused("idle-ms = \"soon\"", &[], "callgrade.toml:1: idle-ms is \"soon\": invalid digit found in string");
    refused("\nidle-ms = -1", &[], "callgrade.toml:2: idle-ms is \"-1\": invalid digit found in string");
    refused("", &[("CALLGRADE_IDLE_MS", "soon")], "CALLGRADE_IDLE_MS is \"soon\": invalid digit found in string");
    refused("idle-ms = [1, 2]", &[], "callgrade.toml:1: idle-ms: one value is wanted, not a list");
    refused("idle-ms = 2026-01-01", &[], "callgrade.toml:1: idle-ms is a date, which no setting is");
    refused("[serve]\nidle-ms = 1", &[], "callgrade.toml:1: serve is a table, which no setting is");
    let output = with("listne = 1", &[], JSON);
    let said = stderr(&output);
    assert!(said.starts_with("callgrade: callgrade.toml:1: there is no setting \"listne\"; there are "), "{said}");
    assert!(said.contains("gap-ms, idle-ms") && said.ends_with(", and tables [tenants.NAME]\n"), "{said}");
    let output = with("", &[], &["config", "--config", "nowhere.toml"]);
    assert_eq!(stderr(&output), "callgrade: nowhere.toml: No such file or directory (os error 2)\n");
    let output = with("listen = \n", &[], JSON);
    assert!(stderr(&output).starts_with("callgrade: callgrade.toml:1: "), "{}", stderr(&output));
}

#[test]
fn commands_on_a_store_find_the_servers() {
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().join("kept").display().to_string();
    let keys = |variables: &[(&str, &str)], file: &str, more: &[&str]| with(file, variables, &[&["keys", "list"], more].concat());
    let made = with("", &[("CALLGRADE_STORE", &there)], &["keys", "create", "--tenant", "north", "--role", "qa"]);
    assert!(stderr(&made).starts_with(&format!("callgrade: made a new store in {there}\ncallgrade: key ")), "{made:?}");
    let file = format!("store = {there:?}\n");
    for listed in [
        keys(&[("CALLGRADE_STORE", &there)], "", &[]),
        keys(&[], &file, &["--config", "callgrade.toml"]),
        keys(&[("CALLGRADE_CONFIG", "callgrade.toml")], &file, &[]),
        keys(&[("CALLGRADE_STORE", "elsewhere")], "", &["--store", &there]),
    ] {
        assert!(stdout(&listed).contains("north"), "{listed:?}");
    }
    let none = keys(&[("CALLGRADE_STORE", "none")], "", &[]);
    assert_eq!(stderr(&none), "callgrade: --store is none: a server that keeps nothing has no store\n");
    for (place, reason) in [
        ("", "a directory, or the URL of a PostgreSQL, is wanted"),
        ("postgress://db/calls", "a store is a directory or a postgres:// URL; postgress:// is neither"),
    ] {
        let refused = keys(&[("CALLGRADE_STORE", place)], "", &[]);
        assert_eq!(stderr(&refused), format!("callgrade: CALLGRADE_STORE is {place:?}: {reason}\n"));
        let refused = with("", &[], &["serve", "--listen", "127.0.0.1:0", "--store", place]);
        assert!(refused.status.code() == Some(2) && stderr(&refused).contains(reason), "{refused:?}");
    }
    // An option of the same name that is no setting: which calls to list, and which script to grade with.
    let listed = with("", &[("CALLGRADE_STORE", &there), ("CALLGRADE_SCRIPT", "nobody")], &["records", "list"]);
    assert!(listed.status.success(), "{listed:?}");
}

#[test]
fn a_variable_of_no_setting_is_named() {
    let output = with("", &[("CALLGRADE_LISTNE", "x")], JSON);
    assert!(output.status.success());
    assert_eq!(stderr(&output), "callgrade: CALLGRADE_LISTNE is the variable of no setting\n");
}

#[test]
fn tables_of_tenants_are_checked() {
    let wrong = [
        ("[tenants.Acme]", "callgrade.toml:1: \"Acme\" is no tenant's name: 1 to 64 of a-z, 0-9, _ and - are wanted, or \"*\" for all"),
        ("tenants = 1", "callgrade.toml:1: tenants is no table; write [tenants.NAME]"),
        ("[tenants.a]\ntime-zone = \"Asia/Atlantis\"", "callgrade.toml:2: tenants.a.time-zone: there is no time zone \"Asia/Atlantis\""),
        ("[tenants.a]\n\nmax-streams = 0", "callgrade.toml:3: tenants.a.max-streams: invalid value: integer `0`, expected a nonzero usize"),
        ("[tenants.a]\nmask = \"yes\"", "callgrade.toml:2: tenants.a.mask: invalid type: string \"yes\", expected a boolean"),
        (
            "[tenants.a]\nmaks = true",
            "callgrade.toml:2: tenants.a.maks: unknown field `maks`, expected one of `mask`, `max-live-calls`, `max-streams`, \
             `max-requests-per-second`, `max-utterance-bytes`, `max-call-events`, `max-message-bytes`, `retention-days`, `time-zone`, `push`",
        ),
        ("[tenants.a.push]\nurl = \"https://x/\"", "callgrade.toml:1: tenants.a.push: missing field `secret`"),
        ("[tenants.a.push]\nurl = \"ftp://x/\"", "callgrade.toml:2: tenants.a.push.url: not a URL that begins with http:// or https://"),
        (
            "[tenants.a.push]\nurl = \"http://x/\"\nsecret = \"whsec_c2hvcnQ=\"",
            "callgrade.toml:3: tenants.a.push.secret: not a webhook's secret: whsec_ and 24 to 64 bytes in base64 are wanted",
        ),
        (
            "[tenants.a.push]\nurl = \"http://x/\"\nlabels = []",
            "callgrade.toml:3: tenants.a.push.labels: a list of labels is wanted; leave it out for all",
        ),
    ];
    for (file, said) in wrong {
        refused(file, &[], said);
    }
}

#[test]
fn secrets_are_not_shown() {
    let secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let file =
        format!("[tenants.\"*\".push]\nurl = \"https://me:hush@crm.example/hook\"\nsecret = \"whsec_{secret}\"\nlabels = [\"A\", \"B\"]\n");
    for arguments in [JSON, &JSON[..3]] {
        let output = with(&file, &[], arguments);
        let shown = stdout(&output);
        assert!(output.status.success(), "{output:?}");
        assert!(!shown.contains(secret) && !shown.contains("hush"), "{shown}");
        assert!(shown.contains("https://me:…@crm.example/hook") && shown.contains("A,B"), "{shown}");
    }
}

#[test]
fn the_server_takes_what_config_shows() {
    let output = with("listen = \"127.0.0.1:nowhere\"\n", &[], &["serve", "--config", "callgrade.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot listen on 127.0.0.1:nowhere"), "{}", stderr(&output));
}
