//! `/policies`: every policy with how often it fails, now and before.

use super::change::verdict;
use super::figure::{Change, Share, Wish};
use super::layout::{Layout, Section};
use super::link;
use super::period::{Chosen, Period};
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::movement::Rate;
use crate::store::{PolicyRow, RevisionLine};
use askama::Template;
use axum::extract::State;
use axum::response::Html;

/// A repository holds fewer in practice.
const MAX_POLICIES: i64 = 1_000;

/// The page.
#[derive(Template)]
#[template(path = "policies.html")]
struct PoliciesPage {
    layout: Layout,
    period: Period,
    served: Option<RevisionLine>,
    policies: Vec<PolicyRow>,
}

/// `GET /policies`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(Chosen { period }): Query<Chosen>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Policies);
    let served = app.store.served_line().await?;
    let revision = served.as_ref().map_or("", |line| line.revision.as_str());
    let policies = app.store.policy_rows(revision, period.window(layout.now), MAX_POLICIES).await?;
    super::html(&PoliciesPage { layout, period, served, policies })
}

impl PoliciesPage {
    fn address(&self) -> &'static str {
        "/policies"
    }

    /// Length of a bar in per cent of the longest.
    fn length(&self, value: &i64) -> i64 {
        let longest = self.policies.first().map_or(1, |policy| policy.failing.max(1));
        value * 100 / longest
    }
}

impl PolicyRow {
    pub(super) fn share(&self) -> Share {
        Share { part: self.failing, whole: self.judged }
    }

    pub(super) fn share_before(&self) -> Share {
        Share { part: self.failing_before, whole: self.judged_before }
    }

    pub(super) fn rate(&self) -> Rate {
        Rate { judged: self.judged, failing: self.failing }
    }

    pub(super) fn rate_before(&self) -> Rate {
        Rate { judged: self.judged_before, failing: self.failing_before }
    }

    /// Whether the share of failures got better or worse.
    pub(super) fn rate_class(&self) -> &'static str {
        verdict(self.rate_before(), self.rate())
    }

    /// How far the share of failures moved, in per cent; a share of nothing is none.
    pub(super) fn rate_moved(&self) -> f64 {
        self.share().percent().unwrap_or(0.0) - self.share_before().percent().unwrap_or(0.0)
    }

    pub(super) fn change(&self) -> Change {
        Change::new(self.failing, self.failing_before, Wish::Less)
    }
}
