//! `oci://registry.example/team/policies:prod`, or `...@sha256:<digest>`. A registry of this machine is spoken to over
//! plain http, every other over https.

use anyhow::{Context, ensure};
use std::fmt;
use std::str::FromStr;
use writ_policy::Digest;

/// Where a bundle is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) scheme: &'static str,
    /// Host and port.
    pub host: String,
    /// `team/policies`.
    pub repository: String,
    /// A tag, or `sha256:<digest>`.
    pub reference: String,
}

impl Address {
    /// The digest of the manifest, when the address names one.
    pub(super) fn digest(&self) -> anyhow::Result<Option<Digest>> {
        match self.reference.contains(':') {
            true => super::sha256(&self.reference).map(Some),
            false => Ok(None),
        }
    }
}

impl FromStr for Address {
    type Err = anyhow::Error;
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let rest = text.strip_prefix("oci://").context("an address begins with oci://")?;
        let (host, path) = rest.split_once('/').context("the address names no repository")?;
        let (repository, reference) = match path.split_once('@') {
            Some((repository, digest)) => (repository, digest.to_owned()),
            None => path.split_once(':').map_or((path, "latest".to_owned()), |(path, tag)| (path, tag.to_owned())),
        };
        let plain = |text: &str, more: &str| {
            !text.is_empty()
                && text.len() <= 255
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c) || more.contains(c))
        };
        ensure!(plain(host, ":[]"), "the address has an odd host");
        let parts_are_plain = repository.split('/').all(|part| plain(part, "") && !part.starts_with('.'));
        ensure!(parts_are_plain && repository.to_lowercase() == repository, "the address has an odd repository");
        ensure!(plain(&reference, ":"), "the address has an odd tag or digest");
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let scheme = if matches!(name, "localhost" | "127.0.0.1" | "[::1]") { "http" } else { "https" };
        let address = Self { scheme, host: host.to_owned(), repository: repository.to_owned(), reference };
        address.digest()?;
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, repository, reference, .. } = self;
        let sign = if reference.contains(':') { '@' } else { ':' };
        write!(f, "oci://{host}/{repository}{sign}{reference}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Address>().map(|address| (address.scheme, address.to_string()));
        assert_eq!(read("oci://r.example/a/b").unwrap(), ("https", "oci://r.example/a/b:latest".to_owned()));
        assert_eq!(read("oci://localhost:5000/a:v1").unwrap(), ("http", "oci://localhost:5000/a:v1".to_owned()));
        let digest = format!("oci://r.example:443/a@sha256:{}", "0".repeat(64));
        assert_eq!(read(&digest).unwrap(), ("https", digest.clone()));
        for odd in
            ["r.example/a", "oci://r.example", "oci://r/../a", "oci://u:p@r/a", "oci://r/a?b", "oci://r/a@sha256:0"]
        {
            assert!(read(odd).is_err(), "{odd}");
        }
    }
}
