//! How long what agents report is kept. A round looks at every table, deletes what has grown old in small pieces with
//! rests between them, and gives the disk back what is empty; reports are written meanwhile.

pub mod content;

use crate::app::App;
use crate::store::{self, Aged};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often a round begins.
const INTERVAL: Duration = Duration::from_secs(10 * 60);
/// Rows of one piece: some tens of milliseconds of the one writer.
const PIECE: i64 = 1_000;
/// Pages that are given back at a time.
const PAGES: u32 = 500;
/// The rest between two pieces.
const REST: Duration = Duration::from_millis(50);
/// How long tokens are kept that nobody can use any more.
const KEEP_TOKENS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long content is kept at least, and how often it is looked at.
const KEEP_CONTENT: Duration = Duration::from_secs(2 * 24 * 60 * 60);
const CONTENT_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long each kind of row is kept.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Keeping {
    /// How long each failure is kept.
    #[arg(long, env = "WRIT_KEEP_RAW", default_value = "30d", value_parser = crate::config::days)]
    pub keep_raw: Duration,
    /// How long counts by minute are kept.
    #[arg(long, env = "WRIT_KEEP_MINUTES", default_value = "15d", value_parser = crate::config::days)]
    pub keep_minutes: Duration,
    /// How long counts by hour and day are kept, what happened to violations, what clusters were told, and the content
    /// of commits.
    #[arg(long, env = "WRIT_KEEP_ROLLUPS", default_value = "400d", value_parser = crate::config::days)]
    pub keep_rollups: Duration,
    /// How long violations are kept once they are fixed.
    #[arg(long, env = "WRIT_KEEP_FIXED", default_value = "90d", value_parser = crate::config::days)]
    pub keep_fixed: Duration,
}

impl Keeping {
    /// Checks what one field alone cannot know.
    pub fn validate(&self) -> anyhow::Result<()> {
        let hour = Duration::from_secs(3_600);
        let times = [self.keep_raw, self.keep_minutes, self.keep_rollups, self.keep_fixed];
        anyhow::ensure!(times.iter().all(|time| *time >= hour), "what is kept is kept for an hour at least");
        let most = self.keep_raw.max(self.keep_minutes);
        anyhow::ensure!(self.keep_rollups >= most, "--keep-rollups is shorter than --keep-raw or --keep-minutes");
        Ok(())
    }

    /// How long the content of a commit is kept that no cluster is told: what was published a moment ago is on its way.
    pub fn keep_content(&self) -> Duration {
        self.keep_rollups.max(KEEP_CONTENT)
    }

    /// What grows old, and after how long.
    fn ages(&self) -> [(Aged, Duration); 17] {
        let Self { keep_raw, keep_minutes, keep_rollups, keep_fixed } = *self;
        [
            (Aged::Failures, keep_raw),
            (Aged::SumMinutes, keep_minutes),
            (Aged::SumHours, keep_rollups),
            (Aged::SumQuarters, keep_rollups),
            (Aged::SumDays, keep_rollups),
            (Aged::SumWeeks, keep_rollups),
            (Aged::RollupHours, keep_rollups),
            (Aged::RollupDays, keep_rollups),
            (Aged::FixedViolations, keep_fixed),
            (Aged::ViolationEvents, keep_rollups),
            (Aged::ViolationDays, keep_rollups),
            // As long as anything of theirs could be sent again.
            (Aged::Cursors, keep_rollups),
            (Aged::EnrollmentTokens, KEEP_TOKENS),
            (Aged::Assignments, keep_rollups),
            (Aged::RevisionBodies, self.keep_content()),
            (Aged::RevisionPolicies, self.keep_content()),
            (Aged::Sessions, Duration::ZERO),
        ]
    }
}

/// Runs rounds until told to stop, at the hub that leads. A round that fails is tried again with the next.
pub async fn run(app: App, keeping: Keeping, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut content_at: Option<Instant> = None;
    loop {
        let pause = INTERVAL / 2 + INTERVAL.mul_f64(f64::from(std::process::id() % 100) / 200.0);
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
        let outcome = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            outcome = round(&app, &keeping, REST) => outcome,
        };
        if let Err(error) = outcome {
            let error = format!("{error:#}");
            tracing::warn!(error, "old rows could not be deleted, the next round tries again");
            continue;
        }
        if content_at.is_some_and(|at| at.elapsed() < CONTENT_EVERY) {
            continue;
        }
        match content(&app, &keeping).await {
            Ok(_) => content_at = Some(Instant::now()),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "old content could not be deleted, the next round tries again");
            }
        }
    }
}

/// Deletes blobs that nothing needs; how many.
pub async fn content(app: &App, keeping: &Keeping) -> anyhow::Result<u64> {
    let age = i64::try_from(keeping.keep_content().as_millis()).unwrap_or(i64::MAX);
    let deleted = content::delete_unneeded(app, app.now().saturating_sub(age)).await?;
    if deleted > 0 {
        tracing::info!(deleted, "deleted {deleted} blobs that no revision needs");
    }
    Ok(deleted)
}

/// One round: afterwards nothing is older than it may be. Says how many rows went.
pub async fn round(app: &App, keeping: &Keeping, rest: Duration) -> store::Result<u64> {
    let (started, now) = (Instant::now(), app.now());
    let mut deleted = 0;
    for (aged, age) in keeping.ages() {
        let before = now.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        loop {
            let rows = app.store.delete_aged(aged, before, PIECE).await?;
            app.metrics.deleted(aged, rows);
            deleted += rows;
            if rows < PIECE as u64 {
                break;
            }
            tokio::time::sleep(rest).await;
        }
    }
    while app.store.reclaim(PAGES).await? {
        tokio::time::sleep(rest).await;
    }
    let duration_ms = started.elapsed().as_millis() as u64;
    if deleted > 0 {
        tracing::info!(deleted, duration_ms, "deleted {deleted} rows that were old enough");
    }
    Ok(deleted)
}
