//! `GET /api/v1/failures`: newest first. `next` of the answer is `before` of the next request.

use super::Query;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::{FailureItem, FailureQuery};
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
    since: Option<i64>,
    before: Option<String>,
    limit: Option<i64>,
}

/// A part of the list.
#[derive(Serialize)]
pub struct Listed {
    items: Vec<FailureItem>,
    next: Option<String>,
}

/// Lists failures.
pub async fn list(_: Viewer, State(app): State<App>, Query(filter): Query<Filter>) -> Result<Json<Listed>, Failure> {
    let Filter { cluster, namespace, policy, action, code, exemption, since, before, limit } = filter;
    let before = before.map(|text| place(&text).ok_or_else(|| Error::Invalid("before is not a `next`".into())));
    let (since, before) = (since.unwrap_or(0), before.transpose()?);
    let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let query = FailureQuery { cluster, namespace, policy, action, code, exemption, since, before, limit };
    let items = app.store.failure_list(&query).await?;
    let is_full = items.len() as i64 == limit;
    let next = items.last().filter(|_| is_full).map(|last| format!("{}-{}", last.at, last.id));
    Ok(Json(Listed { items, next }))
}

/// `<at>-<id>`.
fn place(text: &str) -> Option<(i64, String)> {
    let (at, id) = text.split_once('-')?;
    Some((at.parse().ok()?, uuid::Uuid::try_parse(id).ok()?.to_string()))
}
