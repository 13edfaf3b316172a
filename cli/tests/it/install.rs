//! `writ install` and `writ uninstall`: what they write is what `deploy/` says, with the answers filled in.

use crate::support::{Ended, writ as run};
use serde_json::Value;

fn writ(arguments: &[&str]) -> Ended {
    run(tempfile::tempdir().unwrap().path(), arguments)
}

fn objects(arguments: &[&str]) -> Vec<Value> {
    let ran = writ(arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_saphyr::from_multiple(&ran.stdout).unwrap()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    objects.iter().find(|o| o["kind"] == kind && o["metadata"]["name"] == name).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn agent_is_installed_as_the_plain_manifest_says() {
    let installed = objects(&["install", "agent", "--hub", "https://hub.example/"]);
    let plain = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/agent.yaml")).unwrap();
    let plain: Vec<Value> = serde_saphyr::from_multiple(&plain).unwrap();
    for object in &plain {
        let found = find(&installed, object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        if object["kind"] != "Deployment" {
            assert_eq!(found, object);
        }
    }
    assert_eq!(find(&installed, "ConfigMap", "writ-agent")["data"]["hub"], "https://hub.example");
    assert_eq!(installed.len(), plain.len() + 1, "nothing else");
}

#[test]
fn answers_are_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, "-----BEGIN CERTIFICATE-----\n").unwrap();
    let installed = objects(&[
        "install",
        "agent",
        "--hub=https://hub.example",
        "--token=writ_secret_0123456789abcdef",
        "--namespace=policy",
        "--ca",
        authority.to_str().unwrap(),
        "--failure-policy=fail",
        "--replicas=3",
        "--autoscale=9",
        "--cert-manager",
        "--exclude-namespace=storage",
        "--service-monitor",
        "--image=mirror.example/writ-agent:1",
    ]);
    assert_eq!(
        find(&installed, "Secret", "writ-agent-enrollment")["stringData"]["token"],
        "writ_secret_0123456789abcdef"
    );
    assert!(installed.iter().all(|o| o["metadata"]["namespace"] != "writ-system"));
    let deployment = find(&installed, "Deployment", "writ-agent");
    assert_eq!(deployment["spec"].get("replicas"), None, "the scaler's");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let arguments: Vec<&str> = container["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    for flag in [
        "--failure-policy=fail",
        "--namespace=policy",
        "--certificate=secret",
        "--exclude-namespace=storage",
        "--inject-ca-from=policy/writ-agent",
        "--hub-ca=/run/writ/hub/ca.pem",
    ] {
        assert!(arguments.contains(&flag), "{flag}: {arguments:?}");
    }
    assert_eq!(arguments.iter().filter(|a| a.starts_with("--failure-policy")).count(), 1);
    assert_eq!(container["image"], "mirror.example/writ-agent:1");
    let certificate = find(&installed, "Certificate", "writ-agent");
    assert_eq!(certificate["spec"]["dnsNames"][0], "writ-agent.policy.svc");
    let scaler = find(&installed, "HorizontalPodAutoscaler", "writ-agent");
    assert_eq!((&scaler["spec"]["minReplicas"], &scaler["spec"]["maxReplicas"]), (&3.into(), &9.into()));
}

#[test]
fn webhook_goes_before_the_agents_and_the_right_to_make_it_again_before_that() {
    let gone = objects(&["uninstall", "agent"]);
    let kinds: Vec<&str> = gone.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[..2], ["ClusterRoleBinding", "ValidatingWebhookConfiguration"]);
    assert_eq!(kinds.last(), Some(&"Namespace"));
    assert!(kinds.contains(&"Lease") && kinds.contains(&"Deployment"));
}

#[test]
fn hub_keeps_its_volume_when_it_goes() {
    let installed =
        objects(&["install", "hub", "--source", "https://git.example/policies.git", "--namespace", "policy"]);
    assert_eq!(find(&installed, "ConfigMap", "writ-hub")["data"]["source"], "https://git.example/policies.git");
    let gone = objects(&["uninstall", "hub"]);
    assert!(gone.iter().all(|object| object["kind"] != "Namespace" && object["kind"] != "PersistentVolumeClaim"));
    assert!(gone.iter().any(|object| object["kind"] == "StatefulSet" && object["metadata"]["namespace"] == "writ-hub"));
}

#[test]
fn word_that_is_no_token_is_refused_and_not_repeated() {
    let ran = writ(&["install", "agent", "--hub=https://hub.example", "--token=hunter2"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("writ token create") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
}
