//! `/revisions`: every commit that the hub saw, what it was found to be, and who enforces it.

use super::layout::{Layout, Section};
use super::link;
use super::member::Cluster;
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::store::RevisionRow;
use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;
use writ_policy::Diagnostic;

/// Rows of one page.
const ROWS: usize = 40;
/// Clusters that are named in a row; more are counted.
const NAMED: usize = 4;

/// The page.
#[derive(Template)]
#[template(path = "revisions.html")]
struct RevisionsPage {
    layout: Layout,
    revisions: Vec<Revision>,
    is_first_page: bool,
    older: Option<i64>,
}

/// A revision and the clusters that enforce it.
struct Revision {
    row: RevisionRow,
    is_now_served: bool,
    errors: Vec<Diagnostic>,
    warnings: usize,
    enforced_by: Vec<Enforcer>,
}

/// A cluster, since when it enforces a revision, and whether it said so lately.
struct Enforcer {
    cluster: String,
    active_at: i64,
    is_offline: bool,
}

/// Where the page begins.
#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<i64>,
}

/// `GET /revisions`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Revisions);
    let (served, mut rows, statuses, since) = tokio::try_join!(
        app.store.served_line(),
        app.store.revision_rows(asked.before, ROWS as i64 + 1),
        app.store.status(),
        app.store.enforcing_since()
    )?;
    let has_more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let older = rows.last().filter(|_| has_more).map(|row| row.id);
    let clusters = Cluster::all(statuses, &since, layout.now);
    let now_served = served.as_ref().map(|line| line.revision.as_str());
    let revisions = rows.into_iter().map(|row| Revision::new(row, now_served, &clusters)).collect();
    super::html(&RevisionsPage { layout, revisions, is_first_page: asked.before.is_none(), older })
}

impl Revision {
    fn new(row: RevisionRow, now_served: Option<&str>, clusters: &[Cluster]) -> Self {
        let diagnostics: Vec<Diagnostic> = serde_json::from_str(&row.diagnostics).unwrap_or_default();
        let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(Diagnostic::is_error);
        let enforces = |cluster: &&Cluster| cluster.row.active_revision.as_deref() == Some(row.revision.as_str());
        let enforced_by = clusters.iter().filter(enforces).map(Enforcer::new).collect();
        let is_now_served = now_served == Some(row.revision.as_str());
        Self { is_now_served, errors, warnings: warnings.len(), enforced_by, row }
    }

    fn named(&self) -> &[Enforcer] {
        &self.enforced_by[..self.enforced_by.len().min(NAMED)]
    }

    fn not_named(&self) -> usize {
        self.enforced_by.len().saturating_sub(NAMED)
    }
}

impl RevisionRow {
    /// What the check made of it, for people.
    pub(super) fn check_label(&self) -> &'static str {
        match self.state.as_str() {
            "served" => "Good",
            "refused" => "Refused",
            _ => "Passed over",
        }
    }
}

impl Enforcer {
    fn new(cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.row.name.clone(),
            active_at: cluster.since.unwrap_or_default(),
            is_offline: cluster.is_unheard(),
        }
    }
}
