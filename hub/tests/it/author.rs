//! The author's word: held until it comes, carried as it is, and no other.

use crate::support::{TestHub, policy};
use std::collections::BTreeMap;
use writ_policy::author::AuthorStatement;
use writ_policy::bundle::{BundleStatement, Index};
use writ_policy::sign::{Signed, SigningKey};
use writ_policy::{Digest, Revision, SourceFile};

fn files(text: &str) -> Vec<SourceFile> {
    vec![SourceFile { path: "test1.rego".into(), text: text.into() }]
}

fn word(key: &SigningKey, revision: &Revision, text: &str) -> Signed {
    let index = Digest::of(Index::build(&files(text)).1);
    key.sign(&AuthorStatement {
        revision: revision.clone(),
        index,
        policies: 1,
        signed_at: 1,
        suspend_seconds: 0,
        classes: BTreeMap::new(),
    })
}

async fn tell(hub: &TestHub, signed: &Signed) -> u16 {
    hub.post("/api/v1/source/sign", &serde_json::to_value(signed).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn commit_waits_for_its_author_and_carries_their_word_to_agents() {
    let (key, folder) = (SigningKey::generate().0, tempfile::tempdir().unwrap());
    let file = folder.path().join("author.pub");
    std::fs::write(&file, key.public().to_string()).unwrap();
    let mut hub = TestHub::empty(&["--author-key", file.to_str().unwrap()]).await;
    let agent = hub.enroll("prod").await;
    let text = policy("TEST1", "no");
    hub.repository.write("test1.rego", &text);
    let first = hub.commit("First").await;
    assert!(hub.served().await.is_null());
    let held = hub.get("/api/v1/status").await.json()["source_held"].as_str().unwrap().to_owned();
    assert!(held.contains(first.short()) && held.contains("author's signature"), "{held}");

    assert_eq!(tell(&hub, &word(&SigningKey::generate().0, &first, &text)).await, 403, "a stranger's word");
    hub.sync().await;
    assert!(hub.served().await.is_null());

    let signed = word(&key, &first, &text);
    assert_eq!(tell(&hub, &signed).await, 202);
    hub.sync().await;
    assert_eq!(hub.served().await, first.as_str());
    let bundle: BundleStatement = serde_json::from_str(&agent.desired(&hub).await.0.bundle.payload).unwrap();
    assert_eq!(bundle.author, Some(signed));
}

#[tokio::test]
async fn word_for_other_files_is_no_word_for_these() {
    let (key, folder) = (SigningKey::generate().0, tempfile::tempdir().unwrap());
    let file = folder.path().join("author.pub");
    std::fs::write(&file, key.public().to_string()).unwrap();
    let mut hub = TestHub::empty(&["--author-key", file.to_str().unwrap()]).await;
    hub.repository.write("test1.rego", policy("TEST1", "no"));
    let first = hub.commit("First").await;
    assert_eq!(tell(&hub, &word(&key, &first, &policy("TEST1", "other"))).await, 202);
    hub.sync().await;
    let told = hub.revision(&first).await;
    assert_eq!(told["state"], "refused");
    assert!(told["diagnostics"][0]["message"].as_str().unwrap().contains("signed other files"), "{told}");
}

#[tokio::test]
async fn hub_without_an_author_takes_no_word() {
    let hub = TestHub::new().await;
    let revision = Revision::new("a".repeat(40)).unwrap();
    assert_eq!(tell(&hub, &word(&SigningKey::generate().0, &revision, "x")).await, 409);
}
