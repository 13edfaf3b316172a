//! Break glass: told to the cluster at once, shown, over by itself, and recorded.

use crate::support::{NOW, TestHub};
use serde_json::json;
use writ_policy::BreakGlass;
use writ_policy::bundle::Assignment;

const HOUR: i64 = 3_600_000;

fn wanted(namespace: Option<&str>) -> serde_json::Value {
    json!({"cluster": "prod", "namespace": namespace, "for_seconds": 3600, "reason": "the registry is down", "by": "ada"})
}

/// What the cluster is told to suspend.
async fn suspended(hub: &TestHub, agent: &crate::support::TestAgent) -> (u64, Vec<BreakGlass>) {
    let (_, assignment): (_, Assignment) = agent.desired(hub).await;
    (assignment.epoch, assignment.settings.suspensions)
}

#[tokio::test]
async fn cluster_is_told_what_is_suspended_until_it_ends() {
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let other = hub.enroll("dev").await;
    let (epoch, none) = suspended(&hub, &agent).await;
    assert_eq!(none, []);
    assert_eq!(hub.post("/api/v1/break-glass", &wanted(Some("shop"))).await.status, 200);
    hub.sync().await;
    let (next, open) = suspended(&hub, &agent).await;
    assert_eq!((next, open.len()), (epoch + 1, 1), "a new epoch says so");
    assert_eq!((open[0].namespace.as_deref(), open[0].until, open[0].by.as_str()), (Some("shop"), NOW + HOUR, "ada"));
    assert_eq!(suspended(&hub, &other).await.1, [], "it is one cluster's");
    let status = hub.get("/api/v1/status").await.json();
    assert_eq!(status["break_glass"][0]["reason"], "the registry is down");
    let page = String::from_utf8(hub.get("/").await.body).unwrap();
    assert!(page.contains("Break glass is open") && page.contains("the registry is down"), "the fleet page shows it");

    hub.clock.set(NOW + HOUR);
    hub.sync().await;
    assert_eq!(suspended(&hub, &agent).await.1, [], "it ended by itself");
    assert_eq!(hub.get("/api/v1/break-glass").await.json().as_array().unwrap().len(), 1, "the record stays");
    assert_eq!(hub.get("/api/v1/break-glass?open=true").await.json(), json!([]));
}

#[tokio::test]
async fn suspension_is_ended_before_its_time_and_only_there() {
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    for namespace in [None, Some("shop")] {
        assert_eq!(hub.post("/api/v1/break-glass", &wanted(namespace)).await.status, 200);
    }
    let end = json!({"cluster": "prod", "by": "bob"});
    assert_eq!(hub.post("/api/v1/break-glass/end", &end).await.json()["ended"], 1);
    assert_eq!(hub.post("/api/v1/break-glass/end", &end).await.json()["ended"], 0);
    hub.sync().await;
    let left = suspended(&hub, &agent).await.1;
    assert_eq!((left.len(), left[0].namespace.as_deref()), (1, Some("shop")));
    let all = hub.get("/api/v1/break-glass").await.json();
    assert!(all.as_array().unwrap().iter().any(|row| row["ended_by"] == "bob" && row["ended_at"] == NOW));
}

#[tokio::test]
async fn what_namespaces_opened_themselves_is_recorded_with_who_and_when() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let glass = BreakGlass {
        namespace: Some("shop".into()),
        until: NOW + HOUR,
        reason: "INC-1".into(),
        by: "ada".into(),
        at: NOW - 5,
        by_namespace: true,
    };
    let mut state = agent.state();
    state.break_glass = vec![glass.clone(), BreakGlass { by: String::new(), ..glass }];
    agent.ask(&hub, None, state).await;
    let open = hub.get("/api/v1/break-glass?open=true").await.json();
    assert_eq!(open.as_array().unwrap().len(), 1, "{open}");
    assert_eq!((&open[0]["opened_by"], &open[0]["opened_at"]), (&json!("ada"), &json!(NOW - 5)));
    agent.ask(&hub, None, agent.state()).await;
    assert_eq!(hub.get("/api/v1/break-glass?open=true").await.json(), json!([]), "it was taken off");
    assert_eq!(hub.get("/api/v1/break-glass").await.json()[0]["ended_at"], json!(NOW));
}

#[tokio::test]
async fn suspension_without_a_reason_or_an_end_is_refused() {
    let hub = TestHub::new().await;
    hub.enroll("prod").await;
    for (field, value, status) in [
        ("reason", json!(" "), 400),
        ("by", json!(""), 400),
        ("for_seconds", json!(0), 400),
        ("for_seconds", json!(86_401), 400),
        ("cluster", json!("nowhere"), 404),
        ("namespace", json!("Not a name"), 400),
    ] {
        let mut wanted = wanted(None);
        wanted[field] = value;
        assert_eq!(hub.post("/api/v1/break-glass", &wanted).await.status, status, "{field}");
    }
}
