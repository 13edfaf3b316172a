//! Enrollment: a one-time token becomes an identity. Done once in the life of a data folder, or of a
//! cluster, whose replicas share it.

use crate::backoff::Backoff;
use crate::hub::{Hub, HubError};
use crate::kubernetes::Cluster;
use crate::status::Status;
use crate::{identity, log_chain};
use anyhow::Context;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use writ_policy::succession;
use writ_policy::wire::{Enroll, Enrolled};

/// Where an identity may be, and what makes a new one.
pub struct Place<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// Where replicas share it.
    pub cluster: Option<&'a Cluster>,
    /// The token.
    pub token_file: Option<&'a Path>,
}

/// The identity of this agent: what the replicas share, what is on disk, or a new one, however long it takes: the hub
/// may be away and the token may come later. `None` at shutdown.
pub async fn run(
    hub: &Hub,
    place: &Place<'_>,
    known: Option<&Enrolled>,
    status: &Status,
    shutdown: &CancellationToken,
) -> Option<Enrolled> {
    if let Some(known) = known {
        return Some(shared(place, known).await.unwrap_or_else(|problem| {
            warn!(error = log_chain(&problem), "the replicas' identity cannot be compared; going on with the disk's");
            known.clone()
        }));
    }
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(15));
    loop {
        let attempt = tokio::select! {
            attempt = attempt(hub, place) => attempt,
            () = shutdown.cancelled() => return None,
        };
        let problem = match attempt {
            Ok(identity) => {
                info!(cluster.name = %identity.cluster, "enrolled as the agent of cluster `{}`", identity.cluster);
                return Some(identity);
            }
            Err(problem) => log_chain(&problem),
        };
        status.set_problem(format!("not enrolled: {problem}"));
        match backoff.attempt() {
            0 => error!(error = problem, "not enrolled yet; will keep trying"),
            attempt => warn!(error = problem, attempt, "still not enrolled"),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_pause()) => {}
            () = shutdown.cancelled() => return None,
        }
    }
}

/// What the replicas share wins over the disk: it is what somebody enrolled last.
async fn shared(place: &Place<'_>, known: &Enrolled) -> anyhow::Result<Enrolled> {
    let Some(cluster) = place.cluster else { return Ok(known.clone()) };
    let shared = match cluster.identity().await? {
        Some(shared) => shared,
        None => cluster.share_identity(known).await?.unwrap_or_else(|| known.clone()),
    };
    // Of one agent what is newer stands: what was renewed and could not be shared is better than what is there.
    let newest = if shared.agent == known.agent { identity::newest_of(&shared, known) } else { shared };
    identity::save(place.data, &newest)?;
    Ok(newest)
}

async fn attempt(hub: &Hub, place: &Place<'_>) -> anyhow::Result<Enrolled> {
    if let Some(cluster) = place.cluster
        && let Some(shared) = cluster.identity().await?
    {
        identity::save(place.data, &shared)?;
        return Ok(shared);
    }
    let enrolled = with_token(hub, place.token_file).await?;
    identity::save(place.data, &enrolled)?;
    shared(place, &enrolled).await
}

async fn with_token(hub: &Hub, token_file: Option<&Path>) -> anyhow::Result<Enrolled> {
    let path = token_file.context("--token-file names the enrollment token, and is needed until enrolled")?;
    let text = std::fs::read_to_string(path).with_context(|| format!("reading the token {}", path.display()))?;
    let token = Token::parse(text.trim())?;
    let enroll = Enroll { token: token.text.to_owned(), version: env!("CARGO_PKG_VERSION").into() };
    let identity = match hub.enroll(&enroll).await {
        Err(HubError::Unauthorized(reason)) => anyhow::bail!("the enrollment token is not accepted: {reason}"),
        answer => answer?,
    };
    trusting(identity, token.fingerprint)
}

/// The identity, when its hub's key is that of the token, or the token's key announced it.
fn trusting(mut identity: Enrolled, expected: &str) -> anyhow::Result<Enrolled> {
    let successions = std::mem::take(&mut identity.successions);
    identity.former_keys = vec![];
    let actual = identity.hub_key.fingerprint();
    if actual == expected {
        return Ok(identity);
    }
    let keys = succession::follow(&successions, expected).unwrap_or_default();
    let (newest, former) = keys.split_last().unzip();
    let is_announced = newest == Some(&identity.hub_key);
    anyhow::ensure!(is_announced, "the hub's key is {actual}, but the token was made by {expected}");
    identity.former_keys = former.map(<[_]>::to_vec).unwrap_or_default();
    Ok(identity)
}

/// `writ_<secret>_<fingerprint of the hub's key>`. The secret is base64url and may itself hold `_`.
struct Token<'a> {
    text: &'a str,
    fingerprint: &'a str,
}

impl<'a> Token<'a> {
    fn parse(text: &'a str) -> anyhow::Result<Self> {
        let parts = text.strip_prefix("writ_").and_then(|rest| rest.rsplit_once('_'));
        let (secret, fingerprint) = parts.context("the token file holds no enrollment token (writ_..._...)")?;
        let hex = fingerprint.len() == 16 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
        anyhow::ensure!(hex && secret.len() >= 43, "the enrollment token is cut or mistyped");
        Ok(Self { text, fingerprint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_names_the_hubs_key() {
        let secret = "a_b-".repeat(11);
        let text = format!("writ_{secret}_0123456789abcdef");
        assert_eq!(Token::parse(&text).unwrap().fingerprint, "0123456789abcdef");
        for wrong in ["", "writ_", "writ_short_0123456789abcdef", &text[..text.len() - 1], &text[1..]] {
            let error = Token::parse(wrong).err().expect(wrong).to_string();
            assert!(!error.contains(&secret), "the secret is not repeated: {error}");
        }
    }
}
