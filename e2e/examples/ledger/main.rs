//! The fault ledger: agents judge under load while hubs and agents are killed, connections are cut, disks are full and the
//! database goes away. At the end every failure and violation that an agent recorded must be stored exactly once, or stand
//! in the agents' counted drops; otherwise it ends with 1.
//! `cargo build --workspace --examples && target/debug/examples/ledger --kills 100`, and the same with
//! `--database postgres --hubs 2`.

#[path = "campaign.rs"]
mod campaign;

use campaign::Campaign;
use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let campaign = Campaign::parse();
    // What was started and mounted ends when the campaign is dropped.
    let outcome = tokio::select! {
        outcome = campaign.run() => outcome,
        interrupted = tokio::signal::ctrl_c() => Err(interrupted.err().map_or_else(|| anyhow::anyhow!("interrupted"), Into::into)),
    };
    let reckoning = outcome?;
    println!("{reckoning}");
    reckoning.check()
}
