//! Agents: who may speak for which cluster.

use super::{Store, Tx};
use crate::access::Agent;
use writ_policy::{AgentId, ClusterName, Digest};

const BY_CREDENTIAL: &str = "
    SELECT agents.id, clusters.id, clusters.name
    FROM credentials JOIN agents ON agents.id = credentials.agent_id JOIN clusters ON clusters.id = agents.cluster_id
    WHERE credentials.hash = $1 AND agents.revoked_at IS NULL
        AND (credentials.expires_at IS NULL OR credentials.expires_at > $2)";
const SAVE_CREDENTIAL: &str = "INSERT INTO credentials (hash, agent_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)";
const COUNT: &str = "SELECT COUNT(*) FROM credentials WHERE agent_id = $1 AND issued_at > $2";
const FORGET: &str = "DELETE FROM credentials WHERE agent_id = $1 AND expires_at <= $2";

impl Store {
    /// The agent with this credential, unless it was revoked or the credential ended.
    pub async fn agent_by_credential(&self, credential: &Digest, now: i64) -> sqlx::Result<Option<Agent>> {
        let row: Option<(String, i64, String)> = on!(self, |pool| {
            sqlx::query_as(BY_CREDENTIAL).bind(credential.to_string()).bind(now).fetch_optional(pool).await
        })?;
        row.map(|(id, cluster_id, cluster)| {
            Ok(Agent { id: valid(AgentId::new(id))?, cluster_id, cluster: valid(ClusterName::new(cluster))? })
        })
        .transpose()
    }

    /// How many credentials an agent was given since then.
    pub async fn credentials_since(&self, agent: &AgentId, since: i64) -> sqlx::Result<i64> {
        on!(self, |pool| sqlx::query_scalar(COUNT).bind(agent.as_str()).bind(since).fetch_one(pool).await)
    }
}

impl Tx {
    /// Gives an agent one more credential; those of its own that ended are forgotten.
    pub async fn save_credential(&mut self, agent: &AgentId, hash: &Digest, now: i64, until: i64) -> sqlx::Result<()> {
        on!(tx self, |connection| {
            sqlx::query(FORGET).bind(agent.as_str()).bind(now).execute(connection).await.map(drop)
        })?;
        on!(tx self, |connection| sqlx::query(SAVE_CREDENTIAL)
            .bind(hash.to_string())
            .bind(agent.as_str())
            .bind(now)
            .bind(until)
            .execute(connection)
            .await
            .map(drop))
    }
}

/// A value that the hub wrote and reads back.
pub(crate) fn valid<T, E>(value: Result<T, E>) -> sqlx::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    value.map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
