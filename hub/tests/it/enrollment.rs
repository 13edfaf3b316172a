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
