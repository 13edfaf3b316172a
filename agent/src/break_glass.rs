//! What is suspended now, whoever opened it: looked at every few seconds, so that nothing of it is silent. Who opened it
//! on a Namespace is known from the review of that change, where the webhook is asked about Namespaces.

use crate::clock;
use crate::metrics::Metrics;
use crate::namespaces::KnownNamespaces;
use crate::status::Status;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use writ_policy::{BreakGlass, ReviewFacts};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The most suspensions that are told.
const MOST_TOLD: usize = 100;

/// Looks until shutdown.
pub async fn watch(
    namespaces: KnownNamespaces,
    status: Arc<Status>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        let open = open(&namespaces, &status, clock::now());
        tell(&status.suspended(), &open);
        metrics.break_glass_open.set(open.len() as i64);
        status.set_suspended(open);
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

/// A review of a Namespace says who opens or ends break glass there.
pub fn note_opener(status: &Status, facts: &ReviewFacts, is_allowed: bool, now: i64) {
    if let Some(word) = facts.break_glass.as_ref().filter(|_| is_allowed && !facts.dry_run) {
        let (namespace, operation) = (&facts.name, &facts.operation);
        warn!(namespace, word, operation, "break glass of namespace `{namespace}` is changed");
        status.set_opener(&facts.name, &facts.user, now);
    }
}

/// Everything that is open, in a fixed order.
fn open(namespaces: &KnownNamespaces, status: &Status, now: i64) -> Vec<BreakGlass> {
    let Some(assignment) = status.assignment() else { return vec![] };
    let settings = &assignment.settings;
    let mut open: Vec<BreakGlass> = settings.suspensions.iter().filter(|glass| now < glass.until).cloned().collect();
    if settings.break_glass.allow {
        namespaces.each(|name, text| {
            open.extend(writ_policy::break_glass::of_namespace(name, text, &settings.break_glass, now));
        });
    }
    let known = status.suspended();
    for glass in open.iter_mut().filter(|glass| glass.by_namespace) {
        let namespace = glass.namespace.as_deref().unwrap_or_default();
        let opener = status.opener(namespace);
        let since = known.iter().find(|known| known.by_namespace && known.namespace == glass.namespace);
        glass.at = opener.as_ref().map(|(_, at)| *at).or(since.map(|known| known.at)).unwrap_or(now);
        glass.by = opener.map(|(by, _)| by).unwrap_or_default();
    }
    open.sort_by(|a, b| (&a.namespace, a.until).cmp(&(&b.namespace, b.until)));
    open.truncate(MOST_TOLD);
    open
}

/// Says what opened and what ended.
fn tell(before: &[BreakGlass], now: &[BreakGlass]) {
    let place = |glass: &BreakGlass| glass.namespace.clone().unwrap_or_else(|| "the whole cluster".into());
    let is_in = |list: &[BreakGlass], glass: &BreakGlass| {
        list.iter().any(|other| other.namespace == glass.namespace && other.until == glass.until)
    };
    for glass in now.iter().filter(|glass| !is_in(before, glass)) {
        let until = jiff::Timestamp::from_millisecond(glass.until).unwrap_or_default();
        warn!(reason = glass.reason, %until, "break glass is open in {} until {until}", place(glass));
    }
    for glass in before.iter().filter(|glass| !is_in(now, glass)) {
        warn!("break glass has ended in {}", place(glass));
    }
}
