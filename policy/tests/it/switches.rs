//! Which policies judge where: the author's `enabled`, and the fleet's `enable` and `disable`.

use writ_policy::{Labels, PolicySet, SourceFile, check};

fn policy(code: &str, custom: &str) -> SourceFile {
    let name = code.to_lowercase();
    let text = format!(
        "# METADATA\n# title: A policy\n# custom: {{code: {code}, severity: HIGH, kinds: [Pod], {custom}}}\n\
         package writ.{name}\n\ndeny contains \"no\" if input.review.object\n"
    );
    SourceFile { path: format!("{name}.rego"), text: text.into() }
}

/// WR1 judges, WR2 is off, WR3 and WR4 are off and in sets.
fn files(fleet: &str) -> Vec<SourceFile> {
    let text = format!("apiVersion: writ.dev/v1\nkind: Fleet\n{fleet}");
    vec![
        SourceFile { path: "fleet.yaml".into(), text: text.into() },
        policy("WR1", "enabled: true"),
        policy("WR2", "enabled: false"),
        policy("WR3", "enabled: false, sets: [restricted]"),
        policy("WR4", "enabled: false, sets: [restricted, baseline]"),
    ]
}

/// The codes of the policies that judge in a cluster with the label `env`.
fn on(fleet: &str, env: &str) -> Vec<String> {
    let files = files(fleet);
    let report = check(&files);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    let labels: Labels = [("env".to_owned(), env.to_owned())].into();
    let (policies, report) = PolicySet::load(&files, &report.fleet.settings_for(&labels));
    assert_eq!(report.policies.len(), 4, "policies that are off are listed");
    policies.policies().iter().map(|policy| policy.code.to_string()).collect()
}

#[test]
fn policies_are_as_their_authors_say_until_the_fleet_says_more() {
    let prod = "enable: [restricted]\nclusters: [{match: {env: prod}, disable: [restricted], enable: [WR3]}]\n";
    for (fleet, env, expected) in [
        ("", "dev", vec!["WR1"]),
        ("enable: [WR2]\ndisable: [WR1]\n", "dev", vec!["WR2"]),
        ("enable: [restricted]\n", "dev", vec!["WR1", "WR3", "WR4"]),
        ("enable: [restricted]\ndisable: [WR4]\n", "dev", vec!["WR1", "WR3"]),
        ("enable: [baseline]\ndisable: [restricted]\n", "dev", vec!["WR1", "WR4"]),
        (prod, "dev", vec!["WR1", "WR3", "WR4"]),
        (prod, "prod", vec!["WR1", "WR3"]),
        ("disable: [WR4]\nclusters: [{match: {env: prod}, enable: [restricted]}]\n", "prod", vec!["WR1", "WR3"]),
        ("disable: [WR1]\nclusters: [{match: {env: prod}, enable: [WR1]}]\n", "prod", vec!["WR1"]),
    ] {
        assert_eq!(on(fleet, env), expected, "{fleet:?} in {env}");
    }
}

#[test]
fn names_that_nothing_has_are_told() {
    let fleet = "enable: [WR1, WR9]\ndisable: [privileged]\nclusters:\n  - {enable: [WR2], disable: [WR2]}\n";
    let found: Vec<String> = check(&files(fleet)).diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "fleet.yaml:3:15: error: no policy has the code or the set `WR9`",
            "fleet.yaml:4:11: warning: no policy has the code or the set `privileged`",
            "fleet.yaml:6:15: error: one rule both enables and disables `WR2`",
        ]
    );
}

#[test]
fn policy_that_is_off_is_checked_all_the_same() {
    let mut files = files("");
    files.push(SourceFile {
        text: files[2].text.replace("WR2", "WR5").replace("wr2", "wr5").replace("input.review", "nothing(1)").into(),
        path: "wr5.rego".into(),
    });
    let found: Vec<String> = check(&files).diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["wr5.rego:6:23: error: there is no function `nothing`"]);
}
