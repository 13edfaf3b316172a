//! `POST /v1/reports`: stored exactly once, and answered when it is on disk.

use super::Json;
use crate::access::Agent;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::ingest;
use axum::extract::State;
use writ_policy::wire::{Receipt, Report};

/// Stores a report, unless it was stored before.
pub async fn store(
    agent: Agent,
    State(app): State<App>,
    report: Result<Json<Report>, Failure>,
) -> Result<axum::Json<Receipt>, Failure> {
    let cluster = agent.cluster.clone();
    let accepted =
        report.and_then(|Json(report)| Ok(ingest::accept(agent, report, app.now()).map_err(Error::Invalid)?));
    let accepted = accepted.inspect_err(|failure| {
        app.metrics.refused();
        let reason = failure.error();
        tracing::warn!(cluster.name = %cluster, "a report of cluster `{cluster}` is refused: {reason}");
    })?;
    let stored = app.intake.store(accepted, app.now()).await.inspect_err(|error| {
        if matches!(error, Error::Later { .. }) {
            app.metrics.put_off();
        }
    })?;
    Ok(axum::Json(Receipt { stored: stored.up_to }))
}
