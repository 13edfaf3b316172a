//! A namespace's own Slack channel, from its Secret to the card, against a real API server and a receiver in Slack's place.

use crate::cluster::{Cluster, pod};
use crate::wait::eventually;
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::post;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

const PODS: &str = "/api/v1/namespaces/default/pods";

/// Path and card of each that arrived.
type Cards = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers as Slack does.
async fn receiver() -> (String, Cards, JoinSet<()>) {
    let cards = Cards::default();
    let take = |State(cards): State<Cards>, Path(path): Path<String>, Json(card): Json<Value>| async move {
        cards.lock().unwrap().push((path, card));
        "ok"
    };
    let router = axum::Router::new().route("/{*path}", post(take)).with_state(cards.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, cards, server)
}

/// What the owners of a namespace do to hear of it: a label, a Secret, and the right to read that one Secret.
fn opt_in(cluster: &Cluster) {
    cluster.server.kubectl_ok(&["label", "namespace", "default", "writ.dev/slack=enabled"], "");
    let url = "--from-literal=webhook-url=https://hooks.slack.com/services/T/B/team";
    cluster.server.kubectl_ok(&["create", "secret", "generic", "magtape-slack", url], "");
    let get = ["create", "role", "writ-slack", "--verb=get", "--resource=secrets", "--resource-name=magtape-slack"];
    cluster.server.kubectl_ok(&get, "");
    let bind = ["create", "rolebinding", "writ-slack", "--role=writ-slack", "--serviceaccount=writ-system:writ-agent"];
    cluster.server.kubectl_ok(&bind, "");
}

#[tokio::test]
async fn team_and_administrators_hear_of_a_refusal_in_their_channels() {
    let Some(mut cluster) = Cluster::start("team_and_administrators_hear_of_a_refusal").await else { return };
    let (address, cards, _receiver) = receiver().await;
    opt_in(&cluster);
    let admin = cluster.world.folder().join("slack");
    std::fs::write(&admin, "https://hooks.slack.com/services/T/B/admin").unwrap();
    let admin = format!("--slack-webhook-file={}", admin.display());
    let base = format!("--slack-base={address}");
    cluster.start_agent("a", &["--failure-policy=fail", "--slack-namespaces", &base, &admin]).await;
    cluster.until_refused(PODS, &pod("evil", true)).await;
    assert!(cards.lock().unwrap().is_empty(), "dry runs are nobody's business");

    let (status, answer) = cluster.server.create(PODS, pod("evil", true).to_string()).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    let arrived = eventually(&format!("both channels hear:\n{}", cluster.agents[0].process.log()), async || {
        let cards = cards.lock().unwrap().clone();
        (cards.len() >= 2).then_some(cards)
    })
    .await;
    let mut channels: Vec<&str> = arrived.iter().map(|(path, _)| path.as_str()).collect();
    channels.sort_unstable();
    assert_eq!(channels, ["services/T/B/admin", "services/T/B/team"]);
    for (_, card) in &arrived {
        let attachment = &card["attachments"][0];
        assert!(attachment["text"].as_str().unwrap().contains("Found privileged Security Context"), "{card}");
        let fields = attachment["fields"].as_array().unwrap();
        let value = |title: &str| fields.iter().find(|field| field["title"] == title).unwrap()["value"].clone();
        assert_eq!((value("Namespace"), value("Workload")), (json!("default"), json!("pod/evil")));
        assert_eq!((value("Cluster"), value("Customer Alert")), (json!("real"), json!("True")));
    }
    assert!(!cluster.agents[0].process.log().contains("services/T/B"), "a webhook URL is a secret");
}
