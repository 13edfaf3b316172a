//! What can be set about the cluster that the agent runs for: who calls it, for which namespaces, with which certificate.

use anyhow::ensure;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// In a cluster only.
#[derive(Debug, Clone, clap::Args)]
pub struct ClusterConfig {
    /// How to reach the API server from outside of the cluster; a pod uses its service account.
    #[arg(long, env = "WRIT_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// Address that the API server calls instead of the Service, e.g. https://10.0.0.7:8443/validate; for an agent that
    /// runs outside of the cluster.
    #[arg(long, env = "WRIT_WEBHOOK_URL")]
    pub webhook_url: Option<Url>,
    /// Name of this replica among those of the cluster, kept over restarts; the pod's name.
    #[arg(long, env = "WRIT_REPLICA", default_value = "")]
    pub replica: String,
    /// Secret that holds the identity that all replicas share.
    #[arg(long, env = "WRIT_IDENTITY_SECRET", default_value = "writ-agent-identity")]
    pub identity_secret: String,
    /// Secret in which replicas share the last good policies, so that one that starts with an empty disk enforces them
    /// although the hub is away; more Secrets of this name and a number hold the rest. Empty: they are not shared.
    #[arg(long, env = "WRIT_POLICIES_SECRET", default_value = "writ-agent-policies")]
    pub policies_secret: String,
    /// Lease by which replicas agree who writes the webhook configuration.
    #[arg(long, env = "WRIT_LEASE", default_value = "writ-agent")]
    pub lease: String,
    /// Which namespaces are judged: all but those that opted out (label `writ.dev/admission: disabled`), those that
    /// opted in (`writ.dev/admission: enabled`), or those with MagTape's label (`k8s.t-mobile.com/magtape: enabled`).
    #[arg(long, env = "WRIT_SELECT_NAMESPACES", value_enum, default_value = "opt-out")]
    pub select_namespaces: SelectNamespaces,
    /// Namespace that is never judged, beside the agent's own, kube-system, kube-public and kube-node-lease; may be
    /// repeated.
    #[arg(long, env = "WRIT_EXCLUDE_NAMESPACE", value_delimiter = ',')]
    pub exclude_namespace: Vec<String>,
    /// Kind (`group/Kind`) whose requests go through when the agent has no verdict or cannot be reached, although the
    /// failure policy is Fail; may be repeated.
    #[arg(long, env = "WRIT_IGNORE_KIND", value_delimiter = ',')]
    pub ignore_kind: Vec<String>,
    /// Ask about deletions too, for policies that judge them. While no agent can be reached, Fail then keeps people from
    /// deleting.
    #[arg(long, env = "WRIT_JUDGE_DELETIONS")]
    pub judge_deletions: bool,
    /// How long the API server waits for a verdict.
    #[arg(long, env = "WRIT_WEBHOOK_TIMEOUT", value_parser = super::duration, default_value = "5s")]
    pub webhook_timeout: Duration,
    /// Who makes the webhook's certificate: the agent, or somebody else who keeps it in the Secret.
    #[arg(long, env = "WRIT_CERTIFICATE", value_enum, default_value = "own")]
    pub certificate: CertificateFrom,
    /// `namespace/name` of a cert-manager Certificate: its injector writes the authority into the webhook configuration.
    #[arg(long, env = "WRIT_INJECT_CA_FROM")]
    pub inject_ca_from: Option<String>,
    /// Whether open violations are also written as reports for others' tools, one in each namespace: PolicyReports
    /// (wgpolicyk8s.io/v1alpha2) or Reports (openreports.io/v1alpha1), whose CRDs must be there.
    #[arg(long, env = "WRIT_POLICY_REPORTS", value_enum, default_value = "off")]
    pub policy_reports: PolicyReports,
    /// How long the agent still answers after it was told to stop, until nobody calls it any more.
    #[arg(long, env = "WRIT_SHUTDOWN_DELAY", value_parser = super::duration, default_value = "5s")]
    pub shutdown_delay: Duration,
}

/// As what open violations are written into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PolicyReports {
    /// Not at all.
    Off,
    /// As PolicyReports.
    Wgpolicyk8s,
    /// As Reports of OpenReports.
    Openreports,
}

/// Which namespaces are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SelectNamespaces {
    /// All but those that opted out.
    OptOut,
    /// Those that opted in.
    OptIn,
    /// Those with MagTape's label.
    Magtape,
}

/// Who makes the webhook's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CertificateFrom {
    /// The agent, in the Secret that all replicas share.
    Own,
    /// Somebody else, as cert-manager: the agent only reads `tls.crt`, `tls.key` and, if it is there, `ca.crt`.
    Secret,
}

impl SelectNamespaces {
    /// The label that decides, its value, and whether those that have it are judged.
    pub fn label(self) -> (&'static str, &'static str, bool) {
        match self {
            SelectNamespaces::OptOut => ("writ.dev/admission", "disabled", false),
            SelectNamespaces::OptIn => ("writ.dev/admission", "enabled", true),
            SelectNamespaces::Magtape => ("k8s.t-mobile.com/magtape", "enabled", true),
        }
    }
}

impl ClusterConfig {
    /// Rules between fields.
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        let seconds = self.webhook_timeout.as_secs();
        let whole = self.webhook_timeout.subsec_nanos() == 0;
        ensure!(whole && (1..=30).contains(&seconds), "--webhook-timeout wants whole seconds from 1s to 30s");
        let url = self.webhook_url.as_ref().is_none_or(|url| url.scheme() == "https");
        ensure!(url, "--webhook-url wants an https URL: the API server calls no other");
        let foreign = self.inject_ca_from.is_none() || self.certificate == CertificateFrom::Secret;
        ensure!(foreign, "--inject-ca-from wants --certificate=secret: cert-manager keeps the Secret then");
        Ok(())
    }
}
