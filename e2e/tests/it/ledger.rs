//! The fault ledger, short: a handful of kills, cut connections and full disks, and every record is stored once.
//! `e2e/examples/ledger` is the same for as long as one likes.

#[path = "../../examples/ledger/campaign.rs"]
pub(crate) mod campaign;

use campaign::Campaign;
use clap::Parser;

async fn balances(arguments: &[&str]) {
    crate::world::install_tls();
    // Tests run beside others, on a machine that has little time.
    let short = ["ledger", "--kills=6", "--agents=2", "--trouble-every=2", "--blink-ms=1000"];
    let reckoning = Campaign::parse_from([&short[..], arguments].concat()).run().await.unwrap();
    println!("{reckoning}");
    reckoning.check().unwrap();
}

#[tokio::test]
async fn every_record_is_stored_once_although_hub_and_agents_are_killed() {
    balances(&[]).await;
}

#[tokio::test]
async fn every_record_is_stored_once_although_hubs_and_their_database_are_killed() {
    if !writ_e2e::postgres::is_here() {
        let test = "every_record_is_stored_once_although_hubs_and_their_database_are_killed";
        return writ_e2e::skipped(test, "no PostgreSQL server");
    }
    balances(&["--database=postgres", "--hubs=2"]).await;
}
