//! Which of several replicas does what only one may do: write the webhook configuration, audit. Whoever holds the Lease.
//! A holder that is silent for longer than it promised is followed by another; one that stops gives the Lease back.

use super::Cluster;
use crate::log_chain;
use anyhow::Context;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a holder may be silent before another follows.
const SILENCE: Duration = Duration::from_secs(15);
/// How often the Lease is renewed, or looked at.
const LOOK_EVERY: Duration = Duration::from_secs(4);
/// After so long without a renewal the holder no longer counts itself as one: well before another follows.
const GIVE_UP: Duration = Duration::from_secs(10);

/// One replica's view of the Lease.
struct Candidate {
    leases: Api<Lease>,
    name: String,
    /// Made anew at each start, so that a restarted pod does not take itself for the former one.
    me: String,
    /// Who was seen to hold it, since when by this machine's clock; clocks of machines are not compared.
    seen: Option<(Lease, Instant)>,
}

/// Says whether this replica holds the Lease, until shutdown.
pub async fn keep(
    cluster: Cluster,
    me: String,
    held: watch::Sender<bool>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let leases = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut candidate = Candidate { leases, name: cluster.lease.clone(), me, seen: None };
    let mut renewed_at = Instant::now();
    loop {
        let look = tokio::time::timeout(GIVE_UP / 2, candidate.look(Instant::now()));
        let outcome = tokio::select! {
            outcome = look => outcome.context("the API server does not answer").flatten(),
            () = shutdown.cancelled() => break,
        };
        let holds = match outcome {
            Ok(holds) => {
                renewed_at = Instant::now();
                holds
            }
            Err(problem) => {
                warn!(error = log_chain(&problem), "the Lease `{}` cannot be looked at", candidate.name);
                *held.borrow() && renewed_at.elapsed() < GIVE_UP
            }
        };
        tell(&held, holds);
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.cancelled() => break,
        }
    }
    if *held.borrow() {
        let _best_effort = tokio::time::timeout(Duration::from_secs(1), candidate.give_back()).await;
    }
    Ok(())
}

fn tell(held: &watch::Sender<bool>, holds: bool) {
    let changed = held.send_if_modified(|known| std::mem::replace(known, holds) != holds);
    match (changed, holds) {
        (true, true) => info!("this replica holds the Lease: it keeps the webhook configuration"),
        (true, false) => info!("another replica holds the Lease"),
        (false, _) => {}
    }
}

impl Candidate {
    /// Takes, renews or watches the Lease; whether this replica holds it. Of two that write at once the API server
    /// refuses one.
    async fn look(&mut self, now: Instant) -> anyhow::Result<bool> {
        let Some(found) = self.leases.get_opt(&self.name).await.context("reading the Lease")? else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(self.claim(None)) };
            return won(self.leases.create(&PostParams::default(), &lease).await);
        };
        let spec = found.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.as_deref().filter(|holder| !holder.is_empty());
        if holder != Some(&self.me) && holder.is_some() && !self.is_silent(&found, now) {
            return Ok(false);
        }
        let claim = self.claim(Some(&spec));
        let lease = Lease { spec: Some(claim), ..found };
        won(self.leases.replace(&self.name, &PostParams::default(), &lease).await)
    }

    /// Whether the Lease stayed the very same for longer than its holder promised to renew it.
    fn is_silent(&mut self, found: &Lease, now: Instant) -> bool {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        match &self.seen {
            Some((seen, since)) if version(seen) == version(found) => now.duration_since(*since) > SILENCE,
            _ => {
                self.seen = Some((found.clone(), now));
                false
            }
        }
    }

    fn claim(&self, former: Option<&LeaseSpec>) -> LeaseSpec {
        let now = Some(MicroTime(Timestamp::now()));
        let mine = former.is_some_and(|former| former.holder_identity.as_ref() == Some(&self.me));
        let transitions = former.and_then(|former| former.lease_transitions).unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(SILENCE.as_secs()).ok(),
            acquire_time: if mine { former.and_then(|former| former.acquire_time.clone()) } else { now.clone() },
            renew_time: now,
            lease_transitions: Some(transitions + i32::from(!mine)),
            ..LeaseSpec::default()
        }
    }

    async fn give_back(&self) -> anyhow::Result<()> {
        let Some(found) = self.leases.get_opt(&self.name).await? else { return Ok(()) };
        let spec = found.spec.clone().unwrap_or_default();
        if spec.holder_identity.as_ref() != Some(&self.me) {
            return Ok(());
        }
        let lease = Lease { spec: Some(LeaseSpec { holder_identity: Some(String::new()), ..spec }), ..found };
        self.leases.replace(&self.name, &PostParams::default(), &lease).await?;
        Ok(())
    }
}

/// A write that was refused because another was faster is an answer, not an error.
fn won(written: kube::Result<Lease>) -> anyhow::Result<bool> {
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(problem) => Err(problem).context("writing the Lease"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::script::{Script, absent, conflict};
    use serde_json::{Value, json};

    const ALL: &str = "/apis/coordination.k8s.io/v1/namespaces/writ-system/leases";
    const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/writ-system/leases/writ-agent";

    fn lease(holder: &str, version: &str) -> Value {
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "writ-agent", "resourceVersion": version},
            "spec": {"holderIdentity": holder, "leaseTransitions": 1}})
    }

    fn candidate(script: &Script) -> Candidate {
        let leases = Api::namespaced(script.client(), "writ-system");
        Candidate { leases, name: "writ-agent".into(), me: "a".into(), seen: None }
    }

    #[tokio::test]
    async fn first_takes_it_and_the_second_is_refused() {
        let script = Script::new()
            .expect("GET", PATH, absent())
            .expect("POST", ALL, (201, lease("a", "1")))
            .expect("GET", PATH, absent())
            .expect("POST", ALL, conflict());
        let mut candidate = candidate(&script);
        assert!(candidate.look(Instant::now()).await.unwrap());
        assert!(!candidate.look(Instant::now()).await.unwrap());
        script.assert_done();
    }

    #[tokio::test]
    async fn silent_holder_is_followed_and_one_that_renews_is_not() {
        let script = Script::new()
            .expect("GET", PATH, (200, lease("b", "1")))
            .expect("GET", PATH, (200, lease("b", "2")))
            .expect("GET", PATH, (200, lease("b", "2")))
            .expect("PUT", PATH, (200, lease("a", "3")));
        let (mut candidate, start) = (candidate(&script), Instant::now());
        assert!(!candidate.look(start).await.unwrap());
        assert!(!candidate.look(start + SILENCE * 2).await.unwrap(), "it renewed meanwhile");
        assert!(candidate.look(start + SILENCE * 4).await.unwrap());
        let claim = &script.bodies()[3];
        assert_eq!((&claim["spec"]["holderIdentity"], &claim["spec"]["leaseTransitions"]), (&json!("a"), &json!(2)));
        assert_eq!(claim["metadata"]["resourceVersion"], "2", "who was faster is not overwritten");
        script.assert_done();
    }

    #[tokio::test]
    async fn lease_that_was_given_back_is_free_at_once() {
        let script =
            Script::new().expect("GET", PATH, (200, lease("", "1"))).expect("PUT", PATH, (200, lease("a", "2")));
        assert!(candidate(&script).look(Instant::now()).await.unwrap());
        script.assert_done();
    }
}
