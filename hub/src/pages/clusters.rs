//! `/clusters`: every cluster with its state, what it enforces, and how its reviews end, now and before.

use super::figure::Share;
use super::layout::{Layout, Section};
use super::link;
use super::member::{self, Cluster};
use super::period::Period;
use crate::access::{Admin, Viewer};
use crate::api::{Query, enrollments};
use crate::app::App;
use crate::failure::Failure;
use crate::movement::Mover;
use crate::store::AskingRow;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{Html, Redirect};
use serde::Deserialize;
use std::collections::HashMap;
use writ_policy::ClusterName;

/// Rows of one page.
const ROWS: usize = 50;
/// Clusters whose reviews are read.
const MAX_CLUSTERS: i64 = 100_000;

/// The page.
#[derive(Template)]
#[template(path = "clusters.html")]
struct ClustersPage {
    layout: Layout,
    period: Period,
    by: Order,
    states: Vec<(String, usize)>,
    clusters: Vec<(Cluster, Mover)>,
    asking: Vec<AskingRow>,
    skip: usize,
    next: Option<usize>,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Who needs a person.
    State,
    /// The most failing reviews.
    Failing,
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    period: Period,
    by: String,
    skip: String,
}

impl Default for Asked {
    fn default() -> Self {
        Self { period: Period::Day, by: String::new(), skip: String::new() }
    }
}

/// `GET /clusters`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(Asked { period, by, skip }): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Clusters);
    let by = if by == Order::Failing.as_str() { Order::Failing } else { Order::State };
    let (asking, statuses, since, reviews) = tokio::try_join!(
        app.store.asking(layout.now),
        app.store.status(),
        app.store.enforcing_since(),
        app.store.cluster_rows(period.window(layout.now), MAX_CLUSTERS, 0)
    )?;
    let clusters = Cluster::all(statuses, &since, layout.now);
    let states = member::states(&clusters);
    let mut reviews: HashMap<String, Mover> =
        reviews.into_iter().map(|row| (row.name.clone(), Mover::cluster(row))).collect();
    let mut clusters: Vec<(Cluster, Mover)> = clusters
        .into_iter()
        .map(|cluster| {
            let quiet =
                || Mover::cluster(crate::store::ClusterRow { name: cluster.row.name.clone(), ..Default::default() });
            let mover = reviews.remove(&cluster.row.name).unwrap_or_else(quiet);
            (cluster, mover)
        })
        .collect();
    clusters.sort_by(|(a, a_mover), (b, b_mover)| {
        let failing = b_mover.after.failing.cmp(&a_mover.after.failing);
        let urgency = a.urgency().cmp(&b.urgency());
        let first = if by == Order::Failing { failing.then(urgency) } else { urgency.then(failing) };
        first.then_with(|| a.row.name.cmp(&b.row.name))
    });
    let skip = skip.parse().unwrap_or(0).min(clusters.len());
    let next = (clusters.len() > skip + ROWS).then_some(skip + ROWS);
    let clusters = clusters.drain(skip..).take(ROWS).collect();
    super::html(&ClustersPage { layout, period, by, states, clusters, asking, skip, next })
}

/// The field of the form.
#[derive(Deserialize)]
pub(crate) struct Accept {
    cluster: ClusterName,
}

/// `POST /clusters/accept`: the button of an agent that asks was pressed.
pub(crate) async fn accept(_: Admin, State(app): State<App>, Form(form): Form<Accept>) -> Result<Redirect, Failure> {
    enrollments::accept_as(&app, &form.cluster, "the dashboard").await?;
    Ok(Redirect::to("/clusters"))
}

impl Order {
    fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Failing => "failing",
        }
    }
}

impl ClustersPage {
    fn address(&self) -> &'static str {
        "/clusters"
    }

    fn first(&self, by: &Order) -> String {
        format!("/clusters?period={}&by={}", self.period.as_str(), by.as_str())
    }

    fn page(&self, skip: &usize) -> String {
        format!("{}&skip={skip}", self.first(&self.by))
    }
}

/// The share that is denied.
fn denied(mover: &Mover) -> Share {
    Share { part: mover.denied, whole: mover.after.judged }
}
