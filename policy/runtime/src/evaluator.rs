//! A fixed pool of evaluation threads, each with policies of its own. One review stays on one worker.

mod quarantine;
mod queue;
mod seat;
mod watch;
mod worker;

use quarantine::Quarantine;
use queue::{AuditJob, Command, Job, Queue};
use seat::Seat;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::{Semaphore, oneshot};
use worker::Worker;
use writ_policy::{Budget, CheckReport, Decided, PolicyInfo, ReviewError, Revision, Settings, SourceFile, Target};

pub use quarantine::{QuarantineRules, Quarantined};

/// Where workers find the cluster's other objects.
pub type Inventory = Arc<dyn writ_policy::Inventory + Send + Sync>;

/// How many workers, and what an evaluation may cost.
#[derive(Debug, Clone, Copy)]
pub struct EvaluatorConfig {
    /// Evaluation threads.
    pub workers: usize,
    /// Reviews that may wait for a worker; more are refused at once.
    pub queue: usize,
    /// Time limits.
    pub budget: Budget,
}

/// The pool. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct Evaluator {
    pool: Arc<Pool>,
}

struct Pool {
    shared: Arc<Shared>,
    policies: Mutex<Arc<[Arc<PolicyInfo>]>>,
    targets: Mutex<Arc<[Target]>>,
    /// How many objects may wait to be audited: as many as keep the workers busy.
    audits: Semaphore,
    /// One bundle is applied after the other.
    applying: tokio::sync::Mutex<()>,
}

/// What the workers, and who looks after them, have in common.
struct Shared {
    queue: Queue,
    seats: Vec<Seat>,
    /// Offenders, as all workers know them.
    quarantines: Quarantines,
    inventory: Inventory,
    budget: Budget,
    /// What is active, for a worker that takes the place of another.
    applied: Mutex<Option<Applied>>,
}

#[derive(Clone)]
struct Applied {
    revision: Revision,
    files: Arc<[SourceFile]>,
    settings: Arc<Settings>,
}

/// A review, what came of it, and the bytes to answer.
#[derive(Debug)]
pub struct Answered {
    /// The decision and the facts that reports carry.
    pub decided: Decided,
    /// The AdmissionReview response.
    pub response: Vec<u8>,
    /// The revision that decided; `None` before the first bundle.
    pub revision: Option<Revision>,
}

/// What came of an existing object.
#[derive(Debug)]
pub struct Audited {
    /// The decision and the facts that reports carry.
    pub decided: Decided,
    /// The revision that decided; `None` before the first bundle.
    pub revision: Option<Revision>,
}

/// Offenders at admission, and offenders while existing objects are audited: those are not put aside at admission.
#[derive(Clone)]
struct Quarantines {
    admission: Arc<Mutex<Quarantine>>,
    audit: Arc<Mutex<Quarantine>>,
}

/// Why a review was not decided.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// HTTP 400.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// Too many reviews wait: HTTP 429 or as the failure policy says.
    #[error("{0} reviews already wait for evaluation")]
    Busy(usize),
    /// This review made the worker panic. The worker lives on; answer as the failure policy says.
    #[error("the evaluation of this review crashed")]
    Panicked,
    /// A policy held the worker and could not be stopped. Another worker has taken its place; answer as the failure
    /// policy says.
    #[error("the evaluation of this review could not be stopped in time")]
    Stuck,
    /// The worker is gone; the process should end.
    #[error("the evaluation worker is gone")]
    Gone,
}

impl Evaluator {
    /// Starts the workers, with no policies.
    pub fn start(config: EvaluatorConfig, inventory: Inventory) -> Self {
        let workers = config.workers.max(1);
        let queue = Queue::new(workers, config.queue.max(1));
        let quarantine = || Arc::new(Mutex::new(Quarantine::new(QuarantineRules::default())));
        let quarantines = Quarantines { admission: quarantine(), audit: quarantine() };
        let seats = (0..workers).map(|_| Seat::default()).collect();
        let (budget, applied) = (config.budget, Mutex::new(None));
        let shared = Arc::new(Shared { queue, seats, quarantines, inventory, budget, applied });
        (0..workers).for_each(|number| Worker::spawn(number, 0, shared.clone()));
        watch::start(Arc::downgrade(&shared));
        let (policies, targets) = (Mutex::new(Arc::from([])), Mutex::new(Arc::from([])));
        let audits = Semaphore::new(queue::most_auditing(workers) + 2);
        let applying = tokio::sync::Mutex::new(());
        Self { pool: Arc::new(Pool { shared, policies, targets, audits, applying }) }
    }

    /// Compiles the files on every worker and, when all have done so without an error, makes them active on all.
    /// With errors nothing changes and the report says what is wrong. Workers compile one after the other, so that the
    /// others keep deciding meanwhile.
    pub async fn apply(
        &self,
        revision: Revision,
        files: Arc<[SourceFile]>,
        settings: Settings,
    ) -> Result<CheckReport, EvaluateError> {
        let _turn = self.pool.applying.lock().await;
        let settings = Arc::new(settings);
        let mut last = None;
        for worker in 0..self.pool.shared.seats.len() {
            let (reply, built) = oneshot::channel();
            let (files, settings) = (files.clone(), settings.clone());
            self.pool.shared.queue.command(worker, Command::Build { files, settings, reply });
            let (report, targets) = built.await.map_err(|_| EvaluateError::Gone)?;
            if !report.is_ok() {
                (0..=worker).for_each(|worker| self.pool.shared.queue.command(worker, Command::Discard));
                return Ok(report);
            }
            last = Some((report, targets));
        }
        let (report, targets) = last.ok_or(EvaluateError::Gone)?;
        let applied = Applied { revision: revision.clone(), files, settings: settings.clone() };
        *self.pool.shared.applied.lock().expect("nothing panics while holding it") = Some(applied);
        self.swap(&revision).await?;
        let enabled = report.policies.iter().filter(|policy| settings.enables(policy));
        let policies = enabled.cloned().map(Arc::new).collect();
        *self.pool.policies.lock().expect("nothing panics while holding it") = policies;
        *self.pool.targets.lock().expect("nothing panics while holding it") = targets.into();
        for quarantine in [&self.pool.shared.quarantines.admission, &self.pool.shared.quarantines.audit] {
            quarantine.lock().expect("nothing panics while holding it").forget();
        }
        Ok(report)
    }

    /// Makes what the workers have built active on all of them. All are told before any is waited for.
    async fn swap(&self, revision: &Revision) -> Result<(), EvaluateError> {
        let tell = |worker| {
            let (reply, swapped) = oneshot::channel();
            self.pool.shared.queue.command(worker, Command::Swap { revision: revision.clone(), reply });
            swapped
        };
        let told: Vec<_> = (0..self.pool.shared.seats.len()).map(tell).collect();
        for swapped in told {
            swapped.await.map_err(|_| EvaluateError::Gone)?;
        }
        Ok(())
    }

    /// The active policies.
    pub fn policies(&self) -> Arc<[Arc<PolicyInfo>]> {
        self.pool.policies.lock().expect("nothing panics while holding it").clone()
    }

    /// The kinds that the active policies judge.
    pub fn targets(&self) -> Arc<[Target]> {
        self.pool.targets.lock().expect("nothing panics while holding it").clone()
    }

    /// The policies that are not evaluated at this time (Unix milliseconds) because they exceeded their budget again
    /// and again. Each review is answered by their `on_error` meanwhile. A new bundle sets them free.
    pub fn quarantined(&self, now: i64) -> Vec<Quarantined> {
        self.pool.shared.quarantines.admission.lock().expect("nothing panics while holding it").list(now)
    }

    /// Decides one review, bytes in to bytes out. Policies are stopped early enough that the answer is there before the
    /// deadline. A caller that stops waiting gives up its place in the queue.
    pub async fn decide(&self, review: bytes::Bytes, now: i64, deadline: Instant) -> Result<Answered, EvaluateError> {
        let (reply, answered) = oneshot::channel();
        self.pool.shared.queue.push(Job { review, now, deadline, reply }).map_err(EvaluateError::Busy)?;
        answered.await.unwrap_or(Err(EvaluateError::Gone))
    }

    /// Judges one existing object, written as the review of its creation. Reviews always go first, and where there are
    /// several workers one of them never audits. Waits as long as it takes.
    pub async fn audit(&self, review: bytes::Bytes, now: i64) -> Result<Audited, EvaluateError> {
        let _turn = self.pool.audits.acquire().await.map_err(|_| EvaluateError::Gone)?;
        let (reply, audited) = oneshot::channel();
        self.pool.shared.queue.push_audit(AuditJob { review, now, reply });
        audited.await.unwrap_or(Err(EvaluateError::Gone))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}
