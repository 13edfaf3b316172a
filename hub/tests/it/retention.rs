//! What grows old goes, what is served or enforced stays, and reports are written meanwhile.

use crate::support::{NOW, TestHub, failure, policy_count, review_count};
use std::time::Duration;
use writ_hub::retention::{Keeping, round};
use writ_policy::wire::Report;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn keeping() -> Keeping {
    let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
    Keeping { keep_raw: days(30), keep_minutes: days(15), keep_rollups: days(400), keep_fixed: days(90) }
}

#[tokio::test]
async fn each_kind_of_row_is_kept_as_long_as_it_is_said() {
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let counted = || Report {
        policy_counts: vec![policy_count(2)],
        review_counts: vec![review_count(3)],
        ..agent.report(1, vec![failure("a")])
    };
    agent.send(&hub, &counted()).await;
    let left = async |hub: &TestHub, days: i64| {
        hub.clock.set(NOW + days * DAY);
        round(&hub.hub.app, &keeping(), Duration::ZERO).await.unwrap();
        let counts = hub.get("/api/v1/counts?since=0").await.json();
        [&counts["failures"], &counts["policy_failures"], &counts["reviews"]].map(|count| count.as_i64().unwrap())
    };
    assert_eq!(left(&hub, 14).await, [1, 2, 3]);
    assert_eq!(left(&hub, 16).await, [1, 0, 0]);
    assert_eq!(left(&hub, 31).await, [0, 0, 0]);
    hub.sync().await;
    assert_eq!(left(&hub, 401).await, [0, 0, 0]);
    let (desired, _) = agent.desired(&hub).await;
    let index = agent.index(&hub, &desired).await;
    assert_eq!(index.files.len(), 1, "what is served stays");
}

#[tokio::test]
async fn reports_are_stored_while_old_rows_go() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    for sequence in 1..=3 {
        let failures = (0..900).map(|n| failure(&format!("p{n}"))).collect();
        assert_eq!(agent.send(&hub, &agent.report(sequence, failures)).await.status, 200);
    }
    hub.clock.set(NOW + 31 * DAY);
    let keeping = keeping();
    let now = {
        let mut now = failure("now");
        now.at = NOW + 31 * DAY;
        agent.report(4, vec![now])
    };
    let (deleted, answer) = tokio::join!(round(&hub.hub.app, &keeping, Duration::ZERO), agent.send(&hub, &now));
    deleted.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(hub.get("/api/v1/counts?since=0").await.json()["failures"], 1);
    let metrics = hub.get("/metrics").await.text();
    assert!(metrics.contains("writ_hub_deleted_rows_total{table=\"failures\"} 2700"), "{metrics}");
}
