//! The webhook's own certificate: a small authority and a serving certificate, made by the agent and kept by a folder
//! or a Secret. Knows neither; it makes, checks and says when to renew.

pub mod folder;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData,
};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const AUTHORITY_DAYS: i64 = 3650;
const SERVING_DAYS: i64 = 365;
/// Renewed when less than this is left.
const RENEW_DAYS: i64 = 60;

/// The authority and the serving certificate with their keys, PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Material {
    /// Who signed what the webhook shows.
    pub authority: String,
    /// Authorities before this one that may still have signed what another replica shows: trusted until they end.
    pub former: String,
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
        let (authority_key, former) = (key.serialize_pem(), String::new());
        Self { authority, former, authority_key, certificate: String::new(), key: String::new() }.renewed(names, now)
    }

    /// What the API server is told to trust.
    pub fn trusted(&self) -> String {
        format!("{}{}", self.authority, self.former)
    }

    /// What was written as one text: the first authority signs, those after it are former ones.
    pub fn split(trusted: &str) -> (String, String) {
        let end = "-----END CERTIFICATE-----";
        let first = trusted.find(end).map_or(trusted.len(), |at| at + end.len());
        let (authority, former) = trusted.split_at(first);
        (format!("{}\n", authority.trim()), former.trim_start().to_owned())
    }

    /// A new authority beside those that are trusted so far, as far as these still last.
    fn succeeded(&self, names: &[String], now: i64) -> anyhow::Result<Self> {
        let mut next = Self::generate(names, now)?;
        let mut rest = self.trusted();
        while !rest.trim().is_empty() {
            let (one, others) = Self::split(&rest);
            if Facts::of(&one).is_ok_and(|facts| facts.not_after > now / 1000) {
                next.former.push_str(&one);
            }
            rest = others;
        }
        Ok(next)
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
        let lasts = |facts: &Facts, key: &str| facts.not_after > enough && facts.is_of(key);
        let authority_lasts = Facts::of(&self.authority).is_ok_and(|facts| lasts(&facts, &self.authority_key));
        let serves = Facts::of(&self.certificate).is_ok_and(|facts| lasts(&facts, &self.key) && facts.has(names));
        match (authority_lasts, serves) {
            (true, true) => Ok(self),
            (true, false) => self.renewed(names, now),
            (false, _) => self.succeeded(names, now),
        }
    }

    /// Whether it can be shown now: the certificate is of its key, for these names, and has not ended.
    pub fn serves(&self, names: &[String], now: i64) -> bool {
        let good = |facts: Facts| facts.not_after > now / 1000 && facts.is_of(&self.key) && facts.has(names);
        Facts::of(&self.certificate).is_ok_and(good)
    }
}

/// What is read back of a certificate.
struct Facts {
    not_after: i64,
    public_key: Vec<u8>,
    names: Vec<String>,
}

impl Facts {
    fn of(pem: &str) -> anyhow::Result<Self> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).context("the certificate is not PEM")?;
        let (_, certificate) = X509Certificate::from_der(&pem.contents).context("the certificate is not X.509")?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name_of).collect());
        let public_key = certificate.public_key().raw.to_vec();
        let not_after = certificate.validity().not_after.timestamp();
        Ok(Self { not_after, public_key, names: names.unwrap_or_default() })
    }

    /// Whether this private key is the certificate's.
    fn is_of(&self, key: &str) -> bool {
        KeyPair::from_pem(key).is_ok_and(|key| key.subject_public_key_info() == self.public_key)
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

/// From a day ago, for clocks that differ, until so many days from now.
fn validity(now: i64, days: i64) -> anyhow::Result<(OffsetDateTime, OffsetDateTime)> {
    let now = OffsetDateTime::from_unix_timestamp(now / 1000).context("the clock is far off")?;
    Ok((now - Duration::days(1), now + Duration::days(days)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;
    const DAY: i64 = 86_400_000;

    fn names() -> Vec<String> {
        vec!["localhost".into(), "127.0.0.1".into(), "::1".into()]
    }

    #[test]
    fn certificate_is_kept_until_its_end_is_near() {
        let first = Material::generate(&names(), NOW).unwrap();
        assert_eq!(first.clone().or_renewed(&names(), NOW + 300 * DAY).unwrap(), first);
        let renewed = first.clone().or_renewed(&names(), NOW + 310 * DAY).unwrap();
        assert_ne!(renewed.certificate, first.certificate);
        assert_eq!(renewed.authority, first.authority, "callers that trust the authority keep working");
        let anew = first.clone().or_renewed(&names(), NOW + 3620 * DAY).unwrap();
        assert_ne!(anew.authority, first.authority);
    }

    #[test]
    fn former_authority_is_trusted_until_it_ends() {
        let first = Material::generate(&names(), NOW).unwrap();
        let second = first.clone().or_renewed(&names(), NOW + 3620 * DAY).unwrap();
        assert_eq!(second.trusted(), format!("{}{}", second.authority, first.authority));
        assert_eq!(Material::split(&second.trusted()), (second.authority.clone(), second.former.clone()));
        let lost_key = Material { authority_key: "lost".into(), ..second.clone() };
        let third = lost_key.or_renewed(&names(), NOW + 3660 * DAY).unwrap();
        assert_eq!(third.former, second.authority, "the first ended, the second did not");
    }

    #[test]
    fn certificate_of_a_replica_whose_clock_is_an_hour_ahead_is_valid_now() {
        let ahead = Material::generate(&names(), NOW + DAY / 24).unwrap();
        for pem in [&ahead.certificate, &ahead.authority] {
            let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
            let (_, certificate) = X509Certificate::from_der(&pem.contents).unwrap();
            assert!(certificate.validity().not_before.timestamp() < NOW / 1000);
        }
        assert!(ahead.serves(&names(), NOW));
    }

    #[test]
    fn key_of_another_certificate_is_noticed() {
        let (first, second) = (Material::generate(&names(), NOW).unwrap(), Material::generate(&names(), NOW).unwrap());
        let mixed = Material { key: second.key, ..first.clone() };
        assert!(first.serves(&names(), NOW) && !mixed.serves(&names(), NOW));
        let mended = mixed.or_renewed(&names(), NOW).unwrap();
        assert!(mended.serves(&names(), NOW));
        assert_eq!(mended.authority, first.authority);
    }

    #[test]
    fn other_names_and_damage_make_a_new_certificate() {
        let first = Material::generate(&names(), NOW).unwrap();
        let other = first.clone().or_renewed(&["writ.example".into()], NOW).unwrap();
        assert_ne!(other.certificate, first.certificate);
        let damaged = Material { authority: "damaged".into(), ..first };
        let mended = damaged.or_renewed(&names(), NOW).unwrap();
        assert_eq!(mended.clone().or_renewed(&names(), NOW).unwrap(), mended);
    }

    #[test]
    fn keys_are_never_shown() {
        assert_eq!(format!("{:?}", Material::generate(&names(), NOW).unwrap()), "Material(***)");
    }
}
