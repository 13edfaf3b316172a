//! Gatekeeper's suites: read strictly, and judged as at admission.

use std::collections::BTreeMap;
use writ_policy::suite::{self, CaseEnd, CaseResult, Conditions, Filter};
use writ_policy::{Budget, SourceFile};

const TEMPLATE: &str = r#"
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: requiredlabels}
spec:
  crd:
    spec:
      names: {kind: RequiredLabels}
      validation:
        openAPIV3Schema:
          type: object
          properties:
            labels: {type: array, items: {type: string}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package requiredlabels

        violation[{"msg": msg, "details": {"label": label}}] {
          label := input.parameters.labels[_]
          not input.review.object.metadata.labels[label]
          msg := sprintf("label %v is missing", [label])
        }

        violation[{"msg": "the same", "details": {"number": number}}] {
          number := input.review.object.metadata.numbers[_]
        }

        violation[{"msg": "known"}] {
          data.inventory.namespace[_]["v1"]["Pod"][input.review.object.metadata.name]
          input.review.operation == "CREATE"
        }

        violation[{"msg": twice}] { twice := broken }

        broken = "one" { input.review.object.metadata.broken }
        broken = "two" { input.review.object.metadata.broken }
"#;
const CONSTRAINT: &str = r#"
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: RequiredLabels
metadata: {name: must-have-owner}
spec:
  enforcementAction: dryrun
  match: {kinds: [{apiGroups: [""], kinds: ["Pod"]}]}
  parameters: {labels: [owner, team]}
"#;

fn pod(metadata: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop, {metadata}}}\n")
}

/// The files of a suite in folder `suites`, whose tests are these lines below `tests:`.
fn files(tests: &str) -> BTreeMap<String, String> {
    let suite = format!("kind: Suite\napiVersion: test.gatekeeper.sh/v1alpha1\nmetadata: {{name: s}}\ntests:\n{tests}");
    let constraint_wrong = CONSTRAINT.replace("[owner, team]", "owner");
    let review = "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest:\n  operation: DELETE\n  oldObject:\n    \
                  apiVersion: v1\n    kind: Pod\n    metadata: {name: web, namespace: shop}\n";
    [
        ("suites/suite.yaml", suite),
        ("template.yaml", TEMPLATE.to_owned()),
        ("suites/constraint.yaml", CONSTRAINT.to_owned()),
        ("suites/wrong.yaml", constraint_wrong),
        ("suites/good.yaml", pod("labels: {owner: ada, team: shop}")),
        ("suites/bad.yaml", pod("labels: {owner: ada}")),
        ("suites/numbers.yaml", pod("labels: {owner: ada, team: shop}, numbers: [1, 2]")),
        ("suites/broken.yaml", pod("labels: {owner: ada, team: shop}, broken: true")),
        ("suites/two.yaml", format!("{}---\n{}", pod(""), pod(""))),
        ("suites/review.yaml", review.to_owned()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into()
}

fn run(tests: &str, filter: &str) -> Vec<CaseResult> {
    let files = files(tests);
    let file = |path: &str| match files.get(path) {
        Some(text) => Ok(SourceFile::new(path, text.as_bytes()).unwrap()),
        None => Err(format!("{path} does not exist")),
    };
    let suites = suite::read(&file("suites/suite.yaml").unwrap()).unwrap();
    let filter = Filter::new(filter).unwrap();
    let run = |interpreted: bool| -> Vec<CaseResult> {
        let conditions = Conditions { budget: Budget::default(), now: 0, interpreted };
        suites.iter().flat_map(|suite| suite::run(suite, &file, &filter, &conditions)).collect()
    };
    let (chosen, interpreted) = (run(false), run(true));
    let ends = |results: &[CaseResult]| results.iter().map(|result| format!("{:?}", result.end)).collect::<Vec<_>>();
    assert_eq!(ends(&chosen), ends(&interpreted), "both ways of deciding end alike");
    chosen
}

/// One test with these cases, each an object, more fields, and its assertions in flow form.
fn cases(listed: &[(&str, &str, &str)]) -> String {
    let case = |(number, (object, more, assertions)): (usize, &(&str, &str, &str))| {
        format!("  - {{name: case{number}, object: {object}, {more} assertions: {assertions}}}\n")
    };
    let listed: String = listed.iter().enumerate().map(case).collect();
    format!("- name: labels\n  template: ../template.yaml\n  constraint: constraint.yaml\n  cases:\n{listed}")
}

fn failure(result: &CaseResult) -> &str {
    if let CaseEnd::Failed(reason) = &result.end { reason } else { "" }
}

#[test]
fn cases_end_as_gatekeeper_would_end_them() {
    let passing = cases(&[
        ("good.yaml", "", "[{violations: no}]"),
        ("good.yaml", "", "[{violations: 0}]"),
        ("bad.yaml", "", "[{violations: yes}, {violations: 1, message: team}, {violations: no, message: owner}]"),
        ("bad.yaml", "", "[{message: '^label \\w+ is missing$'}]"),
        ("numbers.yaml", "", "[{violations: 2}]"),
        ("good.yaml", "inventory: [bad.yaml],", "[{violations: 1, message: known}]"),
        (
            "review.yaml",
            "inventory: [bad.yaml],",
            "[{violations: 2, message: missing}, {violations: no, message: known}]",
        ),
        ("broken.yaml", "", "[{violations: 1, message: conflict}]"),
        ("nowhere.yaml", "skip: true,", "[]"),
    ]);
    let results = run(&passing, "");
    let ends: Vec<_> = results.iter().map(|result| (result.case.as_str(), failure(result))).collect();
    assert!(results.iter().all(|result| !matches!(result.end, CaseEnd::Failed(_))), "{ends:?}");
    assert_eq!(results.last().unwrap().end, CaseEnd::Skipped);
    assert_eq!((results[2].held, results[2].line), (3, 11));
}

#[test]
fn failure_says_what_was_wanted_and_what_was_said_instead() {
    let failing = cases(&[
        ("good.yaml", "", "[{violations: yes}]"),
        ("bad.yaml", "", "[{violations: no}, {violations: yes}]"),
        ("broken.yaml", "", "[{violations: yes}]"),
        ("two.yaml", "", "[{violations: yes}]"),
        ("nowhere.yaml", "", "[{violations: yes}]"),
        ("../../outside.yaml", "", "[{violations: yes}]"),
    ]);
    let results = run(&failing, "");
    assert_eq!(failure(&results[0]), "wanted at least one violation, found 0\nnothing was said");
    assert_eq!(failure(&results[1]), "wanted no violation, found 1\nsaid: label team is missing");
    assert_eq!(results[1].held, 1);
    assert!(failure(&results[2]).contains("could not be evaluated"), "{}", failure(&results[2]));
    assert_eq!(failure(&results[3]), "suites/two.yaml holds several objects; a case judges one");
    assert_eq!(failure(&results[4]), "suites/nowhere.yaml does not exist");
    assert_eq!(failure(&results[5]), "`../../outside.yaml` is outside of the folder that is verified");
}

#[test]
fn invalid_constraint_is_asked_for_by_name() {
    let test = |constraint: &str, more: &str| {
        format!("- {{name: t, template: ../template.yaml, constraint: {constraint}, {more}}}\n")
    };
    let end = |text: String| run(&text, "").remove(0).end;
    assert_eq!(end(test("wrong.yaml", "invalid: true")), CaseEnd::Passed);
    assert_eq!(end(test("wrong.yaml", "skip: true")), CaseEnd::Skipped);
    for (constraint, more, reason) in [
        ("constraint.yaml", "invalid: true", "nothing is wrong with it"),
        ("wrong.yaml", "invalid: false", "suites/wrong.yaml:8:"),
        ("good.yaml", "invalid: false", "declares 0 constraints"),
        ("constraint.yaml", "expansion: e.yaml", "`expansion` is not supported"),
    ] {
        let end = end(test(constraint, more));
        assert!(matches!(&end, CaseEnd::Failed(text) if text.contains(reason)), "{constraint} {more}: {end:?}");
    }
}

#[test]
fn filter_leaves_out_what_it_does_not_name() {
    let both = cases(&[("good.yaml", "", "[{violations: no}]"), ("bad.yaml", "", "[{violations: yes}]")]);
    assert_eq!(run(&both, "labels//case1").len(), 1);
    assert_eq!(run(&both, "case0").len(), 1);
    assert_eq!(run(&both, "other").len(), 0);
}

#[test]
fn what_would_assert_nothing_is_told_with_its_place() {
    let text = "apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\ntests:\n- name: a\n  template: t.yaml\n  cases:\n  - \
                object: o.yaml\n    asserts: []\n  - object: o.yaml\n    assertions:\n    - violations: maybe\n    - \
                message: '('\n";
    let findings = suite::read(&SourceFile { path: "s.yaml".into(), text: text.into() }).unwrap_err();
    let shown: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "s.yaml:4:3: error: the test names no `constraint`",
            "s.yaml:8:5: error: a case has no field `asserts`",
            "s.yaml:7:5: error: the case asserts nothing",
            "s.yaml:11:19: error: `violations` is maybe",
            "s.yaml:12:16: error: `message` is not a pattern (RE2)",
        ]
    );
    assert!(findings.iter().all(|finding| finding.help.is_some()));
}
