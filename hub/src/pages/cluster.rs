//! `/clusters/{name}`: one cluster: what it enforces, its trend, and the policies and namespaces that fail in it.

use super::chart::Chart;
use super::layout::{Layout, Section};
use super::link;
use super::member::Cluster;
use super::period::{Chosen, Period};
use crate::access::Viewer;
use crate::api::{Path, Query};
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::movement::{Mover, Subject, explain};
use crate::status::ClusterState;
use crate::store::{AuditRow, BreakGlassRow, ClusterRow, FailureItem, FailureQuery, Trend};
use askama::Template;
use axum::extract::State;
use axum::response::Html;
use writ_policy::wire::UnseenKind;

/// Length of the lists.
const WORST: i64 = 12;
/// How many of the latest failures are shown.
const LATEST: i64 = 8;

/// The page.
#[derive(Template)]
#[template(path = "cluster.html")]
struct ClusterPage {
    layout: Layout,
    period: Period,
    cluster: Cluster,
    row: ClusterRow,
    mover: Mover,
    chart: Chart,
    policies: Vec<Mover>,
    namespaces: Vec<Mover>,
    failures: Vec<FailureItem>,
    suspended: Vec<BreakGlassRow>,
    audit: Option<LastAudit>,
}

/// When existing objects were last looked at, all of them.
struct LastAudit {
    row: AuditRow,
    unseen: Vec<UnseenKind>,
}

impl LastAudit {
    fn new(row: AuditRow) -> Self {
        // The hub wrote the column itself; what does not parse is shown as nothing rather than as an error page.
        Self { unseen: serde_json::from_str(&row.unseen).unwrap_or_default(), row }
    }
}

/// `GET /clusters/{name}`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(Chosen { period }): Query<Chosen>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Clusters);
    let (window, store) = (period.window(layout.now), &app.store);
    let absent = || Error::Absent(format!("cluster {:?}", name.chars().take(80).collect::<String>()));
    let status = store.status_of(&name).await?.ok_or_else(absent)?;
    let since = store.enforcing_since().await?;
    let cluster = Cluster::all(vec![status], &since, layout.now).pop().ok_or_else(absent)?;
    let latest = FailureQuery { cluster: Some(name.clone()), limit: LATEST, ..FailureQuery::default() };
    let (suspended, audit, row, policies, namespaces, failures, chart) = tokio::try_join!(
        store.break_glass_open(layout.now),
        store.last_audit(&name),
        store.cluster_row(&name, window),
        store.cluster_policies(&name, window, WORST),
        store.cluster_namespaces(&name, window, WORST),
        store.failure_page(&latest),
        Chart::load(&app, "failing reviews", period, layout.now, Trend::Cluster(&name))
    )?;
    let policies = policies.into_iter().map(Mover::from).collect();
    let namespaces = namespaces.into_iter().map(|row| Mover::spread(row, Subject::Namespace)).collect();
    let row = row.unwrap_or_else(|| ClusterRow { name: name.clone(), ..ClusterRow::default() });
    let mut mover = [Mover::cluster(row.clone())];
    explain(store, mover.iter_mut(), window).await?;
    let [mover] = mover;
    let failures = failures.rows;
    let suspended = suspended.into_iter().filter(|glass| glass.cluster == name).collect();
    let audit = audit.map(LastAudit::new);
    super::html(&ClusterPage {
        layout,
        period,
        cluster,
        row,
        mover,
        chart,
        policies,
        namespaces,
        failures,
        suspended,
        audit,
    })
}

impl ClusterPage {
    fn address(&self) -> String {
        link::cluster(&self.row.name)
    }

    /// Length of a bar in per cent of the longest.
    fn length(&self, value: &i64) -> i64 {
        value * 100 / self.policies.first().map_or(1, |policy| policy.after.failing.max(1))
    }
}
