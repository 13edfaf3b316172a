//! Existing objects, judged as their creation would be: what admission never saw, or saw before the policy existed.
//! Owns what is known of violations and what the hub is told; where objects come from is the caller's affair.

mod found;
mod open;
mod review;
mod stored;
mod table;

pub use open::{Open, Verdict};
pub use stored::Stored;
pub use table::{ObjectKey, Seen};

use crate::metrics::Metrics;
use crate::objects::{Object, Resource};
use crate::status::Status;
use crate::{clock, log_chain};
use found::{found, reason_of};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use table::{Moment, Table};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use writ_policy::wire::{AuditPass, Fixed, FixedReason, Violation};
use writ_policy::{Decided, PolicyName, Revision};
use writ_runtime::{Audited, Evaluator};

/// News of one message to the report loop.
const HANDFUL: usize = 200;
/// So much may wait before judging waits for telling.
const MOST_WAITING: usize = 2_000;
/// How long changes are gathered before they are told: pods of one workload become one change.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// What the hub is to be told of existing objects, in this order.
#[derive(Debug, Default)]
pub struct News {
    /// Found, or found changed.
    pub violations: Vec<Violation>,
    /// No more.
    pub fixed: Vec<Fixed>,
    /// A full pass ended.
    pub pass: Option<AuditPass>,
}

/// Judges objects, remembers what violates, tells what changed.
pub struct Auditor {
    evaluator: Evaluator,
    status: Arc<Status>,
    table: Mutex<Table>,
    news: mpsc::Sender<News>,
    /// One tells at a time, so that the hub hears changes in their order.
    telling: tokio::sync::Mutex<()>,
    metrics: Arc<Metrics>,
    unjudged: AtomicU64,
    /// Whether a full pass ended since this replica audits.
    complete: AtomicBool,
}

impl Auditor {
    /// Knows of nothing yet.
    pub fn new(evaluator: Evaluator, news: mpsc::Sender<News>, status: Arc<Status>, metrics: Arc<Metrics>) -> Self {
        let (table, telling, unjudged) = (Mutex::default(), tokio::sync::Mutex::default(), AtomicU64::new(0));
        let complete = AtomicBool::new(false);
        Self { evaluator, status, table, news, telling, metrics, unjudged, complete }
    }

    /// Judges one object. What could not be judged stays as it was known.
    pub async fn judge(&self, resource: &Resource, object: &Object, seen: Seen) {
        let key = ObjectKey { kind: resource.group_kind().into(), name: object.name.clone() };
        if object.kept_for_rollback {
            return self.gone(&key);
        }
        let now = clock::now();
        match self.evaluator.audit(review::review(resource, object), now).await {
            Ok(Audited { decided, revision: Some(revision) }) => self.learn(key, seen, &decided, &revision, now),
            Ok(Audited { revision: None, .. }) => {}
            Err(problem) => {
                self.unjudged.fetch_add(1, Relaxed);
                self.metrics.audit.unjudged.inc();
                debug!(error = log_chain(&problem.into()), "an object of {} could not be audited", key.kind);
                self.table().unjudged(&key, seen.generation);
            }
        }
        self.metrics.audit.judged.inc();
        if self.table().waiting() >= MOST_WAITING {
            self.tell().await;
        }
    }

    /// What came of an object, from audit or from its admission.
    pub fn learn(&self, key: ObjectKey, seen: Seen, decided: &Decided, revision: &Revision, at: i64) {
        let found = found(decided, at, revision);
        let why_not = |key: &_| reason_of(&decided.decision, key);
        let moment = Moment { at, revision: revision.clone() };
        self.table().judged(key, seen, found, &moment, &why_not);
    }

    /// The object is no more.
    pub fn gone(&self, object: &ObjectKey) {
        self.now(|table, moment| table.gone(object, moment));
    }

    /// The object is where nobody judges.
    pub fn excluded(&self, object: &ObjectKey) {
        self.now(|table, moment| table.excluded(object, moment));
    }

    /// What the list that just ended did not show is no more.
    pub fn sweep(&self, kind: &str, namespace: Option<&str>, generation: u32) {
        self.now(|table, moment| table.sweep(kind, namespace, generation, moment));
    }

    /// Nobody judges the kind any more, or there is no such kind.
    pub fn forget(&self, kind: &str, reason: FixedReason) {
        self.now(|table, moment| table.forget(kind, moment, reason));
    }

    /// Of all violations only those of the policies in force stay.
    pub fn keep_policies(&self) {
        let policies: HashSet<PolicyName> =
            self.evaluator.policies().iter().map(|policy| policy.name.clone()).collect();
        self.now(|table, moment| table.keep_policies(&policies, moment));
    }

    /// Somebody else audits from now on.
    pub fn clear(&self) {
        self.complete.store(false, Relaxed);
        self.table().clear();
    }

    fn now(&self, change: impl FnOnce(&mut Table, &Moment)) {
        let mut table = self.table();
        if table.open() > 0
            && let Some(revision) = self.revision()
        {
            change(&mut table, &Moment { at: clock::now(), revision });
        }
    }

    /// How many objects could not be judged since this was asked before.
    pub fn take_unjudged(&self) -> u64 {
        self.unjudged.swap(0, Relaxed)
    }

    /// The revision that decides.
    pub fn revision(&self) -> Option<Revision> {
        self.status.enforced().map(|enforced| enforced.active.revision.clone())
    }

    /// What the hub was told and is open.
    pub fn open(&self) -> Vec<Open> {
        self.table().known_to_the_hub()
    }

    /// Grows with what the hub is told. `None` before everything was looked at, and while another replica audits.
    pub fn complete_version(&self) -> Option<u64> {
        self.complete.load(Relaxed).then(|| self.table().version())
    }

    /// Tells everything that waits.
    pub async fn tell(&self) {
        let _turn = self.telling.lock().await;
        loop {
            let (violations, fixed) = self.table().take(HANDFUL);
            let news = News { violations, fixed, pass: None };
            let is_done = self.table().waiting() == 0;
            if !(news.violations.is_empty() && news.fixed.is_empty()) && self.news.send(news).await.is_err() {
                return;
            }
            if is_done {
                break;
            }
        }
        self.metrics.audit.violations.set(self.table().open() as i64);
    }

    /// Tells that a full pass ended, after everything that it found.
    pub async fn tell_pass(&self, pass: AuditPass) {
        self.tell().await;
        let _turn = self.telling.lock().await;
        self.complete.store(true, Relaxed);
        // Nobody listens only when the process ends.
        let _ = self.news.send(News { pass: Some(pass), ..News::default() }).await;
    }

    /// Tells changes as they come, until shutdown.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(TELL_EVERY) => self.tell().await,
                () = shutdown.cancelled() => return Ok(()),
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
