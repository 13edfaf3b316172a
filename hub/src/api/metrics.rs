//! `GET /metrics`: for Prometheus, as OpenMetrics when it asks for that. Names no cluster and no namespace.

use crate::app::App;
use crate::failure::Failure;
use crate::metrics;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that is counted.
pub async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    let text = metrics::text(&app).await?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (kind, text) = match accept.contains("application/openmetrics-text") {
        true => (OPEN_METRICS, text),
        false => (PROMETHEUS, metrics::as_prometheus_text(&text)),
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
