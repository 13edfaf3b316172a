//! One-time tokens and credentials.

use crate::support::{NOW, TestHub, failure};
use serde_json::json;

#[tokio::test]
async fn token_is_used_once() {
    let hub = TestHub::new().await;
    let token = hub.token("prod").await;
    let request = json!({ "token": token, "version": "1" });
    let enrolled = hub.post("/v1/enroll", &request).await.json();
    assert_eq!(enrolled["cluster"], "prod");
    assert_eq!(hub.post("/v1/enroll", &request).await.status, 401);
}

#[tokio::test]
async fn token_that_is_guessed_or_expired_enrolls_nobody() {
    let hub = TestHub::new().await;
    let token = hub.token("prod").await;
    hub.clock.set(NOW + 3_600_000);
    for token in [token.as_str(), "writ_guess_0123456789abcdef", "", "writ_", "x"] {
        let answer = hub.post("/v1/enroll", &json!({ "token": token, "version": "1" })).await;
        assert_eq!(answer.status, 401, "{token}");
    }
    assert_eq!(hub.get("/api/v1/clusters").await.json(), json!([]));
}

#[tokio::test]
async fn token_carries_the_fingerprint_of_the_hubs_key() {
    let hub = TestHub::new().await;
    let token = hub.token("prod").await;
    let answer = hub.post("/v1/enroll", &json!({ "token": token, "version": "1" })).await;
    let key: writ_policy::sign::PublicKey = serde_json::from_value(answer.json()["hub_key"].clone()).unwrap();
    assert!(token.ends_with(&format!("_{}", key.fingerprint())));
}

#[tokio::test]
async fn enrolling_a_cluster_anew_voids_the_former_credential() {
    let hub = TestHub::new().await;
    let former = hub.enroll("prod").await;
    let agent = hub.enroll("prod").await;
    let epoch = agent.desired(&hub).await.1.epoch;
    assert_eq!(former.send(&hub, &former.report(1, vec![failure("a")])).await.status, 401);
    assert_eq!(former.ask(&hub, None, former.state()).await.status, 401);
    assert_eq!(epoch, 1, "the cluster keeps its epochs");
    assert_eq!(hub.get("/api/v1/clusters").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn token_for_an_odd_cluster_or_time_is_not_made() {
    let hub = TestHub::new().await;
    for wanted in [
        json!({ "cluster": "<script>" }),
        json!({ "cluster": "prod", "ttl_seconds": 0 }),
        json!({ "cluster": "prod", "ttl_seconds": 99_999_999 }),
        json!({ "cluster": "prod", "labels": { "a": "x".repeat(1_000) } }),
        json!({ "cluster": "prod", "label": {} }),
    ] {
        let answer = hub.post("/api/v1/enrollment-tokens", &wanted).await;
        assert!(answer.status.is_client_error() && !answer.error().is_empty(), "{wanted}");
    }
}

#[tokio::test]
async fn secrets_are_not_shown_and_not_stored() {
    let hub = TestHub::new().await;
    let token = hub.token("prod").await;
    let agent = hub.enroll("dev").await;
    let secret = token.strip_prefix("writ_").unwrap().rsplit_once('_').unwrap().0.to_owned();
    let shown = format!("{:?} {:?}", hub.hub, agent.enrolled);
    let stored = hub.stored();
    for secret in [&secret, &agent.enrolled.credential] {
        assert!(!shown.contains(secret.as_str()));
        assert!(!stored.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[tokio::test]
async fn token_is_used_as_often_as_it_says() {
    let hub = TestHub::new().await;
    let wanted = json!({ "cluster": "prod", "uses": 2 });
    let token = hub.post("/api/v1/enrollment-tokens", &wanted).await.json()["token"].clone();
    let request = json!({ "token": token, "version": "1" });
    for status in [200, 200, 401] {
        assert_eq!(hub.post("/v1/enroll", &request).await.status, status);
    }
}

#[tokio::test]
async fn agent_waits_until_somebody_accepts_it() {
    let hub = TestHub::new().await;
    let wanted = json!({ "cluster": "prod", "needs_acceptance": true });
    let token = hub.post("/api/v1/enrollment-tokens", &wanted).await.json()["token"].clone();
    let request = json!({ "token": token, "version": "1" });
    assert_eq!(hub.get("/api/v1/enrollments").await.json(), json!([]));
    let answer = hub.post("/v1/enroll", &request).await;
    assert_eq!((answer.status.as_u16(), answer.error().contains("waits to be accepted")), (429, true));
    assert_eq!(hub.get("/api/v1/clusters").await.json(), json!([]), "it is no cluster yet");
    assert_eq!(hub.get("/api/v1/enrollments").await.json()[0]["cluster"], "prod");
    assert!(hub.get("/clusters").await.text().contains("waits to be accepted"));
    let accept = json!({ "cluster": "prod", "by": "ada" });
    assert_eq!(hub.post("/api/v1/enrollments/accept", &accept).await.json(), json!({ "agents": 1 }));
    assert_eq!(hub.post("/v1/enroll", &request).await.status, 200);
    assert_eq!(hub.post("/v1/enroll", &request).await.status, 401, "accepted once");
    assert_eq!(hub.post("/api/v1/enrollments/accept", &accept).await.status, 404);
}

#[tokio::test]
async fn revoked_agent_is_let_in_nowhere_and_what_it_holds_ends() {
    let hub = TestHub::with(&["--hold", "30s"]).await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    let held = async {
        let have = Some(desired.assignment.digest());
        agent.ask(&hub, have, agent.enforcing(&desired, NOW)).await.status
    };
    let revoke = async {
        while hub.hub.app.board.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        hub.post("/api/v1/enrollments/revoke", &json!({ "cluster": "prod", "by": "ada" })).await.json()
    };
    let (status, revoked) = tokio::join!(held, revoke);
    assert_eq!((status.as_u16(), revoked), (204, json!({ "agents": 1 })));
    assert_eq!(agent.ask(&hub, None, agent.state()).await.status, 401);
    assert_eq!(agent.send(&hub, &agent.report(1, vec![failure("a")])).await.status, 401);
    assert_eq!(agent.get(&hub, &format!("/v1/blobs/{}", agent.bundle(&desired).index)).await.status, 401);
    assert_eq!(agent.post(&hub, "/v1/credential", b"{}".to_vec()).await.status, 401);
}

#[tokio::test]
async fn credential_is_renewed_before_it_ends_and_the_former_is_good_until_then() {
    let hub = TestHub::with(&["--credential-ttl", "30d"]).await;
    let mut agent = hub.enroll("prod").await;
    let day = 24 * 3_600_000;
    assert_eq!(agent.enrolled.renew_at, Some(NOW + 10 * day));
    hub.clock.set(NOW + 11 * day);
    let renewed = agent.post(&hub, "/v1/credential", b"{}".to_vec()).await.json();
    assert_eq!(renewed["expires_at"], NOW + 41 * day);
    let former = agent.enrolled.credential.clone();
    assert_eq!(agent.ask(&hub, None, agent.state()).await.status, 200, "other replicas still use it");
    hub.clock.set(NOW + 31 * day);
    assert_eq!(agent.ask(&hub, None, agent.state()).await.status, 401, "it ended");
    agent.enrolled.credential = renewed["credential"].as_str().unwrap().to_owned();
    assert_ne!(agent.enrolled.credential, former);
    assert_eq!(agent.ask(&hub, None, agent.state()).await.status, 200);
}

#[tokio::test]
async fn agent_is_not_given_credentials_without_end() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    for _ in 0..63 {
        assert_eq!(agent.post(&hub, "/v1/credential", b"{}".to_vec()).await.status, 200);
    }
    assert_eq!(agent.post(&hub, "/v1/credential", b"{}".to_vec()).await.status, 429);
}
