//! `GET /api/v1/revisions` and `/api/v1/revisions/{sha}`: what came of each commit, and who enforces it since when.

use super::{Path, Query};
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::{Classes, EnforcedBy, HistoryRow};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many are listed.
const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 500;

/// Which part of the list.
#[derive(Debug, Deserialize)]
pub struct Page {
    limit: Option<i64>,
}

/// A commit.
#[derive(Serialize)]
pub struct Revision {
    revision: String,
    author: String,
    message: String,
    committed_at: i64,
    seen_at: i64,
    published_at: Option<i64>,
    state: String,
    policies: i64,
    signed_by: String,
    source: String,
    parts: Value,
    /// How many policies each class of clusters is served.
    classes: BTreeMap<String, u32>,
    diagnostics: Value,
}

/// A commit and its proofs.
#[derive(Serialize)]
pub struct Proved {
    #[serde(flatten)]
    revision: Revision,
    enforced_by: Vec<EnforcedBy>,
}

/// The newest commits.
pub async fn list(_: Viewer, State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Vec<Revision>>, Failure> {
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    Ok(Json(app.store.history(limit).await?.into_iter().map(Revision::from).collect()))
}

/// One commit.
pub async fn show(
    _: Viewer,
    State(app): State<App>,
    Path(id): Path<writ_policy::Revision>,
) -> Result<Json<Proved>, Failure> {
    let row = app.store.history_of(id.as_str()).await?;
    let row = row.ok_or_else(|| Error::Absent(format!("revision {}", id.short())))?;
    let enforced_by = app.store.enforced_by(id.as_str()).await?;
    Ok(Json(Proved { revision: row.into(), enforced_by }))
}

impl From<HistoryRow> for Revision {
    fn from(row: HistoryRow) -> Self {
        let diagnostics = serde_json::from_str(&row.diagnostics).unwrap_or_default();
        let HistoryRow {
            revision,
            author,
            message,
            committed_at,
            seen_at,
            published_at,
            state,
            policies,
            signed_by,
            source,
            parts,
            classes,
            ..
        } = row;
        let classes: Classes = serde_json::from_str(&classes).unwrap_or_default();
        let classes = classes.into_iter().map(|(name, class)| (name, class.policies)).collect();
        let parts = serde_json::from_str(&parts).unwrap_or_else(|_| Value::Object(serde_json::Map::new()));
        Self {
            revision,
            author,
            message,
            committed_at,
            seen_at,
            published_at,
            state,
            policies,
            signed_by,
            source,
            parts,
            classes,
            diagnostics,
        }
    }
}
