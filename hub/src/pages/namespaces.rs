//! `/namespaces`: which policies fail in which namespace.

use super::figure::{Change, Share, Wish};
use super::layout::{Layout, Section};
use super::link;
use super::matrix::Matrix;
use super::period::{Chosen, Period};
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::store::NamespaceRow;
use askama::Template;
use axum::extract::State;
use axum::response::Html;

/// Rows of the matrix; the namespaces with the most failing reviews come first.
const MAX_ROWS: i64 = 200;
/// Cells that are read.
const MAX_CELLS: i64 = 20_000;
/// Policies whose codes are known to the matrix.
const MAX_POLICIES: i64 = 1_000;

/// The page.
#[derive(Template)]
#[template(path = "namespaces.html")]
struct NamespacesPage {
    layout: Layout,
    period: Period,
    namespaces: Vec<NamespaceRow>,
    has_more: bool,
    matrix: Matrix,
}

/// `GET /namespaces`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(Chosen { period }): Query<Chosen>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Namespaces);
    let window = period.window(layout.now);
    let served = app.store.served_line().await?.map(|line| line.revision).unwrap_or_default();
    let (mut namespaces, cells, policies) = tokio::try_join!(
        app.store.namespace_rows(window, MAX_ROWS + 1),
        app.store.namespace_cells(window, MAX_CELLS),
        app.store.policy_rows(&served, window, MAX_POLICIES)
    )?;
    let has_more = namespaces.len() as i64 > MAX_ROWS;
    namespaces.truncate(MAX_ROWS as usize);
    let matrix = Matrix::new(cells, &policies);
    super::html(&NamespacesPage { layout, period, namespaces, has_more, matrix })
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
