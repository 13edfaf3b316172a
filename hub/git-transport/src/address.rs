//! Where a remote is: parsed and judged once, so that nothing in it can become an option, a command or a leak.

use anyhow::{bail, ensure};
use url::Url;

/// A remote that may be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `https://host/path`, or `http://`.
    Http(Url),
    /// `ssh://user@host:port/path` or `user@host:path`.
    Ssh(SshAddress),
}

/// The parts of an ssh address, each safe as an argument of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAddress {
    /// Who logs in; what ssh would choose when absent.
    pub user: Option<String>,
    /// Host name or address.
    pub host: String,
    /// 22 when absent.
    pub port: Option<u16>,
    /// The repository's path on the host.
    pub path: String,
}

impl Address {
    /// The address, or why it is refused. Never repeats a password that stood in it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        ensure!(!text.chars().any(char::is_control), "the address has a control character");
        if let Some(rest) = text.strip_prefix("ssh://") {
            return parse_ssh_url(rest).map(Self::Ssh);
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return parse_http(text).map(Self::Http);
        }
        if let Some((scheme, _)) = text.split_once("://") {
            bail!("`{scheme}` is not a way to reach a remote: use https or ssh");
        }
        parse_scp_form(text).map(Self::Ssh)
    }
}

fn parse_http(text: &str) -> anyhow::Result<Url> {
    // The parser's own message may repeat the text, and with it a password.
    let Ok(url) = Url::parse(text) else { bail!("the address is not a valid URL") };
    ensure!(
        url.username().is_empty() && url.password().is_none(),
        "the address holds a user or password; pass them as options, where they stay out of logs"
    );
    ensure!(url.query().is_none() && url.fragment().is_none(), "the address has a query or fragment");
    ensure!(url.host_str().is_some_and(|host| !host.is_empty()), "the address has no host");
    Ok(url)
}

fn parse_ssh_url(rest: &str) -> anyhow::Result<SshAddress> {
    let Some((authority, path)) = rest.split_once('/') else { bail!("the address has no path") };
    let (user, host) = split_user(authority);
    let (host, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(str::parse).transpose().map_err(|_| anyhow::anyhow!("the address has no valid port"))?;
    ensure!(!path.contains('%'), "the path has a percent sign; write it without escapes");
    let path = if path.starts_with('~') { path.to_owned() } else { format!("/{path}") };
    checked(SshAddress { user, host: host.to_owned(), port, path })
}

fn parse_scp_form(text: &str) -> anyhow::Result<SshAddress> {
    let Some((authority, path)) = text.split_once(':') else { bail!("the address names no host") };
    let (user, host) = split_user(authority);
    checked(SshAddress { user, host: host.to_owned(), port: None, path: path.to_owned() })
}

fn split_user(authority: &str) -> (Option<String>, &str) {
    authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user.to_owned()), host))
}

fn checked(address: SshAddress) -> anyhow::Result<SshAddress> {
    let plain = |text: &str, more: &[char]| {
        !text.is_empty()
            && !text.starts_with('-')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') || more.contains(&c))
    };
    ensure!(plain(&address.host, &[':']), "the address has an odd host name");
    ensure!(address.user.as_deref().is_none_or(|user| plain(user, &[])), "the address has an odd user, or a password");
    ensure!(!address.path.is_empty() && !address.path.starts_with(['-', ':']), "the address has an odd path");
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh(text: &str) -> (Option<String>, String, Option<u16>, String) {
        match Address::parse(text).unwrap() {
            Address::Ssh(SshAddress { user, host, port, path }) => (user, host, port, path),
            Address::Http(url) => panic!("{url}"),
        }
    }

    #[test]
    fn both_forms_of_ssh_are_understood() {
        let git = Some("git".to_owned());
        assert_eq!(ssh("git@example.com:team/p.git"), (git.clone(), "example.com".into(), None, "team/p.git".into()));
        assert_eq!(ssh("ssh://git@h:2222/p.git"), (git, "h".into(), Some(2222), "/p.git".into()));
        assert_eq!(ssh("ssh://[::1]:22/~/p"), (None, "::1".into(), Some(22), "~/p".into()));
    }

    #[test]
    fn addresses_that_could_become_options_or_leaks_are_refused() {
        for text in [
            "ssh://-oProxyCommand=x/p",
            "ssh://-oProxyCommand=x@h/p",
            "-oProxyCommand=x:p",
            "git@h:-p",
            "git@h:",
            "git@h$(x):p",
            "ssh://h",
            "ssh://h:99999/p",
            "ssh://git:secret@h/p",
            "https://user:secret@h/p",
            "https://token@h/p",
            "https://h/p?q",
            "https:///p#f",
            "git://h/p",
            "ext::sh -c x",
            "file:///p",
            "https://h/\np",
        ] {
            let error = Address::parse(text).expect_err(text).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
