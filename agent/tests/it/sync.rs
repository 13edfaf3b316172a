//! What is obeyed, what is refused, and what stays enforced.

use crate::bundles::{file, label_policy, pod_review, policy};
use crate::fake_hub::{CREDENTIAL, FakeHub};
use crate::test_agent::{TestAgent, refused, until};
use std::os::unix::fs::PermissionsExt;
use writ_policy::{ClusterName, Digest};

/// A hub whose epoch 5 denies Pods with the label `bad`, and an agent that enforces it.
async fn enforcing() -> (FakeHub, TestAgent) {
    let hub = FakeHub::start().await;
    let good = hub.sign(5, &[label_policy("WT1", "bad")]);
    hub.assign(good.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&good).await;
    (hub, agent)
}

#[tokio::test]
async fn signed_bundle_is_enforced_and_proved() {
    let (hub, agent) = enforcing().await;
    let state = hub.until_state(|state| state.active.is_some()).await;
    let active = state.active.unwrap();
    assert_eq!(active.epoch, 5);
    assert!(active.fetched_at <= active.verified_at && active.verified_at <= active.active_at);
    assert!(!agent.allows(&pod_review("bad")).await);
    assert!(agent.allows(&pod_review("good")).await);
    assert_eq!(agent.get("/readyz").await.0, 200);
}

#[tokio::test]
async fn newer_bundle_replaces_the_older_and_only_missing_blobs_travel() {
    let (hub, agent) = enforcing().await;
    let before = hub.blob_requests();
    let next = hub.sign(6, &[label_policy("WT1", "bad"), label_policy("WT2", "worse")]);
    hub.assign(next.clone());
    hub.until_active(&next).await;
    assert_eq!(hub.blob_requests() - before, 2, "the index and one policy");
    assert!(!agent.allows(&pod_review("worse")).await);
    let back = hub.sign(7, &[label_policy("WT1", "bad")]);
    hub.assign(back.clone());
    hub.until_active(&back).await;
    assert_eq!(hub.blob_requests() - before, 2, "a revert moves nothing");
    assert!(agent.allows(&pod_review("worse")).await);
}

#[tokio::test]
async fn what_is_not_right_is_refused_and_the_last_good_bundle_stays() {
    let (hub, agent) = enforcing().await;
    let files = [label_policy("WT2", "other")];

    refused(&hub, &agent, hub.sign(4, &files), "older").await;
    refused(&hub, &agent, hub.sign(5, &files), "another content").await;
    let other_cluster = hub.sign_with(6, &files, |assignment, _| assignment.cluster = ClusterName::new("dev").unwrap());
    refused(&hub, &agent, other_cluster, "cluster `dev`").await;
    let other_bundle = hub.sign_with(6, &files, |assignment, _| assignment.bundle = Digest::of("x"));
    refused(&hub, &agent, other_bundle, "the assignment names").await;
    refused(&hub, &agent, FakeHub::start().await.sign(6, &files), "only").await;
    let mut unsigned = hub.sign(6, &files);
    unsigned.assignment.payload = unsigned.assignment.payload.replace("\"epoch\":6", "\"epoch\":7");
    refused(&hub, &agent, unsigned, "signature").await;
    let fewer = hub.sign_with(6, &files, |_, bundle| bundle.policies = 12);
    refused(&hub, &agent, fewer, "its statement says 12").await;

    let good = hub.sign(6, &files);
    hub.assign(good.clone());
    let state = hub.until_active(&good).await;
    assert_eq!(state.refused, None, "what was refused before no longer matters");
}

#[tokio::test]
async fn tampered_blob_is_refused() {
    let (hub, agent) = enforcing().await;
    let policy = label_policy("WT2", "other");
    let desired = hub.sign(6, std::slice::from_ref(&policy));
    hub.tamper_blob(&policy, &policy.text.replace("other", "nobod"));
    refused(&hub, &agent, desired, "digest").await;
}

#[tokio::test]
async fn blob_longer_than_its_index_says_is_refused() {
    let (hub, agent) = enforcing().await;
    let policy = label_policy("WT2", "other");
    let desired = hub.sign(6, std::slice::from_ref(&policy));
    hub.tamper_blob(&policy, &"x".repeat(64 << 20));
    refused(&hub, &agent, desired, "longer than").await;
}

#[tokio::test]
async fn bundle_that_fails_its_self_test_is_refused() {
    let (hub, agent) = enforcing().await;
    let broken = hub.sign_with(6, &[policy("WT2", "package writ.wt2\n\ndeny contains \"x\" if {{\n")], |_, _| {});
    refused(&hub, &agent, broken, "wt2.rego").await;
    let failing = file("wt1_test.rego", "package writ.wt1_test\n\ntest_never if false\n");
    let failing = hub.sign(6, &[label_policy("WT1", "bad"), failing]);
    refused(&hub, &agent, failing, "wt1_test.rego").await;
}

#[tokio::test]
async fn renewed_assignment_of_the_same_content_is_acknowledged() {
    let (hub, agent) = enforcing().await;
    let mut bundle = None;
    let files = [label_policy("WT2", "other")];
    let first = hub.sign_with(6, &files, |_, statement| bundle = Some(statement.clone()));
    hub.assign(first.clone());
    hub.until_active(&first).await;
    let renewed = hub.sign_with(6, &files, |assignment, statement| {
        assignment.issued_at += 1_000;
        *statement = bundle.unwrap();
    });
    hub.assign(renewed.clone());
    let state = hub.until_active(&renewed).await;
    assert_eq!(state.refused, None);
    assert!(!agent.allows(&pod_review("other")).await);
}

#[tokio::test]
async fn last_good_bundle_is_enforced_before_the_hub_is_heard() {
    let (hub, agent) = enforcing().await;
    let data = agent.stop().await;
    hub.go_away();
    let agent = TestAgent::start_in(data, &hub, &[]).await;
    assert_eq!(agent.get("/readyz").await.0, 200, "ready as soon as it listens");
    assert!(!agent.allows(&pod_review("bad")).await);
}

#[tokio::test]
async fn damaged_cache_falls_back_to_the_previous_bundle_and_mends_itself() {
    let (hub, agent) = enforcing().await;
    let worse = label_policy("WT2", "worse");
    let next = hub.sign(6, std::slice::from_ref(&worse));
    hub.assign(next.clone());
    hub.until_active(&next).await;
    let data = agent.stop().await;
    std::fs::write(data.path().join("cache/blobs").join(worse.digest().to_string()), "damaged").unwrap();

    hub.go_away();
    let agent = TestAgent::start_in(data, &hub, &[]).await;
    assert!(!agent.allows(&pod_review("bad")).await, "the previous bundle is enforced");
    refused_epoch_after_fall_back(&hub, &agent).await;
    hub.assign(next.clone());
    hub.until_active(&next).await;
    assert!(!agent.allows(&pod_review("worse")).await, "the newest epoch is fetched again");
}

/// Nothing older than what was ever enforced is taken, even while an older bundle is enforced.
async fn refused_epoch_after_fall_back(hub: &FakeHub, agent: &TestAgent) {
    hub.assign(hub.sign(5, &[label_policy("WT3", "x")]));
    hub.come_back();
    refused(hub, agent, hub.sign(5, &[label_policy("WT3", "y")]), "older").await;
}

#[tokio::test]
async fn identity_is_for_its_owner_alone_and_the_token_is_not_needed_again() {
    let (hub, agent) = enforcing().await;
    let data = agent.stop().await;
    let identity = data.path().join("identity.json");
    assert_eq!(std::fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(data.path().join("token"), "").unwrap();
    let before = std::fs::read(&identity).unwrap();
    let agent = TestAgent::start_in(data, &hub, &["--token-file", "/nonexistent"]).await;
    hub.until_state(|state| state.active.is_some()).await;
    let data = agent.stop().await;
    assert_eq!(std::fs::read(data.path().join("identity.json")).unwrap(), before);
    assert!(String::from_utf8(before).unwrap().contains(CREDENTIAL));
}

#[tokio::test]
async fn hub_whose_key_is_not_the_tokens_is_not_obeyed() {
    let hub = FakeHub::start().await;
    let data = tempfile::tempdir().unwrap();
    let token = data.path().join("other-token");
    let other = FakeHub::start().await;
    std::fs::write(&token, other.token()).unwrap();
    let agent = TestAgent::start_in(data, &hub, &["--token-file", token.to_str().unwrap()]).await;
    let (status, reason) = until_reason(&agent, "the token was made by").await;
    assert_eq!(status, 503, "{reason}");
    assert!(!agent.data.path().join("identity.json").exists());
}

#[tokio::test]
async fn agent_whose_hub_is_away_at_first_start_says_so() {
    let hub = FakeHub::start().await;
    hub.go_away();
    let agent = TestAgent::start(&hub).await;
    assert_eq!(agent.get("/healthz").await.0, 200);
    until_reason(&agent, "not enrolled").await;
    hub.come_back();
    let good = hub.sign(1, &[label_policy("WT1", "bad")]);
    hub.assign(good.clone());
    hub.until_active(&good).await;
    until_reason(&agent, "enforcing").await;
}

async fn until_reason(agent: &TestAgent, reason: &str) -> (u16, String) {
    for _ in 0..400 {
        let ready = agent.get("/readyz").await;
        if ready.1.contains(reason) {
            return ready;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("/readyz says {:?}", agent.get("/readyz").await);
}

#[tokio::test]
async fn blobs_that_nothing_needs_any_more_are_removed() {
    let (hub, agent) = enforcing().await;
    let first = label_policy("WT1", "bad");
    for epoch in [6, 7] {
        let next = hub.sign(epoch, &[label_policy("WT2", &format!("label{epoch}"))]);
        hub.assign(next.clone());
        hub.until_active(&next).await;
    }
    let blobs = agent.data.path().join("cache/blobs");
    until("the oldest blob is removed", || (!blobs.join(first.digest().to_string()).exists()).then_some(())).await;
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 4, "two bundles of an index and a policy");
}

#[tokio::test]
async fn stale_assignment_is_still_enforced() {
    let hub = FakeHub::start().await;
    let stale = hub.sign_with(1, &[label_policy("WT1", "bad")], |assignment, _| assignment.stale_after = 1);
    hub.assign(stale.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&stale).await;
    agent.until_metric("writ_agent_assignment_stale 1").await;
    assert!(!agent.allows(&pod_review("bad")).await);
}

#[tokio::test]
async fn hub_whose_clock_is_an_hour_off_is_obeyed() {
    let hub = FakeHub::start().await;
    let agent = TestAgent::start(&hub).await;
    for (epoch, off) in [(1, 3_600_000), (2, -3_600_000)] {
        let signed = hub.sign_with(epoch, &[label_policy("WT1", &format!("bad{epoch}"))], |assignment, _| {
            assignment.issued_at += off;
            assignment.stale_after += off;
        });
        hub.assign(signed.clone());
        hub.until_active(&signed).await;
        assert!(!agent.allows(&pod_review(&format!("bad{epoch}"))).await);
    }
}

#[tokio::test]
async fn older_bundle_is_refused_even_when_the_kept_mark_is_damaged() {
    let (hub, agent) = enforcing().await;
    std::fs::write(agent.data.path().join("cache/floor.json"), "{").unwrap();
    refused(&hub, &agent, hub.sign(4, &[label_policy("WT2", "other")]), "older").await;
}

/// Every file that a start reads, cut off and overwritten in turn: with the hub away the agent enforces what is left,
/// the newest pair or the one before, and never nothing.
#[tokio::test]
async fn start_survives_damage_to_any_one_file_of_the_cache() {
    let (hub, agent) = enforcing().await;
    let next = hub.sign(6, &[label_policy("WT1", "bad"), label_policy("WT2", "worse")]);
    hub.assign(next.clone());
    hub.until_active(&next).await;
    let mut data = agent.stop().await;
    hub.go_away();
    let kept = files_of(data.path());
    assert!(kept.len() >= 6, "pairs, mark and blobs: {kept:?}");
    for (path, content) in &kept {
        for damaged in [&content[..content.len() / 2], &b"damaged"[..], &b""[..]] {
            for (path, content) in &kept {
                std::fs::write(path, content).unwrap();
            }
            std::fs::write(path, damaged).unwrap();
            let agent = TestAgent::start_in(data, &hub, &[]).await;
            assert!(!agent.allows(&pod_review("bad")).await, "{} is damaged", path.display());
            data = agent.stop().await;
        }
    }
}

fn files_of(data: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = vec![];
    for folder in ["cache", "cache/blobs"] {
        let paths = std::fs::read_dir(data.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(paths.filter(|path| path.is_file()).map(|path| (path.clone(), std::fs::read(path).unwrap())));
    }
    found
}
