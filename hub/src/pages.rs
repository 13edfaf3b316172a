//! The pages that people look at. A page is a struct, its handler and the template of the same name under
//! `web/templates`; what it reads is in `store::pages`. Only this module names askama. Everything that a repository or
//! an agent said is escaped by the templates; nothing here is trusted to be short, polite or left-to-right.

mod assets;
mod change;
mod changes;
mod chart;
mod cluster;
pub(crate) mod clusters;

mod empty;
mod failure;
mod failures;
mod figure;
mod find;
mod fleet;
mod layout;
mod link;
mod login;
mod markdown;
mod matrix;
mod member;
mod mover;
mod namespace;
mod namespaces;
mod period;
mod policies;
mod policy;
mod revision;
mod revisions;
pub(crate) mod rollouts;
mod spark;
mod violation;
mod violations;
mod when;

use crate::app::App;
use crate::failure::Failure;
use axum::Router;
use axum::middleware::from_fn;
use axum::response::Html;
use axum::routing::get;

/// The routes of all pages.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(fleet::show))
        .route("/policies", get(policies::show))
        .route("/policies/{name}", get(policy::show))
        .route("/namespaces", get(namespaces::show))
        .route("/namespaces/{name}", get(namespace::show))
        .route("/clusters", get(clusters::show))
        .route("/clusters/{name}", get(cluster::show))
        .route("/violations", get(violations::show))
        .route("/violations/{id}", get(violation::show))
        .route("/changes", get(changes::show))
        .route("/failures", get(failures::show))
        .route("/revisions", get(revisions::show))
        .route("/revisions/{revision}", get(revision::show))
        .route("/rollouts", get(rollouts::show))
        .route("/find", get(find::show))
        .route("/login", get(login::show))
        .route("/favicon.ico", get(assets::icon))
        .route("/static/{file}", get(assets::serve))
        .fallback(failure::absent)
}

/// The routes with a page for what is absent or went wrong.
pub fn with_failures(routes: Router<App>) -> Router<App> {
    routes.layer(from_fn(failure::show_as_page))
}

/// The page as an answer.
fn html(page: &impl askama::Template) -> Result<Html<String>, Failure> {
    Ok(Html(page.render().map_err(|error| anyhow::Error::new(error).context("rendering a page"))?))
}
