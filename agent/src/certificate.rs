//! The webhook's own certificate: a small authority and a serving certificate, made by the agent and kept by a folder
//! or a Secret. Knows neither; it makes, checks and says when to renew.

use crate::disk;
use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const AUTHORITY_DAYS: i64 = 3650;
const SERVING_DAYS: i64 = 365;
/// Renewed when less than this is left.
const RENEW_DAYS: i64 = 60;

/// The authority and the serving certificate with their keys, PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Material {
    /// What the API server is told to trust.
    pub authority: String,
    /// Signs the next serving certificate.
    pub authority_key: String,
    /// What the webhook shows.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Material(***)")
    }
}

impl Material {
    /// A new authority and a serving certificate for these names.
    pub fn generate(names: &[String], now: i64) -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("making the authority's key")?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "writ-agent authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = validity(now, AUTHORITY_DAYS)?;
        let authority = params.self_signed(&key).context("making the authority")?.pem();
        Self { authority, authority_key: key.serialize_pem(), certificate: String::new(), key: String::new() }
            .renewed(names, now)
    }

    /// The same authority with a new serving certificate.
    pub fn renewed(self, names: &[String], now: i64) -> anyhow::Result<Self> {
        let authority_key = KeyPair::from_pem(&self.authority_key).context("reading the authority's key")?;
        let issuer = Issuer::from_ca_cert_pem(&self.authority, authority_key).context("reading the authority")?;
        let key = KeyPair::generate().context("making the certificate's key")?;
        let mut params = CertificateParams::new(names).context("the names of the certificate")?;
        params.distinguished_name.push(DnType::CommonName, "writ-agent");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = validity(now, SERVING_DAYS)?;
        let certificate = params.signed_by(&key, &issuer).context("making the certificate")?.pem();
        Ok(Self { certificate, key: key.serialize_pem(), ..self })
    }

    /// When the serving certificate ends, Unix seconds.
    pub fn expires_at(&self) -> anyhow::Result<i64> {
        Ok(Facts::of(&self.certificate)?.not_after)
    }

    /// This material when it still serves these names for long enough, else a renewed one; a new authority when its
    /// own end is near or it cannot be read.
    pub fn or_renewed(self, names: &[String], now: i64) -> anyhow::Result<Self> {
        let enough = now / 1000 + RENEW_DAYS * 86_400;
        let lasts = |facts: &Facts| facts.not_after > enough;
        let authority_lasts = Facts::of(&self.authority).is_ok_and(|facts| lasts(&facts));
        let serves = Facts::of(&self.certificate).is_ok_and(|facts| lasts(&facts) && facts.has(names));
        match (authority_lasts, serves) {
            (true, true) => Ok(self),
            (true, false) => self.renewed(names, now),
            (false, _) => Self::generate(names, now),
        }
    }
}

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
        let (Some(authority), Some(authority_key), Some(certificate), Some(key)) = parts else { return Ok(None) };
        Ok(Some(Material { authority, authority_key, certificate, key }))
    }

    fn save(&self, material: &Material) -> anyhow::Result<()> {
        let write = |name: &str, text: &str, mode| disk::write_atomic(&self.0.join(name), text.as_bytes(), mode);
        write("ca.key", &material.authority_key, disk::PRIVATE)?;
        write("tls.key", &material.key, disk::PRIVATE)?;
        write("tls.pem", &material.certificate, disk::PUBLIC)?;
        write("ca.pem", &material.authority, disk::PUBLIC)
    }
}

/// What is read back of a certificate.
struct Facts {
    not_after: i64,
    names: Vec<String>,
}

impl Facts {
    fn of(pem: &str) -> anyhow::Result<Self> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).context("the certificate is not PEM")?;
        let (_, certificate) = X509Certificate::from_der(&pem.contents).context("the certificate is not X.509")?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name_of).collect());
        Ok(Self { not_after: certificate.validity().not_after.timestamp(), names: names.unwrap_or_default() })
    }

    fn has(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.names.contains(name))
    }
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}

/// From an hour ago, for clocks that differ, until so many days from now.
fn validity(now: i64, days: i64) -> anyhow::Result<(OffsetDateTime, OffsetDateTime)> {
    let now = OffsetDateTime::from_unix_timestamp(now / 1000).context("the clock is far off")?;
    Ok((now - Duration::hours(1), now + Duration::days(days)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const NOW: i64 = 1_790_000_000_000;
    const DAY: i64 = 86_400_000;

    fn names() -> Vec<String> {
        vec!["localhost".into(), "127.0.0.1".into(), "::1".into()]
    }

    #[test]
    fn certificate_is_kept_until_its_end_is_near() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CertificateFolder::new(folder.path());
        let first = kept.ensure(&names(), NOW).unwrap();
        assert_eq!(kept.ensure(&names(), NOW + 300 * DAY).unwrap(), first);
        let renewed = kept.ensure(&names(), NOW + 310 * DAY).unwrap();
        assert_ne!(renewed.certificate, first.certificate);
        assert_eq!(renewed.authority, first.authority, "callers that trust the authority keep working");
        let anew = kept.ensure(&names(), NOW + 3620 * DAY).unwrap();
        assert_ne!(anew.authority, first.authority);
    }

    #[test]
    fn other_names_and_damaged_files_make_a_new_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CertificateFolder::new(folder.path());
        let first = kept.ensure(&names(), NOW).unwrap();
        let other = kept.ensure(&["writ.example".into()], NOW).unwrap();
        assert_ne!(other.certificate, first.certificate);
        std::fs::write(kept.authority(), "damaged").unwrap();
        let mended = kept.ensure(&names(), NOW).unwrap();
        assert_eq!(kept.ensure(&names(), NOW).unwrap(), mended);
    }

    #[test]
    fn keys_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CertificateFolder::new(folder.path());
        let material = kept.ensure(&names(), NOW).unwrap();
        for key in ["tls/ca.key", "tls/tls.key"] {
            let mode = std::fs::metadata(folder.path().join(key)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
        assert_eq!(format!("{material:?}"), "Material(***)");
    }
}
