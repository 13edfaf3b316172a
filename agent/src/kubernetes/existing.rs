//! When existing objects are looked at: all of them at the start, when policies or settings change, and on a schedule;
//! those of a namespace when its labels change; those that are judged by other objects when these change. Between, each
//! as it changes. Only the replica that holds the Lease does.

mod pass;

use super::consumers::Consumers;
use super::followers::Followers;
use super::kinds::Kinds;
use super::reader::Reader;
use crate::audit::Auditor;
use crate::health::Health;
use crate::wanted::Wanted;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use writ_policy::Inventory;
use writ_runtime::Evaluator;

/// How often it is looked whether kinds appeared or vanished.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long a pass that could not begin waits until it is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// How long changes of policies and namespaces are gathered.
const SETTLE: Duration = Duration::from_millis(300);
/// How often objects are judged again because others changed.
const SETTLE_OTHERS: Duration = Duration::from_secs(30);

/// The loop's parts.
pub(super) struct Existing {
    pub(super) reader: Reader,
    pub(super) followers: Followers,
    pub(super) auditor: Arc<Auditor>,
    pub(super) evaluator: Evaluator,
    pub(super) health: Health,
    pub(super) wanted: watch::Receiver<Option<Wanted>>,
    pub(super) leads: watch::Receiver<bool>,
    pub(super) every: Duration,
}

/// What is remembered between looks.
struct Memory {
    kinds: Kinds,
    next_pass: Instant,
    next_look: Instant,
    others: u64,
    next_others: Instant,
}

impl Existing {
    /// Runs until shutdown.
    pub(super) async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        loop {
            let turn = async {
                if self.leads.wait_for(|leads| *leads).await.is_err() {
                    std::future::pending::<()>().await;
                }
                self.audit_while_leading().await;
            };
            tokio::select! {
                () = turn => {}
                () = shutdown.cancelled() => return Ok(()),
            }
            self.followers.audit([].into()).await;
            self.auditor.clear();
            info!("another replica audits from now on");
        }
    }

    /// Returns when another replica holds the Lease.
    async fn audit_while_leading(&mut self) {
        let mut leads = self.leads.clone();
        let now = Instant::now();
        let kinds = Kinds::default();
        let mut memory = Memory { kinds, next_pass: now, next_look: now, others: 0, next_others: now };
        loop {
            tokio::select! {
                () = self.next(&mut memory) => {}
                _ = leads.wait_for(|leads| !*leads) => return,
            }
        }
    }

    /// Waits for a reason to look at objects, and does.
    async fn next(&mut self, memory: &mut Memory) {
        // By a receiver of its own: waiting takes what it finds for seen, also what came during the last pass.
        if self.wanted.clone().wait_for(Option::is_some).await.is_err() {
            return std::future::pending().await;
        }
        let now = Instant::now();
        if now >= memory.next_pass {
            return self.full_pass(memory).await;
        }
        if now >= memory.next_look {
            memory.next_look = now + LOOK_EVERY;
            return self.look_for_kinds(memory).await;
        }
        let others = self.consumers().inventory.version();
        if others != memory.others && now >= memory.next_others {
            (memory.others, memory.next_others) = (others, now + SETTLE_OTHERS);
            return self.judge_readers(memory).await;
        }
        let mut soonest = memory.next_pass.min(memory.next_look);
        if memory.next_others > now {
            soonest = soonest.min(memory.next_others);
        }
        let consumers = self.consumers().clone();
        tokio::select! {
            () = tokio::time::sleep_until(soonest.min(now + SETTLE_OTHERS)) => {}
            () = consumers.unsettled_now.notified() => {
                tokio::time::sleep(SETTLE).await;
                self.judge_namespaces(memory).await;
            }
            changed = self.wanted.changed() => if changed.is_ok() {
                tokio::time::sleep(SETTLE).await;
                memory.next_pass = Instant::now();
            },
        }
    }

    /// Everything, unless the hub is away: then what was told waits on disk already, and the same again would push it out.
    async fn full_pass(&mut self, memory: &mut Memory) {
        let is_first = self.health.metrics.audit.last_pass.get() == 0;
        let is_new = self.wanted.has_changed().unwrap_or_default();
        if !is_first && !is_new && !self.health.status.hub_connected() {
            memory.next_pass = Instant::now() + AGAIN;
            return;
        }
        self.wanted.mark_unchanged();
        memory.others = self.consumers().inventory.version();
        let passed = self.pass(&mut memory.kinds).await;
        let now = Instant::now();
        (memory.next_look, memory.next_others) = (now + LOOK_EVERY, now + SETTLE_OTHERS);
        memory.next_pass = match passed {
            // Agents of a fleet that started together do not stay together.
            Ok(()) => now + self.every.mul_f64(0.9 + 0.2 * fastrand::f64()),
            Err(problem) => {
                warn!(problem, "existing objects cannot be looked at; trying again");
                self.health.status.set_unaudited("*", Some(problem));
                now + AGAIN
            }
        };
    }

    fn consumers(&self) -> &Arc<Consumers> {
        &self.followers.consumers
    }
}
