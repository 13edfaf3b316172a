//! The pages that people look at.

use crate::app::App;
use axum::Router;

/// The routes of all pages.
pub fn router() -> Router<App> {
    Router::new()
}
