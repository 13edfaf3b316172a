//! Asks every page and API query of a hub, and says how long each answer took: median and 95th of a hundred.

use crate::hub::{Hub, Which};
use crate::latency::Latencies;
use anyhow::ensure;
use serde_json::Value;
use std::time::{Duration, Instant};

/// What is asked.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    which: Which,
    /// How often each is asked.
    #[arg(long, default_value_t = 20)]
    times: usize,
    /// Only addresses that hold this word.
    #[arg(long)]
    only: Option<String>,
    /// The budget in milliseconds; what is above is marked.
    #[arg(long, default_value_t = 200.0)]
    budget: f64,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let hub = Hub::of(&options.which).await?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(120)).no_proxy().build()?;
    let wanted = |path: &&String| options.only.as_ref().is_none_or(|word| path.contains(word.as_str()));
    println!("     p50      p95   first     KiB  address");
    let mut missed = 0;
    for path in addresses(&client, &hub.address).await?.iter().filter(wanted) {
        let (first, latencies, bytes) = ask(&client, &format!("{}{path}", hub.address), options.times).await?;
        let [median, late] = latencies.quantiles([0.5, 0.95]);
        let mark = if late > options.budget { " <- over the budget" } else { "" };
        missed += usize::from(late > options.budget);
        println!("{median:8.1} {late:8.1} {first:7.1} {:7.1}  {path}{mark}", bytes as f64 / 1024.0);
    }
    println!("{missed} over {} ms", options.budget);
    Ok(())
}

async fn ask(client: &reqwest::Client, url: &str, times: usize) -> anyhow::Result<(f64, Latencies, usize)> {
    let (mut latencies, mut first, mut bytes) = (Latencies::default(), 0.0, 0);
    for time in 0..=times {
        let asked = Instant::now();
        let answer = client.get(url).send().await?;
        ensure!(answer.status().is_success(), "{url}: {}", answer.status());
        bytes = answer.bytes().await?.len();
        match time {
            0 => first = asked.elapsed().as_secs_f64() * 1_000.0,
            _ => latencies.add(asked.elapsed()),
        }
    }
    Ok((first, latencies, bytes))
}

/// Every page and query, with names that the hub knows: the worst, and one of few rows.
async fn addresses(client: &reqwest::Client, hub: &str) -> anyhow::Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    let list = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    all.extend(list(&[
        "/",
        "/?period=month",
        "/clusters",
        "/violations",
        "/violations?severity=HIGH&exempted=no",
        "/violations?state=fixed",
        "/changes",
        "/failures",
        "/failures?action=deny",
        "/failures?exemption=none",
        "/revisions",
        "/api/v1/counts",
        "/api/v1/matrix?period=week",
        "/api/v1/movers?by=namespace",
    ]));
    for period in ["hour", "day", "week", "month"] {
        all.push(format!("/policies?period={period}"));
        all.push(format!("/namespaces?period={period}"));
    }
    let newest: Value = client.get(format!("{hub}/api/v1/failures?limit=1")).send().await?.json().await?;
    let failure = &newest["items"][0];
    if let (Some(policy), Some(namespace), Some(cluster)) =
        (failure["policy"].as_str(), failure["namespace"].as_str(), failure["cluster"].as_str())
    {
        for period in ["hour", "day", "week", "month"] {
            all.push(format!("/policies/{policy}?period={period}"));
            all.push(format!("/namespaces/{namespace}?period={period}"));
            all.push(format!("/clusters/{cluster}?period={period}"));
        }
        all.push(format!("/failures?policy={policy}&namespace={namespace}"));
        all.push(format!("/failures?cluster={cluster}&action=deny"));
        all.push(format!("/violations?policy={policy}"));
        all.push(format!("/violations?cluster={cluster}&namespace={namespace}&action=deny"));
        all.push(format!("/changes?policy={policy}"));
        all.push(format!("/api/v1/trends?policy={policy}&namespace={namespace}"));
    }
    Ok(all)
}
