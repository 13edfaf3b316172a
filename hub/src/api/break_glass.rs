//! `/api/v1/break-glass`: suspends refusals of a cluster or of one of its namespaces for a time (`POST`), ends that before
//! its time (`POST .../end`), and lists what is and was suspended (`GET`). The end is part of what is signed, so that it
//! comes without the hub.

use super::{Json, Query};
use crate::access::{Admin, Viewer};
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::BreakGlassRow;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use writ_policy::{BreakGlass, ClusterName, NamespaceName};

/// The longest suspension, in seconds: a day.
const MAX_SECONDS: i64 = 24 * 60 * 60;
/// The longest reason, and the longest name of who asks, in characters.
const MAX_REASON: usize = 300;
const MAX_NAME: usize = 256;
/// How many are listed.
const LISTED: i64 = 100;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    cluster: ClusterName,
    namespace: Option<NamespaceName>,
    for_seconds: i64,
    reason: String,
    /// Who asks, as they say themselves.
    by: String,
}

/// What is to end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    cluster: ClusterName,
    namespace: Option<NamespaceName>,
    by: String,
}

/// Which suspensions.
#[derive(Debug, Deserialize)]
pub struct Filter {
    #[serde(default)]
    open: bool,
}

/// How many ended.
#[derive(Serialize)]
pub struct Done {
    ended: u64,
}

/// Opens it, and tells the cluster at once.
pub async fn open(
    _: Admin,
    State(app): State<App>,
    Json(wanted): Json<Wanted>,
) -> Result<axum::Json<BreakGlassRow>, Failure> {
    let now = app.now();
    check(&wanted)?;
    let Wanted { cluster, namespace, for_seconds, reason, by } = wanted;
    if !app.store.status().await?.iter().any(|row| row.name == cluster.as_str()) {
        return Err(Error::Absent(format!("cluster {cluster}")).into());
    }
    let glass = BreakGlass {
        namespace: namespace.map(|namespace| namespace.to_string()),
        until: now + for_seconds * 1000,
        reason: reason.trim().to_owned(),
        by: by.trim().to_owned(),
        at: now,
        by_namespace: false,
    };
    let row = BreakGlassRow::new(uuid::Uuid::now_v7().to_string(), cluster.as_str(), &glass);
    let mut tx = app.store.begin().await?;
    tx.end_break_glass(&row.cluster, &row.namespace, &row.opened_by, now).await?;
    tx.save_break_glass(&row).await?;
    tx.commit().await?;
    let place = glass.namespace.as_deref().unwrap_or("the whole cluster");
    tracing::warn!(cluster.name = %cluster, reason = row.reason, for_seconds, "break glass was opened for {place} of `{cluster}`");
    app.want_round().await?;
    Ok(axum::Json(row))
}

/// Ends what the hub opened there.
pub async fn end(_: Admin, State(app): State<App>, Json(wanted): Json<Ended>) -> Result<axum::Json<Done>, Failure> {
    let Ended { cluster, namespace, by } = wanted;
    let namespace = namespace.map(|namespace| namespace.to_string()).unwrap_or_default();
    let by: String = by.chars().take(MAX_NAME).collect();
    let mut tx = app.store.begin().await?;
    let ended = tx.end_break_glass(cluster.as_str(), &namespace, &by, app.now()).await?;
    tx.commit().await?;
    if ended > 0 {
        tracing::warn!(cluster.name = %cluster, "break glass of `{cluster}` was ended before its time");
        app.want_round().await?;
    }
    Ok(axum::Json(Done { ended }))
}

/// What is open, or the newest of all.
pub async fn list(
    _: Viewer,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<Vec<BreakGlassRow>>, Failure> {
    let rows = match filter.open {
        true => app.store.break_glass_open(app.now()).await?,
        false => app.store.break_glass_list(LISTED).await?,
    };
    Ok(axum::Json(rows))
}

fn check(wanted: &Wanted) -> Result<(), Error> {
    let is_text = |text: &str, most: usize| {
        let text = text.trim();
        !text.is_empty() && text.chars().count() <= most && !text.contains(char::is_control)
    };
    if !(1..=MAX_SECONDS).contains(&wanted.for_seconds) {
        return Err(Error::Invalid(format!("for_seconds is between 1 and {MAX_SECONDS}")));
    }
    if !is_text(&wanted.reason, MAX_REASON) {
        return Err(Error::Invalid(format!("a reason is needed, of at most {MAX_REASON} characters in one line")));
    }
    if !is_text(&wanted.by, MAX_NAME) {
        return Err(Error::Invalid("who asks is needed (by)".into()));
    }
    Ok(())
}
