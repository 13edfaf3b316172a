//! What happened, on its way to the hub: decisions become failure records and counts per minute, gathered in memory
//! and in a journal on disk, closed into reports, and sent until the hub has stored them. Nothing here makes a review
//! wait: the answer is on its way when the queue is looked at.

pub mod batch;
mod journal;
pub mod send;
pub mod spool;

use crate::audit::{News, Stored};
use crate::metrics::Metrics;
use crate::{clock, disk, log_chain};
use batch::Batch;
use journal::Journal;
use spool::Spool;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;
use writ_policy::wire::Report;
use writ_policy::{Decided, Revision};

/// Reviews that wait to be folded into a batch; more are dropped and counted.
const QUEUE: usize = 2_048;
/// Messages of audit that wait; then audit waits.
const NEWS: usize = 4;
/// Reviews that are folded at one time.
const HANDFUL: usize = 512;
/// How long the loop rests between two looks at the queue: one wake-up for many reviews.
const REST: Duration = Duration::from_millis(20);

/// One judged review.
#[derive(Debug)]
pub struct Recorded {
    /// The facts and the results.
    pub decided: Decided,
    /// What was enforced.
    pub revision: Revision,
    /// When, Unix milliseconds.
    pub at: i64,
}

/// The webhook's end of the queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Recorded>,
    overflow: Arc<AtomicU64>,
}

impl Recorder {
    /// Hands over what came of a review, at once or not at all.
    pub fn record(&self, decided: Decided, revision: Revision, at: i64) {
        if self.queue.try_send(Recorded { decided, revision, at }).is_err() {
            self.overflow.fetch_add(1, Relaxed);
        }
    }
}

/// Gathers and closes; the one owner of the open batch.
pub struct Gather {
    queue: mpsc::Receiver<Recorded>,
    news: mpsc::Receiver<News>,
    /// Where no API server shows what exists, admission does.
    stored: Option<Stored>,
    overflow: Arc<AtomicU64>,
    spool: Arc<Spool>,
    metrics: Arc<Metrics>,
    every: Duration,
    boot: Uuid,
    sequence: u64,
    open: Batch,
    journal: Option<Journal>,
    journal_works: bool,
}

impl Gather {
    /// The ends of the queues, of reviews and of audit. A batch is closed `every` so often while there is something in it.
    pub fn new(
        spool: Arc<Spool>,
        metrics: Arc<Metrics>,
        boot: Uuid,
        every: Duration,
    ) -> (Recorder, mpsc::Sender<News>, Self) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let (tell, news) = mpsc::channel(NEWS);
        let overflow = Arc::new(AtomicU64::new(0));
        let recorder = Recorder { queue: sender, overflow: overflow.clone() };
        let (sequence, open, journal) = (1, Batch::default(), None);
        let journal_works = true;
        let stored = None;
        (
            recorder,
            tell,
            Self { queue, news, stored, overflow, spool, metrics, every, boot, sequence, open, journal, journal_works },
        )
    }

    /// Violations come from reviews of what is stored.
    pub fn with_stored(self, stored: Stored) -> Self {
        Self { stored: Some(stored), ..self }
    }

    /// Runs until the last recorder is gone, so that reviews answered during shutdown are kept too.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut handful = Vec::with_capacity(HANDFUL);
        let mut close_at = None;
        loop {
            let close = close_at.unwrap_or_else(|| Instant::now() + self.every);
            // News of audit are gathered already, and whoever tells them waits.
            let mut rests = true;
            tokio::select! {
                received = self.queue.recv_many(&mut handful, HANDFUL) => {
                    if received == 0 {
                        break;
                    }
                    close_at.get_or_insert(close);
                    self.fold(handful.drain(..)).await;
                }
                Some(news) = self.news.recv() => {
                    close_at.get_or_insert(close);
                    self.fold_news(news).await;
                    rests = false;
                }
                () = tokio::time::sleep_until(close), if close_at.is_some() => {}
            }
            if close_at.is_some_and(|close| Instant::now() >= close) {
                self.close().await;
                close_at = None;
            } else if rests && self.queue.len() < HANDFUL {
                tokio::time::sleep(REST.min(self.every)).await;
            }
        }
        self.close().await;
        Ok(())
    }

    /// Adds reviews to the open batch, in memory and in the journal; closes it when it is full.
    async fn fold(&mut self, handful: impl Iterator<Item = Recorded>) {
        self.spool.lost(self.overflow.swap(0, Relaxed));
        let mut portion = Batch::default();
        for recorded in handful {
            recorded.decided.decision.results.iter().for_each(|result| self.metrics.evaluated(result));
            if let Some(stored) = &self.stored {
                stored.see(&recorded);
            }
            portion.add(&recorded);
            if self.open.is_full_with(&portion) {
                self.append(std::mem::take(&mut portion));
                self.close().await;
            }
        }
        self.append(portion);
    }

    /// Adds what audit tells. A full pass is told after all that it found.
    async fn fold_news(&mut self, news: News) {
        let portion = Batch::of_news(news);
        if self.open.is_full_with(&portion) {
            self.close().await;
        }
        self.append(portion);
    }

    fn append(&mut self, portion: Batch) {
        if portion.is_empty() {
            return;
        }
        match self.write_ahead(&portion) {
            Ok(()) => self.journal_works = true,
            Err(problem) if self.journal_works => {
                self.journal_works = false;
                warn!(error = log_chain(&problem), "the journal of reports fails; a crash would lose the last second");
            }
            Err(_) => {}
        }
        self.open.merge(portion);
    }

    fn write_ahead(&mut self, portion: &Batch) -> anyhow::Result<()> {
        if self.journal.is_none() {
            self.journal = Some(Journal::create(self.spool.folder(), self.boot, self.sequence)?);
        }
        self.journal.as_mut().map_or(Ok(()), |journal| journal.append(portion))
    }

    /// The open batch becomes a report on disk, and a new one begins.
    async fn close(&mut self) {
        self.open.dropped += self.spool.take_dropped();
        if self.open.is_empty() {
            return;
        }
        let (batch, journal) = (std::mem::take(&mut self.open), self.journal.take());
        let report: Report = batch.close(self.boot, self.sequence, clock::now());
        self.sequence += 1;
        let spool = self.spool.clone();
        let kept = disk::blocking(move || {
            let written = spool.write(&report);
            journal.map_or(Ok(()), Journal::remove)?;
            spool.announce(written.inspect_err(|_| spool.lost(spool::records(&report)))?)?;
            spool.close_left()
        });
        if let Err(problem) = kept.await {
            warn!(error = log_chain(&problem), "a report could not be kept on disk");
        }
    }
}
