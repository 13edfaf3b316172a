//! `POST /api/v1/enrollment-tokens`: makes a one-time token for one cluster. Its text is shown once and stored hashed.

use super::Json;
use crate::access::{Admin, random_secret};
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::NewToken;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use writ_policy::{ClusterName, Digest, Labels};

/// The longest that a token may live, in seconds: a week.
const MAX_TTL: u64 = 7 * 24 * 60 * 60;
/// The most that a token may be used.
const MAX_USES: i64 = 1_000;
/// Bounds on labels.
const MAX_LABELS: usize = 64;
const MAX_LABEL_BYTES: usize = 253;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    cluster: ClusterName,
    #[serde(default)]
    labels: Labels,
    #[serde(default = "an_hour")]
    ttl_seconds: u64,
    /// How often it may be used; each use replaces the cluster's former agent.
    #[serde(default = "once")]
    uses: i64,
    /// Whether somebody must accept the agent that asks with it; where the hub asks for that, always.
    #[serde(default)]
    needs_acceptance: bool,
}

/// The token, shown this once.
#[derive(Serialize)]
pub struct Made {
    token: String,
    expires_at: i64,
}

/// Makes a token.
pub async fn create(_: Admin, State(app): State<App>, Json(wanted): Json<Wanted>) -> Result<axum::Json<Made>, Failure> {
    check(&wanted)?;
    let secret = random_secret();
    let now = app.now();
    let expires_at = now + wanted.ttl_seconds as i64 * 1000;
    let labels = serde_json::to_string(&wanted.labels).expect("labels have string keys");
    let cluster = wanted.cluster.as_str();
    let needs_acceptance = wanted.needs_acceptance || app.accept_agents;
    let hash = &Digest::of(&secret);
    let token = NewToken { hash, cluster, labels: &labels, expires_at, uses: wanted.uses, needs_acceptance };
    app.store.save_enrollment_token(&token, now).await?;
    tracing::info!(cluster.name = cluster, "an enrollment token was made for cluster `{cluster}`");
    let token = format!("writ_{secret}_{}", app.keys.public().fingerprint());
    Ok(axum::Json(Made { token, expires_at }))
}

fn check(wanted: &Wanted) -> Result<(), Error> {
    let is_short = |text: &String| text.len() <= MAX_LABEL_BYTES && !text.contains(char::is_control);
    if wanted.labels.len() > MAX_LABELS || !wanted.labels.iter().all(|(key, value)| is_short(key) && is_short(value)) {
        let text = format!("labels are at most {MAX_LABELS}, each key and value of at most {MAX_LABEL_BYTES} bytes");
        return Err(Error::Invalid(text));
    }
    if !(1..=MAX_USES).contains(&wanted.uses) {
        return Err(Error::Invalid(format!("uses is between 1 and {MAX_USES}")));
    }
    if !(1..=MAX_TTL).contains(&wanted.ttl_seconds) {
        return Err(Error::Invalid(format!("ttl_seconds is between 1 and {MAX_TTL}")));
    }
    Ok(())
}

fn once() -> i64 {
    1
}

fn an_hour() -> u64 {
    60 * 60
}
