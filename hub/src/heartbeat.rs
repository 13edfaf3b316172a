//! What agents say of themselves with each request. News (a new assignment enforced or refused, a restart) is written
//! at once; that an agent is still there is kept in memory and written every few seconds for all of them.

use crate::app::App;
use crate::store::{self, Heartbeat};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use writ_policy::wire::AgentState;

/// How often heartbeats are written.
const INTERVAL: Duration = Duration::from_secs(5);
/// Bounds on what an agent may say; longer texts are cut.
const MAX_LOAD_ERRORS: usize = 100;
const MAX_TEXT: usize = 1_000;
const MAX_VERSION: usize = 64;

/// The last word of each cluster's agent.
#[derive(Debug, Default)]
pub struct Heartbeats(Mutex<HashMap<i64, Known>>);

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
        match known.get_mut(&cluster) {
            Some(known) if known.written == *heartbeat => {
                known.later = Some(later);
                true
            }
            _ => false,
        }
    }

    fn wrote(&self, cluster: i64, written: Heartbeat) {
        self.0.lock().expect("no holder of the lock panics").insert(cluster, Known { written, later: None });
    }

    fn take_later(&self) -> Vec<(i64, Later)> {
        let mut known = self.0.lock().expect("no holder of the lock panics");
        known.iter_mut().filter_map(|(cluster, known)| Some((*cluster, known.later.take()?))).collect()
    }

    /// Forgets a cluster whose agent enrolls anew.
    pub fn forget(&self, cluster: i64) {
        self.0.lock().expect("no holder of the lock panics").remove(&cluster);
    }
}

/// Takes in what an agent says of itself.
pub async fn note(app: &App, cluster: i64, state: AgentState) -> store::Result<()> {
    let now = app.now();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let later = Later { seen_at: now, spooled: number(state.spooled), dropped: number(state.dropped) };
    let heartbeat = bounded(state);
    if app.heartbeats.keep(cluster, &heartbeat, later) {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    tx.save_heartbeat(cluster, &heartbeat, later).await?;
    if let Some(active) = &heartbeat.active {
        tx.acknowledge(cluster, active, now).await?;
    }
    tx.commit().await?;
    app.heartbeats.wrote(cluster, heartbeat);
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
    for (cluster, later) in later {
        tx.save_seen(cluster, later).await?;
    }
    tx.commit().await
}

fn bounded(state: AgentState) -> Heartbeat {
    let AgentState { version, boot, started_at, active, mut refused, mut load_errors, .. } = state;
    load_errors.truncate(MAX_LOAD_ERRORS);
    for error in &mut load_errors {
        error.path = crate::ingest::cut(&error.path, MAX_TEXT);
        error.message = crate::ingest::cut(&error.message, MAX_TEXT);
    }
    if let Some(refused) = &mut refused {
        refused.reason = crate::ingest::cut(&refused.reason, MAX_TEXT);
    }
    let version = crate::ingest::cut(&version, MAX_VERSION);
    Heartbeat { version, boot: boot.to_string(), started_at, active, refused, load_errors }
}
