//! What the hub's API answers, as far as the cli reads it. Unknown fields are left alone.

use serde::Deserialize;
use std::collections::BTreeMap;
use writ_policy::wire::LoadError;
use writ_policy::{ClusterName, Diagnostic, Labels};

/// `{"error": ...}`.
#[derive(Debug, Deserialize)]
pub(crate) struct ApiError {
    pub(crate) error: String,
}

/// `GET /api/v1/status`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Status {
    #[serde(default)]
    pub(crate) source: String,
    /// The newest commit that the hub saw.
    pub(crate) head: Option<String>,
    /// The commit that it serves: the newest good one.
    pub(crate) served: Option<String>,
    /// Every source, the first one first; a hub of a version before this one does not say.
    #[serde(default)]
    pub(crate) sources: Vec<SourceStatus>,
    pub(crate) clusters: Vec<Cluster>,
    /// How far what is served is; a hub of a version before this one does not say.
    #[serde(default)]
    pub(crate) rollout: Option<RolloutState>,
    /// What is suspended now.
    #[serde(default)]
    pub(crate) break_glass: Vec<Suspension>,
}

/// One repository that the hub follows.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SourceStatus {
    /// Empty for the first.
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) head: Option<String>,
    /// The commit of it that is served.
    pub(crate) served: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) held: Option<String>,
}

/// One cluster of the status.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: ClusterName,
    #[serde(default)]
    pub(crate) labels: Labels,
    pub(crate) desired: Option<Desired>,
    pub(crate) active: Option<Active>,
    pub(crate) state: ClusterState,
    pub(crate) seen_at: Option<i64>,
    pub(crate) refused_reason: Option<String>,
    /// What keeps its policies from judging in full.
    #[serde(default)]
    pub(crate) load_errors: Vec<LoadError>,
}

/// What a cluster should enforce.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Desired {
    pub(crate) revision: String,
    pub(crate) epoch: u64,
}

/// What a cluster proved to enforce.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Active {
    pub(crate) revision: String,
    pub(crate) epoch: u64,
    pub(crate) active_at: i64,
}

/// How a cluster stands. Stale is never shown as compliant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClusterState {
    Enforcing,
    Pending,
    Refused,
    Offline,
    Never,
}

impl ClusterState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ClusterState::Enforcing => "enforcing",
            ClusterState::Pending => "pending",
            ClusterState::Refused => "refused",
            ClusterState::Offline => "offline",
            ClusterState::Never => "never seen",
        }
    }
}

/// `GET /api/v1/revisions/{sha}`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Revision {
    /// `served` or `refused`.
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[serde(default)]
    pub(crate) enforced_by: Vec<EnforcedBy>,
}

/// A cluster that proved to enforce a revision, now or earlier.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EnforcedBy {
    pub(crate) cluster: ClusterName,
}

/// `POST /api/v1/enrollment-tokens`.
#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) token: String,
    pub(crate) expires_at: i64,
}

/// One line of `GET /api/v1/break-glass`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Suspension {
    pub(crate) cluster: String,
    /// Empty for the whole cluster.
    pub(crate) namespace: String,
    pub(crate) until_at: i64,
    pub(crate) reason: String,
    pub(crate) opened_by: String,
}

/// `POST /api/v1/break-glass/end`.
#[derive(Debug, Deserialize)]
pub(crate) struct Ended {
    pub(crate) ended: u64,
}

/// `GET /api/v1/counts`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Counts {
    /// Rows of failures.
    pub(crate) failures: u64,
    pub(crate) reviews: u64,
    pub(crate) failing_reviews: u64,
    pub(crate) denied_reviews: u64,
    /// Rows of failures by policy code.
    pub(crate) failures_by_code: BTreeMap<String, u64>,
}

/// `GET /api/v1/violations`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Violations {
    pub(crate) items: Vec<Violation>,
    pub(crate) next: Option<String>,
    #[serde(default)]
    pub(crate) looks_further: bool,
}

/// One policy objecting to one existing object.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Violation {
    pub(crate) id: String,
    pub(crate) cluster: String,
    pub(crate) namespace: String,
    pub(crate) workload: String,
    pub(crate) code: String,
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) exemption: String,
    pub(crate) opened_at: i64,
    pub(crate) opened_revision: String,
    pub(crate) fixed_at: Option<i64>,
}

/// `GET /api/v1/movers`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Movers {
    pub(crate) worse: Vec<Mover>,
    pub(crate) better: Vec<Mover>,
    #[serde(default)]
    pub(crate) more: usize,
}

/// What got better or worse.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Mover {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) movement: String,
    pub(crate) before: Rate,
    pub(crate) after: Rate,
    pub(crate) since: Option<Since>,
}

/// How many failed of those that were judged.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Rate {
    pub(crate) judged: i64,
    pub(crate) failing: i64,
}

/// The revision around which it moved.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Since {
    pub(crate) revision: String,
    pub(crate) title: String,
}

impl Counts {
    /// Failures of the policy with this code.
    pub(crate) fn of(&self, code: &str) -> u64 {
        self.failures_by_code.get(code).copied().unwrap_or_default()
    }
}

/// How far what is served is.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RolloutState {
    pub(crate) revision: String,
    pub(crate) phase: String,
    pub(crate) wave: String,
    pub(crate) halted: Option<String>,
}

/// `GET /api/v1/rollouts`.
#[derive(Debug, Deserialize)]
pub(crate) struct Rollouts {
    pub(crate) rollouts: Vec<Rollout>,
    pub(crate) pins: Vec<Pin>,
}

/// One rollout.
#[derive(Debug, Deserialize)]
pub(crate) struct Rollout {
    pub(crate) revision: String,
    pub(crate) phase: String,
    pub(crate) wave: String,
    pub(crate) urgent: bool,
    pub(crate) began_at: i64,
    pub(crate) halted: Option<String>,
    pub(crate) waves: Vec<Wave>,
    pub(crate) events: Vec<RolloutEvent>,
}

/// Clusters of one wave.
#[derive(Debug, Deserialize)]
pub(crate) struct Wave {
    pub(crate) name: String,
    pub(crate) clusters: u64,
    pub(crate) told: u64,
    pub(crate) enforcing: u64,
    pub(crate) refused: u64,
    pub(crate) offline: u64,
}

/// What happened.
#[derive(Debug, Deserialize)]
pub(crate) struct RolloutEvent {
    pub(crate) at: i64,
    pub(crate) kind: String,
    pub(crate) wave: String,
    pub(crate) reason: String,
    pub(crate) ordered_by: String,
}

/// A cluster that stays where it is.
#[derive(Debug, Deserialize)]
pub(crate) struct Pin {
    pub(crate) cluster: String,
    pub(crate) revision: String,
    pub(crate) reason: String,
    pub(crate) ordered_by: String,
}

/// `GET /api/v1/enrollments`: an agent that waits to be accepted.
#[derive(Debug, Deserialize)]
pub(crate) struct Asking {
    pub(crate) cluster: String,
    pub(crate) version: String,
    pub(crate) asked_at: i64,
}

/// How many agents were accepted or revoked.
#[derive(Debug, Deserialize)]
pub(crate) struct Decided {
    pub(crate) agents: u64,
}
