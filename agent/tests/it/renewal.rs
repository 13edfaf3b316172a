//! A new credential in time, and what happens when there is none.

use crate::bundles::{label_policy, pod_review};
use crate::fake_hub::FakeHub;
use crate::test_agent::TestAgent;
use writ_agent::clock;

#[tokio::test]
async fn renewed_credential_is_used_and_outlives_a_restart() {
    let hub = FakeHub::start().await;
    hub.renew_from(clock::now() - 1);
    let first = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(first.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&first).await;
    assert_eq!(hub.credentials_asked(), 1);
    hub.forget_former_credentials();
    agent.review(&pod_review("bad")).await;
    agent.until_metric("writ_agent_reports_sent_total 1").await;
    let data = agent.stop().await;
    let second = hub.sign(2, &[label_policy("WT2", "bad")]);
    hub.assign(second.clone());
    let _agent = TestAgent::start_in(data, &hub, &[]).await;
    hub.until_active(&second).await;
    assert_eq!(hub.credentials_asked(), 1, "the new one is not due yet");
}

#[tokio::test]
async fn hub_that_gives_no_new_credential_is_followed_with_the_present_one() {
    let hub = FakeHub::start().await;
    hub.renew_from(clock::now() - 1);
    hub.give_credentials(false);
    let agent = TestAgent::start(&hub).await;
    for epoch in 1..4 {
        let desired = hub.sign(epoch, &[label_policy("WT1", &format!("bad{epoch}"))]);
        hub.assign(desired.clone());
        hub.until_active(&desired).await;
    }
    assert_eq!(hub.credentials_asked(), 1, "it is not asked with every request");
    drop(agent);
}
