//! Where reports wait to be written: a bounded queue before the one writer, and a bound on what each agent may bring.
//! Who is told to come later keeps the report on its disk, so nothing is lost by being full.

use super::quota::Quota;
use crate::config::Config;
use crate::failure::Error;
use crate::store::{Accepted, Bounds, Stored};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Rows that may wait: some seconds of what a database takes, and bounded memory.
const MAX_WAITING_ROWS: usize = 40_000;
/// Reports that may wait; more cannot, since so many requests are worked on at a time.
const MAX_WAITING: usize = 256;
/// When to come back to a full queue, in seconds.
const FULL_SECONDS: u64 = 2;

/// The handlers' end.
#[derive(Debug)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
    rows: Arc<Semaphore>,
    quota: Quota,
    /// How much one cluster may keep.
    pub bounds: Bounds,
    waiting: Arc<AtomicI64>,
}

/// A report that waits to be written.
#[derive(Debug)]
pub struct Waiting {
    pub(super) accepted: Accepted,
    pub(super) rows: usize,
    pub(super) answer: oneshot::Sender<Result<Stored, Error>>,
    pub(super) place: Place,
}

/// A place in the queue, left when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _rows: OwnedSemaphorePermit,
    waiting: Arc<AtomicI64>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Relaxed);
    }
}

impl Intake {
    /// An empty queue, and the writer's end of it.
    pub fn new(config: &Config) -> (Self, mpsc::Receiver<Waiting>) {
        let (queue, receiver) = mpsc::channel(MAX_WAITING);
        let rows = Arc::new(Semaphore::new(MAX_WAITING_ROWS));
        let quota = Quota::new(config.rows_per_minute);
        let bounds = Bounds { violations: i64::try_from(config.max_violations).unwrap_or(i64::MAX) };
        (Self { queue, rows, quota, bounds, waiting: Arc::default() }, receiver)
    }

    /// Waits until the report is stored for good.
    pub async fn store(&self, accepted: Accepted, now: i64) -> Result<Stored, Error> {
        let rows = rows_of(&accepted);
        let busy = |after: u64, what: String| Error::Later { after, reason: what };
        self.quota.take(accepted.agent.id.as_str(), rows, now).map_err(|after| {
            let most = self.quota.rows_per_minute();
            busy(after, format!("this agent brought more than {most} rows within a minute; come back in {after} s"))
        })?;
        let full = || busy(FULL_SECONDS, format!("too many reports wait to be written; come back in {FULL_SECONDS} s"));
        let place = self.place(rows).ok_or_else(full)?;
        let (answer, stored) = oneshot::channel();
        let waiting = Waiting { accepted, rows, answer, place };
        self.queue.try_send(waiting).map_err(|_| full())?;
        stored.await.unwrap_or(Err(Error::Busy))
    }

    /// Reports that wait.
    pub fn waiting(&self) -> i64 {
        self.waiting.load(Relaxed)
    }

    fn place(&self, rows: usize) -> Option<Place> {
        // A report of any size fits into an empty queue.
        let permits = u32::try_from(rows.clamp(1, MAX_WAITING_ROWS)).ok()?;
        let rows = self.rows.clone().try_acquire_many_owned(permits).ok()?;
        self.waiting.fetch_add(1, Relaxed);
        Some(Place { _rows: rows, waiting: self.waiting.clone() })
    }
}

fn rows_of(accepted: &Accepted) -> usize {
    let report = &accepted.report;
    report.failures.len()
        + report.policy_counts.len()
        + report.review_counts.len()
        + report.violations.len()
        + report.fixed.len()
}
