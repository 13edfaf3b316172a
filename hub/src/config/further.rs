//! `--sources FILE`: repositories beside the first one. Each brings policies under a name of its own; who may join which
//! wave, what is enforced where and who is exempt stays the first one's to say.

use super::{RequireSignatures, SourceConfig};
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// The most repositories beside the first.
const MOST: usize = 16;
/// The longest name.
const MAX_NAME: usize = 40;
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 10;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: Vec<Further>,
}

/// One repository. Fields say what the flags of the same name say of the first one.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Further {
    name: String,
    url: String,
    #[serde(default = "main")]
    branch: String,
    tag: Option<String>,
    #[serde(default)]
    path: String,
    username: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default)]
    bearer: bool,
    github_app: Option<String>,
    github_app_key_file: Option<PathBuf>,
    github_app_installation: Option<u64>,
    github_api: Option<Url>,
    ca: Option<PathBuf>,
    proxy: Option<Url>,
    ssh_key: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
    #[serde(default)]
    require_signatures: RequireSignatures,
    allowed_signers: Option<PathBuf>,
    gpg_keys: Option<PathBuf>,
}

fn main() -> String {
    "main".to_owned()
}

/// The repositories that this file names, each with the name under which its policies are.
pub(super) fn read(file: &Path, poll: Duration) -> anyhow::Result<Vec<(String, SourceConfig)>> {
    let place = || format!("--sources {}", file.display());
    let length = std::fs::metadata(file).with_context(place)?.len();
    ensure!(length <= MAX_FILE, "{} has {length} bytes, more than {MAX_FILE}", place());
    let text = std::fs::read_to_string(file).with_context(place)?;
    let read: File = serde_saphyr::from_str(&text)
        .map_err(|error| {
            let error = error.to_string();
            anyhow::anyhow!("{}", error.lines().next().unwrap_or("it is not YAML").to_owned())
        })
        .with_context(place)?;
    ensure!(read.sources.len() <= MOST, "{} names more than {MOST} repositories", place());
    let mut known: Vec<(String, SourceConfig)> = vec![];
    for further in read.sources {
        let name = further.name.clone();
        let source = further.settle(poll).with_context(|| format!("{}, source `{name}`", place()))?;
        ensure!(known.iter().all(|(other, _)| *other != name), "{} names `{name}` twice", place());
        known.push((name, source));
    }
    Ok(known)
}

impl Further {
    fn settle(self, poll: Duration) -> anyhow::Result<SourceConfig> {
        ensure!(is_name(&self.name), "a name has up to {MAX_NAME} of a-z, 0-9 and -, and begins with a letter");
        match (self.github_app.is_some(), self.github_app_key_file.is_some(), self.password_file.is_some()) {
            (true, _, true) => bail!("githubApp and passwordFile exclude each other"),
            (true, false, _) | (false, true, _) => bail!("githubApp and githubAppKeyFile go together"),
            _ => {}
        }
        ensure!(!self.bearer || self.password_file.is_some(), "bearer wants passwordFile, which holds the token");
        let source = SourceConfig {
            url: self.url,
            branch: self.branch,
            tag: self.tag,
            path: self.path,
            poll,
            username: self.username,
            password_file: self.password_file,
            bearer: self.bearer,
            github_app: self.github_app,
            github_app_key_file: self.github_app_key_file,
            github_app_installation: self.github_app_installation,
            github_api: self.github_api.unwrap_or_else(|| "https://api.github.com".parse().expect("it is a URL")),
            ca: self.ca,
            proxy: self.proxy,
            ssh_key: self.ssh_key,
            known_hosts: self.known_hosts,
            require_signatures: self.require_signatures,
            allowed_signers: self.allowed_signers,
            gpg_keys: self.gpg_keys,
            author_key: None,
            webhook_secret_file: None,
            sources: None,
        };
        source.validate()?;
        Ok(source)
    }
}

/// Whether this can be the folder of a repository's policies, on every page and in every path.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= MAX_NAME && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<(String, SourceConfig)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sources.yaml");
        std::fs::write(&file, text).unwrap();
        read(&file, Duration::from_secs(30)).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn each_repository_says_how_it_is_reached() {
        let text = "
sources:
  - {name: security, url: 'https://git.example/security.git', passwordFile: token, path: policies}
  - {name: storage, url: 'git@git.example:storage.git', tag: live, requireSignatures: all, allowedSigners: signers}
";
        let read = read_text(text).unwrap();
        assert_eq!(
            (read[0].0.as_str(), read[0].1.branch.as_str(), read[0].1.path.as_str()),
            ("security", "main", "policies")
        );
        assert_eq!((read[1].1.tag.as_deref(), read[1].1.require_signatures), (Some("live"), RequireSignatures::All));
    }

    #[test]
    fn what_is_odd_is_refused_with_its_place() {
        for (text, reason) in [
            ("sources: [{name: a/b, url: x}]", "begins with a letter"),
            ("sources: [{name: a, url: x}, {name: a, url: y}]", "twice"),
            ("sources: [{name: a, url: x, pasword: y}]", "pasword"),
            ("sources: [{name: a, url: x, githubApp: '1'}]", "go together"),
            ("sources: [{name: a, url: x, requireSignatures: head}]", "nobody could sign"),
            ("sources: [{name: a, url: x, path: ../y}]", "--path"),
            ("sources: {", "sources.yaml"),
        ] {
            let error = read_text(text).unwrap_err();
            assert!(error.contains(reason) && error.contains("sources.yaml"), "{text}: {error}");
        }
    }
}
