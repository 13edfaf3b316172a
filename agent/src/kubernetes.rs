//! The agent inside a cluster: the certificate that all replicas share, the webhook configuration that names its
//! authority, and the Namespace objects that policies read. Only these modules talk to the API server, and only about
//! what the agent's role allows.

pub mod inventory;
pub mod namespaces;
#[cfg(test)]
mod script;
mod secret;
mod webhook_configuration;

use crate::backoff::Backoff;
use crate::certificate::Material;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::{clock, log_chain};
use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;
use kube::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the Secret and the webhook configuration are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The objects of the cluster that are the agent's.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    secret: String,
    webhook_configuration: String,
    service: String,
    names: Vec<String>,
}

impl Cluster {
    /// Connects as the pod's service account. Nothing is asked yet.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        let client = Client::try_default().await;
        let client = client.context("finding the cluster; outside of one, run with --standalone")?;
        Ok(Self::new(client, config))
    }

    fn new(client: Client, config: &Config) -> Self {
        Self {
            client,
            namespace: config.namespace.clone(),
            secret: config.secret.clone(),
            webhook_configuration: config.webhook_configuration.clone(),
            service: config.service.clone(),
            names: config.certificate_names(),
        }
    }

    /// A handle for the loop that replicates Namespaces.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The shared certificate, however long it takes: without it there is nothing that the API server could call.
    pub async fn certificate(&self, shutdown: &CancellationToken) -> anyhow::Result<Material> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        loop {
            let problem = match secret::ensure(self, clock::now()).await {
                Ok(material) => return Ok(material),
                Err(problem) => problem,
            };
            warn!(error = log_chain(&problem), attempt = backoff.attempt(), "no certificate yet; will keep trying");
            tokio::select! {
                () = tokio::time::sleep(backoff.next_pause()) => {}
                () = shutdown.cancelled() => return Err(problem),
            }
        }
    }

    /// Keeps the listener's certificate equal to the Secret's, and the authority in the webhook configuration equal
    /// to both, until shutdown.
    pub async fn keep_certificate(
        self,
        mut shown: Material,
        tls: RustlsConfig,
        metrics: Arc<Metrics>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            if let Err(problem) = self.look(&mut shown, &tls, &metrics).await {
                warn!(error = log_chain(&problem), "the webhook's certificate could not be looked after; serving on");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = shutdown.cancelled() => return Ok(()),
            }
        }
    }

    async fn look(&self, shown: &mut Material, tls: &RustlsConfig, metrics: &Metrics) -> anyhow::Result<()> {
        let material = secret::ensure(self, clock::now()).await?;
        if material != *shown {
            tls.reload_from_pem(material.certificate.clone().into(), material.key.clone().into()).await?;
            metrics.certificate_expiry.set(material.expires_at()?);
            info!("the webhook shows the Secret's new certificate");
            *shown = material;
        }
        webhook_configuration::ensure(self, &shown.authority).await
    }
}
