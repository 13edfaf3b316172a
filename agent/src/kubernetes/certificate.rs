//! The webhook's certificate in a cluster: what the Secret holds is shown, by all replicas, without a request that fails
//! for it. A certificate of a new authority is shown only when the API server was told to trust it and had time to
//! notice; the former authority stays trusted until it ends.

use super::{Cluster, secret};
use crate::backoff::Backoff;
use crate::certificate::Material;
use crate::certificate::folder::CertificateFolder;
use crate::health::Health;
use crate::{clock, disk, log_chain};
use axum_server::tls_rustls::RustlsConfig;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the Secret is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long API servers may take to notice a change of the webhook configuration.
const SETTLE: Duration = Duration::from_secs(5);
/// How long the start waits for the API server when the disk has a certificate that does.
const PATIENCE: Duration = Duration::from_secs(3);

/// The certificate that is shown, and what it takes to show another.
pub(super) struct Shown {
    pub(super) material: Material,
    pub(super) tls: RustlsConfig,
    pub(super) kept: CertificateFolder,
    pub(super) health: Health,
    /// What the webhook configuration should trust.
    pub(super) trusted: watch::Sender<Option<String>>,
    /// What it was last seen to trust.
    pub(super) seen: watch::Receiver<String>,
}

impl Cluster {
    /// The shared certificate; while the API server is away, the one that was shown before; while there is neither,
    /// however long it takes.
    pub async fn certificate(
        &self,
        kept: &CertificateFolder,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Material> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        loop {
            let usable = kept.usable(&self.names, clock::now());
            let asked = tokio::time::timeout(PATIENCE, secret::ensure(self, usable.as_ref(), clock::now())).await;
            let problem = match asked.unwrap_or_else(|_| Err(anyhow::anyhow!("the API server does not answer"))) {
                Ok(material) => return Ok(material),
                Err(problem) => problem,
            };
            if let Some(usable) = usable {
                let problem = log_chain(&problem);
                warn!(error = problem, "the Secret cannot be read; the webhook shows the certificate of its disk");
                return Ok(usable);
            }
            warn!(error = log_chain(&problem), attempt = backoff.attempt(), "no certificate yet; will keep trying");
            tokio::select! {
                () = tokio::time::sleep(backoff.next_pause()) => {}
                () = shutdown.cancelled() => return Err(problem),
            }
        }
    }
}

/// Shows what the Secret holds, until shutdown.
pub(super) async fn keep(cluster: Cluster, mut shown: Shown, shutdown: CancellationToken) -> anyhow::Result<()> {
    shown.remember().await;
    loop {
        let looked = tokio::select! {
            looked = shown.look(&cluster) => looked,
            () = shutdown.cancelled() => return Ok(()),
        };
        if let Err(problem) = looked {
            warn!(error = log_chain(&problem), "the webhook's certificate could not be looked after; serving on");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

impl Shown {
    async fn look(&mut self, cluster: &Cluster) -> anyhow::Result<()> {
        let material = secret::ensure(cluster, Some(&self.material), clock::now()).await?;
        let wanted = self.to_trust(&material);
        self.trusted.send_if_modified(|known| std::mem::replace(known, wanted.clone()) != wanted);
        if material == self.material {
            return Ok(());
        }
        if material.authority != self.material.authority {
            self.until_trusted(&material.authority).await?;
        }
        self.tls.reload_from_pem(material.certificate.clone().into(), material.key.clone().into()).await?;
        self.material = material;
        self.remember().await;
        info!("the webhook shows the Secret's new certificate");
        let wanted = self.to_trust(&self.material);
        self.trusted.send_if_modified(|known| std::mem::replace(known, wanted.clone()) != wanted);
        Ok(())
    }

    /// The Secret's authorities, and the one of what is still shown. Nothing when another sees to it.
    fn to_trust(&self, next: &Material) -> Option<String> {
        let mut trusted = next.trusted();
        let shown = self.material.authority.trim();
        if !shown.is_empty() && !trusted.contains(shown) {
            trusted.push_str(&self.material.authority);
        }
        Some(trusted).filter(|trusted| !trusted.trim().is_empty())
    }

    /// Waits until the webhook configuration trusts the authority, and the API servers know. An empty one is another's
    /// to place; an empty configuration has nobody who calls.
    async fn until_trusted(&mut self, authority: &str) -> anyhow::Result<()> {
        let authority = authority.trim();
        if !authority.is_empty() {
            let trusts = |seen: &String| seen.is_empty() || seen.contains(authority);
            self.seen.wait_for(trusts).await?;
            tokio::time::sleep(SETTLE).await;
        }
        Ok(())
    }

    /// Keeps what is shown on disk, for a start without the API server, and tells when it ends.
    async fn remember(&self) {
        if let Ok(expires_at) = self.material.expires_at() {
            self.health.metrics.certificate_expiry.set(expires_at);
            self.health.status.set_certificate_expires_at(expires_at * 1000);
        }
        let (kept, material) = (self.kept.clone(), self.material.clone());
        if let Err(problem) = disk::blocking(move || kept.save(&material)).await {
            warn!(error = log_chain(&problem), "the certificate cannot be kept on disk");
        }
    }
}
