//! What grows old goes, what is served or enforced stays, and reports are written meanwhile.

use crate::support::{NOW, TestHub, failure, policy, policy_count, review_count};
use std::time::Duration;
use writ_hub::retention::{Keeping, content, round};
use writ_policy::wire::Report;

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

fn keeping() -> Keeping {
    let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
    Keeping { keep_raw: days(30), keep_minutes: days(15), keep_rollups: days(400), keep_fixed: days(90) }
}

#[tokio::test]
async fn each_kind_of_row_is_kept_as_long_as_it_is_said() {
    let mut hub = TestHub::with(&["--credential-ttl", "20000h"]).await;
    let agent = hub.enroll("prod").await;
    let counted = || Report {
        policy_counts: vec![policy_count(2)],
        review_counts: vec![review_count(3)],
        ..agent.report(1, vec![failure("a")])
    };
    agent.send(&hub, &counted()).await;
    hub.hub.app.store.fold(1_000, 0).await.unwrap();
    let left = async |hub: &TestHub, days: i64| {
        hub.clock.set(NOW + days * DAY);
        round(&hub.hub.app, &keeping(), Duration::ZERO).await.unwrap();
        let failures = hub.get("/api/v1/failures").await.json()["items"].as_array().unwrap().len();
        let (from, until) = (NOW - HOUR, NOW + HOUR);
        let minutes = format!("/api/v1/trends?resolution=minute&from={from}&until={until}");
        let minutes = hub.get(&minutes).await.json()["buckets"].as_array().unwrap().len();
        let counts = hub.get("/api/v1/counts").await.json();
        let counts = [&counts["failures"], &counts["policy_failures"], &counts["reviews"]];
        (failures, minutes, counts.map(|count| count.as_i64().unwrap()))
    };
    assert_eq!(left(&hub, 14).await, (1, 1, [1, 2, 3]));
    assert_eq!(left(&hub, 16).await, (1, 0, [1, 2, 3]));
    assert_eq!(left(&hub, 31).await, (0, 0, [1, 2, 3]));
    hub.sync().await;
    assert_eq!(left(&hub, 402).await, (0, 0, [1, 2, 3]), "sums of a week go together, and its last day is kept");
    assert_eq!(left(&hub, 408).await, (0, 0, [0, 0, 0]));
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
    assert_eq!(hub.get("/api/v1/failures").await.json()["items"].as_array().unwrap().len(), 1);
    let metrics = hub.get("/metrics").await.text();
    assert!(metrics.contains("writ_hub_deleted_rows_total{table=\"failures\"} 2700"), "{metrics}");
}

#[tokio::test]
async fn content_that_no_revision_needs_goes_and_a_rollback_brings_it_back() {
    let mut hub = TestHub::with(&["--credential-ttl", "20000h"]).await;
    hub.repository.write("test2.rego", policy("TEST2", "stays the same"));
    let first = hub.commit("Second file").await;
    let agent = hub.enroll("prod").await;
    let old = agent.index(&hub, &agent.desired(&hub).await.0).await;
    let blob = async |hub: &TestHub, digest: &writ_policy::Digest| {
        agent.get(hub, &format!("/v1/blobs/{digest}")).await.status.as_u16()
    };
    hub.clock.set(NOW + 300 * DAY);
    hub.repository.write("test1.rego", policy("TEST1", "changed"));
    hub.commit("Kept").await;
    let (desired, _) = agent.desired(&hub).await;
    agent.ask(&hub, None, agent.enforcing(&desired, NOW + 300 * DAY)).await;
    hub.repository.write("test1.rego", policy("TEST1", "changed again"));
    hub.commit("Served").await;

    // What clusters were told is kept for 400 days, and with it what it is made of.
    hub.clock.set(NOW + 350 * DAY);
    let clean = async |hub: &TestHub| {
        round(&hub.hub.app, &keeping(), Duration::ZERO).await.unwrap();
        content(&hub.hub.app, &keeping()).await.unwrap()
    };
    assert_eq!(clean(&hub).await, 0);
    hub.clock.set(NOW + 650 * DAY);
    assert_eq!(clean(&hub).await, 3, "two indexes and the first text of a file");
    let gone = old.files.iter().find(|file| file.path == "test1.rego").unwrap();
    let same = old.files.iter().find(|file| file.path == "test2.rego").unwrap();
    assert_eq!((blob(&hub, &gone.digest).await, blob(&hub, &same.digest).await), (403, 200));
    assert_eq!(hub.get("/readyz").await.status, 200);
    assert_eq!(hub.revision(&first).await["revision"], first.as_str(), "its row stays");

    // What `git revert` makes: the files of then, in a new commit.
    for sentence in ["changed", "no"] {
        hub.repository.write("test1.rego", policy("TEST1", sentence));
        let revision = hub.commit("Revert").await;
        assert_eq!(hub.served().await, revision.as_str());
        let (desired, _) = agent.desired(&hub).await;
        for file in agent.index(&hub, &desired).await.files {
            assert_eq!(blob(&hub, &file.digest).await, 200, "{}", file.path);
        }
    }
    assert_eq!(blob(&hub, &gone.digest).await, 200);
}
