//! The agent's manifests: `deploy/agent.yaml` with the operator's answers, and the optional objects beside it.

use super::manifests::{Manifests, object, read};
use crate::arguments::InstallAgent;
use anyhow::{Context, ensure};
use serde_json::{Value, json};

const MANIFESTS: &str = include_str!("../../../deploy/agent.yaml");
const OPTIONS: &str = include_str!("../../../deploy/agent-options.yaml");
const NAMESPACE: &str = "writ-system";
const AUTHORITY: &str = "/run/writ/hub";

/// What is applied.
pub(super) fn manifests(options: &InstallAgent) -> anyhow::Result<Manifests> {
    let mut manifests = Manifests::parse(MANIFESTS)?;
    let optional = Manifests::parse(OPTIONS)?;
    let mut config = json!({"hub": options.hub.as_str().trim_end_matches('/')});
    if let Some(path) = &options.ca {
        config["ca.pem"] = read(path)?.into();
        trust(&mut manifests)?;
    }
    if let Some(token) = token(options)? {
        manifests.insert(object("Secret", "writ-agent-enrollment", NAMESPACE, "stringData", json!({"token": token})));
    }
    manifests.insert(object("ConfigMap", "writ-agent", NAMESPACE, "data", config));
    if let Some(image) = &options.image {
        manifests.container("Deployment")?["image"] = image.as_str().into();
    }
    manifests.find("Deployment")?["spec"]["replicas"] = options.replicas.into();
    manifests.set_flag("Deployment", "--failure-policy", &options.failure_policy)?;
    manifests.set_flag("Deployment", "--select-namespaces", &options.select_namespaces)?;
    for namespace in &options.exclude_namespace {
        push_flag(&mut manifests, format!("--exclude-namespace={namespace}"))?;
    }
    add_optional(&mut manifests, optional, options)?;
    for flag in &options.agent_flag {
        ensure!(flag.starts_with("--"), "--agent-flag wants a whole flag, e.g. --agent-flag=--workers=4");
        push_flag(&mut manifests, flag.clone())?;
    }
    if options.replicas == 1 {
        // One that may never be disrupted would keep its node from being drained.
        manifests.0.retain(|object| object["kind"] != "PodDisruptionBudget");
    }
    manifests.move_to(NAMESPACE, &options.namespace);
    Ok(manifests)
}

/// What goes: first the right to make a webhook, so that no agent makes it again, then the webhook, so that nothing waits
/// for agents that are gone.
pub(super) fn leftovers(namespace: Option<&str>) -> anyhow::Result<Manifests> {
    let mut all = Manifests::parse(MANIFESTS)?;
    all.0.extend(Manifests::parse(OPTIONS)?.0.into_iter().filter(is_ours));
    for (version, kind, name) in [
        ("v1", "Secret", "writ-agent-tls"),
        ("v1", "Secret", "writ-agent-identity"),
        ("v1", "Secret", "writ-agent-policies"),
        ("v1", "Secret", "writ-agent-policies-1"),
        ("v1", "Secret", "writ-agent-policies-2"),
        ("v1", "Secret", "writ-agent-policies-3"),
        ("v1", "Secret", "writ-agent-enrollment"),
        ("v1", "ConfigMap", "writ-agent"),
        ("coordination.k8s.io/v1", "Lease", "writ-agent"),
    ] {
        let metadata = json!({"name": name, "namespace": NAMESPACE});
        all.insert(json!({"apiVersion": version, "kind": kind, "metadata": metadata}));
    }
    let webhook = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "writ"}});
    let right = all.find("ClusterRoleBinding")?.clone();
    let mut leftovers = all.named(&[right, webhook]);
    leftovers.move_to(NAMESPACE, namespace.unwrap_or(NAMESPACE));
    Ok(leftovers)
}

/// Not of a kind that the cluster may not know, which `kubectl delete` would stumble over.
fn is_ours(object: &Value) -> bool {
    ["autoscaling/v2", "rbac.authorization.k8s.io/v1"].iter().any(|version| object["apiVersion"] == *version)
}

fn token(options: &InstallAgent) -> anyhow::Result<Option<String>> {
    let token = match &options.token_file {
        Some(path) => Some(read(path)?),
        None => options.token.clone(),
    };
    let token = token.map(|token| token.trim().to_owned());
    let whole = token.as_ref().is_none_or(|token| token.starts_with("writ_"));
    ensure!(whole, "the enrollment token is none (writ_..._...); make one with `writ token create`");
    Ok(token)
}

fn trust(manifests: &mut Manifests) -> anyhow::Result<()> {
    manifests.set_flag("Deployment", "--hub-ca", &format!("{AUTHORITY}/ca.pem"))?;
    let container = manifests.container("Deployment")?;
    let mounts = container["volumeMounts"].as_array_mut().context("the container has no mounts")?;
    mounts.push(json!({"name": "hub", "mountPath": AUTHORITY, "readOnly": true}));
    let volumes = manifests.find("Deployment")?["spec"]["template"]["spec"]["volumes"].as_array_mut();
    let items = json!([{"key": "ca.pem", "path": "ca.pem"}]);
    volumes
        .context("the pod has no volumes")?
        .push(json!({"name": "hub", "configMap": {"name": "writ-agent", "items": items}}));
    Ok(())
}

fn add_optional(manifests: &mut Manifests, optional: Manifests, options: &InstallAgent) -> anyhow::Result<()> {
    let mut wanted: Vec<Value> = optional.0;
    wanted.retain(|object| match object["kind"].as_str() {
        Some("HorizontalPodAutoscaler") => options.autoscale.is_some(),
        Some("ServiceMonitor") => options.service_monitor,
        Some("ClusterRole" | "ClusterRoleBinding") => options.policy_reports.is_some(),
        _ => options.cert_manager,
    });
    if let Some(most) = options.autoscale {
        ensure!(most >= options.replicas, "--autoscale wants at least as many as --replicas");
        let scaler = wanted.iter_mut().find(|object| object["kind"] == "HorizontalPodAutoscaler");
        let scaler = scaler.context("the manifests have no HorizontalPodAutoscaler")?;
        scaler["spec"]["minReplicas"] = options.replicas.into();
        scaler["spec"]["maxReplicas"] = most.into();
        if let Some(spec) = manifests.find("Deployment")?["spec"].as_object_mut() {
            spec.remove("replicas");
        }
    }
    if options.cert_manager {
        manifests.set_flag("Deployment", "--certificate", "secret")?;
        manifests.set_flag("Deployment", "--inject-ca-from", &format!("{}/writ-agent", options.namespace))?;
    }
    if let Some(format) = &options.policy_reports {
        manifests.set_flag("Deployment", "--policy-reports", format)?;
    }
    manifests.0.extend(wanted);
    Ok(())
}

fn push_flag(manifests: &mut Manifests, flag: String) -> anyhow::Result<()> {
    let args = manifests.container("Deployment")?["args"].as_array_mut().context("the container has no args")?;
    args.push(flag.into());
    Ok(())
}
