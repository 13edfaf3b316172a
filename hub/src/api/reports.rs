//! `POST /v1/reports`: stored exactly once, and answered when it is on disk.

use super::Json;
use crate::access::Agent;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::ingest;
use crate::store::{Bounds, Names, Stored};
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
    let cluster = agent.cluster.clone();
    let accepted =
        report.and_then(|Json(report)| Ok(ingest::accept(agent, report, app.now()).map_err(Error::Invalid)?));
    let accepted = accepted.inspect_err(|failure| {
        app.metrics.refused();
        let reason = failure.error();
        tracing::warn!(cluster.name = %cluster, "a report of cluster `{cluster}` is refused: {reason}");
    })?;
    let failures = accepted.report.failures.len();
    let mut tx = app.store.begin().await?;
    let bounds = Bounds { violations: 100_000 };
    let stored = tx.save_reports(&[accepted], &mut Names::default(), bounds, app.now()).await?;
    tx.commit().await?;
    let Some(Stored { up_to, repeated }) = stored.first().copied() else { unreachable!("one answer for each report") };
    match repeated {
        true => app.metrics.repeated(),
        false => app.metrics.stored(failures, started.elapsed()),
    }
    Ok(axum::Json(Receipt { stored: up_to }))
}
