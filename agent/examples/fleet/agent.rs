//! Agents without a disk and without policies: they ask, verify, check epochs and fetch as the agent does, and say what
//! they would enforce.

use crate::hub::{self, Hub};
use futures::{StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use writ_agent::backoff::Backoff;
use writ_agent::cache::Floor;
use writ_agent::sync::verify::Verified;
use writ_policy::Digest;
use writ_policy::bundle::{Index, MAX_INDEX_BYTES};
use writ_policy::sign::Signed;
use writ_policy::wire::{Active, AgentState, Desired, DesiredRequest, Enroll, Enrolled};

/// What all agents together did.
#[derive(Default)]
struct Counts {
    moved: AtomicU64,
    attempts: AtomicU64,
    refused: AtomicU64,
}

pub struct Fleet<A> {
    agents: Vec<A>,
    counts: Arc<Counts>,
}

#[derive(Clone)]
pub struct Simulated {
    hub: writ_agent::hub::Hub,
    identity: Arc<Enrolled>,
}

impl Fleet<Simulated> {
    /// Enrolls so many clusters.
    pub async fn enroll(hub: &Hub, agents: usize) -> Self {
        let enrolled = futures::stream::iter(0..agents).map(|number| async move {
            let token = hub.token(&format!("cluster-{number:05}")).await;
            let own = writ_agent::hub::Hub::new(&hub.address.parse().unwrap(), None).unwrap();
            let identity = own.enroll(&Enroll { token, version: env!("CARGO_PKG_VERSION").into() }).await.unwrap();
            Simulated { hub: own, identity: Arc::new(identity) }
        });
        Self { agents: enrolled.buffer_unordered(8).collect().await, counts: Arc::default() }
    }

    /// Runs them until what is returned is dropped.
    pub fn run(&self) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for agent in &self.agents {
            running.spawn(agent.clone().follow(self.counts.clone()));
        }
        running
    }

    /// Bytes of answers so far, before they are compressed.
    pub fn moved(&self) -> u64 {
        self.counts.moved.load(Ordering::Relaxed)
    }

    /// Requests for what to enforce so far.
    pub fn attempts(&self) -> u64 {
        self.counts.attempts.load(Ordering::Relaxed)
    }

    /// Pairs that were not right.
    pub fn refused(&self) -> u64 {
        self.counts.refused.load(Ordering::Relaxed)
    }
}

/// What one agent enforces.
#[derive(Default)]
struct Enforced {
    state: Option<(Active, Signed)>,
    floor: Option<Floor>,
    known: HashSet<Digest>,
}

impl Simulated {
    async fn follow(self, counts: Arc<Counts>) {
        let mut enforced = Enforced::default();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        let mut connected = false;
        loop {
            counts.attempts.fetch_add(1, Ordering::Relaxed);
            let request = self.request(&enforced, connected);
            let answer = self.hub.desired(&self.identity.credential, &request).await;
            connected = answer.is_ok();
            let obeyed = match answer {
                Ok(Some(desired)) => self.obey(desired, &mut enforced, &counts).await,
                Ok(None) => true,
                Err(_) => false,
            };
            if obeyed {
                backoff.reset();
            } else {
                tokio::time::sleep(backoff.next_pause()).await;
            }
        }
    }

    fn request(&self, enforced: &Enforced, connected: bool) -> DesiredRequest {
        let (active, proof) = enforced.state.clone().unzip();
        let have = active.as_ref().map(|active: &Active| active.assignment);
        let state = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"), "boot": uuid::Uuid::nil(), "started_at": 0, "active": active,
        });
        let state: AgentState = serde_json::from_value(state).unwrap();
        DesiredRequest { have, proof: proof.filter(|_| !connected), state }
    }

    async fn obey(&self, desired: Desired, enforced: &mut Enforced, counts: &Counts) -> bool {
        counts.moved.fetch_add(serde_json::to_vec(&desired).unwrap().len() as u64, Ordering::Relaxed);
        let verified = Verified::of(&desired, &self.identity).and_then(|verified| {
            verified.step_from(enforced.floor.as_ref())?;
            Ok(verified)
        });
        let Ok(verified) = verified else {
            counts.refused.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let verified_at = hub::now();
        if self.fetch(&verified.bundle.index, &mut enforced.known, counts).await.is_none() {
            return false;
        }
        let (revision, epoch) = (verified.bundle.revision.clone(), verified.assignment.epoch);
        let at = hub::now();
        let assignment = verified.digest;
        let active = Active { assignment, epoch, revision, fetched_at: at, verified_at, active_at: at };
        enforced.floor = Some(verified.floor());
        enforced.state = Some((active, desired.assignment));
        true
    }

    /// Fetches what this agent never had.
    async fn fetch(&self, index: &Digest, known: &mut HashSet<Digest>, counts: &Counts) -> Option<()> {
        if known.contains(index) {
            return Some(());
        }
        let content = self.hub.blob(&self.identity.credential, index, MAX_INDEX_BYTES).await.ok()?;
        counts.moved.fetch_add(content.len() as u64, Ordering::Relaxed);
        let files: Index = serde_json::from_slice(&content).unwrap();
        let missing = files.files.iter().filter(|file| !known.contains(&file.digest));
        let missing: Vec<(Digest, usize)> = missing.map(|file| (file.digest, file.bytes as usize)).collect();
        let fetched = futures::stream::iter(missing).map(|(digest, bytes)| async move {
            let content = self.hub.blob(&self.identity.credential, &digest, bytes).await.map_err(drop)?;
            counts.moved.fetch_add(content.len() as u64, Ordering::Relaxed);
            Ok::<_, ()>(digest)
        });
        let fetched: Vec<Digest> = fetched.buffer_unordered(4).try_collect().await.ok()?;
        known.extend(fetched);
        known.insert(*index);
        Some(())
    }
}
