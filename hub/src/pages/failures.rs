//! `/failures`: every objection, newest first, with its filters in the address so that it can be sent to someone.

use super::figure::Count;
use super::layout::{Layout, Section};
use super::link;
use super::period::Period;
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{FailureItem, FailureQuery, MOST_LOOKED_AT};
use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;

/// Rows of one page.
const ROWS: i64 = 50;
/// How the API server names service accounts.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
/// Clusters and policies that the form offers.
const MAX_CHOICES: i64 = 500;

/// The page.
#[derive(Template)]
#[template(path = "failures.html")]
struct FailuresPage {
    layout: Layout,
    asked: Asked,
    clusters: Vec<String>,
    policies: Vec<String>,
    failures: Vec<FailureItem>,
    /// The address of the next page, and whether it only looks further.
    older: Option<String>,
    is_partial: bool,
}

/// The filters as the address has them; an empty one asks for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    cluster: String,
    namespace: String,
    policy: String,
    action: String,
    code: String,
    exemption: String,
    since: String,
    before: String,
}

/// `GET /failures`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Failures);
    let query = asked.query(layout.now);
    let (page, clusters, policies) = tokio::try_join!(
        app.store.failure_page(&query),
        app.store.cluster_names(MAX_CHOICES),
        app.store.served_policy_names(MAX_CHOICES)
    )?;
    let older = page.next.map(|(at, id)| asked.address(&format!("{at}.{id}")));
    let (failures, is_partial) = (page.rows, page.is_partial);
    super::html(&FailuresPage { layout, asked, clusters, policies, failures, older, is_partial })
}

impl FailuresPage {
    fn looked_at(&self) -> Count {
        Count(MOST_LOOKED_AT)
    }
}

impl Asked {
    fn query(&self, now: i64) -> FailureQuery {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        FailureQuery {
            cluster: given(&self.cluster),
            namespace: given(&self.namespace).map(|word| link::namespace_name(&word).to_owned()),
            policy: given(&self.policy),
            action: given(&self.action),
            code: given(&self.code).map(|code| if code.contains('/') { code } else { code.to_uppercase() }),
            exemption: given(&self.exemption),
            since: self.since(now).unwrap_or(0),
            before: place(&self.before),
            limit: ROWS,
            ..FailureQuery::default()
        }
    }

    /// A word for a period, or Unix milliseconds; anything else asks for all time.
    fn since(&self, now: i64) -> Option<i64> {
        let period = Period::ALL.into_iter().find(|period| period.as_str() == self.since);
        period.map(|period| period.since(now)).or_else(|| self.since.parse().ok())
    }

    fn is_anything(&self) -> bool {
        [&self.cluster, &self.namespace, &self.policy, &self.action, &self.code, &self.exemption, &self.since]
            .iter()
            .any(|text| !text.is_empty())
    }

    fn is_first_page(&self) -> bool {
        self.before.is_empty()
    }

    fn address(&self, before: &str) -> String {
        link::failures(&[
            ("cluster", &self.cluster),
            ("namespace", &self.namespace),
            ("policy", &self.policy),
            ("action", &self.action),
            ("code", &self.code),
            ("exemption", &self.exemption),
            ("since", &self.since),
            ("before", before),
        ])
    }
}

/// `1795243328000.0193…`: when and which.
fn place(text: &str) -> Option<(i64, String)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.to_owned()))
}

/// What a row says of its object.
impl FailureItem {
    pub(super) fn object_label(&self) -> String {
        let kind = self.kind.rsplit('/').next().unwrap_or(&self.kind);
        format!("{kind}/{}", self.object)
    }

    /// The owner at the top, when it is not the object itself.
    pub(super) fn owner(&self) -> Option<&str> {
        let is_other = !self.workload.is_empty() && self.workload != self.object_label();
        is_other.then_some(self.workload.as_str())
    }

    /// The user, without the prefix that every service account has.
    pub(super) fn asked_by(&self) -> &str {
        self.user.strip_prefix(SERVICE_ACCOUNT).unwrap_or(&self.user)
    }

    pub(super) fn is_service_account(&self) -> bool {
        self.user.starts_with(SERVICE_ACCOUNT)
    }

    pub(super) fn short_revision(&self) -> &str {
        self.revision.get(..8).unwrap_or(&self.revision)
    }

    pub(super) fn namespace_label(&self) -> &str {
        link::namespace_label(&self.namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_filter_are_the_same_question() {
        let asked = Asked { policy: "policy-pdb".into(), since: "hour".into(), ..Asked::default() };
        assert_eq!(asked.address("5.abc"), "/failures?policy=policy-pdb&since=hour&before=5.abc");
        let query = asked.query(60 * 60_000);
        assert_eq!((query.policy.as_deref(), query.since, query.cluster), (Some("policy-pdb"), 60_000, None));
    }

    #[test]
    fn place_that_cannot_be_read_is_the_start() {
        assert_eq!(place("5.abc"), Some((5, "abc".into())));
        assert_eq!((place(""), place("x.y"), place("5")), (None, None, None));
    }
}
