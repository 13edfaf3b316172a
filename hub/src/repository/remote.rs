//! Where the source is: a local path or a URL. Credentials are not part of it: `writ-git-transport` reads them from
//! their files when it needs them.

use crate::config::SourceConfig;
use anyhow::{Context, anyhow, bail, ensure};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use url::Url;
use writ_git_transport::{GitHubApp, Options};

/// Where the source is. Shown as it is, because it holds no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// A folder of this machine; it is watched.
    Path(PathBuf),
    /// Somewhere else; it is polled.
    Url(String),
}

impl Remote {
    /// The remote that a text names. The text is not part of an error: it may hold a password.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if is_scp_like(text) {
            return Ok(Remote::Url(text.to_owned()));
        }
        if !text.contains("://") {
            let path = std::path::absolute(text).map_err(|_| anyhow!("--source is not a path"))?;
            return Ok(Remote::Path(path));
        }
        let url: Url = text.parse().ok().context("--source is not a URL")?;
        ensure!(
            url.password().is_none(),
            "--source holds a password: put it in a file and name that with --source-password-file"
        );
        match url.scheme() {
            "file" => Ok(Remote::Path(url.to_file_path().ok().context("--source is a file URL without a path")?)),
            "https" | "http" | "ssh" => {
                ensure!(url.host_str().is_some_and(|host| !host.starts_with('-')), "--source names no host");
                Ok(Remote::Url(url.to_string()))
            }
            other => bail!("--source uses {other}; https, ssh, file and plain paths are known"),
        }
    }

    /// Makes the transports ready that these remotes need, each with its own credentials; once per process.
    pub fn prepare(sources: &[(&Remote, &SourceConfig)], shutdown: &CancellationToken) -> anyhow::Result<()> {
        static REGISTERED: OnceLock<Result<(), String>> = OnceLock::new();
        let away = sources.iter().filter(|(remote, _)| matches!(remote, Remote::Url(_)));
        let options: HashMap<String, Arc<Options>> =
            away.map(|(remote, config)| (remote.to_string(), Arc::new(options(config, shutdown)))).collect();
        if options.is_empty() {
            return Ok(());
        }
        let register = || writ_git_transport::register(move |address| options.get(address).cloned());
        let registered = REGISTERED.get_or_init(|| register().map_err(|e| format!("{e:#}")));
        registered.clone().map_err(|reason| anyhow!("{reason}"))
    }
}

fn options(source: &SourceConfig, shutdown: &CancellationToken) -> Options {
    let github_app = source
        .github_app
        .as_ref()
        .zip(source.github_app_key_file.as_ref())
        .map(|(id, key)| GitHubApp::new(id, source.github_app_installation, key, source.github_api.clone()));
    Options {
        username: source.username.clone(),
        password_file: source.password_file.clone(),
        bearer: source.bearer,
        github_app,
        ca_file: source.ca.clone(),
        proxy: source.proxy.clone(),
        ssh_key: source.ssh_key.clone(),
        known_hosts: source.known_hosts.clone(),
        shutdown: shutdown.clone(),
        ..Options::default()
    }
}

/// `user@host:path`.
fn is_scp_like(text: &str) -> bool {
    let Some((host, path)) = text.split_once(':') else { return false };
    host.contains('@') && !host.contains('/') && !host.starts_with('-') && !path.starts_with("//")
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remote::Path(path) => write!(f, "{}", path.display()),
            Remote::Url(url) => f.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_in_a_url_is_refused_and_not_shown() {
        let error = Remote::parse("https://me:hunter2@git.example/policies").unwrap_err().to_string();
        assert!(error.contains("--source-password-file") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn paths_urls_and_scp_forms_are_told_apart() {
        assert_eq!(Remote::parse("file:///srv/p").unwrap(), Remote::Path("/srv/p".into()));
        assert_eq!(Remote::parse("/srv/p").unwrap(), Remote::Path("/srv/p".into()));
        assert_eq!(Remote::parse("git@host:p.git").unwrap(), Remote::Url("git@host:p.git".into()));
        for odd in ["ext::sh -c x://", "ftp://host/p", "ssh://-oProxyCommand=x/p"] {
            assert!(Remote::parse(odd).is_err(), "{odd}");
        }
    }
}
