//! What one review leaves behind for the next one, and what is left of its time for the other policies.

use std::time::Duration;
use writ_policy::{Action, Budget, Decision, DenyLevel, NoInventory, Outcome, PolicySet, Settings, SourceFile};

/// A function that errs for an object that is `odd`.
const ERRS: &str = "
errs(object) := 1 if object.odd
errs(object) := 2 if object.odd
errs(object) := [1] if not object.odd
";
/// A rule that never ends.
const ENDLESS: &str = "
endless if {
	some a in numbers.range(1, 30000)
	some b in numbers.range(1, 30000)
	a * b == -1
}
";

fn policy(code: &str, rules: &str) -> SourceFile {
    let name = code.to_lowercase();
    let text = format!(
        "# METADATA\n# title: A policy\n# custom:\n#   code: {code}\n#   severity: HIGH\n#   kinds: [Pod]\n\
         package writ.{name}\n\n{rules}"
    );
    SourceFile { path: format!("{name}.rego"), text: text.into() }
}

fn load(files: &[SourceFile]) -> PolicySet {
    let settings = Settings { deny_level: DenyLevel::High, ..Settings::default() };
    let (policies, report) = PolicySet::load(files, &settings);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    policies
}

fn decide(policies: &mut PolicySet, object: &str) -> Decision {
    decide_within(policies, object, &Budget::default())
}

fn decide_within(policies: &mut PolicySet, object: &str, budget: &Budget) -> Decision {
    let review = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"1","operation":"CREATE",
        "kind":{{"group":"","version":"v1","kind":"Pod"}},"namespace":"shop","name":"web","object":{object}}}}}"#
    );
    policies.decide(review.as_bytes(), &NoInventory, budget, 7).unwrap().decision
}

fn is_error(decision: &Decision) -> bool {
    matches!(decision.results[0].outcome, Outcome::Error(_))
}

#[test]
fn review_that_a_policy_errs_on_leaves_nothing_behind() {
    for (replaced, shown) in [("time.now_ns as 5", "time.now_ns()"), ("data.writ.wr1.limit as 5", "limit")] {
        let rules = format!(
            "{ERRS}
limit := 1
again if limit == 1
deny contains sprintf(\"%v\", [{shown}])
deny contains \"again\" if again with input as {{}}
deny contains \"never\" if errs(input.review.object)[_] == 2 with {replaced}
"
        );
        let mut policies = load(&[policy("WR1", &rules)]);
        let before = decide(&mut policies, "{}");
        assert!(!is_error(&before));
        assert!(is_error(&decide(&mut policies, r#"{"odd": true}"#)), "{replaced}");
        assert_eq!(decide(&mut policies, "{}").results[0].outcome, before.results[0].outcome, "{replaced}");
    }
}

#[test]
fn error_in_one_of_several_functions_is_never_a_pass() {
    for cause in ["endless", "count(numbers.range(1, 40000000)) > 1"] {
        let rules = format!(
            "{ENDLESS}
value(object) := 1 if {{ object.name; {cause} }}
value(object) := 2 if object
deny contains \"one\" if value(input.review) == 1
"
        );
        let decision = decide(&mut load(&[policy("WR1", &rules)]), "{}");
        assert!(is_error(&decision) && decision.results[0].action() == Some(Action::Deny), "{cause}: {decision:?}");
    }
}

#[test]
fn policies_that_never_end_leave_time_for_the_others() {
    let endless = format!("{ENDLESS}\ndeny contains \"never\" if endless\n");
    let objects = "deny contains \"no\" if input.review.object\n";
    let mut policies = load(&[policy("WR1", &endless), policy("WR2", &endless), policy("WR3", objects)]);
    let limit = Duration::from_millis(500);
    let decision = decide_within(&mut policies, "{}", &Budget { per_policy: limit, per_review: limit * 2 });
    let outcomes: Vec<&Outcome> = decision.results.iter().map(|result| &result.outcome).collect();
    let [Outcome::Error(_), Outcome::Error(_), Outcome::Fail(_)] = outcomes[..] else { panic!("{outcomes:?}") };
}

#[test]
fn policy_that_needs_more_than_its_share_gets_what_the_others_left() {
    let slow =
        "deny contains \"slow\" if {\n\tnumbers.range(1, 1000)[a] > numbers.range(1, 500)[b]\n\ta + b == 1400\n}\n";
    let others = (10..60).map(|code| policy(&format!("WR{code}"), "deny contains \"never\" if input.nothing\n"));
    let files: Vec<SourceFile> = [policy("WR0", slow)].into_iter().chain(others).collect();
    let limit = Duration::from_secs(20);
    let decision = decide_within(&mut load(&files), "{}", &Budget { per_policy: limit, per_review: limit });
    assert!(matches!(decision.results[0].outcome, Outcome::Fail(_)), "{:?}", decision.results[0]);
}

/// A review of an object with so many objects within each other.
fn nested(levels: usize) -> String {
    let object = format!("{}\"x\"{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"1","operation":"CREATE",
        "kind":{{"group":"x.example","version":"v1","kind":"Deep"}},"name":"d","object":{object}}}}}"#
    )
}

#[test]
fn what_is_nested_too_deep_is_refused_in_words() {
    let (mut policies, _) = PolicySet::load(&[], &Settings::default());
    let mut decide = |levels| policies.decide(nested(levels).as_bytes(), &NoInventory, &Budget::default(), 0);
    assert!(decide(125).is_ok());
    let refused = decide(5_000).unwrap_err().to_string();
    assert_eq!(refused, "not an AdmissionReview: it is nested 5002 levels deep, and at most 127 are read");
    assert_eq!(
        decide(126).unwrap_err().to_string().split(" deep").next(),
        Some("not an AdmissionReview: it is nested 128 levels")
    );
}
