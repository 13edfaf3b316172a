//! `GET /healthz`: the process runs. `GET /readyz`: it can serve, because its database answers.

use crate::app::App;
use crate::failure::Failure;
use axum::extract::State;

/// The process runs.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers.
pub async fn ready(State(app): State<App>) -> Result<&'static str, Failure> {
    app.store.ping().await?;
    Ok("ok\n")
}
