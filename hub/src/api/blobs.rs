//! `GET /v1/blobs/{digest}`: the content with this digest, compressed as it is stored. It never changes. An agent reads
//! what belongs to the bundle that its cluster is told, and nothing else.

use super::Path;
use crate::access::Agent;
use crate::app::App;
use crate::failure::{Error, Failure};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use writ_policy::Digest;

/// Serves one blob.
pub async fn blob(agent: Agent, State(app): State<App>, Path(digest): Path<Digest>) -> Result<Response, Failure> {
    let told = app.board.index(agent.cluster_id);
    let is_own = match told {
        Some(index) => app.shelf.holds(&app.store, &index, &digest).await?,
        None => false,
    };
    if !is_own {
        // Not absent: an agent that is told something else meanwhile asks again instead of refusing what it was told.
        let text = format!("blob {} is not part of what this cluster is told", digest.short());
        return Err(Error::Forbidden(text).into());
    }
    let content = app.shelf.blob(&app.store, &digest).await?;
    let content = content.ok_or_else(|| Error::Absent(format!("blob {}", digest.short())))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_ENCODING, "gzip"),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, content).into_response())
}
