//! `GET /api/v1/movers`: which policies, namespaces or clusters got better or worse since a revision or a day, those first
//! that it hit most, each with the revision around which its rate moved.

use super::Query;
use super::trends::Marker;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::movement::{Movement, Mover, Rate, Since};
use crate::store::MINUTE_MS;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

/// How many are told each way.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// Which movers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// A commit, a day as 2026-11-21, or Unix milliseconds; the revision that is served when absent.
    since: Option<String>,
    /// `policy`, `namespace` or `cluster`.
    by: Option<String>,
    /// Only evaluations of this policy; with `by` a namespace or a cluster.
    policy: Option<String>,
    limit: Option<usize>,
}

/// What moved.
#[derive(Serialize)]
pub struct Answer {
    revision: Option<Marker>,
    /// The spans that are compared, in Unix milliseconds: before until since, since until now.
    before: i64,
    since: i64,
    until: i64,
    worse: Vec<Moved>,
    better: Vec<Moved>,
    /// How many moved beyond those.
    more: usize,
}

/// One of them.
#[derive(Serialize)]
struct Moved {
    name: String,
    code: String,
    title: String,
    movement: Movement,
    before: Rate,
    after: Rate,
    since: Option<Marker>,
}

/// Tells what moved.
pub async fn list(_: Viewer, State(app): State<App>, Query(wanted): Query<Wanted>) -> Result<Json<Answer>, Failure> {
    let word = wanted.since.unwrap_or_default();
    let since = Since::find(&app.store, &word, app.now()).await?;
    let since = since.ok_or_else(|| match word.as_str() {
        "" => Error::Absent("revision that is served".into()),
        word => Error::Absent(format!("served revision or day {:?}", word.chars().take(80).collect::<String>())),
    })?;
    let (store, limit) = (&app.store, wanted.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT));
    let moved = match (wanted.by.as_deref().unwrap_or("policy"), wanted.policy.as_deref()) {
        ("policy", None) => since.policies(store, limit).await?,
        ("namespace", None) => since.namespaces(store, limit).await?,
        ("cluster", None) => since.clusters(store, limit).await?,
        ("namespace", Some(policy)) => since.namespaces_of(store, policy, limit).await?,
        ("cluster", Some(policy)) => since.clusters_of(store, policy, limit).await?,
        _ => {
            return Err(
                Error::Invalid("by is policy, namespace or cluster; with a policy, one of the latter".into()).into()
            );
        }
    };
    let tell = |movers: Vec<Mover>| movers.into_iter().map(Moved::from).collect();
    let window = since.window;
    Ok(Json(Answer {
        revision: since.revision.as_ref().map(Marker::from),
        before: window.before * MINUTE_MS,
        since: window.since * MINUTE_MS,
        until: window.until * MINUTE_MS,
        worse: tell(moved.worse),
        better: tell(moved.better),
        more: moved.more,
    }))
}

impl From<Mover> for Moved {
    fn from(mover: Mover) -> Self {
        Self {
            movement: mover.movement(),
            name: mover.subject.name().to_owned(),
            code: mover.code,
            title: mover.title,
            before: mover.before,
            after: mover.after,
            since: mover.since.as_ref().map(Marker::from),
        }
    }
}
