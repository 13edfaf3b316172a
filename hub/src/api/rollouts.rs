//! `GET /api/v1/rollouts`: how revisions went from wave to wave, and which clusters stay where they are.
//! `POST /api/v1/rollouts/orders`: halt, resume, skip a wave, hurry; pin a cluster and let it go. The leader obeys.

use super::{Json, Query};
use crate::access::{Admin, Viewer};
use crate::app::App;
use crate::assign::standing::{self, Standing};
use crate::failure::{Error, Failure};
use crate::store::{OrderRow, PinRow};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use writ_policy::{ClusterName, Revision};

/// Rollouts of one answer.
const LISTED: i64 = 20;
/// The longest reason, and the longest name of who asks, in characters.
const MAX_REASON: usize = 300;
const MAX_NAME: usize = 256;

/// Which ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only those that began before this number.
    before: Option<i64>,
}

/// Rollouts, the newest first.
#[derive(Serialize)]
pub struct Rollouts {
    rollouts: Vec<Standing>,
    pins: Vec<PinRow>,
    /// What to ask for next.
    next: Option<i64>,
}

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderKind {
    /// Stop telling further clusters.
    Halt,
    /// Go on, and accept what halted it.
    Resume,
    /// Do not wait for this wave.
    Skip,
    /// Wait for no wave longer than for urgent revisions.
    Urgent,
    /// Keep a cluster at a revision.
    Pin,
    /// Let it go with the others again.
    Unpin,
}

/// An order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// What.
    pub kind: OrderKind,
    /// Which cluster is pinned or let go.
    pub cluster: Option<ClusterName>,
    /// At which revision; at the one it was told when absent.
    pub revision: Option<Revision>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who asks, as they say themselves.
    pub by: String,
}

/// It is written down, and obeyed within moments.
#[derive(Serialize)]
pub struct Taken {
    ordered: OrderKind,
}

/// Lists rollouts.
pub async fn list(
    _: Viewer,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<Rollouts>, Failure> {
    let rows = app.store.rollouts(filter.before, LISTED).await?;
    let mut rollouts = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let newest = if place == 0 && filter.before.is_none() { standing::newest(&app).await? } else { None };
        rollouts.push(match newest {
            Some(newest) => newest,
            None => standing::of(&app, row).await?,
        });
    }
    let next = rows.last().filter(|row| row.id > 1 && rows.len() as i64 == LISTED).map(|row| row.id);
    Ok(axum::Json(Rollouts { rollouts, pins: app.store.pins().await?, next }))
}

/// Takes an order.
pub async fn order(_: Admin, State(app): State<App>, Json(wanted): Json<Wanted>) -> Result<axum::Json<Taken>, Failure> {
    let ordered = wanted.kind;
    take(&app, wanted).await?;
    Ok(axum::Json(Taken { ordered }))
}

/// Writes an order down for the leader; what makes no sense now is refused with the reason.
pub async fn take(app: &App, wanted: Wanted) -> Result<(), Failure> {
    let reason = checked(&wanted)?;
    let Wanted { kind, cluster, revision, by, .. } = wanted;
    let revision_id = match &revision {
        Some(revision) => {
            let known = app.store.servable_number(revision).await?;
            Some(known.ok_or_else(|| Error::Absent(format!("a revision {} that was served", revision.short())))?)
        }
        None => None,
    };
    let cluster_id = match kind {
        OrderKind::Pin | OrderKind::Unpin => Some(cluster_of(app, kind, cluster, revision_id).await?),
        _ => {
            check_phase(app, kind).await?;
            None
        }
    };
    let kind = serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let by = by.trim().chars().take(MAX_NAME).collect();
    tracing::warn!(kind, reason, "somebody ordered: {kind}");
    let order = OrderRow { id: 0, at: app.now(), kind, cluster_id, revision_id, reason, ordered_by: by };
    let mut tx = app.store.begin().await?;
    tx.save_rollout_order(&order).await?;
    tx.commit().await?;
    Ok(app.want_round().await?)
}

fn checked(wanted: &Wanted) -> Result<String, Error> {
    let reason = wanted.reason.trim();
    if reason.chars().count() > MAX_REASON || reason.contains(char::is_control) {
        return Err(Error::Invalid(format!("a reason has at most {MAX_REASON} characters in one line")));
    }
    let needs_reason = matches!(wanted.kind, OrderKind::Halt | OrderKind::Resume | OrderKind::Pin | OrderKind::Skip);
    if needs_reason && reason.is_empty() {
        return Err(Error::Invalid("a reason is needed: it is recorded and shown".into()));
    }
    if wanted.by.trim().is_empty() || wanted.by.contains(char::is_control) {
        return Err(Error::Invalid("who asks is needed (by)".into()));
    }
    Ok(reason.to_owned())
}

async fn cluster_of(
    app: &App,
    kind: OrderKind,
    cluster: Option<ClusterName>,
    revision_id: Option<i64>,
) -> Result<i64, Failure> {
    let cluster = cluster.ok_or_else(|| Error::Invalid("which cluster? (cluster)".into()))?;
    let clusters = app.store.told().await?;
    let told = clusters.iter().find(|told| told.name == cluster);
    let told = told.ok_or_else(|| Error::Absent(format!("cluster {cluster}")))?;
    let is_pinned = app.store.pins().await?.iter().any(|pin| pin.cluster_id == told.cluster_id);
    match kind {
        OrderKind::Unpin if !is_pinned => Err(Error::Conflict(format!("cluster {cluster} is not pinned")).into()),
        OrderKind::Pin if told.revision_id.or(revision_id).is_none() => {
            Err(Error::Conflict(format!("cluster {cluster} was told nothing yet: name a revision")).into())
        }
        _ => Ok(told.cluster_id),
    }
}

async fn check_phase(app: &App, kind: OrderKind) -> Result<(), Failure> {
    let phase = app.store.rollout().await?.map(|row| row.phase).unwrap_or_else(|| "absent".into());
    let fits = match kind {
        OrderKind::Resume => phase == "halted",
        OrderKind::Halt | OrderKind::Skip => phase == "rolling",
        _ => phase == "rolling" || phase == "halted",
    };
    if !fits {
        return Err(Error::Conflict(format!("the rollout is {phase}: there is nothing to do of that kind")).into());
    }
    Ok(())
}
