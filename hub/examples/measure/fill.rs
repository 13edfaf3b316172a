//! Fills a database with a large history, the same every time, and says how long each part took and how large it is.

use writ_hub::store::fixture::Fill;
use writ_hub::store::{Database, Store};

/// How much.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The database, new: `sqlite:FILE` or `postgres://USER@HOST/NAME`.
    #[arg(long)]
    database: Database,
    /// Failures.
    #[arg(long, default_value_t = 10_000_000)]
    failures: i64,
    /// Violations.
    #[arg(long, default_value_t = 1_000_000)]
    violations: i64,
    /// Clusters.
    #[arg(long, default_value_t = 1_000)]
    clusters: i64,
    /// Namespaces.
    #[arg(long, default_value_t = 2_000)]
    namespaces: i64,
    /// Policies.
    #[arg(long, default_value_t = 200)]
    policies: i64,
    /// Days.
    #[arg(long, default_value_t = 30)]
    days: i64,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let Options { database, failures, violations, clusters, namespaces, policies, days } = options;
    let store = Store::open(&database).await?;
    let now = jiff::Timestamp::now().as_millisecond();
    let fill = Fill { failures, violations, clusters, namespaces, policies, days, minute_days: 2, now };
    println!("   took   database  what");
    let mut before = 0;
    store
        .fill(&fill, |filled| {
            let mib = |bytes: i64| bytes as f64 / 1024.0 / 1024.0;
            let (took, all, more) = (filled.took.as_secs_f64(), mib(filled.bytes), mib(filled.bytes - before));
            println!("{took:6.1} s {all:7.0} MiB  {}: {more:.0} MiB", filled.what);
            before = filled.bytes;
        })
        .await?;
    store.close().await;
    Ok(())
}
