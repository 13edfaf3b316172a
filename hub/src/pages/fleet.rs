//! `/`: which clusters enforce the newest revision, how many reviews fail, and where it hurts most.

use super::chart::Chart;
use super::cluster::{Cluster, State, Sums};
use super::empty::Enrolling;
use super::figure::{Change, Share, Wish};
use super::layout::{Layout, Section};
use super::link;
use super::period::Period;
use crate::access::Viewer;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{NamespaceRow, PolicyRow, RevisionLine, RevisionRow, Trend};
use askama::Template;
use axum::extract::State as From;
use axum::http::HeaderMap;
use axum::response::Html;
use writ_policy::Diagnostic;

/// More clusters than this are counted, not listed.
const MAX_CLUSTERS: i64 = 2_000;
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
pub(super) async fn show(_: Viewer, From(app): From<App>, headers: HeaderMap) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Fleet);
    let window = Period::Hour.window(layout.now);
    let store = &app.store;
    let served = store.served_line().await?;
    let revision = served.as_ref().map_or("", |line| line.revision.as_str());
    let refused = store.revision_rows(None, 1).await?.pop().and_then(RefusedHead::of);
    let (rows, slots) = tokio::try_join!(store.fleet(MAX_CLUSTERS), store.review_slots(window))?;
    let (policies, namespaces) =
        tokio::try_join!(store.policy_rows(revision, window, WORST), store.namespace_rows(window, WORST))?;
    let chart = Chart::load(&app, "failing reviews", Period::Hour, layout.now, Trend::Fleet).await?;

    let mut clusters: Vec<Cluster> = rows.into_iter().map(|row| Cluster::new(row, layout.now)).collect();
    let mut sums = Sums::default();
    for slot in &slots {
        sums.add(slot);
        if let Some(cluster) = clusters.iter_mut().find(|cluster| cluster.row.id == slot.cluster_id) {
            cluster.add(slot);
        }
    }
    clusters.sort_by(|a, b| (a.state, &a.row.name).cmp(&(b.state, &b.row.name)));
    let policies = policies.into_iter().filter(|policy| policy.failing > 0).collect();
    let namespaces = namespaces.into_iter().filter(|namespace| namespace.failing > 0).collect();
    let enrolling = Enrolling::of(&headers);
    super::html(&FleetPage { layout, enrolling, served, refused, clusters, sums, chart, policies, namespaces })
}

impl FleetPage {
    fn enforcing(&self) -> usize {
        self.clusters.iter().filter(|cluster| cluster.state == State::Enforcing).count()
    }

    /// How many clusters are in each state that there is.
    fn states(&self) -> Vec<(State, usize)> {
        let count = |state| self.clusters.iter().filter(|cluster| cluster.state == state).count();
        State::ALL.into_iter().map(|state| (state, count(state))).filter(|(_, count)| *count > 0).collect()
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
        if row.is_served() {
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
