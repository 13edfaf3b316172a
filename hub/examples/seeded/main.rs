//! A hub with made-up but plausible history on loopback, to look at its pages without a fleet:
//! `cargo run -p writ-hub --features fixtures --example seeded -- /tmp/seeded [127.0.0.1:8420]`.
//! The folder must be new or empty. Numbers are drawn from a fixed seed, so that two runs look alike.

mod seed;

use anyhow::Context;
use clap::Parser;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;
use writ_hub::Hub;
use writ_hub::clock::Clock;
use writ_hub::config::Config;
use writ_hub::serve::Listener;
use writ_hub::store::{Database, Store};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("name a folder for the database")?);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:8420".to_owned());
    let is_empty = arguments.next().as_deref() == Some("empty");
    std::fs::create_dir_all(&folder)?;
    let store = Store::open(&Database::Sqlite(folder.join("hub.db"))).await?;
    if !is_empty {
        seed::fill(&store, jiff::Timestamp::now().as_millisecond()).await?;
    }
    store.close().await;
    let folder = folder.to_string_lossy().into_owned();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies-repo-template");
    let config = Config::try_parse_from(["writ-hub", "--data", &folder, "--source", source, "--listen", &listen])?;
    let shutdown = CancellationToken::new();
    // Nothing follows the source, so what was seeded stays.
    let hub = Hub::open(&config, Clock::default(), shutdown.clone()).await?;
    Listener::bind(&config).await?.serve(hub.routes(), shutdown).await
}
