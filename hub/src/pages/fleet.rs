//! `/`: which clusters enforce the newest revision, how many reviews fail, and where it hurts most.

use super::chart::Chart;
use super::empty::Enrolling;
use super::figure::{Change, Share, Wish};
use super::layout::{Layout, Section};
use super::link;
use super::member::{self, Cluster};
use super::period::{Chosen, Period};
use crate::access::Viewer;
use crate::api::Query;
use crate::app::{App, SourceState};
use crate::failure::Failure;
use crate::movement::{Mover, explain};
use crate::status::ClusterState;
use crate::store::{self, BreakGlassRow, NamespaceRow, RevisionLine, RevisionRow, Trend};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Html;
use std::sync::Arc;
use writ_policy::Diagnostic;

/// Length of the lists of the worst.
const WORST: i64 = 6;
/// Clusters on this page, those first that need a person; `/clusters` has all.
const CLUSTERS: usize = 20;

/// The page.
#[derive(Template)]
#[template(path = "fleet.html")]
struct FleetPage {
    layout: Layout,
    period: Period,
    enrolling: Enrolling,
    served: Option<RevisionLine>,
    refused: Vec<RefusedHead>,
    source_state: Arc<SourceState>,
    clusters: Vec<Cluster>,
    /// How many clusters there are in each state, and how many of them enforce what they should.
    states: Vec<(String, usize)>,
    enforcing: i64,
    all: i64,
    shows_all: bool,
    suspended: Vec<BreakGlassRow>,
    sums: NamespaceRow,
    chart: Chart,
    policies: Vec<Mover>,
    namespaces: Vec<Mover>,
}

/// The newest commit, when it was found bad.
struct RefusedHead {
    row: RevisionRow,
    diagnostics: Vec<Diagnostic>,
}

/// `GET /`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(Chosen { period }): Query<Chosen>,
    headers: HeaderMap,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Fleet);
    let window = period.window(layout.now);
    let store = &app.store;
    let served = store.served_line().await?;
    let revision = served.as_ref().map_or("", |line| line.revision.as_str());
    let source_state = app.source_state.load_full();
    let refused = heads(&app, &source_state).await?.into_iter().filter_map(RefusedHead::of).collect();
    let (sums, policies, namespaces, chart, mut clusters) = tokio::try_join!(
        store.fleet_row(window),
        store.policy_rows(revision, window, WORST),
        store.namespace_rows(window, WORST, 0),
        Chart::load(&app, "failing reviews", period, layout.now, Trend::Fleet),
        clusters_of(&app, layout.now)
    )?;
    let mut policies = failing(policies.into_iter().map(Mover::from));
    let mut namespaces = failing(namespaces.into_iter().map(Mover::namespace));
    let (states, all) = (member::states(&clusters), clusters.len() as i64);
    let enforcing = clusters.iter().filter(|cluster| cluster.is_enforcing()).count() as i64;
    let shows_all = clusters.len() <= CLUSTERS;
    clusters.truncate(CLUSTERS);
    let (.., suspended) = tokio::try_join!(
        explain(store, policies.iter_mut(), window),
        explain(store, namespaces.iter_mut(), window),
        member::fill(&app, &mut clusters, layout.now),
        store.break_glass_open(layout.now)
    )?;
    let enrolling = Enrolling::of(&headers);
    super::html(&FleetPage {
        layout,
        period,
        enrolling,
        served,
        refused,
        source_state,
        clusters,
        states,
        enforcing,
        all,
        shows_all,
        suspended,
        sums,
        chart,
        policies,
        namespaces,
    })
}

fn failing(movers: impl Iterator<Item = Mover>) -> Vec<Mover> {
    movers.filter(|mover| mover.after.failing > 0).collect()
}

/// All clusters, who needs a person first; without their reviews yet.
async fn clusters_of(app: &App, now: i64) -> store::Result<Vec<Cluster>> {
    let (rows, since) = tokio::try_join!(app.store.status(), app.store.enforcing_since())?;
    let mut clusters = Cluster::all(rows, &since, now);
    clusters.sort_by(|a, b| (a.urgency(), &a.row.name).cmp(&(b.urgency(), &b.row.name)));
    Ok(clusters)
}

/// The commits that the branches point to; the newest that was seen, as long as nobody looked.
async fn heads(app: &App, state: &SourceState) -> Result<Vec<RevisionRow>, Failure> {
    if state.head.is_none() {
        return Ok(app.store.revision_rows(None, 1).await?);
    }
    let mut rows = vec![];
    for head in state.all().filter_map(|(_, state)| state.head.as_ref()) {
        rows.extend(app.store.revision_row(head.as_str()).await?);
    }
    Ok(rows)
}

/// What the elements about a source are called by: nothing for the first.
fn mark(source: &str) -> String {
    if source.is_empty() { String::new() } else { format!("-{source}") }
}

impl FleetPage {
    fn address(&self) -> &'static str {
        "/"
    }

    fn reviews_change(&self) -> Change {
        self.sums.reviews_change()
    }

    fn denied_share(&self) -> Share {
        Share { part: self.sums.denied, whole: self.sums.reviews }
    }

    /// Length of a bar in a list of the worst, in per cent of the longest.
    fn length(&self, value: &i64, list: &[Mover]) -> i64 {
        value * 100 / list.first().map_or(1, |mover| mover.after.failing.max(1))
    }
}

impl RefusedHead {
    /// The head, unless it is served.
    fn of(row: RevisionRow) -> Option<Self> {
        if !row.is_refused() {
            return None;
        }
        let mut diagnostics: Vec<Diagnostic> = serde_json::from_str(&row.diagnostics).unwrap_or_default();
        diagnostics.retain(Diagnostic::is_error);
        Some(Self { row, diagnostics })
    }

    fn mark(&self) -> String {
        mark(&self.row.source)
    }

    fn first(&self) -> &[Diagnostic] {
        &self.diagnostics[..self.diagnostics.len().min(3)]
    }
}

impl Cluster {
    fn change(&self) -> Change {
        Change::new(self.sums.failing, self.sums.failing_before, Wish::Less)
    }
}
