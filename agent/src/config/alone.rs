//! Whose word the agent wants beside the hub's, and how it lives without a hub.

use crate::alone::{Place, Trust};
use crate::author::Author;
use crate::registry::{Address, Login, Registry};
use anyhow::{Context, ensure};
use std::path::PathBuf;
use std::time::Duration;
use writ_policy::{ClusterName, Labels};

/// The author's key, and a bundle without a hub.
#[derive(Debug, Clone, clap::Args)]
pub struct AloneConfig {
    /// File with the author's public key (`writ bundle key`): bundles must be signed by it, and settings be those of their
    /// `fleet.yaml`. A stolen hub cannot weaken what is enforced then.
    #[arg(long, env = "WRIT_AUTHOR_KEY")]
    pub author_key: Option<PathBuf>,
    /// By how much a hub may go back: an older bundle may replace the newest that was enforced when the author signed it
    /// no longer before than this.
    #[arg(long, env = "WRIT_AUTHOR_GO_BACK", value_parser = super::duration, default_value = "168h")]
    pub author_go_back: Duration,
    /// Enforce the bundle in this file, or at oci://REGISTRY/REPOSITORY:TAG, without a hub.
    #[arg(long, env = "WRIT_BUNDLE", value_name = "FILE_OR_OCI", conflicts_with = "hub", requires_all = ["author_key", "cluster_name"])]
    pub bundle: Option<String>,
    /// How often --bundle is looked at, a tenth more or less.
    #[arg(long, env = "WRIT_BUNDLE_EVERY", value_parser = super::duration, default_value = "30s")]
    pub bundle_every: Duration,
    /// PEM file of the authority that signed the registry's certificate, beside the system's.
    #[arg(long, env = "WRIT_BUNDLE_CA")]
    pub bundle_ca: Option<PathBuf>,
    /// User at the registry.
    #[arg(long, env = "WRIT_BUNDLE_USERNAME", requires = "bundle_password_file")]
    pub bundle_username: Option<String>,
    /// File with the user's password or token.
    #[arg(long, env = "WRIT_BUNDLE_PASSWORD_FILE", requires = "bundle_username")]
    pub bundle_password_file: Option<PathBuf>,
    /// Name of this cluster, with --bundle; with a hub it comes from the token.
    #[arg(long, env = "WRIT_CLUSTER_NAME", requires = "bundle")]
    pub cluster_name: Option<ClusterName>,
    /// Label of this cluster, as fleet.yaml matches it, with --bundle; may be repeated.
    #[arg(long, env = "WRIT_CLUSTER_LABEL", value_name = "KEY=VALUE", value_parser = label, value_delimiter = ',', requires = "bundle")]
    pub cluster_label: Vec<(String, String)>,
}

impl AloneConfig {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        ensure!(self.bundle_every >= Duration::from_millis(100), "--bundle-every is below 100ms");
        Ok(())
    }

    /// The author, where a key is pinned.
    pub fn author(&self) -> anyhow::Result<Option<Author>> {
        self.author_key.as_ref().map(|file| Author::read(file, self.author_go_back)).transpose()
    }

    /// Where bundles come from and whom to trust, without a hub.
    pub fn place(&self) -> anyhow::Result<Option<(Place, Trust)>> {
        let Some(bundle) = &self.bundle else { return Ok(None) };
        let author = self.author()?.context("--bundle wants --author-key")?;
        let cluster = self.cluster_name.clone().context("--bundle wants --cluster-name")?;
        let labels: Labels = self.cluster_label.iter().cloned().collect();
        let place = match bundle.starts_with("oci://") {
            false => Place::File(bundle.into()),
            true => {
                let address: Address = bundle.parse().context("--bundle")?;
                let login = self.bundle_username.as_ref().zip(self.bundle_password_file.as_ref());
                let login = login.map(|(user, file)| Login::read(user, file)).transpose()?;
                Place::Registry(Box::new(Registry::new(address, self.bundle_ca.as_deref(), login)?))
            }
        };
        Ok(Some((place, Trust { key: *author.key(), cluster, labels })))
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, e.g. env=prod".to_owned()),
    }
}
