//! What becomes of commits over time.

use crate::support::{TestHub, policy};
use serde_json::json;

#[tokio::test]
async fn revert_is_a_new_epoch_with_the_same_index() {
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (first, _) = agent.desired(&hub).await;
    hub.repository.write("test1.rego", policy("TEST1", "changed"));
    hub.commit("Change it").await;
    let (changed, _) = agent.desired(&hub).await;
    hub.repository.write("test1.rego", policy("TEST1", "no"));
    hub.commit("Revert \"Change it\"").await;
    let (reverted, assignment) = agent.desired(&hub).await;
    assert_eq!(assignment.epoch, 3);
    assert_ne!(agent.bundle(&changed).index, agent.bundle(&first).index);
    assert_eq!(agent.bundle(&reverted).index, agent.bundle(&first).index);
    assert_ne!(agent.bundle(&reverted).revision, agent.bundle(&first).revision);
}

#[tokio::test]
async fn commit_that_removes_most_policies_needs_its_authors_word() {
    let mut hub = TestHub::new().await;
    for code in ["TEST2", "TEST3"] {
        hub.repository.write(&format!("{code}.rego"), policy(code, "no"));
    }
    let good = hub.commit("Three policies").await;
    hub.repository.remove("TEST2.rego").remove("TEST3.rego");
    let refused = hub.commit("Tidy up").await;
    let diagnostic = hub.revision(&refused).await["diagnostics"][0].clone();
    assert_eq!(diagnostic["message"], "the commit removes 2 of 3 policies: TEST2, TEST3");
    assert!(diagnostic["help"].as_str().unwrap().contains("Writ-Allow-Removal: yes"));
    assert_eq!(hub.served().await, good.as_str());
    let meant = hub.commit("Tidy up\n\nThey moved.\n\nWrit-Allow-Removal: yes").await;
    assert_eq!(hub.served().await, meant.as_str());
}

#[tokio::test]
async fn every_commit_of_a_push_is_recorded_and_the_head_is_built() {
    let mut hub = TestHub::new().await;
    let commits: Vec<_> = (0..3)
        .map(|n| {
            hub.repository.write("test1.rego", policy("TEST1", &format!("no {n}")));
            hub.repository.commit(&format!("Change {n}"))
        })
        .collect();
    hub.sync().await;
    let listed = hub.get("/api/v1/revisions?limit=3").await.json();
    let told: Vec<_> = listed.as_array().unwrap().iter().map(|one| (&one["revision"], &one["state"])).collect();
    let expected = [json!("served"), json!("superseded"), json!("superseded")];
    let revisions: Vec<_> = commits.iter().rev().map(|revision| json!(revision)).collect();
    assert_eq!(told, revisions.iter().zip(&expected).collect::<Vec<_>>());
}

#[tokio::test]
async fn commit_is_served_although_the_clock_was_set_back() {
    let mut hub = TestHub::new().await;
    hub.clock.set(hub.hub.app.now() - 3_600_000);
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let second = hub.commit("Second").await;
    assert_eq!(hub.served().await, second.as_str());
}

#[tokio::test]
async fn page_of_a_code_is_kept_with_its_policy() {
    let mut hub = TestHub::new().await;
    hub.repository.write("docs/TEST1.md", "# Why");
    hub.commit("Explain it").await;
    let page = hub.get("/policies/test1").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Why"), "{}", page.text());
}

#[tokio::test]
async fn unknown_and_odd_revisions_are_not_found() {
    let hub = TestHub::new().await;
    assert_eq!(hub.get(&format!("/api/v1/revisions/{}", "0".repeat(40))).await.status, 404);
    assert_eq!(hub.get("/api/v1/revisions/HEAD").await.status, 400);
}
