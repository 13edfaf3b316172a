//! Several hubs: two on one PostgreSQL behind an address that knows nothing of either, and one that moves there.

use crate::ledger::campaign::proxy::Proxy;
use crate::policies::{FILE, NO_SHOUTING, config_map};
use crate::process;
use crate::wait::eventually;
use crate::world::{Agent, Hub, World};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The URL of an empty database, or a note that the test is skipped.
fn database(test: &str) -> Option<String> {
    let url = writ_e2e::postgres::database();
    if url.is_none() {
        writ_e2e::skipped(test, "no PostgreSQL server");
    }
    url
}

async fn until_enforced(hub: &Hub, revision: &str, clusters: usize) {
    eventually(&format!("all clusters enforce {revision}"), async || {
        let (_, status) = hub.ask("/api/v1/status").await;
        let all = status["clusters"].as_array()?;
        let enforce = all.iter().all(|one| one["state"] == "enforcing" && one["active"]["revision"] == revision);
        (enforce && all.len() == clusters).then_some(())
    })
    .await;
}

/// Waits until so many failures are stored, and not one more.
async fn until_stored(hub: &Hub, expected: u64) {
    eventually("all failures are stored", async || {
        let (_, counts) = hub.ask("/api/v1/counts").await;
        let stored = counts["failures"].as_u64()?;
        assert!(stored <= expected, "stored more than happened: {counts}");
        (stored == expected).then_some(())
    })
    .await;
}

/// So many reviews that are denied at each.
async fn deny(agents: &[Agent], reviews: u64) -> u64 {
    for _ in 0..reviews {
        for agent in agents {
            assert_eq!(agent.review(&config_map("loud", "HELLO")).await["allowed"], false);
        }
    }
    reviews * agents.len() as u64
}

#[tokio::test]
async fn fleet_is_served_by_either_hub_and_by_the_one_that_is_left() {
    let test = "fleet_is_served_by_either_hub_and_by_the_one_that_is_left";
    let Some(url) = database(test) else { return };
    let mut world = World::start_with(&["--database", &url]).await;
    let shared = ["--database", &url, "--signing-key-file", "hub/hub.key"];
    let second = world.start_hub("second", "127.0.0.1:0", &shared).await;
    let addresses = [&world.hub, &second].map(|hub| hub.url.trim_start_matches("http://").parse().unwrap());
    let balancer = Proxy::to(addresses.to_vec()).await.unwrap();
    for cluster in ["prod", "dev"] {
        world.enroll_at(&format!("http://{}", balancer.address), cluster, &json!({"env": cluster})).await;
    }
    let added = world.push(FILE, NO_SHOUTING, "Ask for quiet");
    until_enforced(&second, &added, 2).await;
    let mut expected = deny(&world.agents, 10).await;
    // Whoever they talked to, they find the other one.
    balancer.cut();
    expected += deny(&world.agents, 10).await;
    until_stored(&second, expected).await;
    let status = async |hub: &Hub| {
        let mut status = hub.get("/api/v1/status").await;
        let told = ["now", "checked_at"].map(|field| status[field].take());
        assert!(told.iter().all(Value::is_i64));
        status["clusters"].as_array_mut().unwrap().iter_mut().for_each(|cluster| cluster["seen_at"] = Value::Null);
        status
    };
    eventually("both tell the same", async || (status(&world.hub).await == status(&second).await).then_some(())).await;

    // The first one started first: it leads.
    world.kill_hub();
    expected += deny(&world.agents, 10).await;
    let reverted = world.revert(&added);
    until_enforced(&second, &reverted, 2).await;
    let again = world.revert(&reverted);
    until_enforced(&second, &again, 2).await;
    expected += deny(&world.agents, 10).await;
    until_stored(&second, expected).await;
    for page in ["/", "/clusters", "/failures", "/policies"] {
        let answer = reqwest::get(format!("{}{page}", second.url)).await.unwrap();
        assert!(answer.status().is_success(), "{page}");
    }

    world.restart_hub_with(&["--database", &url]).await;
    drop(second);
    expected += deny(&world.agents, 10).await;
    until_stored(&world.hub, expected).await;
    let last = world.revert(&again);
    until_enforced(&world.hub, &last, 2).await;
}

#[tokio::test]
async fn running_hub_moves_to_postgres_and_nothing_that_happens_meanwhile_is_lost() {
    let test = "running_hub_moves_to_postgres_and_nothing_that_happens_meanwhile_is_lost";
    let Some(url) = database(test) else { return };
    let mut world = World::start(&[("prod", json!({"env": "prod"}))]).await;
    let added = world.push(FILE, NO_SHOUTING, "Ask for quiet");
    world.until_enforced(&added).await;
    let agents = std::mem::take(&mut world.agents);
    let has_moved = AtomicBool::new(false);
    let load = async {
        let mut denied = 0;
        while !has_moved.load(Relaxed) {
            denied += deny(&agents, 1).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        denied
    };
    let migrate = async |more: &[&'static str]| {
        let (folder, url) = (world.folder().to_owned(), url.clone());
        let more = more.to_vec();
        let run = move || {
            let arguments = [&["migrate", "--from", "sqlite:hub/hub.db", "--to", &url][..], &more].concat();
            process::run("writ-hub", &folder, &arguments)
        };
        let (done, said) = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(done, "{said}");
        said
    };
    let go_on = async {
        until_stored_some(&world.hub).await;
        migrate(&["--prepare"]).await;
        let said = migrate(&[]).await;
        assert!(said.contains("is closed") && said.contains("moved in"), "{said}");
        let (ready, _) = world.hub.ask("/readyz").await;
        assert_eq!(ready, 503, "the old one takes no part any more");
        has_moved.store(true, Relaxed);
    };
    let (denied, ()) = tokio::join!(load, go_on);
    world.agents = agents;
    world.kill_hub();
    world.restart_hub_with(&["--database", &url]).await;
    let expected = denied + deny(&world.agents, 5).await;
    until_stored(&world.hub, expected).await;
    let reverted = world.revert(&added);
    world.until_enforced(&reverted).await;
}

async fn until_stored_some(hub: &Hub) {
    eventually("some failures are stored", async || {
        let (_, counts) = hub.ask("/api/v1/counts").await;
        (counts["failures"].as_u64()? > 20).then_some(())
    })
    .await;
}
