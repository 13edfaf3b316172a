//! How a cluster stands, as one pure function: what it was told against what its agent proved. Stale is never shown as
//! compliant.

use crate::store::StatusRow;
use serde::Serialize;

/// A cluster that was not heard for longer than this is offline, whatever it enforced before.
pub const SEEN_WITHIN_MS: i64 = 90_000;

/// What a cluster does about its newest assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterState {
    /// It enforces it, and said so lately.
    Enforcing,
    /// It was told and has not proved it yet.
    Pending,
    /// It refused it and keeps the last good one.
    Refused,
    /// It was not heard lately; nobody knows.
    Offline,
    /// Its agent was never heard since it enrolled.
    Never,
}

impl ClusterState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Enforcing, Self::Pending, Self::Refused, Self::Offline, Self::Never];

    /// The word that the API and metrics use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforcing => "enforcing",
            Self::Pending => "pending",
            Self::Refused => "refused",
            Self::Offline => "offline",
            Self::Never => "never",
        }
    }
}

/// How this cluster stands now.
pub fn state_of(row: &StatusRow, now: i64) -> ClusterState {
    let Some(seen_at) = row.seen_at else { return ClusterState::Never };
    let is_newest = |digest: &Option<String>| digest.is_some() && *digest == row.desired_digest;
    // A time to come is a clock that was set back: who is there is heard again within seconds.
    if (now - seen_at).abs() > SEEN_WITHIN_MS {
        ClusterState::Offline
    } else if is_newest(&row.active_digest) {
        ClusterState::Enforcing
    } else if is_newest(&row.refused_digest) {
        ClusterState::Refused
    } else {
        ClusterState::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(active: &str, refused: &str) -> StatusRow {
        let digest = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        StatusRow {
            seen_at: Some(0),
            desired_digest: digest("new"),
            active_digest: digest(active),
            refused_digest: digest(refused),
            ..StatusRow::default()
        }
    }

    #[test]
    fn state_is_what_the_agent_proved_lately() {
        for (row, now, expected) in [
            (row("new", ""), 0, ClusterState::Enforcing),
            (row("new", ""), SEEN_WITHIN_MS, ClusterState::Enforcing),
            (row("new", ""), SEEN_WITHIN_MS + 1, ClusterState::Offline),
            (row("new", ""), -SEEN_WITHIN_MS - 1, ClusterState::Offline),
            (row("old", ""), 0, ClusterState::Pending),
            (row("old", "new"), 0, ClusterState::Refused),
            (row("old", "older"), 0, ClusterState::Pending),
            (StatusRow { seen_at: None, ..row("new", "") }, 0, ClusterState::Never),
            (StatusRow { desired_digest: None, ..row("", "") }, 0, ClusterState::Pending),
        ] {
            assert_eq!(state_of(&row, now), expected, "{row:?} at {now}");
        }
    }
}
