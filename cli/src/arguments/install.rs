//! What `writ install` and `writ uninstall` understand.

use clap::{Args, Subcommand};
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Subcommand)]
pub(crate) enum Install {
    /// Write the manifests of a cluster's agent, for `kubectl apply -f -`
    Agent(Box<InstallAgent>),
    /// Write the manifests of the hub, for `kubectl apply -f -`
    Hub(Box<InstallHub>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Uninstall {
    /// Write what `kubectl delete --ignore-not-found -f -` removes, in the order that locks nobody out: the right to
    /// make a webhook, the webhook, then the rest
    Agent(UninstallFrom),
    /// The same for the hub; its volume, with the database and the signing key, stays
    Hub(UninstallFrom),
}

#[derive(Debug, Args)]
pub(crate) struct UninstallFrom {
    /// Namespace that it runs in
    #[arg(long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InstallAgent {
    /// The hub, as the cluster reaches it
    #[arg(long, env = "WRIT_HUB", value_name = "URL")]
    pub(crate) hub: Url,
    /// Enrollment token, from `writ token create`; without one the Secret `writ-agent-enrollment` must be there
    #[arg(long, env = "WRIT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// File with the enrollment token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub(crate) token_file: Option<PathBuf>,
    /// CA certificate (PEM) of a hub that serves https with a private one
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Namespace to run in
    #[arg(long, value_name = "NAME", default_value = "writ-system")]
    pub(crate) namespace: String,
    /// Image of the agent
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// How many run; a drained node takes one
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) replicas: u32,
    /// What a request gets when there is no verdict: `fail` refuses it, `ignore` lets it through
    #[arg(long, value_name = "POLICY", value_parser = ["fail", "ignore"], default_value = "ignore")]
    pub(crate) failure_policy: String,
    /// Which namespaces are judged: all but those that opted out, those that opted in, or those with MagTape's label
    #[arg(long, value_name = "WHICH", value_parser = ["opt-out", "opt-in", "magtape"], default_value = "opt-out")]
    pub(crate) select_namespaces: String,
    /// Namespace that is never judged, beside the agent's own and Kubernetes'; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude_namespace: Vec<String>,
    /// Let cert-manager make the webhook's certificate
    #[arg(long)]
    pub(crate) cert_manager: bool,
    /// Scale from `--replicas` up to so many by load
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=50))]
    pub(crate) autoscale: Option<u32>,
    /// Add a ServiceMonitor for the Prometheus operator
    #[arg(long)]
    pub(crate) service_monitor: bool,
    /// Write open violations as reports for others' tools, whose CRDs must be there
    #[arg(long, value_name = "FORMAT", value_parser = ["wgpolicyk8s", "openreports"])]
    pub(crate) policy_reports: Option<String>,
    /// Another flag of the agent, e.g. --agent-flag=--workers=4; may be repeated
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub(crate) agent_flag: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InstallHub {
    /// The git repository of policies
    #[arg(long, value_name = "URL")]
    pub(crate) source: String,
    /// User for the repository
    #[arg(long, value_name = "NAME", default_value = "writ")]
    pub(crate) source_username: String,
    /// File with the access token for the repository; without it the Secret `writ-hub` must be there
    #[arg(long, value_name = "FILE", requires = "admin_token_file")]
    pub(crate) source_password_file: Option<PathBuf>,
    /// File with the admin token, at least 20 characters
    #[arg(long, value_name = "FILE", requires = "source_password_file")]
    pub(crate) admin_token_file: Option<PathBuf>,
    /// Certificate (PEM) that the hub shows; without it the Secret `writ-hub-tls` must be there
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Namespace to run in
    #[arg(long, value_name = "NAME", default_value = "writ-hub")]
    pub(crate) namespace: String,
    /// Image of the hub
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
}
