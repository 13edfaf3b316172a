//! The hub's key changes: what the present key announced is followed, and nothing else.

use crate::bundles::{label_policy, pod_review};
use crate::fake_hub::FakeHub;
use crate::test_agent::TestAgent;

/// Waits until the agent says why it is not ready.
async fn until_not_ready(agent: &TestAgent, reason: &str) {
    for _ in 0..400 {
        let (status, text) = agent.get("/readyz").await;
        if status == 503 && text.contains(reason) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("it is not said: {:?}", agent.get("/readyz").await);
}

#[tokio::test]
async fn announced_key_is_followed_and_what_the_former_signed_is_refused() {
    let hub = FakeHub::start().await;
    let first = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(first.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&first).await;
    let stolen = hub.sign(9, &[label_policy("WT3", "nothing")]);
    hub.rotate_key();
    let second = hub.sign(2, &[label_policy("WT2", "bad")]);
    hub.assign(second.clone());
    hub.until_active(&second).await;
    hub.assign(stolen.clone());
    assert!(hub.until_refused(&stolen).await.contains("is trusted"), "the former key is good for nothing new");
    drop(agent);
}

#[tokio::test]
async fn restart_between_key_and_bundle_enforces_what_the_former_key_signed() {
    let hub = FakeHub::start().await;
    let first = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(first.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&first).await;
    hub.rotate_key();
    // Followed for the sake of a bundle that is then refused: the key is new, what is enforced is not.
    let broken = hub.sign_with(2, &[label_policy("WT2", "bad")], |assignment, _| {
        assignment.cluster = "dev".parse().unwrap();
    });
    hub.assign(broken.clone());
    assert!(hub.until_refused(&broken).await.contains("cluster `dev`"));
    let data = agent.stop().await;
    hub.go_away();
    let agent = TestAgent::start_in(data, &hub, &[]).await;
    assert!(!agent.allows(&pod_review("bad")).await, "enforced from disk");
    hub.come_back();
    let third = hub.sign(3, &[label_policy("WT3", "bad")]);
    hub.assign(third.clone());
    hub.until_active(&third).await;
}

#[tokio::test]
async fn key_that_nobody_announced_is_not_obeyed() {
    let hub = FakeHub::start().await;
    let first = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(first.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&first).await;
    hub.replace_key();
    let second = hub.sign(2, &[label_policy("WT2", "nothing")]);
    hub.assign(second.clone());
    assert!(hub.until_refused(&second).await.contains("is trusted"));
    assert!(!agent.allows(&pod_review("bad")).await, "the last good pair decides");
}

#[tokio::test]
async fn token_of_a_former_key_still_enrolls() {
    let hub = FakeHub::start().await;
    let token = hub.token();
    hub.rotate_key();
    hub.rotate_key();
    let first = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(first.clone());
    let _agent = TestAgent::start_with_token(tempfile::tempdir().unwrap(), &hub, &token, &[]).await;
    hub.until_active(&first).await;
}

#[tokio::test]
async fn token_of_another_hub_does_not() {
    let hub = FakeHub::start().await;
    let token = hub.token();
    hub.replace_key();
    let agent = TestAgent::start_with_token(tempfile::tempdir().unwrap(), &hub, &token, &[]).await;
    until_not_ready(&agent, "but the token was made by").await;
}
