//! Who is let in where: open on loopback for this machine's own people, by token elsewhere, agents always by credential.

use crate::world::{Hub, World};
use reqwest::{Client, StatusCode, header};
use serde_json::json;

const TOKEN: &str = "a-token-of-enough-characters";

async fn status_of(hub: &Hub, path: &str, token: Option<&str>) -> StatusCode {
    let request = Client::new().get(format!("{}{path}", hub.url));
    let request = token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token));
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn other_addresses_than_loopback_ask_for_the_admin_token() {
    let world = World::start(&[]).await;
    std::fs::write(world.folder().join("admin"), TOKEN).unwrap();
    let source = world.work();
    let source = source.to_str().unwrap();
    let more = ["--admin-token-file", "admin"];
    let hub = Hub::start_with(world.folder(), "open-hub", source, "0.0.0.0:0", &more).await;

    let api = "/api/v1/status";
    assert_eq!(status_of(&hub, api, None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of(&hub, api, Some("a-wrong-token-of-enough-characters")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status_of(&hub, api, Some(TOKEN)).await, StatusCode::OK);
    assert_eq!(status_of(&hub, "/healthz", None).await, StatusCode::OK);

    let page = Client::new().get(format!("{}/failures", hub.url)).send().await.unwrap();
    assert!(page.url().path().ends_with("/login") || page.status() == StatusCode::UNAUTHORIZED, "{}", page.url());
    assert!(!hub.log().contains(TOKEN));
}

#[tokio::test]
async fn strangers_get_nothing_from_the_agents_api() {
    let world = World::start(&[("dev", json!({}))]).await;
    let client = Client::new();
    let url = &world.hub.url;
    let desired = client.post(format!("{url}/v1/desired")).bearer_auth("stolen").json(&json!({})).send().await.unwrap();
    assert_eq!(desired.status(), StatusCode::UNAUTHORIZED);
    let enroll = json!({"token": "writ_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_0000000000000000", "version": "0"});
    let enroll = client.post(format!("{url}/v1/enroll")).json(&enroll).send().await.unwrap();
    assert_eq!(enroll.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_foreign_name_for_loopback_is_refused() {
    let world = World::start(&[]).await;
    let request = Client::new().get(format!("{}/api/v1/status", world.hub.url));
    let rebound = request.header(header::HOST, "evil.example").send().await.unwrap();
    assert!(rebound.status().is_client_error(), "{}", rebound.status());
}
