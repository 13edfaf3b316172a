//! Carries libgit2's smart protocol: `https` and `http` over reqwest, `ssh` over the ssh program. One trust store, one
//! proxy rule, no OpenSSL. Owns addresses, credentials, time and size of a conversation with a remote; knows nothing
//! of refs, branches or policies. Everything here blocks: libgit2 calls it from a thread that may.

mod address;
mod conversation;
mod github_app;
mod http;
mod ssh;

pub use address::Address;
pub use github_app::GitHubApp;

use anyhow::{Context, anyhow, bail};
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How remotes are spoken to. Files are read anew for each conversation, so a rotated secret needs no restart.
#[derive(Debug, Clone)]
pub struct Options {
    /// User of basic authentication. Hosts that take tokens as password accept any; `git` when absent.
    pub username: Option<String>,
    /// File with the password or token. It is sent over https, or over http to this very machine, and nowhere else.
    pub password_file: Option<PathBuf>,
    /// Whether the password is shown as a bearer token.
    pub bearer: bool,
    /// Logs in as a GitHub App, instead of by a password.
    pub github_app: Option<Arc<GitHubApp>>,
    /// File with PEM certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The proxy of https; what the environment says when absent.
    pub proxy: Option<Url>,
    /// Private key for ssh; what ssh itself would choose when absent.
    pub ssh_key: Option<PathBuf>,
    /// The host keys to expect; the user's own file when absent. An unknown host is refused either way.
    pub known_hosts: Option<PathBuf>,
    /// The longest that one conversation (a whole fetch) may take.
    pub timeout: Duration,
    /// The most bytes that a remote may send in one conversation.
    pub max_bytes: u64,
    /// Ends conversations early, so that a silent remote does not hold up the end of the process.
    pub shutdown: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            username: None,
            password_file: None,
            bearer: false,
            github_app: None,
            ca_file: None,
            proxy: None,
            ssh_key: None,
            known_hosts: None,
            timeout: Duration::from_secs(120),
            max_bytes: 256 << 20,
            shutdown: CancellationToken::new(),
        }
    }
}

static REGISTERED: OnceLock<()> = OnceLock::new();

/// Makes libgit2 use these transports for every remote of this process: `options_of` says how the one at this address is
/// spoken to, and one that it does not know is not. Call it once, before the first fetch and after the TLS provider was
/// installed.
pub fn register(options_of: impl Fn(&str) -> Option<Arc<Options>> + Send + Sync + 'static) -> anyhow::Result<()> {
    if REGISTERED.set(()).is_err() {
        bail!("the git transports of this process are registered already");
    }
    let known = Arc::new(options_of);
    let options = move |remote: &git2::Remote<'_>| remote.url().ok().and_then(|address| known(address));
    for scheme in ["https", "http"] {
        let options = options.clone();
        add(scheme, move |remote| match options(remote) {
            Some(options) => Transport::smart(remote, true, http::Http::new(options)),
            None => Transport::smart(remote, true, Unknown),
        })?;
    }
    add("ssh", move |remote| match options(remote) {
        Some(options) => Transport::smart(remote, false, ssh::Ssh::new(options)),
        None => Transport::smart(remote, false, Unknown),
    })
}

/// Speaks to nobody: a factory cannot tell libgit2 why it makes no transport.
struct Unknown;

impl SmartSubtransport for Unknown {
    fn action(&self, _: &str, _: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        Err(conversation::git_error(&anyhow!("this is not the address of a source"), None))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

#[expect(unsafe_code, reason = "libgit2 keeps its transports in a global list; `register` writes it once")]
fn add<F>(scheme: &str, factory: F) -> anyhow::Result<()>
where
    F: Fn(&git2::Remote<'_>) -> Result<Transport, git2::Error> + Send + Sync + 'static,
{
    // SAFETY: REGISTERED lets one thread through, and the caller has not used a remote yet.
    unsafe { git2::transport::register(scheme, factory) }
        .with_context(|| format!("registering the {scheme} transport with libgit2"))
}
