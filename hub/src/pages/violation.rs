//! `/violations/{id}`: one violation with its life. The address stays when it is fixed and opens again.

use super::layout::{Layout, Section};
use super::link;
use super::violations::{reason, short};
use crate::access::Viewer;
use crate::api::Path;
use crate::app::App;
use crate::failure::{Error, Failure};
use crate::store::{FailureItem, FailureQuery, RevisionRow, ViolationEvent, ViolationRow};
use askama::Template;
use axum::extract::State;
use axum::response::Html;

/// Events of its life that are shown; the newest.
const EVENTS: i64 = 50;
/// Failures in reviews of the same policy, cluster and namespace that are looked through, and shown.
const FAILURES: usize = 5;

/// The page.
#[derive(Template)]
#[template(path = "violation.html")]
struct ViolationPage {
    layout: Layout,
    violation: ViolationRow,
    events: Vec<ViolationEvent>,
    /// The revision with which it began, when the hub served it.
    opener: Option<RevisionRow>,
    failures: Vec<FailureItem>,
}

/// `GET /violations/{id}`.
pub(super) async fn show(_: Viewer, State(app): State<App>, Path(id): Path<String>) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Violations);
    let absent = || Error::Absent(format!("violation {:?}", id.chars().take(80).collect::<String>()));
    let id = uuid::Uuid::try_parse(&id).map_err(|_| absent())?.to_string();
    let violation = app.store.violation(&id).await?.ok_or_else(absent)?;
    let query = FailureQuery {
        cluster: Some(violation.cluster.clone()),
        namespace: Some(violation.namespace.clone()),
        policy: Some(violation.policy.clone()),
        workload: Some(violation.workload.clone()),
        limit: FAILURES as i64,
        ..FailureQuery::default()
    };
    let (events, opener, failures) = tokio::try_join!(
        app.store.violation_events(&id, EVENTS),
        app.store.revision_row(&violation.opened_revision),
        app.store.failure_page(&query)
    )?;
    super::html(&ViolationPage { layout, violation, events, opener, failures: failures.rows })
}

impl ViolationPage {
    fn is_open(&self) -> bool {
        self.violation.fixed_at.is_none()
    }
}

/// What happened, for people.
fn event_label(event: &ViolationEvent) -> String {
    match event.event.as_str() {
        "opened" => "Seen for the first time".to_owned(),
        "reopened" => "Seen again after it was fixed".to_owned(),
        "fixed" => format!("Fixed: {}", reason(&event.reason)),
        other => other.to_owned(),
    }
}
