//! Who this agent is: what enrollment gave it, kept in the data folder for its owner alone.

use crate::disk;
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use writ_policy::sign::Signed;
use writ_policy::succession;
use writ_policy::wire::Enrolled;

/// The identity once there is one; the tasks that need it wait for it.
pub type IdentityWatch = watch::Receiver<Option<Arc<Enrolled>>>;

/// Where the identity is kept.
pub fn path(data: &Path) -> PathBuf {
    data.join("identity.json")
}

/// The identity of an earlier enrollment.
pub fn load(data: &Path) -> anyhow::Result<Option<Enrolled>> {
    let path = path(data);
    let Some(content) = disk::read(&path)? else { return Ok(None) };
    let identity = serde_json::from_slice(&content);
    identity.map(Some).with_context(|| format!("{} is damaged; remove it and enroll again", path.display()))
}

/// Keeps the identity, readable by its owner alone.
pub fn save(data: &Path, identity: &Enrolled) -> anyhow::Result<()> {
    let content = serde_json::to_vec_pretty(identity).expect("an identity has only string keys");
    disk::write_atomic(&path(data), &content, disk::PRIVATE)
}

/// The identity that trusts the newest key of the hub, when the one that it trusts announced it.
pub fn following(identity: &Enrolled, successions: &[Signed]) -> anyhow::Result<Enrolled> {
    let keys = succession::follow(successions, &identity.hub_key.fingerprint())?;
    let (newest, passed) = keys.split_last().context("a chain of keys has an end")?;
    // The fingerprint is short; what is trusted is the key.
    ensure!(passed.first() == Some(&identity.hub_key), "the chain of the hub's keys begins with another one");
    let former_keys = identity.former_keys.iter().chain(passed).copied().collect();
    Ok(Enrolled { hub_key: *newest, former_keys, ..identity.clone() })
}

/// Of two copies of one agent's identity: the later credential, and the keys of the one that followed the hub further.
pub fn newest_of(one: &Enrolled, other: &Enrolled) -> Enrolled {
    let by_credential = if one.renew_at > other.renew_at { one } else { other };
    let by_keys = if one.former_keys.len() > other.former_keys.len() { one } else { other };
    let (hub_key, former_keys) = (by_keys.hub_key, by_keys.former_keys.clone());
    Enrolled { hub_key, former_keys, ..by_credential.clone() }
}

/// Waits until the agent is enrolled; `None` when it ends before.
pub async fn wait(identity: &mut IdentityWatch) -> Option<Arc<Enrolled>> {
    identity.wait_for(Option::is_some).await.ok()?.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_policy::sign::{PublicKey, SigningKey};
    use writ_policy::succession::Succession;
    use writ_policy::{AgentId, ClusterName, Labels};

    fn identity(hub_key: PublicKey, renew_at: i64) -> Enrolled {
        Enrolled {
            agent: AgentId::new(uuid::Uuid::nil().to_string()).unwrap(),
            cluster: ClusterName::new("prod").unwrap(),
            labels: Labels::new(),
            credential: renew_at.to_string(),
            hub_key,
            successions: vec![],
            former_keys: vec![],
            renew_at: Some(renew_at),
        }
    }

    fn announce(from: &SigningKey, to: &SigningKey) -> Signed {
        from.sign(&Succession { from: from.public(), to: to.public(), at: 1 })
    }

    #[test]
    fn hubs_key_is_followed_where_the_trusted_one_announced_it() {
        let [a, b, c] = [SigningKey::generate().0, SigningKey::generate().0, SigningKey::generate().0];
        let chain = [announce(&a, &b), announce(&b, &c)];
        let followed = following(&identity(a.public(), 1), &chain[..1]).unwrap();
        assert_eq!((followed.hub_key, &followed.former_keys), (b.public(), &vec![a.public()]));
        let followed = following(&followed, &chain).unwrap();
        assert_eq!((followed.hub_key, followed.former_keys), (c.public(), vec![a.public(), b.public()]));
        assert!(following(&identity(c.public(), 1), &chain).is_err(), "nothing follows");
        assert!(following(&identity(SigningKey::generate().0.public(), 1), &chain).is_err());
    }

    #[test]
    fn of_two_copies_neither_the_credential_nor_the_key_goes_back() {
        let [a, b] = [SigningKey::generate().0, SigningKey::generate().0];
        let renewed = identity(a.public(), 2);
        let followed = following(&identity(a.public(), 1), &[announce(&a, &b)]).unwrap();
        for newest in [newest_of(&renewed, &followed), newest_of(&followed, &renewed)] {
            assert_eq!((newest.credential.as_str(), newest.hub_key), ("2", b.public()));
            assert_eq!(newest.former_keys, [a.public()]);
        }
    }
}
