//! What replicas of agents say of themselves with each request. News (a new assignment enforced or refused, a restart) is written
//! at once; that an agent is still there is kept in memory and written every few seconds for all of them.

use crate::app::App;
use crate::status::SEEN_WITHIN_MS;
use crate::store::{self, Heartbeat};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use writ_policy::BreakGlass;
use writ_policy::wire::AgentState;

/// Replicas that were not heard for so long are forgotten.
const FORGET_AFTER_MS: i64 = 86_400_000;
/// How often heartbeats are written.
const INTERVAL: Duration = Duration::from_secs(5);
/// Bounds on what an agent may say; longer texts are cut.
const MAX_LOAD_ERRORS: usize = 100;
const MAX_TEXT: usize = 1_000;
const MAX_VERSION: usize = 64;
const MAX_REPLICA: usize = 253;
const MAX_SUSPENDED: usize = 100;

/// A cluster, and which of its replicas.
type Replica = (i64, String);

/// The last word of each replica.
#[derive(Debug, Default)]
pub struct Heartbeats(Mutex<HashMap<Replica, Known>>);

#[derive(Debug)]
struct Known {
    written: Heartbeat,
    /// Heard since, with nothing new but these.
    later: Option<Later>,
}

/// What changes with every request.
#[derive(Debug, Clone, Copy)]
pub struct Later {
    /// The hub's clock.
    pub seen_at: i64,
    /// Reports waiting at the agent.
    pub spooled: i64,
    /// Records that the agent dropped.
    pub dropped: i64,
}

impl Heartbeats {
    /// Keeps a heartbeat in memory if it says nothing new. Else the caller writes it.
    fn keep(&self, cluster: i64, heartbeat: &Heartbeat, later: Later) -> bool {
        let mut known = self.0.lock().expect("no holder of the lock panics");
        match known.get_mut(&(cluster, heartbeat.replica.clone())) {
            Some(known) if known.written == *heartbeat => {
                known.later = Some(later);
                true
            }
            _ => false,
        }
    }

    fn wrote(&self, cluster: i64, written: Heartbeat) {
        self.0
            .lock()
            .expect("no holder of the lock panics")
            .insert((cluster, written.replica.clone()), Known { written, later: None });
    }

    fn take_later(&self) -> Vec<(i64, Heartbeat, Later)> {
        let mut known = self.0.lock().expect("no holder of the lock panics");
        let later = |((cluster, _), known): (&Replica, &mut Known)| {
            Some((*cluster, known.written.clone(), known.later.take()?))
        };
        // In one order, or two hubs wait for each other.
        let mut later: Vec<_> = known.iter_mut().filter_map(later).collect();
        later.sort_unstable_by(|(a, said, _), (b, other, _)| (a, &said.replica).cmp(&(b, &other.replica)));
        later
    }

    /// Forgets a cluster whose agent enrolls anew.
    pub fn forget(&self, cluster: i64) {
        self.0.lock().expect("no holder of the lock panics").retain(|(known, _), _| *known != cluster);
    }

    fn forget_replica(&self, cluster: i64, replica: &str) {
        self.0.lock().expect("no holder of the lock panics").remove(&(cluster, replica.to_owned()));
    }
}

/// Takes in what an agent says of itself.
pub async fn note(app: &App, cluster: i64, state: AgentState) -> store::Result<()> {
    let now = app.now();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let later = Later { seen_at: now, spooled: number(state.spooled), dropped: number(state.dropped) };
    let leaving = state.leaving;
    let heartbeat = bounded(state);
    if leaving {
        return leave(app, cluster, &heartbeat.replica).await;
    }
    if app.heartbeats.keep(cluster, &heartbeat, later) {
        return Ok(());
    }
    let known = app.store.break_glass_open(now).await?;
    let mut tx = app.store.begin().await?;
    tx.save_replica(cluster, &heartbeat, later).await?;
    tx.note_break_glass(cluster, &heartbeat.break_glass, &known, now).await?;
    tx.forget_replicas_before(cluster, now - FORGET_AFTER_MS).await?;
    let reached = tx.sum_up_replicas(cluster, now - SEEN_WITHIN_MS).await?;
    // The proof is the cluster's: the replica that comes last brings it.
    if let Some(active) = &heartbeat.active
        && reached == Some(active.assignment.to_string())
    {
        tx.acknowledge(cluster, active, now).await?;
    }
    tx.commit().await?;
    app.heartbeats.wrote(cluster, heartbeat);
    Ok(())
}

/// A replica stops: the cluster is what the others say, or what the last one said.
async fn leave(app: &App, cluster: i64, replica: &str) -> store::Result<()> {
    let mut tx = app.store.begin().await?;
    tx.forget_replica(cluster, replica).await?;
    tx.sum_up_replicas(cluster, app.now() - SEEN_WITHIN_MS).await?;
    tx.commit().await?;
    app.heartbeats.forget_replica(cluster, replica);
    Ok(())
}

/// Writes heartbeats until told to stop, and once more then.
pub async fn run(app: App, shutdown: CancellationToken) -> anyhow::Result<()> {
    loop {
        let stops = tokio::select! {
            () = shutdown.cancelled() => true,
            () = tokio::time::sleep(INTERVAL) => false,
        };
        if let Err(error) = flush(&app).await {
            let error = format!("{error:#}");
            tracing::warn!(error, "when agents were last seen could not be written, the next round tries again");
        }
        if stops {
            return Ok(());
        }
    }
}

/// Writes what is in memory.
pub async fn flush(app: &App) -> store::Result<()> {
    let later = app.heartbeats.take_later();
    if later.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    let clusters: BTreeSet<i64> = later.iter().map(|(cluster, ..)| *cluster).collect();
    let mut behind = vec![];
    for (cluster, said, later) in later {
        if !tx.save_seen(cluster, &said, later).await? {
            behind.push((cluster, said.replica));
        }
    }
    for cluster in clusters {
        tx.sum_up_replicas(cluster, app.now() - SEEN_WITHIN_MS).await?;
    }
    tx.commit().await?;
    // It said something else to another hub since: what it says to this one next is written whole.
    behind.iter().for_each(|(cluster, replica)| app.heartbeats.forget_replica(*cluster, replica));
    Ok(())
}

/// What namespaces opened themselves.
fn suspended(state: &AgentState) -> Vec<BreakGlass> {
    let own = state.break_glass.iter().filter(|glass| glass.by_namespace).take(MAX_SUSPENDED).cloned();
    let bounded = own.map(|glass| BreakGlass {
        reason: crate::ingest::cut(&glass.reason, MAX_TEXT),
        by: crate::ingest::cut(&glass.by, MAX_TEXT),
        namespace: glass.namespace.as_deref().map(|namespace| crate::ingest::cut(namespace, MAX_VERSION)),
        ..glass
    });
    bounded.collect()
}

fn bounded(state: AgentState) -> Heartbeat {
    let break_glass = suspended(&state);
    let AgentState { version, boot, started_at, active, mut refused, mut load_errors, .. } = state;
    let certificate_expires_at = state.certificate_expires_at;
    let replica = crate::ingest::cut(&state.replica, MAX_REPLICA);
    load_errors.truncate(MAX_LOAD_ERRORS);
    for error in &mut load_errors {
        error.path = crate::ingest::cut(&error.path, MAX_TEXT);
        error.message = crate::ingest::cut(&error.message, MAX_TEXT);
    }
    if let Some(refused) = &mut refused {
        refused.reason = crate::ingest::cut(&refused.reason, MAX_TEXT);
    }
    let version = crate::ingest::cut(&version, MAX_VERSION);
    let boot = boot.to_string();
    Heartbeat { replica, version, boot, started_at, active, refused, load_errors, certificate_expires_at, break_glass }
}
