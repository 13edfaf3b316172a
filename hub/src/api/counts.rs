//! `GET /api/v1/counts`: totals of what agents reported, so that anyone can compare them with what was sent.

use super::Query;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::Failure;
use crate::store::Counts;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

/// Since when, in Unix milliseconds.
#[derive(Debug, Deserialize)]
pub struct Since {
    #[serde(default)]
    since: i64,
}

/// The totals.
pub async fn show(_: Viewer, State(app): State<App>, Query(since): Query<Since>) -> Result<Json<Counts>, Failure> {
    Ok(Json(app.store.counts(since.since).await?))
}
