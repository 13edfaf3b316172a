//! Clusters: who enrolled. What their agents say of themselves is `replicas`.

use super::{Alone, Store, Tx};
use writ_policy::{AgentId, Digest};

const USE_TOKEN: &str = "
    UPDATE enrollment_tokens SET used_at = $1
    WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $1
    RETURNING cluster, labels";
const KNOWS_TOKEN: &str = "
    SELECT COUNT(*) FROM enrollment_tokens WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
const SAVE_TOKEN: &str = "
    INSERT INTO enrollment_tokens (token_hash, cluster, labels, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";

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
            .execute(pool)
            .await
            .map(drop))
    }

    /// Whether the token could be used now, so that guesses do not reach the writing connection.
    pub async fn knows_enrollment_token(&self, hash: &Digest, now: i64) -> sqlx::Result<bool> {
        let count: i64 = on!(self, |pool| {
            sqlx::query_scalar(KNOWS_TOKEN).bind(hash.to_string()).bind(now).fetch_one(pool).await
        })?;
        Ok(count > 0)
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
        on!(tx self, |connection| sqlx::query(REVOKE_AGENTS).bind(now).bind(cluster).execute(connection).await.map(drop))?;
        on!(tx self, |connection| sqlx::query(SAVE_AGENT)
            .bind(agent.as_str())
            .bind(cluster)
            .bind(hash.to_string())
            .bind(now)
            .execute(connection)
            .await
            .map(drop))
    }
}
