//! Agents: who may speak for which cluster.

use super::Store;
use crate::access::Agent;
use writ_policy::{AgentId, ClusterName, Digest};

const BY_CREDENTIAL: &str = "
    SELECT agents.id, clusters.id, clusters.name
    FROM agents JOIN clusters ON clusters.id = agents.cluster_id
    WHERE agents.credential_hash = $1 AND agents.revoked_at IS NULL";

impl Store {
    /// The agent with this credential, unless it was revoked.
    pub async fn agent_by_credential(&self, credential: &Digest) -> sqlx::Result<Option<Agent>> {
        let row: Option<(String, i64, String)> = on!(self, |pool| {
            sqlx::query_as(BY_CREDENTIAL).bind(credential.to_string()).fetch_optional(pool).await
        })?;
        row.map(|(id, cluster_id, cluster)| {
            Ok(Agent { id: valid(AgentId::new(id))?, cluster_id, cluster: valid(ClusterName::new(cluster))? })
        })
        .transpose()
    }
}

/// A value that the hub wrote and reads back.
pub(crate) fn valid<T, E>(value: Result<T, E>) -> sqlx::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    value.map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
