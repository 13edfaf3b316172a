//! The hub's key is replaced by one that it announced: who knew the former one finds the way to it.

use crate::support::{NOW, TestHub, policy};
use clap::Parser;
use serde_json::json;
use std::path::Path;
use writ_e2e::postgres;
use writ_hub::rotate::{self, RotateKey, Rotated};
use writ_policy::sign::SigningKey;
use writ_policy::succession;
use writ_policy::wire::{Enrolled, HubKeys};

/// Rotates the key of a hub that does not run.
pub(crate) async fn rotate(data: &Path, arguments: &[String]) -> Result<Rotated, String> {
    let data = data.to_str().unwrap();
    let mut all = vec!["writ-hub rotate-key", "--data", data];
    all.extend(arguments.iter().map(String::as_str));
    rotate::rotate(&RotateKey::parse_from(all), NOW).await.map_err(|error| format!("{error:#}"))
}

async fn rotated(hub: TestHub) -> TestHub {
    let arguments = hub.arguments.clone();
    hub.restarted_after(async |data| drop(rotate(data, &arguments).await.unwrap())).await
}

#[tokio::test]
async fn agents_of_a_former_key_are_shown_the_way_to_the_present_one() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (former, before) = agent.desired(&hub).await;
    let mut hub = rotated(rotated(hub).await).await;
    hub.sync().await;
    let keys: HubKeys = serde_json::from_slice(&agent.get(&hub, "/v1/keys").await.body).unwrap();
    let keys = succession::follow(&keys.successions, &agent.enrolled.hub_key.fingerprint()).unwrap();
    assert_eq!(
        (keys.len(), keys.first(), keys.last()),
        (3, Some(&agent.enrolled.hub_key), Some(&hub.hub.app.keys.public()))
    );
    let answer = agent.ask(&hub, Some(former.assignment.digest()), agent.enforcing(&former, NOW)).await;
    let told: writ_policy::wire::Desired = serde_json::from_slice(&answer.body).unwrap();
    let assignment: writ_policy::bundle::Assignment = keys[2].verify(&told.assignment).unwrap();
    assert_eq!((assignment.epoch, assignment.bundle), (before.epoch + 1, before.bundle), "signed anew, nothing else");
    assert_eq!(hub.get("/v1/keys").await.status, 401, "not for strangers");
}

#[tokio::test]
async fn token_of_before_enrolls_after_and_brings_the_way() {
    let hub = TestHub::new().await;
    let token = hub.token("prod").await;
    let hub = rotated(hub).await;
    let answer = hub.post("/v1/enroll", &json!({ "token": token, "version": "1" })).await;
    let enrolled: Enrolled = serde_json::from_slice(&answer.body).unwrap();
    let (_, fingerprint) = token.rsplit_once('_').unwrap();
    let keys = succession::follow(&enrolled.successions, fingerprint).unwrap();
    assert_eq!(keys.last(), Some(&enrolled.hub_key));
}

#[tokio::test]
async fn proof_that_a_former_key_signed_is_still_this_hubs() {
    let hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    let (desired, assignment) = agent.desired(&hub).await;
    let later = writ_policy::bundle::Assignment { epoch: 41, ..assignment };
    let proof = hub.hub.app.keys.signing().sign(&later);
    let mut hub = rotated(hub).await;
    hub.sync().await;
    let mut state = agent.enforcing(&desired, NOW);
    state.active.as_mut().unwrap().epoch = 41;
    state.active.as_mut().unwrap().assignment = proof.digest();
    agent.show(&hub, Some(proof.digest()), state, proof).await;
    hub.sync().await;
    let board = hub.hub.app.board.follow(1).unwrap();
    assert_eq!(board.borrow().as_ref().unwrap().epoch, 42);
}

#[tokio::test]
async fn rotation_that_was_cut_short_is_said_and_goes_on() {
    let hub = TestHub::new().await;
    let arguments = hub.arguments.clone();
    let mut cut = String::new();
    let mut hub = hub
        .restarted_after(async |data| {
            let (key, former) = (data.join("hub.key"), std::fs::read(data.join("hub.key")).unwrap());
            let first = rotate(data, &arguments).await.unwrap();
            // As if it had ended between the announcement and the new key's coming into its place.
            std::fs::rename(&key, data.join("hub.key.next")).unwrap();
            std::fs::write(&key, former).unwrap();
            let source = tempfile::tempdir().unwrap();
            let mut all =
                vec!["writ-hub", "--data", data.to_str().unwrap(), "--source", source.path().to_str().unwrap()];
            all.extend(arguments.iter().map(String::as_str));
            let config = writ_hub::config::Config::parse_from(all);
            let opened = writ_hub::Hub::open(&config, writ_hub::clock::Clock::fixed(NOW), Default::default()).await;
            cut = format!("{:#}", opened.map(drop).unwrap_err());
            assert_eq!(rotate(data, &arguments).await.unwrap(), first);
        })
        .await;
    assert!(cut.contains("run `writ-hub rotate-key` again"), "{cut}");
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let second = hub.commit("Second").await;
    assert_eq!(hub.served().await, second.as_str());
}

#[tokio::test]
async fn key_that_is_not_the_hubs_announces_nothing() {
    let Some(url) = postgres::database() else {
        return writ_e2e::skipped("key_that_is_not_the_hubs_announces_nothing", "no PostgreSQL server");
    };
    let hub = TestHub::with(&["--database", &url]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("other"), SigningKey::generate().1).unwrap();
    let key = hub.data.path().join("hub.key").to_str().unwrap().to_owned();
    let with = |from: &str, to: &str| {
        ["--database", &url, "--signing-key-file", from, "--new-key-file", to].map(str::to_owned).to_vec()
    };
    let nowhere = folder.path();
    let error = rotate(nowhere, &with(&file("other"), &file("next"))).await.unwrap_err();
    assert!(error.contains("is not the one with which this hub signs"), "{error}");
    let error = rotate(nowhere, &with(&key, &key)).await.unwrap_err();
    assert!(error.contains("the new key is the present one"), "{error}");
    let first = rotate(nowhere, &with(&key, &file("one"))).await.unwrap();
    let error = rotate(nowhere, &with(&key, &file("two"))).await.unwrap_err();
    assert!(error.contains(&format!("has announced {} already", first.to)), "{error}");
    assert!(!hub.hub.app.keys.are_of(&hub.hub.app.store).await.unwrap(), "this one leads no more");
    let changed = hub.on(&["--database", &url, "--signing-key-file", &file("one")]).await;
    assert!(changed.hub.app.keys.are_of(&changed.hub.app.store).await.unwrap());
}

#[tokio::test]
async fn hub_that_runs_keeps_its_key() {
    let hub = TestHub::new().await;
    let error = rotate(hub.data.path(), &hub.arguments).await.unwrap_err();
    assert!(error.contains("stop the hub before its key is replaced"), "{error}");
}
