//! One violation with its history, as a link leads to it.

use crate::store::Store;
use serde::Serialize;

const FIND: &str = "
    SELECT violations.id, clusters.name AS cluster, policies.name AS policy, namespaces.name AS namespace,
        kinds.name AS kind, violations.workload, violations.code, violations.severity, violations.action,
        violations.because, violations.exemption, violations.outcome, violations.message, violations.object,
        violations.object_uid, violations.objects, revisions.name AS revision, violations.first_seen_at,
        violations.opened_at, openers.name AS opened_revision, violations.last_seen_at, violations.sightings,
        violations.reopenings, violations.fixed_at, violations.fixed_reason, fixers.name AS fixed_revision
    FROM violations
    JOIN clusters ON clusters.id = violations.cluster_id
    JOIN names AS policies ON policies.id = violations.policy_id
    JOIN names AS namespaces ON namespaces.id = violations.namespace_id
    JOIN names AS kinds ON kinds.id = violations.kind_id
    JOIN names AS revisions ON revisions.id = violations.revision_id
    JOIN names AS openers ON openers.id = violations.opened_revision_id
    LEFT JOIN names AS fixers ON fixers.id = violations.fixed_revision_id
    WHERE violations.id = $1";
const EVENTS: &str = "
    SELECT violation_events.at, violation_events.received_at, violation_events.event, violation_events.reason,
        names.name AS revision
    FROM violation_events JOIN names ON names.id = violation_events.revision_id
    WHERE violation_events.violation_id = $1
    ORDER BY violation_events.at DESC, violation_events.event DESC LIMIT $2";

/// One policy objecting to one existing object, with its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct ViolationRow {
    pub id: String,
    pub cluster: String,
    pub policy: String,
    pub namespace: String,
    pub kind: String,
    pub workload: String,
    pub code: String,
    pub severity: String,
    pub action: String,
    pub because: String,
    pub exemption: String,
    pub outcome: String,
    pub message: String,
    pub object: String,
    pub object_uid: String,
    pub objects: i64,
    pub revision: String,
    pub first_seen_at: i64,
    pub opened_at: i64,
    pub opened_revision: String,
    pub last_seen_at: i64,
    pub sightings: i64,
    pub reopenings: i64,
    pub fixed_at: Option<i64>,
    pub fixed_reason: String,
    pub fixed_revision: Option<String>,
}

/// What happened in the life of a violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct ViolationEvent {
    /// By the agent's clock.
    pub at: i64,
    /// By the hub's clock.
    pub received_at: i64,
    /// opened, reopened or fixed.
    pub event: String,
    /// Why it was fixed.
    pub reason: String,
    /// What was enforced.
    pub revision: String,
}

impl Store {
    /// The violation with this id, fixed or not.
    pub async fn violation(&self, id: &str) -> sqlx::Result<Option<ViolationRow>> {
        on!(self, |pool| sqlx::query_as(FIND).bind(id).fetch_optional(pool).await)
    }

    /// What happened to it, the newest first.
    pub async fn violation_events(&self, id: &str, limit: i64) -> sqlx::Result<Vec<ViolationEvent>> {
        on!(self, |pool| sqlx::query_as(EVENTS).bind(id).bind(limit).fetch_all(pool).await)
    }
}
