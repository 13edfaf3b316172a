//! Where the source is: a local path or a URL, with the credentials to reach it. Shown without them.

use crate::config::{Config, read_secret};
use anyhow::{Context, bail, ensure};
use std::fmt;
use std::path::PathBuf;
use url::Url;

/// What a transport needs to know of the source.
#[derive(Debug, Clone)]
pub struct RemoteConfig {
    /// Where it is.
    pub remote: Remote,
    /// User name, from the configuration or the URL.
    pub username: Option<String>,
    /// Password or access token.
    pub password: Option<Secret>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Where the source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// A folder of this machine; it is watched.
    Path(PathBuf),
    /// Somewhere else; it is polled. Without user name and password.
    Url(String),
}

impl RemoteConfig {
    /// The source that the configuration names. A password within the URL is taken out of it.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        let (remote, in_url) = Remote::parse(&config.source)?;
        let password = match &config.source_password_file {
            Some(file) => Some(Secret(read_secret(file)?)),
            None => in_url.password,
        };
        Ok(Self { remote, username: config.source_username.clone().or(in_url.username), password })
    }

    /// The text with every credential in it replaced.
    pub fn scrub(&self, text: &str) -> String {
        match &self.password {
            Some(Secret(password)) if !password.is_empty() => text.replace(password.as_str(), "***"),
            _ => text.to_owned(),
        }
    }
}

#[derive(Default)]
struct Credentials {
    username: Option<String>,
    password: Option<Secret>,
}

impl Remote {
    fn parse(text: &str) -> anyhow::Result<(Self, Credentials)> {
        if is_scp_like(text) {
            return Ok((Remote::Url(text.to_owned()), Credentials::default()));
        }
        if !text.contains("://") {
            let path = std::path::absolute(text).with_context(|| format!("--source {text:?} is not a path"))?;
            return Ok((Remote::Path(path), Credentials::default()));
        }
        // The text is not part of the error: it may hold a password.
        let mut url: Url = text.parse().ok().context("--source is not a URL")?;
        if url.scheme() == "file" {
            let path = url.to_file_path().ok().context("--source is a file URL without a path")?;
            return Ok((Remote::Path(path), Credentials::default()));
        }
        if !matches!(url.scheme(), "https" | "http" | "ssh") {
            bail!("--source uses {}; https, ssh, file and plain paths are known", url.scheme());
        }
        ensure!(url.host_str().is_some_and(|host| !host.starts_with('-')), "--source names no host");
        let username = Some(url.username()).filter(|name| !name.is_empty()).map(str::to_owned);
        let password = url.password().map(|password| Secret(password.to_owned()));
        let keeps_user = url.scheme() == "ssh";
        let cleared = url.set_password(None).is_ok() && (keeps_user || url.set_username("").is_ok());
        ensure!(cleared, "--source names no host");
        Ok((Remote::Url(url.to_string()), Credentials { username, password }))
    }

    /// What git is told to fetch from.
    pub fn address(&self) -> String {
        match self {
            Remote::Path(path) => path.to_string_lossy().into_owned(),
            Remote::Url(url) => url.clone(),
        }
    }
}

/// `user@host:path`.
fn is_scp_like(text: &str) -> bool {
    let Some((host, path)) = text.split_once(':') else { return false };
    host.contains('@') && !host.contains('/') && !host.starts_with('-') && !path.starts_with("//")
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())
    }
}

impl Secret {
    /// The text, for the one who authenticates with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_in_a_url_is_kept_apart_and_never_shown() {
        let (remote, credentials) = Remote::parse("https://me:hunter2@git.example/policies").unwrap();
        assert_eq!(remote.to_string(), "https://git.example/policies");
        let config = RemoteConfig { remote, username: credentials.username, password: credentials.password };
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(config.scrub("fatal: hunter2 refused"), "fatal: *** refused");
    }

    #[test]
    fn paths_urls_and_scp_forms_are_told_apart() {
        let address = |text: &str| Remote::parse(text).map(|(remote, _)| remote);
        assert_eq!(address("file:///srv/p").unwrap(), Remote::Path("/srv/p".into()));
        assert_eq!(address("/srv/p").unwrap(), Remote::Path("/srv/p".into()));
        assert_eq!(address("git@host:p.git").unwrap(), Remote::Url("git@host:p.git".into()));
        for odd in ["ext::sh -c x://", "ftp://host/p", "ssh://-oProxyCommand=x/p"] {
            assert!(address(odd).is_err(), "{odd}");
        }
    }
}
