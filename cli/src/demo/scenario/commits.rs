//! Commits of the scenario, and the proof that every cluster enforces one.

use super::Scenario;
use crate::demo::demo_identity;
use crate::demo::folder;
use anyhow::{Context, bail};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use writ_hub::repository::author;
use writ_policy::Revision;

/// The longest that a commit may take to be enforced everywhere.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at the hub's ledger.
const PAUSE: Duration = Duration::from_millis(10);

/// A commit and the moment (Unix milliseconds) just before it was begun.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) revision: Revision,
    pub(super) begun_at: i64,
}

impl Scenario {
    /// Writes one file of the policies repository and commits.
    pub(super) async fn commit(&self, path: &str, text: &str, message: &str) -> anyhow::Result<Made> {
        let dir = self.folder.policies();
        folder::write(&dir.join(path), text)?;
        let message = message.to_owned();
        blocking(move || author::commit_all(&dir, &message, &demo_identity(), None)).await
    }

    /// Reverts a commit, as `writ rollback` does.
    pub(super) async fn revert(&self, commit: &Revision) -> anyhow::Result<Made> {
        let dir = self.folder.policies();
        let commit = commit.to_string();
        blocking(move || {
            let plan = author::plan_revert(&dir, &commit)?;
            author::revert(&dir, &plan, &demo_identity())
        })
        .await
    }

    /// Waits until every cluster proved to the hub that it enforces the commit. Returns the milliseconds from just
    /// before the commit was begun (wall clock) to the last `active_at` (the agents' word in the hub's ledger).
    pub(super) async fn enforced(&self, made: &Made) -> anyhow::Result<i64> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let status = self.fleet.hub.status().await?;
            let active: Vec<i64> = status
                .clusters
                .iter()
                .filter_map(|cluster| cluster.active.as_ref())
                .filter(|active| active.revision == made.revision.as_str())
                .map(|active| active.active_at)
                .collect();
            let last = active.iter().max().copied();
            if let Some(last) = last.filter(|_| active.len() == self.fleet.agents.len()) {
                return Ok(last - made.begun_at);
            }
            if Instant::now() >= deadline {
                let all = self.fleet.agents.len();
                bail!("{} of {all} clusters enforce {} after {LIMIT:?}", active.len(), made.revision.short());
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until the hub has judged the commit: `served` or `refused`, and what it found.
    pub(super) async fn judged(&self, revision: &Revision) -> anyhow::Result<crate::client::answers::Revision> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(judged) = self.fleet.hub.revision(revision).await? {
                return Ok(judged);
            }
            if Instant::now() >= deadline {
                bail!("the hub has not judged {} after {LIMIT:?}", revision.short());
            }
            sleep(PAUSE).await;
        }
    }
}

async fn blocking(commit: impl FnOnce() -> author::AuthorResult<Revision> + Send + 'static) -> anyhow::Result<Made> {
    let begun_at = jiff::Timestamp::now().as_millisecond();
    let revision = tokio::task::spawn_blocking(commit).await?.context("could not commit")?;
    Ok(Made { revision, begun_at })
}
