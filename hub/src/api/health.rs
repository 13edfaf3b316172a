//! `GET /healthz`: the process runs. `GET /readyz`: it can serve, because its database answers and can be written.

use crate::app::App;
use crate::failure::{Error, Failure};
use axum::extract::State;

/// The process runs.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers and can be written.
pub async fn ready(State(app): State<App>) -> Result<&'static str, Failure> {
    match app.store.is_ready().await? {
        true => Ok("ok\n"),
        false => Err(Error::CannotStore("the database can be read and not written").into()),
    }
}
