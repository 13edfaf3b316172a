//! Deletes what is older than so many days, in the pieces of the hub's own rounds, and says how long that took.

use std::time::{Duration, Instant};
use writ_hub::store::{Aged, Database, Store};

/// What is deleted.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The database, filled before: `sqlite:FILE` or `postgres://USER@HOST/NAME`.
    #[arg(long)]
    database: Database,
    /// Days that are kept.
    #[arg(long, default_value_t = 15)]
    days: i64,
    /// Rows of a piece.
    #[arg(long, default_value_t = 1_000)]
    piece: i64,
    /// The rest between two pieces, in milliseconds.
    #[arg(long, default_value_t = 50)]
    rest: u64,
}

/// What grows with reports.
const AGED: [Aged; 8] = [
    Aged::Failures,
    Aged::SumMinutes,
    Aged::SumHours,
    Aged::SumQuarters,
    Aged::SumDays,
    Aged::SumWeeks,
    Aged::RollupHours,
    Aged::RollupDays,
];

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let Options { database, days, piece, rest } = options;
    let store = Store::open(&database).await?;
    let before = jiff::Timestamp::now().as_millisecond() - days * 24 * 60 * 60 * 1_000;
    println!("    rows   pieces   working   with rests   longest piece  what");
    for aged in AGED {
        let (started, mut working, mut longest) = (Instant::now(), Duration::ZERO, Duration::ZERO);
        let (mut rows, mut pieces) = (0, 0);
        loop {
            let asked = Instant::now();
            let deleted = store.delete_aged(aged, before, piece).await?;
            working += asked.elapsed();
            longest = longest.max(asked.elapsed());
            (rows, pieces) = (rows + deleted, pieces + 1);
            if deleted < piece as u64 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
        let (working, all, longest) = (working.as_secs_f64(), started.elapsed().as_secs_f64(), longest.as_secs_f64());
        println!("{rows:8} {pieces:8} {working:7.1} s {all:10.1} s {:11.0} ms  {aged:?}", longest * 1_000.0);
    }
    let started = Instant::now();
    while store.reclaim(500).await? {}
    println!("giving the disk back: {:.1} s, {} MiB left", started.elapsed().as_secs_f64(), store.bytes().await? >> 20);
    store.close().await;
    Ok(())
}
