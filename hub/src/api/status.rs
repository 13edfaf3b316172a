//! `GET /api/v1/status`: what every cluster should and does enforce. `GET /api/v1/clusters`: the same, clusters alone.

use crate::access::Viewer;
use crate::app::{App, SourceName, SourceState};
use crate::assign::standing::{self, Standing};
use crate::failure::Failure;
use crate::repository::Parts;
use crate::status::{ClusterState, state_of};
use crate::store::{BreakGlassRow, StatusRow};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

/// The fleet.
#[derive(Serialize)]
pub struct Status {
    source: String,
    branch: String,
    path: String,
    /// When the source was last looked at, and why it could not be.
    checked_at: i64,
    source_error: Option<String>,
    /// Why the head is not followed, when its content is not why.
    source_held: Option<String>,
    head: Option<String>,
    served: Option<String>,
    /// Every source, the first one first.
    sources: Vec<Source>,
    now: i64,
    clusters: Vec<Cluster>,
    /// How far what is served is.
    rollout: Option<Rollout>,
    /// What is suspended now, whoever opened it.
    break_glass: Vec<BreakGlassRow>,
}

/// One source.
#[derive(Serialize)]
struct Source {
    /// Empty for the first.
    name: String,
    source: String,
    branch: String,
    path: String,
    checked_at: i64,
    head: Option<String>,
    /// The commit of it that is served.
    served: Option<String>,
    error: Option<String>,
    held: Option<String>,
}

#[derive(Serialize)]
struct Rollout {
    revision: String,
    phase: String,
    wave: String,
    halted: Option<String>,
}

/// One cluster.
#[derive(Serialize)]
pub struct Cluster {
    name: String,
    labels: Value,
    state: ClusterState,
    desired: Option<Desired>,
    active: Option<Active>,
    deny_level: Option<String>,
    enrolled_at: i64,
    seen_at: Option<i64>,
    agent_version: Option<String>,
    refused_reason: Option<String>,
    refused_at: Option<i64>,
    load_errors: Value,
    spooled: i64,
    dropped: i64,
    replicas: i64,
    certificate_expires_at: Option<i64>,
}

#[derive(Serialize)]
struct Desired {
    revision: String,
    epoch: i64,
    issued_at: i64,
}

#[derive(Serialize)]
struct Active {
    revision: String,
    epoch: i64,
    active_at: i64,
}

/// The whole fleet.
pub async fn show(_: Viewer, State(app): State<App>) -> Result<Json<Status>, Failure> {
    let now = app.now();
    let served = app.store.served().await?;
    let parts = served.as_ref().map(|served| served.parts.clone()).unwrap_or_default();
    let clusters = app.store.status().await?.into_iter().map(|row| cluster(row, now)).collect();
    let state = app.source_state.load_full();
    let break_glass = app.store.break_glass_open(now).await?;
    let rollout = rollout(&app).await?;
    Ok(Json(Status {
        source: app.source.url.clone(),
        branch: app.source.branch.clone(),
        path: app.source.path.clone(),
        checked_at: state.checked_at,
        source_error: state.error.clone(),
        source_held: state.held.clone(),
        head: state.head.clone().map(Into::into),
        served: served.map(|served| served.revision.into()),
        sources: app.sources().map(|source| Source::new(source, &state, &parts)).collect(),
        now,
        clusters,
        rollout,
        break_glass,
    }))
}

impl Source {
    fn new(source: &SourceName, states: &SourceState, parts: &Parts) -> Self {
        let state = states.of(&source.name).cloned().unwrap_or_default();
        let SourceName { name, url, branch, path } = source.clone();
        Self {
            served: parts.get(&name).cloned().map(Into::into),
            name,
            source: url,
            branch,
            path,
            checked_at: state.checked_at,
            head: state.head.map(Into::into),
            error: state.error,
            held: state.held,
        }
    }
}

async fn rollout(app: &App) -> crate::store::Result<Option<Rollout>> {
    let Some(row) = app.store.rollout().await? else { return Ok(None) };
    let Standing { revision, phase, wave, halted, .. } = standing::of(app, &row).await?;
    Ok(Some(Rollout { revision, phase, wave, halted }))
}

/// The clusters.
pub async fn clusters(_: Viewer, State(app): State<App>) -> Result<Json<Vec<Cluster>>, Failure> {
    let now = app.now();
    Ok(Json(app.store.status().await?.into_iter().map(|row| cluster(row, now)).collect()))
}

fn cluster(row: StatusRow, now: i64) -> Cluster {
    let state = state_of(&row, now);
    let desired = row.desired_revision.zip(row.desired_epoch).zip(row.desired_at);
    let active = row.active_revision.zip(row.active_epoch).zip(row.active_at);
    Cluster {
        state,
        desired: desired.map(|((revision, epoch), issued_at)| Desired { revision, epoch, issued_at }),
        active: active.map(|((revision, epoch), active_at)| Active { revision, epoch, active_at }),
        labels: serde_json::from_str(&row.labels).unwrap_or_default(),
        load_errors: serde_json::from_str(&row.load_errors).unwrap_or_default(),
        name: row.name,
        deny_level: row.deny_level,
        enrolled_at: row.enrolled_at,
        seen_at: row.seen_at,
        agent_version: row.agent_version,
        refused_reason: row.refused_reason,
        refused_at: row.refused_at,
        spooled: row.spooled,
        dropped: row.dropped,
        replicas: row.replicas,
        certificate_expires_at: row.certificate_expires_at,
    }
}
