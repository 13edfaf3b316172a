//! `GET /api/v1/failures`: newest first. `next` of the answer is `before` of the next request.

use super::Query;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::{FailureItem, FailureQuery, Place};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

/// How many are listed.
const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1_000;

/// Which failures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    cluster: Option<String>,
    namespace: Option<String>,
    policy: Option<String>,
    action: Option<String>,
    code: Option<String>,
    exemption: Option<String>,
    severity: Option<String>,
    kind: Option<String>,
    workload: Option<String>,
    revision: Option<String>,
    since: Option<i64>,
    before: Option<String>,
    limit: Option<i64>,
}

/// A part of the list.
#[derive(Serialize)]
pub struct Listed {
    items: Vec<FailureItem>,
    next: Option<String>,
    /// Whether filters left too few of the rows that were looked at: `next` looks further back.
    looks_further: bool,
}

/// Lists failures.
pub async fn list(_: Viewer, State(app): State<App>, Query(filter): Query<Filter>) -> Result<Json<Listed>, Failure> {
    let Filter { cluster, namespace, policy, action, code, exemption, severity, kind, workload, revision, .. } = filter;
    let query = FailureQuery {
        cluster,
        namespace,
        policy,
        action,
        code,
        exemption,
        severity,
        kind,
        workload,
        revision,
        since: filter.since.unwrap_or(0),
        before: before(filter.before.as_deref())?,
        limit: filter.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
    };
    let page = app.store.failure_page(&query).await?;
    Ok(Json(Listed { items: page.rows, next: page.next.map(next), looks_further: page.is_partial }))
}

/// `<at>-<id>`, as `next` was told.
pub(super) fn before(text: Option<&str>) -> Result<Option<Place>, Error> {
    let place = |text: &str| {
        let (at, id) = text.split_once('-')?;
        Some((at.parse().ok()?, uuid::Uuid::try_parse(id).ok()?.to_string()))
    };
    text.map(|text| place(text).ok_or_else(|| Error::Invalid("before is not a `next`".into()))).transpose()
}

/// What to ask for as `before`.
pub(super) fn next((at, id): Place) -> String {
    format!("{at}-{id}")
}
