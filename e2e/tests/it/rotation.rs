//! The hub's key is replaced under agents that run: they follow, and so does one that was away.

use crate::policies::{FILE, NO_SHOUTING, config_map};
use crate::process::run;
use crate::world::World;
use serde_json::json;

fn rotate_key(world: &World) {
    let (is_well, said) = run("writ-hub", world.folder(), &["rotate-key", "--data", "hub"]);
    assert!(is_well && said.contains("agents follow it by themselves"), "{said}");
}

#[tokio::test]
async fn hubs_key_is_replaced_and_nobody_enrolls_anew() {
    let mut world = World::start(&[("dev", json!({"env": "dev"})), ("prod", json!({"env": "prod"}))]).await;
    let early = world.token("late", &json!({})).await;
    assert!(world.stop_hub());
    rotate_key(&world);
    world.restart_hub().await;
    let added = world.push(FILE, NO_SHOUTING, "Ask for quiet");
    world.until_enforced(&added).await;

    // Twice more while one is away, and a token of before the first.
    drop(world.agents.remove(0));
    for _ in 0..2 {
        assert!(world.stop_hub());
        rotate_key(&world);
        world.restart_hub().await;
    }
    let hub = ["--hub", &world.hub.url.clone()];
    world.enroll_by("none is needed", &hub, "dev").await;
    world.enroll_by(&early, &hub, "late").await;
    let reverted = world.revert(&added);
    world.until_enforced(&reverted).await;
    for agent in &world.agents {
        assert_eq!(agent.review(&config_map("loud", "HELLO")).await["allowed"], true, "{}", agent.cluster);
    }
}
