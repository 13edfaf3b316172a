//! `POST /v1/enroll`: a one-time token becomes an agent's credential. An enrollment replaces the cluster's former agent.

use super::Json;
use super::credential::Life;
use crate::access::random_secret;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::FoundToken;
use anyhow::Context;
use axum::extract::State;
use writ_policy::wire::{Enroll, Enrolled};
use writ_policy::{AgentId, ClusterName, Digest, Labels};

/// What every token that is not good gets, so that guesses learn nothing.
const REFUSED: Error = Error::Unauthorized("the enrollment token is unknown, used or expired; ask for a new one");

/// When an agent that waits to be accepted asks again.
const ASK_AGAIN_SECONDS: u64 = 5;
/// The longest version that is kept, in bytes.
const MAX_VERSION: usize = 64;

/// Enrolls an agent.
pub async fn enroll(State(app): State<App>, Json(request): Json<Enroll>) -> Result<axum::Json<Enrolled>, Failure> {
    let hash = secret_of(&request.token).map(Digest::of).ok_or(REFUSED)?;
    let now = app.now();
    let token = app.store.enrollment_token(&hash, now).await?.ok_or(REFUSED)?;
    if token.waits() {
        return Err(wait(&app, &hash, &token, &request.version).await?);
    }
    let agent = AgentId::new(uuid::Uuid::now_v7().to_string()).expect("a UUID is an agent id");
    let credential = random_secret();
    let mut tx = app.store.begin().await?;
    let (cluster, labels) = tx.use_enrollment_token(&hash, now).await?.ok_or(REFUSED)?;
    let cluster_id = tx.save_cluster(&cluster, &labels, now).await?;
    tx.forget_replicas(cluster_id).await?;
    tx.save_agent(&agent, cluster_id, &Digest::of(&credential), now).await?;
    let life = Life::from(now, app.credential_ttl);
    tx.save_credential(&agent, &Digest::of(&credential), now, life.expires_at).await?;
    if app.store.is_shared() {
        tx.want_round().await?;
    }
    tx.commit().await?;
    app.heartbeats.forget(cluster_id);
    app.assign_wanted.notify_one();
    tracing::info!(cluster.name = cluster, agent.id = %agent, "cluster `{cluster}` enrolled");
    let cluster = ClusterName::new(cluster).context("reading the token's cluster")?;
    let labels: Labels = serde_json::from_str(&labels).context("reading the token's labels")?;
    Ok(axum::Json(Enrolled {
        agent,
        cluster,
        labels,
        credential,
        hub_key: app.keys.public(),
        successions: app.keys.successions().to_vec(),
        former_keys: vec![],
        renew_at: Some(life.renew_at),
    }))
}

/// An agent whose token somebody must accept first: it is told to come back, and people that it asks.
async fn wait(app: &App, hash: &Digest, token: &FoundToken, version: &str) -> Result<Failure, Failure> {
    let cluster = &token.cluster;
    if token.is_first() {
        app.store.note_asking(hash, &crate::ingest::cut(version, MAX_VERSION), app.now()).await?;
        tracing::warn!(
            cluster.name = cluster,
            "an agent asks to be that of cluster `{cluster}`: accept it, or let its token expire"
        );
    }
    let reason = "the agent waits to be accepted: writ token accept, or the page of clusters".into();
    Ok(Error::Later { after: ASK_AGAIN_SECONDS, reason }.into())
}

/// The secret of `writ_<secret>_<fingerprint of the hub's key>`; the secret may hold underscores.
fn secret_of(token: &str) -> Option<&str> {
    let (secret, _) = token.trim().strip_prefix("writ_")?.rsplit_once('_')?;
    Some(secret)
}
