//! `POST /v1/reports`: stored exactly once, and answered when it is on disk.

use super::Json;
use crate::access::Agent;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::ingest;
use axum::extract::State;
use std::time::Instant;
use writ_policy::wire::{Receipt, Report};

/// Stores a report, unless it was stored before.
pub async fn store(
    agent: Agent,
    State(app): State<App>,
    report: Result<Json<Report>, Failure>,
) -> Result<axum::Json<Receipt>, Failure> {
    let started = Instant::now();
    let accepted = report.and_then(|Json(report)| Ok(ingest::accept(report, app.now()).map_err(Error::Invalid)?));
    let report = accepted.inspect_err(|failure| {
        app.metrics.refused();
        let reason = failure.error();
        tracing::warn!(cluster.name = %agent.cluster, "a report of cluster `{}` is refused: {reason}", agent.cluster);
    })?;
    let mut tx = app.store.begin().await?;
    let stored = tx.cursor(&agent, &report.boot.to_string()).await?.unwrap_or(0);
    if report.sequence as i64 <= stored {
        app.metrics.repeated();
        return Ok(axum::Json(Receipt { stored: stored as u64 }));
    }
    tx.save_report(&agent, &report, app.now()).await?;
    tx.commit().await?;
    app.metrics.stored(report.failures.len(), started.elapsed());
    Ok(axum::Json(Receipt { stored: report.sequence }))
}
