//! News of replicas, written together: whoever gets its turn writes what all others brought meanwhile, in one transaction.
//! A commit that thousands of agents acknowledge at once costs some dozens of transactions, and one agent alone waits
//! for nobody.

use super::Later;
use crate::app::App;
use crate::failure::Error;
use crate::status::SEEN_WITHIN_MS;
use crate::store::{self, Heartbeat};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// The most that is written in one transaction.
const MOST: usize = 512;

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Group {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    cluster: i64,
    said: Heartbeat,
    later: Later,
    answer: oneshot::Sender<bool>,
}

/// Writes what a replica says, with what others say at the same time.
pub(super) async fn write(app: &App, cluster: i64, said: Heartbeat, later: Later) -> Result<(), Error> {
    let (answer, mut answered) = oneshot::channel();
    let group = &app.heartbeats.group;
    group.waiting.lock().expect("no holder of the lock panics").push(Waiting { cluster, said, later, answer });
    let _turn = group.turn.lock().await;
    let mut problem = None;
    loop {
        match answered.try_recv() {
            Ok(true) => return Ok(()),
            // Who wrote it may have gone away in the middle of it: the agent asks again.
            Ok(false) | Err(TryRecvError::Closed) => return Err(problem.unwrap_or(Error::Busy)),
            Err(TryRecvError::Empty) => {}
        }
        problem = write_group(app, group.take()).await.err();
    }
}

/// Writes them and tells each. What fails together is tried one by one, so that nobody pays for what another one says.
async fn write_group(app: &App, waiting: Vec<Waiting>) -> Result<(), Error> {
    match write_together(app, &waiting).await.map_err(Error::from) {
        Err(Error::Internal(_)) if waiting.len() > 1 => {
            let mut outcome = Ok(());
            for one in waiting {
                let one = [one];
                let written = write_together(app, &one).await;
                answer(app, one, written.is_ok());
                outcome = outcome.and(written);
            }
            Ok(outcome?)
        }
        outcome => {
            answer(app, waiting, outcome.is_ok());
            outcome
        }
    }
}

fn answer(app: &App, waiting: impl IntoIterator<Item = Waiting>, is_written: bool) {
    for Waiting { cluster, said, answer, .. } in waiting {
        if is_written {
            app.heartbeats.wrote(cluster, said);
        }
        // Who waited may have gone; it asks again.
        let _ = answer.send(is_written);
    }
}

impl Group {
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().expect("no holder of the lock panics");
        let most = waiting.len().min(MOST);
        waiting.drain(..most).collect()
    }
}

async fn write_together(app: &App, waiting: &[Waiting]) -> store::Result<()> {
    let now = app.now();
    // Of what one replica says twice the later word stands. In one order, or two hubs wait for each other.
    let said: HashMap<(i64, &str), &Waiting> =
        waiting.iter().map(|waiting| ((waiting.cluster, waiting.said.replica.as_str()), waiting)).collect();
    let mut said: Vec<&Waiting> = said.into_values().collect();
    said.sort_unstable_by_key(|waiting| (waiting.cluster, waiting.said.replica.as_str()));
    let known = app.store.break_glass_open(now).await?;
    let mut tx = app.store.begin().await?;
    let rows: Vec<_> = said.iter().map(|waiting| (waiting.cluster, &waiting.said, waiting.later)).collect();
    tx.save_replicas(&rows).await?;
    for waiting in &said {
        tx.note_break_glass(waiting.cluster, &waiting.said.break_glass, &known, now).await?;
    }
    let clusters: BTreeSet<i64> = said.iter().map(|waiting| waiting.cluster).collect();
    let reached = tx.sum_up_replicas(&clusters, now - SEEN_WITHIN_MS).await?;
    // The proof is the cluster's: the replica that comes last brings it.
    let proofs = said.iter().filter_map(|waiting| {
        let active = waiting.said.active.as_ref()?;
        let is_reached = reached.get(&waiting.cluster) == Some(&active.assignment.to_string());
        is_reached.then_some((waiting.cluster, active))
    });
    let mut proofs: Vec<_> = proofs.collect();
    proofs.dedup_by_key(|(cluster, active)| (*cluster, active.assignment));
    tx.acknowledge(&proofs, now).await?;
    tx.commit().await
}
