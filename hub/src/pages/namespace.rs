//! `/namespaces/{name}`: one namespace, its trend, and the policies that fail in it.

use super::chart::Chart;
use super::layout::{Layout, Section};
use super::link;
use super::period::{Chosen, Period};
use crate::access::Viewer;
use crate::api::{Path, Query};
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::{FailureItem, FailureQuery, NamespaceRow, PolicyRow, Spread, Trend};
use askama::Template;
use axum::extract::State;
use axum::response::Html;

/// Length of the lists.
const WORST: i64 = 12;
/// How many of the latest failures are shown.
const LATEST: i64 = 8;

/// The page.
#[derive(Template)]
#[template(path = "namespace.html")]
struct NamespacePage {
    layout: Layout,
    period: Period,
    row: NamespaceRow,
    chart: Chart,
    policies: Vec<PolicyRow>,
    clusters: Vec<Spread>,
    failures: Vec<FailureItem>,
}

/// `GET /namespaces/{name}`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Path(word): Path<String>,
    Query(Chosen { period }): Query<Chosen>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Namespaces);
    let name = link::namespace_name(&word);
    let window = period.window(layout.now);
    let latest = FailureQuery { namespace: Some(name.to_owned()), limit: LATEST, ..FailureQuery::default() };
    let (row, policies, clusters, failures, chart) = tokio::try_join!(
        app.store.namespace_row(name, window),
        app.store.namespace_policies(name, window, WORST),
        app.store.namespace_clusters(name, window, WORST),
        app.store.failure_page(&latest),
        Chart::load(&app, "failing reviews", period, layout.now, Trend::Namespace(name))
    )?;
    let row = match row {
        Some(row) => row,
        None => quiet(&app, name).await?,
    };
    let failures = failures.rows;
    super::html(&NamespacePage { layout, period, row, chart, policies, clusters, failures })
}

/// A namespace that is known but had no review lately.
async fn quiet(app: &App, name: &str) -> Result<NamespaceRow, Failure> {
    match app.store.find_namespace(name).await? {
        Some(name) => Ok(NamespaceRow {
            name,
            reviews: 0,
            failing: 0,
            denied: 0,
            reviews_before: 0,
            failing_before: 0,
            denied_before: 0,
        }),
        None => {
            Err(Error::Absent(format!("namespace {:?} in any report", name.chars().take(80).collect::<String>()))
                .into())
        }
    }
}

impl NamespacePage {
    fn address(&self) -> String {
        link::namespace(&self.row.name)
    }

    fn since(&self) -> &'static str {
        self.period.as_str()
    }

    /// Length of a bar in per cent of the longest.
    fn length(&self, value: &i64) -> i64 {
        let longest = self.policies.first().map_or(1, |policy| policy.failing.max(1));
        value * 100 / longest
    }
}
