//! What replicas of agents say of themselves with each request. News (a new assignment enforced or refused, a restart) is written
//! at once; that an agent is still there is kept in memory and written every few seconds for all of them.

mod group;

use crate::app::App;
use crate::failure::Error;
use crate::status::SEEN_WITHIN_MS;
use crate::store::{self, Heartbeat};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use writ_policy::BreakGlass;
use writ_policy::wire::{AgentState, LoadError};

/// Replicas that were not heard for so long are forgotten.
const FORGET_AFTER_MS: i64 = 86_400_000;
/// So long it is said that two agents went by one name.
const DISPUTED_FOR_MS: i64 = 300_000;
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
pub struct Heartbeats {
    known: Mutex<HashMap<Replica, Known>>,
    names: Mutex<HashMap<Replica, Name>>,
    /// News that are written together.
    group: group::Group,
}

/// Who goes by one name. A process that starts again is another boot and the former never returns; two that take turns
/// are two.
#[derive(Debug)]
struct Name {
    boot: String,
    former: Option<String>,
    /// When one returned after another had spoken.
    disputed_at: Option<i64>,
}

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
    /// Events and cards that it could not send.
    pub untold: i64,
}

impl Heartbeats {
    /// Keeps a heartbeat in memory if it says nothing new. Else the caller writes it.
    fn keep(&self, cluster: i64, heartbeat: &Heartbeat, later: Later) -> bool {
        let mut known = self.known.lock().expect("no holder of the lock panics");
        match known.get_mut(&(cluster, heartbeat.replica.clone())) {
            Some(known) if known.written == *heartbeat => {
                known.later = Some(later);
                true
            }
            _ => false,
        }
    }

    fn wrote(&self, cluster: i64, written: Heartbeat) {
        self.known
            .lock()
            .expect("no holder of the lock panics")
            .insert((cluster, written.replica.clone()), Known { written, later: None });
    }

    fn take_later(&self) -> Vec<(i64, Heartbeat, Later)> {
        let mut known = self.known.lock().expect("no holder of the lock panics");
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
        self.known.lock().expect("no holder of the lock panics").retain(|(known, _), _| *known != cluster);
        self.names.lock().expect("no holder of the lock panics").retain(|(known, _), _| *known != cluster);
    }

    fn forget_replica(&self, cluster: i64, replica: &str) {
        self.known.lock().expect("no holder of the lock panics").remove(&(cluster, replica.to_owned()));
    }

    /// Whether another agent goes by the same name.
    fn is_disputed(&self, cluster: i64, said: &Heartbeat, now: i64) -> bool {
        let mut names = self.names.lock().expect("no holder of the lock panics");
        let new = || Name { boot: said.boot.clone(), former: None, disputed_at: None };
        let name = names.entry((cluster, said.replica.clone())).or_insert_with(new);
        if name.boot != said.boot {
            let returns = name.former.as_ref() == Some(&said.boot);
            name.former = Some(std::mem::replace(&mut name.boot, said.boot.clone()));
            name.disputed_at = if returns { Some(now) } else { name.disputed_at };
        }
        name.disputed_at.is_some_and(|at| now - at < DISPUTED_FOR_MS)
    }
}

/// Takes in what an agent says of itself.
pub async fn note(app: &App, cluster: i64, state: AgentState) -> Result<(), Error> {
    let now = app.now();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let later = Later {
        seen_at: now,
        spooled: number(state.spooled),
        dropped: number(state.dropped),
        untold: number(state.untold),
    };
    let leaving = state.leaving;
    let mut heartbeat = bounded(state);
    if leaving {
        return Ok(leave(app, cluster, &heartbeat.replica).await?);
    }
    if app.heartbeats.is_disputed(cluster, &heartbeat, now) {
        heartbeat.load_errors.push(disputed(&heartbeat.replica));
    }
    if app.heartbeats.keep(cluster, &heartbeat, later) {
        return Ok(());
    }
    group::write(app, cluster, heartbeat, later).await
}

/// A replica stops: the cluster is what the others say, or what the last one said.
async fn leave(app: &App, cluster: i64, replica: &str) -> store::Result<()> {
    let mut tx = app.store.begin().await?;
    tx.forget_replica(cluster, replica).await?;
    tx.sum_up_replicas(&BTreeSet::from([cluster]), app.now() - SEEN_WITHIN_MS).await?;
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
    let known = tx.save_seen(&later).await?;
    tx.sum_up_replicas(&clusters, app.now() - SEEN_WITHIN_MS).await?;
    tx.forget_replicas_before(app.now() - FORGET_AFTER_MS).await?;
    tx.commit().await?;
    // It said something else to another hub since: what it says to this one next is written whole.
    let said = later.iter().map(|(cluster, said, _)| (*cluster, said.replica.clone()));
    said.filter(|said| !known.contains(said))
        .for_each(|(cluster, replica)| app.heartbeats.forget_replica(cluster, &replica));
    Ok(())
}

/// For people, where they look for what does not work.
fn disputed(replica: &str) -> LoadError {
    let name = if replica.is_empty() { "no name".to_owned() } else { format!("the name `{replica}`") };
    let message = format!(
        "two agents with {name} speak for this cluster, so that what is shown is now the word of the one, now of the \
         other: give each its own --replica, and each cluster its own enrollment"
    );
    LoadError { path: "agent".into(), message }
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
