//! A hub that is killed and comes back.

use crate::support::{NOW, TestHub, failure, policy};

#[tokio::test]
async fn hub_comes_back_with_what_it_served_and_counted() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (before, _) = agent.desired(&hub).await;
    agent.send(&hub, &agent.report(1, vec![failure("a")])).await;
    let mut hub = hub.restarted().await;
    hub.sync().await;
    let (after, assignment) = agent.desired(&hub).await;
    assert_eq!((after, assignment.epoch), (before, 1), "nothing changed, so nothing new is told");
    agent.send(&hub, &agent.report(1, vec![failure("a")])).await;
    assert_eq!(hub.get("/api/v1/counts").await.json()["failures"], 1);
}

#[tokio::test]
async fn mirror_that_a_power_cut_spoilt_is_fetched_anew() {
    let hub = TestHub::new().await;
    let objects = hub.data.path().join("mirror.git/objects");
    std::fs::remove_dir_all(&objects).unwrap();
    std::fs::create_dir_all(objects.join("pack")).unwrap();
    let mut hub = hub.restarted().await;
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let second = hub.commit("Second").await;
    assert_eq!(hub.served().await, second.as_str());
}

#[tokio::test]
async fn new_signing_key_signs_everything_anew_although_the_head_is_refused() {
    let mut hub = TestHub::with(&["--new-signing-key"]).await;
    let before = hub.enroll("prod").await;
    hub.repository.write("broken.rego", "nonsense");
    hub.commit("Break it").await;
    std::fs::remove_file(hub.data.path().join("hub.key")).unwrap();
    let mut hub = hub.restarted().await;
    hub.sync().await;
    let after = hub.enroll("prod").await;
    assert_ne!(after.enrolled.hub_key, before.enrolled.hub_key);
    let (desired, assignment) = after.desired(&hub).await;
    assert_eq!((after.bundle(&desired).policies, assignment.epoch), (1, 2));
}

#[tokio::test]
async fn assignment_is_renewed_before_it_is_stale() {
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (_, first) = agent.desired(&hub).await;
    hub.clock.set(NOW + 13 * 60 * 60 * 1000);
    hub.sync().await;
    let (_, renewed) = agent.desired(&hub).await;
    assert_eq!((renewed.epoch, renewed.bundle), (2, first.bundle));
    assert!(renewed.stale_after > first.stale_after);
}

#[tokio::test]
async fn heartbeats_are_written_when_the_hub_stops() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (desired, _) = agent.desired(&hub).await;
    let have = Some(desired.assignment.digest());
    agent.ask(&hub, have, agent.enforcing(&desired, NOW)).await;
    hub.clock.set(NOW + 80_000);
    agent.ask(&hub, have, agent.enforcing(&desired, NOW)).await;
    writ_hub::heartbeat::flush(&hub.hub.app).await.unwrap();
    assert_eq!(hub.get("/api/v1/clusters").await.json()[0]["seen_at"], NOW + 80_000);
}
