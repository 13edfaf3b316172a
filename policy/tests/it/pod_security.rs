//! The library's sets `pss-baseline` and `pss-restricted` against the table of the standard: each set refuses exactly
//! what its profile refuses.

mod standard;

use crate::files::template;
use serde_json::{Value, json};
use standard::{ABSENT, Profiles, Row, STANDARD};
use std::collections::BTreeSet;
use writ_policy::{Budget, Decision, NoInventory, Outcome, PolicySet, Settings, SourceFile};

const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

#[test]
fn each_set_refuses_what_its_profile_refuses_and_nothing_else() {
    let mut sets = Sets::load();
    let mut wrong = vec![];
    for row in STANDARD {
        for (shown, pod) in pods(row) {
            let (verdict, said) = sets.judge(&pod);
            if verdict != row.allowed_by {
                wrong.push(format!("{}: {shown}: wanted {:?}, got {verdict:?} {said:?}", row.control, row.allowed_by));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn table_names_every_control_of_the_standard() {
    let controls: BTreeSet<&str> = STANDARD.iter().map(|row| row.control).collect();
    let baseline = [
        "HostProcess",
        "Host Namespaces",
        "Privileged Containers",
        "Capabilities",
        "HostPath Volumes",
        "Host Ports",
        "Host Probes / Lifecycle Hooks",
        "AppArmor",
        "SELinux",
        "/proc Mount Type",
        "Seccomp",
        "Sysctls",
    ];
    let restricted = ["Volume Types", "Privilege Escalation", "Running as Non-root", "Running as Non-root user"];
    assert_eq!(controls, baseline.into_iter().chain(restricted).collect());
}

#[test]
fn pod_that_is_as_strict_as_can_be_passes_and_a_plain_one_passes_baseline() {
    let mut sets = Sets::load();
    assert_eq!(sets.judge(&strict()).0, standard::BOTH);
    let plain = json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}});
    assert_eq!(sets.judge(&plain).0, standard::BASELINE);
}

/// The template's policies of both sets, turned on.
struct Sets {
    policies: PolicySet,
}

impl Sets {
    fn load() -> Self {
        let on = |file: SourceFile| SourceFile { text: file.text.replace("#   enabled: false\n", "").into(), ..file };
        let files: Vec<SourceFile> = template().into_iter().filter(is_needed).map(on).collect();
        let (policies, report) = PolicySet::load(&files, &Settings::default());
        assert!(report.is_ok(), "{:?}", report.diagnostics);
        Self { policies }
    }

    /// Which profiles' sets let the pod pass, and what was said of it.
    fn judge(&mut self, pod: &Value) -> (Profiles, Vec<String>) {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "namespace": "shop", "name": "web", "object": pod,
        }});
        let text = review.to_string();
        let decided = self.policies.decide(text.as_bytes(), &NoInventory, &Budget::default(), 7).unwrap();
        let profiles = Profiles {
            baseline: passes(&decided.decision, "pss-baseline"),
            restricted: passes(&decided.decision, "pss-restricted"),
        };
        (profiles, said(&decided.decision))
    }
}

/// Policies of the sets, and libraries: the others would only take time.
fn is_needed(file: &SourceFile) -> bool {
    file.is_rego() && !file.is_test() && (file.path.contains("/lib/") || file.text.contains("pss-"))
}

fn passes(decision: &Decision, set: &str) -> bool {
    let of_set = |sets: &[String]| sets.iter().any(|name| name == set);
    let mut results = decision.results.iter().filter(|result| of_set(&result.policy.sets)).peekable();
    assert!(results.peek().is_some(), "no policy is in the set {set}");
    results.all(|result| result.outcome == Outcome::Pass)
}

fn said(decision: &Decision) -> Vec<String> {
    let of_standard =
        decision.results.iter().filter(|result| result.policy.sets.iter().any(|set| set.starts_with("pss-")));
    of_standard.filter(|result| result.outcome != Outcome::Pass).map(|result| format!("{:?}", result.outcome)).collect()
}

/// The pods of a row: the strict one with one value of one field each. What is refused is so in each list of containers
/// by itself; what is allowed is so in all lists at once.
fn pods(row: &Row) -> Vec<(String, Value)> {
    let groups: Vec<&[&str]> = if row.allowed_by == standard::BOTH { vec![&LISTS] } else { LISTS.chunks(1).collect() };
    let mut pods = vec![];
    for field in row.fields {
        for value in row.values {
            for lists in if field.contains('*') { &groups[..] } else { &groups[..1] } {
                let mut pod = strict();
                row.with.iter().for_each(|(field, value)| set(&mut pod, field, value));
                for list in *lists {
                    set(&mut pod, &field.replace('*', &format!("{list} 0")), value);
                }
                pods.push((format!("{field} = {value} in {lists:?}"), pod));
            }
        }
    }
    pods
}

/// Sets the field to this JSON, or takes it away.
fn set(pod: &mut Value, field: &str, value: &str) {
    let keys: Vec<&str> = field.split(' ').collect();
    let (last, path) = keys.split_last().unwrap();
    let owner = path.iter().fold(pod, |at, key| match *key {
        "[]" => {
            *at = json!([{"name": "one"}]);
            &mut at[0]
        }
        index if index.parse::<usize>().is_ok() => &mut at[index.parse::<usize>().unwrap()],
        key => &mut at[key],
    });
    match value {
        ABSENT => drop(owner.as_object_mut().map(|fields| fields.remove(*last))),
        json => owner[*last] = serde_json::from_str(json).unwrap(),
    }
}

/// A pod that the restricted profile allows, with containers that rely on nothing but themselves.
fn strict() -> Value {
    let container = |name: &str| {
        json!({"name": name, "image": "registry.example/app:1", "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": true,
            "seccompProfile": {"type": "RuntimeDefault"},
        }})
    };
    json!({"metadata": {"name": "web"}, "spec": {
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container("app"), container("log")],
        "initContainers": [container("init")],
        "ephemeralContainers": [container("debug")],
    }})
}
