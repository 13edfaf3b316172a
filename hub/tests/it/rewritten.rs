//! History that was rewritten: shown, not followed until an operator says so, and then only that.

use crate::support::{TestHub, policy};
use serde_json::json;
use writ_policy::Revision;

/// A hub that served two commits, and the first of them.
async fn hub() -> (TestHub, Revision, Revision) {
    let mut hub = TestHub::new().await;
    let first: Revision = serde_json::from_value(hub.served().await).unwrap();
    hub.repository.write("test1.rego", policy("TEST1", "second"));
    let second = hub.commit("Second").await;
    (hub, first, second)
}

async fn rewrite(hub: &mut TestHub, onto: &Revision, message: &str) -> Revision {
    hub.repository.reset_to(onto);
    hub.repository.write("test1.rego", policy("TEST1", message));
    hub.commit(message).await
}

async fn allow(hub: &mut TestHub, revision: &Revision) {
    let answer = hub.post("/api/v1/source/allow", &json!({ "revision": revision })).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    hub.sync().await;
}

#[tokio::test]
async fn rewritten_history_is_refused_until_an_operator_allows_it() {
    let (mut hub, first, second) = hub().await;
    let other = rewrite(&mut hub, &first, "Other").await;
    let told = hub.revision(&other).await;
    assert_eq!(told["state"], "refused");
    let message = told["diagnostics"][0]["message"].as_str().unwrap();
    assert!(message.contains("was rewritten") && message.contains(second.short()), "{message}");
    assert_eq!(hub.served().await, second.as_str());
    let status = hub.get("/api/v1/status").await.json();
    assert!(status["source_held"].as_str().unwrap().contains(&format!("writ source allow {other}")), "{status}");
    assert!(hub.get("/").await.text().contains("writ source allow"), "the fleet page says how");

    hub.repository.write("test1.rego", policy("TEST1", "on top"));
    let on_top = hub.commit("On top of it").await;
    assert_eq!(hub.revision(&on_top).await["state"], "refused", "what comes on top is no better");

    allow(&mut hub, &other).await;
    assert_eq!(hub.served().await, on_top.as_str(), "it is allowed, and what came after it");
    assert!(hub.get("/api/v1/status").await.json()["source_held"].is_null());
}

#[tokio::test]
async fn what_was_allowed_once_allows_nothing_later() {
    let (mut hub, first, _) = hub().await;
    let other = rewrite(&mut hub, &first, "Other").await;
    allow(&mut hub, &other).await;
    hub.repository.write("test1.rego", policy("TEST1", "good"));
    let good = hub.commit("Good").await;
    assert_eq!(hub.served().await, good.as_str());
    let sideways = rewrite(&mut hub, &other, "Sideways").await;
    assert_eq!(hub.revision(&sideways).await["state"], "refused");
    hub.repository.reset_to(&other);
    hub.sync().await;
    assert_eq!(hub.served().await, good.as_str(), "nor the same once more");
}

#[tokio::test]
async fn rewriting_is_noticed_although_the_mirror_was_lost() {
    let (mut hub, first, second) = hub().await;
    hub.repository.reset_to(&first);
    hub.repository.write("test1.rego", policy("TEST1", "other"));
    let other = hub.repository.commit("Other");
    let mut hub = hub.restarted_after(async |data| std::fs::remove_dir_all(data.join("mirror.git")).unwrap()).await;
    hub.sync().await;
    assert_eq!(hub.revision(&other).await["state"], "refused");
    assert_eq!(hub.served().await, second.as_str());
}

#[tokio::test]
async fn branch_that_goes_back_serves_the_earlier_commit_again_once_allowed() {
    let (mut hub, first, second) = hub().await;
    let agent = hub.enroll("prod").await;
    hub.repository.reset_to(&first);
    hub.sync().await;
    assert_eq!(hub.served().await, second.as_str());
    assert_eq!(hub.revision(&first).await["state"], "served", "it stays what it was found to be");
    let epoch = agent.desired(&hub).await.1.epoch;
    allow(&mut hub, &first).await;
    assert_eq!(hub.served().await, first.as_str());
    assert_eq!(agent.desired(&hub).await.1.epoch, epoch + 1);
}

#[tokio::test]
async fn only_a_full_commit_id_is_allowed() {
    let (hub, ..) = hub().await;
    assert_eq!(hub.post("/api/v1/source/allow", &json!({"revision": "main"})).await.status, 400);
}

#[tokio::test]
async fn tag_is_followed_as_it_moves() {
    let mut hub = TestHub::empty(&["--tag", "production"]).await;
    hub.repository.write("test1.rego", policy("TEST1", "no"));
    let first = hub.repository.commit("First");
    hub.repository.tag("production", &first);
    hub.sync().await;
    hub.repository.write("test1.rego", policy("TEST1", "second"));
    let second = hub.commit("Second").await;
    assert_eq!(hub.served().await, first.as_str(), "the branch is not looked at");
    hub.repository.tag("production", &second);
    hub.sync().await;
    assert_eq!(hub.served().await, second.as_str());
}
