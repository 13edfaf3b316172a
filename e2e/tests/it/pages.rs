//! The dashboard as a person sees it: in a browser, by day and by night, with and without scripts.

use crate::browser::{Browser, Setup};
use crate::policies::{CODE, FILE, MESSAGE, NAME, NO_SHOUTING, config_map};
use crate::wait::eventually;
use crate::world::World;
use serde_json::json;

const PAGES: &[&str] = &["/", "/policies", "/namespaces", "/failures", "/revisions"];

/// Two clusters that each denied one object.
async fn world() -> (World, String) {
    let world = World::start(&[("dev", json!({"env": "dev"})), ("prod", json!({"env": "prod"}))]).await;
    let added = world.push(FILE, NO_SHOUTING, "Ask for quiet");
    world.until_enforced(&added).await;
    for agent in &world.agents {
        agent.review(&config_map("loud", "HELLO")).await;
    }
    eventually("both failures are stored", async || {
        let failures = world.hub.get("/api/v1/failures").await;
        (failures["items"].as_array()?.len() == 2).then_some(())
    })
    .await;
    (world, added)
}

#[tokio::test]
async fn pages_show_the_fleet_and_its_failures_without_a_complaint_of_the_browser() {
    let Some(browser) = Browser::start("pages", Setup::Light).await else { return };
    let (world, added) = world().await;
    let url = |path: &str| format!("{}{path}", world.hub.url);

    browser.open(&url("/")).await;
    assert_eq!((browser.text("#enforcing").await, browser.text("#clusters").await), ("2".into(), "2".into()));
    for cluster in ["dev", "prod"] {
        let row = browser.text(&format!("#cluster-{cluster}")).await;
        assert!(row.to_lowercase().contains("enforcing") && row.contains(&added[..8]), "{row}");
    }
    browser.open(&url("/failures")).await;
    let failures = browser.text("main").await;
    assert!(failures.contains(CODE) && failures.contains("shop"), "{failures}");
    for path in
        PAGES.iter().copied().chain(["/namespaces/shop", &format!("/policies/{NAME}"), &format!("/revisions/{added}")])
    {
        browser.open(&url(path)).await;
        assert!(!browser.text("main").await.trim().is_empty(), "{path}");
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{path}: {complaints:?}");
        assert_eq!(browser.overflow().await, [""; 0], "{path} is wider than the window");
    }
    browser.narrow().await;
    for path in PAGES {
        browser.open(&url(path)).await;
        assert_eq!(browser.overflow().await, [""; 0], "{path} is wider than a telephone");
    }
    browser.quit().await;
}

#[tokio::test]
async fn pages_follow_the_light_and_are_not_empty() {
    let Some(light) = Browser::start("light and dark", Setup::Light).await else { return };
    let Some(dark) = Browser::start("light and dark", Setup::Dark).await else { return };
    let (world, _) = world().await;
    for browser in [&light, &dark] {
        browser.open(&format!("{}/", world.hub.url)).await;
        // A picture of one colour compresses to much less.
        assert!(browser.picture().await.len() > 20_000);
    }
    assert_ne!(light.ground().await, dark.ground().await);
    light.quit().await;
    dark.quit().await;
}

#[tokio::test]
async fn pages_are_readable_without_scripts() {
    let Some(browser) = Browser::start("without scripts", Setup::WithoutScript).await else { return };
    let (world, added) = world().await;
    browser.open(&format!("{}/", world.hub.url)).await;
    assert_eq!(browser.text("#enforcing").await, "2");
    browser.open(&format!("{}/failures?policy={NAME}", world.hub.url)).await;
    let failures = browser.text("main").await;
    assert!(failures.contains(MESSAGE) || failures.contains("shouts"), "{failures}");
    browser.open(&format!("{}/revisions/{added}", world.hub.url)).await;
    assert!(browser.text("main").await.contains("Ask for quiet"));
    browser.quit().await;
}
