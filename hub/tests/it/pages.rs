//! Pages, asked as a browser asks and read by CSS selector: every number comes from reports that agents sent.

mod cluster;
mod failures;
mod fleet;
mod frame;
mod hostile;
mod policies;
mod revisions;
mod violations;

use crate::support::{NOW, TestAgent, TestHub, policy_count, review_count};
use scraper::{ElementRef, Html, Selector};
use writ_policy::NamespaceName;
use writ_policy::wire::{PolicyCount, Report, ReviewCount};

/// A page as text by selector.
pub(super) struct Page(Html);

impl Page {
    /// The page at this path, which must be there.
    pub(super) async fn of(hub: &TestHub, path: &str) -> Self {
        let answer = hub.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        Self(Html::parse_document(&answer.text()))
    }

    pub(super) fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        self.0.select(&Selector::parse(selector).unwrap()).collect()
    }

    /// The texts of all elements, blanks as one.
    pub(super) fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector).iter().map(words).collect()
    }

    /// The text of the one element, or the first of several.
    pub(super) fn text(&self, selector: &str) -> String {
        self.texts(selector).into_iter().next().unwrap_or_else(|| panic!("no {selector}"))
    }

    /// An attribute of the first element.
    pub(super) fn attribute(&self, selector: &str, name: &str) -> String {
        let all = self.all(selector);
        let first = all.first().unwrap_or_else(|| panic!("no {selector}"));
        first.attr(name).unwrap_or_else(|| panic!("{selector} has no {name}")).to_owned()
    }
}

fn words(element: &ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reviews `[all, failing, denied]` of a namespace, so many minutes ago.
pub(crate) fn reviews(ago: i64, namespace: &str, [reviews, failing, denied]: [u64; 3]) -> ReviewCount {
    let namespace = NamespaceName::new(namespace).ok();
    ReviewCount { minute: NOW / 60_000 - ago, namespace, reviews, failing, denied }
}

/// Evaluations `[passes, failures, denials]` of the one policy, so many minutes ago.
pub(crate) fn evaluations(ago: i64, namespace: &str, [passes, failures, denials]: [u64; 3]) -> PolicyCount {
    let namespace = NamespaceName::new(namespace).ok();
    PolicyCount { minute: NOW / 60_000 - ago, namespace, passes, failures, denials, ..policy_count(0) }
}

/// Sends counts.
pub(crate) async fn send(hub: &TestHub, agent: &TestAgent, policies: Vec<PolicyCount>, reviews: Vec<ReviewCount>) {
    let report = Report { policy_counts: policies, review_counts: reviews, ..agent.report(1, vec![]) };
    assert_eq!(agent.send(hub, &report).await.status, 200);
}

/// An agent that enforces the newest word.
pub(crate) async fn enforcing(hub: &TestHub, cluster: &str) -> TestAgent {
    let agent = hub.enroll(cluster).await;
    let (desired, _) = agent.desired(hub).await;
    let state = agent.enforcing(&desired, NOW);
    agent.ask(hub, Some(desired.assignment.digest()), state).await;
    agent
}

#[test]
fn builders_count_in_the_minute_of_now() {
    assert_eq!(reviews(0, "shop", [1, 1, 0]).minute, review_count(1).minute);
}
