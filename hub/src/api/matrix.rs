//! `GET /api/v1/matrix`: how often which policy failed in which namespace, for the namespaces and policies that fail most.

use super::Query;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::sums::{DAY, HOUR};
use crate::store::{MINUTE_MS, NamespaceRow, PolicyRow, Window};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

/// The most namespaces and policies of one answer.
const MAX_NAMESPACES: i64 = 40;
const MAX_POLICIES: i64 = 20;
/// The most namespaces that are passed over.
const MAX_SKIP: i64 = 100_000;

/// Which part of the matrix.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// `hour`, `day`, `week` or `month`, up to now.
    period: Option<String>,
    /// Namespaces to pass over.
    skip: Option<i64>,
}

/// The matrix.
#[derive(Serialize)]
pub struct Answer {
    since: i64,
    until: i64,
    namespaces: Vec<Namespace>,
    policies: Vec<Policy>,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Namespace {
    name: String,
    reviews: i64,
    failing: i64,
    denied: i64,
}

#[derive(Serialize)]
struct Policy {
    name: String,
    code: String,
    judged: i64,
    failing: i64,
}

#[derive(Serialize)]
struct Cell {
    namespace: String,
    policy: String,
    failing: i64,
}

/// Tells the matrix.
pub async fn show(_: Viewer, State(app): State<App>, Query(wanted): Query<Wanted>) -> Result<Json<Answer>, Failure> {
    let minutes = match wanted.period.as_deref().unwrap_or("day") {
        "hour" => HOUR,
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => 30 * DAY,
        _ => return Err(Error::Invalid("period is hour, day, week or month".into()).into()),
    };
    let window = Window::ending_at(app.now(), minutes);
    let (namespaces, mut policies) = tokio::try_join!(
        app.store.namespace_rows(window, MAX_NAMESPACES, wanted.skip.unwrap_or(0).clamp(0, MAX_SKIP)),
        app.store.policy_rows("", window, MAX_POLICIES)
    )?;
    policies.retain(|policy| policy.failing > 0);
    let rows: Vec<&str> = namespaces.iter().map(|row| row.name.as_str()).collect();
    let columns: Vec<&str> = policies.iter().map(|row| row.name.as_str()).collect();
    let cells = app.store.namespace_cells(window, &rows, &columns).await?;
    let cells =
        cells.into_iter().map(|cell| Cell { namespace: cell.namespace, policy: cell.policy, failing: cell.failing });
    Ok(Json(Answer {
        since: window.since * MINUTE_MS,
        until: window.until * MINUTE_MS,
        cells: cells.collect(),
        namespaces: namespaces.into_iter().map(Namespace::from).collect(),
        policies: policies.into_iter().map(Policy::from).collect(),
    }))
}

impl From<NamespaceRow> for Namespace {
    fn from(row: NamespaceRow) -> Self {
        Self { name: row.name, reviews: row.reviews, failing: row.failing, denied: row.denied }
    }
}

impl From<PolicyRow> for Policy {
    fn from(row: PolicyRow) -> Self {
        Self { name: row.name, code: row.code, judged: row.judged, failing: row.failing }
    }
}
