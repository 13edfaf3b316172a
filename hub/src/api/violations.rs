//! `GET /api/v1/violations`: the newest first; `next` of the answer is `before` of the next request.
//! `GET /api/v1/violations/{id}`: one of them with its life.

use super::failures::{before, next};
use super::{Path, Query};
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::{Facets, ViolationEvent, ViolationQuery, ViolationRow};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

/// How many are listed.
const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1_000;
/// Events that are told of one.
const MAX_EVENTS: i64 = 1_000;

/// Which violations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `open` or `fixed`.
    state: Option<String>,
    cluster: Option<String>,
    namespace: Option<String>,
    policy: Option<String>,
    code: Option<String>,
    severity: Option<String>,
    action: Option<String>,
    kind: Option<String>,
    workload: Option<String>,
    exempted: Option<bool>,
    /// Those that began with this revision.
    revision: Option<String>,
    since: Option<i64>,
    before: Option<String>,
    limit: Option<i64>,
}

/// A part of the list.
#[derive(Serialize)]
pub struct Listed {
    items: Vec<ViolationRow>,
    next: Option<String>,
    /// Whether filters left too few of the rows that were looked at: `next` looks further back.
    looks_further: bool,
    /// Counts of the newest that match, on the first page.
    counts: Option<Facets>,
}

/// One of them.
#[derive(Serialize)]
pub struct Shown {
    #[serde(flatten)]
    violation: ViolationRow,
    events: Vec<ViolationEvent>,
}

/// Lists violations.
pub async fn list(_: Viewer, State(app): State<App>, Query(filter): Query<Filter>) -> Result<Json<Listed>, Failure> {
    let query = filter.query()?;
    let page = app.store.violation_page(&query).await?;
    let counts = match query.before {
        None => Some(app.store.violation_facets(&query).await?),
        Some(_) => None,
    };
    Ok(Json(Listed { items: page.rows, next: page.next.map(next), looks_further: page.is_partial, counts }))
}

/// One violation.
pub async fn show(_: Viewer, State(app): State<App>, Path(id): Path<uuid::Uuid>) -> Result<Json<Shown>, Failure> {
    let id = id.to_string();
    let (violation, events) = tokio::try_join!(app.store.violation(&id), app.store.violation_events(&id, MAX_EVENTS))?;
    let violation = violation.ok_or_else(|| Error::Absent(format!("violation {id}")))?;
    Ok(Json(Shown { violation, events }))
}

impl Filter {
    fn query(self) -> Result<ViolationQuery, Error> {
        let fixed = match self.state.as_deref() {
            None | Some("open") => false,
            Some("fixed") => true,
            Some(_) => return Err(Error::Invalid("state is open or fixed".into())),
        };
        let before = before(self.before.as_deref())?;
        let Self { cluster, namespace, policy, code, severity, action, kind, workload, exempted, revision, .. } = self;
        let (since, limit) = (self.since.unwrap_or(0), self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT));
        Ok(ViolationQuery {
            fixed,
            cluster,
            namespace,
            policy,
            code,
            severity,
            action,
            kind,
            workload,
            exempted,
            revision,
            since,
            before,
            limit,
        })
    }
}
