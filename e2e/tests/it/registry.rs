//! Clusters without a hub: agents take what the author signed from a registry, by themselves, each class its part.

use crate::policies::{CODE, NO_SHOUTING, config_map};
use crate::process::run;
use crate::wait::eventually;
use crate::world::{Agent, install_tls};
use std::path::Path;
use writ_e2e::git::{commit, git};
use writ_e2e::registry::Registry;

const FLEET: &str = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\nclasses:\n  \
                     - {name: edge, match: {tier: edge}, paths: [edge/*]}\n";

fn writ(folder: &Path, arguments: &[&str]) {
    let (is_well, said) = run("writ", folder, arguments);
    assert!(is_well, "writ {}: {said}", arguments.join(" "));
}

/// Commits, builds, signs and pushes what is in the author's clone.
fn publish(folder: &Path, place: &str, file: &str, text: &str) {
    commit(&folder.join("work"), file, text, "Change it").unwrap();
    writ(folder, &["bundle", "build", "--repo", "work"]);
    writ(folder, &["bundle", "sign", "--key", "author.key"]);
    writ(folder, &["bundle", "push", "bundle.writ", place]);
}

#[tokio::test]
async fn agents_take_signed_bundles_from_a_registry() {
    install_tls();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let Some(registry) = Registry::start(root) else {
        return writ_e2e::skipped("agents_take_signed_bundles_from_a_registry", "no docker-registry");
    };
    git(root, &["init", "--quiet", "--initial-branch=main", "work"]).unwrap();
    commit(&root.join("work"), "fleet.yaml", FLEET, "Begin").unwrap();
    writ(root, &["bundle", "key", "author.key"]);
    let place = format!("oci://{}/platform/policies:live", registry.address);
    publish(root, &place, "policies/no_shouting.rego", NO_SHOUTING);
    let alone = ["--bundle", place.as_str(), "--author-key", "author.key.pub", "--bundle-every", "100ms"];
    let core = Agent::start(root, &[&alone[..], &["--cluster-name", "core"]].concat(), "core", "none").await;
    let edge = [&alone[..], &["--cluster-name", "edge", "--cluster-label", "tier=edge"]].concat();
    let edge = Agent::start(root, &edge, "edge", "none").await;
    let loud = config_map("loud", "HELLO");
    until(&core, &loud, false).await;
    until(&edge, &loud, true).await;

    publish(root, &place, "edge/no_shouting.rego", &NO_SHOUTING.replace("no_shouting", "hush").replace(CODE, "EE1002"));
    until(&edge, &loud, false).await;

    // What somebody else signed changes nothing.
    writ(root, &["bundle", "key", "other.key"]);
    writ(root, &["bundle", "sign", "--key", "other.key"]);
    writ(root, &["bundle", "push", "bundle.writ", &place]);
    eventually("the agent says why it does not follow", async || edge.log().contains("is trusted").then_some(())).await;
    until(&edge, &loud, false).await;
}

/// Waits until the agent answers so.
async fn until(agent: &Agent, object: &serde_json::Value, allowed: bool) {
    eventually(&format!("{} answers {allowed}", agent.cluster), async || {
        (agent.review(object).await["allowed"] == allowed).then_some(())
    })
    .await;
}
