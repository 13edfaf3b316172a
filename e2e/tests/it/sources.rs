//! Two repositories on two git hosts, each with its own login and authority: a commit of either is enforced.

use crate::policies::{NO_SHOUTING, config_map};
use crate::world::{World, install_tls};
use serde_json::json;
use std::path::Path;
use writ_e2e::git::{commit, git};
use writ_e2e::git_server::GitServer;

const PASSWORD: &str = "another-horse-battery";

/// The second repository and the file that names it to the hub.
fn second(folder: &Path) -> (GitServer, String) {
    let (bare, work) = (folder.join("security.git"), folder.join("work"));
    git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", bare.to_str().unwrap()]).unwrap();
    git(folder, &["clone", "--quiet", bare.to_str().unwrap(), work.to_str().unwrap()]).unwrap();
    commit(&work, "README.md", "Of the security team.\n", "First").unwrap();
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
    let remote = GitServer::start(folder, "grace", PASSWORD, axum::Router::new()).unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name).to_str().unwrap().to_owned()
    };
    let (password, ca) = (file("password", PASSWORD), file("ca.pem", remote.ca()));
    let source = json!({"name": "security", "url": remote.url("security.git"), "username": "grace",
        "passwordFile": password, "ca": ca});
    (remote, file("sources.yaml", &json!({ "sources": [source] }).to_string()))
}

#[tokio::test]
async fn commits_of_two_hosts_are_enforced_together() {
    install_tls();
    let folder = tempfile::tempdir().unwrap();
    let (_remote, file) = second(folder.path());
    let mut world = World::start_with(&["--sources", &file]).await;
    world.enroll_at(&world.hub.url.clone(), "prod", &json!({"env": "prod"})).await;
    let work = folder.path().join("work");
    let added = commit(&work, "policies/no_shouting.rego", NO_SHOUTING, "Ask for quiet").unwrap();
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]).unwrap();
    world.until_enforced(&added).await;
    assert_eq!(world.agents[0].review(&config_map("loud", "HELLO")).await["allowed"], false);

    let beside = world.push("docs/NOTE.md", "Of the platform.\n", "Write a note");
    world.until_enforced(&beside).await;
    assert_eq!(world.agents[0].review(&config_map("loud", "HELLO")).await["allowed"], false, "both are enforced");
    let parts = world.hub.get(&format!("/api/v1/revisions/{beside}")).await["parts"].clone();
    assert_eq!(parts, json!({"": beside, "security": added}));
    assert!(!world.hub.log().contains(PASSWORD));
}
