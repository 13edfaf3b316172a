//! `/find?q=`: from a word to its page. A developer types the code of a denial and reads what to do.

use super::layout::{Layout, Section};
use super::link;
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::store::Found;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// No name in Writ is longer.
const MAX_WORD: usize = 300;
/// Fewer characters of a commit id are not looked up.
const MIN_COMMIT: usize = 4;

/// The page for a word that names nothing.
#[derive(Template)]
#[template(path = "find.html")]
struct FindPage {
    layout: Layout,
    word: String,
}

/// What is looked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

/// `GET /find`.
pub(super) async fn show(_: Viewer, State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let word: String = asked.q.trim().chars().take(MAX_WORD).collect();
    if let Some(address) = address(&app, &word).await? {
        return Ok(Redirect::to(&address).into_response());
    }
    let layout = Layout::new(&app, Section::Elsewhere);
    Ok(super::html(&FindPage { layout, word })?.into_response())
}

async fn address(app: &App, word: &str) -> Result<Option<String>, Failure> {
    if word.is_empty() {
        return Ok(Some("/policies".to_owned()));
    }
    match app.store.find(word).await? {
        Some(Found::Policy(name)) => return Ok(Some(link::policy(&name))),
        Some(Found::Namespace(name)) => return Ok(Some(link::namespace(&name))),
        Some(Found::Cluster(name)) => return Ok(Some(link::cluster(&name))),
        None => {}
    }
    let may_be_commit = word.len() >= MIN_COMMIT && word.chars().all(|c| c.is_ascii_hexdigit());
    if !may_be_commit {
        return Ok(None);
    }
    let row = app.store.revision_by_start(&word.to_lowercase()).await?;
    Ok(row.map(|row| link::revision(&row.revision)))
}
