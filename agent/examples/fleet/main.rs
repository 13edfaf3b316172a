//! What a fleet costs the hub: memory with thousands of held agents, how soon a commit is acknowledged by all of them,
//! how many bytes a revert moves, and how a restarted hub gets its agents back.
//!
//! `cargo run --release -p writ-agent --example fleet -- HUB AGENTS [COMMITS]`, where HUB is the `writ-hub` binary. The
//! hub is a process of its own. Agents are many in this one: they ask, verify and fetch by the agent's own code; what
//! follows, the disk cache and the evaluation, is left out. `ulimit -n` must allow a connection for each.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a measure that fails should say where"
)]

mod agent;
mod hub;

use agent::{Fleet, Simulated};
use hub::Hub;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long agents have to come back.
const BACK_WITHIN: Duration = Duration::from_secs(60);

fn main() {
    writ_agent::tls::install_provider();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, agents, more @ ..] = &arguments[..] else { panic!("HUB AGENTS [COMMITS]") };
    let commits = more.first().map_or(5, |number| number.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(binary, agents.parse().unwrap(), commits));
}

async fn measure(binary: &str, agents: usize, commits: usize) {
    let mut hub = Hub::start(binary).await;
    println!("agents: {agents}");
    println!("hub with none: {} MiB resident", hub.resident_mib());
    let started = Instant::now();
    let fleet = Fleet::enroll(&hub, agents).await;
    println!("enrolled in {:.1} s", started.elapsed().as_secs_f64());
    let running = fleet.run();
    hub.until_held(agents, Duration::from_secs(300)).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    println!("hub with all held: {} MiB resident, {} MiB at most", hub.resident_mib(), hub.resident_peak_mib());

    let mut all = vec![];
    for number in 0..commits {
        let moved = fleet.moved();
        let spent = hub.processor();
        let times = commit(&hub, &fleet, number, agents).await;
        let bytes = (fleet.moved() - moved) / agents as u64;
        let processor = (hub.processor() - spent).as_secs_f64();
        println!(
            "commit {number}: {} bytes per agent, {processor:.2} s of the hub's processor, {}",
            bytes,
            told(&times)
        );
        all.extend(times);
    }
    println!("all commits, until the hub has the acknowledgement: {}", told(&all));

    let moved = fleet.moved();
    let revision = hub.revert();
    let at = hub::now();
    let times = hub.acknowledged(&revision, agents, at).await;
    println!("revert: {} bytes per agent, {}", (fleet.moved() - moved) / agents as u64, told(&times));
    println!("hub after that: {} MiB resident, {} MiB at most", hub.resident_mib(), hub.resident_peak_mib());

    let connections = fleet.attempts();
    let restarted = Instant::now();
    hub.restart().await;
    let back = hub.until_held(agents, BACK_WITHIN * 3).await;
    let (seconds, attempts) = (restarted.elapsed().as_secs_f64(), fleet.attempts() - connections);
    let highest = back.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or(0);
    println!("restart: all back after {seconds:.1} s, {attempts} requests, at most {highest} more held per second");
    println!("hub restarted: {} MiB resident, {} MiB at most", hub.resident_mib(), hub.resident_peak_mib());
    assert_eq!(fleet.refused(), 0, "no agent refused what it was told");
    drop(running);
}

async fn commit(hub: &Hub, fleet: &Fleet<Simulated>, number: usize, agents: usize) -> Vec<i64> {
    let revision = hub.commit(&format!("changed {number}"));
    let at = hub::now();
    let times = hub.acknowledged(&revision, agents, at).await;
    assert!(fleet.refused() == 0);
    times
}

/// The middle, the 99th percentile and the last, in milliseconds.
fn told(times: &[i64]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!("p50 {} ms, p99 {} ms, last {} ms", at(0.5), at(0.99), at(1.0))
}
