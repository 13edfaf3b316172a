//! Steps: a new policy is enforced and taken back; bad Rego is recorded and never served.

use super::Scenario;
use crate::demo::review;
use serde_json::{Value, json};

/// Where the scenario's own policy lies.
pub(super) const PATH: &str = "policies/demo_team_label.rego";

/// A policy that every deny level denies by. The sentence is what a test commit changes.
pub(super) fn text(sentence: &str) -> String {
    format!(
        "# METADATA\n\
         # title: Deployments name their team\n\
         # description: Somebody must be asked when a workload misbehaves.\n\
         # custom:\n\
         #   code: DEMO1001\n\
         #   severity: HIGH\n\
         #   kinds: [apps/Deployment]\n\
         package writ.demo_team_label\n\
         \n\
         deny contains msg if {{\n\
         \tnot input.review.object.metadata.labels.team\n\
         \tmsg := \"{sentence}\"\n\
         }}\n"
    )
}

/// Follows all twelve policies of the template, and names no team.
fn sound_deployment() -> Value {
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080}});
    let resources = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}});
    let container = json!({"name": "web", "image": "registry.example/web:1", "livenessProbe": probe,
        "readinessProbe": probe, "resources": resources});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"selector": {}, "template": {"spec": {"containers": [container]}}}});
    review::create(&deployment, "shop", "ci@example.com")
}

/// Commits a policy, sees it deny everywhere, reverts it, sees the same review allowed everywhere.
pub(super) async fn commit_and_revert(scenario: &mut Scenario) -> anyhow::Result<()> {
    let review = sound_deployment();
    let before = scenario.driver.review_everywhere(&review).await?;
    let made = scenario.commit(PATH, &text("Deployment has no label team"), "Deployments name their team").await?;
    let took = scenario.enforced(&made).await?;
    let after = scenario.driver.review_everywhere(&review).await?;
    let denied = after.iter().filter(|answer| !answer.allowed && answer.codes.contains("DEMO1001")).count();
    let was_allowed = before.iter().all(|answer| answer.allowed);
    let detail = format!("3 of 3 clusters prove that they enforce {} after {took} ms", made.revision.short());
    scenario.report.step("new policy committed", true, detail)?;
    let said = after.first().map(|answer| answer.message.clone()).unwrap_or_default();
    let detail =
        format!("denied by {denied} of 3, allowed before by {}: {said}", if was_allowed { "all" } else { "not all" });
    scenario.report.step("review denied by it", denied == 3 && was_allowed, detail)?;

    let revert = scenario.revert(&made.revision).await?;
    let took = scenario.enforced(&revert).await?;
    let allowed = scenario.driver.review_everywhere(&review).await?.iter().filter(|answer| answer.allowed).count();
    let detail = format!("3 of 3 enforce the revert after {took} ms; the same review is allowed by {allowed} of 3");
    scenario.report.step("git revert", allowed == 3, detail)
}

/// Commits Rego that does not parse: recorded with file and line, not served, and what was enforced still is.
pub(super) async fn bad_rego(scenario: &mut Scenario) -> anyhow::Result<()> {
    let good = scenario.fleet.settled().await?;
    let bad = text("x").replace("msg := ", "msg := := ");
    let made = scenario.commit(PATH, &bad, "A slip of the finger").await?;
    let judged = scenario.judged(&made.revision).await?;
    let found = judged.diagnostics.iter().find(|found| found.is_error() && found.path == PATH && found.line > 0);
    let detail = found.map_or_else(|| format!("state {}, no file and line", judged.state), ToString::to_string);
    scenario.report.step("bad Rego recorded", judged.state == "refused" && found.is_some(), detail)?;

    let status = scenario.fleet.hub.status().await?;
    let keeps = |active: &crate::client::answers::Active| active.revision == good;
    let keeping = status.clusters.iter().filter(|cluster| cluster.active.as_ref().is_some_and(keeps)).count();
    let privileged = privileged_pod();
    let denied = scenario.driver.review_everywhere(&privileged).await?.iter().filter(|answer| !answer.allowed).count();
    let detail = format!("{keeping} of 3 still enforce {}; {denied} of 3 still deny a privileged pod", &good[..10]);
    scenario.report.step("last good kept", keeping == 3 && denied == 3, detail)?;

    let revert = scenario.revert(&made.revision).await?;
    let took = scenario.enforced(&revert).await?;
    scenario.report.step(
        "mended by revert",
        true,
        format!("3 of 3 enforce {} after {took} ms", revert.revision.short()),
    )
}

fn privileged_pod() -> Value {
    let container = json!({"name": "shell", "image": "x", "securityContext": {"privileged": true}});
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "debug"}, "spec": {"containers": [container]}});
    review::create(&pod, "shop", "ada@example.com")
}
