//! The hub's keys: the one that signs, and how agents that knew an earlier one come to trust it.

use crate::config::Config;
use crate::keep::Keep;
use crate::store::Store;
use anyhow::{Context, ensure};
use writ_policy::sign::{PublicKey, Signed, SigningKey, Statement};
use writ_policy::succession::{self, Succession};

/// The setting that says which key the hubs on this database have, by its fingerprint.
pub(crate) const HUB_KEY: &str = "hub_key";

/// The keys of this hub.
#[derive(Debug)]
pub struct Keys {
    signing: SigningKey,
    successions: Vec<Signed>,
    /// Those that led to the present one, oldest first.
    former: Vec<PublicKey>,
}

impl Keys {
    /// The key of this hub and what is known of those before. Hubs that share a database have the same key: agents trust
    /// one. The first one to start tells the database which it is.
    pub async fn open(config: &Config, keep: &Keep, store: &Store) -> anyhow::Result<Self> {
        let known = store.setting(HUB_KEY).await.context("reading which key the hubs have")?;
        let is_first = known.is_none() || config.new_signing_key || !store.is_shared();
        let signing = keep.signing_key(config.signing_key_file.as_deref(), is_first)?;
        let successions = store.successions().await.context("reading how the hub came to its key")?;
        let keys = Self { former: former(&successions, &signing.public()), signing, successions };
        keys.settle(config, store).await?;
        Ok(keys)
    }

    async fn settle(&self, config: &Config, store: &Store) -> anyhow::Result<()> {
        let fingerprint = self.signing.public().fingerprint();
        if config.new_signing_key {
            return Ok(store.save_setting(HUB_KEY, &fingerprint).await?);
        }
        ensure!(
            !self.successions.iter().any(|signed| signed.key == fingerprint),
            "the signing key {fingerprint} announced another one, with which the hub signs from then on: give this hub \
             that key; if the rotation was cut short, run `writ-hub rotate-key` again"
        );
        if !store.is_shared() {
            return Ok(store.save_setting(HUB_KEY, &fingerprint).await?);
        }
        let known = store.add_setting(HUB_KEY, &fingerprint).await?;
        ensure!(
            known == fingerprint,
            "the signing key of this hub is {fingerprint}, and that of the hubs on this database is {known}: agents \
             trust only theirs. Name a copy of their hub.key with --signing-key-file; to replace it for all, have it \
             announce the new one (`writ-hub rotate-key`), or, where it is lost, stop them and start one with \
             --new-signing-key (every agent must enroll anew)"
        );
        Ok(())
    }

    /// Whether this key is the one with which the hubs on this database sign.
    pub async fn are_of(&self, store: &Store) -> anyhow::Result<bool> {
        if !store.is_shared() {
            return Ok(true);
        }
        let present = store.setting(HUB_KEY).await.context("reading which key the hubs have")?;
        Ok(present.is_none_or(|present| present == self.public().fingerprint()))
    }

    /// The key that signs.
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        self.signing.public()
    }

    /// How it became the hub's, oldest first.
    pub fn successions(&self) -> &[Signed] {
        &self.successions
    }

    /// What this hub signed, with its present key or a former one.
    pub fn verify_own<S: Statement>(&self, signed: &Signed) -> Option<S> {
        let key = self.former.iter().find(|key| key.fingerprint() == signed.key).copied();
        key.unwrap_or_else(|| self.public()).verify(signed).ok()
    }
}

impl From<SigningKey> for Keys {
    /// A key that none came before.
    fn from(signing: SigningKey) -> Self {
        Self { signing, successions: vec![], former: vec![] }
    }
}

/// The keys from which the chain leads to this one.
fn former(successions: &[Signed], present: &PublicKey) -> Vec<PublicKey> {
    let first = successions.iter().find_map(|signed| {
        let keys = succession::follow(successions, &signed.key).ok()?;
        (keys.last() == Some(present)).then_some(keys)
    });
    first
        .map(|mut keys| {
            keys.pop();
            keys
        })
        .unwrap_or_default()
}

/// The word of a key for the next one.
pub(crate) fn announce(from: &SigningKey, to: &PublicKey, at: i64) -> Signed {
    from.sign(&Succession { from: from.public(), to: *to, at })
}
