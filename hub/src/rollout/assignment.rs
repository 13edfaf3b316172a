//! What a cluster should be told of a revision. Epochs only grow; a renewal is a new epoch like any other, so that "the
//! newest epoch" is always the whole truth.

use writ_policy::bundle::Assignment;
use writ_policy::{BreakGlass, ClusterName, Digest, Fleet, Labels};

/// How long an assignment is fresh, in milliseconds. Agents keep enforcing a stale one and warn.
pub const STALE_AFTER_MS: i64 = 24 * 60 * 60 * 1000;

/// A cluster as the rollout sees it.
#[derive(Debug, Clone, Copy)]
pub struct Cluster<'a> {
    /// Its name.
    pub name: &'a ClusterName,
    /// Its labels.
    pub labels: &'a Labels,
    /// The newest assignment it was given.
    pub newest: Option<&'a Assignment>,
    /// The highest epoch that the hub's own signature proves of an assignment that it does not remember: it lost its
    /// memory. The agent would refuse anything that is not beyond it.
    pub proven_epoch: u64,
    /// What is suspended there by the hub's word.
    pub suspensions: &'a [BreakGlass],
}

/// The next assignment of a cluster, or `None` when the newest still says what it should.
pub fn next(fleet: &Fleet, bundle: Digest, cluster: &Cluster<'_>, now: i64) -> Option<Assignment> {
    let mut settings = fleet.settings_for(cluster.labels);
    settings.suspensions = cluster.suspensions.to_vec();
    let epoch = cluster.newest.map_or(0, |newest| newest.epoch);
    let still_right = cluster.newest.is_some_and(|newest| {
        // Issued in times to come: the clock was set back, and agents would not notice when it grows stale.
        let is_fresh = (now - newest.issued_at).abs() < STALE_AFTER_MS / 2;
        newest.bundle == bundle && newest.settings == settings && is_fresh && cluster.proven_epoch < epoch
    });
    if still_right {
        return None;
    }
    let epoch = epoch.max(cluster.proven_epoch) + 1;
    let cluster = cluster.name.clone();
    Some(Assignment { cluster, epoch, bundle, settings, issued_at: now, stale_after: now + STALE_AFTER_MS })
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_policy::DenyLevel;

    struct Case {
        fleet: Fleet,
        bundle: Digest,
        proven_epoch: u64,
        now: i64,
        suspensions: Vec<BreakGlass>,
    }

    fn first() -> Assignment {
        next_of(None, |_| {}).unwrap()
    }

    fn next_of(newest: Option<&Assignment>, change: impl Fn(&mut Case)) -> Option<Assignment> {
        let mut case =
            Case { fleet: Fleet::default(), bundle: Digest::of("a"), proven_epoch: 0, now: 1_000, suspensions: vec![] };
        change(&mut case);
        let name = ClusterName::new("prod").unwrap();
        let cluster = Cluster {
            name: &name,
            labels: &Labels::new(),
            newest,
            proven_epoch: case.proven_epoch,
            suspensions: &case.suspensions,
        };
        next(&case.fleet, case.bundle, &cluster, case.now)
    }

    #[test]
    fn newest_is_kept_while_it_is_right_and_fresh() {
        assert_eq!(first().epoch, 1);
        assert_eq!(next_of(Some(&first()), |_| {}), None);
        assert_eq!(next_of(Some(&first()), |case| case.now += STALE_AFTER_MS / 2 - 1), None);
    }

    #[test]
    fn every_change_is_a_new_epoch() {
        let epoch = |change: fn(&mut Case)| next_of(Some(&first()), change).map(|next| next.epoch);
        assert_eq!(epoch(|case| case.bundle = Digest::of("b")), Some(2));
        assert_eq!(epoch(|case| case.fleet.deny_level = DenyLevel::High), Some(2));
        assert_eq!(epoch(|case| case.suspensions.push(BreakGlass::default())), Some(2));
        assert_eq!(epoch(|case| case.now += STALE_AFTER_MS / 2), Some(2), "a renewal");
        assert_eq!(epoch(|case| case.now -= STALE_AFTER_MS / 2), Some(2), "the clock was set back");
    }

    #[test]
    fn hub_that_lost_its_memory_goes_beyond_what_it_signed_before() {
        let after = |proven: u64| {
            let second = Assignment { epoch: 2, ..first() };
            next_of(Some(&second), |case| case.proven_epoch = proven).map(|next| next.epoch)
        };
        assert_eq!((after(41), after(2), after(1)), (Some(42), Some(3), None), "also beyond another one of its number");
    }
}
