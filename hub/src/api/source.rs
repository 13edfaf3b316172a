//! `POST /api/v1/source/sign`: the author's word for a commit; it needs no login, because it is signed.
//! `POST /api/v1/source/look`: has the source looked at now. `POST /api/v1/source/allow`: an operator vouches for a head
//! that the hub would not follow by itself, because history was rewritten or an earlier commit is not signed.

use super::Json;
use crate::access::Admin;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::source::ALLOWED;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use writ_policy::Revision;
use writ_policy::author::AuthorStatement;
use writ_policy::sign::Signed;

/// Which head, by its full id, so that nothing else can slip in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    revision: Revision,
}

/// Looks.
pub async fn look(_: Admin, State(app): State<App>) -> Result<StatusCode, Failure> {
    app.want_look().await?;
    Ok(StatusCode::ACCEPTED)
}

/// Keeps the author's word for a commit, and looks.
pub async fn sign(State(app): State<App>, Json(signed): Json<Signed>) -> Result<StatusCode, Failure> {
    let Some(key) = &app.author_key else {
        return Err(
            Error::Conflict("this hub serves commits without an author's signature (--author-key)".into()).into()
        );
    };
    if !app.push.admits_another() {
        return Err(Error::Later { after: 10, reason: "too many signatures at once".into() }.into());
    }
    let statement: AuthorStatement = key.verify(&signed).map_err(|error| Error::Forbidden(error.to_string()))?;
    app.store.save_author_statement(&statement.revision, &signed, app.now()).await?;
    tracing::info!(revision = %statement.revision, "the author signed {}", statement.revision.short());
    app.want_look().await?;
    Ok(StatusCode::ACCEPTED)
}

/// Allows a head, and looks.
pub async fn allow(_: Admin, State(app): State<App>, Json(allowed): Json<Allowed>) -> Result<StatusCode, Failure> {
    let revision = allowed.revision;
    app.store.save_setting(ALLOWED, revision.as_str()).await?;
    tracing::warn!(revision = %revision, "an operator allowed {} to be followed", revision.short());
    app.want_look().await?;
    Ok(StatusCode::ACCEPTED)
}
