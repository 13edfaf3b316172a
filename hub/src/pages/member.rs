//! One cluster as pages show it: its row made readable, and its reviews of two hours. Its state is `status`'s to say.

use super::period::Period;
use super::spark::{Spark, Tick};
use super::when::format;
use crate::app::App;
use crate::status::{ClusterState, state_of};
use crate::store::{self, ReviewSlot, SLOT_MINUTES, StatusRow};
use std::collections::HashMap;
use writ_policy::Labels;
use writ_policy::wire::LoadError;

/// Slots of the two hours that the page shows.
const SLOTS: usize = (120 / SLOT_MINUTES) as usize;

/// A certificate with less left than this is not being renewed: agents do so 60 days before it ends, cert-manager with a third of its life left.
const RENEWED_BEFORE_MS: i64 = 7 * 86_400_000;

/// A cluster with its state and its reviews of two hours.
pub(super) struct Cluster {
    pub(super) row: StatusRow,
    pub(super) state: ClusterState,
    /// Since when it enforces its revision, over all renewals.
    pub(super) since: Option<i64>,
    pub(super) labels: Labels,
    pub(super) load_errors: Vec<LoadError>,
    ticks: Vec<Tick>,
    pub(super) sums: Sums,
}

/// Reviews of this hour and the hour before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) reviews: i64,
    pub(super) failing: i64,
    pub(super) denied: i64,
    pub(super) reviews_before: i64,
    pub(super) failing_before: i64,
    pub(super) denied_before: i64,
}

impl Cluster {
    /// The clusters of these rows, without reviews yet.
    pub(super) fn all(rows: Vec<StatusRow>, since: &HashMap<String, i64>, now: i64) -> Vec<Self> {
        rows.into_iter().map(|row| Self::new(since.get(&row.name).copied(), row, now)).collect()
    }

    fn new(since: Option<i64>, row: StatusRow, now: i64) -> Self {
        // The hub wrote these columns itself; what does not parse is shown as nothing rather than as an error page.
        let labels = serde_json::from_str(&row.labels).unwrap_or_default();
        let load_errors = serde_json::from_str(&row.load_errors).unwrap_or_default();
        let since = since.or(row.active_at);
        let ticks = vec![Tick::default(); SLOTS];
        Self { state: state_of(&row, now), since, row, labels, load_errors, ticks, sums: Sums::default() }
    }

    /// Whether it enforces the newest assignment and said so lately.
    pub(super) fn is_enforcing(&self) -> bool {
        self.state == ClusterState::Enforcing
    }

    /// Whether nobody knows what it does now.
    pub(super) fn is_unheard(&self) -> bool {
        matches!(self.state, ClusterState::Offline | ClusterState::Never)
    }

    /// The state for people.
    pub(super) fn label(&self) -> &'static str {
        label(self.state)
    }

    /// The day on which the webhook's certificate ends.
    pub(super) fn certificate_end(&self) -> Option<String> {
        self.row.certificate_expires_at.map(|at| format(at, "%-d %b %Y"))
    }

    /// What to say of a certificate that should have been renewed by now: the agent renews its own well before.
    pub(super) fn certificate_problem(&self, now: &i64) -> Option<&'static str> {
        match self.row.certificate_expires_at? - now {
            left if left <= 0 => Some("it has ended: the API server does not reach the agent"),
            left if left < RENEWED_BEFORE_MS => Some("it ends soon and was not renewed"),
            _ => None,
        }
    }

    /// Who needs a person comes first.
    pub(super) fn urgency(&self) -> u8 {
        match self.state {
            ClusterState::Refused => 0,
            ClusterState::Offline => 1,
            ClusterState::Pending => 2,
            ClusterState::Never => 3,
            ClusterState::Enforcing => 4,
        }
    }

    /// Adds the reviews of one slot.
    pub(super) fn add(&mut self, slot: &ReviewSlot) {
        let Some(tick) = usize::try_from(slot.slot).ok().and_then(|index| self.ticks.get_mut(index)) else { return };
        tick.failing += slot.failing;
        tick.denied += slot.denied;
        self.sums.add(slot);
    }

    /// The bars of two hours.
    pub(super) fn spark(&self) -> Spark {
        Spark(self.ticks.clone())
    }
}

impl Sums {
    /// Adds the reviews of one slot to its hour.
    pub(super) fn add(&mut self, slot: &ReviewSlot) {
        let is_before = slot.slot < SLOTS as i64 / 2;
        let (reviews, failing, denied) = match is_before {
            true => (&mut self.reviews_before, &mut self.failing_before, &mut self.denied_before),
            false => (&mut self.reviews, &mut self.failing, &mut self.denied),
        };
        *reviews += slot.reviews;
        *failing += slot.failing;
        *denied += slot.denied;
    }
}

/// How many clusters are in each state that there is.
pub(super) fn states(clusters: &[Cluster]) -> Vec<(String, usize)> {
    let count = |state| clusters.iter().filter(|cluster| cluster.state == state).count();
    let states = ClusterState::ALL.into_iter().map(|state| (label(state).to_lowercase(), count(state)));
    states.filter(|(_, count)| *count > 0).collect()
}

/// Adds the reviews of two hours to the clusters that are shown.
pub(super) async fn fill(app: &App, clusters: &mut [Cluster], now: i64) -> store::Result<()> {
    let names: Vec<String> = clusters.iter().map(|cluster| cluster.row.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for slot in &app.store.review_slots(Period::Hour.window(now), &names).await? {
        if let Some(cluster) = clusters.iter_mut().find(|cluster| cluster.row.name == slot.cluster) {
            cluster.add(slot);
        }
    }
    Ok(())
}

/// The word for people.
pub(super) fn label(state: ClusterState) -> &'static str {
    match state {
        ClusterState::Enforcing => "Enforcing",
        ClusterState::Pending => "Pending",
        ClusterState::Refused => "Refused",
        ClusterState::Offline => "Offline",
        ClusterState::Never => "Never seen",
    }
}
