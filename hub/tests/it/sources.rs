//! Several repositories become one bundle: each commit of any is a revision, the first says what the fleet is, and what
//! one of them does keeps the others as they are.

use crate::support::{TestAgent, TestHub, TestRepository, policy};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

const SECURITY: &str = "security";

/// A hub with a second source, `security`, whose repository has no commit yet.
struct World {
    hub: TestHub,
    security: TestRepository,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let (security, folder) = (TestRepository::new(), tempfile::tempdir().unwrap());
        let file = sources_file(folder.path(), security.path());
        let hub = TestHub::with(&["--sources", &file]).await;
        Self { hub, security, _folder: folder }
    }

    /// The same, where both sources are served.
    async fn with_both() -> Self {
        let mut world = Self::new().await;
        world.security.write("sec1.rego", policy("SEC1", "no"));
        world.commit("Security begins").await;
        world
    }

    /// A commit of the second source.
    async fn commit(&mut self, message: &str) -> String {
        let revision = self.security.commit(message);
        self.hub.sync().await;
        revision.to_string()
    }

    async fn revision(&self, revision: &str) -> Value {
        self.hub.get(&format!("/api/v1/revisions/{revision}")).await.json()
    }

    /// What the status says of the second source.
    async fn told(&self) -> Value {
        self.hub.get("/api/v1/status").await.json()["sources"][1].clone()
    }

    async fn paths(&self, agent: &TestAgent) -> Vec<String> {
        let (desired, _) = agent.desired(&self.hub).await;
        agent.index(&self.hub, &desired).await.files.into_iter().map(|file| file.path).collect()
    }
}

fn sources_file(folder: &Path, security: &Path) -> String {
    let file = folder.join("sources.yaml");
    let url = security.to_str().unwrap();
    std::fs::write(&file, format!("sources: [{{name: {SECURITY}, url: '{url}'}}]\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn commits_of_every_source_become_one_bundle() {
    let mut world = World::with_both().await;
    let agent = world.hub.enroll("prod").await;
    assert_eq!(world.paths(&agent).await, ["security/sec1.rego", "test1.rego"]);
    let before = world.hub.served().await;
    let first = world.revision(before.as_str().unwrap()).await["parts"][""].clone();

    world.security.write("sec2.rego", policy("SEC2", "no"));
    let second = world.commit("Security goes on").await;
    assert_eq!(world.hub.served().await, second.as_str());
    let told = world.revision(&second).await;
    assert_eq!((&told["source"], &told["parts"]), (&json!(SECURITY), &json!({"": first, SECURITY: second})));
    world.hub.repository.write("test2.rego", policy("TEST2", "no"));
    let third = world.hub.commit("The first goes on").await;
    assert_eq!(world.paths(&agent).await, ["security/sec1.rego", "security/sec2.rego", "test1.rego", "test2.rego"]);
    assert_eq!(world.revision(third.as_str()).await["parts"], json!({"": third, SECURITY: second}));

    world.security.remove("sec2.rego");
    world.commit("Revert").await;
    assert_eq!(world.paths(&agent).await, ["security/sec1.rego", "test1.rego", "test2.rego"]);
    let page = world.hub.get(&format!("/revisions/{second}")).await.text();
    assert!(page.contains("Built of") && page.contains("the first source at"), "the page says of what");
}

#[tokio::test]
async fn bad_commit_of_one_source_keeps_everything_and_is_tried_again_beside_a_better_other() {
    let mut world = World::with_both().await;
    let served = world.hub.served().await;
    let before = world.told().await["served"].clone();
    world.security.write("clash.rego", policy("TEST1", "mine"));
    let clash = world.commit("A code that the first has").await;
    assert_eq!(world.revision(&clash).await["state"], "refused");
    assert_eq!(world.hub.served().await, served);
    assert!(world.hub.get("/").await.text().contains("The newest commit of security was refused"));

    world.hub.repository.remove("test1.rego").write("test9.rego", policy("TEST9", "no"));
    let freed = world.hub.commit("Leave the code to security\n\nWrit-Allow-Removal: yes").await;
    assert_eq!(world.revision(freed.as_str()).await["parts"][SECURITY], before);
    assert_eq!(world.hub.served().await, clash.as_str(), "it is good beside this");
    assert_eq!(world.revision(&clash).await["parts"], json!({"": freed, SECURITY: clash}));
}

#[tokio::test]
async fn only_the_first_source_says_what_the_fleet_is_and_who_is_exempt() {
    let mut world = World::with_both().await;
    let served = world.hub.served().await;
    let fleet = "apiVersion: writ.dev/v1\nkind: \"Fleet\"\ndenyLevel: OFF\n";
    let exemption = "apiVersion: writ.dev/v1\nkind: Exemption\nmetadata: {name: ours}\nspec:\n  policies: [TEST1]\n  \
                     namespaces: [shop]\n  reason: we do not like it\n  approvedBy: us\n  expires: 2026-01-01\n";
    for (file, text) in [("fleet.yaml", fleet), ("exemption.yaml", exemption)] {
        world.security.write(file, text);
        let commit = world.commit(file).await;
        let told = world.revision(&commit).await;
        assert_eq!(told["state"], "refused", "{told}");
        world.security.remove(file);
        let found = told["diagnostics"].to_string();
        assert!(found.contains(&format!("security/{file}")), "{found}");
        assert!(found.contains("the first source's to say"), "{found}");
        assert_eq!(world.hub.served().await, served);
    }
}

#[tokio::test]
async fn source_that_cannot_be_reached_keeps_no_other() {
    let mut world = World::with_both().await;
    let before = world.told().await["served"].clone();
    std::fs::rename(world.security.path(), world.security.path().with_extension("away")).unwrap();
    world.hub.repository.write("test2.rego", policy("TEST2", "no"));
    let second = world.hub.commit("Second").await;
    assert_eq!(world.hub.served().await, second.as_str());
    assert_eq!(world.revision(second.as_str()).await["parts"][SECURITY], before, "its last good policies stay");
    assert!(world.told().await["error"].as_str().unwrap().contains("cannot be fetched"), "{}", world.told().await);
    assert!(world.hub.get("/").await.text().contains("The source security could not be looked at"));
    std::fs::rename(world.security.path().with_extension("away"), world.security.path()).unwrap();
    world.hub.sync().await;
    assert!(world.told().await["error"].is_null());
}

#[tokio::test]
async fn other_source_waits_for_the_first() {
    let (mut security, folder) = (TestRepository::new(), tempfile::tempdir().unwrap());
    security.write("sec1.rego", policy("SEC1", "no"));
    security.commit("Security begins");
    let file = sources_file(folder.path(), security.path());
    let mut hub = TestHub::empty(&["--sources", &file]).await;
    hub.repository.write("broken.rego", "nonsense");
    hub.commit("Broken").await;
    assert!(hub.served().await.is_null());
    let held = hub.get("/api/v1/status").await.json()["sources"][1]["held"].clone();
    assert!(held.as_str().unwrap().contains("until the first source is served"), "{held}");
    hub.repository.write("broken.rego", policy("TEST1", "mended"));
    hub.commit("Mended").await;
    assert_eq!(hub.get("/api/v1/status").await.json()["sources"][1]["held"], Value::Null);
    assert_eq!(hub.served().await, hub.get("/api/v1/status").await.json()["sources"][1]["head"]);
}

#[tokio::test]
async fn restart_builds_nothing_anew_and_a_source_that_is_followed_no_more_is_left_out() {
    let world = World::with_both().await;
    let served = world.hub.served().await;
    let agent = world.hub.enroll("prod").await;
    let epoch = agent.desired(&world.hub).await.1.epoch;
    let mut hub = world.hub.restarted().await;
    hub.sync().await;
    assert_eq!((hub.served().await, agent.desired(&hub).await.1.epoch), (served, epoch));

    std::fs::write(world._folder.path().join("sources.yaml"), "sources: []\n").unwrap();
    let mut hub = hub.restarted().await;
    hub.sync().await;
    let (desired, _) = agent.desired(&hub).await;
    let files = agent.index(&hub, &desired).await.files;
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["test1.rego"]);
}

#[tokio::test]
async fn rewritten_history_of_one_source_is_its_own_matter() {
    let mut world = World::with_both().await;
    let first: writ_policy::Revision = serde_json::from_value(world.hub.served().await).unwrap();
    world.security.write("sec1.rego", policy("SEC1", "second"));
    let second = world.commit("Second").await;
    world.security.reset_to(&first);
    world.security.write("sec1.rego", policy("SEC1", "other"));
    let other = world.commit("Other").await;
    assert!(world.told().await["held"].as_str().unwrap().contains("was rewritten"));
    world.hub.repository.write("test2.rego", policy("TEST2", "no"));
    let beside = world.hub.commit("Beside").await;
    assert_eq!(world.revision(beside.as_str()).await["parts"][SECURITY], second.as_str());

    let answer = world.hub.post("/api/v1/source/allow", &json!({ "revision": other })).await;
    assert_eq!(answer.status, 202);
    world.hub.repository.write("test3.rego", policy("TEST3", "no"));
    world.hub.commit("Between").await;
    assert_eq!((world.told().await["served"].clone(), &world.told().await["held"]), (json!(other), &Value::Null));
}

#[tokio::test]
async fn fork_at_the_same_commit_is_held() {
    let mut world = World::new().await;
    let objects = |repository: &TestRepository| repository.path().join("objects");
    let copied = std::process::Command::new("cp")
        .args(["-r", "-n", "-T"])
        .args([objects(&world.hub.repository), objects(&world.security)])
        .status();
    assert!(copied.unwrap().success());
    let first = serde_json::from_value(world.hub.served().await).unwrap();
    world.security.reset_to(&first);
    world.hub.sync().await;
    assert!(world.told().await["held"].as_str().unwrap().contains("a commit of the first source already"));
    assert_eq!(world.hub.served().await, first.as_str());
}
