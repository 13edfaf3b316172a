//! Tells clusters what to enforce, whenever something changed: a revision is served, a wave may be told, a cluster
//! enrolled, an assignment grows old. Level-triggered: it looks at all clusters and makes right what is not. Which
//! revision is whose is `roll`'s; only the hub that leads does any of this.

mod roll;
pub mod standing;

use crate::app::App;
use crate::board::Word;
use crate::rollout::{self, Cluster};
use crate::store::{BreakGlassRow, NewAssignment, Served, Told};
use anyhow::Context;
use roll::Roll;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use writ_policy::BreakGlass;
use writ_policy::bundle::Assignment;
use writ_policy::sign::Signed;

/// How often assignments are looked at although nothing happened: they are renewed long before they are stale.
const INTERVAL: Duration = Duration::from_secs(600);
/// How often a rollout is looked at while it may go on: as often as looking is cheap, and never less than this.
const ROLLING: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(2);

/// Assigns until told to stop.
pub async fn run(app: App, shutdown: CancellationToken) -> anyhow::Result<()> {
    loop {
        let started = Instant::now();
        let pause = match assign(&app).await {
            Ok(true) => (started.elapsed() * 10).clamp(ROLLING[0], ROLLING[1]),
            Ok(false) => until_next_end(&app).await.min(INTERVAL),
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

/// One look at all clusters. Whether the rollout may soon go on by itself.
pub async fn assign(app: &App) -> anyhow::Result<bool> {
    let started = Instant::now();
    let Some(served) = app.store.served().await.context("reading what is served")? else { return Ok(false) };
    let clusters = app.store.told().await.context("reading the clusters")?;
    let now = app.now();
    let open = app.store.break_glass_open(now).await.context("reading what is suspended")?;
    let roll = Roll::look(app, &served, &clusters, now).await?;
    let goals = goals(app, &roll, served, &clusters).await?;
    let mut words = Vec::with_capacity(clusters.len());
    let mut news = vec![];
    for told in &clusters {
        let Some(goal) = roll.goal(told).and_then(|revision| goals.get(&revision)) else { continue };
        match next(app, goal, told, &open, now) {
            None => words.extend(kept(app, told, goal)),
            Some(assignment) => {
                let signed = app.keys.signing().sign(&assignment);
                words.extend(
                    Word::new(signed.clone(), goal.statement_for(&told.labels)).map(|word| (told.cluster_id, word)),
                );
                news.push(NewAssignment { cluster_id: told.cluster_id, revision_id: goal.id, assignment, signed });
            }
        }
    }
    if !news.is_empty() || roll.is_news() {
        let mut tx = app.begin_as_leader().await?;
        roll.record(&mut tx, now).await.context("recording the rollout")?;
        if !news.is_empty() {
            let round = tx.next_round().await?;
            tx.save_assignments(&news, round).await?;
        }
        tx.commit().await.context("recording assignments")?;
    }
    // Only what is recorded is said.
    for (cluster, word) in words {
        app.board.put(cluster, word);
    }
    roll.say();
    if !news.is_empty() {
        let duration_ms = started.elapsed().as_millis() as u64;
        let clusters = news.len();
        tracing::info!(revision = roll.revision(), clusters, duration_ms, "told {clusters} clusters what to enforce");
    }
    Ok(roll.may_go_on())
}

/// The revisions that some cluster should enforce, by their rows.
async fn goals(app: &App, roll: &Roll, served: Served, clusters: &[Told]) -> anyhow::Result<HashMap<i64, Served>> {
    let mut goals = HashMap::from([(served.id, served)]);
    for revision in clusters.iter().filter_map(|told| roll.goal(told)) {
        if !goals.contains_key(&revision)
            && let Some(earlier) = app.store.servable(revision).await.context("reading an earlier revision")?
        {
            goals.insert(revision, crate::publish::signed_by_us(&app.store, app.keys.signing(), earlier).await?);
        }
    }
    Ok(goals)
}

/// What the board should say already: after a restart it does not.
fn kept(app: &App, told: &Told, goal: &Served) -> Option<(i64, Word)> {
    let newest = told.newest.as_ref()?;
    if app.board.says(told.cluster_id, told.epoch) {
        return None;
    }
    Some((told.cluster_id, Word::new(newest.clone(), goal.statement_for(&told.labels))?))
}

fn next(app: &App, goal: &Served, told: &Told, open: &[BreakGlassRow], now: i64) -> Option<Assignment> {
    let newest =
        told.newest.as_ref().and_then(|signed: &Signed| serde_json::from_str::<Assignment>(&signed.payload).ok());
    let epoch = newest.as_ref().map_or(0, |newest| newest.epoch);
    // What another key signed (the hub's was replaced) no agent would obey: it is written anew.
    let is_ours = told.newest.as_ref().is_some_and(|signed| signed.key == app.keys.public().fingerprint());
    let newest = newest.filter(|_| is_ours);
    let proven_epoch = u64::try_from(told.proven_epoch).unwrap_or(0).max(if is_ours { 0 } else { epoch });
    let is_own = |row: &&BreakGlassRow| !row.is_by_namespace() && row.cluster == told.name.as_str();
    let suspensions: Vec<BreakGlass> = open.iter().filter(is_own).map(BreakGlassRow::told).collect();
    let (name, labels) = (&told.name, &told.labels);
    let cluster = Cluster { name, labels, newest: newest.as_ref(), proven_epoch, suspensions: &suspensions };
    rollout::next(&goal.fleet, goal.statement_for(labels).digest(), &cluster, now)
}
