//! What happened, on its way to the hub: decisions become failure records and counts per minute, gathered in memory,
//! closed into batches on disk, and sent until the hub has stored them. Nothing here makes a review wait.

use crate::metrics::Metrics;
use std::sync::Arc;
use tokio::sync::mpsc;
use writ_policy::{Decided, Revision};

/// Reviews that wait to be folded into a batch; more are dropped and counted.
const QUEUE: usize = 2_048;

/// One judged review.
#[derive(Debug)]
pub struct Recorded {
    decided: Decided,
    revision: Revision,
    at: i64,
}

/// The webhook's end of the queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Recorded>,
    metrics: Arc<Metrics>,
}

impl Recorder {
    /// The two ends.
    pub fn new(metrics: Arc<Metrics>) -> (Self, mpsc::Receiver<Recorded>) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        (Self { queue, metrics }, receiver)
    }

    /// Hands over what came of a review, at once or not at all.
    pub fn record(&self, decided: Decided, revision: Revision, at: i64) {
        if self.queue.try_send(Recorded { decided, revision, at }).is_err() {
            self.metrics.dropped.inc();
        }
    }
}
