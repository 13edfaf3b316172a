//! Revisions as the API tells them: what came of each commit, and which clusters proved that they enforce it.

use super::Store;
use serde::Serialize;

const LIST: &str = "
    SELECT revision, author, message, committed_at, seen_at, published_at, state, diagnostics, policies, signed_by,
        source, parts, classes
    FROM revisions ORDER BY id DESC LIMIT $1";
const FIND: &str = "
    SELECT revision, author, message, committed_at, seen_at, published_at, state, diagnostics, policies, signed_by,
        source, parts, classes
    FROM revisions WHERE revision = $1";
const ENFORCED_BY: &str = "
    SELECT clusters.name AS cluster, assignments.epoch, assignments.digest, assignments.issued_at,
        COALESCE(assignments.fetched_at, 0) AS fetched_at, COALESCE(assignments.verified_at, 0) AS verified_at,
        assignments.active_at, COALESCE(assignments.acknowledged_at, 0) AS acknowledged_at
    FROM assignments
    JOIN clusters ON clusters.id = assignments.cluster_id
    JOIN revisions ON revisions.id = assignments.revision_id
    WHERE revisions.revision = $1 AND assignments.active_at IS NOT NULL
    ORDER BY clusters.name, assignments.epoch";

/// A commit and what came of it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct HistoryRow {
    pub revision: String,
    pub author: String,
    pub message: String,
    pub committed_at: i64,
    pub seen_at: i64,
    pub published_at: Option<i64>,
    pub state: String,
    pub diagnostics: String,
    pub policies: i64,
    pub signed_by: String,
    pub source: String,
    pub parts: String,
    pub classes: String,
}

/// A cluster that proved to enforce a revision, now or earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct EnforcedBy {
    /// Its name.
    pub cluster: String,
    /// The epoch under which it did.
    pub epoch: i64,
    /// The assignment that it enforced.
    pub digest: String,
    /// When the hub signed that.
    pub issued_at: i64,
    /// When the agent had all of it, by its clock.
    pub fetched_at: i64,
    /// When it had found signatures and digests right.
    pub verified_at: i64,
    /// Since when it decided by it.
    pub active_at: i64,
    /// When the hub heard of that, by the hub's clock.
    pub acknowledged_at: i64,
}

impl Store {
    /// The newest revisions first.
    pub async fn history(&self, limit: i64) -> sqlx::Result<Vec<HistoryRow>> {
        on!(self, |pool| sqlx::query_as(LIST).bind(limit).fetch_all(pool).await)
    }

    /// One revision, if the hub has seen it.
    pub async fn history_of(&self, revision: &str) -> sqlx::Result<Option<HistoryRow>> {
        on!(self, |pool| sqlx::query_as(FIND).bind(revision).fetch_optional(pool).await)
    }

    /// Who proved to enforce a revision.
    pub async fn enforced_by(&self, revision: &str) -> sqlx::Result<Vec<EnforcedBy>> {
        on!(self, |pool| sqlx::query_as(ENFORCED_BY).bind(revision).fetch_all(pool).await)
    }
}
