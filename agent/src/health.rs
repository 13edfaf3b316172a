//! Probes and metrics, the same on the webhook's port and on the plain one (metrics only there).

use crate::clock;
use crate::metrics::Metrics;
use crate::status::Status;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

/// What probes look at.
#[derive(Debug, Clone)]
pub struct Health {
    /// What the agent says of itself.
    pub status: Arc<Status>,
    /// What Prometheus can ask.
    pub metrics: Arc<Metrics>,
}

/// `/healthz` and `/readyz`.
pub fn probes(health: Health) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(health)
}

/// `/metrics`.
pub fn metrics(health: Health) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(health)
}

/// Ready when policies decide and it was not told to stop; else the reason.
async fn ready(State(health): State<Health>) -> Response {
    if health.status.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match health.status.enforced() {
        Some(enforced) => {
            let revision = enforced.active.revision.short();
            let text =
                format!("enforcing {revision}, epoch {}, {} policies\n", enforced.active.epoch, enforced.policies);
            text.into_response()
        }
        None => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("no policies yet: {}\n", health.status.problem())).into_response()
        }
    }
}

async fn scrape(State(health): State<Health>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let (kind, text) = health.metrics.text(&health.status, accept, clock::now());
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
