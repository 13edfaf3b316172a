//! What Prometheus can ask. Labels come from our enums and from policy names, never from objects or error text.

mod audit;
mod text;

pub use audit::AuditMetrics;

use crate::status::Status;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use writ_policy::{Because, Outcome, PolicyInfo, PolicyResult};

/// How a review ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum ReviewOutcome {
    /// It goes through.
    Allowed,
    /// It is refused by a policy.
    Denied,
    /// It was answered by the failure policy.
    Unjudged,
    /// It was not an AdmissionReview.
    Malformed,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Evaluation {
    policy: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RevisionLabel {
    revision: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: ReviewOutcome,
}

/// All metrics of the process. The counters of reviews are looked up once, because each review moves them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reviews: [Counter; 4],
    latency: Histogram,
    evaluations: Family<Evaluation, Counter>,
    known: Mutex<HashSet<String>>,
    active: Family<RevisionLabel, Gauge>,
    epoch: Gauge,
    policies: Gauge,
    assignment_age: Gauge,
    stale: Gauge,
    hub_connected: Gauge,
    /// Assignments that were refused.
    pub refused: Counter,
    /// How often enforcement became weaker: policies that vanished, levels that fell.
    pub weakened: Counter,
    /// Report files that wait.
    pub spool_files: Gauge,
    /// Their bytes.
    pub spool_bytes: Gauge,
    /// Failures and counts that were dropped.
    pub dropped: Counter,
    /// Reports that the hub stored.
    pub reports: Counter,
    /// Reports that the hub will never take, put aside.
    pub rejected: Counter,
    /// When the webhook's certificate ends, Unix seconds.
    pub certificate_expiry: Gauge,
    /// Events.
    pub events: Telling,
    /// Cards in Slack channels.
    pub slack: Telling,
    /// What is suspended now.
    pub break_glass_open: Gauge,
    /// Existing objects.
    pub audit: AuditMetrics,
    kept_open: Family<Kept, Counter>,
}

/// One way of telling people.
#[derive(Debug, Clone, Default)]
pub struct Telling {
    sent: Counter,
    dropped: Counter,
}

impl Telling {
    /// One was sent.
    pub fn told(&self) {
        self.sent.inc();
    }

    /// One was too much, or could not be sent.
    pub fn dropped(&self) {
        self.dropped.inc();
    }

    /// How many were sent.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kept {
    because: &'static str,
}

const BUCKETS: [f64; 12] = [0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];

impl Metrics {
    /// All at nothing.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("writ_agent");
        let r = &mut registry;
        let reviews: Family<OutcomeLabel, Counter> = Family::default();
        r.register("reviews", "AdmissionReviews by how they ended", reviews.clone());
        let latency = Histogram::new(BUCKETS);
        r.register("review_duration_seconds", "Time from a review's last byte to its answer", latency.clone());
        let all = [ReviewOutcome::Allowed, ReviewOutcome::Denied, ReviewOutcome::Unjudged, ReviewOutcome::Malformed];
        let reviews = all.map(|outcome| reviews.get_or_create(&OutcomeLabel { outcome }).clone());
        Self {
            reviews,
            latency,
            known: Mutex::default(),
            evaluations: registered(r, "policy_evaluations", "Evaluations by policy and outcome"),
            active: registered(r, "active_revision", "One for the revision that is enforced"),
            epoch: registered(r, "active_epoch", "Epoch of the assignment that is enforced"),
            policies: registered(r, "active_policies", "Policies that decide"),
            assignment_age: registered(r, "assignment_age_seconds", "Time since the hub signed what is enforced"),
            stale: registered(r, "assignment_stale", "One when the hub was silent for longer than it promised"),
            hub_connected: registered(r, "hub_connected", "One when the last request reached the hub"),
            refused: registered(r, "assignments_refused", "Assignments that were refused"),
            weakened: registered(r, "weakened", "Times that enforcement became weaker than before"),
            spool_files: registered(r, "spool_files", "Reports that wait on disk"),
            spool_bytes: registered(r, "spool_bytes", "Bytes of reports that wait on disk"),
            dropped: registered(r, "reports_dropped", "Failures and counts that were dropped"),
            reports: registered(r, "reports_sent", "Reports that the hub stored"),
            rejected: registered(r, "reports_rejected", "Reports that the hub will never take, put aside"),
            certificate_expiry: registered(
                r,
                "certificate_expiry_timestamp_seconds",
                "When the webhook's certificate ends",
            ),
            events: Telling {
                sent: registered(r, "events_sent", "Events that were sent"),
                dropped: registered(r, "events_dropped", "Events that were not sent"),
            },
            slack: Telling {
                sent: registered(r, "slack_messages_sent", "Messages to Slack that were sent"),
                dropped: registered(r, "slack_messages_dropped", "Messages to Slack that were not sent"),
            },
            break_glass_open: registered(r, "break_glass_open", "Suspensions that are open"),
            kept_open: registered(
                r,
                "refusals_suspended",
                "Failures that would have refused, by what kept them from it",
            ),
            audit: AuditMetrics::new(r),
            registry,
        }
    }

    /// What people were not told since the start.
    pub fn untold(&self) -> u64 {
        self.events.dropped.get() + self.slack.dropped.get()
    }

    /// One review was answered.
    pub fn reviewed(&self, outcome: ReviewOutcome, took: Duration) {
        self.reviews[outcome as usize].inc();
        self.latency.observe(took.as_secs_f64());
    }

    /// How many reviews ended this way.
    pub fn reviews(&self, outcome: ReviewOutcome) -> u64 {
        self.reviews[outcome as usize].get()
    }

    /// One policy judged.
    pub fn evaluated(&self, result: &PolicyResult) {
        let outcome = match &result.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail(_) => "fail",
            Outcome::Error(_) => "error",
        };
        let policy = result.policy.name.as_str().to_owned();
        self.evaluations.get_or_create(&Evaluation { policy, outcome }).inc();
        let because = match result.ruling.as_ref().map(|ruling| &ruling.because) {
            Some(Because::BreakGlass) => "break_glass",
            Some(Because::Lifeline) => "lifeline",
            _ => return,
        };
        self.kept_open.get_or_create(&Kept { because }).inc();
    }

    /// Other policies decide: the counters of those that are gone end, so that the labels of years do not pile up.
    pub fn enforced(&self, policies: &[Arc<PolicyInfo>]) {
        let names: HashSet<String> = policies.iter().map(|policy| policy.name.to_string()).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in known.difference(&names) {
            for outcome in ["pass", "fail", "error"] {
                self.evaluations.remove(&Evaluation { policy: gone.clone(), outcome });
            }
        }
        *known = names;
    }

    /// All metrics as text, in the form that the Accept header asks for; and the content type.
    pub fn text(&self, status: &Status, accept: Option<&str>, now: i64) -> (&'static str, String) {
        self.refresh(status, now);
        let mut open = String::with_capacity(8 << 10);
        prometheus_client::encoding::text::encode(&mut open, &self.registry).expect("writing to a String succeeds");
        if accept.is_some_and(|accept| accept.contains("application/openmetrics-text")) {
            return (text::OPEN_METRICS, open);
        }
        (text::PLAIN, text::plain(&open))
    }

    fn refresh(&self, status: &Status, now: i64) {
        self.hub_connected.set(i64::from(status.hub_connected()));
        let Some(enforced) = status.enforced() else { return };
        self.active.clear();
        let revision = enforced.active.revision.to_string();
        self.active.get_or_create(&RevisionLabel { revision }).set(1);
        self.epoch.set(i64::try_from(enforced.active.epoch).unwrap_or(i64::MAX));
        self.policies.set(i64::try_from(enforced.policies).unwrap_or(i64::MAX));
        self.assignment_age.set((now - enforced.issued_at).max(0) / 1000);
        self.stale.set(i64::from(now >= enforced.stale_after));
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn registered<M>(registry: &mut Registry, name: &str, help: &str) -> M
where
    M: prometheus_client::registry::Metric + Default + Clone,
{
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}
