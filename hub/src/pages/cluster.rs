//! One cluster as the fleet page shows it: the state it is in, said honestly. Stale is never shown as compliant.

use super::spark::{Spark, Tick};
use crate::store::{ClusterRow, ReviewSlot, SLOT_MINUTES};
use writ_policy::Labels;
use writ_policy::wire::LoadError;

/// A cluster not heard for longer than this is offline.
const SEEN_WITHIN_MS: i64 = 90_000;
/// Slots of the two hours that the page shows.
const SLOTS: usize = (120 / SLOT_MINUTES) as usize;

/// What a cluster does about its newest assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It refused it and keeps the last good one.
    Refused,
    /// It was not heard lately; nobody knows.
    Offline,
    /// It was told and has not answered yet.
    Pending,
    /// Its agent was never heard since it enrolled.
    Never,
    /// It enforces it, and said so lately.
    Enforcing,
}

/// A cluster with its state and its reviews of two hours.
pub(super) struct Cluster {
    pub(super) row: ClusterRow,
    pub(super) state: State,
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

impl State {
    pub(super) const ALL: [State; 5] = [State::Enforcing, State::Pending, State::Refused, State::Offline, State::Never];

    /// The state of a cluster now.
    pub(super) fn of(row: &ClusterRow, now: i64) -> Self {
        let Some(seen_at) = row.seen_at else { return State::Never };
        let refused_newest = row.refused_digest.is_some() && row.refused_digest == row.desired_digest;
        let enforces_newest = row.active_epoch.is_some() && row.active_epoch == row.desired_epoch;
        if now - seen_at > SEEN_WITHIN_MS {
            State::Offline
        } else if refused_newest {
            State::Refused
        } else if enforces_newest {
            State::Enforcing
        } else {
            State::Pending
        }
    }

    /// The word in classes and URLs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            State::Enforcing => "enforcing",
            State::Pending => "pending",
            State::Refused => "refused",
            State::Offline => "offline",
            State::Never => "never",
        }
    }

    /// The word for people.
    pub(super) fn label(self) -> &'static str {
        match self {
            State::Enforcing => "Enforcing",
            State::Pending => "Pending",
            State::Refused => "Refused",
            State::Offline => "Offline",
            State::Never => "Never seen",
        }
    }
}

impl Cluster {
    /// The cluster of this row, without reviews yet.
    pub(super) fn new(row: ClusterRow, now: i64) -> Self {
        // The hub wrote these columns itself; what does not parse is shown as nothing rather than as an error page.
        let labels = serde_json::from_str(&row.labels).unwrap_or_default();
        let load_errors = serde_json::from_str(&row.load_errors).unwrap_or_default();
        let ticks = vec![Tick::default(); SLOTS];
        Self { state: State::of(&row, now), row, labels, load_errors, ticks, sums: Sums::default() }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ClusterRow {
        ClusterRow {
            id: 1,
            name: "prod-eu".into(),
            labels: "{}".into(),
            enrolled_at: 0,
            seen_at: Some(1_000_000),
            agent_version: None,
            refused_digest: None,
            refused_reason: None,
            refused_at: None,
            load_errors: "[]".into(),
            spooled: 0,
            dropped: 0,
            desired_epoch: Some(4),
            desired_digest: Some("new".into()),
            desired_revision: None,
            desired_at: None,
            deny_level: None,
            active_epoch: Some(4),
            active_revision: None,
            active_at: None,
        }
    }

    #[test]
    fn state_is_said_honestly() {
        let of = |row: ClusterRow| State::of(&row, 1_000_000);
        assert_eq!(of(row()), State::Enforcing);
        assert_eq!(of(ClusterRow { active_epoch: Some(3), ..row() }), State::Pending);
        assert_eq!(of(ClusterRow { desired_epoch: None, active_epoch: None, ..row() }), State::Pending);
        assert_eq!(of(ClusterRow { seen_at: None, ..row() }), State::Never);
        let refused = ClusterRow { active_epoch: Some(3), refused_digest: Some("new".into()), ..row() };
        assert_eq!(of(refused.clone()), State::Refused);
        assert_eq!(of(ClusterRow { desired_digest: Some("newer".into()), ..refused }), State::Pending);
    }

    #[test]
    fn stale_is_never_shown_as_compliant() {
        assert_eq!(State::of(&row(), 1_000_000 + SEEN_WITHIN_MS), State::Enforcing);
        assert_eq!(State::of(&row(), 1_000_001 + SEEN_WITHIN_MS), State::Offline);
    }
}
