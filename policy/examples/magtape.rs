//! Holds MagTape's own policies, judged by Writ, against its rules written anew here: each of its AdmissionReviews at four
//! deny levels, verdict and message, and its unit tests. Nothing of it is part of this repository: `WRIT_MAGTAPE` names a
//! checkout, without which this is skipped by name.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used, reason = "a program for measuring")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use writ_policy::{Budget, DenyLevel, NoInventory, Outcome, PolicySet, Settings, SourceFile, answer, unit_test};

fn main() {
    let Ok(folder) = std::env::var("WRIT_MAGTAPE") else {
        eprintln!("skipped: WRIT_MAGTAPE names no checkout of MagTape");
        return;
    };
    let run = move || reviews(Path::new(&folder)) & units(Path::new(&folder));
    let thread = std::thread::Builder::new().stack_size(writ_policy::EVALUATION_STACK_BYTES).spawn(run);
    if !thread.unwrap().join().unwrap() {
        std::process::exit(1);
    }
}

fn reviews(checkout: &Path) -> bool {
    let policies = sources(checkout, &checkout.join("policies"), false);
    let (mut right, mut all, mut denials, mut told) = (0, 0, 0, 0);
    let mut paths = files(&checkout.join("testing"), ".json");
    paths.retain(|path| !path.to_string_lossy().contains("response"));
    for path in &paths {
        let text = std::fs::read(path).unwrap();
        let review: Value = serde_json::from_slice(&text).unwrap();
        if review["kind"] != "AdmissionReview" {
            continue;
        }
        let messages = expected(&review["request"]);
        for level in [DenyLevel::Off, DenyLevel::Low, DenyLevel::Med, DenyLevel::High] {
            let allowed = !messages.iter().any(|message| denies(level, message));
            let said = said(&policies, level, &text);
            all += 1;
            denials += usize::from(!allowed);
            told += usize::from(!messages.is_empty());
            if said == (allowed, messages.join(", ")) {
                right += 1;
            } else {
                println!("  {} at {level}: expected {allowed} {messages:?}, said {said:?}", path.display());
            }
        }
    }
    println!("reviews: {right} of {all} verdicts and messages right ({denials} denials, {told} with messages)");
    right == all && all > 0
}

/// What Writ answers: whether it is allowed, and the messages of its policies.
fn said(policies: &[SourceFile], level: DenyLevel, review: &[u8]) -> (bool, String) {
    // MagTape judges the object that is asked about, and nothing that it implies.
    let settings = Settings { deny_level: level, expand: false, ..Settings::default() };
    let (mut policies, report) = PolicySet::load(policies, &settings);
    assert!(report.is_ok(), "{:?}", report.diagnostics);
    let decided = policies.decide(review, &NoInventory, &Budget::default(), 0).unwrap();
    let answer: Value = serde_json::from_slice(&answer(&decided.facts, &decided.decision, None)).unwrap();
    let mut messages: Vec<String> = vec![];
    for result in &decided.decision.results {
        match &result.outcome {
            Outcome::Pass => {}
            Outcome::Fail(found) => messages.extend(found.iter().cloned()),
            Outcome::Error(reason) => messages.push(format!("error: {reason}")),
        }
    }
    messages.sort();
    let allowed = answer["response"]["allowed"] == true;
    if !allowed {
        assert_eq!(answer["response"]["status"]["message"], messages.join(", "), "a denial says all");
    }
    (allowed, messages.join(", "))
}

fn denies(level: DenyLevel, message: &str) -> bool {
    let severities: &[&str] = match level {
        DenyLevel::Off => &[],
        DenyLevel::Low => &["HIGH"],
        DenyLevel::Med => &["HIGH", "MED"],
        DenyLevel::High => &["HIGH", "MED", "LOW"],
    };
    severities.iter().any(|severity| message.contains(&format!("[FAIL] {severity}")))
}

/// The messages of the twelve rules, sorted. The ranges of node ports need a Namespace, which no review has.
fn expected(request: &Value) -> Vec<String> {
    let kind = request["kind"]["kind"].as_str().unwrap_or_default();
    let (object, spec) = (&request["object"], &request["object"]["spec"]);
    let mut messages = match kind {
        "Pod" => [containers(&spec["containers"]), pod(object)].concat(),
        "Deployment" | "StatefulSet" | "DaemonSet" => containers(&spec["template"]["spec"]["containers"]),
        "PodDisruptionBudget" => budget(spec),
        "Service" => service(object),
        _ => vec![],
    };
    messages.sort();
    messages.dedup();
    messages
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Neither absent nor `false`.
fn holds(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

fn containers(list: &Value) -> Vec<String> {
    let mut messages = vec![];
    for container in items(list) {
        let name = text(&container["name"]);
        if !holds(&container["livenessProbe"]) {
            messages.push(format!("[FAIL] LOW - Liveness Probe missing for container \"{name}\" (MT1001)"));
        }
        if !holds(&container["readinessProbe"]) {
            messages.push(format!("[FAIL] LOW - Readiness Probe missing for container \"{name}\" (MT1002)"));
        }
        for (field, code) in [("limits", "MT1003"), ("requests", "MT1004")] {
            let has = |resource: &str| holds(&container["resources"][field][resource]);
            let missing = match (has("cpu"), has("memory")) {
                (true, true) => continue,
                (false, false) => "CPU/MEM",
                (false, true) => "CPU",
                (true, false) => "MEM",
            };
            messages
                .push(format!("[FAIL] LOW - Resource {field} missing ({missing}) for container \"{name}\" ({code})"));
        }
        if holds(&container["securityContext"]["privileged"]) {
            messages.push(format!("[FAIL] HIGH - Found privileged Security Context for container \"{name}\" (MT2001)"));
        }
    }
    messages
}

fn pod(object: &Value) -> Vec<String> {
    let mut messages = vec![];
    if !holds(&object["metadata"]["ownerReferences"]) {
        let name = text(&object["metadata"]["name"]);
        messages.push(format!("[FAIL] LOW - \"{name}\" is a singleton pod. (MT1007)"));
    }
    for container in items(&object["spec"]["containers"]) {
        if items(&container["ports"]).any(|port| holds(&port["hostPort"])) {
            let name = text(&container["name"]);
            messages.push(format!("[FAIL] HIGH - hostPort is configured for container \"{name}\" (MT1008)"));
        }
    }
    for volume in items(&object["spec"]["volumes"]) {
        let name = text(&volume["name"]);
        if holds(&volume["hostPath"]) {
            messages.push(format!("[FAIL] MED - hostPath is configured for volume \"{name}\" (MT1010)"));
        }
        let limit = text(&volume["emptyDir"]["sizeLimit"]).trim();
        let state = match limit.strip_suffix('M').map(|number| number.parse::<f64>().unwrap_or_default()) {
            _ if !holds(&volume["emptyDir"]) => continue,
            _ if limit.is_empty() => "is not set",
            None => "is not in Megabytes",
            Some(megabytes) if megabytes > 100.0 => "is greater than 100 Megabytes",
            Some(_) => continue,
        };
        messages.push(format!("[FAIL] MED - Size limit of emptyDir volume \"{name}\" {state} (MT1009)"));
    }
    messages
}

fn budget(spec: &Value) -> Vec<String> {
    let mut messages = vec![];
    for (name, least, most) in [("minAvailable", 0, 66), ("maxUnavailable", 33, 100)] {
        let value = &spec[name];
        if value.is_null() {
            continue;
        }
        let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.trim().parse::<i64>().ok());
        match percent {
            Some(percent) if (least..=most).contains(&percent) => {}
            Some(percent) => messages.push(format!(
                "[FAIL] HIGH - Value ({percent}%) for \"{name}\" not within range {least}%-{most}% (MT1005)"
            )),
            None => {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                messages.push(format!(
                    "[FAIL] HIGH - Value \"{shown}\" for \"{name}\" should be a Percentage, not an Integer (MT1005)"
                ));
            }
        }
    }
    messages
}

fn service(object: &Value) -> Vec<String> {
    let name = text(&object["metadata"]["name"]);
    let wrong = items(&object["spec"]["ports"]).filter(|port| port["name"] == "http" && port["port"] == 443);
    wrong
        .map(|_| {
            format!(
                "[FAIL] HIGH - Logical port name \"http\" mismatch with port number \"443\" for service \"{name}\" (MT1006)"
            )
        })
        .collect()
}

fn units(checkout: &Path) -> bool {
    let tests = unit_test::run_tests(&sources(checkout, &checkout.join("policies"), true), Duration::from_secs(5));
    let failed: Vec<_> = tests.iter().filter(|test| test.failure.is_some()).collect();
    for test in &failed {
        println!("  {}:{} {}: {}", test.path, test.line, test.name, test.failure.as_deref().unwrap_or_default());
    }
    println!("unit tests: {} of {} passed", tests.len() - failed.len(), tests.len());
    failed.is_empty() && !tests.is_empty()
}

/// Its policies, and for tests what they test with.
fn sources(checkout: &Path, folder: &Path, with_tests: bool) -> Vec<SourceFile> {
    let rego = files(folder, ".rego").into_iter().chain(files(folder, ".json"));
    let read = |path: PathBuf| SourceFile {
        path: path.strip_prefix(checkout).unwrap().to_string_lossy().into_owned(),
        text: std::fs::read_to_string(&path).unwrap().into(),
    };
    rego.filter(|path| with_tests || !path.to_string_lossy().contains("/test/")).map(read).collect()
}

/// Files below the folder whose names end so, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
