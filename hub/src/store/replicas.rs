//! Replicas of a cluster's agent, and what they say together: the cluster's row is the word of the replica that is
//! furthest behind among those heard lately.

use super::Tx;
use super::revisions::json;
use crate::heartbeat::Later;
use writ_policy::BreakGlass;
use writ_policy::wire::{Active, LoadError, Refused};

const SAVE: &str = "
    INSERT INTO replicas (cluster_id, replica, boot, agent_version, started_at, seen_at, spooled, dropped,
        active_digest, active_epoch, active_revision, active_at, refused_digest, refused_reason, refused_at,
        load_errors, certificate_expires_at, untold)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (cluster_id, replica) DO UPDATE SET boot = excluded.boot, agent_version = excluded.agent_version,
        started_at = excluded.started_at, seen_at = excluded.seen_at, spooled = excluded.spooled,
        dropped = excluded.dropped, active_digest = excluded.active_digest, active_epoch = excluded.active_epoch,
        active_revision = excluded.active_revision, active_at = excluded.active_at,
        refused_digest = excluded.refused_digest, refused_reason = excluded.refused_reason,
        refused_at = excluded.refused_at, load_errors = excluded.load_errors,
        certificate_expires_at = excluded.certificate_expires_at, untold = excluded.untold";
const SEEN: &str = "
    UPDATE replicas SET seen_at = $1, spooled = $2, dropped = $3, untold = $4
    WHERE cluster_id = $5 AND replica = $6 AND boot = $7 AND COALESCE(active_digest, '') = $8
        AND COALESCE(refused_at, 0) = $9 AND load_errors = $10";
const FORGET: &str = "DELETE FROM replicas WHERE cluster_id = $1 AND replica = $2";
const FORGET_OLD: &str = "DELETE FROM replicas WHERE cluster_id = $1 AND seen_at < $2";
const FORGET_ALL: &str = "DELETE FROM replicas WHERE cluster_id = $1";

/// Who enforces nothing is furthest behind, then who enforces the oldest epoch.
const SUM_UP: &str = "
    UPDATE clusters SET boot = worst.boot, agent_version = worst.agent_version, started_at = worst.started_at,
        active_digest = worst.active_digest, active_epoch = worst.active_epoch,
        active_revision = worst.active_revision, active_at = worst.active_at,
        refused_digest = worst.refused_digest, refused_reason = worst.refused_reason, refused_at = worst.refused_at,
        load_errors = worst.load_errors, seen_at = lately.seen_at, spooled = lately.spooled,
        dropped = lately.dropped, untold = lately.untold, replicas = lately.replicas, certificate_expires_at = lately.certificate_expires_at
    FROM (SELECT * FROM replicas WHERE cluster_id = $1 AND seen_at > $2
            ORDER BY COALESCE(active_epoch, -1), active_at DESC, replica LIMIT 1) AS worst,
        (SELECT MAX(seen_at) AS seen_at, CAST(SUM(spooled) AS BIGINT) AS spooled,
            CAST(SUM(dropped) AS BIGINT) AS dropped, CAST(SUM(untold) AS BIGINT) AS untold, COUNT(*) AS replicas,
            MIN(certificate_expires_at) AS certificate_expires_at
        FROM replicas WHERE cluster_id = $1 AND seen_at > $2) AS lately
    WHERE clusters.id = $1
    RETURNING clusters.active_digest";

/// What a replica says of itself, but for what changes with every request.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// Which of the cluster's replicas.
    pub replica: String,
    /// The agent's version.
    pub version: String,
    /// Made anew at each start.
    pub boot: String,
    /// When it started.
    pub started_at: i64,
    /// What it enforces.
    pub active: Option<Active>,
    /// What it refused last.
    pub refused: Option<Refused>,
    /// Policies that it could not load.
    pub load_errors: Vec<LoadError>,
    /// When the webhook's certificate ends.
    pub certificate_expires_at: Option<i64>,
    /// What namespaces suspended themselves.
    pub break_glass: Vec<BreakGlass>,
}

impl Tx {
    /// Keeps what a replica says of itself.
    pub async fn save_replica(&mut self, cluster: i64, heartbeat: &Heartbeat, later: Later) -> sqlx::Result<()> {
        let (active, refused) = (heartbeat.active.as_ref(), heartbeat.refused.as_ref());
        on!(tx self, |connection| sqlx::query(SAVE)
            .bind(cluster)
            .bind(&heartbeat.replica)
            .bind(&heartbeat.boot)
            .bind(&heartbeat.version)
            .bind(heartbeat.started_at)
            .bind(later.seen_at)
            .bind(later.spooled)
            .bind(later.dropped)
            .bind(active.map(|active| active.assignment.to_string()))
            .bind(active.map(|active| i64::try_from(active.epoch).unwrap_or(i64::MAX)))
            .bind(active.map(|active| active.revision.as_str()))
            .bind(active.map(|active| active.active_at))
            .bind(refused.map(|refused| refused.assignment.to_string()))
            .bind(refused.map(|refused| refused.reason.as_str()))
            .bind(refused.map(|refused| refused.at))
            .bind(json(&heartbeat.load_errors))
            .bind(heartbeat.certificate_expires_at)
            .bind(later.untold)
            .execute(connection)
            .await
            .map(drop))
    }

    /// Keeps that a replica was heard, and nothing else changed since it said this; false when another hub knows better.
    pub async fn save_seen(&mut self, cluster: i64, said: &Heartbeat, later: Later) -> sqlx::Result<bool> {
        on!(tx self, |connection| sqlx::query(SEEN)
            .bind(later.seen_at)
            .bind(later.spooled)
            .bind(later.dropped)
            .bind(later.untold)
            .bind(cluster)
            .bind(&said.replica)
            .bind(&said.boot)
            .bind(said.active.as_ref().map_or_else(String::new, |active| active.assignment.to_string()))
            .bind(said.refused.as_ref().map_or(0, |refused| refused.at))
            .bind(json(&said.load_errors))
            .execute(connection)
            .await
            .map(|done| done.rows_affected() > 0))
    }

    /// A replica that stops has nothing to say any more.
    pub async fn forget_replica(&mut self, cluster: i64, replica: &str) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET).bind(cluster).bind(replica).execute(connection).await.map(drop))
    }

    /// Replicas that were not heard since then are gone.
    pub async fn forget_replicas_before(&mut self, cluster: i64, at: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET_OLD).bind(cluster).bind(at).execute(connection).await.map(drop))
    }

    /// A cluster that enrolls anew has other replicas.
    pub async fn forget_replicas(&mut self, cluster: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| sqlx::query(FORGET_ALL).bind(cluster).execute(connection).await.map(drop))
    }

    /// Makes the cluster's row what its replicas heard after `since` say together; the digest of the assignment that
    /// all of them have reached. Without any, the row stays as it was.
    pub async fn sum_up_replicas(&mut self, cluster: i64, since: i64) -> sqlx::Result<Option<String>> {
        let row: Option<Option<String>> = on!(tx self, |connection| sqlx::query_scalar(SUM_UP)
            .bind(cluster)
            .bind(since)
            .fetch_optional(connection)
            .await)?;
        Ok(row.flatten())
    }
}
