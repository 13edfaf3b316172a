//! What the hub counts of itself. Numbers of the fleet are read from the store when they are asked for.

use crate::app::App;
use crate::publish::Verdict;
use crate::status::{self, ClusterState};
use crate::store::Aged;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;
use writ_policy::wire::Report;

/// Seconds that publishing a commit takes.
const PUBLISH_BUCKETS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Seconds that storing a report takes.
const REPORT_BUCKETS: [f64; 8] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

/// Reports of one transaction.
const GROUP_BUCKETS: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0];

/// Counters of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    commits: Family<State, Counter>,
    publish_seconds: Histogram,
    reports: Family<Outcome, Counter>,
    report_seconds: Histogram,
    report_group: Histogram,
    failures: Counter,
    violations: Counter,
    deleted: Family<Table, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Table {
    table: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("writ_hub");
        let commits = Family::<State, Counter>::default();
        registry.register("commits", "Commits that were checked, by what came of them", commits.clone());
        let publish_seconds = Histogram::new(PUBLISH_BUCKETS);
        registry.register("publish_seconds", "Time to check and build a commit", publish_seconds.clone());
        let reports = Family::<Outcome, Counter>::default();
        registry.register("reports", "Reports of agents, by what came of them", reports.clone());
        let report_seconds = Histogram::new(REPORT_BUCKETS);
        registry.register("report_seconds", "Time to write a transaction of reports", report_seconds.clone());
        let report_group = Histogram::new(GROUP_BUCKETS);
        registry.register("report_group", "Reports that were written by one transaction", report_group.clone());
        let failures = Counter::default();
        registry.register("failures", "Failure records that reports brought", failures.clone());
        let violations = Counter::default();
        registry.register("violations", "Sightings of violations that reports brought", violations.clone());
        let deleted = Family::<Table, Counter>::default();
        registry.register("deleted_rows", "Rows that were deleted because they were old enough", deleted.clone());
        Self {
            registry,
            commits,
            publish_seconds,
            reports,
            report_seconds,
            report_group,
            failures,
            violations,
            deleted,
        }
    }
}

impl Metrics {
    /// A commit was checked.
    pub fn published(&self, verdict: &Verdict, took: Duration) {
        let state = if matches!(verdict, Verdict::Served { .. }) { "served" } else { "refused" };
        self.commits.get_or_create(&State { state }).inc();
        self.publish_seconds.observe(took.as_secs_f64());
    }

    /// A report was stored.
    pub fn stored(&self, report: &Report) {
        self.reports.get_or_create(&Outcome { outcome: "stored" }).inc();
        self.failures.inc_by(report.failures.len() as u64);
        self.violations.inc_by(report.violations.len() as u64);
    }

    /// A transaction of reports was written.
    pub fn wrote(&self, reports: usize, took: Duration) {
        self.report_group.observe(reports as f64);
        self.report_seconds.observe(took.as_secs_f64());
    }

    /// Old rows were deleted.
    pub fn deleted(&self, aged: Aged, rows: u64) {
        self.deleted.get_or_create(&Table { table: aged.table() }).inc_by(rows);
    }

    /// A report was told to come later.
    pub fn put_off(&self) {
        self.reports.get_or_create(&Outcome { outcome: "put_off" }).inc();
    }

    /// A report came that was stored before.
    pub fn repeated(&self) {
        self.reports.get_or_create(&Outcome { outcome: "repeated" }).inc();
    }

    /// A report was refused.
    pub fn refused(&self) {
        self.reports.get_or_create(&Outcome { outcome: "refused" }).inc();
    }
}

/// Everything as OpenMetrics text.
pub async fn text(app: &App) -> anyhow::Result<String> {
    let mut fleet = Registry::with_prefix("writ_hub");
    let clusters = Family::<State, Gauge>::default();
    fleet.register("clusters", "Clusters by state", clusters.clone());
    for state in ClusterState::ALL {
        clusters.get_or_create(&State { state: state.as_str() }).set(0);
    }
    for row in app.store.status().await? {
        clusters.get_or_create(&State { state: status::state_of(&row, app.now()).as_str() }).inc();
    }
    let waiting = Gauge::<i64>::default();
    waiting.set(app.board.waiting() as i64);
    fleet.register("held_requests", "Requests of agents that wait for news", waiting);
    let reports_waiting = Gauge::<i64>::default();
    reports_waiting.set(app.intake.waiting());
    fleet.register("reports_waiting", "Reports that wait to be written", reports_waiting);
    let bytes = Gauge::<i64>::default();
    bytes.set(app.store.bytes().await?);
    fleet.register("database_bytes", "Size of the database on disk", bytes);
    let leads = Gauge::<i64>::default();
    leads.set(i64::from(app.lead.is_held()));
    fleet.register("leads", "Whether this hub leads those that share its database", leads);
    let reachable = Gauge::<i64>::default();
    reachable.set(i64::from(app.source_state.load().all().all(|(_, state)| state.error.is_none())));
    fleet.register("source_reachable", "Whether the last look at every source succeeded", reachable);
    let mut text = String::new();
    prometheus_client::encoding::text::encode_registry(&mut text, &app.metrics.registry)?;
    encode(&mut text, &fleet)?;
    Ok(text)
}

/// OpenMetrics as the older Prometheus text: the type of a counter carries its suffix, and there is no end mark.
pub fn as_prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let counters: Vec<&str> =
        open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("EOF" | "UNIT"), ..) => continue,
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(&name) => {
                text.push_str(&format!("# {what} {name}_total {rest}"));
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn older_text_has_suffixed_counters_and_no_end_mark() {
        let text = "# HELP a Words here.\n# TYPE a counter\na_total 1\n# TYPE g gauge\n# UNIT g s\ng 2\n# EOF\n";
        let expected = "# HELP a_total Words here.\n# TYPE a_total counter\na_total 1\n# TYPE g gauge\ng 2\n";
        assert_eq!(super::as_prometheus_text(text), expected);
    }
}
