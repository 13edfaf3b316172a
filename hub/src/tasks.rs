//! The long-lived tasks of the process. The first to end, well or badly, ends all: the orchestrator restarts it.

use anyhow::Context;
use std::future::Future;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Named tasks with one owner.
#[derive(Debug, Default)]
pub struct Tasks(JoinSet<anyhow::Result<()>>);

impl Tasks {
    /// Starts a task; its name is part of its error.
    pub fn start(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.0.spawn(async move { task.await.with_context(|| format!("{name} ended")) });
    }

    /// Waits for all. When one ends the others are told to.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.0.join_next().await {
            shutdown.cancel();
            outcome = outcome.and(ended.unwrap_or_else(|panic| Err(panic.into())));
        }
        outcome
    }
}
