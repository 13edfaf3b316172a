//! Alerts and the Grafana dashboard: Prometheus' own checks, and that each metric they name is one that hub or agent has.

use regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use writ_e2e::skipped;

const ALERTS: &str = "deploy/alerts/writ.yaml";

#[test]
fn alerts_fire_as_their_tests_say() {
    if Command::new("promtool").arg("--version").output().is_err() {
        return skipped("alerts_fire_as_their_tests_say", "promtool is not installed (Debian: prometheus)");
    }
    for arguments in [["check", "rules", "writ.yaml"], ["test", "rules", "writ_test.yaml"]] {
        let ran = Command::new("promtool").args(arguments).current_dir(root().join("deploy/alerts")).output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn every_alert_has_a_test() {
    let tests = read("deploy/alerts/writ_test.yaml");
    let alert = Regex::new(r"- alert: (\w+)").unwrap();
    for found in alert.captures_iter(&read(ALERTS)) {
        let fires = format!("alertname: {}\n        exp_alerts", &found[1]);
        assert!(tests.contains(&fires), "no test lets {} fire", &found[1]);
    }
}

#[test]
fn every_metric_that_is_asked_for_exists() {
    let agent = ["agent/src/metrics.rs", "agent/src/metrics/audit.rs"];
    let agent = agent.into_iter().flat_map(|file| registered(file, "writ_agent"));
    let exist: BTreeSet<String> = agent.chain(registered("hub/src/metrics.rs", "writ_hub")).collect();
    let name = Regex::new(r"\bwrit_(agent|hub)_[a-z_]+").unwrap();
    for file in [ALERTS, "deploy/grafana/writ.json", "docs/OPERATIONS.md"] {
        for found in name.find_iter(&read(file)) {
            let asked = found.as_str();
            let base = ["_total", "_bucket", "_count", "_sum"].iter().find_map(|ending| asked.strip_suffix(ending));
            assert!(exist.contains(base.unwrap_or(asked)), "{file} names {asked}, which neither hub nor agent has");
        }
    }
}

#[test]
fn dashboard_is_json() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("deploy/grafana/writ.json")).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 10);
}

/// Names that a source file registers: the text literals before a help text.
fn registered(file: &str, prefix: &'static str) -> impl Iterator<Item = String> {
    let literal = Regex::new(r#""([a-z_]+)",\s+"[A-Z]"#).unwrap();
    let text = read(file);
    let names: Vec<String> = literal.captures_iter(&text).map(|found| format!("{prefix}_{}", &found[1])).collect();
    names.into_iter()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}
