//! Clusters: who enrolled. What their agents say of themselves is `replicas`.

use super::{Alone, Store, Tx};
use writ_policy::{AgentId, Digest};

const USE_TOKEN: &str = "
    UPDATE enrollment_tokens SET used_at = $1, used = used + 1
    WHERE token_hash = $2 AND used < uses AND expires_at > $1 AND (needs_acceptance = 0 OR accepted_at IS NOT NULL)
    RETURNING cluster, labels";
const FIND_TOKEN: &str = "
    SELECT cluster, needs_acceptance, asked_at, accepted_at FROM enrollment_tokens
    WHERE token_hash = $1 AND used < uses AND expires_at > $2";
const ASK: &str = "
    UPDATE enrollment_tokens SET asked_at = $1, asked_version = $2 WHERE token_hash = $3 AND asked_at IS NULL";
const ASKING: &str = "
    SELECT cluster, labels, asked_at, asked_version, expires_at FROM enrollment_tokens
    WHERE needs_acceptance = 1 AND asked_at IS NOT NULL AND accepted_at IS NULL AND used < uses AND expires_at > $1
    ORDER BY asked_at, token_hash LIMIT 1000";
const ACCEPT: &str = "
    UPDATE enrollment_tokens SET accepted_at = $1, accepted_by = $2
    WHERE cluster = $3 AND needs_acceptance = 1 AND asked_at IS NOT NULL AND accepted_at IS NULL AND expires_at > $1";
const SAVE_TOKEN: &str = "
    INSERT INTO enrollment_tokens (token_hash, cluster, labels, created_at, expires_at, uses, needs_acceptance)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// A cluster that enrolls anew begins anew: what its former agent said is no longer true.
const SAVE_CLUSTER: &str = "
    INSERT INTO clusters (id, name, labels, enrolled_at)
    VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM clusters), $1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET labels = excluded.labels, enrolled_at = excluded.enrolled_at, seen_at = NULL,
        active_digest = NULL, active_revision = NULL, active_at = NULL,
        refused_digest = NULL, refused_reason = NULL, refused_at = NULL, load_errors = '[]', spooled = 0, dropped = 0, untold = 0,
        replicas = 0, certificate_expires_at = NULL
    RETURNING id";
const REVOKE_AGENTS: &str = "UPDATE agents SET revoked_at = $1 WHERE cluster_id = $2 AND revoked_at IS NULL";
const SAVE_AGENT: &str = "INSERT INTO agents (id, cluster_id, credential_hash, enrolled_at) VALUES ($1, $2, $3, $4)";

/// A one-time token as it is stored.
#[derive(Debug)]
pub struct NewToken<'a> {
    /// SHA-256 of the secret.
    pub hash: &'a Digest,
    /// The cluster that it enrolls.
    pub cluster: &'a str,
    /// JSON object.
    pub labels: &'a str,
    /// From when on it is void.
    pub expires_at: i64,
    /// How often it may be used.
    pub uses: i64,
    /// Whether somebody must accept who asks with it.
    pub needs_acceptance: bool,
}

/// A token that could be used now.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FoundToken {
    /// The cluster that it enrolls.
    pub cluster: String,
    needs_acceptance: i64,
    asked_at: Option<i64>,
    accepted_at: Option<i64>,
}

/// An agent that waits to be accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the migration, which explains them")]
pub struct AskingRow {
    pub cluster: String,
    pub labels: String,
    pub asked_at: i64,
    pub asked_version: String,
    pub expires_at: i64,
}

impl FoundToken {
    /// Whether who asks with it must wait.
    pub fn waits(&self) -> bool {
        self.needs_acceptance != 0 && self.accepted_at.is_none()
    }

    /// Whether nobody asked with it before.
    pub fn is_first(&self) -> bool {
        self.asked_at.is_none()
    }
}

impl Store {
    /// Keeps a one-time token.
    pub async fn save_enrollment_token(&self, token: &NewToken<'_>, now: i64) -> sqlx::Result<()> {
        on!(write self, |pool| sqlx::query(SAVE_TOKEN)
            .bind(token.hash.to_string())
            .bind(token.cluster)
            .bind(token.labels)
            .bind(now)
            .bind(token.expires_at)
            .bind(token.uses)
            .bind(i64::from(token.needs_acceptance))
            .execute(pool)
            .await
            .map(drop))
    }

    /// The token, if it could be used now, so that guesses do not reach the writing connection.
    pub async fn enrollment_token(&self, hash: &Digest, now: i64) -> sqlx::Result<Option<FoundToken>> {
        on!(self, |pool| sqlx::query_as(FIND_TOKEN).bind(hash.to_string()).bind(now).fetch_optional(pool).await)
    }

    /// Keeps that an agent asked with a token that waits to be accepted.
    pub async fn note_asking(&self, hash: &Digest, version: &str, now: i64) -> sqlx::Result<()> {
        on!(write self, |pool| {
            sqlx::query(ASK).bind(now).bind(version).bind(hash.to_string()).execute(pool).await.map(drop)
        })
    }

    /// Agents that wait to be accepted, the first to ask first.
    pub async fn asking(&self, now: i64) -> sqlx::Result<Vec<AskingRow>> {
        on!(self, |pool| sqlx::query_as(ASKING).bind(now).fetch_all(pool).await)
    }

    /// Accepts the agents that ask to be this cluster's; how many there were.
    pub async fn accept(&self, cluster: &str, by: &str, now: i64) -> sqlx::Result<u64> {
        on!(write self, |pool| {
            let accepted = sqlx::query(ACCEPT).bind(now).bind(by).bind(cluster).execute(pool).await;
            accepted.map(|done| done.rows_affected())
        })
    }
}

impl Tx {
    /// Uses up a token: the cluster and labels that it was made for, or nothing when it is unknown, used or expired.
    pub async fn use_enrollment_token(&mut self, hash: &Digest, now: i64) -> sqlx::Result<Option<(String, String)>> {
        on!(tx self, |connection| sqlx::query_as(USE_TOKEN)
            .bind(now)
            .bind(hash.to_string())
            .fetch_optional(connection)
            .await)
    }

    /// The row of a cluster that enrolls, new or known by its name.
    pub async fn save_cluster(&mut self, name: &str, labels: &str, now: i64) -> sqlx::Result<i64> {
        self.alone(Alone::Clusters).await?;
        on!(tx self, |connection| sqlx::query_scalar(SAVE_CLUSTER)
            .bind(name)
            .bind(labels)
            .bind(now)
            .fetch_one(connection)
            .await)
    }

    /// Makes this the one agent of the cluster; the credential of a former one is void.
    pub async fn save_agent(&mut self, agent: &AgentId, cluster: i64, hash: &Digest, now: i64) -> sqlx::Result<()> {
        self.revoke_agents(cluster, now).await?;
        on!(tx self, |connection| sqlx::query(SAVE_AGENT)
            .bind(agent.as_str())
            .bind(cluster)
            .bind(hash.to_string())
            .bind(now)
            .execute(connection)
            .await
            .map(drop))
    }

    /// Takes from the agents of a cluster the right to speak for it; how many had it.
    pub async fn revoke_agents(&mut self, cluster: i64, now: i64) -> sqlx::Result<u64> {
        on!(tx self, |connection| {
            let revoked = sqlx::query(REVOKE_AGENTS).bind(now).bind(cluster).execute(connection).await;
            revoked.map(|done| done.rows_affected())
        })
    }
}
