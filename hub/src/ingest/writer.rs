//! The writers of reports: one into SQLite, which takes no more, a few into PostgreSQL, so that one gathers while another
//! waits for the disk. Each takes all that wait, up to a bound, into one transaction: a commit costs as much for one report
//! as for fifty. While they write, the next ones gather.

use super::intake::Waiting;
use crate::app::App;
use crate::failure::Error;
use crate::store::{self, Accepted, Names, Stored};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Rows of one transaction; a report that is larger is alone in it.
const MAX_ROWS: usize = 5_000;

/// Writes until told to stop; what waits then is still written.
pub async fn run(app: App, queue: Receiver<Waiting>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let queue = Arc::new(Mutex::new(Queue { queue, next: None }));
    let mut writers = JoinSet::new();
    for _ in 0..app.store.writers() {
        let writer = Writer { app: app.clone(), names: Names::default(), works: true };
        writers.spawn(writer.run(queue.clone(), shutdown.clone()));
    }
    while let Some(ended) = writers.join_next().await {
        ended?;
    }
    Ok(())
}

/// What waits, for one writer after the other.
struct Queue {
    queue: Receiver<Waiting>,
    /// Was too large for the group before.
    next: Option<Waiting>,
}

impl Queue {
    /// All that wait, up to the bound; nothing once it is closed and empty.
    async fn group(&mut self, shutdown: &CancellationToken) -> Option<Vec<Waiting>> {
        let first = match self.next.take() {
            Some(first) => first,
            None => tokio::select! {
                biased;
                first = self.queue.recv() => first?,
                () = shutdown.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    self.queue.recv().await?
                }
            },
        };
        let mut rows = first.rows;
        let mut group = vec![first];
        while let Ok(waiting) = self.queue.try_recv() {
            rows += waiting.rows;
            if rows > MAX_ROWS {
                self.next = Some(waiting);
                break;
            }
            group.push(waiting);
        }
        Some(group)
    }
}

struct Writer {
    app: App,
    names: Names,
    /// Whether the last transaction happened.
    works: bool,
}

impl Writer {
    async fn run(mut self, queue: Arc<Mutex<Queue>>, shutdown: CancellationToken) {
        loop {
            let group = queue.lock().await.group(&shutdown).await;
            match group {
                Some(group) => self.write(group).await,
                None => return,
            }
        }
    }

    /// Each report is stored or refused on its own: what fails together is tried one by one.
    async fn write(&mut self, group: Vec<Waiting>) {
        let started = Instant::now();
        let (reports, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.accepted, (waiting.answer, waiting.place))).unzip();
        let outcome = self.commit(&reports).await;
        if outcome.is_err() && reports.len() > 1 {
            for (report, (answer, _place)) in reports.iter().zip(answers) {
                let outcome = self.commit(std::slice::from_ref(report)).await;
                let outcome = outcome.map(|stored| stored[0]).map_err(|error| self.explain(error));
                // The agent may have gone meanwhile; it asks again.
                let _ = answer.send(outcome);
            }
            return;
        }
        match outcome {
            Ok(stored) => {
                self.count(&reports, &stored, started);
                for ((answer, _place), stored) in answers.into_iter().zip(stored) {
                    let _ = answer.send(Ok(stored));
                }
            }
            Err(error) => {
                let error = self.explain(error);
                if let Some((answer, _place)) = answers.into_iter().next() {
                    let _ = answer.send(Err(error));
                }
            }
        }
    }

    async fn commit(&mut self, reports: &[Accepted]) -> store::Result<Vec<Stored>> {
        let written = async {
            let mut tx = self.app.store.begin().await?;
            let stored = tx.save_reports(reports, &mut self.names, self.app.intake.bounds, self.app.now()).await?;
            tx.commit().await?;
            Ok(stored)
        };
        let outcome = written.await;
        match outcome {
            Ok(_) => self.names.committed(),
            Err(_) => self.names.forget(),
        }
        if outcome.is_ok() && !std::mem::replace(&mut self.works, true) {
            tracing::info!("reports are stored again");
        }
        outcome
    }

    fn count(&self, reports: &[Accepted], stored: &[Stored], started: Instant) {
        self.app.metrics.wrote(reports.len(), started.elapsed());
        for (accepted, stored) in reports.iter().zip(stored) {
            match stored.repeated {
                true => self.app.metrics.repeated(),
                false => self.app.metrics.stored(&accepted.report),
            }
        }
    }

    /// Said once while it lasts: every agent comes back with its report.
    fn explain(&mut self, error: store::Failed) -> Error {
        if std::mem::replace(&mut self.works, false) {
            let error = format!("{error:#}");
            tracing::error!(error, "reports cannot be stored; agents keep them and come back");
        }
        store::cannot_write(error)
    }
}
