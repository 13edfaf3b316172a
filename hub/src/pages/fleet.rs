//! `/`: which clusters enforce the newest revision, how many reviews fail, and where it hurts most.

use super::chart::Chart;
use super::cluster::{self, Cluster, Sums};
use super::empty::Enrolling;
use super::figure::{Change, Share, Wish};
use super::layout::{Layout, Section};
use super::link;
use super::period::Period;
use crate::access::Viewer;
use crate::app::{App, SourceState};
use crate::failure::Failure;
use crate::status::ClusterState;
use crate::store::{NamespaceRow, PolicyRow, RevisionLine, RevisionRow, Trend};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Html;
use std::sync::Arc;
use writ_policy::Diagnostic;

/// Length of the lists of the worst.
const WORST: i64 = 5;

/// The page.
#[derive(Template)]
#[template(path = "fleet.html")]
struct FleetPage {
    layout: Layout,
    enrolling: Enrolling,
    served: Option<RevisionLine>,
    refused: Option<RefusedHead>,
    source_state: Arc<SourceState>,
    clusters: Vec<Cluster>,
    sums: Sums,
    chart: Chart,
    policies: Vec<PolicyRow>,
    namespaces: Vec<NamespaceRow>,
}

/// The newest commit, when it was found bad.
struct RefusedHead {
    row: RevisionRow,
    diagnostics: Vec<Diagnostic>,
}

/// `GET /`.
pub(super) async fn show(_: Viewer, State(app): State<App>, headers: HeaderMap) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Fleet);
    let window = Period::Hour.window(layout.now);
    let store = &app.store;
    let served = store.served_line().await?;
    let revision = served.as_ref().map_or("", |line| line.revision.as_str());
    let source_state = app.source_state.load_full();
    let refused = head(&app, &source_state).await?.and_then(RefusedHead::of);
    let (rows, since, slots) = tokio::try_join!(store.status(), store.enforcing_since(), store.review_slots(window))?;
    let (policies, namespaces) =
        tokio::try_join!(store.policy_rows(revision, window, WORST), store.namespace_rows(window, WORST))?;
    let chart = Chart::load(&app, "failing reviews", Period::Hour, layout.now, Trend::Fleet).await?;

    let mut clusters = Cluster::all(rows, &since, layout.now);
    let mut sums = Sums::default();
    for slot in &slots {
        sums.add(slot);
        if let Ok(index) = clusters.binary_search_by(|cluster| cluster.row.name.cmp(&slot.cluster)) {
            clusters[index].add(slot);
        }
    }
    clusters.sort_by(|a, b| (a.urgency(), &a.row.name).cmp(&(b.urgency(), &b.row.name)));
    let policies = policies.into_iter().filter(|policy| policy.failing > 0).collect();
    let namespaces = namespaces.into_iter().filter(|namespace| namespace.failing > 0).collect();
    let enrolling = Enrolling::of(&headers);
    super::html(&FleetPage {
        layout,
        enrolling,
        served,
        refused,
        source_state,
        clusters,
        sums,
        chart,
        policies,
        namespaces,
    })
}

/// The commit that the branch points to; the newest that was seen, as long as nobody looked.
async fn head(app: &App, state: &SourceState) -> Result<Option<RevisionRow>, Failure> {
    Ok(match &state.head {
        Some(head) => app.store.revision_row(head.as_str()).await?,
        None => app.store.revision_rows(None, 1).await?.pop(),
    })
}

impl FleetPage {
    fn enforcing(&self) -> usize {
        self.clusters.iter().filter(|cluster| cluster.is_enforcing()).count()
    }

    /// How many clusters are in each state that there is.
    fn states(&self) -> Vec<(String, usize)> {
        let count = |state| self.clusters.iter().filter(|cluster| cluster.state == state).count();
        let states = ClusterState::ALL.into_iter().map(|state| (cluster::label(state).to_lowercase(), count(state)));
        states.filter(|(_, count)| *count > 0).collect()
    }

    fn reviews_change(&self) -> Change {
        Change::new(self.sums.reviews, self.sums.reviews_before, Wish::Neither)
    }

    fn failing_change(&self) -> Change {
        Change::new(self.sums.failing, self.sums.failing_before, Wish::Less)
    }

    fn denied_change(&self) -> Change {
        Change::new(self.sums.denied, self.sums.denied_before, Wish::Less)
    }

    fn failing_share(&self) -> Share {
        Share { part: self.sums.failing, whole: self.sums.reviews }
    }

    fn denied_share(&self) -> Share {
        Share { part: self.sums.denied, whole: self.sums.reviews }
    }

    /// Length of a bar in a list of the worst, in per cent of the longest.
    fn length(&self, value: &i64, longest: Option<i64>) -> i64 {
        value * 100 / longest.unwrap_or(1).max(1)
    }

    fn most_policy(&self) -> Option<i64> {
        self.policies.first().map(|policy| policy.failing)
    }

    fn most_namespace(&self) -> Option<i64> {
        self.namespaces.first().map(|namespace| namespace.failing)
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

    fn first(&self) -> &[Diagnostic] {
        &self.diagnostics[..self.diagnostics.len().min(3)]
    }
}

impl Cluster {
    fn change(&self) -> Change {
        Change::new(self.sums.failing, self.sums.failing_before, Wish::Less)
    }
}
