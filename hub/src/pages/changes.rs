//! `/changes`: which policies, namespaces and clusters got better or worse since a revision or a date.

use super::layout::{Layout, Section};
use super::link;
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::movement::{Moved, Mover, Since, Subject};
use crate::store::RevisionLine;
use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;

/// Length of each list.
const LISTED: usize = 10;
/// Revisions that can be picked.
const CHOICES: i64 = 100;

/// The page.
#[derive(Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    layout: Layout,
    asked: Asked,
    since: Option<Since>,
    /// What could not be understood.
    unknown: bool,
    revisions: Vec<RevisionLine>,
    policies: Vec<String>,
    lists: Vec<List>,
}

/// One kind of subject.
struct List {
    id: &'static str,
    title: &'static str,
    moved: Moved,
}

/// What is asked for, as the address has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// A commit, a date, or nothing for the revision that is served.
    since: String,
    /// Only where this policy judges.
    policy: String,
}

/// `GET /changes`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Changes);
    let store = &app.store;
    let (mut revisions, policies) = tokio::try_join!(
        store.revisions_served(layout.now - Since::FURTHEST_MS, layout.now + 1, CHOICES),
        store.served_policy_names(500)
    )?;
    revisions.reverse();
    let since = Since::find(store, &asked.since, layout.now).await?;
    let lists = match &since {
        Some(since) => lists(&app, since, asked.policy.trim()).await?,
        None => Vec::new(),
    };
    let unknown = since.is_none() && !asked.since.is_empty();
    super::html(&ChangesPage { layout, asked, since, unknown, revisions, policies, lists })
}

async fn lists(app: &App, since: &Since, policy: &str) -> Result<Vec<List>, Failure> {
    let store = &app.store;
    let list = |id, title, moved| List { id, title, moved };
    if policy.is_empty() {
        let (policies, namespaces, clusters) = tokio::try_join!(
            since.policies(store, LISTED),
            since.namespaces(store, LISTED),
            since.clusters(store, LISTED)
        )?;
        let policies = list("policies", "Policies", policies);
        return Ok(vec![
            policies,
            list("namespaces", "Namespaces", namespaces),
            list("clusters", "Clusters", clusters),
        ]);
    }
    let (namespaces, clusters) =
        tokio::try_join!(since.namespaces_of(store, policy, LISTED), since.clusters_of(store, policy, LISTED))?;
    let namespaces = list("namespaces", "Namespaces that it judges in", namespaces);
    Ok(vec![namespaces, list("clusters", "Clusters that it judges in", clusters)])
}

impl List {
    /// Both ways, those that got worse first.
    fn halves(&self) -> [(&'static str, &'static str, &[Mover]); 2] {
        [("worse", "Worse", &self.moved.worse), ("better", "Better", &self.moved.better)]
    }
}

impl ChangesPage {
    /// Where this policy moved, for a row of policies.
    fn narrowed(&self, mover: &Mover) -> Option<String> {
        match &mover.subject {
            Subject::Policy(name) => Some(link::changes(&[("since", &self.asked.since), ("policy", name)])),
            _ => None,
        }
    }

    fn has_nothing(&self) -> bool {
        self.lists.iter().all(|list| list.moved.is_empty())
    }
}
