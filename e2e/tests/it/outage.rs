//! The hub is gone: decisions continue, and nothing that happened meanwhile is lost or counted twice.

use crate::policies::{FILE, NO_SHOUTING, config_map};
use crate::wait::eventually;
use crate::world::World;
use serde_json::{Value, json};

const REVIEWS: u64 = 30;

/// No other policy judges what is reviewed here.
fn failures_of(counts: &Value) -> u64 {
    counts["failures"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn decisions_continue_without_the_hub_and_every_failure_is_stored_once() {
    let mut world = World::start(&[("dev", json!({"env": "dev"})), ("prod", json!({"env": "prod"}))]).await;
    let added = world.push(FILE, NO_SHOUTING, "Ask for quiet");
    world.until_enforced(&added).await;

    world.kill_hub();
    for _ in 0..REVIEWS {
        for agent in &world.agents {
            assert_eq!(agent.review(&config_map("loud", "HELLO")).await["allowed"], false);
        }
    }
    world.restart_hub().await;
    let expected = REVIEWS * world.agents.len() as u64;
    eventually("all failures are stored", async || {
        let counts = world.hub.get("/api/v1/counts").await;
        assert!(failures_of(&counts) <= expected, "stored more than happened: {counts}");
        (failures_of(&counts) == expected).then_some(())
    })
    .await;

    // Reports that were sent again by then would show up with the next one.
    world.agents[0].review(&config_map("loud", "HELLO")).await;
    eventually("one more failure is stored", async || {
        let counts = world.hub.get("/api/v1/counts").await;
        assert!(failures_of(&counts) <= expected + 1, "stored more than happened: {counts}");
        (failures_of(&counts) == expected + 1).then_some(())
    })
    .await;
    world.until_enforced(&added).await;
}
