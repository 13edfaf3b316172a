//! `/namespaces`: which policies fail in which namespace.

use super::change::verdict;
use super::figure::{Change, Share, Wish};
use super::layout::{Layout, Section};
use super::link;
use super::matrix::Matrix;
use super::period::Period;
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::movement::Rate;
use crate::store::NamespaceRow;
use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;

/// Rows of one page; the namespaces with the most failing reviews come first.
const ROWS: i64 = 40;
/// Further than this nobody pages; a name is found by the search.
const MAX_SKIPPED: i64 = 100_000;
/// Policies that are told as columns or as left out.
const MAX_POLICIES: i64 = 1_000;

/// The page.
#[derive(Template)]
#[template(path = "namespaces.html")]
struct NamespacesPage {
    layout: Layout,
    period: Period,
    namespaces: Vec<NamespaceRow>,
    /// Where this page and the next begin.
    skip: i64,
    next: Option<i64>,
    matrix: Matrix,
}

/// What is asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    period: Period,
    #[serde(default)]
    skip: String,
}

/// `GET /namespaces`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(Asked { period, skip }): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Namespaces);
    let window = period.window(layout.now);
    let served = app.store.served_line().await?.map(|line| line.revision).unwrap_or_default();
    let skip = skip.parse().unwrap_or(0).clamp(0, MAX_SKIPPED);
    let (mut namespaces, policies) = tokio::try_join!(
        app.store.namespace_rows(window, ROWS + 1, skip),
        app.store.policy_rows(&served, window, MAX_POLICIES)
    )?;
    let next = (namespaces.len() as i64 > ROWS).then_some(skip + ROWS);
    namespaces.truncate(ROWS as usize);
    let mut matrix = Matrix::new(&policies);
    let rows: Vec<&str> = namespaces.iter().map(|row| row.name.as_str()).collect();
    let cells = app.store.namespace_cells(window, &rows, &matrix.policies()).await?;
    matrix.fill(cells);
    super::html(&NamespacesPage { layout, period, namespaces, skip, next, matrix })
}

impl NamespacesPage {
    fn address(&self) -> &'static str {
        "/namespaces"
    }
}

impl NamespaceRow {
    pub(super) fn label(&self) -> &str {
        link::namespace_label(&self.name)
    }

    pub(super) fn share(&self) -> Share {
        Share { part: self.failing, whole: self.reviews }
    }

    pub(super) fn share_before(&self) -> Share {
        Share { part: self.failing_before, whole: self.reviews_before }
    }

    pub(super) fn rate(&self) -> Rate {
        Rate { judged: self.reviews, failing: self.failing }
    }

    pub(super) fn rate_before(&self) -> Rate {
        Rate { judged: self.reviews_before, failing: self.failing_before }
    }

    /// Whether the share of failures got better or worse.
    pub(super) fn rate_class(&self) -> &'static str {
        verdict(self.rate_before(), self.rate())
    }

    pub(super) fn change(&self) -> Change {
        Change::new(self.failing, self.failing_before, Wish::Less)
    }

    pub(super) fn reviews_change(&self) -> Change {
        Change::new(self.reviews, self.reviews_before, Wish::Neither)
    }

    pub(super) fn denied_change(&self) -> Change {
        Change::new(self.denied, self.denied_before, Wish::Less)
    }
}
