//! Tells every cluster what to enforce, whenever something changed: a revision is served, a cluster enrolled, an
//! assignment grows old. Level-triggered: it looks at all clusters and makes right what is not.

use crate::app::App;
use crate::board::Word;
use crate::rollout::{self, Cluster};
use crate::store::{BreakGlassRow, Served, Told};
use anyhow::Context;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use writ_policy::BreakGlass;
use writ_policy::bundle::Assignment;

/// How often assignments are looked at although nothing happened: they are renewed long before they are stale.
const INTERVAL: Duration = Duration::from_secs(600);
/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(2);

/// Assigns until told to stop.
pub async fn run(app: App, shutdown: CancellationToken) -> anyhow::Result<()> {
    loop {
        let pause = match assign(&app).await {
            Ok(()) => until_next_end(&app).await.min(INTERVAL),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "clusters could not be told what to enforce, they keep what they have");
                RETRY
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = app.assign_wanted.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How long until a suspension ends, and its cluster is told so.
async fn until_next_end(app: &App) -> Duration {
    let now = app.now();
    match app.store.break_glass_open(now).await {
        Ok(open) => {
            let ends = open.iter().filter(|row| !row.is_by_namespace()).map(|row| row.until_at - now).min();
            ends.and_then(|left| u64::try_from(left).ok()).map_or(INTERVAL, |left| Duration::from_millis(left.max(100)))
        }
        Err(_) => RETRY,
    }
}

/// One look at all clusters.
pub async fn assign(app: &App) -> anyhow::Result<()> {
    let started = Instant::now();
    let Some(served) = app.store.served().await.context("reading what is served")? else { return Ok(()) };
    let clusters = app.store.told().await.context("reading the clusters")?;
    let now = app.now();
    let open = app.store.break_glass_open(now).await.context("reading what is suspended")?;
    let mut round = None;
    let mut words = Vec::with_capacity(clusters.len());
    let mut assigned = 0;
    for told in &clusters {
        let signed = match next(app, &served, told, &open, now) {
            None => told.newest.clone(),
            Some(assignment) => {
                let signed = app.hub_key.sign(&assignment);
                let (tx, round) = match &mut round {
                    Some(round) => round,
                    none => {
                        let mut tx = app.begin_as_leader().await?;
                        let number = tx.next_round().await?;
                        none.insert((tx, number))
                    }
                };
                tx.save_assignment(told.cluster_id, (served.id, *round), &assignment, &signed).await?;
                assigned += 1;
                Some(signed)
            }
        };
        words.extend(signed.and_then(|signed| Some((told.cluster_id, Word::new(signed, &served.statement)?))));
    }
    if let Some((tx, _)) = round {
        tx.commit().await.context("recording assignments")?;
    }
    // Only what is recorded is said.
    for (cluster, word) in words {
        app.board.put(cluster, word);
    }
    if assigned > 0 {
        let duration_ms = started.elapsed().as_millis() as u64;
        tracing::info!(revision = %served.revision, clusters = assigned, duration_ms, "told {assigned} clusters to enforce {}", served.revision.short());
    }
    Ok(())
}

fn next(app: &App, served: &Served, told: &Told, open: &[BreakGlassRow], now: i64) -> Option<Assignment> {
    let newest = told.newest.as_ref().and_then(|signed| serde_json::from_str::<Assignment>(&signed.payload).ok());
    let epoch = newest.as_ref().map_or(0, |newest| newest.epoch);
    // What another key signed (the hub's was replaced) no agent would obey: it is written anew.
    let is_ours = told.newest.as_ref().is_some_and(|signed| signed.key == app.hub_key.public().fingerprint());
    let newest = newest.filter(|_| is_ours);
    let active_epoch = u64::try_from(told.active_epoch.unwrap_or(0)).unwrap_or(0).max(epoch);
    let is_own = |row: &&BreakGlassRow| !row.is_by_namespace() && row.cluster == told.name.as_str();
    let suspensions: Vec<BreakGlass> = open.iter().filter(is_own).map(BreakGlassRow::told).collect();
    let (name, labels) = (&told.name, &told.labels);
    let cluster = Cluster { name, labels, newest: newest.as_ref(), active_epoch, suspensions: &suspensions };
    rollout::next(&served.fleet, served.statement.digest(), &cluster, now)
}
