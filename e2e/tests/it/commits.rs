//! From a commit to an enforced decision and back, and what becomes of a bad commit.

use crate::policies::{BROKEN, CODE, FILE, MESSAGE, NAME, NO_SHOUTING, config_map};
use crate::process::run;
use crate::wait::eventually;
use crate::world::World;
use serde_json::json;

#[tokio::test]
async fn a_commit_is_enforced_by_the_fleet_and_a_revert_undoes_it() {
    let world = World::start(&[("dev", json!({"env": "dev"})), ("prod", json!({"env": "prod"}))]).await;
    let loud = config_map("loud", "HELLO");
    for agent in &world.agents {
        assert_eq!(agent.review(&loud).await["allowed"], true, "{}", agent.cluster);
    }

    let added = world.push(FILE, NO_SHOUTING, "Ask for quiet");
    world.until_enforced(&added).await;
    for agent in &world.agents {
        let answer = agent.review(&loud).await;
        assert_eq!(answer["allowed"], false, "{}", agent.cluster);
        assert_eq!(answer["status"]["code"], 403);
        assert_eq!(answer["status"]["message"], MESSAGE);
        assert_eq!(agent.review(&config_map("calm", "hello")).await["allowed"], true);
    }
    failures_are_shown(&world, &added).await;
    hub_explains_what_agents_do(&world);

    let broken = world.push("policies/broken.rego", BROKEN, "Break it");
    let judged = world.until_judged(&broken).await;
    assert_eq!(judged["state"], "refused", "{judged}");
    let diagnostic = &judged["diagnostics"][0];
    assert_eq!(diagnostic["path"], "policies/broken.rego", "{judged}");
    assert!(diagnostic["line"].as_u64().is_some_and(|line| line >= 4), "{judged}");
    world.until_enforced(&added).await;
    assert_eq!(world.agents[0].review(&loud).await["allowed"], false);

    world.revert(&broken);
    let reverted = world.revert(&added);
    world.until_enforced(&reverted).await;
    for agent in &world.agents {
        assert_eq!(agent.review(&loud).await["allowed"], true, "{}", agent.cluster);
    }
}

/// `writ explain` asks the hub about one of its clusters.
fn hub_explains_what_agents_do(world: &World) {
    let explain = |cluster: &str| {
        let asked = ["explain", CODE, "--hub", &world.hub.url, "--cluster", cluster, "--namespace", "shop"];
        run("writ", world.folder(), &asked)
    };
    let (answered, said) = explain("prod");
    assert!(answered && said.starts_with(&format!("a failure of {CODE} there: deny\n")), "{said}");
    assert!(said.lines().any(|line| line.starts_with("->") && line.contains("denyLevel")), "{said}");
    assert!(!explain("nowhere").0, "nobody knows this cluster");
}

/// What both agents reported arrives in the hub's API and on its page.
async fn failures_are_shown(world: &World, revision: &str) {
    let items = eventually("both failures are stored", async || {
        let failures = world.hub.get(&format!("/api/v1/failures?policy={NAME}")).await;
        let items = failures["items"].as_array()?.clone();
        (items.len() == world.agents.len()).then_some(items)
    })
    .await;
    for item in items {
        assert_eq!(item["code"], CODE, "{item}");
        assert_eq!(item["action"], "deny", "{item}");
        assert_eq!(item["namespace"], "shop", "{item}");
        assert_eq!(item["message"], MESSAGE, "{item}");
        assert_eq!(item["revision"], revision, "{item}");
    }
}
