//! The manifests of `deploy/` against Kubernetes' own types and the agent's flags, so that a misspelt field or a flag that is
//! gone is found before a cluster finds it.

use clap::Parser;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Namespace, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::path::{Path, PathBuf};
use writ_agent::Config;

#[test]
fn every_field_is_one_that_kubernetes_knows() {
    for file in ["agent.yaml", "agent-options.yaml", "hub.yaml", "hub-replicas.yaml"] {
        for object in objects(file) {
            let problem = unknown_fields(&object).unwrap_or_else(|error| panic!("{file}: {error}\n{object:#}"));
            assert!(problem.is_empty(), "{file}: {} has unknown or changed fields: {problem:?}", object["kind"]);
        }
    }
}

#[test]
fn flags_and_names_agree_with_the_agent() {
    let objects = objects("agent.yaml");
    let container = &find(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    let arguments = container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
    let config = Config::try_parse_from(["writ-agent", "--hub=https://writ.example"].into_iter().chain(arguments))
        .unwrap_or_else(|error| panic!("{error}"));
    config.validate().unwrap();

    assert_eq!(find(&objects, "Service")["metadata"]["name"], config.service.as_str());
    assert_eq!(find(&objects, "Role")["rules"][0]["resourceNames"][0], config.secret.as_str());
    let may_patch = &find(&objects, "ClusterRole")["rules"][0]["resourceNames"][0];
    assert_eq!(may_patch, config.webhook_configuration.as_str());
}

#[test]
fn no_manifest_asks_for_more_than_it_should() {
    for file in ["agent.yaml", "hub.yaml", "hub-replicas.yaml"] {
        let text = read(&format!("deploy/{file}"));
        assert!(!text.contains("cluster-admin") && !text.contains("\"*\""), "{file} asks for everything");
        for object in objects(file) {
            let Some(pod) = object["spec"]["template"].get("spec") else { continue };
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{file}");
            let security = &pod["containers"][0]["securityContext"];
            assert_eq!(security["readOnlyRootFilesystem"], true, "{file}");
            assert_eq!(security["capabilities"]["drop"][0], "ALL", "{file}");
        }
    }
}

/// Paths of fields that do not survive a round trip through the object's type.
fn unknown_fields(object: &Value) -> anyhow::Result<Vec<String>> {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    match (api_version, object["kind"].as_str().unwrap_or_default()) {
        ("v1", "Namespace") => lost::<Namespace>(object),
        ("v1", "ServiceAccount") => lost::<ServiceAccount>(object),
        ("v1", "Service") => lost::<Service>(object),
        ("policy/v1", "PodDisruptionBudget") => lost::<PodDisruptionBudget>(object),
        ("networking.k8s.io/v1", "NetworkPolicy") => lost::<NetworkPolicy>(object),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => lost::<HorizontalPodAutoscaler>(object),
        ("apps/v1", "Deployment") => lost::<Deployment>(object),
        ("apps/v1", "StatefulSet") => lost::<StatefulSet>(object),
        ("rbac.authorization.k8s.io/v1", "Role") => lost::<Role>(object),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => lost::<RoleBinding>(object),
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => lost::<ClusterRole>(object),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => lost::<ClusterRoleBinding>(object),
        // Types of others, which k8s-openapi does not have.
        ("monitoring.coreos.com/v1" | "cert-manager.io/v1", _) => Ok(vec![]),
        (version, kind) => anyhow::bail!("{version} {kind} is not a kind that this test knows"),
    }
}

fn lost<T: Serialize + DeserializeOwned>(object: &Value) -> anyhow::Result<Vec<String>> {
    let kept = serde_json::to_value(serde_json::from_value::<T>(object.clone())?)?;
    let mut paths = vec![];
    compare(object, &kept, "", &mut paths);
    Ok(paths)
}

fn compare(written: &Value, kept: &Value, path: &str, lost: &mut Vec<String>) {
    match (written, kept) {
        (Value::Object(written), Value::Object(kept)) => {
            for (key, value) in written {
                compare(value, kept.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"), lost);
            }
        }
        (Value::Array(written), Value::Array(kept)) if written.len() == kept.len() => {
            for (index, (written, kept)) in written.iter().zip(kept).enumerate() {
                compare(written, kept, &format!("{path}[{index}]"), lost);
            }
        }
        _ if written == kept => {}
        _ => lost.push(path.to_owned()),
    }
}

fn objects(file: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(&format!("deploy/{file}"))).unwrap()
}

fn find<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}
