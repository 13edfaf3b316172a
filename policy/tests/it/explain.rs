//! Whose word decides, as `writ explain` tells it.

use writ_policy::explain::{Question, explain};
use writ_policy::{Action, Labels, SourceFile};

const POLICY: &str = "# METADATA\n# title: One\n# custom: {code: WR1, severity: LOW, kinds: [Pod]}\npackage writ.one\n\n\
    deny contains \"no\" if input.review\n";
const FLEET: &str = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\nclusters:\n  - match: {env: prod}\n    \
    denyLevel: HIGH\n  - match: {env: test}\n    actions: {WR1: dryrun}\n  - match: {env: lab}\n    disable: [WR1]\n\
    namespaces: {mayTighten: true, exclude: [kube-system]}\n";

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

/// The action, and what won, for a cluster's `env` and a namespace whose owners ask for this level.
fn told(env: &str, namespace: &str, level: &str) -> (Option<Action>, Vec<String>) {
    let files = [file("one.rego", POLICY), file("fleet.yaml", FLEET)];
    let report = writ_policy::check(&files);
    let labels = Labels::from([("env".to_owned(), env.to_owned())]);
    let object = format!(r#"{{"metadata": {{"labels": {{"writ.dev/deny-level": "{level}"}}}}}}"#);
    let explanation = explain(&Question {
        policy: &report.policies[0],
        fleet: &report.fleet,
        fleet_file: Some(&files[1]),
        labels: &labels,
        namespace,
        namespace_object: (!level.is_empty()).then_some(&object),
        now: 0,
    });
    let won = explanation.words.iter().filter(|word| word.wins);
    (explanation.action, won.map(|word| format!("{}: {}", word.place, word.says)).collect())
}

#[test]
fn the_word_that_wins_is_named_with_its_line() {
    for (env, namespace, level, action, won) in [
        ("dev", "shop", "", Some(Action::Warn), "fleet.yaml:3: denyLevel LOW"),
        ("prod", "shop", "", Some(Action::Deny), "fleet.yaml:6: denyLevel HIGH"),
        ("test", "shop", "HIGH", Some(Action::Dryrun), "fleet.yaml:8: actions WR1: dryrun"),
        ("dev", "shop", "HIGH", Some(Action::Deny), "namespace shop: writ.dev/deny-level HIGH"),
        ("dev", "shop", "OFF", Some(Action::Warn), "fleet.yaml:3: denyLevel LOW"),
        ("lab", "shop", "", None, "fleet.yaml:10: disable WR1"),
        ("prod", "kube-system", "", None, "fleet.yaml:11: the namespace kube-system is excluded"),
    ] {
        assert_eq!(told(env, namespace, level), (action, vec![won.to_owned()]), "{env} {namespace} {level}");
    }
}
