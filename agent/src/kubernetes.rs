//! The agent inside a cluster: the certificate and the identity that all replicas share, the webhook configuration, the
//! Lease, and the objects that policies read. Only these modules talk to the API server, and only about what the
//! agent's role allows.

pub mod certificate;
mod check;
mod consumers;
pub mod events;
mod existing;
mod follow;
mod followers;
pub mod identity;
pub mod inventory;
mod kinds;
pub mod lease;
mod policy_reports;
mod reader;
mod scope;
#[cfg(test)]
mod script;
mod secret;
pub mod shared;
pub mod slack_secret;
mod throttle;
pub mod watches;
mod webhook_configuration;

use crate::certificate::Material;
use crate::certificate::folder::CertificateFolder;
use crate::config::{CertificateFrom, Config};
use crate::health::Health;
use crate::registered::Registration;
use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;
use kube::Client;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use std::path::Path;
use std::sync::Arc;
use throttle::Throttle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::util::MapFutureLayer;
pub(crate) use webhook_configuration::IGNORING_PATH;
use webhook_configuration::{Ends, Settings};

/// The objects of the cluster that are the agent's.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    secret: String,
    identity_secret: String,
    policies_secret: String,
    lease: String,
    webhook_configuration: String,
    certificate_from: CertificateFrom,
    inject_ca_from: Option<String>,
    settings: Settings,
    names: Vec<String>,
}

/// What looks after the agent's own objects.
pub struct Care {
    /// The certificate that is shown first.
    pub material: Material,
    /// The listener that shows it.
    pub tls: RustlsConfig,
    /// Where it is kept.
    pub kept: CertificateFolder,
    /// Status and metrics.
    pub health: Health,
    /// Whether this replica holds the Lease.
    pub held: watch::Receiver<bool>,
    /// What policies judge.
    pub registration: Registration,
}

impl Cluster {
    /// Connects as the pod's service account. Nothing is asked yet.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        let client = match &config.cluster.kubeconfig {
            Some(file) => client_of(file).await,
            None => {
                let found =
                    kube::Config::infer().await.context("finding the cluster; outside of one, run with --standalone");
                paced(found?)
            }
        };
        Ok(Self::new(client?, config))
    }

    fn new(client: Client, config: &Config) -> Self {
        Self {
            client,
            namespace: config.namespace.clone(),
            secret: config.secret.clone(),
            identity_secret: config.cluster.identity_secret.clone(),
            policies_secret: config.cluster.policies_secret.clone(),
            lease: config.cluster.lease.clone(),
            webhook_configuration: config.webhook_configuration.clone(),
            certificate_from: config.cluster.certificate,
            inject_ca_from: config.cluster.inject_ca_from.clone(),
            settings: Settings::of(config),
            names: config.certificate_names(),
        }
    }

    /// A handle for those who tell people.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Keeps the listener's certificate equal to the Secret's, and the webhook configuration equal to what policies
    /// judge, until shutdown.
    pub async fn care(self, care: Care, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Care { material, tls, kept, health, held, registration } = care;
        let first = Some(material.trusted()).filter(|trusted| !trusted.trim().is_empty());
        let (trust, trusted) = watch::channel(first);
        let (see, seen) = watch::channel(String::new());
        let ends = Ends { held, trusted, seen: see, registration };
        let shown = certificate::Shown { material, tls, kept, health, trusted: trust, seen };
        let stop = shutdown.child_token();
        let both = async {
            tokio::try_join!(
                certificate::keep(self.clone(), shown, stop.clone()),
                webhook_configuration::keep(self, ends, stop.clone())
            )
        };
        both.await.map(drop)
    }
}

/// A client as a kubeconfig says.
async fn client_of(file: &Path) -> anyhow::Result<Client> {
    let read = || format!("reading the kubeconfig {}", file.display());
    let kubeconfig = Kubeconfig::read_from(file).with_context(read)?;
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.with_context(read)?;
    paced(config).with_context(read)
}

/// A client that asks no faster than the API server is to be asked.
fn paced(config: kube::Config) -> anyhow::Result<Client> {
    let pace = Arc::new(Throttle::of_everything());
    // A request is sent when its future is first polled, so one that waits has not been sent.
    let wait = MapFutureLayer::new(move |answer| in_turn(pace.clone(), answer));
    Ok(ClientBuilder::try_from(config).context("preparing the connection to the API server")?.with_layer(&wait).build())
}

async fn in_turn<F: Future>(pace: Arc<Throttle>, answer: F) -> F::Output {
    pace.turn().await;
    answer.await
}
