//! `GET /api/v1/openapi.json`: what the API for people and tools answers. The document is kept by hand beside this file;
//! `hub/tests/it/openapi.rs` holds it against the routes, the parameters and real answers.

use crate::access::Viewer;
use axum::response::{IntoResponse, Response};
use http::header;

/// The document.
const DOCUMENT: &str = include_str!("openapi.json");

/// Shows the document.
pub async fn show(_: Viewer) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
