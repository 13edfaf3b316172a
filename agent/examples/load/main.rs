//! What the webhook costs: reviews per second of the server's own processor time over TLS with keep-alive, beside a
//! handler that allows everything, in the same run; latency at full and at half load; memory after 100,000 reviews;
//! time from start to ready from the disk cache.
//!
//! `cargo run --release -p writ-agent --example load [reviews per measure]`. Every server is a child process of its
//! own, and its processor time is read from /proc.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    reason = "a measure that fails should say where, and shares a part"
)]

mod driver;
mod prepare;
mod server;

use driver::{Driver, Pace};
use server::Server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reviews that are sent before memory is read.
const REVIEWS_FOR_MEMORY: usize = 100_000;
/// How fast, so that the reviews take most of a minute and are not one burst.
const REVIEWS_PER_SECOND: f64 = 2_000.0;

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(writ_runtime::self_test::SUBCOMMAND) => writ_runtime::self_test::run_child(),
        Some("agent") => server::be_agent(&arguments[1..]),
        Some("allow-all") => server::be_allow_all(&arguments[1]),
        number => {
            let reviews = number.and_then(|number| number.parse().ok()).unwrap_or(20_000);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(measure(reviews));
            std::process::ExitCode::SUCCESS
        }
    }
}

async fn measure(reviews: usize) {
    let prepared = prepare::Prepared::new().await;
    println!("review: {} bytes, policies: {}", prepared.review.len(), prepared.policies);
    println!("{:24} {:>14} {:>12} {:>9} {:>9} {:>9}", "", "reviews/cpu-s", "reviews/s", "p50 ms", "p99 ms", "cpu us");
    let allow_all = Server::allow_all(&prepared).await;
    run("allow all", &allow_all, &prepared, reviews).await;
    drop(allow_all);
    for workers in [1, 2] {
        let agent = Server::agent(&prepared, workers).await;
        println!("start to ready from the disk cache: {} ms", agent.ready_ms);
        run(&format!("agent, {workers} worker(s)"), &agent, &prepared, reviews).await;
    }
    let agent = Server::agent(&prepared, 2).await;
    let before = agent.resident();
    Driver::new(&agent, &prepared, 8).run(Pace::PerSecond(REVIEWS_PER_SECOND), REVIEWS_FOR_MEMORY).await;
    println!("resident when ready:            {before}");
    println!("resident after {REVIEWS_FOR_MEMORY} reviews: {}", agent.resident());
}

/// Warm up, then full load, then half of what full load reached.
async fn run(name: &str, server: &Server, prepared: &prepare::Prepared, reviews: usize) {
    let driver = Driver::new(server, prepared, 8);
    driver.run(Pace::Full, reviews / 10).await;
    let full = driver.run(Pace::Full, reviews).await;
    println!("{:24} {full}", format!("{name}, full load"));
    let half = driver.run(Pace::PerSecond(full.per_second / 2.0), reviews / 2).await;
    println!("{:24} {half}", format!("{name}, half load"));
}
