//! `GET /v1/blobs/{digest}`: the content with this digest, compressed as it is stored. It never changes.

use super::Path;
use crate::access::Agent;
use crate::app::App;
use crate::failure::{Error, Failure};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use writ_policy::Digest;

/// Serves one blob.
pub async fn blob(_: Agent, State(app): State<App>, Path(digest): Path<Digest>) -> Result<Response, Failure> {
    let content = app.store.blob(&digest).await?.ok_or_else(|| Error::Absent(format!("blob {}", digest.short())))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_ENCODING, "gzip"),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, content).into_response())
}
