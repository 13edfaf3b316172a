//! `/policies/{name}`: one policy, what it wants, where it fails, and since when. A code leads here too.

use super::chart::Chart;
use super::figure::{Change, Share, Wish};
use super::layout::{Layout, Section};
use super::period::{Chosen, Period};
use super::{link, markdown};
use crate::access::Viewer;
use crate::api::{Path, Query};
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::{FailureItem, FailureQuery, PolicyPage as Facts, Spread, Trend};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

/// Length of the lists beside the trend.
const WORST: i64 = 8;
/// How many of the latest failures are shown.
const LATEST: i64 = 8;

/// The page.
#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    layout: Layout,
    period: Period,
    facts: Facts,
    kinds: Vec<String>,
    is_served: bool,
    documentation: String,
    sums: Sums,
    chart: Chart,
    namespaces: Vec<Spread>,
    clusters: Vec<Spread>,
    failures: Vec<FailureItem>,
}

/// Evaluations in both spans.
#[derive(Default)]
struct Sums {
    judged: i64,
    failing: i64,
    denied: i64,
    exempted: i64,
    judged_before: i64,
    failing_before: i64,
    denied_before: i64,
}

/// `GET /policies/{name}`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Path(word): Path<String>,
    Query(Chosen { period }): Query<Chosen>,
) -> Result<Response, Failure> {
    let layout = Layout::new(&app, Section::Policies);
    let store = &app.store;
    let Some(name) = store.find_policy(&word).await? else { return Err(Error::Absent(unknown(&word)).into()) };
    if name != word {
        return Ok(Redirect::to(&link::policy(&name)).into_response());
    }
    let served = store.served_line().await?.map(|line| line.revision).unwrap_or_default();
    let facts = store.policy_page(&name, &served).await?.ok_or_else(|| Error::Absent(unknown(&word)))?;
    let window = period.window(layout.now);
    let latest = FailureQuery { policy: Some(name.clone()), limit: LATEST, ..FailureQuery::default() };
    let (sums, namespaces, clusters, failures, chart) = tokio::try_join!(
        store.policy_row(&name, window),
        store.policy_namespaces(&name, window, WORST),
        store.policy_clusters(&name, window, WORST),
        store.failure_page(&latest),
        Chart::load(&app, "failures", period, layout.now, Trend::Policy(&name))
    )?;
    let sums = sums.map(Sums::from).unwrap_or_default();
    let failures = failures.rows;
    let page = PolicyPage {
        is_served: facts.revision == served,
        kinds: serde_json::from_str(&facts.kinds).unwrap_or_default(),
        documentation: markdown::render(&facts.page),
        layout,
        period,
        facts,
        sums,
        chart,
        namespaces,
        clusters,
        failures,
    };
    Ok(super::html(&page)?.into_response())
}

fn unknown(word: &str) -> String {
    format!("policy with the name or code {:?}", word.chars().take(80).collect::<String>())
}

impl PolicyPage {
    fn address(&self) -> String {
        link::policy(&self.facts.name)
    }

    fn since(&self) -> &'static str {
        self.period.as_str()
    }
}

impl Sums {
    fn share(&self) -> Share {
        Share { part: self.failing, whole: self.judged }
    }

    fn share_before(&self) -> Share {
        Share { part: self.failing_before, whole: self.judged_before }
    }

    fn judged_change(&self) -> Change {
        Change::new(self.judged, self.judged_before, Wish::Neither)
    }

    fn failing_change(&self) -> Change {
        Change::new(self.failing, self.failing_before, Wish::Less)
    }

    fn denied_change(&self) -> Change {
        Change::new(self.denied, self.denied_before, Wish::Less)
    }
}

impl From<crate::store::PolicyRow> for Sums {
    fn from(row: crate::store::PolicyRow) -> Self {
        Self {
            judged: row.judged,
            failing: row.failing,
            denied: row.denied,
            exempted: row.exempted,
            judged_before: row.judged_before,
            failing_before: row.failing_before,
            denied_before: row.denied_before,
        }
    }
}

impl Spread {
    pub(super) fn change(&self) -> Change {
        Change::new(self.failing, self.failing_before, Wish::Less)
    }

    pub(super) fn share(&self) -> Share {
        Share { part: self.failing, whole: self.judged }
    }
}
