//! The library of ready policies: each is off, has tests, a page and a place in the README; and what its page shows as
//! broken and as mended is judged so.

use crate::files::template;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use writ_policy::{Budget, Inventory, Outcome, PolicyInfo, PolicySet, Replicated, Settings, SourceFile, check};

#[test]
fn every_policy_is_off_and_has_tests_and_a_page() {
    let files = template();
    let has = |path: &str| files.iter().any(|file| file.path == path);
    let policies = library();
    assert!(policies.len() > 40, "only {} policies were found", policies.len());
    for policy in policies {
        let (code, page) = (&policy.code, page(&files, &policy));
        assert!(!policy.enabled, "{code} is on");
        assert!(has(&policy.path.replace(".rego", "_test.rego")), "{code} has no tests");
        assert!(page.starts_with(&format!("# {code}: ")), "the page of {code} begins with another title");
        assert!(page.contains(&format!("`{}`", policy.path)), "the page of {code} names another file");
        for set in &policy.sets {
            assert!(page.contains(&format!("`{set}`")), "the page of {code} does not name its set {set}");
            let section = set.trim_start_matches("cis-");
            assert!(
                set.starts_with("pss-") || page.contains(&format!(", {section}:")),
                "{code} does not explain {set}"
            );
        }
        assert!(!policy.sets.is_empty() || page.contains("\nNo set: "), "{code} is in no set and does not say why");
    }
}

#[test]
fn policies_of_pods_leave_templates_to_the_expansion() {
    let is_workload =
        |kind: &String| ["Deployment", "StatefulSet", "DaemonSet", "Job"].iter().any(|name| kind.ends_with(name));
    for policy in library().iter().filter(|policy| policy.kinds.iter().any(|kind| kind == "Pod")) {
        let judges_twice = policy.kinds.iter().any(is_workload) && policy.expand;
        assert!(!judges_twice, "{} judges workloads and the pods that they imply", policy.code);
    }
}

#[test]
fn readme_lists_every_policy() {
    let files = template();
    let readme = &files.iter().find(|file| file.path == "library/README.md").unwrap().text;
    let mut expected = "| code | title | severity | sets | parameters |\n|---|---|---|---|---|\n".to_owned();
    for policy in library() {
        let (code, severity) = (&policy.code, policy.severity.unwrap());
        let sets = policy.sets.join(", ");
        let parameters = parameters(&files, &policy).join(", ");
        let title = &policy.title;
        writeln!(expected, "| [{code}](../docs/{code}.md) | {title} | {severity} | {sets} | {parameters} |").unwrap();
    }
    assert!(readme.contains(&expected), "the table of library/README.md is to be:\n{expected}");
}

#[test]
fn pages_show_what_is_refused_and_how_it_passes() {
    let files = template();
    for policy in library() {
        let (page, code) = (page(&files, &policy), &policy.code);
        let [before, after] = examples(page);
        // What is to be applied first is replicated by the time that the object is judged again.
        let is_companion = page.contains("\nsync: [") && before["kind"] != after["kind"];
        let known = Known(if is_companion { vec![taken_host(), after.clone()] } else { vec![taken_host()] });
        let mended = if is_companion { &before } else { &after };
        let mut policies = turned_on(&files, &policy);
        assert!(
            objects(&mut policies, &before, &Known(vec![taken_host()])),
            "{code} does not refuse what its page says"
        );
        assert!(!objects(&mut policies, mended, &known), "{code} refuses what its page shows as mended");
    }
}

/// The library's policies, sorted by code.
fn library() -> Vec<PolicyInfo> {
    let report = check(&template());
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    report.policies.into_iter().filter(|policy| policy.path.starts_with("library/")).collect()
}

fn page<'a>(files: &'a [SourceFile], policy: &PolicyInfo) -> &'a str {
    let path = format!("docs/{}.md", policy.code);
    &files.iter().find(|file| file.path == path).expect("every policy has a page").text
}

/// Names of the parameters, as code, sorted.
fn parameters(files: &[SourceFile], policy: &PolicyInfo) -> Vec<String> {
    let text = &files.iter().find(|file| file.path == policy.path).unwrap().text;
    let comment: String = text.lines().map_while(|line| line.strip_prefix('#')).skip(1).fold(String::new(), line);
    let metadata: Value = serde_saphyr::from_str(&comment).unwrap();
    let parameters = metadata["custom"]["parameters"].as_object().cloned().unwrap_or_default();
    let mut names: Vec<String> = parameters.keys().map(|name| format!("`{name}`")).collect();
    names.sort();
    names
}

fn line(mut text: String, line: &str) -> String {
    text.push_str(line);
    text.push('\n');
    text
}

/// The objects of a page below `Before:` and `After:`.
fn examples(page: &str) -> [Value; 2] {
    ["Before:\n```yaml\n", "After:\n```yaml\n"].map(|head| {
        let (_, rest) = page.split_once(head).expect("a page has both examples");
        serde_saphyr::from_str(rest.split_once("```").unwrap().0).unwrap()
    })
}

/// The policy with its libraries. A fleet turns on WR1001 together with its list.
fn turned_on(files: &[SourceFile], policy: &PolicyInfo) -> PolicySet {
    let is_needed = |file: &&SourceFile| file.path == policy.path || file.path.contains("/lib/");
    let on =
        |file: &SourceFile| SourceFile { text: file.text.replace("#   enabled: false\n", "").into(), ..file.clone() };
    let needed: Vec<SourceFile> = files.iter().filter(is_needed).map(on).collect();
    let mut settings = Settings::default();
    let repos = json!({"repos": ["registry.example"]});
    settings.parameters.insert("WR1001".into(), repos.as_object().unwrap().clone());
    let (policies, report) = PolicySet::load(&needed, &settings);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    policies
}

/// Whether the policy has something against the object.
fn objects(policies: &mut PolicySet, object: &Value, known: &Known) -> bool {
    let (group, version) = object["apiVersion"].as_str().unwrap().rsplit_once('/').unwrap_or(("", "v1"));
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "kind": {"group": group, "version": version, "kind": object["kind"]},
        "namespace": object["metadata"]["namespace"], "name": object["metadata"]["name"], "object": object,
    }});
    let decided = policies.decide(review.to_string().as_bytes(), known, &Budget::default(), 0).unwrap();
    assert!(!decided.decision.results.is_empty(), "no policy was asked of {object}");
    let outcomes: Vec<&Outcome> = decided.decision.results.iter().map(|result| &result.outcome).collect();
    assert!(!outcomes.iter().any(|outcome| matches!(outcome, Outcome::Error(_))), "{outcomes:?}");
    outcomes.iter().any(|outcome| matches!(outcome, Outcome::Fail(_)))
}

/// An Ingress of another team.
fn taken_host() -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "front", "namespace": "pay"},
        "spec": {"rules": [{"host": "pay.example"}]}})
}

/// What the cluster has replicated.
struct Known(Vec<Value>);

impl Inventory for Known {
    fn namespace(&self, _: &str) -> Option<Arc<str>> {
        None
    }

    fn version(&self) -> u64 {
        self.0.len() as u64
    }

    fn objects(&self) -> Vec<Replicated> {
        let text = |value: &Value| Arc::from(value.as_str().unwrap());
        let replicated = |object: &Value| Replicated {
            api_version: text(&object["apiVersion"]),
            kind: text(&object["kind"]),
            resource: format!("{}s", object["kind"].as_str().unwrap().to_lowercase()).into(),
            namespace: Some(text(&object["metadata"]["namespace"])),
            name: text(&object["metadata"]["name"]),
            json: object.to_string().into(),
        };
        self.0.iter().map(replicated).collect()
    }
}
