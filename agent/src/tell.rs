//! Telling people of failing reviews, off the request path: a Kubernetes Event in the object's namespace, and cards in
//! Slack channels. Nothing here makes a review wait; what is too much is dropped and counted. Reports to the hub are
//! `report`'s.

mod bucket;
mod card;
pub mod events;
pub mod slack;

use crate::metrics::Metrics;
use bucket::Bucket;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use writ_policy::{Action, Decided, PolicyResult};

/// Notices that wait for each way of telling.
const QUEUE: usize = 512;
/// The longest note of an Event, in bytes.
const LONGEST_NOTE: usize = 1_024;
/// The longest that telling one thing may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long the same words about the same object are gathered instead of repeated.
const SAME_MS: i64 = 10 * 60 * 1_000;
/// The most of these that are remembered.
const MOST_REMEMBERED: usize = 4_096;

/// A failing review, as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notice {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// `group/Kind`, or `Kind` for the core group.
    pub kind: String,
    /// `v1`.
    pub version: String,
    /// The object's name.
    pub name: String,
    /// Its uid, empty on CREATE.
    pub uid: String,
    /// Who asked.
    pub user: String,
    /// Whether the request was refused.
    pub denied: bool,
    /// Whether a workload of it was judged itself, and told of.
    pub child: bool,
    /// What the policies said aloud, as the developer read it.
    pub message: String,
}

impl Notice {
    /// What there is to tell of a review. Nothing when nothing was said aloud, nothing is stored, or the object is itself
    /// an Event: to tell of Events would have no end.
    pub fn of(decided: &Decided) -> Option<Self> {
        let Decided { facts, decision } = decided;
        let is_aloud = |result: &&PolicyResult| result.action() >= Some(Action::Warn);
        let mut messages: Vec<String> =
            decision.results.iter().filter(is_aloud).flat_map(PolicyResult::messages).collect();
        if messages.is_empty() || facts.dry_run || matches!(facts.kind.as_str(), "Event" | "events.k8s.io/Event") {
            return None;
        }
        messages.sort_unstable();
        messages.dedup();
        Some(Self {
            // A Namespace is reviewed with its own name for a namespace, and is in none.
            namespace: if facts.kind == "Namespace" { String::new() } else { facts.namespace.clone() },
            kind: facts.kind.clone(),
            version: facts.version.clone(),
            name: facts.name.trim_end_matches('*').to_owned(),
            uid: facts.object_uid.clone(),
            user: facts.user.clone(),
            denied: !decision.is_allowed(),
            child: facts.child,
            message: cut(messages.join(", ")),
        })
    }

    /// `Deployment`.
    fn short_kind(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or(&self.kind)
    }

    /// A workload was told of, and its refused children speak for themselves only where they are refused.
    fn is_heard(&self) -> bool {
        self.child && !self.denied
    }
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_NOTE {
        text.truncate(text.floor_char_boundary(LONGEST_NOTE - '…'.len_utf8()));
        text.push('…');
    }
    text
}

/// The webhook's end of the queues.
#[derive(Debug, Clone, Default)]
pub struct Teller {
    events: Option<mpsc::Sender<Arc<Notice>>>,
    slack: Option<mpsc::Sender<Arc<Notice>>>,
    metrics: Arc<Metrics>,
}

impl Teller {
    /// Tells nobody yet.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..Self::default() }
    }

    /// From now on tells of failing reviews by Events; what there is to tell comes out at the other end.
    pub fn by_events(&mut self) -> mpsc::Receiver<Arc<Notice>> {
        let (sender, queue) = mpsc::channel(QUEUE);
        self.events = Some(sender);
        queue
    }

    /// The same for Slack.
    pub fn by_slack(&mut self) -> mpsc::Receiver<Arc<Notice>> {
        let (sender, queue) = mpsc::channel(QUEUE);
        self.slack = Some(sender);
        queue
    }

    /// Hands over what there is to tell of a review, at once or not at all.
    pub fn tell(&self, decided: &Decided) {
        if self.events.is_none() && self.slack.is_none() {
            return;
        }
        let Some(notice) = Notice::of(decided).map(Arc::new) else { return };
        if self.events.as_ref().is_some_and(|queue| queue.try_send(notice.clone()).is_err()) {
            self.metrics.events.dropped();
        }
        if self.slack.as_ref().is_some_and(|queue| queue.try_send(notice).is_err()) {
            self.metrics.slack.dropped();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl Teller {
        pub(crate) fn send_for_test(&self, notice: Notice) {
            let queues = self.events.iter().chain(&self.slack);
            queues.for_each(|queue| queue.try_send(notice.clone().into()).unwrap());
        }
    }
    use writ_policy::{Because, Decision, Dialect, OnError, Outcome, PolicyInfo, ReviewFacts, Ruling, Severity};

    pub(crate) fn notice(name: &str) -> Notice {
        Notice {
            namespace: "shop".into(),
            kind: "apps/Deployment".into(),
            version: "v1".into(),
            name: name.into(),
            uid: String::new(),
            user: "ada".into(),
            denied: true,
            child: false,
            message: "[FAIL] HIGH - no (MT1)".into(),
        }
    }

    fn decided(kind: &str, dry_run: bool, action: Action) -> Decided {
        let policy = PolicyInfo {
            name: "a".parse().unwrap(),
            code: "WR1".parse().unwrap(),
            title: String::new(),
            description: String::new(),
            severity: Some(Severity::High),
            kinds: vec![],
            dialect: Dialect::Writ,
            on_error: OnError::Deny,
            enabled: true,
            sets: vec![],
            expand: true,
            namespaces: vec![],
            path: String::new(),
        };
        let result = PolicyResult {
            policy: policy.into(),
            outcome: Outcome::Fail(vec!["no".into()]),
            ruling: Some(Ruling { action, because: Because::Action }),
            exemption: None,
            implied: false,
            micros: 1,
        };
        let facts = ReviewFacts { kind: kind.into(), namespace: "shop".into(), dry_run, ..ReviewFacts::default() };
        Decided { facts, decision: Decision { results: vec![result], notes: vec![] } }
    }

    #[test]
    fn what_was_said_aloud_of_what_is_stored_is_told() {
        for (kind, dry_run, action, told) in [
            ("Pod", false, Action::Deny, true),
            ("Pod", false, Action::Warn, true),
            ("Pod", false, Action::Dryrun, false),
            ("Pod", true, Action::Deny, false),
            ("events.k8s.io/Event", false, Action::Warn, false),
        ] {
            assert_eq!(Notice::of(&decided(kind, dry_run, action)).is_some(), told, "{kind} {dry_run} {action}");
        }
        assert_eq!(Notice::of(&decided("Namespace", false, Action::Warn)).unwrap().namespace, "");
    }

    #[test]
    fn full_queue_drops_and_counts() {
        let metrics = Arc::new(Metrics::new());
        let mut teller = Teller::new(metrics.clone());
        let _queue = teller.by_slack();
        (0..=QUEUE).for_each(|_| teller.tell(&decided("Pod", false, Action::Deny)));
        assert_eq!(metrics.untold(), 1);
    }
}
