//! Several replicas of one cluster's agent: together they are one cluster that does not flap.

use crate::support::{NOW, TestAgent, TestHub, policy};
use serde_json::Value;
use writ_policy::wire::{AgentState, Desired};

fn replica(name: &str, state: AgentState) -> AgentState {
    AgentState { replica: name.into(), ..state }
}

/// What the replica `a` is told, which has nothing yet.
async fn told(hub: &TestHub, agent: &TestAgent) -> Desired {
    let answer = agent.ask(hub, None, replica("a", agent.state())).await;
    serde_json::from_slice(&answer.body).unwrap()
}

async fn cluster(hub: &TestHub) -> Value {
    hub.get("/api/v1/status").await.json()["clusters"][0].clone()
}

#[tokio::test]
async fn cluster_enforces_when_all_its_replicas_do() {
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let first = told(&hub, &agent).await;
    for name in ["a", "b"] {
        agent.ask(&hub, Some(first.assignment.digest()), replica(name, agent.enforcing(&first, NOW))).await;
    }
    let found = cluster(&hub).await;
    assert_eq!((&found["state"], &found["replicas"]), (&"enforcing".into(), &2.into()));

    hub.repository.write("test2.rego", policy("TEST2", "no"));
    hub.commit("Second").await;
    let second = told(&hub, &agent).await;
    agent.ask(&hub, Some(second.assignment.digest()), replica("a", agent.enforcing(&second, NOW))).await;
    assert_eq!(cluster(&hub).await["state"], "pending", "b still judges by the first");
    // A heartbeat of the one that is behind, and of the other, changes nothing.
    agent.ask(&hub, None, replica("b", agent.enforcing(&first, NOW))).await;
    agent.ask(&hub, Some(second.assignment.digest()), replica("a", agent.enforcing(&second, NOW))).await;
    assert_eq!(cluster(&hub).await["state"], "pending");
    agent.ask(&hub, Some(second.assignment.digest()), replica("b", agent.enforcing(&second, NOW))).await;
    assert_eq!(cluster(&hub).await["state"], "enforcing");
}

#[tokio::test]
async fn replica_that_leaves_no_longer_counts() {
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let first = told(&hub, &agent).await;
    for (name, ends) in [("a", 2_000), ("b", 1_000)] {
        let state = AgentState { certificate_expires_at: Some(ends), ..agent.enforcing(&first, NOW) };
        agent.ask(&hub, Some(first.assignment.digest()), replica(name, state)).await;
    }
    assert_eq!(cluster(&hub).await["certificate_expires_at"], 1_000, "the first to end");
    let leaving = AgentState { leaving: true, ..agent.enforcing(&first, NOW) };
    let answer = agent.ask(&hub, None, replica("b", leaving)).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "it is told nothing any more");
    assert_eq!((&cluster(&hub).await["replicas"], &cluster(&hub).await["state"]), (&1.into(), &"enforcing".into()));

    hub.repository.write("test2.rego", policy("TEST2", "no"));
    hub.commit("Second").await;
    let second = told(&hub, &agent).await;
    agent.ask(&hub, Some(second.assignment.digest()), replica("a", agent.enforcing(&second, NOW))).await;
    assert_eq!(cluster(&hub).await["state"], "enforcing", "nobody waits for b");
}
