//! Teams' own policies: they add denials in the team's namespaces and reach nothing else.

use serde_json::json;
use std::time::Duration;
use writ_policy::{Budget, Decision, Inventory, Labels, NoInventory, Outcome, PolicySet, SourceFile, check};

const TEAM: &str =
    "apiVersion: writ.dev/v1\nkind: NamespacePolicies\nmetadata: {name: shop}\nspec: {namespaces: [shop, shop-*]}\n";

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

fn policy(path: &str, code: &str, package: &str, rules: &str) -> SourceFile {
    let head = format!("# METADATA\n# title: A policy\n# custom: {{code: {code}, severity: HIGH, kinds: [\"*\"]}}\n");
    file(path, &format!("{head}package {package}\n\n{rules}\n"))
}

fn objects(path: &str, code: &str, package: &str) -> SourceFile {
    policy(path, code, package, "deny contains \"no\" if input.review.object.bad")
}

/// The platform's policy, the team's, and more.
fn repository(more: Vec<SourceFile>) -> Vec<SourceFile> {
    let fleet = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\n";
    let own = [
        file("fleet.yaml", fleet),
        objects("policies/one.rego", "WR1", "writ.one"),
        file("teams/shop/policies.yaml", TEAM),
        objects("teams/shop/no_bad.rego", "SHOP1", "writ.teams.shop.no_bad"),
    ];
    own.into_iter().chain(more).collect()
}

fn load(files: &[SourceFile]) -> PolicySet {
    let report = check(files);
    assert!(report.diagnostics.is_empty(), "{:?}", report.diagnostics);
    PolicySet::load(files, &report.fleet.settings_for(&Labels::new())).0
}

fn decide(policies: &mut PolicySet, kind: &str, namespace: &str, budget: &Budget, known: &dyn Inventory) -> Decision {
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": kind}, "namespace": namespace,
        "name": "web", "object": {"bad": true}}});
    policies.decide(review.to_string().as_bytes(), known, budget, 7).unwrap().decision
}

fn codes(decision: &Decision) -> Vec<&str> {
    decision.results.iter().map(|result| result.policy.code.as_str()).collect()
}

#[test]
fn team_judges_in_its_namespaces_beside_the_platform_and_nowhere_else() {
    let mut policies = load(&repository(vec![]));
    for (kind, namespace, expected) in [
        ("Pod", "shop", vec!["SHOP1", "WR1"]),
        ("Pod", "shop-test", vec!["SHOP1", "WR1"]),
        ("Pod", "bank", vec!["WR1"]),
        ("Pod", "workshop", vec!["WR1"]),
        ("Node", "", vec!["WR1"]),
        ("Namespace", "shop", vec!["WR1"]),
    ] {
        let decision = decide(&mut policies, kind, namespace, &Budget::default(), &NoInventory);
        assert_eq!(codes(&decision), expected, "{kind} in {namespace}");
        assert!(!decision.is_allowed());
    }
    let info = policies.policies()[0].clone();
    assert_eq!((info.name.as_str(), info.namespaces.len()), ("shop-no-bad", 2));
}

#[test]
fn slow_policies_of_a_team_leave_the_platforms_their_time() {
    let endless = "deny contains \"never\" if {\n\tsome a in numbers.range(1, 30000)\n\tsome b in numbers.range(1, 30000)\n\ta * b == -1\n}";
    let slow = |code: &str| {
        let name = code.to_lowercase();
        policy(&format!("teams/shop/{name}.rego"), code, &format!("writ.teams.shop.{name}"), endless)
    };
    let mut policies = load(&repository(vec![slow("AA1"), slow("AA2"), slow("AA3")]));
    let limit = Duration::from_millis(400);
    let budget = Budget { per_policy: limit / 2, per_review: limit };
    let decision = decide(&mut policies, "Pod", "shop", &budget, &NoInventory);
    assert_eq!(codes(&decision), ["AA1", "AA2", "AA3", "SHOP1", "WR1"], "told in the order of codes");
    let is_error = |code: &str| {
        let result = decision.results.iter().find(|result| result.policy.code.as_str() == code).unwrap();
        matches!(result.outcome, Outcome::Error(_))
    };
    assert!(is_error("AA1") && !is_error("WR1"), "{decision:?}");
}

/// What the check says first of these files beside the repository's.
fn finding(more: Vec<SourceFile>) -> String {
    let found: Vec<String> = check(&repository(more)).diagnostics.iter().map(ToString::to_string).collect();
    found.join("\n")
}

fn exemption(code: &str) -> SourceFile {
    let spec = format!("{{policies: [{code}], reason: it moves, approvedBy: ada, expires: 2030-01-31}}");
    file(
        "teams/shop/e.yaml",
        &format!("apiVersion: writ.dev/v1\nkind: Exemption\nmetadata: {{name: a}}\nspec: {spec}\n"),
    )
}

#[test]
fn team_exempts_from_its_own_and_nobody_depends_on_a_team() {
    assert_eq!(finding(vec![exemption("SHOP1")]), "");
    let uses = "import data.writ.teams.shop.no_bad\n\ndeny contains \"x\" if no_bad.deny";
    let found = finding(vec![policy("policies/two.rego", "WR2", "writ.two", uses)]);
    assert!(found.contains("packages of team `shop` are used outside of teams/shop/"), "{found}");
}

#[test]
fn what_reaches_beyond_the_team_is_refused() {
    let team = |path: &str, name: &str, namespaces: &str| {
        let text = TEAM.replace("shop}", &format!("{name}}}")).replace("shop, shop-*", namespaces);
        file(path, &text)
    };
    let rego = |path: &str, text: &str| file(path, text);
    for (more, expected) in [
        (
            file("teams/shop/f.yaml", "apiVersion: writ.dev/v1\nkind: Fleet\n"),
            "`kind: Fleet` in the folder of team `shop`",
        ),
        (
            file("teams/shop/t.yaml", "apiVersion: config.gatekeeper.sh/v1alpha1\nkind: Config\n"),
            "`kind: Config` in the folder of team `shop`",
        ),
        (exemption("WR1"), "the exemption `a` of team `shop` covers WR1"),
        (objects("teams/shop/two.rego", "SHOP2", "writ.two"), "team `shop` has no package `writ.two`"),
        // It would join the platform's library, and so what the platform's policies say.
        (
            rego("teams/shop/lib.rego", "package writ.lib.names\n\nis_short := true\n"),
            "has no package `writ.lib.names`",
        ),
        (
            objects("policies/theirs.rego", "WR2", "writ.teams.shop.theirs"),
            "the package `writ.teams.shop.theirs` is of team `shop`",
        ),
        (
            policy(
                "teams/shop/spy.rego",
                "SHOP3",
                "writ.teams.shop.spy",
                "deny contains \"x\" if data.inventory.cluster",
            ),
            "reads the cluster's other objects",
        ),
        (
            policy("teams/shop/spy.rego", "SHOP3", "writ.teams.shop.spy", "deny contains \"x\" if data[input.a].b"),
            "reads the cluster's other objects",
        ),
        (team("policies.yaml", "all", "all-*"), "would own all of it"),
        (team("teams/shop/deep/p.yaml", "deep", "deep"), "is also of team `shop`"),
        (team("teams/bank/p.yaml", "bank", "\"*\""), "a namespace is a name, or a glob"),
        (team("teams/other/p.yaml", "shop", "other"), "team `shop` is already declared"),
        (team("teams/bank/p.yaml", "bank", "bank"), "warning: team `bank` has no policy below teams/bank/"),
        (file("teams/bank/p.yaml", &TEAM.replace("namespaces:", "namespace:")), "has no field `namespace` there"),
    ] {
        let path = more.path.clone();
        let found = finding(vec![more]);
        assert!(found.contains(expected) && found.contains(&path), "{path}: {found}");
    }
}

#[test]
fn team_uses_the_platforms_libraries_and_its_own() {
    let own = "package teams.shop.words\n\nbad(object) if object.bad\n";
    let lib = "package writ.lib.objects\n\nobject := input.review.object\n";
    let test = "package writ.teams.shop.both_test\n\nimport data.writ.teams.shop.both\n\n\
                test_bad if count(both.deny) == 1 with input as {\"review\": {\"object\": {\"bad\": true}}}\n";
    let uses = "import data.teams.shop.words\nimport data.writ.lib.objects\n\ndeny contains \"both\" if words.bad(objects.object)";
    let files = repository(vec![
        file("teams/shop/words.rego", own),
        file("lib/objects.rego", lib),
        file("teams/shop/both_test.rego", test),
        policy("teams/shop/both.rego", "SHOP2", "writ.teams.shop.both", uses),
    ]);
    let decision = decide(&mut load(&files), "Pod", "shop", &Budget::default(), &NoInventory);
    assert_eq!(codes(&decision), ["SHOP1", "SHOP2", "WR1"]);
    let results = writ_policy::unit_test::run_tests(&files, Duration::from_secs(1));
    assert!(!results.is_empty() && results.iter().all(|result| result.failure.is_none()), "{results:?}");
}
