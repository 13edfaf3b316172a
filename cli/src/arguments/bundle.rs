//! Arguments of `writ bundle`.

use super::duration;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

#[derive(Debug, Subcommand)]
pub(crate) enum Bundle {
    /// Make an author's key; it stays outside of every hub
    Key(BundleKey),
    /// Check the policies of a commit and put them into one file
    Build(BundleBuild),
    /// Sign a bundle with the author's key; with --hub, tell the hub that it may serve the commit
    Sign(BundleSign),
    /// Say what is in a bundle file, and whether this author signed it
    Verify(BundleVerify),
    /// Put a bundle file into an OCI registry
    Push(BundlePush),
    /// Fetch a bundle file from an OCI registry
    Pull(BundlePull),
}

#[derive(Debug, Args)]
pub(crate) struct BundleKey {
    /// File for the private key; the public one gets `.pub` at its end
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BundleBuild {
    /// Clone of the policies repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Folder within the repository that holds the policies, as the hub has it
    #[arg(long, value_name = "FOLDER", default_value = "")]
    pub(crate) path: String,
    /// Full id of the commit; HEAD when absent
    #[arg(long, value_name = "SHA")]
    pub(crate) commit: Option<writ_policy::Revision>,
    /// The file to write
    #[arg(long, short, value_name = "FILE", default_value = "bundle.writ")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BundleSign {
    /// The bundle file
    #[arg(default_value = "bundle.writ")]
    pub(crate) file: PathBuf,
    /// File with the author's private key
    #[arg(long, env = "WRIT_AUTHOR_KEY_FILE", value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The longest that a hub may suspend refusals (break glass); not at all when absent
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) allow_break_glass: Option<Duration>,
    /// Tell this hub
    #[arg(long, env = "WRIT_HUB", value_name = "URL")]
    pub(crate) hub: Option<Url>,
    /// CA certificate (PEM) of a hub that serves https with a private one
    #[arg(long, env = "WRIT_HUB_CA", value_name = "FILE")]
    pub(crate) hub_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BundleVerify {
    /// The bundle file
    #[arg(default_value = "bundle.writ")]
    pub(crate) file: PathBuf,
    /// File with the author's public key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryLogin {
    /// CA certificate (PEM) of the registry, beside the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// User at the registry
    #[arg(long, env = "WRIT_BUNDLE_USERNAME", value_name = "NAME", requires = "password_file")]
    pub(crate) username: Option<String>,
    /// File with the user's password or token
    #[arg(long, env = "WRIT_BUNDLE_PASSWORD_FILE", value_name = "FILE", requires = "username")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BundlePush {
    /// The bundle file, signed
    pub(crate) file: PathBuf,
    /// oci://REGISTRY/REPOSITORY:TAG
    pub(crate) to: String,
    /// Also sign what was pushed as cosign does, with this ECDSA P-256 key (PKCS#8 in PEM, not encrypted)
    #[arg(long, value_name = "FILE")]
    pub(crate) cosign_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) registry: RegistryLogin,
}

#[derive(Debug, Args)]
pub(crate) struct BundlePull {
    /// oci://REGISTRY/REPOSITORY:TAG, or ...@sha256:DIGEST
    pub(crate) from: String,
    /// The file to write
    #[arg(long, short, value_name = "FILE", default_value = "bundle.writ")]
    pub(crate) output: PathBuf,
    /// File with the author's public key; what they did not sign is not written
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) registry: RegistryLogin,
}
