//! What the hub follows, how it gets there, and whose commits it believes.

use super::further;
use crate::repository::Reference;
use anyhow::{Context, bail, ensure};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;
use writ_policy::sign::PublicKey;

/// The policy repository.
#[derive(Debug, Clone, clap::Args)]
pub struct SourceConfig {
    /// The policy repository: a local path or a URL (https, ssh, file).
    #[arg(long = "source", id = "source", env = "WRIT_SOURCE", value_name = "URL_OR_PATH")]
    pub url: String,
    /// The branch that is enforced.
    #[arg(long, env = "WRIT_BRANCH", default_value = "main")]
    pub branch: String,
    /// Enforce what this tag points to, instead of a branch; moving it forward is what publishes.
    #[arg(long, env = "WRIT_TAG", value_name = "NAME")]
    pub tag: Option<String>,
    /// The folder within the repository that holds the policies; empty for all of it.
    #[arg(long, env = "WRIT_PATH", default_value = "", value_name = "FOLDER")]
    pub path: String,
    /// A file that names more repositories, each of which brings policies under a name of its own (docs/OPERATIONS.md).
    #[arg(long, env = "WRIT_SOURCES", value_name = "FILE", conflicts_with = "author_key")]
    pub sources: Option<PathBuf>,
    /// How often the source is asked for news, a tenth more or less. A local path is watched besides.
    #[arg(long, env = "WRIT_POLL", default_value = "30s", value_parser = super::duration)]
    pub poll: Duration,
    /// User name for the source.
    #[arg(long = "source-username", env = "WRIT_SOURCE_USERNAME", value_name = "NAME")]
    pub username: Option<String>,
    /// A file with the password or access token for the source.
    #[arg(long = "source-password-file", env = "WRIT_SOURCE_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Send the token of --source-password-file as a bearer token, which some hosts want instead of a password.
    #[arg(long = "source-bearer", env = "WRIT_SOURCE_BEARER", requires = "password_file")]
    pub bearer: bool,
    /// Id (or client id) of a GitHub App that may read the repository.
    #[arg(
        long,
        env = "WRIT_GITHUB_APP",
        value_name = "ID",
        requires = "github_app_key_file",
        conflicts_with = "password_file"
    )]
    pub github_app: Option<String>,
    /// A file with the private key of the GitHub App, in PEM.
    #[arg(long, env = "WRIT_GITHUB_APP_KEY_FILE", value_name = "FILE", requires = "github_app")]
    pub github_app_key_file: Option<PathBuf>,
    /// Which installation of the GitHub App; asked of GitHub when absent.
    #[arg(long, env = "WRIT_GITHUB_APP_INSTALLATION", value_name = "NUMBER", requires = "github_app")]
    pub github_app_installation: Option<u64>,
    /// GitHub's API; `https://HOST/api/v3` for a server of your own.
    #[arg(long, env = "WRIT_GITHUB_API", value_name = "URL", default_value = "https://api.github.com")]
    pub github_api: Url,
    /// Certificate authority of the source's https, in PEM.
    #[arg(long = "source-ca", env = "WRIT_SOURCE_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Proxy for a source over https, `http://HOST:PORT`; what HTTPS_PROXY and NO_PROXY say when absent.
    #[arg(long = "source-proxy", env = "WRIT_SOURCE_PROXY", value_name = "URL")]
    pub proxy: Option<Url>,
    /// Private key for a source over ssh; what the ssh program would choose when absent.
    #[arg(long = "source-ssh-key", env = "WRIT_SOURCE_SSH_KEY", value_name = "FILE")]
    pub ssh_key: Option<PathBuf>,
    /// Host keys to expect over ssh; the user's own file when absent. An unknown host is always refused.
    #[arg(long = "source-known-hosts", env = "WRIT_SOURCE_KNOWN_HOSTS", value_name = "FILE")]
    pub known_hosts: Option<PathBuf>,
    /// Which commits must be signed by someone who may: none, the head, or all since the head that was followed last.
    #[arg(long, env = "WRIT_REQUIRE_SIGNATURES", value_enum, default_value_t)]
    pub require_signatures: RequireSignatures,
    /// Who may sign with SSH keys, as ssh-keygen(1) describes it (ALLOWED SIGNERS).
    #[arg(long, env = "WRIT_ALLOWED_SIGNERS", value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
    /// Public GPG keys of those who may sign, as `gpg --export` writes them.
    #[arg(long, env = "WRIT_GPG_KEYS", value_name = "FILE")]
    pub gpg_keys: Option<PathBuf>,
    /// A file with the author's public key (`writ bundle key`): what the author did not sign (`writ bundle sign --hub`) is
    /// held. Agents that pin the same key obey nothing else.
    #[arg(long, env = "WRIT_AUTHOR_KEY", value_name = "FILE")]
    pub author_key: Option<PathBuf>,
    /// A file with the secret of push webhooks (`POST /hooks/push`), at least 16 characters; while it is replaced, the
    /// old and the new one on two lines. Without it there are no push webhooks.
    #[arg(long, env = "WRIT_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
}

/// Which commits must be signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequireSignatures {
    /// None.
    #[default]
    Off,
    /// The one that is to be served.
    Head,
    /// That one, and all since the head that was followed last.
    All,
}

impl SourceConfig {
    /// Checks what one field alone cannot know.
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        ensure!(!self.url.trim().is_empty(), "--source is empty: name the policy repository");
        ensure!(self.poll >= Duration::from_millis(100), "--poll is below 100ms");
        if !is_plain_folder(&self.path) {
            bail!("--path {:?} is not a folder within the repository", self.path);
        }
        ensure!(is_plain_reference(&self.branch), "--branch {:?} is not the name of a branch", self.branch);
        if let Some(tag) = &self.tag {
            ensure!(is_plain_reference(tag), "--tag {tag:?} is not the name of a tag");
        }
        let knows_signers = self.allowed_signers.is_some() || self.gpg_keys.is_some();
        ensure!(
            self.require_signatures == RequireSignatures::Off || knows_signers,
            "--require-signatures wants --allowed-signers or --gpg-keys: nobody could sign"
        );
        for (name, url) in [("--source-proxy", self.proxy.as_ref()), ("--github-api", Some(&self.github_api))] {
            let plain = url.is_none_or(|url| matches!(url.scheme(), "http" | "https") && url.password().is_none());
            ensure!(plain, "{name} wants an http or https URL without a password");
        }
        Ok(())
    }

    /// The repositories beside this one, by name.
    pub fn further(&self) -> anyhow::Result<Vec<(String, SourceConfig)>> {
        self.sources.as_deref().map_or(Ok(vec![]), |file| further::read(file, self.poll))
    }

    /// The author's public key, where one is configured.
    pub fn author(&self) -> anyhow::Result<Option<PublicKey>> {
        let Some(file) = &self.author_key else { return Ok(None) };
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        text.parse().map(Some).with_context(|| format!("{} is not an author's public key", file.display()))
    }

    /// What of the repository is followed.
    pub fn reference(&self) -> Reference {
        match &self.tag {
            Some(tag) => Reference::tag(tag),
            None => Reference::branch(&self.branch),
        }
    }
}

fn is_plain_folder(path: &str) -> bool {
    path.is_empty() || writ_policy::source::checked_path(path.trim_end_matches('/')).is_ok()
}

fn is_plain_reference(name: &str) -> bool {
    let parts_are_plain = name.split('/').all(|part| !part.is_empty() && !part.starts_with(['.', '-']));
    parts_are_plain && !name.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c))
}
