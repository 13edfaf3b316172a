//! What agents are told, when, and what counts as proof.

use crate::support::{NOW, TestHub, policy};
use serde_json::json;
use writ_policy::wire::Desired;

#[tokio::test]
async fn agent_is_told_a_signed_assignment_and_finds_all_its_blobs() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (desired, assignment) = agent.desired(&hub).await;
    assert_eq!((assignment.cluster.as_str(), assignment.epoch), ("prod", 1));
    assert_eq!(assignment.bundle, desired.bundle.digest());
    assert_eq!(agent.bundle(&desired).policies, 1);
    for file in agent.index(&hub, &desired).await.files {
        assert_eq!(agent.blob(&hub, file.digest).await.len() as u64, file.bytes);
    }
}

#[tokio::test]
async fn request_is_held_and_answered_when_a_commit_is_published() {
    let mut hub = TestHub::with(&["--hold", "60s"]).await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    let routes = hub.hub.routes();
    let app = hub.hub.app.clone();
    let have = Some(desired.assignment.digest());
    let request = agent.request(have, agent.enforcing(&desired, NOW));
    let held = tower::ServiceExt::oneshot(routes, request);
    let publish = async {
        while app.board.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        hub.repository.write("test2.rego", policy("TEST2", "no"));
        hub.commit("Second").await
    };
    let (answer, _) = tokio::join!(held, publish);
    assert_eq!(answer.unwrap().status(), 200);
    assert_eq!(agent.desired(&hub).await.1.epoch, 2);
}

#[tokio::test]
async fn request_ends_empty_when_nothing_is_new() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    let answer = agent.ask(&hub, Some(desired.assignment.digest()), agent.enforcing(&desired, NOW)).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
}

#[tokio::test]
async fn refused_assignment_is_shown_and_told_again_when_the_time_is_over() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    let asked = std::time::Instant::now();
    let answer = agent.ask(&hub, None, agent.refusing(&desired, "the signature is wrong")).await;
    assert_eq!(serde_json::from_slice::<Desired>(&answer.body).unwrap(), desired, "the reason may be gone");
    assert!(asked.elapsed() >= hub.hub.app.hold, "but not in a loop");
    let cluster = hub.get("/api/v1/status").await.json()["clusters"][0].clone();
    assert_eq!((&cluster["state"], &cluster["refused_reason"]), (&json!("refused"), &json!("the signature is wrong")));
}

#[tokio::test]
async fn proof_of_enforcement_is_recorded_once() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    assert_eq!(hub.get("/api/v1/clusters").await.json()[0]["state"], "never");
    let (desired, _) = agent.desired(&hub).await;
    assert_eq!(hub.get("/api/v1/clusters").await.json()[0]["state"], "pending");
    for at in [NOW + 5, NOW + 9] {
        agent.ask(&hub, Some(desired.assignment.digest()), agent.enforcing(&desired, at)).await;
    }
    let revision = agent.bundle(&desired).revision;
    let proofs = hub.revision(&revision).await["enforced_by"].clone();
    let digest = desired.assignment.digest();
    let (heard, told) = (NOW, NOW + 5);
    assert_eq!(
        proofs,
        json!([{
            "cluster": "prod", "epoch": 1, "digest": digest, "issued_at": NOW, "fetched_at": told,
            "verified_at": told, "active_at": told, "acknowledged_at": heard,
        }])
    );
    let cluster = hub.get("/api/v1/clusters").await.json()[0].clone();
    assert_eq!((&cluster["state"], &cluster["active"]["epoch"]), (&json!("enforcing"), &json!(1)));
    hub.clock.set(NOW + 90_001);
    assert_eq!(hub.get("/api/v1/clusters").await.json()[0]["state"], "offline", "stale is not compliant");
}

#[tokio::test]
async fn blobs_are_for_agents_and_only_by_digest() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    let path = format!("/v1/blobs/{}", agent.bundle(&desired).index);
    assert_eq!(hub.get(&path).await.status, 401);
    let answer = agent.get(&hub, &path).await;
    assert_eq!(answer.headers["cache-control"], "private, max-age=31536000, immutable");
    assert_eq!(agent.get(&hub, "/v1/blobs/..%2Fhub.key").await.status, 400);
    assert_eq!(agent.get(&hub, &format!("/v1/blobs/{}", "0".repeat(64))).await.status, 403);
}

#[tokio::test]
async fn labels_of_the_token_decide_the_settings() {
    let mut hub = TestHub::new().await;
    let fleet = "apiVersion: writ.dev/v1\nkind: Fleet\nclusters:\n- {match: {env: prod}, denyLevel: HIGH}\n";
    hub.repository.write("fleet.yaml", fleet);
    hub.commit("Deny in production").await;
    let wanted = json!({ "cluster": "eu", "labels": { "env": "prod" } });
    let token = hub.post("/api/v1/enrollment-tokens", &wanted).await.json()["token"].clone();
    hub.post("/v1/enroll", &json!({ "token": token, "version": "1" })).await;
    hub.sync().await;
    assert_eq!(hub.get("/api/v1/clusters").await.json()[0]["deny_level"], "HIGH");
}

#[tokio::test]
async fn one_cluster_cannot_hold_requests_without_end() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let held: Vec<_> = (0..16).map(|_| hub.hub.app.board.follow(1).unwrap()).collect();
    assert_eq!(agent.ask(&hub, None, agent.state()).await.status, 503);
    drop(held);
    agent.desired(&hub).await;
}
