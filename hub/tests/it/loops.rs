//! The loops of the hub as they run: a commit is noticed and told without anyone asking.

use crate::support::{TestHub, policy};
use clap::Parser;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use writ_hub::board::Word;
use writ_hub::{assign, config::Config};

/// Far beyond what any of this takes, so that a defect fails instead of hanging.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn commit_to_a_local_repository_is_told_without_waiting_for_the_poll() {
    let TestHub { hub, mut repository, data: _data, .. } = {
        let hub = TestHub::new().await;
        hub.enroll("prod").await;
        hub
    };
    let (app, shutdown) = (hub.app.clone(), CancellationToken::new());
    let mut told = app.board.follow(1).unwrap();
    let mut loops = JoinSet::new();
    let (mut follower, stop) = (hub.follower, shutdown.clone());
    loops.spawn(async move { follower.run(Duration::from_secs(3_600), stop).await });
    loops.spawn(assign::run(app, shutdown.clone()));
    for epoch in 2..5 {
        repository.write("test1.rego", policy("TEST1", &format!("no {epoch}"))).commit("Change it");
        let is_told = |word: &Option<std::sync::Arc<Word>>| word.as_ref().is_some_and(|word| word.epoch == epoch);
        tokio::time::timeout(LIMIT, told.wait_for(is_told)).await.unwrap().unwrap();
    }
    shutdown.cancel();
    while let Some(ended) = loops.join_next().await {
        ended.unwrap().unwrap();
    }
}

#[tokio::test]
async fn port_in_use_is_a_clear_sentence() {
    let (data, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let (data, source) = (data.path().to_str().unwrap(), source.path().to_str().unwrap());
    let config = Config::parse_from(["writ-hub", "--data", data, "--source", source, "--listen", &listen]);
    let error = writ_hub::run(config, CancellationToken::new()).await.unwrap_err().to_string();
    assert!(error.contains("is another program using the port?"), "{error}");
}
