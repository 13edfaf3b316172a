//! `writ eval` on Kubernetes objects: the same verdict as admission, told in every format.

use crate::support::{home, writ, writ_with};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use writ_policy::{Budget, Fleet, NoInventory, Revision, SourceFile};
use writ_runtime::{Evaluator, EvaluatorConfig};

const MANIFESTS: &str = "---
# Source: web/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: app
          image: registry.example/app:1
          securityContext: {privileged: true}
---
# Source: web/templates/nothing.yaml
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: {name: web, namespace: shop}
    spec: {ports: [{name: http, port: 443}]}
  - apiVersion: policy/v1
    kind: PodDisruptionBudget
    metadata: {name: web, namespace: shop}
    spec: {maxUnavailable: 50%}
";

/// The template's repository, and manifests beside it.
fn setting() -> tempfile::TempDir {
    let home = home();
    let made = writ_with(home.path(), &["init", "policies"], &[]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    fs::write(home.path().join("web.yaml"), MANIFESTS).unwrap();
    home
}

fn files(dir: &Path, prefix: &str) -> Vec<SourceFile> {
    let mut found = vec![];
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() && !path.starts_with('.') {
            found.extend(files(&entry.path(), &format!("{path}/")));
        } else if entry.path().is_file() && writ_policy::source::is_relevant(&path) {
            found.push(SourceFile::new(&path, &fs::read(entry.path()).unwrap()).unwrap());
        }
    }
    found
}

/// The webhook's evaluator with the policies of a folder, for a cluster with this label.
async fn evaluator(dir: &Path, (key, value): (&str, &str)) -> Evaluator {
    let files = files(dir, "");
    let fleet = files.iter().find(|file| file.path == "fleet.yaml").map(|file| Fleet::parse(file).unwrap());
    let labels = [(key.to_owned(), value.to_owned())].into_iter().collect();
    let settings = fleet.unwrap_or_default().settings_for(&labels);
    let config = EvaluatorConfig { workers: 1, queue: 8, budget: Budget::default() };
    let evaluator = Evaluator::start(config, Arc::new(NoInventory));
    assert!(evaluator.apply(Revision::new("a".repeat(40)).unwrap(), files.into(), settings).await.unwrap().is_ok());
    evaluator
}

/// The sentences of a review's denial and warnings, and whether it is denied.
async fn admitted(evaluator: &Evaluator, review: &Value) -> (Vec<String>, bool) {
    let soon = Instant::now() + Duration::from_secs(60);
    let answered = evaluator.decide(review.to_string().into(), 0, soon).await.unwrap();
    let answer: Value = serde_json::from_slice(&answered.response).unwrap();
    let warnings = answer["response"]["warnings"].as_array().cloned().unwrap_or_default();
    let said = warnings.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect();
    (said, answer["response"]["allowed"] == false)
}

fn review(group: &str, kind: &str, resource: &str, object: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": resource},
        "operation": "CREATE", "namespace": "shop", "name": "web", "userInfo": {"username": "ada"}, "object": object,
    }})
}

/// What `writ eval` says of a file, in the same form.
fn evaluated(shown: &Value, file: &str) -> (Vec<String>, bool) {
    let group = shown.as_array().unwrap().iter().find(|group| group["filename"] == file).unwrap();
    let mut said = vec![];
    for list in ["failures", "warnings"] {
        for entry in group[list].as_array().into_iter().flatten() {
            let message = entry["msg"].as_str().unwrap();
            said.push(message.split_once(": ").unwrap().1.to_owned());
        }
    }
    said.sort();
    (said, group.get("failures").is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn verdict_is_the_one_of_admission() {
    let home = setting();
    let policies = home.path().join("policies");
    let container = json!({"name": "app", "image": "a:1", "securityContext": {"privileged": true}});
    let pod = json!({"containers": [container]});
    let meta = json!({"name": "web", "namespace": "shop"});
    let objects = [
        (
            "apps",
            "Deployment",
            "deployments",
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": {"spec": pod}}}),
        ),
        ("", "Pod", "pods", json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod})),
        (
            "",
            "Service",
            "services",
            json!({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"type": "NodePort", "ports": [{"name": "http", "port": 443, "nodePort": 31000}]}}),
        ),
        (
            "policy",
            "PodDisruptionBudget",
            "poddisruptionbudgets",
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": {"minAvailable": 1}}),
        ),
        ("", "ConfigMap", "configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})),
    ];
    fs::create_dir(home.path().join("objects")).unwrap();
    for (_, kind, _, object) in &objects {
        fs::write(home.path().join(format!("objects/{kind}.json")), object.to_string()).unwrap();
    }
    for label in [("env", "prod"), ("env", "dev")] {
        let labels = format!("{}={}", label.0, label.1);
        let arguments = ["eval", "--policies", "policies", "--cluster-labels", &labels, "-o", "json", "objects"];
        let shown: Value = serde_json::from_str(&writ(home.path(), &arguments).stdout).unwrap();
        let evaluator = evaluator(&policies, label).await;
        for (group, kind, resource, object) in &objects {
            let at_admission = admitted(&evaluator, &review(group, kind, resource, object)).await;
            assert_eq!(evaluated(&shown, &format!("objects/{kind}.json")), at_admission, "{kind} {labels}");
        }
    }
}

#[test]
fn each_object_is_told_with_its_line() {
    let home = setting();
    let ended = writ(home.path(), &["eval", "--policies", "policies", "web.yaml"]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let failed: Vec<&str> = ended.stdout.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert_eq!(
        failed,
        [
            "FAIL - web.yaml:3 - admission - Deployment shop/web: [FAIL] HIGH - Found privileged Security Context for container \"app\" (MT2001)",
            "FAIL - web.yaml:19 - admission - Service shop/web: [FAIL] HIGH - Logical port name \"http\" mismatch with port number \"443\" for service \"web\" (MT1006)",
        ]
    );
    assert!(ended.stdout.contains("4 warnings, 2 failures"), "{}", ended.stdout);
    let deleted = writ(home.path(), &["eval", "--policies", "policies", "--operation", "DELETE", "web.yaml"]);
    assert_eq!(deleted.code, 0, "the twelve judge no deletion: {}", deleted.stdout);
}

#[test]
fn warnings_fail_only_when_asked() {
    let home = setting();
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: app, image: a}]}\n";
    fs::write(home.path().join("pod.yaml"), manifest).unwrap();
    let eval = |more: &[&str], file: &str| {
        let arguments = [&["eval", "--policies", "policies", file], more].concat();
        writ(home.path(), &arguments).code
    };
    assert_eq!(eval(&[], "pod.yaml"), 0);
    assert_eq!(eval(&["--fail-on-warn"], "pod.yaml"), 1);
    assert_eq!(eval(&["--fail-on-warn"], "web.yaml"), 2);
    assert_eq!(eval(&["--no-fail"], "web.yaml"), 0);
}

#[test]
fn nothing_is_passed_over_in_silence() {
    let home = setting();
    let eval = |arguments: &[&str]| writ(home.path(), &[&["eval", "--policies", "policies"], arguments].concat());
    fs::write(home.path().join("values.yaml"), "replicas: 3\n").unwrap();
    let named = eval(&["values.yaml"]);
    assert_eq!(named.code, 1);
    assert!(
        named.stdout.contains("values.yaml:1:1 - admission - the document has no `apiVersion`"),
        "{}",
        named.stdout
    );

    let chart = home.path().join("chart");
    fs::create_dir(&chart).unwrap();
    fs::write(chart.join("values.yaml"), "replicas: 3\n").unwrap();
    fs::write(chart.join("broken.yaml"), "kind: [\n").unwrap();
    let found = eval(&["chart"]);
    assert_eq!(found.code, 1);
    assert!(found.stdout.contains("FAIL - chart/broken.yaml:"), "{}", found.stdout);
    assert!(found.stderr.contains("1 document without `apiVersion` and `kind` not judged"), "{}", found.stderr);
    assert_eq!(eval(&["Dockerfile"]).code, 1, "a file that is not there");

    fs::write(home.path().join("policies/policies/bad.rego"), "package writ.bad\n\ndeny contains 1 if {\n").unwrap();
    let broken = eval(&["web.yaml"]);
    assert_eq!((broken.code, broken.stdout.as_str()), (1, ""), "{}", broken.stderr);
    assert!(
        broken.stderr.contains("policies/bad.rego") && broken.stderr.contains("nothing was judged"),
        "{}",
        broken.stderr
    );
}

#[test]
fn formats_hold_what_their_readers_ask_for() {
    let home = setting();
    let eval = |format: &str| writ(home.path(), &["eval", "--policies", "policies", "-o", format, "web.yaml"]).stdout;
    let sarif: Value = serde_json::from_str(&eval("sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let privileged = results.iter().find(|result| result["ruleId"] == "MT2001").unwrap();
    assert_eq!(privileged["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    assert!(eval("junit").contains("<testcase name=\"web.yaml - Deployment shop/web: [FAIL] HIGH"));
    assert!(eval("tap").contains("not ok 1 - web.yaml - admission - Deployment shop/web"));
    assert!(eval("github").contains("::error file=web.yaml,line=3::Deployment shop/web: [FAIL]"));
    assert!(eval("azuredevops").contains("##vso[task.logissue type=error;sourcepath=web.yaml;linenumber=3]"));
    assert!(eval("table").contains("failure"));
}
