//! `GET /api/v1/enrollments`: agents that wait to be accepted. `POST .../accept` accepts those of a cluster, `POST
//! .../revoke` takes from the agents of a cluster the right to speak for it, at once.

use super::Json;
use crate::access::{Admin, Viewer};
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::AskingRow;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_policy::ClusterName;

/// The longest name of who asks, in characters.
const MAX_NAME: usize = 256;

/// An agent that waits.
#[derive(Serialize)]
pub struct Asking {
    cluster: String,
    labels: Value,
    asked_at: i64,
    version: String,
    expires_at: i64,
}

/// Whose agents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    cluster: ClusterName,
    /// Who asks, as they say themselves.
    by: String,
}

/// How many agents it was about.
#[derive(Serialize)]
pub struct Done {
    agents: u64,
}

/// Lists who waits.
pub async fn list(_: Viewer, State(app): State<App>) -> Result<axum::Json<Vec<Asking>>, Failure> {
    let asking = app.store.asking(app.now()).await?.into_iter().map(|row| {
        let AskingRow { cluster, labels, asked_at, asked_version: version, expires_at } = row;
        Asking { cluster, labels: serde_json::from_str(&labels).unwrap_or_default(), asked_at, version, expires_at }
    });
    Ok(axum::Json(asking.collect()))
}

/// Accepts an agent: it enrolls as soon as it asks again.
pub async fn accept(_: Admin, State(app): State<App>, Json(wanted): Json<Wanted>) -> Result<axum::Json<Done>, Failure> {
    Ok(axum::Json(Done { agents: accept_as(&app, &wanted.cluster, &wanted.by).await? }))
}

/// The same for whoever asks.
pub async fn accept_as(app: &App, cluster: &ClusterName, by: &str) -> Result<u64, Failure> {
    let by: String = by.trim().chars().take(MAX_NAME).collect();
    let agents = app.store.accept(cluster.as_str(), &by, app.now()).await?;
    if agents == 0 {
        return Err(Error::Absent(format!("agent that asks to be that of cluster {cluster}")).into());
    }
    tracing::warn!(cluster.name = %cluster, by, "the agent that asks to be that of `{cluster}` was accepted");
    Ok(agents)
}

/// Revokes the agents of a cluster.
pub async fn revoke(_: Admin, State(app): State<App>, Json(wanted): Json<Wanted>) -> Result<axum::Json<Done>, Failure> {
    let Wanted { cluster, by } = wanted;
    let clusters = app.store.told().await?;
    let told = clusters.iter().find(|told| told.name == cluster);
    let told = told.ok_or_else(|| Error::Absent(format!("cluster {cluster}")))?;
    let mut tx = app.store.begin().await?;
    let agents = tx.revoke_agents(told.cluster_id, app.now()).await?;
    tx.commit().await?;
    // Whoever waits is let go, and not let in again.
    app.board.forget(told.cluster_id);
    app.heartbeats.forget(told.cluster_id);
    tracing::warn!(cluster.name = %cluster, by, "the agents of `{cluster}` were revoked: it keeps what it enforces, and enrolls anew to hear more");
    Ok(axum::Json(Done { agents }))
}
