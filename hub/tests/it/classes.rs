//! Classes of clusters: each is told its own part of a commit, and reads nothing else.

use crate::support::{NOW, TestAgent, TestHub, policy};
use clap::Parser;
use serde_json::json;
use writ_hub::config::Config;
use writ_hub::retention;
use writ_policy::wire::Enrolled;

const FLEET: &str = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: HIGH\nclasses:\n  - name: edge\n    \
                     match: {tier: edge}\n    paths: [common/*]\n";
/// What the class is served, and what only the others are.
const COMMON: &str = "common/test2.rego";
const CORE: &str = "core/test3.rego";

/// A hub whose fleet has a class, and an agent of it and one of none.
async fn hub(arguments: &[&str]) -> (TestHub, TestAgent, TestAgent) {
    let mut hub = TestHub::empty(arguments).await;
    hub.repository.write("fleet.yaml", FLEET).write(COMMON, policy("TEST2", "no")).write(CORE, policy("TEST3", "no"));
    hub.commit("First").await;
    let (edge, core) = (enroll(&hub, "edge", &json!({"tier": "edge"})).await, enroll(&hub, "core", &json!({})).await);
    hub.sync().await;
    (hub, edge, core)
}

async fn enroll(hub: &TestHub, cluster: &str, labels: &serde_json::Value) -> TestAgent {
    let answer = hub.post("/api/v1/enrollment-tokens", &json!({ "cluster": cluster, "labels": labels })).await;
    let request = json!({ "token": answer.json()["token"], "version": "1" });
    let enrolled = hub.post("/v1/enroll", &request).await;
    TestAgent::new(hub, serde_json::from_slice::<Enrolled>(&enrolled.body).unwrap())
}

async fn paths(hub: &TestHub, agent: &TestAgent) -> Vec<String> {
    let (desired, _) = agent.desired(hub).await;
    agent.index(hub, &desired).await.files.into_iter().map(|file| file.path).collect()
}

#[tokio::test]
async fn class_is_told_its_part_and_reads_nothing_else() {
    let (hub, edge, core) = hub(&[]).await;
    assert_eq!(paths(&hub, &edge).await, [COMMON, "fleet.yaml"]);
    assert_eq!(paths(&hub, &core).await, [COMMON, CORE, "fleet.yaml"]);
    let (told, assignment) = edge.desired(&hub).await;
    let bundle = edge.bundle(&told);
    assert_eq!((bundle.class.as_str(), bundle.policies), ("edge", 1));
    assert_eq!(assignment.settings.deny_level, writ_policy::DenyLevel::High);
    let secret = core.index(&hub, &core.desired(&hub).await.0).await;
    let of_core = secret.files.iter().find(|file| file.path == CORE).unwrap().digest;
    let path = format!("/v1/blobs/{of_core}");
    assert_eq!((edge.get(&hub, &path).await.status, core.get(&hub, &path).await.status.as_u16()), (http(403), 200));
    let whole = format!("/v1/blobs/{}", core.bundle(&core.desired(&hub).await.0).index);
    assert_eq!(edge.get(&hub, &whole).await.status, 403, "not even what it is called");
}

fn keeping() -> retention::Keeping {
    Config::parse_from(["writ-hub", "--source", "/srv/policies"]).keeping
}

fn http(status: u16) -> axum::http::StatusCode {
    axum::http::StatusCode::from_u16(status).unwrap()
}

#[tokio::test]
async fn commit_beside_the_class_is_acknowledged_and_brings_it_nothing() {
    let (mut hub, edge, _) = hub(&[]).await;
    let before = edge.bundle(&edge.desired(&hub).await.0);
    hub.repository.write(CORE, policy("TEST3", "other words"));
    let second = hub.commit("Second").await;
    let (told, assignment) = edge.desired(&hub).await;
    let after = edge.bundle(&told);
    assert_eq!((after.index, after.revision, assignment.epoch), (before.index, second, 2));
}

#[tokio::test]
async fn class_that_lacks_what_it_needs_is_refused_by_name() {
    let (mut hub, ..) = hub(&[]).await;
    let served = hub.served().await;
    let needy = policy("TEST2", "no").replace("\ttrue", "\tdata.shared.yes");
    hub.repository.write(COMMON, needy).write("core/shared.rego", "package shared\n\nyes := true\n");
    let second = hub.commit("Needs what the class has not").await;
    let told = hub.revision(&second).await;
    assert_eq!((&told["state"], &hub.served().await), (&json!("refused"), &served));
    let found = told["diagnostics"].to_string();
    let reason = "clusters of class `edge` are served this, and not core/shared.rego";
    assert!(found.contains(reason) && found.contains("common/test2.rego"), "{found}");
}

#[tokio::test]
async fn fleet_may_enable_what_a_class_is_not_served_but_nothing_that_is_not_there() {
    let (mut hub, edge, _) = hub(&[]).await;
    hub.repository.write("fleet.yaml", format!("{FLEET}enable: [TEST3]\n"));
    hub.commit("Of the others").await;
    assert_eq!(edge.desired(&hub).await.1.epoch, 2);
    hub.repository.write("fleet.yaml", format!("{FLEET}enable: [TEST4]\n"));
    let wrong = hub.commit("Of nobody").await;
    assert_eq!(hub.revision(&wrong).await["state"], "refused");
}

#[tokio::test]
async fn class_that_loses_most_of_its_policies_needs_its_authors_word() {
    let (mut hub, ..) = hub(&[]).await;
    for number in 4..8 {
        hub.repository.write(&format!("core/test{number}.rego"), policy(&format!("TEST{number}"), "no"));
    }
    hub.commit("More for the others").await;
    let wider = FLEET.replace("common/*", "c*");
    hub.repository.write("fleet.yaml", &wider);
    let served = hub.commit("Everything for the class").await;
    hub.repository.write("fleet.yaml", FLEET);
    let narrow = hub.commit("Little for the class").await;
    let told = hub.revision(&narrow).await["diagnostics"].to_string();
    assert!(told.contains("clusters of class `edge` are served 1 policies, and 6 before"), "{told}");
    assert_eq!(hub.served().await, served.as_str());
    hub.repository.write("NOTE.md", "meant");
    let meant = hub.commit("Little for the class\n\nWrit-Allow-Removal: yes").await;
    assert_eq!(hub.served().await, meant.as_str());
}

#[tokio::test]
async fn cluster_whose_class_is_gone_is_served_everything() {
    let (mut hub, edge, _) = hub(&[]).await;
    hub.repository.write("fleet.yaml", "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: HIGH\n");
    hub.commit("No classes").await;
    assert_eq!(paths(&hub, &edge).await, [COMMON, CORE, "fleet.yaml"]);
}

#[tokio::test]
async fn class_keeps_its_content_and_its_bundle_through_a_restart_and_a_new_key() {
    let (hub, edge, core) = hub(&[]).await;
    let arguments = hub.arguments.clone();
    hub.clock.set(NOW + 400 * 24 * 3_600_000);
    let deleted = retention::content(&hub.hub.app, &keeping()).await.unwrap();
    assert_eq!(deleted, 0, "all of it is served");
    hub.clock.set(NOW);
    let before = edge.desired(&hub).await.0;
    let hub = hub.restarted().await;
    writ_hub::assign::assign(&hub.hub.app).await.unwrap();
    assert_eq!(edge.desired(&hub).await.0, before);
    let hub =
        hub.restarted_after(async |data| crate::rotation::rotate(data, &arguments).await.map(drop).unwrap()).await;
    writ_hub::assign::assign(&hub.hub.app).await.unwrap();
    let agents = [(&edge, "edge"), (&core, "")];
    for (agent, class) in agents {
        let answer = agent.ask(&hub, None, agent.state()).await;
        let told: writ_policy::wire::Desired = serde_json::from_slice(&answer.body).unwrap();
        let key = hub.hub.app.keys.public();
        let bundle: writ_policy::bundle::BundleStatement = key.verify(&told.bundle).unwrap();
        let assignment: writ_policy::bundle::Assignment = key.verify(&told.assignment).unwrap();
        assert_eq!((bundle.class.as_str(), assignment.bundle), (class, told.bundle.digest()));
    }
}

#[tokio::test]
async fn another_hub_tells_each_class_its_own_bundle() {
    let test = "another_hub_tells_each_class_its_own_bundle";
    let Some(url) = writ_e2e::postgres::database() else { return writ_e2e::skipped(test, "no PostgreSQL server") };
    let (hub, edge, core) = hub(&["--database", &url]).await;
    let second = hub.beside(&[]).await;
    writ_hub::replica::Replica::new(second.hub.app.clone()).refresh().await.unwrap();
    assert_eq!(paths(&second, &edge).await, [COMMON, "fleet.yaml"]);
    assert_eq!(paths(&second, &core).await, [COMMON, CORE, "fleet.yaml"]);
}
