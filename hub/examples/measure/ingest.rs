//! Agents that send reports over HTTP from a process of its own: rows per second, time until acknowledged, and the
//! hub's memory over time. Failures bring the counts that belong to them, violations are measured apart.

mod agent;
mod report;

use crate::hub::{Hub, Which};
use crate::latency::Latencies;
use agent::Agent;
use report::Shape;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What is sent.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    which: Which,
    /// How many agents send, each for its own cluster.
    #[arg(long, default_value_t = 100)]
    agents: usize,
    /// Failures in each report.
    #[arg(long, default_value_t = 50)]
    failures: usize,
    /// Violations in each report.
    #[arg(long, default_value_t = 0)]
    violations: usize,
    /// Different violations of each agent; those beyond are told again.
    #[arg(long, default_value_t = 2_000)]
    distinct: usize,
    /// Rows per second of all agents together; 0 for as many as are acknowledged.
    #[arg(long, default_value_t = 0)]
    rate: usize,
    /// For how long, in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// A line of figures after so many seconds.
    #[arg(long, default_value_t = 10)]
    every: u64,
}

/// What the agents share.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rows: u64,
    reports: u64,
    refused_for_now: u64,
    failed: u64,
    latencies: Latencies,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let hub = Hub::of(&options.which).await?;
    let shape = Shape { failures: options.failures, violations: options.violations, distinct: options.distinct };
    let rows = options.failures + options.violations;
    println!(
        "{} agents, {} failures and {} violations in each report, {}, hub {}",
        options.agents,
        options.failures,
        options.violations,
        if options.rate == 0 { "as fast as acknowledged".into() } else { format!("{} rows/s", options.rate) },
        hub.address
    );
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).no_proxy().build()?;
    let pause = match options.rate {
        0 => None,
        rate => Some(Duration::from_secs_f64(options.agents as f64 * rows as f64 / rate as f64)),
    };
    let (tally, end) = (Arc::new(Mutex::new(Tally::default())), Duration::from_secs(options.seconds));
    // All before the first report: enrolling behind a hub that writes all the time takes longer than the measure.
    let mut enrolled = Vec::with_capacity(options.agents);
    for index in 0..options.agents {
        let mut agent = Agent::enroll(client.clone(), &hub.address, index, shape).await?;
        agent.until = end;
        // Agents spread over the pause, as they would by themselves.
        agent.first = pause.map_or(Duration::ZERO, |pause| pause.mul_f64(index as f64 / options.agents as f64));
        enrolled.push(agent);
    }
    let (mut agents, started) = (JoinSet::new(), Instant::now());
    for agent in enrolled {
        agents.spawn(agent.run(started, pause, tally.clone()));
    }
    watch(&hub, &tally, &options).await;
    while let Some(ended) = agents.join_next().await {
        ended??;
    }
    Ok(())
}

/// Prints a line every few seconds, and the sums at the end.
async fn watch(hub: &Hub, tally: &Mutex<Tally>, options: &Options) {
    let (started, used) = (Instant::now(), hub.processor_seconds().unwrap_or(0.0));
    let mut all = Tally::default();
    println!("   time    rows/s  reports/s  ack p50    p99    max  later  errors  hub MiB  hub cpu");
    while started.elapsed().as_secs() < options.seconds {
        let (before, cpu) = (Instant::now(), hub.processor_seconds().unwrap_or(0.0));
        tokio::time::sleep(Duration::from_secs(options.every)).await;
        let now = std::mem::take(&mut *tally.lock().expect("nothing panics with it"));
        line(hub, &now, started.elapsed(), before.elapsed(), cpu);
        all.add(&now);
    }
    println!("all of it:");
    line(hub, &all, started.elapsed(), started.elapsed(), used);
    println!("{} rows in {} reports", all.rows, all.reports);
}

fn line(hub: &Hub, tally: &Tally, at: Duration, span: Duration, cpu: f64) {
    let [median, late, latest] = tally.latencies.quantiles([0.5, 0.99, 1.0]);
    let per_second = |count: u64| count as f64 / span.as_secs_f64();
    let used = (hub.processor_seconds().unwrap_or(0.0) - cpu) / span.as_secs_f64();
    println!(
        "{:6.0} s {:9.0} {:10.1} {median:8.1} {late:6.1} {latest:6.1} {:6} {:7} {:8.1} {:7.0}%",
        at.as_secs_f64(),
        per_second(tally.rows),
        per_second(tally.reports),
        tally.refused_for_now,
        tally.failed,
        hub.resident_mib().unwrap_or(0.0),
        used * 100.0,
    );
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.reports += other.reports;
        self.refused_for_now += other.refused_for_now;
        self.failed += other.failed;
        self.latencies.extend(&other.latencies);
    }
}
