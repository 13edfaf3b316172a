//! Keeps what this hub has in memory as the database has it, when other hubs write there too: the newest word to each
//! cluster, what the leader knows of the source, and calls for the leader.

use crate::app::{App, SourceState};
use crate::board::Word;
use crate::source;
use crate::store::Changes;
use anyhow::Context;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long it takes at most to notice a change when no hint of it arrives.
const POLL: Duration = Duration::from_secs(1);

/// Follows the database until told to stop.
pub async fn run(app: App, shutdown: CancellationToken) -> anyhow::Result<()> {
    if !app.store.is_shared() {
        shutdown.cancelled().await;
        return Ok(());
    }
    let mut replica = Replica::new(app);
    let mut wake = replica.app.store.wake();
    let mut works = true;
    loop {
        match replica.refresh().await {
            Ok(()) => works = true,
            Err(error) => {
                if std::mem::replace(&mut works, false) {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "the database cannot be asked for news; agents keep what they enforce");
                }
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = wake.next(POLL) => {}
        }
    }
}

/// What this hub has seen of the changes.
#[derive(Debug)]
pub struct Replica {
    app: App,
    seen: Changes,
}

impl Replica {
    /// Nothing is seen yet.
    pub fn new(app: App) -> Self {
        // Before the first round, which is 0 for what was told before there were rounds.
        Self { app, seen: Changes { assignments: -1, wanted: 0, looks: 0 } }
    }

    /// One look at what changed.
    pub async fn refresh(&mut self) -> anyhow::Result<()> {
        let app = &self.app;
        let changes = app.store.changes().await.context("reading what changed")?;
        if changes.assignments != self.seen.assignments {
            // A number that fell is another database, or an older one that was restored.
            let since = if changes.assignments > self.seen.assignments { self.seen.assignments } else { -1 };
            for (cluster, assignment, bundle) in app.store.told_since(since).await.context("reading assignments")? {
                if let Some(word) = Word::new(assignment, &bundle) {
                    app.board.put(cluster, word);
                }
            }
        }
        if changes.wanted != self.seen.wanted {
            app.assign_wanted.notify_one();
        }
        if changes.looks != self.seen.looks {
            app.look_wanted.notify_one();
        }
        self.seen = changes;
        if !app.lead.is_held() {
            self.take_source_state().await?;
        }
        Ok(())
    }

    async fn take_source_state(&self) -> anyhow::Result<()> {
        let text = self.app.store.setting(source::STATE).await.context("reading the state of the source")?;
        if let Some(state) = text.and_then(|text| serde_json::from_str::<SourceState>(&text).ok()) {
            self.app.source_state.store(state.into());
        }
        Ok(())
    }
}
