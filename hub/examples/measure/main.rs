//! The measures of the hub's history, as programs; each prints its figures and what they were taken with.
//! `cargo run --release -p writ-hub --features fixtures --example measure -- ingest --help`.

mod age;
mod fill;
mod hub;
mod ingest;
mod latency;
mod pages;

use clap::Parser;

/// Drivers of load and measures of a hub's history.
#[derive(Debug, Parser)]
#[command(name = "measure")]
enum Measure {
    /// A large history into an empty database.
    Fill(fill::Options),
    /// Deletes what has grown old from a filled database.
    Age(age::Options),
    /// Agents that send reports: as fast as they are acknowledged, or at a rate.
    Ingest(ingest::Options),
    /// Asks every page and API query again and again, and says how long each takes.
    Pages(pages::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match Measure::parse() {
        Measure::Age(options) => age::run(options).await,
        Measure::Fill(options) => fill::run(options).await,
        Measure::Ingest(options) => ingest::run(options).await,
        Measure::Pages(options) => pages::run(options).await,
    }
}
