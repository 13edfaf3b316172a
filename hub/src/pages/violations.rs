//! `/violations`: what policies object to of what exists, the newest first, with its filters in the address.

use super::figure::Count;
use super::layout::{Layout, Section};
use super::link;
use super::period::Period;
use crate::access::Viewer;
use crate::api::Query;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Facets, MOST_LOOKED_AT, Place, ViolationQuery, ViolationRow};
use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;

/// Rows of one page.
const ROWS: i64 = 50;
/// Clusters and policies that the form offers.
const MAX_CHOICES: i64 = 500;
/// Codes that are counted beside the list.
const CODES: usize = 8;

/// The page.
#[derive(Template)]
#[template(path = "violations.html")]
struct ViolationsPage {
    layout: Layout,
    asked: Asked,
    clusters: Vec<String>,
    policies: Vec<String>,
    violations: Vec<ViolationRow>,
    facets: Facets,
    /// The address of the next page, and whether it only looks further.
    older: Option<String>,
    is_partial: bool,
}

/// The filters as the address has them; an empty one asks for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    cluster: String,
    namespace: String,
    policy: String,
    code: String,
    severity: String,
    action: String,
    exempted: String,
    kind: String,
    revision: String,
    since: String,
    before: String,
}

/// `GET /violations`.
pub(super) async fn show(
    _: Viewer,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let layout = Layout::new(&app, Section::Violations);
    let query = asked.query(layout.now);
    let (page, facets, clusters, policies) = tokio::try_join!(
        app.store.violation_page(&query),
        app.store.violation_facets(&query),
        app.store.cluster_names(MAX_CHOICES),
        app.store.served_policy_names(MAX_CHOICES)
    )?;
    let older = page.next.map(|(at, id)| asked.address(&[("before", &format!("{at}.{id}"))]));
    let (violations, is_partial) = (page.rows, page.is_partial);
    super::html(&ViolationsPage { layout, asked, clusters, policies, violations, facets, older, is_partial })
}

impl Asked {
    fn query(&self, now: i64) -> ViolationQuery {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        ViolationQuery {
            fixed: self.state == "fixed",
            cluster: given(&self.cluster),
            namespace: given(&self.namespace).map(|word| link::namespace_name(&word).to_owned()),
            policy: given(&self.policy),
            code: given(&self.code).map(|code| if code.contains('/') { code } else { code.to_uppercase() }),
            severity: given(&self.severity),
            action: given(&self.action),
            kind: given(&self.kind),
            workload: None,
            exempted: match self.exempted.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            revision: given(&self.revision),
            since: self.since(now),
            before: place(&self.before),
            limit: ROWS,
        }
    }

    /// A word for a period, or Unix milliseconds; anything else asks for all time.
    fn since(&self, now: i64) -> i64 {
        let period = Period::ALL.into_iter().find(|period| period.as_str() == self.since);
        period.map(|period| period.since(now)).or_else(|| self.since.parse().ok()).unwrap_or(0)
    }

    fn values(&self) -> [(&'static str, &str); 11] {
        [
            ("state", self.state.as_str()),
            ("cluster", &self.cluster),
            ("namespace", &self.namespace),
            ("policy", &self.policy),
            ("code", &self.code),
            ("severity", &self.severity),
            ("action", &self.action),
            ("exempted", &self.exempted),
            ("kind", &self.kind),
            ("revision", &self.revision),
            ("since", &self.since),
        ]
    }

    /// The same question with these values instead.
    fn address(&self, other: &[(&'static str, &str)]) -> String {
        let kept = self.values().into_iter().filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
        let values: Vec<(&str, &str)> = kept.chain(other.iter().copied()).collect();
        link::violations(&values)
    }

    fn with(&self, name: &'static str, value: &str) -> String {
        self.address(&[(name, value)])
    }

    fn is_anything(&self) -> bool {
        self.values().iter().skip(1).any(|(_, value)| !value.is_empty())
    }

    fn is_fixed(&self) -> bool {
        self.state == "fixed"
    }

    fn is_first_page(&self) -> bool {
        self.before.is_empty()
    }
}

/// `1795243328000.0193…`: when and which.
fn place(text: &str) -> Option<Place> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.to_owned()))
}

impl ViolationsPage {
    /// "the newest 5,000" when there are more than were counted.
    fn counted(&self) -> String {
        let count = Count(self.facets.counted);
        let state = if self.asked.is_fixed() { "fixed" } else { "open" };
        match self.facets.is_partial {
            true => format!("{count} of the newest {} {state}", Count(MOST_LOOKED_AT)),
            false => format!("{count} {state}"),
        }
    }

    fn looked_at(&self) -> Count {
        Count(MOST_LOOKED_AT)
    }

    fn codes(&self) -> &[crate::store::Facet] {
        &self.facets.codes[..self.facets.codes.len().min(CODES)]
    }
}

/// What a row says of its object.
impl ViolationRow {
    /// `Kind/name` of the object, or of one of them.
    pub(super) fn object_label(&self) -> String {
        let kind = self.kind.rsplit('/').next().unwrap_or(&self.kind);
        format!("{kind}/{}", self.object)
    }

    /// The owner at the top, when it is not the object itself.
    pub(super) fn owner(&self) -> Option<&str> {
        let is_other = !self.workload.is_empty() && self.workload != self.object_label();
        is_other.then_some(self.workload.as_str())
    }

    pub(super) fn namespace_label(&self) -> &str {
        link::namespace_label(&self.namespace)
    }

    /// Why it is fixed, for people.
    pub(super) fn reason_label(&self) -> &'static str {
        reason(&self.fixed_reason)
    }
}

/// Why a violation is no more, for people.
pub(super) fn reason(word: &str) -> &'static str {
    match word {
        "passes" => "the object passes now",
        "gone" => "the object is gone",
        "policy" => "the policy no longer judges it",
        "unseen" => "a full pass did not find it again",
        _ => "",
    }
}

/// The start of a commit id that people read.
pub(super) fn short(revision: &str) -> &str {
    revision.get(..8).unwrap_or(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_filter_are_the_same_question() {
        let asked =
            Asked { code: "mt1001".into(), exempted: "no".into(), namespace: "_cluster".into(), ..Asked::default() };
        let query = asked.query(0);
        assert_eq!((query.code.as_deref(), query.exempted), (Some("MT1001"), Some(false)));
        assert_eq!(query.namespace.as_deref(), Some(""));
        assert_eq!(asked.with("code", ""), "/violations?namespace=_cluster&exempted=no");
        assert_eq!(
            asked.with("severity", "a&b"),
            "/violations?namespace=_cluster&code=mt1001&exempted=no&severity=a%26b"
        );
    }
}
