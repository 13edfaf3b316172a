//! Whether a pair of statements may be enforced by this cluster. Pure: signatures, names and epochs, no content.

use crate::cache::Floor;
use anyhow::ensure;
use writ_policy::bundle::{Assignment, BundleStatement};
use writ_policy::sign::{PublicKey, Signed};
use writ_policy::wire::{Desired, Enrolled};
use writ_policy::{Digest, Labels};

/// Statements that the hub signed for this cluster and that belong together.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Digest of the assignment: its identity.
    pub digest: Digest,
    /// What this cluster should enforce.
    pub assignment: Assignment,
    /// What the bundle is.
    pub bundle: BundleStatement,
    /// The hub's key and the cluster: epochs are theirs.
    pub authority: String,
    /// The cluster's, by which its settings are resolved.
    pub labels: Labels,
}

/// What a pair is against the newest one that was enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A newer epoch.
    Advance,
    /// The same epoch and content.
    Renewal,
}

impl Verified {
    /// Checks both signatures, the cluster, and that the assignment names this bundle. What the hub tells now is signed
    /// with its present key.
    pub fn of(desired: &Desired, identity: &Enrolled) -> anyhow::Result<Self> {
        Self::signed_by(desired, identity, |_| identity.hub_key)
    }

    /// The same of a pair that a replica of this cluster enforced and kept: a key that the agent trusted then will do.
    pub fn of_kept(desired: &Desired, identity: &Enrolled) -> anyhow::Result<Self> {
        let former = |signed: &Signed| identity.former_keys.iter().find(|key| key.fingerprint() == signed.key);
        Self::signed_by(desired, identity, |signed| *former(signed).unwrap_or(&identity.hub_key))
    }

    fn signed_by(desired: &Desired, identity: &Enrolled, key: impl Fn(&Signed) -> PublicKey) -> anyhow::Result<Self> {
        let assignment: Assignment = key(&desired.assignment).verify(&desired.assignment)?;
        let (own, other) = (&identity.cluster, &assignment.cluster);
        ensure!(own == other, "the assignment is for cluster `{other}`, this one is `{own}`");
        let actual = desired.bundle.digest();
        let expected = assignment.bundle;
        ensure!(actual == expected, "the bundle's digest is {actual}, the assignment names {expected}");
        let bundle: BundleStatement = key(&desired.bundle).verify(&desired.bundle)?;
        // The first key's: a new one announced by it is still the same hub, whose epochs go on.
        let first = identity.former_keys.first().unwrap_or(&identity.hub_key);
        let authority = format!("{}/{own}", first.fingerprint());
        let labels = identity.labels.clone();
        Ok(Self { digest: desired.assignment.digest(), assignment, bundle, authority, labels })
    }

    /// The mark that no later pair may fall below.
    pub fn floor(&self) -> Floor {
        let settings = serde_json::to_vec(&self.assignment.settings).expect("settings have only string keys");
        Floor {
            epoch: self.assignment.epoch,
            bundle: self.assignment.bundle,
            settings: Digest::of(settings),
            authority: self.authority.clone(),
        }
    }

    /// Whether the epoch rule allows this pair: newer, or equal and saying the same.
    pub fn step_from(&self, floor: Option<&Floor>) -> anyhow::Result<Step> {
        let own = floor.filter(|floor| floor.authority == self.authority);
        let Some(floor) = own else { return Ok(Step::Advance) };
        let epoch = self.assignment.epoch;
        if epoch > floor.epoch {
            return Ok(Step::Advance);
        }
        ensure!(epoch == floor.epoch, "epoch {epoch} is older than epoch {}, which was enforced", floor.epoch);
        ensure!(self.floor() == *floor, "epoch {epoch} was enforced with another content");
        Ok(Step::Renewal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_policy::sign::SigningKey;
    use writ_policy::{AgentId, ClusterName, Revision, Settings};

    struct World {
        key: SigningKey,
        identity: Enrolled,
    }

    impl World {
        fn new() -> Self {
            let (key, _) = SigningKey::generate();
            let identity = Enrolled {
                agent: AgentId::new(uuid::Uuid::now_v7().to_string()).unwrap(),
                cluster: ClusterName::new("prod").unwrap(),
                labels: Labels::new(),
                credential: "secret".into(),
                hub_key: key.public(),
                successions: vec![],
                former_keys: vec![],
                renew_at: None,
            };
            Self { key, identity }
        }

        fn desired(&self, cluster: &str, epoch: u64, index: &str) -> Desired {
            let revision = Revision::new("a".repeat(40)).unwrap();
            let bundle = self.key.sign(&BundleStatement {
                revision,
                index: Digest::of(index),
                policies: 1,
                author: None,
                class: String::new(),
            });
            let assignment = self.key.sign(&Assignment {
                cluster: ClusterName::new(cluster).unwrap(),
                epoch,
                bundle: bundle.digest(),
                settings: Settings::default(),
                issued_at: 1,
                stale_after: 2,
            });
            Desired { assignment, bundle }
        }

        fn refusal(&self, desired: &Desired) -> String {
            Verified::of(desired, &self.identity).unwrap_err().to_string()
        }
    }

    #[test]
    fn what_is_not_signed_for_this_cluster_is_refused() {
        let world = World::new();
        let good = world.desired("prod", 1, "i");
        assert!(Verified::of(&good, &world.identity).is_ok());
        assert!(world.refusal(&world.desired("dev", 1, "i")).contains("cluster `dev`"));
        let other = World::new().desired("prod", 1, "i");
        assert!(world.refusal(&other).contains("only"), "another hub's key");
        let swapped = Desired { bundle: world.desired("prod", 1, "j").bundle, ..good.clone() };
        assert!(world.refusal(&swapped).contains("the assignment names"));
        let mut tampered = good;
        tampered.assignment.payload = tampered.assignment.payload.replace("\"epoch\":1", "\"epoch\":9");
        assert!(world.refusal(&tampered).contains("signature"));
    }

    #[test]
    fn former_key_is_good_for_what_was_kept_and_for_nothing_new() {
        let (world, next) = (World::new(), World::new());
        let (before, after) = (world.desired("prod", 5, "i"), next.desired("prod", 6, "j"));
        let floor = Verified::of(&before, &world.identity).unwrap().floor();
        let former_keys = vec![world.key.public()];
        let identity = Enrolled { hub_key: next.key.public(), former_keys, ..world.identity.clone() };
        assert!(Verified::of(&before, &identity).unwrap_err().to_string().contains("only"));
        let kept = Verified::of_kept(&before, &identity).unwrap();
        assert_eq!(kept.step_from(Some(&floor)).unwrap(), Step::Renewal);
        let verified = Verified::of(&after, &identity).unwrap();
        assert_eq!(verified.step_from(Some(&floor)).unwrap(), Step::Advance);
        let older = Verified::of(&next.desired("prod", 4, "j"), &identity).unwrap();
        assert!(older.step_from(Some(&floor)).unwrap_err().to_string().contains("older"), "it is the same hub");
        let unknown = World::new().desired("prod", 7, "k");
        assert!(Verified::of_kept(&unknown, &identity).is_err());
    }

    #[test]
    fn epoch_only_grows() {
        let world = World::new();
        let verified = |epoch, index| Verified::of(&world.desired("prod", epoch, index), &world.identity).unwrap();
        let floor = verified(5, "i").floor();
        assert_eq!(verified(1, "i").step_from(None).unwrap(), Step::Advance);
        assert_eq!(verified(6, "j").step_from(Some(&floor)).unwrap(), Step::Advance);
        assert_eq!(verified(5, "i").step_from(Some(&floor)).unwrap(), Step::Renewal);
        assert!(verified(5, "j").step_from(Some(&floor)).unwrap_err().to_string().contains("another content"));
        let elsewhere = Floor { authority: "another hub".into(), ..floor.clone() };
        assert_eq!(verified(1, "i").step_from(Some(&elsewhere)).unwrap(), Step::Advance, "enrolled anew");
        assert!(verified(4, "i").step_from(Some(&floor)).unwrap_err().to_string().contains("older"));
    }
}
