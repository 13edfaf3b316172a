//! The certificate of an agent outside of a cluster: files in the data folder, renewed while the agent runs.

use super::Material;
use crate::metrics::Metrics;
use crate::{clock, disk, log_chain};
use axum_server::tls_rustls::RustlsConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the end of the certificate is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(12 * 3_600);

/// Where a standalone agent keeps its certificate.
#[derive(Debug, Clone)]
pub struct CertificateFolder(PathBuf);

impl CertificateFolder {
    /// `tls` within the data folder.
    pub fn new(data: &Path) -> Self {
        Self(data.join("tls"))
    }

    /// The file of the authority, for those who call the webhook.
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// What is kept, renewed and kept again when its end is near.
    pub fn ensure(&self, names: &[String], now: i64) -> anyhow::Result<Material> {
        disk::create_folder(&self.0)?;
        let kept = self.load()?;
        let material = match kept.clone() {
            Some(kept) => kept.or_renewed(names, now)?,
            None => Material::generate(names, now)?,
        };
        if kept.as_ref() != Some(&material) {
            self.save(&material)?;
        }
        Ok(material)
    }

    fn load(&self) -> anyhow::Result<Option<Material>> {
        let read = |name: &str| -> anyhow::Result<Option<String>> {
            Ok(disk::read(&self.0.join(name))?.and_then(|bytes| String::from_utf8(bytes).ok()))
        };
        let parts = (read("ca.pem")?, read("ca.key")?, read("tls.pem")?, read("tls.key")?);
        let (Some(trusted), Some(authority_key), Some(certificate), Some(key)) = parts else { return Ok(None) };
        let (authority, former) = Material::split(&trusted);
        Ok(Some(Material { authority, former, authority_key, certificate, key }))
    }

    /// What is kept, when it can be shown now.
    pub fn usable(&self, names: &[String], now: i64) -> Option<Material> {
        self.load().ok().flatten().filter(|material| material.serves(names, now))
    }

    /// Keeps a certificate.
    pub fn save(&self, material: &Material) -> anyhow::Result<()> {
        disk::create_folder(&self.0)?;
        let write = |name: &str, text: &str, mode| disk::write_atomic(&self.0.join(name), text.as_bytes(), mode);
        write("ca.key", &material.authority_key, disk::PRIVATE)?;
        write("tls.key", &material.key, disk::PRIVATE)?;
        write("tls.pem", &material.certificate, disk::PUBLIC)?;
        write("ca.pem", &material.trusted(), disk::PUBLIC)
    }
}

/// Renews the certificate of the running listener when its end is near, until shutdown.
pub async fn keep_fresh(
    kept: CertificateFolder,
    names: Vec<String>,
    tls: RustlsConfig,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut shown = kept.load()?;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
        let (folder, wanted) = (kept.clone(), names.clone());
        match disk::blocking(move || folder.ensure(&wanted, clock::now())).await {
            Ok(material) if shown.as_ref() == Some(&material) => {}
            Ok(material) => {
                tls.reload_from_pem(material.certificate.clone().into(), material.key.clone().into()).await?;
                metrics.certificate_expiry.set(material.expires_at()?);
                info!("the webhook shows a renewed certificate");
                shown = Some(material);
            }
            Err(problem) => warn!(error = log_chain(&problem), "the certificate could not be renewed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const NOW: i64 = 1_790_000_000_000;

    #[test]
    fn certificate_is_read_back_and_its_keys_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CertificateFolder::new(folder.path());
        let material = kept.ensure(&["localhost".into()], NOW).unwrap();
        assert_eq!(kept.ensure(&["localhost".into()], NOW).unwrap(), material);
        for key in ["tls/ca.key", "tls/tls.key"] {
            let mode = std::fs::metadata(folder.path().join(key)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
        std::fs::write(kept.authority(), "damaged").unwrap();
        let mended = kept.ensure(&["localhost".into()], NOW).unwrap();
        assert_eq!(kept.ensure(&["localhost".into()], NOW).unwrap(), mended);
    }
}
