//! `GET /login`: the form for the admin token. What becomes of it is `api::session`.

use super::layout::Layout;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The page.
#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    layout: Layout,
    next: String,
    has_failed: bool,
}

/// What the address carries.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
    failed: Option<String>,
}

/// `GET /login`.
pub(super) async fn show(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    if !app.access.asks_for_token() {
        return Ok(Redirect::to("/").into_response());
    }
    let has_failed = asked.failed.is_some();
    let page: Html<String> = super::html(&LoginPage { layout: Layout::bare(app.now()), next: asked.next, has_failed })?;
    Ok(page.into_response())
}
