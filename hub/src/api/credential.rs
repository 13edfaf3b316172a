//! `POST /v1/credential`: an agent's next credential, before the present one ends. That stays good until its end, so that
//! the other replicas of the cluster are not locked out.

use crate::access::{Agent, random_secret};
use crate::app::App;
use crate::failure::{Error, Failure};
use axum::Json;
use axum::extract::State;
use std::time::Duration;
use writ_policy::Digest;
use writ_policy::wire::Credential;

/// The most that an agent is given in a day, all replicas together.
const MAX_IN_A_DAY: i64 = 64;
const DAY_MS: i64 = 86_400_000;

/// How long a credential is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    /// From when on the agent asks for the next one: two thirds of its life are left for agents that are away.
    pub(super) renew_at: i64,
    /// When it ends.
    pub(super) expires_at: i64,
}

impl Life {
    /// The life of a credential that is given now.
    pub(super) fn from(now: i64, ttl: Duration) -> Self {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2);
        Self { renew_at: now + ttl / 3, expires_at: now + ttl }
    }
}

/// Gives one.
pub async fn renew(agent: Agent, State(app): State<App>) -> Result<Json<Credential>, Failure> {
    let now = app.now();
    if app.store.credentials_since(&agent.id, now - DAY_MS).await? >= MAX_IN_A_DAY {
        let reason = "the agent was given too many credentials within a day".into();
        return Err(Error::Later { after: 300, reason }.into());
    }
    let credential = random_secret();
    let Life { renew_at, expires_at } = Life::from(now, app.credential_ttl);
    let mut tx = app.store.begin().await?;
    tx.save_credential(&agent.id, &Digest::of(&credential), now, expires_at).await?;
    tx.commit().await?;
    tracing::info!(cluster.name = %agent.cluster, agent.id = %agent.id, "the agent of `{}` has a new credential", agent.cluster);
    Ok(Json(Credential { credential, renew_at, expires_at }))
}
