//! What stands under `deploy/` is true of the program: settings, metrics, the dashboard, the unit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use callgrade::telemetry::metrics::{DECLARED, Kind};
use regex::Regex;
use serde_json::Value;

use crate::support::{program, stderr, stdout};

fn deployed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(deployed(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_settings_that_are_shown_are_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = folder.path().join("all.toml");
    // What is commented out has no space after its sign, unlike what is said of it.
    let commented = Regex::new("(?m)^#([^ \n])").expect("a pattern");
    let text = read("callgrade.toml");
    assert!(commented.find_iter(&text).count() > 15, "the example comments settings out");
    std::fs::write(&all, commented.replace_all(&text, "$1").as_ref()).expect("the file is written");
    for file in [deployed("callgrade.toml"), all] {
        let output = program().args(["config", "--output", "json", "--config"]).arg(&file).output().expect("the program runs");
        assert!(output.status.success(), "{}", stderr(&output));
        let shown: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let masked =
            shown["tenants"].as_array().and_then(|tenants| tenants.iter().find(|it| it["tenant"] == "*" && it["setting"] == "mask"));
        assert_eq!(masked.map(|mask| &mask["value"]), Some(&"true".into()), "{shown}");
    }
}

/// What is commented out in the example is what holds without it.
#[test]
fn the_settings_that_are_commented_out_are_defaults() {
    let output = program().args(["config", "--output", "json"]).output().expect("the program runs");
    let shown: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let default =
        |key: &str| shown["settings"].as_array().and_then(|all| all.iter().find(|it| it["setting"] == key)).map(|it| it["value"].clone());
    let text = read("callgrade.toml");
    let top = text.split("\n[").next().unwrap_or_default();
    let setting = Regex::new("(?m)^#([a-z-]+) = ([0-9]+)$").expect("a pattern");
    let mut compared = 0;
    for found in setting.captures_iter(top) {
        assert_eq!(default(&found[1]), Some(found[2].into()), "{}", &found[1]);
        compared += 1;
    }
    assert!(compared > 5, "only {compared} settings were compared");
}

/// The metrics that expressions name.
fn queried(text: &str) -> BTreeSet<String> {
    let name = Regex::new("callgrade_[a-z_]+").expect("a pattern");
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_none_that_there_is_not() {
    let dashboard: Value = serde_json::from_str(&read("grafana/callgrade.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let expressions = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions: Vec<&str> = expressions.map(|target| target["expr"].as_str().expect("an expression")).collect();
    let declared: BTreeSet<String> = DECLARED
        .iter()
        .map(|metric| match metric.kind {
            Kind::Histogram(_) => format!("{}_bucket", metric.name),
            Kind::Counter | Kind::Gauge => metric.name.to_owned(),
        })
        .collect();
    assert_eq!(queried(&expressions.join("\n")), declared);
    // Labels that they are summed by are labels of the metrics, or put on by Prometheus.
    let by = Regex::new(r"by \(([a-z, ]+)\)").expect("a pattern");
    for expression in expressions {
        let metrics = queried(expression);
        let of =
            |metric: &&callgrade::telemetry::metrics::Declared| metrics.iter().any(|name| name.trim_end_matches("_bucket") == metric.name);
        let mut labels: BTreeSet<&str> = DECLARED.iter().filter(of).flat_map(|metric| metric.labels.iter().copied()).collect();
        labels.extend(["instance", "job", "le"]);
        for group in by.captures_iter(expression) {
            let all = group.get(1).expect("the labels").as_str().split(", ");
            let unknown: Vec<&str> = all.filter(|label| !labels.contains(label)).collect();
            assert!(unknown.is_empty(), "{expression}: {unknown:?}");
        }
    }
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
}

#[test]
fn each_metric_is_documented() {
    let mut table = String::from("| metric | kind | labels | what it tells |\n| --- | --- | --- | --- |\n");
    for metric in DECLARED {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        table.push_str(&format!("| `{}` | {kind} | {} | {} |\n", metric.name, labels.join(", "), metric.help).replace("|  |", "| |"));
    }
    let document = read("metrics.md");
    assert!(document.contains(&table), "deploy/metrics.md should have this table:\n{table}");
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_leaves_little_open() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: systemd unit (systemd-analyze is not installed)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let unit = folder.path().join("callgrade.service");
    let text = read("callgrade.service");
    assert!(text.contains("ExecStart=/usr/local/bin/callgrade serve "), "{text}");
    std::fs::write(&unit, text.replace("/usr/local/bin/callgrade", env!("CARGO_BIN_EXE_callgrade"))).expect("the unit is written");
    let output =
        Command::new("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).arg(&unit).output().expect("it runs");
    assert!(output.status.success() && stderr(&output).is_empty(), "{}", stderr(&output));
    // From 0, nothing open, to 100, everything.
    let output =
        Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=15"]).arg(&unit).output().expect("it runs");
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}
